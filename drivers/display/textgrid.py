"""A terminal's screen as a grid of characters: what is written to it in, cells out. Pure.

The state and the operations on it; `parser` finds them in a stream of bytes. They are those of
ECMA-48 and of the VT220 and xterm as far as programs use them on TERM=xterm-256color.
"""

from __future__ import annotations

BOLD, DIM, ITALIC, UNDERLINE, BLINK, REVERSE, HIDDEN, STRUCK = (1 << n for n in range(8))

DEFAULT = -1
"""The colour of the foreground or background when none is chosen."""
DIRECT = 1 << 24
"""Added to 0xRRGGBB; colours below it are numbers of the palette of 256."""

TAB = 8


class Style:
    """How a character looks. The same look is the same object (see `style`)."""

    __slots__ = ("background", "flags", "foreground")

    def __init__(self, foreground: int, background: int, flags: int) -> None:
        self.foreground = foreground
        self.background = background
        self.flags = flags

    def __repr__(self) -> str:
        return f"<style {self.foreground} on {self.background}, {self.flags:#x}>"


_styles: dict[tuple[int, int, int], Style] = {}
STYLES_MOST = 4096
"""Looks that are remembered; a program may use millions of colours."""


def style(foreground: int = DEFAULT, background: int = DEFAULT, flags: int = 0) -> Style:
    """The one object for this look."""
    key = (foreground, background, flags)
    found = _styles.get(key)
    if found is None:
        if len(_styles) >= STYLES_MOST:
            _styles.clear()
        found = _styles[key] = Style(*key)
    return found


PLAIN = style()


class Row:
    """A line of cells."""

    __slots__ = ("characters", "styles")

    def __init__(self, columns: int, look: Style = PLAIN) -> None:
        self.characters = [" "] * columns
        """"" is the right half of a wide character to the left of it."""
        self.styles = [look] * columns

    def text(self) -> str:
        """What can be read there, without blanks at the end."""
        return "".join(self.characters).rstrip()


class Cursor:
    """Where the next character goes, and how it looks; what DECSC saves."""

    __slots__ = ("column", "drawing", "look", "origin", "row", "shifted", "wrap_pending")

    def __init__(self) -> None:
        self.row = 0
        self.column = 0
        self.wrap_pending = False
        """The last column has been written: the next character begins a line."""
        self.look = PLAIN
        self.origin = False
        """Rows are counted from the top of the scrolling region (DECOM)."""
        self.drawing = [False, False]
        """G0 and G1 are line-drawing characters."""
        self.shifted = 0

    def copy(self) -> Cursor:
        other = Cursor()
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.drawing = list(self.drawing)
        return other


def width_of(character: str) -> int:
    """Columns that a character takes: 0 for marks that belong to the one before, else 1 or 2.

    Ranges of Unicode's EastAsianWidth and of combining marks, coarsely.
    """
    code = ord(character)
    if code < 0x300:
        return 1
    if code <= 0x36F or 0x200B <= code <= 0x200F or 0x20D0 <= code <= 0x20FF:
        return 0
    if 0xFE00 <= code <= 0xFE0F or 0x1AB0 <= code <= 0x1AFF or 0x1DC0 <= code <= 0x1DFF:
        return 0
    if (
        0x1100 <= code <= 0x115F
        or (0x2E80 <= code <= 0xA4CF and code != 0x303F)
        or 0xAC00 <= code <= 0xD7A3
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE6F
        or 0xFF00 <= code <= 0xFF60
        or 0xFFE0 <= code <= 0xFFE6
        or 0x1F300 <= code <= 0x1F64F
        or 0x1F900 <= code <= 0x1F9FF
        or 0x20000 <= code <= 0x3FFFD
    ):
        return 2
    return 1


