"""A terminal's mode while a line is read: keys come at once and unechoed, Ctrl-C is a signal."""

from __future__ import annotations

import os
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_DISABLED = b"\0"
"""_POSIX_VDISABLE of Linux: no key is that character."""

PASTE_ON, PASTE_OFF = "\x1b[?2004h", "\x1b[?2004l"


class Reading:
    """`with Reading(0):` sets the mode of the terminal and takes it back."""

    def __init__(self, descriptor: int, output: int) -> None:
        self._descriptor = descriptor
        self._output = output

    def __enter__(self) -> None:
        self._before = termios.tcgetattr(self._descriptor)
        mode = termios.tcgetattr(self._descriptor)
        mode[0] &= ~(termios.ICRNL | termios.IXON | termios.INLCR | termios.ISTRIP)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        mode[6][termios.VMIN] = 1
        mode[6][termios.VTIME] = 0
        mode[6][termios.VSUSP] = mode[6][termios.VQUIT] = _DISABLED
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mode)
        os.write(self._output, PASTE_ON.encode())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._output, PASTE_OFF.encode())
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
