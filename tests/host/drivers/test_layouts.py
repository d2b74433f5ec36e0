"""Layouts: what is on the caps of the keys, dead keys, and what all other keys send."""

from __future__ import annotations

import unicodedata

import pytest

from ovum.drivers.input import keys, layouts
from ovum.drivers.input.events import EV_KEY, EV_REL, Event
from ovum.drivers.input.layouts.compose import DEAD, compose
from ovum.drivers.input.terminal import Translator

ROWS = [
    "GRAVE 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL",
    "Q W E R T Y U I O P LEFTBRACE RIGHTBRACE",
    "A S D F G H J K L SEMICOLON APOSTROPHE BACKSLASH",
    "102ND Z X C V B N M COMMA DOT SLASH",
]
"""The keys from left to right; BACKSLASH is where European keyboards have it."""

CAPS = {
    "us": [
        ("`1234567890-=", "~!@#$%^&*()_+"),
        ("qwertyuiop[]", "QWERTYUIOP{}"),
        ("asdfghjkl;'\\", 'ASDFGHJKL:"|'),
        ("<zxcvbnm,./", ">ZXCVBNM<>?"),
    ],
    "uk": [
        ("`1234567890-=", '¬!"£$%^&*()_+'),
        ("qwertyuiop[]", "QWERTYUIOP{}"),
        ("asdfghjkl;'#", "ASDFGHJKL:@~"),
        ("\\zxcvbnm,./", "|ZXCVBNM<>?"),
    ],
    "de": [
        ("^1234567890ß´", '°!"§$%&/()=?`'),
        ("qwertzuiopü+", "QWERTZUIOPÜ*"),
        ("asdfghjklöä#", "ASDFGHJKLÖÄ'"),
        ("<yxcvbnm,.-", ">YXCVBNM;:_"),
    ],
    "fr": [
        ("²&é\"'(-è_çà)=", "~1234567890°+"),
        ("azertyuiop^$", "AZERTYUIOP¨£"),
        ("qsdfghjklmù*", "QSDFGHJKLM%µ"),
        ("<wxcvbn,;:!", ">WXCVBN?./§"),
    ],
}
"""What is printed on the keys of each country's keyboards; a dead key by its mark."""

ALTGR = {
    "us": {},
    "uk": {"4": "€", "GRAVE": "|"},
    "de": {"Q": "@", "E": "€", "7": "{", "8": "[", "9": "]", "0": "}", "MINUS": "\\", "2": "²",
           "3": "³", "RIGHTBRACE": "~", "102ND": "|", "M": "µ"},
    "fr": {"2": "~", "3": "#", "4": "{", "5": "[", "6": "|", "7": "`", "8": "\\", "9": "^",
           "0": "@", "MINUS": "]", "EQUAL": "}", "E": "€", "RIGHTBRACE": "¤"},
}  # fmt: skip


def code(name: str) -> int:
    found = getattr(keys, f"KEY_{name}")
    assert isinstance(found, int)
    return found


class Typist:
    """Presses keys by their names and collects what is sent."""

    def __init__(self, layout: str = "us") -> None:
        self.translator = Translator(layouts.load(layout))

    def send(self, name: str, value: int) -> bytes:
        return self.translator.feed(Event(EV_KEY, code(name), value))

    def tap(self, *names: str) -> bytes:
        """Holds all but the last key, taps the last one, releases all."""
        sent = b"".join(self.send(name, 1) for name in names)
        return sent + b"".join(self.send(name, 0) for name in reversed(names))

    def type(self, names: str) -> str:
        return b"".join(self.tap(*name.split("+")) for name in names.split()).decode()


def cap(typist: Typist, *names: str) -> str:
    """What is on a cap: what the key types, a dead key with a space after it."""
    return (typist.tap(*names) or typist.tap("SPACE")).decode()


@pytest.mark.parametrize("layout", layouts.NAMES)
def test_keys_type_what_is_printed_on_them(layout: str) -> None:
    typist = Typist(layout)
    for names, (plain, shifted) in zip(ROWS, CAPS[layout], strict=True):
        assert "".join(cap(typist, name) for name in names.split()) == plain
        assert "".join(cap(typist, "RIGHTSHIFT", name) for name in names.split()) == shifted
    for name, character in ALTGR[layout].items():
        assert cap(typist, "RIGHTALT", name) == character


@pytest.mark.parametrize("layout", layouts.NAMES)
def test_every_level_is_one_character_or_a_dead_key(layout: str) -> None:
    found = layouts.load(layout)
    assert found.name == layout
    # 47 keys of the US keyboard, one more in Europe, and the space bar.
    assert len(found.levels) == 49
    for levels in found.levels.values():
        assert len(levels) == (4 if found.altgr or levels[0] == " " else 2)
        for symbol in levels:
            assert symbol in DEAD or len(symbol) == 1


