"""Scan codes and mouse packets to events."""

from __future__ import annotations

import random

import pytest

from ovum.drivers.input import keys
from ovum.drivers.input.events import EV_KEY, EV_REL, EV_SYN, Event, Keyboard
from ovum.drivers.ps2.mouse import PacketDecoder
from ovum.drivers.ps2.scancode import Decoder

SET2 = {
    "76": "ESC", "05": "F1", "06": "F2", "04": "F3", "0c": "F4", "03": "F5", "0b": "F6", "83": "F7",
    "0a": "F8", "01": "F9", "09": "F10", "78": "F11", "07": "F12", "7e": "SCROLLLOCK",
    "0e": "GRAVE", "16": "1", "1e": "2", "26": "3", "25": "4", "2e": "5", "36": "6", "3d": "7",
    "3e": "8", "46": "9", "45": "0", "4e": "MINUS", "55": "EQUAL", "66": "BACKSPACE", "0d": "TAB",
    "15": "Q", "1d": "W", "24": "E", "2d": "R", "2c": "T", "35": "Y", "3c": "U", "43": "I",
    "44": "O", "4d": "P", "54": "LEFTBRACE", "5b": "RIGHTBRACE", "5d": "BACKSLASH",
    "58": "CAPSLOCK", "1c": "A", "1b": "S", "23": "D", "2b": "F", "34": "G", "33": "H", "3b": "J",
    "42": "K", "4b": "L", "4c": "SEMICOLON", "52": "APOSTROPHE", "5a": "ENTER",
    "12": "LEFTSHIFT", "61": "102ND", "1a": "Z", "22": "X", "21": "C", "2a": "V", "32": "B",
    "31": "N", "3a": "M", "41": "COMMA", "49": "DOT", "4a": "SLASH", "59": "RIGHTSHIFT",
    "14": "LEFTCTRL", "11": "LEFTALT", "29": "SPACE", "77": "NUMLOCK", "7c": "KPASTERISK",
    "7b": "KPMINUS", "79": "KPPLUS", "71": "KPDOT", "70": "KP0", "69": "KP1", "72": "KP2",
    "7a": "KP3", "6b": "KP4", "73": "KP5", "74": "KP6", "6c": "KP7", "75": "KP8", "7d": "KP9",
    "e0 1f": "LEFTMETA", "e0 14": "RIGHTCTRL", "e0 27": "RIGHTMETA", "e0 11": "RIGHTALT",
    "e0 2f": "COMPOSE", "e0 70": "INSERT", "e0 6c": "HOME", "e0 7d": "PAGEUP", "e0 71": "DELETE",
    "e0 69": "END", "e0 7a": "PAGEDOWN", "e0 75": "UP", "e0 6b": "LEFT", "e0 72": "DOWN",
    "e0 74": "RIGHT", "e0 4a": "KPSLASH", "e0 5a": "KPENTER", "e0 37": "POWER",
    "e0 3f": "SLEEP", "e0 5e": "WAKEUP", "e0 4d": "NEXTSONG", "e0 15": "PREVIOUSSONG",
    "e0 3b": "STOPCD", "e0 34": "PLAYPAUSE", "e0 23": "MUTE", "e0 32": "VOLUMEUP",
    "e0 21": "VOLUMEDOWN", "e0 50": "MEDIA", "e0 48": "MAIL", "e0 2b": "CALC",
    "e0 40": "COMPUTER", "e0 10": "SEARCH", "e0 3a": "HOMEPAGE", "e0 38": "BACK",
    "e0 30": "FORWARD", "e0 28": "STOP", "e0 20": "REFRESH", "e0 18": "BOOKMARKS",
    "51": "RO", "6a": "YEN", "64": "HENKAN", "67": "MUHENKAN", "13": "KATAKANAHIRAGANA",
    "6d": "KPCOMMA", "0f": "KPEQUAL", "08": "F13", "10": "F14", "18": "F15", "20": "F16",
    "28": "F17", "30": "F18", "38": "F19", "40": "F20", "48": "F21", "50": "F22", "57": "F23",
    "5f": "F24",
}  # fmt: skip
"""Scan code set 2, from Microsoft's "Keyboard Scan Code Specification", appendix A and C."""


