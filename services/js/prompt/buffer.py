"""The text that is being edited, and what keys do to it. Knows no terminal."""

from __future__ import annotations


class Buffer:
    """A text of one or more lines with a cursor in it."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = len(text)
        self.killed = ""
        """What `yank` puts back."""

    def set(self, text: str) -> None:
        """Another text, with the cursor at its end."""
        self.text = text
        self.cursor = len(text)

    def insert(self, text: str) -> None:
        """Puts text in front of the cursor."""
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def replace(self, start: int, text: str) -> None:
        """Puts text in the place of what is between `start` and the cursor."""
        self.text = self.text[:start] + text + self.text[self.cursor :]
        self.cursor = start + len(text)

    # Places.

    @property
    def line_start(self) -> int:
        """Where the cursor's line begins."""
        return self.text.rfind("\n", 0, self.cursor) + 1

    @property
    def line_end(self) -> int:
        """Where it ends."""
        end = self.text.find("\n", self.cursor)
        return len(self.text) if end < 0 else end

    @property
    def on_first_line(self) -> bool:
        """Whether there is none above the cursor's."""
        return self.line_start == 0

    @property
    def on_last_line(self) -> bool:
        """Whether there is none below."""
        return self.line_end == len(self.text)

    def _word_left(self) -> int:
        at = self.cursor
        while at > 0 and not _is_word(self.text[at - 1]):
            at -= 1
        while at > 0 and _is_word(self.text[at - 1]):
            at -= 1
        return at

    def _word_right(self) -> int:
        at, end = self.cursor, len(self.text)
        while at < end and not _is_word(self.text[at]):
            at += 1
        while at < end and _is_word(self.text[at]):
            at += 1
        return at

    # Moving.

    def left(self) -> None:
        """One character."""
        self.cursor = max(0, self.cursor - 1)

    def right(self) -> None:
        """One character."""
        self.cursor = min(len(self.text), self.cursor + 1)

    def word_left(self) -> None:
        """To the beginning of a word."""
        self.cursor = self._word_left()

    def word_right(self) -> None:
        """To the end of a word."""
        self.cursor = self._word_right()

    def home(self) -> None:
        """To the beginning of the line."""
        self.cursor = self.line_start

    def end(self) -> None:
        """To the end of the line."""
        self.cursor = self.line_end

    def up(self) -> None:
        """One line, to the same column or the line's end."""
        column, start = self.cursor - self.line_start, self.line_start
        above = self.text.rfind("\n", 0, start - 1) + 1
        self.cursor = min(above + column, start - 1)

    def down(self) -> None:
        """One line, to the same column or the line's end."""
        column = self.cursor - self.line_start
        self.cursor = self.line_end + 1
        self.cursor = min(self.cursor + column, self.line_end)

    # Deleting.

    def backspace(self) -> None:
        """The character in front of the cursor."""
        if self.cursor:
            self.replace(self.cursor - 1, "")

    def delete(self) -> None:
        """The character at the cursor."""
        self.text = self.text[: self.cursor] + self.text[self.cursor + 1 :]

    def _kill(self, start: int, end: int) -> None:
        self.killed = self.text[start:end]
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def kill_word_left(self) -> None:
        """Up to the beginning of a word."""
        self._kill(self._word_left(), self.cursor)

    def kill_word_right(self) -> None:
        """Up to the end of a word."""
        self._kill(self.cursor, self._word_right())

    def kill_to_end(self) -> None:
        """The rest of the line; at its end, the line end."""
        end = self.line_end
        self._kill(self.cursor, end + 1 if end == self.cursor and not self.on_last_line else end)

    def kill_to_start(self) -> None:
        """The line up to the cursor."""
        self._kill(self.line_start, self.cursor)

    def yank(self) -> None:
        """Puts back what was killed last."""
        self.insert(self.killed)

    def transpose(self) -> None:
        """Exchanges the characters around the cursor; at the line's end, the two in front."""
        at = self.cursor - 1 if self.cursor == self.line_end else self.cursor
        if at > self.line_start:
            text = self.text
            self.text = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
            self.cursor = at + 1


def _is_word(char: str) -> bool:
    return char.isalnum() or char in "_$"
