"""Keys from the bytes that a terminal sends: texts and names such as `left`, `ctrl-a`, `alt-b`."""

from __future__ import annotations

from codecs import getincrementaldecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROLS = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}

_LETTERS = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "Z": "shift-tab",
}
_NUMBERS = {"1": "home", "3": "delete", "4": "end", "5": "page-up", "6": "page-down", "7": "home",
            "8": "end"}  # fmt: skip
_MODIFIERS = {"2": "shift-", "3": "alt-", "5": "ctrl-", "6": "ctrl-"}

PASTE_BEGINS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"


class Keys:
    """Takes bytes as they come and gives the keys that are complete.

    A key is one character, or a name of more; what is pasted (bracketed paste) is one key, `paste:`
    and its text. ESC alone is `escape`, if it is the last byte there is.
    """

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._pasted: str | None = None

    def feed(self, data: bytes) -> Iterator[str]:
        """The keys in `data`, together with what was left over before."""
        self._text += self._decoder.decode(data)
        while self._text:
            key, used = self._next(self._text)
            if not used:
                return
            self._text = self._text[used:]
            if key:
                yield key

    def _next(self, text: str) -> tuple[str, int]:
        """The first key, "" for none, and how much of the text it is; 0 if it is incomplete."""
        if self._pasted is not None:
            return self._paste(text)
        first = text[0]
        if first != "\x1b":
            if first in _CONTROLS:
                return _CONTROLS[first], 1
            if first < " ":
                return f"ctrl-{chr(ord(first) + 0x60)}", 1
            return first, 1
        if len(text) == 1:
            return "escape", 1
        if text[1] in "[O":
            return self._sequence(text)
        key, used = self._next(text[1:])
        return f"alt-{key}" if key else "", used + 1 if used else 0

    def _sequence(self, text: str) -> tuple[str, int]:
        end = 2
        while end < len(text) and not "@" <= text[end] <= "~":
            end += 1
        if end == len(text):
            # ESC [ and no more: somebody has pressed ESC and [.
            return ("alt-[", 2) if end == 2 else ("", 0)
        whole, parameters = text[: end + 1], text[2:end].split(";")
        if whole == PASTE_BEGINS:
            self._pasted = ""
            return "", end + 1
        name = _NUMBERS.get(parameters[0], "") if text[end] == "~" else _LETTERS.get(text[end], "")
        if name and len(parameters) > 1:
            name = _MODIFIERS.get(parameters[1], "") + name
        return name, end + 1

    def _paste(self, text: str) -> tuple[str, int]:
        assert self._pasted is not None
        end = text.find(PASTE_ENDS)
        if end >= 0:
            pasted = self._pasted + text[:end]
            self._pasted = None
            return f"paste:{pasted}", end + len(PASTE_ENDS)
        # The end may be in two pieces.
        keep = text.rfind("\x1b")
        used = len(text) if keep < 0 or len(text) - keep >= len(PASTE_ENDS) else keep
        self._pasted += text[:used]
        return "", used
