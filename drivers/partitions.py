"""Partition tables: MBR with extended partitions, and GPT (UEFI 2.10, chapter 5).

`parse` reads a table through a function; `read_partitions` makes block devices of it. What a disk
says is checked: a table that contradicts itself is refused as a whole where its sum of check says
so, entry by entry elsewhere, and nothing it says makes us read for ever.
"""

from __future__ import annotations

import errno
from binascii import crc32
from struct import Struct

from ovum.drivers.block import BlockDevice, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Read = Callable[[int, int], Awaitable[bytes]]
    """(offset, size in bytes): what is there; fewer bytes at the end of the disk."""

EXTENDED = (0x05, 0x0F, 0x85)
"""Types of MBR partitions that hold others: CHS, LBA, Linux's."""
PROTECTIVE = 0xEE
"""The type that says: this is a GPT disk (5.2.3)."""

LOGICAL_MOST = 128
"""Logical partitions that we follow: a list that is a circle ends here at the latest."""

ENTRIES_MOST = 1024
ENTRY_MOST = 4096
"""Entries of a GPT that we read, and bytes of each (128 of 128 everywhere)."""

_MBR_ENTRY = Struct("<B3xB3xII")
_GPT_HEADER = Struct("<8sIIIIQQQQ16sQIII")
_GPT_ENTRY = Struct("<16s16sQQQ72s")


class Part:
    """An entry of a table: where it is, in bytes, and what it says it is."""

    __slots__ = ("identity", "kind", "label", "number", "offset", "size")

    def __init__(self, number: int, offset: int, size: int, kind: str) -> None:
        self.number = number
        """As Linux counts: MBR's primary ones are 1 to 4, logical ones from 5 on."""
        self.offset = offset
        self.size = size
        self.kind = kind
        """"0x83", or the type's GUID."""
        self.label = ""
        self.identity = ""
        """The GUID of a GPT partition, or the disk's number and this one's: Linux's PARTUUID."""

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        return f"<part {self.number}{label}: {self.size} bytes at {self.offset}, type {self.kind}>"


class Table:
    """A partition table."""

    def __init__(self, scheme: str, parts: list[Part], problems: list[str]) -> None:
        self.scheme = scheme
        """"gpt", "mbr", or "" if there is none."""
        self.parts = parts
        self.problems = problems
        """What was wrong with it and was left out."""


async def parse(read: Read, size: int, block_size: int) -> Table:
    """The table of a disk of so many bytes. Raises what `read` raises."""
    problems: list[str] = []
    first = await read(0, 512)
    if len(first) < 512 or first[510:] != b"\x55\xaa":
        return Table("", [], problems)
    if any(first[446 + 16 * k + 4] == PROTECTIVE for k in range(4)):
        found = await _gpt(read, size, block_size, problems)
        return Table("gpt" if found is not None else "", found or [], problems)
    if _is_boot_sector(first):
        return Table("", [], problems)
    parts = await _mbr(read, first, size, block_size, problems)
    return Table("mbr", parts, problems)


def _is_boot_sector(sector: bytes) -> bool:
    """Whether this is the first sector of a file system, not a table: what is where entries would
    be has flags that no entry has (5.2.1: 0 or 0x80)."""
    return any(sector[446 + 16 * k] not in (0, 0x80) for k in range(4))


# MBR


def _mbr_entries(sector: bytes) -> list[tuple[int, int, int]]:
    """Type, first block and blocks of the four entries."""
    return [_MBR_ENTRY.unpack_from(sector, 446 + 16 * k)[1:] for k in range(4)]


async def _mbr(read: Read, sector: bytes, size: int, block: int, problems: list[str]) -> list[Part]:
    disk = int.from_bytes(sector[440:444], "little")
    parts: list[Part] = []

    def add(number: int, kind: int, start: int, count: int, within: range) -> None:
        first, last = start * block, (start + count) * block
        if not start or first not in within or last > within.stop:
            problems.append(f"partition {number} is not within the disk")
            return
        part = Part(number, first, last - first, f"{kind:#04x}")
        part.identity = f"{disk:08x}-{number:02x}"
        parts.append(part)

    extended: list[tuple[int, int]] = []
    for number, (kind, start, count) in enumerate(_mbr_entries(sector), 1):
        if not kind or not count:
            continue
        if kind in EXTENDED:
            extended.append((start, count))
        else:
            add(number, kind, start, count, range(size))
    number = 5
    for base, length in extended:
        # Each logical partition has a table: its own entry counts from there, the next table's
        # from the beginning of the extended partition.
        within = range(base * block, min((base + length) * block, size))
        table, seen = base, set[int]()
        while table not in seen and table * block in within and number < 5 + LOGICAL_MOST:
            seen.add(table)
            sector = await read(table * block, 512)
            if len(sector) < 512 or sector[510:] != b"\x55\xaa":
                problems.append(f"no table of logical partitions at block {table}")
                break
            following = None
            for kind, start, count in _mbr_entries(sector):
                if kind in EXTENDED and count:
                    following = base + start if following is None else following
                elif kind and count:
                    add(number, kind, table + start, count, within)
                    number += 1
            if following is None:
                break
            if following in seen or following * block not in within:
                problems.append("the list of logical partitions does not end")
            table = following
    return parts