@pytest.mark.parametrize("layout", layouts.NAMES)
def test_all_of_ascii_can_be_typed(layout: str) -> None:
    """A Python program is written with it."""
    typist = Typist(layout)
    names = [*" ".join(ROWS).split(), "SPACE"]
    typed = set()
    for held in ((), ("LEFTSHIFT",), ("RIGHTALT",), ("LEFTSHIFT", "RIGHTALT")):
        if "RIGHTALT" in held and not layouts.load(layout).altgr:
            continue
        typed |= {cap(typist, *held, name) for name in names}
    assert typed >= {chr(n) for n in range(0x20, 0x7F)}


@pytest.mark.parametrize("layout", layouts.NAMES)
def test_caps_lock_is_shift_for_letters_alone(layout: str) -> None:
    typist = Typist(layout)
    typist.tap("CAPSLOCK")
    for names, (plain, shifted) in zip(ROWS, CAPS[layout], strict=True):
        for name, small, large in zip(names.split(), plain, shifted, strict=True):
            letter = small.upper() == large and small != large
            assert cap(typist, name) == (large if letter else small)
            assert cap(typist, "LEFTSHIFT", name) == (small if letter else large)
    typist.tap("CAPSLOCK")
    assert typist.type("H") == "h"


def test_an_unknown_layout_is_an_error() -> None:
    with pytest.raises(ValueError, match="no layout 'xx', only us, uk, de, fr"):
        layouts.load("xx")


# Dead keys

MARKS = {
    "dead_grave": 0x300, "dead_acute": 0x301, "dead_circumflex": 0x302, "dead_tilde": 0x303,
    "dead_macron": 0x304, "dead_breve": 0x306, "dead_abovedot": 0x307, "dead_diaeresis": 0x308,
    "dead_hook": 0x309, "dead_abovering": 0x30A, "dead_doubleacute": 0x30B, "dead_caron": 0x30C,
    "dead_horn": 0x31B, "dead_belowdot": 0x323, "dead_cedilla": 0x327, "dead_ogonek": 0x328,
    "dead_belowmacron": 0x331,
}  # fmt: skip


@pytest.mark.parametrize("dead", DEAD)
def test_dead_keys_compose_as_unicode_does(dead: str) -> None:
    mark = DEAD[dead][0]
    for letter in [chr(n) for n in range(0x21, 0x7F)]:
        composed = unicodedata.normalize("NFC", letter + chr(MARKS[dead]))
        if len(composed) > 1 or not letter.isalpha():
            composed = mark + letter
        assert compose(dead, letter) == composed
    assert compose(dead, " ") == compose(dead, dead) == mark


def test_dead_keys_are_typed_one_after_the_other() -> None:
    typist = Typist("de")
    assert typist.type("GRAVE A") == "â"
    assert typist.type("GRAVE LEFTSHIFT+E") == "Ê"
    assert typist.type("LEFTSHIFT+EQUAL E") == "è"
    assert typist.type("GRAVE B") == "^b"
    assert typist.type("GRAVE GRAVE") == "^"
    assert typist.type("GRAVE EQUAL") == "^´"
    # What has no character takes the mark away.
    assert typist.type("GRAVE LEFT A") == "\x1b[Da"
    assert typist.type("GRAVE LEFTCTRL+C A") == "\x03a"


# All other keys

