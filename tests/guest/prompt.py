"""Python's prompt in a guest, on a pseudo-terminal, as somebody at the keyboard has it."""

import contextlib
import re
import sys
import termios
from collections.abc import Iterator
from typing import Final

import pexpect

from . import machine

PASTE_ON: Final = "\x1b[?2004h"
"""What the prompt of Python 3.13 begins with, and the basic one never sends: bracketed paste."""

UP: Final = "\x1bOA"
LEFT: Final = "\x1bOD"
CONTROL_A: Final = "\x01"
CONTROL_C: Final = "\x03"
CONTROL_D: Final = "\x04"

_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])")


class Prompt:
    """A conversation with the prompt."""

    def __init__(self, child: "pexpect.spawn[str]") -> None:
        self.child = child

    def ready(self) -> str:
        """Waits for the next prompt; what was printed before it, without its colours."""
        self.child.expect_exact(PASTE_ON)
        printed = plain(self.child.before or "")
        self.child.expect_exact(">>> ")
        return printed

    def enter(self, line: str) -> str:
        """Types a line and waits for the next prompt; what was printed in between."""
        self.child.send(line + "\r")
        # Editing ends here, and what the program prints begins.
        self.child.expect_exact("\x1b[?2004l")
        return self.ready()

    def end(self) -> int:
        """Waits for the machine's end; the status."""
        self.child.expect(pexpect.EOF)
        self.child.wait()
        return int(self.child.exitstatus if self.child.exitstatus is not None else -1)


def plain(text: str) -> str:
    """Text as it is read, without what only moves the cursor or colours."""
    return _SEQUENCE.sub("", text).replace("\r", "")


def spawn(*words: str, columns: int = 80, rows: int = 24) -> "pexpect.spawn[str]":
    """`ovum run` with these words on a terminal of its own."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "ovum", "run", *words],
        env=machine.environment(),
        dimensions=(rows, columns),
        timeout=machine.LIMIT_S,
        encoding="utf-8",
    )


@contextlib.contextmanager
def started(*words: str, columns: int = 80, rows: int = 24) -> Iterator["pexpect.spawn[str]"]:
    """The same, ended in any case."""
    child = spawn(*words, columns=columns, rows=rows)
    # Each key at once: the guest can take it.
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


@contextlib.contextmanager
def prompt(*words: str) -> Iterator[Prompt]:
    """A prompt that is ready."""
    with started(*words, columns=120, rows=40) as child:
        conversation = Prompt(child)
        conversation.ready()
        yield conversation


def settings(child: "pexpect.spawn[str]") -> list[object]:
    """The settings of the terminal, as termios knows them."""
    return list(termios.tcgetattr(child.child_fd))
