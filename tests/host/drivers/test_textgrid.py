"""What is written to the terminal, and what is then to be seen."""

from __future__ import annotations

import random
import unicodedata

import pytest

from ovum.drivers.display import sgr
from ovum.drivers.display.parser import Terminal
from ovum.drivers.display.textgrid import (
    BOLD,
    DEFAULT,
    DIRECT,
    REVERSE,
    UNDERLINE,
    Style,
    style,
    width_of,
)


def shown(data: str | bytes, columns: int = 10, rows: int = 4) -> list[str]:
    return screen(data, columns, rows).grid.text().split("\n")


def screen(data: str | bytes, columns: int = 10, rows: int = 4) -> Terminal:
    terminal = Terminal(columns, rows)
    terminal.feed(data.encode() if isinstance(data, str) else data)
    return terminal


FULL = "1111\r\n2222\r\n3333\r\n4444"

PICTURES = {
    "hello\r\nworld": ["hello", "world", "", ""],
    "one\ntwo": ["one", "   two", "", ""],
    "abc\rX": ["Xbc", "", "", ""],
    "abc\b\bX": ["aXc", "", "", ""],
    "\b\b!": ["!", "", "", ""],
    "a\tb": ["a       b", "", "", ""],
    "a\t\t\tb": ["a        b", "", "", ""],
    # Wrapping waits for the next character.
    "0123456789": ["0123456789", "", "", ""],
    "0123456789\r\nx": ["0123456789", "x", "", ""],
    "0123456789ab": ["0123456789", "ab", "", ""],
    "0123456789\bX": ["01234567X9", "", "", ""],
    "\x1b[?7l0123456789ab": ["012345678b", "", "", ""],
    "a" * 45: ["a" * 10, "a" * 10, "a" * 10, "a" * 5],
    # Scrolling.
    f"{FULL}\r\n5555": ["2222", "3333", "4444", "5555"],
    f"{FULL}\x1b[H\x1bMtop": ["top", "1111", "2222", "3333"],
    f"{FULL}\x1b[2;3r\x1b[3;1H\n": ["1111", "3333", "", "4444"],
    f"{FULL}\x1b[2;3r\x1b[2;1H\x1bM": ["1111", "", "2222", "4444"],
    f"{FULL}\x1b[2;3r\x1b[4;1H\nX": ["1111", "2222", "3333", "X444"],
    f"{FULL}\x1b[2S": ["3333", "4444", "", ""],
    f"{FULL}\x1b[T": ["", "1111", "2222", "3333"],
    f"{FULL}\x1b[99T": ["", "", "", ""],
    f"{FULL}\x1b[2;3r\x1b[99S": ["1111", "", "", "4444"],
    f"{FULL}\x1b[3;2r\x1b[1;1H\x1bM": ["", "1111", "2222", "3333"],
    # Moving.
    "\x1b[2;3HX": ["", "  X", "", ""],
    "\x1b[99;99HX": ["", "", "", "         X"],
    "\x1b[0;0HX": ["X", "", "", ""],
    "\x1b[3;5H\x1b[2A\x1b[3DX": [" X", "", "", ""],
    "\x1b[B\x1b[CX": ["", " X", "", ""],
    "\x1b[2;5H\x1b[FX\x1b[EY": ["X", "Y", "", ""],
    "\x1b[2;5H\x1b[3GX\x1b[3dY": ["", "  X", "   Y", ""],
    "\x1b[9IX\x1b[ZY": ["        YX", "", "", ""],
    "\x1b[2;3r\x1b[?6h\x1b[HX\x1b[9;1HY": ["", "X", "Y", ""],
    "ab\x1b7\x1b[3;3Hc\x1b8X": ["abX", "", "  c", ""],
    "ab\x1b[s\x1b[3;3Hc\x1b[uX": ["abX", "", "  c", ""],
    # Erasing.
    f"{FULL}\x1b[2;3H\x1b[K": ["1111", "22", "3333", "4444"],
    f"{FULL}\x1b[2;3H\x1b[1K": ["1111", "   2", "3333", "4444"],
    f"{FULL}\x1b[2;3H\x1b[2K": ["1111", "", "3333", "4444"],
    f"{FULL}\x1b[2;3H\x1b[J": ["1111", "22", "", ""],
    f"{FULL}\x1b[2;3H\x1b[1J": ["", "   2", "3333", "4444"],
    f"{FULL}\x1b[2J": ["", "", "", ""],
    f"{FULL}\x1b[3J": ["1111", "2222", "3333", "4444"],
    "123456\x1b[1;2H\x1b[3X": ["1   56", "", "", ""],
    # Inserting and deleting.
    "123456\x1b[1;2H\x1b[2@": ["1  23456", "", "", ""],
    "123456\x1b[1;2H\x1b[2P": ["1456", "", "", ""],
    "123456\x1b[1;2H\x1b[99P": ["1", "", "", ""],
    "123456\x1b[1;2H\x1b[4hab\x1b[4lX": ["1abX3456", "", "", ""],
    f"{FULL}\x1b[2;2H\x1b[LX": ["1111", "X", "2222", "3333"],
    f"{FULL}\x1b[2;2H\x1b[2MX": ["1111", "X444", "", ""],
    f"{FULL}\x1b[1;1H\x1b[M": ["2222", "3333", "4444", ""],
    f"{FULL}\x1b[2;3r\x1b[1;1H\x1b[M": ["1111", "2222", "3333", "4444"],
    "ab\x1b[3b": ["abbbb", "", "", ""],
    # The other screen.
    "main\x1b[?1049hother\x1b[?1049l!": ["main!", "", "", ""],
    "main\x1b[?1049h\x1b[Hother": ["other", "", "", ""],
    "\x1b[?47hA\x1b[?47lB\x1b[?47h": ["A", "", "", ""],
    "\x1b[?1047hA\x1b[?1047lB\x1b[?1047h": ["", "", "", ""],
    # Modes, characters, what is not to be seen.
    "\x1b[20ha\nb": ["a", "b", "", ""],
    "\x1b(0lqk\x1b(B|\x0e~\x0f": ["┌─┐|~", "", "", ""],
    "\x1b)0\x0elq\x0flq": ["┌─lq", "", "", ""],
    "\x1b]0;a title\x07x": ["x", "", "", ""],
    "\x1b]8;;http://a/\x1b\\x\x1b]8;;\x1b\\y": ["xy", "", "", ""],
    "\x1bPq#0;2;0;0;0\x1b\\x": ["x", "", "", ""],
    "\x1b[?2004h\x1b[>4;2m\x1b[2 q\x1b[?12lx": ["x", "", "", ""],
    "\x1b[1\r;31mx": ["x", "", "", ""],
    "\x1b[12\x1b[1mx": ["x", "", "", ""],
    "\x1b[12\x18x": ["x", "", "", ""],
    "a\x07\x00\x7f\x05b": ["ab", "", "", ""],
    "\x1b#8": ["EEEEEEEEEE"] * 4,
    "abc\x1bcX": ["X", "", "", ""],
    "ab\x1b[2;3r\x1b[!p\x1b[4;1H\nX": ["", "", "", "X"],
    "\x1b[3g\tX": ["         X", "", "", ""],
    "\x1b[1;3H\x1bH\r\tX": ["  X", "", "", ""],
    # Wide characters take two columns, marks none.
    "a漢b": ["a漢b", "", "", ""],
    "e\u0301a": ["ea", "", "", ""],
    "12345678漢漢": ["12345678漢", "漢", "", ""],
    "123456789漢": ["123456789", "漢", "", ""],
    "漢漢\x1b[1;2Hx": [" x漢", "", "", ""],
    "漢漢\x1b[1;3Hx": ["漢x", "", "", ""],
    "漢漢\x1b[1;2H\x1b[P": [" 漢", "", "", ""],
    "漢漢\x1b[1;4H\x1b[K": ["漢", "", "", ""],
}


