"""Draws the text being edited on a terminal, over as many rows as it takes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def width_of(char: str) -> int:
    """How many columns a character takes."""
    if char < "\u0300":
        return 1
    from unicodedata import combining, east_asian_width

    if combining(char) or char in "\u200b\u200d\ufe0f":
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def shown(char: str) -> str:
    """A character as it is drawn: controls as `^X`, tabs as spaces."""
    if char == "\t":
        return "    "
    return f"^{chr(ord(char) ^ 0x40)}" if char < " " or char == "\x7f" else char


class Screen:
    """The rows that the text takes at the moment."""

    def __init__(self, write: Callable[[str], None], columns: Callable[[], int]) -> None:
        self._write = write
        self._columns = columns
        self._row = 0
        """The cursor's, of those drawn."""

    def draw(self, first: str, others: str, text: str, cursor: int, message: str = "") -> None:
        """Draws the text with a prompt in front of each line, in the place of what was drawn.

        `message` comes on a row of its own below.
        """
        columns = max(self._columns(), 8)
        output = [self._to_start(), "\x1b[J", first]
        row, column = 0, _plain_width(first)
        at = (row, column)
        for index, char in enumerate(text):
            if index == cursor:
                at = (row, column)
            if char == "\n":
                output.append("\r\n" + others)
                row, column = row + 1, _plain_width(others)
                continue
            drawn = shown(char)
            width = sum(map(width_of, drawn))
            if column + width > columns:
                output.append("\r\n")
                row, column = row + 1, 0
            output.append(drawn)
            column += width
        if cursor == len(text):
            at = (row, column)
        if column >= columns or at[1] >= columns:
            # The terminal keeps its cursor on the last column until there is more.
            output.append("\r\n")
            row, column = row + 1, 0
            if at[1] >= columns:
                at = (row, column)
        if message:
            output.append(f"\r\n{message[: columns - 1]}")
            row += 1
        output.append(f"\x1b[{row - at[0]}A" if row > at[0] else "")
        output.append("\r" + (f"\x1b[{at[1]}C" if at[1] else ""))
        self._row = at[0]
        self._write("".join(output))

    def _to_start(self) -> str:
        return (f"\x1b[{self._row}A" if self._row else "") + "\r"

    def erased(self) -> str:
        """What to write to take the text away."""
        output = self._to_start() + "\x1b[J"
        self._row = 0
        return output

    def leave(self) -> None:
        """What comes next is below: the text stays as it is."""
        self._row = 0

    def clear(self) -> None:
        """Empties the terminal."""
        self._write("\x1b[H\x1b[2J")
        self._row = 0


def _plain_width(prompt: str) -> int:
    width, inside = 0, False
    for char in prompt:
        if char == "\x1b":
            inside = True
        elif inside:
            inside = not char.isalpha()
        else:
            width += width_of(char)
    return width


def terminal_columns(descriptor: int) -> int:
    """How wide a terminal is; 80 if it does not say."""
    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80