PLAIN = {
    "ENTER": "\r", "KPENTER": "\r", "TAB": "\t", "BACKSPACE": "\x7f", "ESC": "\x1b",
    "UP": "\x1b[A", "DOWN": "\x1b[B", "RIGHT": "\x1b[C", "LEFT": "\x1b[D", "HOME": "\x1b[H",
    "END": "\x1b[F", "INSERT": "\x1b[2~", "DELETE": "\x1b[3~", "PAGEUP": "\x1b[5~",
    "PAGEDOWN": "\x1b[6~", "F1": "\x1bOP", "F2": "\x1bOQ", "F3": "\x1bOR", "F4": "\x1bOS",
    "F5": "\x1b[15~", "F6": "\x1b[17~", "F7": "\x1b[18~", "F8": "\x1b[19~", "F9": "\x1b[20~",
    "F10": "\x1b[21~", "F11": "\x1b[23~", "F12": "\x1b[24~",
    "LEFTSHIFT": "", "LEFTCTRL": "", "LEFTALT": "", "RIGHTALT": "", "CAPSLOCK": "", "LEFTMETA": "",
    "COMPOSE": "", "PAUSE": "", "SYSRQ": "", "VOLUMEUP": "", "SCROLLLOCK": "", "F13": "",
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_keys_send_what_a_terminal_sends(name: str) -> None:
    typist = Typist()
    assert typist.tap(name).decode() == PLAIN[name]


WITH_OTHERS = {
    "LEFTSHIFT+TAB": "\x1b[Z",
    "LEFTSHIFT+UP": "\x1b[1;2A",
    "LEFTALT+UP": "\x1b[1;3A",
    "LEFTCTRL+RIGHT": "\x1b[1;5C",
    "LEFTCTRL+LEFTSHIFT+END": "\x1b[1;6F",
    "LEFTCTRL+LEFTALT+LEFTSHIFT+HOME": "\x1b[1;8H",
    "LEFTSHIFT+F1": "\x1b[1;2P",
    "LEFTCTRL+F5": "\x1b[15;5~",
    "LEFTSHIFT+DELETE": "\x1b[3;2~",
    "LEFTCTRL+PAGEUP": "\x1b[5;5~",
    "LEFTALT+ENTER": "\x1b\r",
    "LEFTALT+BACKSPACE": "\x1b\x7f",
    "LEFTCTRL+BACKSPACE": "\x08",
    "LEFTALT+X": "\x1bx",
    "RIGHTALT+X": "\x1bx",
    "LEFTALT+LEFTSHIFT+X": "\x1bX",
    "LEFTALT+LEFTCTRL+C": "\x1b\x03",
    "LEFTCTRL+LEFTSHIFT+C": "\x03",
    "LEFTCTRL+SPACE": "\x00",
    "LEFTCTRL+LEFTBRACE": "\x1b",
    "RIGHTCTRL+BACKSLASH": "\x1c",
    "LEFTCTRL+RIGHTBRACE": "\x1d",
    "LEFTCTRL+6": "\x1e",
    "LEFTCTRL+LEFTSHIFT+MINUS": "\x1f",
    "LEFTCTRL+SLASH": "\x1f",
    "LEFTCTRL+8": "\x7f",
    "LEFTCTRL+1": "1",
    "LEFTCTRL+ENTER": "\r",
}


@pytest.mark.parametrize("names", WITH_OTHERS)
def test_modifiers(names: str) -> None:
    assert Typist().type(names) == WITH_OTHERS[names]


@pytest.mark.parametrize("layout", layouts.NAMES)
def test_control_makes_the_codes_of_letters_in_every_layout(layout: str) -> None:
    typist = Typist(layout)
    for capslock in (False, True):
        for names, (plain, _) in zip(ROWS, CAPS[layout], strict=True):
            for name, character in zip(names.split(), plain, strict=True):
                if "a" <= character <= "z":
                    assert typist.tap("LEFTCTRL", name) == bytes([ord(character) & 31])
        if not capslock:
            typist.tap("CAPSLOCK")


def test_application_mode_has_other_sequences_for_the_cursor() -> None:
    typist = Typist()
    typist.translator.application_cursor = True
    assert typist.type("UP HOME LEFTSHIFT+UP F5") == "\x1bOA\x1bOH\x1b[1;2A\x1b[15~"


KEYPAD = "KP7 KP8 KP9 KP4 KP5 KP6 KP1 KP2 KP3 KP0 KPDOT"
CURSORS = "\x1b[H\x1b[A\x1b[5~\x1b[D\x1b[E\x1b[C\x1b[F\x1b[B\x1b[6~\x1b[2~\x1b[3~"


def test_the_keypad_has_digits_or_cursors() -> None:
    typist = Typist()
    shifted = " ".join(f"LEFTSHIFT+{name}" for name in KEYPAD.split())
    assert typist.type(KEYPAD) == "7894561230."
    assert typist.type(shifted) == CURSORS
    typist.tap("NUMLOCK")
    assert typist.type(KEYPAD) == CURSORS
    assert typist.type(shifted) == "7894561230."
    assert typist.type("KPASTERISK KPMINUS KPPLUS KPSLASH KPEQUAL") == "*-+/="
    assert Typist("de").type("KPDOT") == ","


def test_held_keys_repeat_and_released_ones_do_not() -> None:
    typist = Typist()
    assert typist.send("A", 1) + typist.send("A", 2) + typist.send("A", 2) == b"aaa"
    assert typist.send("A", 0) == b""
    assert typist.translator.feed(Event(EV_REL, 0, 5)) == b""


def test_both_shifts_are_one() -> None:
    typist = Typist()
    typist.send("LEFTSHIFT", 1)
    typist.send("RIGHTSHIFT", 1)
    typist.send("LEFTSHIFT", 0)
    assert typist.type("A") == "A"
    typist.send("RIGHTSHIFT", 0)
    assert typist.type("A") == "a"