# GPT


class _Header:
    """A header whose sums of check are right (5.3.2)."""

    def __init__(self, data: bytes, lba: int) -> None:
        if len(data) < _GPT_HEADER.size:
            raise ValueError("it is past the end of the disk")
        fields = _GPT_HEADER.unpack_from(data)
        signature, _, length, crc, _, mine, _, self.first, self.last = fields[:9]
        _, self.entries_lba, self.count, self.entry_size, self.entries_crc = fields[9:]
        if signature != b"EFI PART":
            raise ValueError("its signature is missing")
        if not _GPT_HEADER.size <= length <= len(data):
            raise ValueError(f"{length} bytes are no length")
        if crc32(data[:16] + bytes(4) + data[20:length]) != crc:
            raise ValueError("its sum of check is wrong")
        if mine != lba:
            raise ValueError(f"it says that it is at block {mine}")
        if not 128 <= self.entry_size <= ENTRY_MOST or self.entry_size % 8:
            raise ValueError(f"entries of {self.entry_size} bytes")
        if self.count > ENTRIES_MOST:
            raise ValueError(f"{self.count} entries")


async def _gpt(read: Read, size: int, block: int, problems: list[str]) -> list[Part] | None:
    """The entries by the header in block 1, or else by the one in the last block; None without a
    good one."""
    for lba, name in ((1, "GPT header"), (size // block - 1, "backup GPT header")):
        try:
            header = _Header(await read(lba * block, block), lba)
            length = header.count * header.entry_size
            entries = await read(header.entries_lba * block, length)
            if len(entries) != length or crc32(entries) != header.entries_crc:
                raise ValueError("the sum of check of its entries is wrong")
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        return _gpt_parts(header, entries, size, block, problems)
    return None


def _gpt_parts(
    header: _Header, entries: bytes, size: int, block: int, problems: list[str]
) -> list[Part]:
    parts: list[Part] = []
    for index in range(header.count):
        at = index * header.entry_size
        kind, identity, first, last, _, label = _GPT_ENTRY.unpack_from(entries, at)
        if not any(kind):
            continue
        number = index + 1
        if not header.first <= first <= last <= header.last or (last + 1) * block > size:
            problems.append(f"partition {number} is not within the disk")
            continue
        offset, length = first * block, (last - first + 1) * block
        if any(one.offset < offset + length and offset < one.offset + one.size for one in parts):
            problems.append(f"partition {number} overlaps another")
            continue
        part = Part(number, offset, length, guid(kind))
        part.identity = guid(identity)
        part.label = label.decode("utf-16-le", "replace").partition("\0")[0]
        parts.append(part)
    return parts


def guid(raw: bytes) -> str:
    """A GUID as text: its first three groups are little-endian (UEFI 2.10, appendix A)."""
    groups = (raw[3::-1], raw[5:3:-1], raw[7:5:-1], raw[8:10], raw[10:])
    return "-".join(group.hex() for group in groups)


# Partitions as devices


class Partition(BlockDevice):
    """A part of another block device, which is one itself."""

    def __init__(self, name: str, disk: BlockDevice, part: Part) -> None:
        super().__init__(name)
        self.disk = disk
        self.part = part
        self.size = part.size
        self.block_size = disk.block_size
        self.physical_block_size = disk.physical_block_size
        self.readonly = disk.readonly
        self.can_discard = disk.can_discard

    async def read_into(self, offset: int, view: memoryview) -> int:
        size = self._within(offset, len(view))
        return await self.disk.read_into(self.part.offset + offset, view[:size]) if size else 0

    async def write(self, offset: int, view: memoryview) -> int:
        size = self._within(offset, len(view))
        if not size and len(view):
            raise refuse(errno.EPERM if self.readonly else errno.ENOSPC, self)
        return await self.disk.write(self.part.offset + offset, view[:size])

    def begin_blocks(
        self, write: bool, offset: int, view: memoryview, done: Callable[[Exception | None], None]
    ) -> bool:
        return self.disk.begin(write, self.part.offset + offset, view, done)

    async def flush(self) -> None:
        await self.disk.flush()

    async def discard(self, offset: int, size: int) -> None:
        self.check_blocks(offset, size)
        await self.disk.discard(self.part.offset + offset, size)

    async def write_zeroes(self, offset: int, size: int) -> None:
        self.check_blocks(offset, size)
        await self.disk.write_zeroes(self.part.offset + offset, size)


async def read_partitions(disk: BlockDevice) -> tuple[Table, list[Partition]]:
    """The table of a disk, and its partitions, named as Linux does: vda1, or nvme0n1p1."""
    table = await parse(disk.read, disk.size, disk.block_size)
    between = "p" if disk.name[-1:].isdigit() else ""
    found = [Partition(f"{disk.name}{between}{part.number}", disk, part) for part in table.parts]
    return table, found
