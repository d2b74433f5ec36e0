"""What was typed before, and finding it again."""

from __future__ import annotations

import os

LIMIT = 1000


class History:
    """Entries, oldest first, kept in a file if one is given.

    Each is a line of the file, with its line ends as `\\n` and its backslashes doubled.
    """

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self.entries: list[str] = []
        if path is not None and os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                self.entries = [_unquoted(line.rstrip("\n")) for line in file][-LIMIT:]
        self._at = len(self.entries)
        self._typed = ""

    def add(self, text: str) -> None:
        """Takes an entry, unless it is the one before again."""
        if text.strip() and (not self.entries or self.entries[-1] != text):
            self.entries.append(text)
        self.rest()

    def save(self) -> None:
        """Writes the file. Raises OSError."""
        if self.path is None:
            return
        with open(self.path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{_quoted(entry)}\n" for entry in self.entries[-LIMIT:])

    def rest(self) -> None:
        """The search for older entries begins at the end again."""
        self._at = len(self.entries)

    def older(self, typed: str, current: str) -> str | None:
        """The next older entry that begins as what was typed does; None if there is none.

        `current` is what is shown, which counts as typed where the search begins.
        """
        if self._at == len(self.entries):
            self._typed = typed
        for at in range(self._at - 1, -1, -1):
            entry = self.entries[at]
            if entry.startswith(self._typed) and entry != current:
                self._at = at
                return entry
        return None

    def newer(self, current: str) -> str | None:
        """The next newer one; what was typed, behind the newest."""
        if self._at == len(self.entries):
            return None
        for at in range(self._at + 1, len(self.entries)):
            entry = self.entries[at]
            if entry.startswith(self._typed) and entry != current:
                self._at = at
                return entry
        self._at = len(self.entries)
        return self._typed

    def search(self, words: str, before: int | None = None) -> int | None:
        """The place of the newest entry, older than `before`, that has these words in it."""
        start = len(self.entries) if before is None else before
        return next((at for at in range(start - 1, -1, -1) if words in self.entries[at]), None)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _unquoted(text: str) -> str:
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n") for part in parts)
