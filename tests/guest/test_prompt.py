"""The prompt is CPython 3.13's own, with all of its line editing."""

import re
import time
import zlib
from collections.abc import Iterator

import pexpect
import pytest

from .prompt import CONTROL_A, CONTROL_C, CONTROL_D, LEFT, UP, Prompt, prompt, settings, started

PASTE = "\x1b[200~", "\x1b[201~"


@pytest.fixture(scope="module")
def shared() -> Iterator[Prompt]:
    """One prompt for the tests that leave it as they found it."""
    with prompt() as found:
        yield found


def test_it_greets_and_evaluates(shared: Prompt) -> None:
    assert shared.enter("print(6 * 7)") == "42\n"
    assert shared.enter("1 + 1") == "2\n"


def test_it_is_the_new_prompt(shared: Prompt) -> None:
    assert shared.enter("import sys; '_pyrepl.readline' in sys.modules") == "True\n"


def test_an_error_is_shown_and_the_prompt_goes_on(shared: Prompt) -> None:
    assert "ZeroDivisionError: division by zero" in shared.enter("1 / 0")
    assert shared.enter("'still ' + 'here'") == "'still here'\n"


def test_arrows_move_in_the_line(shared: Prompt) -> None:
    shared.child.send("print(1)" + LEFT + "23")
    assert shared.enter("") == "123\n"
    shared.child.send("(9)" + CONTROL_A)
    assert shared.enter("print") == "9\n"


def test_backspace_erases(shared: Prompt) -> None:
    assert shared.enter("print(5555\x7f\x7f\x7f)") == "5\n"


def test_history_comes_back_with_the_arrow(shared: Prompt) -> None:
    assert shared.enter("print('first' + ' line')") == "first line\n"
    assert shared.enter("print('second' + ' line')") == "second line\n"
    assert shared.enter(UP) == "second line\n"
    assert shared.enter(UP + UP + UP) == "first line\n"


def test_tab_completes(shared: Prompt) -> None:
    shared.enter("import sys")
    shared.child.send("sys.byteor\t")
    shared.child.expect_exact("byteorder")
    assert shared.enter("") == "'little'\n"


def test_a_block_is_edited_in_several_lines(shared: Prompt) -> None:
    shared.child.send("for n in range(3):\r")
    shared.child.expect_exact("... ")
    shared.child.send("print(n * 111)\r")
    assert shared.enter("") == "0\n111\n222\n"
    # The whole block comes back, and its last line can be changed.
    shared.child.send(UP)
    shared.child.expect_exact("n * 111")
    shared.child.send("\x7f + 1)\r")
    assert shared.enter("") == "1\n112\n223\n"


def test_unicode_is_typed_and_shown(shared: Prompt) -> None:
    assert shared.enter("print('ü' + 'ελ')") == "üελ\n"


def test_a_pasted_block_is_taken_as_it_is(shared: Prompt) -> None:
    """Bracketed paste: nothing is indented, and no line is run before the paste is over."""
    block = "for n in range(2):\n    if n:\n        print('pasted', n)"
    shared.child.send(block.join(PASTE))
    shared.child.expect_exact("'pasted', n")
    shared.child.send("\r")
    assert shared.enter("") == "pasted 1\n"


def test_ten_kilobytes_are_pasted_whole(shared: Prompt) -> None:
    lines = [f"    {n:04} the quick brown fox jumps over the lazy dog" for n in range(200)]
    text = "\n" + "\n".join(lines) + "\n"
    assert len(text) > 10_000
    shared.enter("import zlib")
    shared.child.send(f'text = """{text}"""'.join(PASTE))
    shared.enter("")
    assert shared.enter("len(text), zlib.crc32(text.encode())") == (
        f"({len(text)}, {zlib.crc32(text.encode())})\n"
    )


def test_control_c_at_the_prompt_drops_the_line(shared: Prompt) -> None:
    shared.child.send("this is not wanted")
    shared.child.expect_exact("wanted")
    shared.child.send(CONTROL_C)
    assert "KeyboardInterrupt" in shared.ready()
    assert shared.enter("7") == "7\n"


@pytest.mark.parametrize(
    "statement",
    ["while True: pass", "time.sleep(60)", "threading.Event().wait()"],
)
def test_control_c_interrupts(shared: Prompt, statement: str) -> None:
    """A timer says when the statement is under way.

    Python loses an interrupt that comes right before a sleep begins, on every system.
    """
    shared.enter("import threading, time")
    shared.enter("soon = lambda: threading.Timer(0.3, print, ['beg' + 'un']).start()")
    shared.child.send(f"soon()\r{statement}\r" + ("\r" if statement.startswith("while") else ""))
    shared.child.expect_exact("begun\r\n")
    started = time.monotonic()
    shared.child.send(CONTROL_C)
    assert "KeyboardInterrupt" in shared.ready()
    assert time.monotonic() - started < 30


def test_control_c_interrupts_a_loop_that_does_nothing(shared: Prompt) -> None:
    shared.child.send("while True: pass\r\r")
    # The end of editing: from here on the loop runs.
    shared.child.expect_exact("\x1b[?2004l")
    shared.child.send(CONTROL_C)
    assert "KeyboardInterrupt" in shared.ready()
    assert shared.enter("8") == "8\n"


def test_input_and_readline_have_the_terminal(shared: Prompt) -> None:
    shared.child.send("name = input('who? ')\r")
    shared.child.expect_exact("who? ")
    # Twice: in the echo of the statement and as the question itself.
    shared.child.expect_exact("who? ")
    shared.child.send("ovum\r")
    shared.ready()
    assert shared.enter("name") == "'ovum'\n"


def test_the_door_to_the_machine_is_documented(shared: Prompt) -> None:
    text = shared.enter("import _kernel; print(_kernel.in8.__doc__)")
    assert "I/O port" in text


@pytest.mark.parametrize("way_out", [CONTROL_D, "exit()\r", "exit\r", "quit()\r"])
def test_the_machine_powers_off_and_the_terminal_is_as_it_was(way_out: str) -> None:
    with started(columns=100, rows=30) as child:
        # Nothing has been read of it yet: ovum is still starting.
        before = settings(child)
        Prompt(child).ready()
        assert settings(child) != before
        child.send(way_out)
        child.expect(pexpect.EOF)
        assert settings(child) == before
        child.wait()
        assert child.exitstatus == 0
        switched = re.findall(r"\x1b\[\?(\d+)([hl])", str(child.before))
        assert dict(switched).get("2004") == "l"


def test_the_status_of_exit_is_the_status() -> None:
    with prompt() as found:
        found.child.send("exit(3)\r")
        assert found.end() == 3
