"""What a terminal is told: bytes to operations on a grid (ECMA-48, VT220, xterm). Pure.

Whatever is not known is left out, and no bytes raise an exception.
"""

from __future__ import annotations

from codecs import getincrementaldecoder

from ovum.drivers.display import sgr
from ovum.drivers.display.textgrid import PLAIN, Cursor, Grid

_GROUND, _ESCAPE, _INTERMEDIATE, _CSI, _STRING, _STRING_ESCAPE = range(6)

MOST = 4096
"""A sequence that is longer is none; numbers in it are at most 65535."""
_LARGEST = 65535

_DRAWING = dict(
    zip("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True)
)
"""DEC's special graphics (VT220 Programmer Reference Manual, table 2-4)."""


class Terminal:
    """A grid and what is written to it.

    `replies`: what the terminal has to say to the program; take it away.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.grid = Grid(columns, rows)
        self.replies = bytearray()
        self.bells = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._state = _GROUND
        self._sequence: list[str] = []

    def feed(self, data: bytes) -> None:
        """Shows bytes. A character or sequence may be spread over several calls."""
        text = self._decoder.decode(data)
        at = 0
        end = len(text)
        while at < end:
            character = text[at]
            if self._state == _GROUND and character >= " ":
                start = at
                while at < end and text[at] >= " ":
                    at += 1
                self._show(text[start:at])
                continue
            at += 1
            self._step(character)

    def _show(self, text: str) -> None:
        cursor = self.grid.cursor
        if cursor.drawing[cursor.shifted]:
            text = "".join(_DRAWING.get(character, character) for character in text)
        # DEL and the controls of C1 (which UTF-8 terminals have by ESC only) are nothing to see.
        if not text.isprintable():
            text = "".join(c for c in text if not "\x7f" <= c <= "\x9f")
        self.grid.write(text)

    def _step(self, character: str) -> None:
        """A control, or a character of a sequence."""
        state = self._state
        if state in (_STRING, _STRING_ESCAPE):
            self._in_string(character)
        elif character == "\x1b":
            self._begin(_ESCAPE)
        elif character in ("\x18", "\x1a"):
            self._begin(_GROUND)
        elif character < " ":
            # Controls work even within a sequence.
            self._control(character)
        elif state == _ESCAPE:
            self._escape(character)
        elif state == _INTERMEDIATE:
            self._sequence.append(character)
            if character >= "0":
                self._state = _GROUND
                self._designate("".join(self._sequence))
        elif state == _CSI:
            if "@" <= character <= "~":
                self._state = _GROUND
                self._csi("".join(self._sequence), character)
            else:
                self._sequence.append(character)
                if len(self._sequence) > MOST:
                    self._state = _GROUND

    def _begin(self, state: int) -> None:
        self._state = state
        self._sequence.clear()

    def _in_string(self, character: str) -> None:
        """Titles and the like (OSC, DCS, …): of no interest, up to BEL or ESC \\."""
        if character in ("\x07", "\x18", "\x1a"):
            self._state = _GROUND
        elif character == "\x1b":
            self._state = _STRING_ESCAPE
        elif self._state == _STRING_ESCAPE:
            self._begin(_ESCAPE)
            if character == "\\":
                self._state = _GROUND
            else:
                self._step(character)
        else:
            self._sequence.append("")
            if len(self._sequence) > MOST:
                self._begin(_GROUND)

    def _control(self, character: str) -> None:
        grid = self.grid
        if character == "\r":
            grid.carriage_return()
        elif character in "\n\v\f":
            grid.line_feed()
        elif character == "\b":
            grid.move(0, -1)
        elif character == "\t":
            grid.tab()
        elif character == "\a":
            self.bells += 1
        elif character in "\x0e\x0f":
            grid.cursor.shifted = int(character == "\x0e")

    def _escape(self, character: str) -> None:
        grid = self.grid
        self._state = _GROUND
        if character == "[":
            self._begin(_CSI)
        elif character in "]PX^_":
            self._begin(_STRING)
        elif " " <= character <= "/":
            self._begin(_INTERMEDIATE)
            self._sequence.append(character)
        elif character == "7":
            grid.save_cursor()
        elif character == "8":
            grid.restore_cursor()
        elif character == "D":
            grid.line_feed()
        elif character == "E":
            grid.carriage_return()
            grid.line_feed()
        elif character == "H":
            grid.tabs.add(grid.cursor.column)
        elif character == "M":
            grid.reverse_line_feed()
        elif character == "Z":
            self._identify()
        elif character == "c":
            newline = grid.newline_mode
            grid.reset()
            grid.newline_mode = newline

    def _designate(self, sequence: str) -> None:
        """Character sets (ESC ( 0, ESC ) B), and the test picture (ESC # 8)."""
        if sequence[0] in "()" and len(sequence) == 2:
            self.grid.cursor.drawing["()".index(sequence[0])] = sequence[1] == "0"
        elif sequence == "#8":
            grid = self.grid
            for row in range(grid.rows):
                grid.lines[row].characters[:] = "E" * grid.columns
            grid.dirty.update(range(grid.rows))

    def _identify(self) -> None:
        self.replies += b"\x1b[?6c"

    # Control sequences

    def _csi(self, text: str, final: str) -> None:
        private = text[0] if text and text[0] in "<=>?" else ""
        body = text[len(private) :]
        # What has intermediate characters (cursor shapes, soft reset, …) is not known, but for one.
        if any(" " <= character <= "/" for character in body):
            if (private, body, final) == ("", "!", "p"):
                self._soft_reset()
            return
        if final == "m" and not private:
            self.grid.cursor.look = sgr.apply(self.grid.cursor.look, body)
            return
        numbers = [_number(part) for part in body.split(";")]
        if private == "?":
            if final in "hl":
                for number in numbers:
                    self._private_mode(number, final == "h")
            elif final == "n" and numbers[0] == 6:
                self._report_position("?")
            elif final in "JK":
                self._erase(final, numbers[0])
        elif private == ">":
            if final == "c":
                self.replies += b"\x1b[>0;0;0c"
        elif not private:
            self._plain(final, numbers)

    def _plain(self, final: str, numbers: list[int]) -> None:
        grid = self.grid
        cursor = grid.cursor
        first = numbers[0]
        count = max(first, 1)
        second = numbers[1] if len(numbers) > 1 else 0
        top = grid.top if cursor.origin else 0
        if final == "A":
            grid.move(-count, 0)
        elif final in "Be":
            grid.move(count, 0)
        elif final in "Ca":
            grid.move(0, count)
        elif final == "D":
            grid.move(0, -count)
        elif final in "EF":
            grid.move(count if final == "E" else -count, 0)
            grid.carriage_return()
        elif final in "G`":
            grid.move_to(cursor.row - top, count - 1)
        elif final in "Hf":
            grid.move_to(count - 1, max(second, 1) - 1)
        elif final == "d":
            grid.move_to(count - 1, cursor.column)
        elif final in "IZ":
            grid.tab(count if final == "I" else -count)
        elif final in "JK":
            self._erase(final, first)
        elif final == "L":
            grid.insert_lines(count)
        elif final == "M":
            grid.delete_lines(count)
        elif final == "P":
            grid.delete_characters(count)
        elif final == "@":
            grid.insert_characters(count)
        elif final == "X":
            grid.erase(cursor.row, cursor.column, cursor.column + count)
        elif final == "S":
            grid.scroll_up(count)
        elif final == "T" and len(numbers) == 1:
            grid.scroll_down(count)
        elif final == "b":
            grid.write(grid.last * min(count, grid.columns * grid.rows))
        elif final == "r":
            grid.set_region(count - 1, second or grid.rows)
        elif final == "s":
            grid.save_cursor()
        elif final == "u":
            grid.restore_cursor()
        elif final == "g":
            if first == 0:
                grid.tabs.discard(cursor.column)
            elif first == 3:
                grid.tabs.clear()
        elif final in "hl":
            self._modes(numbers, final == "h")
        elif final == "c" and first == 0:
            self._identify()
        elif final == "n" and first == 5:
            self.replies += b"\x1b[0n"
        elif final == "n" and first == 6:
            self._report_position("")

    def _report_position(self, private: str) -> None:
        cursor = self.grid.cursor
        row = cursor.row - (self.grid.top if cursor.origin else 0)
        self.replies += f"\x1b[{private}{row + 1};{cursor.column + 1}R".encode()

    def _erase(self, final: str, what: int) -> None:
        """From the cursor (0), up to it (1), or all (2; 3 is what has been scrolled off)."""
        grid = self.grid
        row, column = grid.cursor.row, grid.cursor.column
        grid.cursor.wrap_pending = False
        if what == 2:
            if final == "J":
                grid.erase_rows(0, grid.rows)
            else:
                grid.erase(row, 0, grid.columns)
        elif what == 1:
            if final == "J":
                grid.erase_rows(0, row)
            grid.erase(row, 0, column + 1)
        elif what == 0:
            grid.erase(row, column, grid.columns)
            if final == "J":
                grid.erase_rows(row + 1, grid.rows)

    def _modes(self, numbers: list[int], on: bool) -> None:
        for number in numbers:
            if number == 4:
                self.grid.insert_mode = on
            elif number == 20:
                self.grid.newline_mode = on

    def _private_mode(self, number: int, on: bool) -> None:
        grid = self.grid
        if number == 1:
            grid.application_cursor = on
        elif number == 6:
            grid.cursor.origin = on
            grid.move_to(0, 0)
        elif number == 7:
            grid.autowrap = on
        elif number == 25:
            grid.cursor_visible = on
        elif number in (47, 1047):
            if number == 1047 and not on and grid.alternate:
                grid.erase_rows(0, grid.rows)
            grid.use_alternate(on)
        elif number == 1048:
            if on:
                grid.save_cursor()
            else:
                grid.restore_cursor()
        elif number == 1049 and on != grid.alternate:
            self._full_screen(on)
        elif number == 2004:
            grid.bracketed_paste = on

    def _full_screen(self, on: bool) -> None:
        """The cursor is kept with the screen that a program leaves and comes back to."""
        grid = self.grid
        if on:
            grid.save_cursor()
            grid.use_alternate(True)
            grid.erase_rows(0, grid.rows)
        else:
            grid.use_alternate(False)
            grid.restore_cursor()

    def _soft_reset(self) -> None:
        grid = self.grid
        grid.top, grid.bottom = 0, grid.rows
        grid.autowrap, grid.insert_mode, grid.cursor_visible = True, False, True
        grid.application_cursor = False
        row, column = grid.cursor.row, grid.cursor.column
        grid.cursor = Cursor()
        grid.cursor.row, grid.cursor.column, grid.cursor.look = row, column, PLAIN


def _number(text: str) -> int:
    """A parameter; 0 for none and for what is no number."""
    digits = text.partition(":")[0]
    if not digits.isdecimal() or not digits.isascii():
        return 0
    return min(int(digits[:6]), _LARGEST)
