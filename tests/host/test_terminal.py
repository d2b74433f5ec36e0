"""ovum.terminal: raw mode and back, and what is undone in a terminal."""

import os
import pty
import termios
from collections.abc import Iterator

import pytest

from ovum.terminal import ModeTracker, RawMode, guest_term, window_size


@pytest.fixture
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


def test_raw_mode_takes_every_byte_and_is_undone(terminal: int) -> None:
    before = termios.tcgetattr(terminal)
    with RawMode(terminal):
        raw = termios.tcgetattr(terminal)
        assert not raw[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        assert not raw[0] & (termios.ICRNL | termios.IXON)
        assert not raw[1] & termios.OPOST
    assert termios.tcgetattr(terminal) == before


def test_raw_mode_is_undone_after_an_error(terminal: int) -> None:
    before = termios.tcgetattr(terminal)
    with pytest.raises(RuntimeError), RawMode(terminal):
        raise RuntimeError
    assert termios.tcgetattr(terminal) == before


def test_a_terminal_without_a_size_has_the_usual_one(terminal: int) -> None:
    assert window_size(terminal) == (80, 24)
    termios.tcsetwinsize(terminal, (40, 132))
    assert window_size(terminal) == (132, 40)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_modes_left_on_are_undone_however_they_were_cut(size: int) -> None:
    tracker = ModeTracker()
    data = b"text\x1b[?2004h\x1b[31mred\x1b[?1049;1000h\x1b[?25lmore\x1b[?1000l"
    for at in range(0, len(data), size):
        tracker.feed(data[at : at + size])
    assert tracker.resets() == b"\x1b[?2004l\x1b[?1049l\x1b[?25h"


def test_a_program_that_cleans_up_leaves_nothing_to_undo() -> None:
    tracker = ModeTracker()
    tracker.feed(b"\x1b[?2004h\x1b[?25l>>> \x1b[?2004l\x1b[?25h")
    assert tracker.resets() == b""


def test_modes_that_nobody_knows_are_left_alone() -> None:
    tracker = ModeTracker()
    tracker.feed(b"\x1b[?9999h\x1b[?;h")
    assert tracker.resets() == b""


def test_the_terminal_type_is_one_that_the_guest_knows() -> None:
    assert guest_term({"TERM": "linux"}) == "linux"
    assert guest_term({"TERM": "xterm-kitty"}) == "xterm-256color"
    assert guest_term({}) == "dumb"