class Grid:
    """`columns` by `rows` cells. Whatever is asked of it is within it: nothing here raises.

    What has changed since it was last drawn is in `dirty` (rows) and `scrolled` (how many rows the
    whole screen has moved up; `dirty` is in terms of after that).
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.reset()

    def reset(self) -> None:
        """As after power-on (RIS)."""
        self.lines = [Row(self.columns) for _ in range(self.rows)]
        self._other = [Row(self.columns) for _ in range(self.rows)]
        self.alternate = False
        self.cursor = Cursor()
        self._saved = [Cursor(), Cursor()]
        self.top = 0
        self.bottom = self.rows
        """The scrolling region: bottom is the first row after it."""
        self.tabs = set(range(0, self.columns, TAB))
        self.cursor_visible = True
        self.autowrap = True
        self.insert_mode = False
        self.newline_mode = False
        """A line feed returns to the first column, too."""
        self.application_cursor = False
        self.bracketed_paste = False
        self.last = " "
        """The character written last, for REP."""
        self.dirty = set(range(self.rows))
        self.scrolled = 0

    def text(self) -> str:
        """All that can be read."""
        return "\n".join(line.text() for line in self.lines)

    # Writing

    def write(self, text: str) -> None:
        """Writes characters, none of which is a control."""
        plain = text.isascii()
        cursor = self.cursor
        if not plain or self.insert_mode or not self.autowrap:
            for character in text:
                self._put(character)
            return
        at = 0
        while at < len(text):
            if cursor.wrap_pending:
                cursor.column = 0
                self.line_feed()
            piece = text[at : at + self.columns - cursor.column]
            at += len(piece)
            self._store(cursor.row, cursor.column, list(piece))
            cursor.column += len(piece)
            cursor.wrap_pending = cursor.column >= self.columns
            if cursor.wrap_pending:
                cursor.column = self.columns - 1
        if text:
            self.last = text[-1]

    def _put(self, character: str) -> None:
        cursor = self.cursor
        width = min(width_of(character), self.columns)
        if width == 0:
            # There is no place for marks; the letter is legible without.
            return
        if cursor.wrap_pending or cursor.column + width > self.columns:
            if self.autowrap:
                cursor.column = 0
                self.line_feed()
            else:
                cursor.column = self.columns - width
        cursor.wrap_pending = False
        if self.insert_mode:
            self.insert_characters(width)
        self._store(cursor.row, cursor.column, [character, ""][:width])
        cursor.column += width
        if cursor.column >= self.columns:
            cursor.column = self.columns - 1
            cursor.wrap_pending = self.autowrap
        self.last = character

    def _store(self, row: int, column: int, characters: list[str]) -> None:
        line = self.lines[row]
        stop = column + len(characters)
        self._split(line, column)
        self._split(line, stop)
        line.characters[column:stop] = characters
        line.styles[column:stop] = [self.cursor.look] * len(characters)
        self.dirty.add(row)

    def _split(self, line: Row, column: int) -> None:
        """No wide character may cross this column: half of one is a blank."""
        if 0 < column < self.columns and line.characters[column] == "":
            line.characters[column - 1] = line.characters[column] = " "

    # Moving

    def move_to(self, row: int, column: int) -> None:
        """To a place counted from 0, from the region's top in origin mode."""
        cursor = self.cursor
        first, last = (self.top, self.bottom - 1) if cursor.origin else (0, self.rows - 1)
        cursor.row = min(max(row + first, first), last)
        cursor.column = min(max(column, 0), self.columns - 1)
        cursor.wrap_pending = False

    def move(self, rows: int, columns: int) -> None:
        """By so much; not out of the scrolling region if the cursor is within."""
        cursor = self.cursor
        row = cursor.row
        if rows < 0:
            first = self.top if row >= self.top else 0
            row = max(row + rows, first)
        elif rows > 0:
            last = self.bottom - 1 if row < self.bottom else self.rows - 1
            row = min(row + rows, last)
        cursor.row = row
        cursor.column = min(max(cursor.column + columns, 0), self.columns - 1)
        cursor.wrap_pending = False

    def carriage_return(self) -> None:
        self.cursor.column = 0
        self.cursor.wrap_pending = False

    def line_feed(self) -> None:
        """Down, and up with everything at the region's end."""
        cursor = self.cursor
        cursor.wrap_pending = False
        if self.newline_mode:
            cursor.column = 0
        if cursor.row == self.bottom - 1:
            self.scroll_up(1)
        elif cursor.row < self.rows - 1:
            cursor.row += 1

    def reverse_line_feed(self) -> None:
        cursor = self.cursor
        cursor.wrap_pending = False
        if cursor.row == self.top:
            self.scroll_down(1)
        elif cursor.row > 0:
            cursor.row -= 1

    def tab(self, count: int = 1) -> None:
        """To the next stops, or back for a negative count."""
        cursor = self.cursor
        step = 1 if count > 0 else -1
        for _ in range(min(abs(count), self.columns)):
            column = cursor.column + step
            while 0 < column < self.columns - 1 and column not in self.tabs:
                column += step
            cursor.column = min(max(column, 0), self.columns - 1)
        cursor.wrap_pending = False

    def save_cursor(self) -> None:
        self._saved[self.alternate] = self.cursor.copy()

    def restore_cursor(self) -> None:
        self.cursor = self._saved[self.alternate].copy()
        self.cursor.row = min(self.cursor.row, self.rows - 1)

    # Lines

    def _blank(self) -> Row:
        """An empty line has the background that is chosen (xterm's bce)."""
        return Row(self.columns, self._background())

    def _background(self) -> Style:
        return style(background=self.cursor.look.background)

    def scroll_up(self, count: int) -> None:
        """The scrolling region moves up."""
        self._move_lines(self.top, min(count, self.bottom - self.top))

    def scroll_down(self, count: int) -> None:
        self._move_lines(self.top, -min(count, self.bottom - self.top))

    def _move_lines(self, top: int, count: int) -> None:
        """Lines from a row to the region's end move up by `count`, or down for less than 0."""
        lines, bottom = self.lines, self.bottom
        if count > 0:
            if top == 0 and bottom == self.rows:
                self.dirty = {row - count for row in self.dirty if row >= count}
                self.dirty.update(range(bottom - count, bottom))
                self.scrolled += count
            else:
                self.dirty.update(range(top, bottom))
            del lines[top : top + count]
            lines[bottom - count : bottom - count] = [self._blank() for _ in range(count)]
        elif count < 0:
            del lines[bottom + count : bottom]
            lines[top:top] = [self._blank() for _ in range(-count)]
            self.dirty.update(range(top, bottom))

    def insert_lines(self, count: int) -> None:
        """At the cursor; what is below moves down, within the region."""
        row = self.cursor.row
        if self.top <= row < self.bottom:
            self._move_lines(row, -min(count, self.bottom - row))
            self.carriage_return()

    def delete_lines(self, count: int) -> None:
        row = self.cursor.row
        if self.top <= row < self.bottom:
            count = min(count, self.bottom - row)
            if row == 0:
                # It looks like scrolling, and is drawn as such.
                self._move_lines(0, count)
            else:
                self._move_lines(row, count)
            self.carriage_return()

    # Characters

    def insert_characters(self, count: int) -> None:
        """Blanks at the cursor; what is to the right moves."""
        cursor = self.cursor
        line = self.lines[cursor.row]
        column = cursor.column
        count = min(count, self.columns - column)
        self._split(line, column)
        self._split(line, self.columns - count)
        line.characters[column:] = [" "] * count + line.characters[column : self.columns - count]
        line.styles[column:] = [self._background()] * count + line.styles[
            column : self.columns - count
        ]
        cursor.wrap_pending = False
        self.dirty.add(cursor.row)

    def delete_characters(self, count: int) -> None:
        cursor = self.cursor
        line = self.lines[cursor.row]
        column = cursor.column
        count = min(count, self.columns - column)
        self._split(line, column)
        self._split(line, column + count)
        del line.characters[column : column + count]
        del line.styles[column : column + count]
        line.characters += [" "] * count
        line.styles += [self._background()] * count
        cursor.wrap_pending = False
        self.dirty.add(cursor.row)

    def erase(self, row: int, start: int, stop: int) -> None:
        """Blanks in part of a row."""
        start, stop = max(start, 0), min(stop, self.columns)
        if start >= stop:
            return
        line = self.lines[row]
        self._split(line, start)
        self._split(line, stop)
        line.characters[start:stop] = [" "] * (stop - start)
        line.styles[start:stop] = [self._background()] * (stop - start)
        self.dirty.add(row)

    def erase_rows(self, start: int, stop: int) -> None:
        for row in range(start, stop):
            self.lines[row] = self._blank()
        self.dirty.update(range(start, stop))

    # Modes

    def set_region(self, top: int, bottom: int) -> None:
        """The scrolling region, from 0; the cursor goes home. No region of less than two rows."""
        bottom = min(bottom, self.rows)
        if 0 <= top < bottom - 1:
            self.top, self.bottom = top, bottom
            self.move_to(0, 0)

    def use_alternate(self, on: bool) -> None:
        """The other screen, which programs that fill the screen use."""
        if on != self.alternate:
            self.alternate = on
            self.lines, self._other = self._other, self.lines
            self.dirty = set(range(self.rows))
            self.scrolled = 0
