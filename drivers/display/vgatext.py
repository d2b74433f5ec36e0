"""VGA's text mode 3: 80x25 characters at 0xB8000, the display of last resort.

IBM VGA: a cell is a character of code page 437 and an attribute (foreground 3:0, background 6:4,
blinking 7); the cursor is in the CRT controller.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware

COLUMNS = 80
ROWS = 25
ADDRESS = 0xB8000

CRTC = 0x3D4
"""Index; data behind it."""
CURSOR_START = 0x0A
CURSOR_HIGH = 0x0E
CURSOR_LOW = 0x0F
CURSOR_OFF = 0x20

GRAPHICS = 0x3CE
GRAPHICS_MISCELLANEOUS = 0x06
"""Bit 0: graphics; bits 3:2: which addresses, 3 is 0xB8000."""

_UPPER = (
    "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
    "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0"
)
"""Code page 437 from 0x80 on."""
_CODES = {
    **{chr(code): code for code in range(0x20, 0x7F)},
    **{character: 0x80 + n for n, character in enumerate(_UPPER)},
    "↑": 0x18, "↓": 0x19, "→": 0x1A, "←": 0x1B, "•": 0x07, "…": 0xFA, "‘": 0x27, "’": 0x27,
    "“": 0x22, "”": 0x22, "–": 0xC4, "—": 0xC4,
}  # fmt: skip
_REPLACEMENT = 0xFE

_ANSI_TO_VGA = (0, 4, 2, 6, 1, 5, 3, 7)
"""ANSI's colours have red as their lowest bit, IBM's blue."""


def encode(character: str) -> int:
    """Its code, or a small square."""
    return _CODES.get(character, _REPLACEMENT)


def attribute(foreground: int, background: int) -> int:
    """For ANSI colours of 0 to 15; a background has no bright ones."""
    bright = foreground & 8
    return _ANSI_TO_VGA[foreground & 7] | bright | _ANSI_TO_VGA[background & 7] << 4


class VgaText:
    """Raises DeviceError if there is no VGA, or it shows graphics."""

    columns = COLUMNS
    rows = ROWS

    def __init__(self, hardware: Hardware) -> None:
        self._crtc = hardware.ports(CRTC, 2)
        graphics = hardware.ports(GRAPHICS, 2)
        # A register that keeps what is written into it is one.
        before = self._read(CURSOR_LOW)
        self._write(CURSOR_LOW, 0x5A)
        there = self._read(CURSOR_LOW) == 0x5A
        self._write(CURSOR_LOW, before)
        if not there:
            raise DeviceError("there is no VGA")
        graphics.write8(0, GRAPHICS_MISCELLANEOUS)
        mode = graphics.read8(1)
        if mode & 1 or mode >> 2 & 3 != 3:
            raise DeviceError(f"VGA is not in its text mode: {mode:#04x}")
        self._cells = hardware.memory(ADDRESS, 2 * COLUMNS * ROWS).cast("H")
        self._start = self._read(CURSOR_START) & 0x1F

    def _read(self, register: int) -> int:
        self._crtc.write8(0, register)
        return self._crtc.read8(1)

    def _write(self, register: int, value: int) -> None:
        self._crtc.write8(0, register)
        self._crtc.write8(1, value)

    def put(self, row: int, column: int, cells: list[int]) -> None:
        """Shows cells (attribute << 8 | code) from a place on. They must fit into the row."""
        if not 0 <= row < ROWS or column < 0 or column + len(cells) > COLUMNS:
            raise ValueError(f"{len(cells)} cells at {column} of row {row} are not on the screen")
        at = row * COLUMNS + column
        for n, cell in enumerate(cells):
            self._cells[at + n] = cell

    def cursor(self, row: int, column: int, visible: bool) -> None:
        """Puts the cursor somewhere, or takes it away."""
        self._write(CURSOR_START, self._start | (0 if visible else CURSOR_OFF))
        at = row * COLUMNS + column
        self._write(CURSOR_HIGH, at >> 8 & 0xFF)
        self._write(CURSOR_LOW, at & 0xFF)