def decode(decoder: Decoder, data: str) -> list[tuple[str, int]]:
    events = [event for byte in bytes.fromhex(data) for event in decoder.feed(byte)]
    return [(keys.NAMES[event.code].removeprefix("KEY_"), event.value) for event in events]


@pytest.mark.parametrize("code", SET2)
def test_every_key_of_set_2(code: str) -> None:
    decoder = Decoder(translated=False)
    name = SET2[code]
    prefix, _, last = code.rpartition(" ")
    released = f"{prefix} f0 {last}"
    assert decode(decoder, f"{code} {code} {released}") == [(name, 1), (name, 2), (name, 0)]
    assert (decoder.unknown, decoder.pressed) == (0, set())


@pytest.mark.parametrize("code", range(1, 0x54))
def test_every_key_of_set_1(code: int) -> None:
    decoder = Decoder()
    assert decoder.feed(code) == [Event(EV_KEY, code, 1)]
    assert decoder.feed(code | 0x80) == [Event(EV_KEY, code, 0)]


@pytest.mark.parametrize(
    ("translated", "sequence"),
    [(True, "e1 1d 45 e1 9d c5"), (False, "e1 14 77 e1 f0 14 f0 77")],
)
def test_pause_is_pressed_and_released_at_once(translated: bool, sequence: str) -> None:
    decoder = Decoder(translated)
    assert decode(decoder, sequence) == [("PAUSE", 1), ("PAUSE", 0)]
    assert decode(decoder, sequence) == [("PAUSE", 1), ("PAUSE", 0)]


def test_print_screen_has_false_shifts_and_another_code_with_alt() -> None:
    both = [("SYSRQ", 1), ("SYSRQ", 0)]
    assert decode(Decoder(), "e0 2a e0 37 e0 b7 e0 aa") == both
    assert decode(Decoder(), "e0 37 e0 b7") == both
    assert decode(Decoder(), "54 d4") == both
    assert decode(Decoder(False), "e0 12 e0 7c e0 f0 7c e0 f0 12") == both
    assert decode(Decoder(False), "84 f0 84") == both


def test_control_pause_is_break() -> None:
    assert decode(Decoder(), "e0 46 e0 c6") == [("PAUSE", 1), ("PAUSE", 0)]


