"""What a monitor says of itself (VESA E-EDID 1.4)."""

from __future__ import annotations

SIZE = 128
_HEADER = b"\x00\xff\xff\xff\xff\xff\xff\x00"
_DESCRIPTORS = range(54, 126, 18)
_NAME = 0xFC


def valid(block: bytes | memoryview) -> bool:
    """Is this the first block of an EDID, with the right sum (3.1, 3.11)?"""
    return len(block) >= SIZE and block[:8] == _HEADER and sum(block[:SIZE]) & 0xFF == 0


def preferred_mode(block: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height of the preferred timing, which is the first descriptor (3.10.2)."""
    if not valid(block):
        return None
    timing = block[_DESCRIPTORS[0] : _DESCRIPTORS[0] + 18]
    width = timing[2] | (timing[4] & 0xF0) << 4
    height = timing[5] | (timing[7] & 0xF0) << 4
    # A pixel clock of zero: this descriptor is no timing.
    return (width, height) if timing[0] | timing[1] and width and height else None


def name(block: bytes | memoryview) -> str:
    """The monitor's name, "" if it says none (3.10.3.4)."""
    if not valid(block):
        return ""
    for start in _DESCRIPTORS:
        descriptor = bytes(block[start : start + 18])
        if descriptor[:4] == bytes([0, 0, 0, _NAME]):
            return descriptor[5:].split(b"\n")[0].decode("latin-1").strip()
    return ""
