"""The host's terminal: raw mode and back, its size, and what a program left switched on in it."""

import os
import re
import termios
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from ovum.rootfs import TERMINALS

_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_LONGEST_SEQUENCE: Final = 32

_RESET: Final = {
    # Private modes of xterm that a program sets and must take back. The first is on by default.
    25: b"\x1b[?25h",
    **{
        mode: b"\x1b[?%dl" % mode
        for mode in (1, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004, 2026)
    },
}


class RawMode:
    """While entered, every byte typed is input and nothing is echoed or translated.

    The guest's terminal does all that. Leaving gives back the settings found at entry.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._saved: list[int | list[bytes | int]] = []

    def __enter__(self) -> "RawMode":
        self._saved = termios.tcgetattr(self._fd)
        raw = termios.tcgetattr(self._fd)
        raw[0] &= ~(  # c_iflag
            termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.INPCK
            | termios.ISTRIP | termios.IXON | termios.IXOFF | termios.PARMRK
        )  # fmt: skip
        raw[1] &= ~termios.OPOST  # c_oflag
        raw[2] = raw[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8  # c_cflag
        raw[3] &= ~(  # c_lflag
            termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN
        )
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0  # c_cc
        # Not flushing: what was typed while QEMU was being started is meant for the program.
        termios.tcsetattr(self._fd, termios.TCSADRAIN, raw)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._saved)


class ModeTracker:
    """Watches what goes to the terminal, to undo what a program did not live to undo itself."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Notes the modes that these bytes switch; sequences may be cut anywhere."""
        text = self._tail + data
        end = 0
        for match in _MODE.finditer(text):
            end = match.end()
            for number in match[1].split(b";"):
                self._note(int(number or b"0"), match[2] == b"h")
        # Only an unfinished sequence is kept, so that none is counted twice.
        start = text.rfind(b"\x1b", max(end, len(text) - _LONGEST_SEQUENCE))
        self._tail = text[start:] if start >= 0 else b""

    def _note(self, mode: int, switched_on: bool) -> None:
        default_on = mode == 25
        if mode in _RESET and switched_on != default_on:
            self._changed.add(mode)
        else:
            self._changed.discard(mode)

    def resets(self) -> bytes:
        """What brings the terminal back, empty if there is nothing to undo."""
        return b"".join(_RESET[mode] for mode in sorted(self._changed, reverse=True))


def window_size(fd: int) -> tuple[int, int]:
    """Columns and rows; 80 and 24 where the terminal does not know."""
    columns, rows = os.get_terminal_size(fd)
    return columns or 80, rows or 24


def in_foreground(fd: int) -> bool:
    """Whether this process may use the terminal without being stopped for it."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        # A terminal that is not the controlling one stops nobody.
        return True


def guest_term(environ: Mapping[str, str]) -> str:
    """The terminal type to tell the program.

    A type that the image has no description of is told as xterm-256color, which practically every
    terminal in use understands.
    """
    name = environ.get("TERM", "")
    if not name:
        return "dumb"
    return name if name in TERMINALS else "xterm-256color"
