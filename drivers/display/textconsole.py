"""Draws a terminal's grid onto a display: only what has changed, and the cursor."""

from __future__ import annotations

from ovum.drivers.display import font, sgr, vgatext
from ovum.drivers.display.textgrid import PLAIN, REVERSE, UNDERLINE, Style, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from ovum.drivers.display.framebuffer import Framebuffer
    from ovum.drivers.display.textgrid import Grid
    from ovum.drivers.display.vgatext import VgaText

    class Surface(Protocol):
        """Something that shows cells, all blank at first."""

        @property
        def columns(self) -> int: ...
        @property
        def rows(self) -> int: ...

        def scroll(self, rows: int) -> bool:
            """Moves everything up; False if that is no quicker than to draw it."""

        def draw(self, row: int, column: int, characters: list[str], styles: list[Style]) -> None:
            """Draws cells from a place on."""

        def place_cursor(self, row: int, column: int, visible: bool) -> bool:
            """Puts the cursor there; False if it has none, and one is to be drawn."""

        def show(self) -> None:
            """What was drawn is to be seen."""


UNDERLINED_ROW = 14
"""Of the 16 rows of a glyph."""

GLYPHS_MOST = 2048
"""Glyphs that are kept as pixels, 0.5 KiB each and as much again for Python's objects."""


def _four_pixels(front: int, back: int) -> list[bytes]:
    """Four pixels for each number of four bits, the highest bit the left one."""
    pixels = (back.to_bytes(4, "little"), front.to_bytes(4, "little"))
    return [b"".join(pixels[bits >> n & 1] for n in (3, 2, 1, 0)) for bits in range(16)]


class PixelSurface:
    """Cells of 8x16 pixels on a frame buffer in which nothing has been drawn yet."""

    def __init__(self, framebuffer: Framebuffer) -> None:
        self.framebuffer = framebuffer
        self.columns = framebuffer.width // font.WIDTH
        self.rows = framebuffer.height // font.HEIGHT
        self._glyphs: dict[tuple[str, Style], list[bytes]] = {}
        self._four_pixels: dict[Style, list[bytes]] = {}
        # Its back buffer is black, as blanks are; the display may show something else.
        framebuffer.damage(0, 0, framebuffer.width, framebuffer.height)

    def scroll(self, rows: int) -> bool:
        height = self.rows * font.HEIGHT
        self.framebuffer.move_up(0, height, rows * font.HEIGHT)
        return True

    def draw(self, row: int, column: int, characters: list[str], styles: list[Style]) -> None:
        framebuffer = self.framebuffer
        known = self._glyphs
        glyphs = []
        for cell in zip(characters, styles, strict=True):
            glyph = known.get(cell)
            if glyph is None:
                glyph = self._render(*cell)
            glyphs.append(glyph)
        view = framebuffer.view
        line = 4 * framebuffer.width
        at = row * font.HEIGHT * line + column * font.WIDTH * 4
        size = len(glyphs) * font.WIDTH * 4
        for parts in zip(*glyphs, strict=True):
            view[at : at + size] = b"".join(parts)
            at += line
        framebuffer.damage(
            column * font.WIDTH, row * font.HEIGHT, len(glyphs) * font.WIDTH, font.HEIGHT
        )

    def _render(self, character: str, look: Style) -> list[bytes]:
        """A glyph's 16 rows as pixels."""
        four = self._four_pixels.get(look)
        if four is None:
            four = self._four_pixels[look] = _four_pixels(*sgr.colours(look))
        rows = bytearray(font.glyph(character or " "))
        if look.flags & UNDERLINE:
            rows[UNDERLINED_ROW] = 0xFF
        pixels = [four[bits >> 4] + four[bits & 15] for bits in rows]
        if len(self._glyphs) >= GLYPHS_MOST:
            self._glyphs.clear()
            self._four_pixels.clear()
        self._glyphs[character, look] = pixels
        return pixels

    def place_cursor(self, row: int, column: int, visible: bool) -> bool:
        return False

    def show(self) -> None:
        self.framebuffer.commit()


