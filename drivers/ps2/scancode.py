"""Bytes of a PS/2 keyboard to keys: scan code sets 1 and 2. Pure.

A controller with translation on turns set 2, which all keyboards send, into set 1. Without it the
same translation is done here, so both end in one table (IBM PS/2 Hardware Interface Technical
Reference, Keyboard and Auxiliary Device Controller).
"""

from __future__ import annotations

from ovum.drivers.input import keys
from ovum.drivers.input.events import EV_KEY, PRESSED, RELEASED, REPEATED, Event

_PLAIN = {
    **{code: code for code in range(keys.KEY_ESC, keys.KEY_KPDOT + 1)},
    0x54: keys.KEY_SYSRQ,
    0x56: keys.KEY_102ND,
    0x57: keys.KEY_F11,
    0x58: keys.KEY_F12,
    0x59: keys.KEY_KPEQUAL,
    **{0x64 + n: keys.KEY_F13 + n for n in range(11)},
    0x70: keys.KEY_KATAKANAHIRAGANA,
    0x73: keys.KEY_RO,
    0x76: keys.KEY_F24,
    0x77: keys.KEY_HIRAGANA,
    0x78: keys.KEY_KATAKANA,
    0x79: keys.KEY_HENKAN,
    0x7B: keys.KEY_MUHENKAN,
    0x7D: keys.KEY_YEN,
    0x7E: keys.KEY_KPCOMMA,
}
"""Set 1; Linux has numbered its keys after it up to the keypad's."""

_EXTENDED = {
    0x10: keys.KEY_PREVIOUSSONG,
    0x19: keys.KEY_NEXTSONG,
    0x1C: keys.KEY_KPENTER,
    0x1D: keys.KEY_RIGHTCTRL,
    0x20: keys.KEY_MUTE,
    0x21: keys.KEY_CALC,
    0x22: keys.KEY_PLAYPAUSE,
    0x24: keys.KEY_STOPCD,
    0x2E: keys.KEY_VOLUMEDOWN,
    0x30: keys.KEY_VOLUMEUP,
    0x32: keys.KEY_HOMEPAGE,
    0x35: keys.KEY_KPSLASH,
    0x37: keys.KEY_SYSRQ,
    0x38: keys.KEY_RIGHTALT,
    0x46: keys.KEY_PAUSE,
    0x47: keys.KEY_HOME,
    0x48: keys.KEY_UP,
    0x49: keys.KEY_PAGEUP,
    0x4B: keys.KEY_LEFT,
    0x4D: keys.KEY_RIGHT,
    0x4F: keys.KEY_END,
    0x50: keys.KEY_DOWN,
    0x51: keys.KEY_PAGEDOWN,
    0x52: keys.KEY_INSERT,
    0x53: keys.KEY_DELETE,
    0x5B: keys.KEY_LEFTMETA,
    0x5C: keys.KEY_RIGHTMETA,
    0x5D: keys.KEY_COMPOSE,
    0x5E: keys.KEY_POWER,
    0x5F: keys.KEY_SLEEP,
    0x63: keys.KEY_WAKEUP,
    0x65: keys.KEY_SEARCH,
    0x66: keys.KEY_BOOKMARKS,
    0x67: keys.KEY_REFRESH,
    0x68: keys.KEY_STOP,
    0x69: keys.KEY_FORWARD,
    0x6A: keys.KEY_BACK,
    0x6B: keys.KEY_COMPUTER,
    0x6C: keys.KEY_MAIL,
    0x6D: keys.KEY_MEDIA,
}
"""Set 1 after E0. Pause is here with Control, when it is Break."""

_FAKE_SHIFTS = (0x2A, 0x36)
"""After E0: keyboards press and release Shift around some keys, for programs of 1981."""

