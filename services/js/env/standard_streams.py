"""Standard input for JavaScript: read in a task when it is asked for; and what terminals have."""

from __future__ import annotations

import os

from ovum.services import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.objects import JSFunction

CHUNK = 65536
"""Bytes that are read at once, at most."""


class Input:
    """Descriptor 0, read by one task at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._saved: list[Any] | None = None

    def read(self, done: JSFunction, failed: JSFunction) -> None:
        """Has `done(bytes)` called with what comes, None at the end, or `failed(error)`."""
        self._context.loop.start(self._read, done, failed, hold=False)

    async def _read(self, done: JSFunction, failed: JSFunction) -> None:
        loop = self._context.loop
        try:
            await tasks.wait_readable(0)
            data = os.read(0, CHUNK)
        except OSError as error:
            loop.post(failed, error)
        else:
            loop.post(done, data or None)

    def hold(self, wanted: bool) -> None:
        """Keeps the loop from ending, or no longer."""
        if wanted:
            self._context.loop.hold()
        else:
            self._context.loop.release()

    def set_raw(self, raw: bool) -> None:
        """Gives the terminal's keys to the program one by one, or lines again."""
        import termios
        import tty

        if raw and self._saved is None:
            self._saved = termios.tcgetattr(0)
            tty.setraw(0)
        elif not raw and self._saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self._saved)
            self._saved = None


def size(descriptor: int) -> list[int]:
    """Columns and rows of a terminal."""
    return list(os.get_terminal_size(descriptor))


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    own = Input(context)
    return {
        "hold": own.hold,
        "isTerminal": os.isatty,
        "read": own.read,
        "setRaw": own.set_raw,
        "size": size,
    }
