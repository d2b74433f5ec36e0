"""Drawing a grid: the picture is always that of the grid, and no more is drawn than has changed."""

from __future__ import annotations

import random

import pytest

from ovum.drivers.display import font, sgr
from ovum.drivers.display.framebuffer import Framebuffer
from ovum.drivers.display.parser import Terminal
from ovum.drivers.display.textconsole import PixelSurface, TextConsole, VgaSurface
from ovum.drivers.display.textgrid import REVERSE, style
from ovum.drivers.display.vgatext import VgaText, encode

from .machine import Machine
from .pictures import read_text
from .test_bochs import vga
from .test_textgrid import PIECES

COLUMNS, ROWS = 20, 5


class Screen:
    """A terminal on a frame buffer."""

    def __init__(self, margin: int = 0) -> None:
        width, height = 8 * COLUMNS + margin, 16 * ROWS + margin
        self.memory = bytearray(4 * width * height)
        self.framebuffer = Framebuffer(memoryview(self.memory), width, height, 4 * width)
        surface = PixelSurface(self.framebuffer)
        assert (surface.columns, surface.rows) == (COLUMNS, ROWS)
        self.terminal = Terminal(COLUMNS, ROWS)
        self.console = TextConsole(self.terminal.grid, surface)

    def write(self, data: str | bytes) -> int:
        """How many cells were drawn for it."""
        before = self.console.cells
        self.terminal.feed(data.encode() if isinstance(data, str) else data)
        self.console.draw()
        return self.console.cells - before

    def expected(self) -> bytes:
        """The picture of the grid, drawn anew and in the plainest way."""
        fb, grid = self.framebuffer, self.terminal.grid
        picture = bytearray(len(self.memory))
        for row, line in enumerate(grid.lines):
            for column, character in enumerate(line.characters):
                look = line.styles[column]
                flags = look.flags
                if grid.cursor_visible and (row, column) == (grid.cursor.row, grid.cursor.column):
                    flags ^= REVERSE
                front, back = sgr.colours(style(look.foreground, look.background, flags))
                for y, bits in enumerate(font.glyph(character or " ")):
                    if flags & 8 and y == 14:
                        bits = 0xFF
                    for x in range(8):
                        at = 4 * ((16 * row + y) * fb.width + 8 * column + x)
                        colour = front if bits >> 7 - x & 1 else back
                        picture[at : at + 4] = colour.to_bytes(4, "little")
        return bytes(picture)

    def text(self) -> str:
        fb = self.framebuffer
        rgb = bytearray(3 * fb.width * fb.height)
        for channel in range(3):
            rgb[channel::3] = self.memory[2 - channel :: 4]
        return read_text(bytes(rgb), fb.width, fb.height)


@pytest.mark.parametrize("margin", [0, 7])
def test_text_is_seen(margin: int) -> None:
    screen = Screen(margin)
    screen.write("print(6*7)\r\n\x1b[31;44;1mWörter │ ┌─┐\x1b[0m\r\n")
    assert bytes(screen.memory) == screen.expected()
    assert screen.text().rstrip() == "print(6*7)\nWörter │ ┌─┐"


def test_only_what_changes_is_drawn() -> None:
    screen = Screen()
    assert screen.write("") == 1
    # Under the cursor, the letter, the cursor.
    assert screen.write("a") == 3
    assert screen.write("\x1b[2;1Hword\x1b[H") == 4 + 2
    assert screen.write("\x1b[2;1Hward\x1b[H") == 1 + 2
    assert screen.write("\x1b[?25l") == 1
    assert screen.write("\x1b[2;1Hward\x1b[H") == 0
    assert bytes(screen.memory) == screen.expected()


def test_scrolling_draws_new_lines_only() -> None:
    screen = Screen()
    screen.write("\x1b[?25l" + "\r\n".join("0123456789" for _ in range(ROWS)))
    assert screen.write("\r\nnew line") <= COLUMNS
    assert bytes(screen.memory) == screen.expected()
    assert screen.text().split("\n")[-1].rstrip() == "new line"


def test_characters_that_the_font_has_not_are_seen_as_such() -> None:
    screen = Screen()
    screen.write("\u0e01漢")
    assert screen.text().rstrip() == "\ufffd\ufffd"


@pytest.mark.parametrize("seed", range(6))
def test_the_picture_is_that_of_the_grid_after_anything(seed: int) -> None:
    source = random.Random(seed)
    screen = Screen()
    for _ in range(40):
        screen.write(b"".join(source.choice(PIECES) for _ in range(30)))
        assert bytes(screen.memory) == screen.expected()


@pytest.mark.parametrize("seed", range(4))
def test_vga_shows_the_grid_after_anything(seed: int) -> None:
    machine = Machine()
    crtc, memory = vga(machine)
    memory.data[:] = b"\x55" * 4000
    terminal = Terminal(80, 25)
    console = TextConsole(terminal.grid, VgaSurface(VgaText(machine)))
    source = random.Random(seed)
    for _ in range(40):
        terminal.feed(b"".join(source.choice(PIECES) for _ in range(100)))
        console.draw()
        grid = terminal.grid
        characters = [c for line in grid.lines for c in line.characters]
        assert list(memory.data[::2]) == [encode(c or " ") for c in characters]
        at = grid.cursor.row * 80 + grid.cursor.column
        assert crtc.registers[0x0E] << 8 | crtc.registers[0x0F] == at


def test_the_font_has_what_it_promises() -> None:
    promised = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2500, 0x25A0), 0x20AC, 0xFFFD]
    assert all(font.has(chr(code)) for code in promised)
    # Blanks look alike; of all other characters that a prompt shows each has its own picture.
    glyphs = {font.glyph(chr(code)) for code in range(0x20, 0x7F)}
    assert len(glyphs) == 0x7F - 0x20
    assert font.glyph("A") == bytes.fromhex("00007cc6c6c6fec6c6c6c6c600000000")
    # Lines of boxes meet those of the next cell.
    assert font.glyph("─")[7:9] != bytes(2)
    assert font.glyph("│")[0] and font.glyph("│")[15]
