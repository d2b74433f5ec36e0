"""Recordings of what firmware leaves in memory (`data/record.py`), as a machine's memory."""

import struct
from pathlib import Path

from .machine import Machine

DATA = Path(__file__).with_name("data")
MACHINES = ("pc", "q35", "microvm")


def pieces(name: str) -> list[tuple[int, bytearray]]:
    """Address and bytes of each piece of a recording."""
    data = (DATA / f"{name}.bin").read_bytes()
    found = []
    at = 0
    while at < len(data):
        address, size = struct.unpack_from("<QQ", data, at)
        found.append((address, bytearray(data[at + 16 : at + 16 + size])))
        at += 16 + size
    return found


class Recorded(Machine):
    """A machine with a recording in its memory, and nothing else: ones, where nothing was."""

    def __init__(self, name: str) -> None:
        super().__init__(1 << 20)
        self.pieces = pieces(name)

    def look(self, address: int, size: int) -> memoryview:
        data = bytearray(b"\xff" * size)
        for start, piece in self.pieces:
            first, last = max(start, address), min(start + len(piece), address + size)
            if first < last:
                data[first - address : last - address] = piece[first - start : last - start]
        return memoryview(data).toreadonly()

    def piece(self, signature: bytes) -> bytearray:
        """The recorded piece that begins so, to be changed."""
        return next(piece for _, piece in self.pieces if piece.startswith(signature))


def seal(table: bytearray) -> None:
    """Gives a changed ACPI table the checksum that fits."""
    table[9] = 0
    table[9] = -sum(table) & 0xFF