def test_false_shifts_around_the_cursor_keys_are_left_out() -> None:
    """With Num Lock on, and with Shift held."""
    decoder = Decoder()
    assert decode(decoder, "e0 2a e0 48 e0 c8 e0 aa") == [("UP", 1), ("UP", 0)]
    assert decode(decoder, "2a e0 aa e0 48 e0 c8 e0 2a aa") == [
        ("LEFTSHIFT", 1), ("UP", 1), ("UP", 0), ("LEFTSHIFT", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_an_overrun_releases_what_was_pressed(byte: int) -> None:
    decoder = Decoder()
    assert decode(decoder, "1e 2a") == [("A", 1), ("LEFTSHIFT", 1)]
    assert decode(decoder, f"e0 {byte:02x}") == [("A", 0), ("LEFTSHIFT", 0)]
    assert decoder.overruns == 1
    # The prefix is forgotten, too.
    assert decode(decoder, "48") == [("KP8", 1)]


@pytest.mark.parametrize("translated", [True, False])
def test_any_bytes_give_keys_that_have_names_and_are_released(translated: bool) -> None:
    source = random.Random(7)
    decoder = Decoder(translated)
    keyboard = Keyboard()
    for _ in range(50_000):
        for event in decoder.feed(source.randrange(256)):
            assert event.code in keys.NAMES
            keyboard.feed(event)
        assert keyboard.pressed == decoder.pressed
    assert decoder.unknown
    for event in decoder.release_all():
        keyboard.feed(event)
    assert not keyboard.pressed


def test_locks_turn_with_presses_and_not_with_repeats() -> None:
    keyboard = Keyboard(num_lock=False)
    for lock, bit in ((keys.KEY_NUMLOCK, 1), (keys.KEY_CAPSLOCK, 2), (keys.KEY_SCROLLLOCK, 4)):
        assert keyboard.feed(Event(EV_KEY, lock, 1))
        assert not keyboard.feed(Event(EV_KEY, lock, 2))
        assert not keyboard.feed(Event(EV_KEY, lock, 0))
        assert keyboard.leds == bit
        assert keyboard.feed(Event(EV_KEY, lock, 1))
        keyboard.feed(Event(EV_KEY, lock, 0))
        assert keyboard.leds == 0


# Mouse packets


def packets(kind: int, *data: int) -> list[tuple[int, int, int]]:
    decoder = PacketDecoder(kind)
    events = [event for byte in data for event in decoder.feed(byte)]
    return [(e.type, e.code, e.value) for e in events if e.type != EV_SYN]


X, Y, WHEEL = (EV_REL, 0), (EV_REL, 1), (EV_REL, 8)


def button(code: int, value: int) -> tuple[int, int, int]:
    return (EV_KEY, code, value)


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (0, (0x08, 1, 2), [(*X, 1), (*Y, -2)]),
        (0, (0x38, 0xFF, 0xFE), [(*X, -1), (*Y, 2)]),
        (0, (0x18, 0x01, 0), [(*X, -255)]),
        (0, (0x28, 0, 0x00), [(*Y, 256)]),
        (0, (0x09, 0, 0, 0x08, 0, 0), [button(0x110, 1), button(0x110, 0)]),
        (0, (0x0E, 0, 0), [button(0x111, 1), button(0x112, 1)]),
        (0, (0x49, 9, 9), [button(0x110, 1)]),
        (3, (0x08, 0, 0, 0xFF), [(*WHEEL, 1)]),
        (3, (0x08, 0, 0, 0x02), [(*WHEEL, -2)]),
        (4, (0x08, 0, 0, 0x0F), [(*WHEEL, 1)]),
        (4, (0x08, 0, 0, 0x11), [button(0x113, 1), (*WHEEL, -1)]),
        (4, (0x08, 0, 0, 0x30, 0x08, 0, 0, 0x20),
         [button(0x113, 1), button(0x114, 1), button(0x113, 0)]),
        (4, (0x08, 0, 0, 0), []),
    ],
)  # fmt: skip
def test_packets(kind: int, data: tuple[int, ...], expected: list[tuple[int, int, int]]) -> None:
    assert packets(kind, *data) == expected


def test_a_lost_byte_costs_a_packet_or_two() -> None:
    decoder = PacketDecoder(0)
    stream = [0x08, 1, 0] * 3 + [1, 0] + [0x08, 1, 0] * 3
    moves = [event for byte in stream for event in decoder.feed(byte) if event.type == EV_REL]
    assert len(moves) == 6
    assert decoder.lost == 2


def test_a_pause_begins_a_packet() -> None:
    decoder = PacketDecoder(0)
    for byte in (0x08, 0x08):
        assert decoder.feed(byte, 0) == []
    second = 1_000_000_000
    events = [event for byte in (0x08, 3, 0) for event in decoder.feed(byte, second)]
    assert events == [Event(EV_REL, 0, 3), Event(EV_SYN, 0, 0)]
    assert decoder.lost == 2


@pytest.mark.parametrize("kind", [0, 3, 4])
def test_any_bytes_are_survived_and_packets_found_again(kind: int) -> None:
    source = random.Random(kind)
    decoder = PacketDecoder(kind)
    for _ in range(20_000):
        decoder.feed(source.randrange(256))
    second = 1_000_000_000
    decoder.feed(0x08, second)
    for byte in [0, 0] + [0] * (kind > 0):
        decoder.feed(byte, second)
    moved = [e for byte in [0x08, 7, 0] + [0] * (kind > 0) for e in decoder.feed(byte, second)]
    assert Event(EV_REL, 0, 7) in moved