@pytest.mark.parametrize("data", PICTURES)
def test_pictures(data: str) -> None:
    assert shown(data) == PICTURES[data]


@pytest.mark.parametrize("data", PICTURES)
def test_bytes_one_at_a_time_make_the_same_picture(data: str) -> None:
    terminal = Terminal(10, 4)
    for byte in data.encode():
        terminal.feed(bytes([byte]))
    assert terminal.grid.text().split("\n") == PICTURES[data]


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert shown(b"a\xffb\xc3(\xe2\x82x")[0] == "a\ufffdb\ufffd(\ufffdx"


REPLIES = {
    "\x1b[5n": "\x1b[0n",
    "\x1b[2;4H\x1b[6n": "\x1b[2;4R",
    "\x1b[2;3r\x1b[?6h\x1b[2;1H\x1b[6n": "\x1b[2;1R",
    "\x1b[?6n": "\x1b[?1;1R",
    "\x1b[c": "\x1b[?6c",
    "\x1bZ": "\x1b[?6c",
    "\x1b[>c": "\x1b[>0;0;0c",
    "\x1b[7n\x1b[=c\x1b[9c": "",
}


@pytest.mark.parametrize("data", REPLIES)
def test_replies(data: str) -> None:
    assert screen(data).replies.decode() == REPLIES[data]