class VgaSurface:
    """Cells of VGA's text mode."""

    columns = vgatext.COLUMNS
    rows = vgatext.ROWS

    def __init__(self, vga: VgaText) -> None:
        self._vga = vga
        self._attributes: dict[Style, int] = {}
        for row in range(self.rows):
            self.draw(row, 0, [" "] * self.columns, [PLAIN] * self.columns)

    def scroll(self, rows: int) -> bool:
        return False

    def draw(self, row: int, column: int, characters: list[str], styles: list[Style]) -> None:
        cells = []
        for character, look in zip(characters, styles, strict=True):
            attribute = self._attributes.get(look)
            if attribute is None:
                if len(self._attributes) >= GLYPHS_MOST:
                    self._attributes.clear()
                attribute = vgatext.attribute(*sgr.basic(look))
                self._attributes[look] = attribute
            cells.append(attribute << 8 | vgatext.encode(character or " "))
        self._vga.put(row, column, cells)

    def place_cursor(self, row: int, column: int, visible: bool) -> bool:
        self._vga.cursor(row, column, visible)
        return True

    def show(self) -> None:
        pass


class TextConsole:
    """`draw` shows a grid, which has the surface's size."""

    def __init__(self, grid: Grid, surface: Surface) -> None:
        self.grid = grid
        self.surface = surface
        blank = [" "] * surface.columns
        self._characters: list[list[str]] = [blank for _ in range(surface.rows)]
        self._styles: list[list[Style]] = [[PLAIN] * surface.columns for _ in range(surface.rows)]
        """What is on the surface; nothing is known of an empty row."""
        self._cursor: tuple[int, int] | None = None
        self.cells = 0
        """Drawn so far."""

    def draw(self) -> None:
        """Shows what has changed since the last time."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """The same, a little at a time. The grid must not change before the end of it."""
        grid = self.grid
        if self._cursor is not None:
            # Under the cursor is what the grid says: draw it again.
            row, column = self._cursor
            self._cursor = None
            self._draw_cell(row, column, self._styles[row][column])
        self._scroll()
        for row in sorted(grid.dirty):
            self._draw_row(row)
            yield
        grid.dirty.clear()
        cursor = grid.cursor
        if not self.surface.place_cursor(cursor.row, cursor.column, grid.cursor_visible):
            self._draw_cursor()
        self.surface.show()

    def _scroll(self) -> None:
        grid = self.grid
        count, grid.scrolled = grid.scrolled, 0
        if not count:
            return
        if count < grid.rows and self.surface.scroll(count):
            del self._characters[:count], self._styles[:count]
            # The last rows are on the surface still as they were before, so nothing is known.
            self._characters += [[] for _ in range(count)]
            self._styles += [[] for _ in range(count)]
        else:
            grid.dirty.update(range(grid.rows))

    def _draw_row(self, row: int) -> None:
        """The part of a row that is different from what is on the surface."""
        line = self.grid.lines[row]
        characters, styles = line.characters, line.styles
        old, old_styles = self._characters[row], self._styles[row]
        start, stop = 0, self.grid.columns
        if old:
            while start < stop and (
                characters[start] == old[start] and styles[start] is old_styles[start]
            ):
                start += 1
            while start < stop and (
                characters[stop - 1] == old[stop - 1] and styles[stop - 1] is old_styles[stop - 1]
            ):
                stop -= 1
        if start < stop:
            self.surface.draw(row, start, characters[start:stop], styles[start:stop])
            self.cells += stop - start
            self._characters[row] = list(characters)
            self._styles[row] = list(styles)

    def _draw_cell(self, row: int, column: int, look: Style) -> None:
        self.surface.draw(row, column, [self._characters[row][column]], [look])
        self.cells += 1

    def _draw_cursor(self) -> None:
        cursor = self.grid.cursor
        if not self.grid.cursor_visible:
            return
        look = self._styles[cursor.row][cursor.column]
        turned = style(look.foreground, look.background, look.flags ^ REVERSE)
        self._draw_cell(cursor.row, cursor.column, turned)
        self._cursor = (cursor.row, cursor.column)