_TRANSLATION = bytes.fromhex(
    "ff43413f3d3b3c58644442403e0f2959 65382a701d10025a66712c1f1e11035b"
    "672e2d201205045c68392f211413065d 69313023221507 5e6a72322416 08095f"
    "6b33251718 0b0a606c34352627190c61 6d7328741a0d626e3a361c1b752b6376"
    "55567778797a0e7b7c4f7d4b477e7f6f 5253504c4d480145574e514a37494654"
)
"""Set 2 to set 1, for 00 to 7F."""
_TRANSLATION_HIGH = {0x83: 0x41, 0x84: 0x54}

_RELEASE = 0xF0
_E0 = 0xE0
_E1 = 0xE1
_BREAK = 0x80
_OVERRUN = (0x00, 0xFF)
"""The keyboard's buffer has run over, in set 2 and set 1: keys have been lost."""


class Decoder:
    """Makes events of a keyboard's bytes. `translated`: they are of set 1."""

    def __init__(self, translated: bool = True) -> None:
        self.translated = translated
        self.pressed: set[int] = set()
        self.unknown = 0
        """Codes that no table has, and sequences that were broken off."""
        self.overruns = 0
        self._release = False
        self._prefix = 0
        self._pause: list[int] = []

    def feed(self, byte: int, time_ns: int = 0) -> list[Event]:
        """The events that are complete with this byte: none, one, or two for Pause.

        After an overrun whatever was pressed is released, because the release may be lost.
        """
        if byte in _OVERRUN:
            self.overruns += 1
            return self.release_all(time_ns)
        if not self.translated and byte not in (_E0, _E1):
            if byte == _RELEASE:
                self._release = True
                return []
            code = _TRANSLATION_HIGH.get(byte, 0)
            if byte < _BREAK:
                code = _TRANSLATION[byte]
            if not code:
                self.unknown += 1
                self._forget()
                return []
            byte = code | (_BREAK if self._release else 0)
            self._release = False
        return self._set1(byte, time_ns)

    def release_all(self, time_ns: int = 0) -> list[Event]:
        """Events that release all keys, for a keyboard that is gone or has lost something."""
        events = [Event(EV_KEY, key, RELEASED, time_ns) for key in sorted(self.pressed)]
        self.pressed.clear()
        self._forget()
        return events

    def _forget(self) -> None:
        self._release = False
        self._prefix = 0
        self._pause.clear()

    def _set1(self, byte: int, time_ns: int) -> list[Event]:
        if byte in (_E0, _E1):
            if self._prefix:
                self.unknown += 1
            self._prefix = byte
            self._pause.clear()
            return []
        prefix = self._prefix
        if prefix == _E1:
            return self._in_pause(byte, time_ns)
        self._prefix = 0
        code = byte & ~_BREAK
        if prefix == _E0:
            if code in _FAKE_SHIFTS:
                return []
            key = _EXTENDED.get(code)
        else:
            key = _PLAIN.get(code)
        if key is None:
            self.unknown += 1
            return []
        return self._key(key, not byte & _BREAK, time_ns)

    def _in_pause(self, byte: int, time_ns: int) -> list[Event]:
        """Pause has no release: E1 1D 45 and at once E1 9D C5, and nothing when it is let go."""
        self._pause.append(byte)
        if len(self._pause) < 2:
            return []
        self._prefix = 0
        sequence = bytes(self._pause)
        self._pause.clear()
        if sequence == b"\x1d\x45":
            return self._key(keys.KEY_PAUSE, True, time_ns)
        if sequence == b"\x9d\xc5":
            return self._key(keys.KEY_PAUSE, False, time_ns)
        self.unknown += 1
        return []

    def _key(self, key: int, down: bool, time_ns: int) -> list[Event]:
        if not down:
            self.pressed.discard(key)
            return [Event(EV_KEY, key, RELEASED, time_ns)]
        value = REPEATED if key in self.pressed else PRESSED
        self.pressed.add(key)
        return [Event(EV_KEY, key, value, time_ns)]
