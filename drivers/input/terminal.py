"""Keys to what a terminal sends for them: characters in UTF-8, control codes, xterm's sequences.

Pure: events in, bytes out. Sequences are those of xterm (XTerm Control Sequences, "PC-Style
Function Keys"), which TERM=xterm-256color promises.
"""

from __future__ import annotations

from ovum.drivers.input import keys
from ovum.drivers.input.events import EV_KEY, RELEASED, Keyboard
from ovum.drivers.input.layouts.compose import DEAD, compose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.input.events import Event
    from ovum.drivers.input.layouts.layout import Layout

_LETTERS = {
    keys.KEY_UP: "A",
    keys.KEY_DOWN: "B",
    keys.KEY_RIGHT: "C",
    keys.KEY_LEFT: "D",
    keys.KEY_END: "F",
    keys.KEY_HOME: "H",
}
"""CSI letter; SS3 letter in application mode; CSI 1 ; modifiers letter."""

_FIRST_FUNCTIONS = {
    keys.KEY_F1: "P",
    keys.KEY_F2: "Q",
    keys.KEY_F3: "R",
    keys.KEY_F4: "S",
}
"""SS3 letter; CSI 1 ; modifiers letter."""

_NUMBERS = {
    keys.KEY_INSERT: 2,
    keys.KEY_DELETE: 3,
    keys.KEY_PAGEUP: 5,
    keys.KEY_PAGEDOWN: 6,
    keys.KEY_F5: 15,
    keys.KEY_F6: 17,
    keys.KEY_F7: 18,
    keys.KEY_F8: 19,
    keys.KEY_F9: 20,
    keys.KEY_F10: 21,
    keys.KEY_F11: 23,
    keys.KEY_F12: 24,
}
"""CSI number ~; CSI number ; modifiers ~."""

_KEYPAD = {
    keys.KEY_KP7: ("7", keys.KEY_HOME),
    keys.KEY_KP8: ("8", keys.KEY_UP),
    keys.KEY_KP9: ("9", keys.KEY_PAGEUP),
    keys.KEY_KP4: ("4", keys.KEY_LEFT),
    keys.KEY_KP5: ("5", 0),
    keys.KEY_KP6: ("6", keys.KEY_RIGHT),
    keys.KEY_KP1: ("1", keys.KEY_END),
    keys.KEY_KP2: ("2", keys.KEY_DOWN),
    keys.KEY_KP3: ("3", keys.KEY_PAGEDOWN),
    keys.KEY_KP0: ("0", keys.KEY_INSERT),
    keys.KEY_KPDOT: (".", keys.KEY_DELETE),
}
"""With Num Lock a character; without it another key. Shift turns Num Lock round."""

_KEYPAD_CHARACTERS = {
    keys.KEY_KPASTERISK: "*",
    keys.KEY_KPMINUS: "-",
    keys.KEY_KPPLUS: "+",
    keys.KEY_KPSLASH: "/",
    keys.KEY_KPEQUAL: "=",
    keys.KEY_KPCOMMA: ",",
}

_CONTROLS = {
    " ": 0x00,
    "2": 0x00,
    "3": 0x1B,
    "4": 0x1C,
    "5": 0x1D,
    "6": 0x1E,
    "7": 0x1F,
    "8": 0x7F,
    "/": 0x1F,
    "?": 0x7F,
    "`": 0x00,
    "~": 0x1E,
}
"""What Control makes of characters outside @ to _ and the small letters, as in a VT220."""


class Translator:
    """A keyboard's events to bytes for the terminal."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.keyboard = Keyboard()
        self.application_cursor = False
        """DECCKM: arrows, Home and End send SS3 sequences."""
        self._dead = ""

    @property
    def alt(self) -> bool:
        if self.keyboard.down(keys.KEY_LEFTALT):
            return True
        return not self.layout.altgr and self.keyboard.down(keys.KEY_RIGHTALT)

    @property
    def altgr(self) -> bool:
        return self.layout.altgr and self.keyboard.down(keys.KEY_RIGHTALT)

    def feed(self, event: Event) -> bytes:
        """What the event sends to the terminal: mostly nothing, for released keys and modifiers."""
        self.keyboard.feed(event)
        if event.type != EV_KEY or event.value == RELEASED:
            return b""
        code = event.code
        keypad = _KEYPAD.get(code)
        if keypad is not None:
            character, code = keypad
            if self.keyboard.num_lock != self.keyboard.shift:
                character = self.layout.decimal if character == "." else character
                return self._characters(character)
            # Shift has been used up.
            return self._special(code, shift=False) if code else self._sequence("E", False)
        if code in _KEYPAD_CHARACTERS:
            return self._characters(_KEYPAD_CHARACTERS[code])
        special = self._special(code, self.keyboard.shift)
        if special:
            self._dead = ""
            return special
        return self._character(code)

    # Keys that have no character

    def _special(self, code: int, shift: bool) -> bytes:
        """A key's sequence; b"" for keys that have none."""
        escape = b"\x1b" if self.alt else b""
        if code in (keys.KEY_ENTER, keys.KEY_KPENTER):
            return escape + b"\r"
        if code == keys.KEY_BACKSPACE:
            return escape + (b"\x08" if self.keyboard.control else b"\x7f")
        if code == keys.KEY_TAB:
            return b"\x1b[Z" if shift else escape + b"\t"
        if code == keys.KEY_ESC:
            return escape + b"\x1b"
        if code in _LETTERS:
            return self._sequence(_LETTERS[code], shift)
        modifiers = self._modifiers(shift)
        if code in _FIRST_FUNCTIONS:
            letter = _FIRST_FUNCTIONS[code]
            return (
                f"\x1b[1;{modifiers}{letter}".encode() if modifiers else f"\x1bO{letter}".encode()
            )
        if code in _NUMBERS:
            middle = f";{modifiers}" if modifiers else ""
            return f"\x1b[{_NUMBERS[code]}{middle}~".encode()
        return b""

    def _modifiers(self, shift: bool) -> int:
        """xterm's parameter: 1 more than bits for Shift, Alt, Control; 0 for none."""
        bits = shift | self.alt << 1 | self.keyboard.control << 2
        return bits + 1 if bits else 0

    def _sequence(self, letter: str, shift: bool) -> bytes:
        modifiers = self._modifiers(shift)
        if modifiers:
            return f"\x1b[1;{modifiers}{letter}".encode()
        return (f"\x1bO{letter}" if self.application_cursor else f"\x1b[{letter}").encode()

    # Keys that have one

    def _character(self, code: int) -> bytes:
        keyboard = self.keyboard
        # With Control, Caps Lock is of no account: Control-c and Control-C are one.
        caps = keyboard.caps_lock and not keyboard.control
        symbol = self.layout.symbol(code, keyboard.shift, self.altgr, caps)
        if not symbol:
            return b""
        if self._dead and not keyboard.control:
            composed = compose(self._dead, symbol)
            self._dead = ""
            return self._characters(composed)
        self._dead = ""
        if symbol in DEAD:
            self._dead = symbol
            return b""
        return self._characters(symbol)

    def _characters(self, text: str) -> bytes:
        data = text.encode()
        if self.keyboard.control and len(text) == 1:
            if text in _CONTROLS:
                data = bytes([_CONTROLS[text]])
            elif "@" <= text <= "_" or "a" <= text <= "z":
                data = bytes([ord(text) & 0x1F])
        return b"\x1b" + data if self.alt and data else data