LOOKS = {
    "1": style(flags=BOLD),
    "1;4;7": style(flags=BOLD | UNDERLINE | REVERSE),
    "1;22;4;24;7;27": style(),
    "31;42": style(1, 2),
    "91;102": style(9, 10),
    "38;5;208": style(208),
    "48;5;16": style(background=16),
    "38;5;256": style(),
    "38;2;1;2;3": style(DIRECT | 0x010203),
    "48;2;300;0;9": style(background=DIRECT | 0xFF0009),
    "38:2::1:2:3": style(DIRECT | 0x010203),
    "38:2:1:2:3": style(DIRECT | 0x010203),
    "38:5:9": style(9),
    "4:3": style(flags=UNDERLINE),
    "4;4:0": style(),
    "31;0": style(),
    "31;": style(),
    "31;39;41;49": style(),
    "38;5;1;1": style(1, flags=BOLD),
    "38;2;1": style(),
    "38": style(),
    "58;5;1;7": style(flags=REVERSE),
    "999;12345678901234567890;7": style(flags=REVERSE),
    "=7": style(),
}


@pytest.mark.parametrize("parameters", LOOKS)
def test_looks(parameters: str) -> None:
    cell = screen(f"\x1b[{parameters}mx").grid.lines[0].styles[0]
    wanted = LOOKS[parameters]
    assert (cell.foreground, cell.background, cell.flags) == (
        wanted.foreground, wanted.background, wanted.flags,
    )  # fmt: skip


def test_what_is_erased_has_the_background_that_is_chosen() -> None:
    grid = screen("\x1b[44;1m\x1b[2J").grid
    assert {(s.background, s.flags) for line in grid.lines for s in line.styles} == {(4, 0)}


@pytest.mark.parametrize(
    ("colour", "rgb"),
    [(16, 0), (21, 0x0000FF), (196, 0xFF0000), (231, 0xFFFFFF), (110, 0x87AFD7), (232, 0x080808),
     (255, 0xEEEEEE), (DIRECT | 0x123456, 0x123456)],
)  # fmt: skip
def test_the_palette_is_xterms(colour: int, rgb: int) -> None:
    assert sgr.rgb(colour) == rgb


