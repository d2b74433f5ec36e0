"""Reads text back from a picture, by the font's glyphs; and portable pixmaps."""

from __future__ import annotations

from ovum.drivers.display import font
from ovum.drivers.display.fontdata import RANGES


def _known() -> dict[bytes, str]:
    """Characters by their glyphs; of those that look alike, the first."""
    known: dict[bytes, str] = {}
    for first, last in RANGES:
        for code in range(first, last + 1):
            known.setdefault(font.glyph(chr(code)), chr(code))
    return known


KNOWN = _known()
ONES = bytes([0xFF] * 16)


def read_text(rgb: bytes, width: int, height: int) -> str:
    """The lines of text in a picture of 3 bytes a pixel; "?" for what is no glyph.

    In each cell one colour is the background: the one of the upper left pixel, unless that gives no
    glyph (the cursor, a full block).
    """
    lines = []
    for top in range(0, height - height % 16, 16):
        line = []
        for left in range(0, width - width % 8, 8):
            line.append(_read_cell(rgb, width, left, top))
        lines.append("".join(line).rstrip())
    return "\n".join(lines)


def _read_cell(rgb: bytes, width: int, left: int, top: int) -> str:
    rows = bytearray()
    background = b""
    for y in range(top, top + 16):
        at = 3 * (y * width + left)
        row = rgb[at : at + 24]
        if y == top:
            background = row[:3]
            blank = background * 8
        if row == blank:
            rows.append(0)
            continue
        bits = 0
        for x in range(8):
            bits = bits << 1 | (row[3 * x : 3 * x + 3] != background)
        rows.append(bits)
    for candidate in (rows, bytes(255 - bits for bits in rows)):
        # Underlined, or as it is.
        found = KNOWN.get(bytes(candidate))
        if found is not None:
            return found
    return "?"


def read_ppm(data: bytes) -> tuple[bytes, int, int]:
    """Pixels, width and height of a binary portable pixmap (netpbm's ppm(5)), QEMU's screendump."""
    kind, size, depth, pixels = data.split(b"\n", 3)
    assert (kind, depth) == (b"P6", b"255")
    width, height = map(int, size.split())
    assert len(pixels) == 3 * width * height
    return pixels, width, height
