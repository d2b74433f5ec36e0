"""The archive format of images: cpio "newc", as docs/boot-protocol.md narrows it down.

The same entries always give the same bytes: order, inode numbers and times depend on nothing else.
"""

import dataclasses
import os
import stat
from collections.abc import Container, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

MAGIC: Final = b"070701"
HEADER_SIZE: Final = 110
TRAILER: Final = "TRAILER!!!"

PAGE: Final = 4096
ALIGN_FROM: Final = 64 * 1024
"""Files of at least this size begin on a page, so that the kernel can map them without a copy."""

BUILD_TIME_S: Final = 315_619_200
"""1980-01-02, the time of every file ovum makes: the earliest that zip files can hold anywhere."""

_COPY_CHUNK: Final = 1 << 20
_ELF_MAGIC: Final = b"\x7fELF"


class CpioError(ValueError):
    """The archive is malformed, or an entry cannot be expressed in the format."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or symbolic link; `name` is its path without the leading slash."""

    name: str
    mode: int
    content: bytes | Path = b""
    """The bytes, or the file on the host to take them from (followed if it is a link)."""
    mtime: int = BUILD_TIME_S


def directory(name: str, permissions: int = 0o755) -> Entry:
    """A directory; parents need no entry of their own."""
    return Entry(name, stat.S_IFDIR | permissions)


def regular(
    name: str, content: bytes | Path, permissions: int = 0o644, mtime: int = BUILD_TIME_S
) -> Entry:
    """A regular file."""
    return Entry(name, stat.S_IFREG | permissions, content, mtime)


def symlink(name: str, target: str) -> Entry:
    """A symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))


def write_archive(out: BinaryIO, entries: Iterable[Entry]) -> int:
    """Writes one complete archive and returns its size, a multiple of PAGE.

    Entries are sorted and parent directories added. Of two entries of one name the later counts,
    as it would in two archives. The padding at the end lets archives be concatenated without
    disturbing the alignment of the next one's files.
    """
    position = 0
    for inode, entry in enumerate(_complete(entries), start=1):
        position += _write_entry(out, entry, inode, position)
    position += _write_entry(out, Entry(TRAILER, 0, mtime=0), 0, position)
    padding = -position % PAGE
    out.write(bytes(padding))
    return position + padding


def _complete(entries: Iterable[Entry]) -> list[Entry]:
    """The entries by name, with the directories above them."""
    by_name: dict[str, Entry] = {}
    for entry in entries:
        _check_name(entry.name)
        by_name[entry.name] = entry
    for name in list(by_name):
        for parent in PurePosixPath(name).parents:
            if parent.name and str(parent) not in by_name:
                by_name[str(parent)] = directory(str(parent))
    # By components, so that a directory always comes before what is in it.
    return sorted(by_name.values(), key=lambda entry: entry.name.split("/"))


def _check_name(name: str) -> None:
    parts = name.split("/")
    if not all(parts) or "." in parts or ".." in parts or "\0" in name or name == TRAILER:
        raise CpioError(f"not a name for an archive: {name!r}")


def _write_entry(out: BinaryIO, entry: Entry, inode: int, position: int) -> int:
    name = os.fsencode(entry.name) + b"\0"
    size, aligned = _measure(entry.content)
    # The name is followed by as many NULs as bring the content to its place.
    unit = PAGE if aligned and stat.S_ISREG(entry.mode) else 4
    name += bytes(-(position + HEADER_SIZE + len(name)) % unit)
    fields = (inode, entry.mode, 0, 0, 1, entry.mtime, size, 0, 0, 0, 0, len(name), 0)
    if any(not 0 <= field <= 0xFFFFFFFF for field in fields):
        raise CpioError(f"{entry.name}: too large for the archive format")
    header = MAGIC + b"".join(b"%08x" % field for field in fields)
    out.write(header + name)
    _write_content(out, entry, size)
    out.write(bytes(-size % 4))
    return len(header) + len(name) + size + -size % 4


def _measure(content: bytes | Path) -> tuple[int, bool]:
    """Size of the content, and whether it should begin on a page."""
    if isinstance(content, bytes):
        size, magic = len(content), content[:4]
    else:
        size = content.stat().st_size
        with content.open("rb") as file:
            magic = file.read(4)
    return size, size >= ALIGN_FROM or magic == _ELF_MAGIC


def _write_content(out: BinaryIO, entry: Entry, size: int) -> None:
    if isinstance(entry.content, bytes):
        out.write(entry.content)
        return
    left = size
    with entry.content.open("rb") as file:
        while chunk := file.read(min(left, _COPY_CHUNK)):
            out.write(chunk)
            left -= len(chunk)
    if left:
        raise CpioError(f"{entry.content} became shorter while it was being read")


def read_archive(data: bytes | memoryview) -> Iterator[tuple[Entry, int]]:
    """The entries of one archive or of several concatenated ones, each with its content's offset.

    Raises CpioError where the data is not an archive.
    """
    view = memoryview(data)
    for name, mode, mtime, start, size in _headers(view):
        yield Entry(name, mode, bytes(view[start : start + size]), mtime), start


def find_last(data: bytes | memoryview, names: Container[str]) -> dict[str, bytes]:
    """The contents of these files, of each the last one, as it would be after unpacking."""
    view = memoryview(data)
    return {
        name: bytes(view[start : start + size])
        for name, _, _, start, size in _headers(view)
        if name in names
    }


def _headers(view: memoryview) -> Iterator[tuple[str, int, int, int, int]]:
    """Name, mode, time, and offset and size of the content of each entry."""
    position = 0
    while True:
        while position < len(view) and view[position] == 0:
            position += 1
        if position == len(view):
            return
        header = bytes(view[position : position + HEADER_SIZE])
        if len(header) < HEADER_SIZE or header[:6] != MAGIC:
            raise CpioError(f"no archive header at offset {position}")
        try:
            fields = [int(header[at : at + 8], 16) for at in range(6, HEADER_SIZE, 8)]
        except ValueError as error:
            raise CpioError(f"malformed archive header at offset {position}") from error
        mode, mtime, size, name_size = fields[1], fields[5], fields[6], fields[11]
        start = position + HEADER_SIZE + name_size
        start += -start % 4
        if start + size > len(view):
            raise CpioError(f"the archive ends inside the entry at offset {position}")
        raw_name = bytes(view[position + HEADER_SIZE : position + HEADER_SIZE + name_size])
        name = os.fsdecode(raw_name.rstrip(b"\0"))
        position = start + size + -size % 4
        if name != TRAILER:
            yield name, mode, mtime, start, size
