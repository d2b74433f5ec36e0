"""A partition table: UEFI 2.10, chapter 5.3, with the protective MBR of 5.2.3."""

import dataclasses
import struct
import uuid
import zlib
from collections.abc import Sequence
from typing import Final

SECTOR: Final = 512
FIRST_USABLE: Final = 2048
"""Partitions begin at a MiB, as everybody has them."""

BIOS_BOOT: Final = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
"""GRUB's manual, "BIOS installation": where core.img is on a disk with a GPT."""
EFI_SYSTEM: Final = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")

_HEADER: Final = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY: Final = struct.Struct("<16s16sQQQ72s")
_ENTRIES: Final = 128
_TABLE_SECTORS: Final = _ENTRIES * _ENTRY.size // SECTOR
_PROTECTIVE: Final = 0xEE


@dataclasses.dataclass(frozen=True, slots=True)
class Partition:
    """One partition."""

    kind: uuid.UUID
    identity: uuid.UUID
    name: str
    first: int
    """Its first sector."""
    sectors: int


def disk_sectors(partitions: Sequence[Partition]) -> int:
    """How large the disk must be: whole MiB."""
    end = max(part.first + part.sectors for part in partitions) + _TABLE_SECTORS + 1
    return end + -end % FIRST_USABLE


def tables(
    partitions: Sequence[Partition], disk: uuid.UUID, boot_code: bytes
) -> tuple[bytes, bytes]:
    """What is before the partitions, from sector 0 on, and what ends the disk.

    boot_code: at most 440 bytes that a BIOS starts.
    """
    sectors = disk_sectors(partitions)
    entries = b"".join(
        _ENTRY.pack(
            *(part.kind.bytes_le, part.identity.bytes_le),
            *(part.first, part.first + part.sectors - 1, 0, part.name.encode("utf-16-le")),
        )
        for part in partitions
    ).ljust(_ENTRIES * _ENTRY.size, b"\0")

    def header(here: int, other: int, table: int) -> bytes:
        def packed(check: int) -> bytes:
            return _HEADER.pack(
                *(b"EFI PART", 0x10000, _HEADER.size, check, 0, here, other),
                *(_TABLE_SECTORS + 2, sectors - _TABLE_SECTORS - 2, disk.bytes_le),
                *(table, _ENTRIES, _ENTRY.size, zlib.crc32(entries)),
            )

        return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")

    last = sectors - 1
    front = _protective(sectors, boot_code) + header(1, last, 2) + entries
    return front, entries + header(last, 1, last - _TABLE_SECTORS)


def _protective(sectors: int, boot_code: bytes) -> bytes:
    """Sector 0: one partition that is the whole disk, for those who know no GPT."""
    size = min(sectors - 1, 0xFFFF_FFFF)
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", _PROTECTIVE, b"\xff\xff\xff", 1, size)
    return boot_code.ljust(446, b"\0") + entry + bytes(48) + b"\x55\xaa"
