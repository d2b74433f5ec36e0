"""A FAT16 file system with a few files, as an EFI system partition wants one.

Microsoft's "FAT: General Overview of On-Disk Format" 1.03; the fields have its names. Every file
lies in one piece, names are 8.3, and the same files always give the same bytes.
"""

import dataclasses
import datetime
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from ovum.cpio import BUILD_TIME_S
from ovum.pack.payload import Content, PackError, copy_to, size_of

SECTOR: Final = 512

_BOOT: Final = struct.Struct("<3s8sHBHBHHBHHHIIBBBI11s8s")
_ENTRY: Final = struct.Struct("<11sBBBHHHHHHHI")
_RESERVED: Final = 8
_ROOT_ENTRIES: Final = 512
_FEWEST: Final = 4085
"""With fewer clusters it would be FAT12, with _MOST and more FAT32."""
_MOST: Final = 65525
_LARGEST_CLUSTER: Final = 64
"""Sectors: 32 KiB, the largest that everybody reads."""
_MEDIA: Final = 0xF8
_DIRECTORY: Final = 0x10
_VOLUME: Final = 0x08
_LOWER: Final = 0x18
"""Name and extension are lower case: Windows NT's, and Linux's and mtools' as well."""
_ROOM: Final = 1 << 20
"""What stays free, for those who change the boot loader's configuration."""


@dataclasses.dataclass(slots=True)
class _Node:
    """A file or a folder, and where it is."""

    name: str
    content: Content | None
    """None: a folder."""
    below: "dict[str, _Node]"
    cluster: int = 0


def _short(name: str) -> tuple[bytes, int]:
    """The eleven bytes of an 8.3 name and its case flags. Raises PackError."""
    stem, _, extension = name.partition(".")
    legal = (stem + extension).replace("_", "").isalnum() and name.isascii()
    if not legal or not 1 <= len(stem) <= 8 or len(extension) > 3:
        raise PackError(f"not a name for FAT: {name!r}")
    flags = _LOWER if name == name.lower() and name != name.upper() else 0
    if not flags and name != name.upper():
        raise PackError(f"neither upper nor lower case: {name!r}")
    return stem.upper().ljust(8).encode() + extension.upper().ljust(3).encode(), flags


def _tree(files: Mapping[str, Content]) -> _Node:
    root = _Node("", None, {})
    for path, content in files.items():
        *folders, name = PurePosixPath(path).parts
        node = root
        for folder in folders:
            node = node.below.setdefault(folder, _Node(folder, None, {}))
        node.below[name] = _Node(name, content, {})
    return root


