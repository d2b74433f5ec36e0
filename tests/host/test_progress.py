"""ovum.progress: what is printed, where, and when nothing is."""

import io

import pytest

from ovum.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_step_is_one_line_with_its_time() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(stream=stream, clock=clock).step("building"):
        clock.now += 2.5
    assert stream.getvalue() == "ovum: building (2.5 s)\n"


def test_a_step_that_fails_says_so_and_passes_the_error_on() -> None:
    stream = io.StringIO()
    with (
        pytest.raises(KeyError),
        Progress(stream=stream, clock=Clock()).step("building"),
    ):
        raise KeyError
    assert stream.getvalue() == "ovum: building failed (0.0 s)\n"


def test_a_terminal_shows_the_step_while_it_runs() -> None:
    stream = Terminal()
    with Progress(stream=stream, clock=Clock()).step("building"):
        assert stream.getvalue().endswith("ovum: building … 0 s")
    assert stream.getvalue().endswith("\r\x1b[Kovum: building (0.0 s)\n")


def test_the_live_line_never_wraps() -> None:
    stream = Terminal()
    with Progress(stream=stream, clock=Clock()).step("b" * 200):
        assert len(stream.getvalue().rpartition("\x1b[K")[2]) < 80


def test_an_inner_step_ends_before_the_outer_one() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream=stream, clock=clock)
    with progress.step("outer"):
        clock.now += 1
        with progress.step("inner"):
            clock.now += 1
    assert stream.getvalue() == "ovum: inner (1.0 s)\novum: outer (2.0 s)\n"


def test_silent_prints_nothing_at_all() -> None:
    stream = Terminal()
    progress = Progress(silent=True, stream=stream)
    with progress.step("building"):
        progress.detail("file")
        progress.note("something")
    assert stream.getvalue() == ""


def test_a_note_is_a_line_of_its_own() -> None:
    stream = io.StringIO()
    Progress(stream=stream).note("no mirror")
    assert stream.getvalue() == "ovum: no mirror\n"