def test_colours_to_be_seen() -> None:
    assert sgr.colours(style()) == (sgr.FOREGROUND, sgr.BACKGROUND)
    assert sgr.colours(style(flags=REVERSE)) == (sgr.BACKGROUND, sgr.FOREGROUND)
    assert sgr.colours(style(1, flags=BOLD))[0] == sgr.rgb(9)
    front, back = sgr.colours(style(3, flags=64))
    assert front == back
    assert sgr.basic(style(DIRECT | 0xFF0000, DIRECT | 0xFFFFFF)) == (1, 15)
    assert sgr.basic(Style(DEFAULT, DEFAULT, 0)) == (7, 0)


def test_modes_that_others_ask_for_are_kept() -> None:
    grid = screen("\x1b[?1h\x1b[?25l\x1b[?2004h").grid
    assert (grid.application_cursor, grid.cursor_visible, grid.bracketed_paste) == (
        True,
        False,
        True,
    )
    grid = screen("\x1b[?1;2004h\x1b[?25l\x1b[?25h\x1b[?1;2004l").grid
    assert (grid.application_cursor, grid.cursor_visible, grid.bracketed_paste) == (
        False,
        True,
        False,
    )


def test_widths_are_those_of_unicode() -> None:
    for character in "漢字かなカナ한글Ａ！🙂":
        assert unicodedata.east_asian_width(character) in "WF"
        assert width_of(character) == 2
    for character in "aäёשع│█◆�":
        assert width_of(character) == 1
    assert width_of("\u0308") == width_of("\u200d") == width_of("\ufe0f") == 0


def check(terminal: Terminal) -> None:
    """What is always true of a grid."""
    grid = terminal.grid
    assert len(grid.lines) == grid.rows
    for line in grid.lines:
        assert len(line.characters) == len(line.styles) == grid.columns
        assert all(len(character) <= 1 for character in line.characters)
        assert line.characters[0] != "" or grid.columns == 1
        for before, character in zip(line.characters, line.characters[1:], strict=False):
            assert character != "" or width_of(before) == 2
    assert 0 <= grid.cursor.row < grid.rows
    assert 0 <= grid.cursor.column < grid.columns
    assert 0 <= grid.top < grid.bottom <= grid.rows
    assert all(0 <= row < grid.rows for row in grid.dirty)


PIECES = [
    b"\x1b[", b"\x1b", b";", b"?", b"1", b"2", b"7", b"25", b"99999999999", b"1049",
    b"\r", b"\n", b"\t", b"\b", b"text", b"0123456789abc", b"\xcc\x81", b"m", b"\x1b]", b"\x07",
    b"\x1b(0", b"\x0e", b"4h", b"\x1b[2;3r", b"\x1b[?6h", b"\x1b[?7l", b"\x1b[38;5;", b"\x9b",
    b"\xe6\xbc\xa2",
    *(bytes([n]) for n in b"ABCDEFGHIJKLMPSTXZ@`abcdefghlnrsu78DEHMc#!p"),
]  # fmt: skip


@pytest.mark.parametrize("size", [(10, 4), (1, 1), (2, 2), (1, 5), (80, 25)])
@pytest.mark.parametrize("seed", range(12))
def test_any_bytes_leave_a_grid(size: tuple[int, int], seed: int) -> None:
    source = random.Random(seed)
    terminal = Terminal(*size)
    for _ in range(25):
        if seed % 2:
            data = bytes(source.randrange(256) for _ in range(100))
        else:
            data = b"".join(source.choice(PIECES) for _ in range(100))
        terminal.feed(data)
        check(terminal)
        terminal.replies.clear()


def test_a_sequence_without_an_end_does_not_swallow_the_rest() -> None:
    terminal = screen(b"\x1b[" + b"1" * 100_000 + b"x", columns=80)
    assert terminal.grid.text().endswith("1x")
    terminal = screen(b"\x1b]" + b"a" * 10_000)
    assert "a" in terminal.grid.text()
    assert screen(b"\x1b[100000000b" + b"x\x1b[999999999999b").grid.text() != ""