class Fat:
    """The layout of a file system with these files, by their path."""

    def __init__(self, files: Mapping[str, Content], label: str, serial: int) -> None:
        self._label = label.upper().ljust(11).encode()
        self._serial = serial
        self._root = _tree(files)
        if len(self._root.below) >= _ROOT_ENTRIES:
            raise PackError(f"FAT: more than {_ROOT_ENTRIES - 1} files in the root")
        needed = _ROOM + sum(map(self._bytes, self._nodes(self._root)))
        # As large as they may be: the boot loader goes through the chain one by one.
        self._per_cluster = _LARGEST_CLUSTER
        while self._per_cluster > 1 and self._clusters_for(needed) < _FEWEST:
            self._per_cluster //= 2
        # Each file may waste a part of its last cluster.
        spare = len(self._nodes(self._root)) + 16
        self._count = max(_FEWEST, self._clusters_for(needed)) + spare
        if self._count >= _MOST:
            raise PackError("the program is larger than 2 GiB, more than FAT16 can hold")
        self._cluster = self._per_cluster * SECTOR
        self._fat_sectors = -(-(self._count + 2) * 2 // SECTOR)
        # FATs in pages of 4 KiB, so that the files begin on such a page, too.
        self._fat_sectors += -self._fat_sectors % 8
        self._place()
        data = self._count * self._per_cluster
        self.sectors = _RESERVED + 2 * self._fat_sectors + _ROOT_ENTRIES * 32 // SECTOR + data
        """The file system's size."""

    def _clusters_for(self, size: int) -> int:
        return -(-size // (self._per_cluster * SECTOR))

    def _nodes(self, node: _Node) -> list[_Node]:
        """Everything below, folders before what is in them."""
        found = []
        for child in node.below.values():
            found += [child, *self._nodes(child)]
        return found

    def _bytes(self, node: _Node) -> int:
        return (len(node.below) + 2) * 32 if node.content is None else size_of(node.content)

    def _place(self) -> None:
        at = 2
        for node in self._nodes(self._root):
            count = self._clusters_for(self._bytes(node))
            node.cluster = at if count else 0
            at += count

    def write(self, out: BinaryIO) -> None:
        """Appends the file system to a file."""
        begun = out.tell()
        out.write(self._boot_sector() + bytes((_RESERVED - 1) * SECTOR))
        table = self._table()
        out.write(table + table)
        out.write(self._folder(self._root, None).ljust(_ROOT_ENTRIES * 32, b"\0"))
        self._write_below(out, self._root, None)
        end = begun + self.sectors * SECTOR
        out.seek(end - 1)
        out.write(b"\0")

    def _boot_sector(self) -> bytes:
        small = self.sectors if self.sectors < 1 << 16 else 0
        # Who starts it stops: the boot loader is elsewhere.
        head = _BOOT.pack(
            *(b"\xeb\x3c\x90", b"MSWIN4.1", SECTOR, self._per_cluster, _RESERVED, 2),
            *(_ROOT_ENTRIES, small, _MEDIA, self._fat_sectors, 63, 255, 0),
            *(0 if small else self.sectors, 0x80, 0, 0x29, self._serial, self._label, b"FAT16   "),
        )
        return (head + b"\xfa\xf4\xeb\xfd").ljust(510, b"\0") + b"\x55\xaa"

    def _table(self) -> bytes:
        entries = [0xFF00 | _MEDIA, 0xFFFF]
        for node in self._nodes(self._root):
            count = self._clusters_for(self._bytes(node))
            if count:
                entries += range(node.cluster + 1, node.cluster + count)
                entries.append(0xFFFF)
        packed = struct.pack(f"<{len(entries)}H", *entries)
        return packed.ljust(self._fat_sectors * SECTOR, b"\0")

    def _folder(self, node: _Node, parent: _Node | None) -> bytes:
        if parent is None:
            entries = [_entry(self._label, 0, _VOLUME, 0, 0)]
        else:
            entries = [
                _entry(b".".ljust(11), 0, _DIRECTORY, node.cluster, 0),
                _entry(b"..".ljust(11), 0, _DIRECTORY, parent.cluster, 0),
            ]
        for child in node.below.values():
            name, flags = _short(child.name)
            if child.content is None:
                entries.append(_entry(name, flags, _DIRECTORY, child.cluster, 0))
            else:
                entries.append(_entry(name, flags, 0, child.cluster, size_of(child.content)))
        return b"".join(entries)

    def _write_below(self, out: BinaryIO, node: _Node, parent: _Node | None) -> None:
        for child in node.below.values():
            content = child.content
            copy_to(out, self._folder(child, node) if content is None else content)
            out.write(bytes(-self._bytes(child) % self._cluster))
            self._write_below(out, child, node)


def _entry(name: bytes, flags: int, attributes: int, cluster: int, size: int) -> bytes:
    time, date = _stamp()
    return _ENTRY.pack(name, attributes, flags, 0, time, date, date, 0, time, date, cluster, size)


def _stamp() -> tuple[int, int]:
    """Time and date of everything, as FAT has them."""
    when = datetime.datetime.fromtimestamp(BUILD_TIME_S, datetime.UTC)
    time = when.hour << 11 | when.minute << 5 | when.second // 2
    return time, (when.year - 1980) << 9 | when.month << 5 | when.day
