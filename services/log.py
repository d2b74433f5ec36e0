"""The kernel's log, for services: messages, and what went wrong, with where.

Stacks are formatted here rather than by `traceback`: it would look for the source lines, whose
files may be served by the very thread that formats.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

try:
    import _kernel
except ModuleNotFoundError:  # on the host, where services are tested
    _kernel = None  # type: ignore[assignment]

ERROR = 1
WARNING = 2
INFO = 3
DEBUG = 4


def log(level: int, text: str) -> None:
    """Writes a text to the kernel's log, each of its lines as a message of this level.

    The kernel's command line says up to which level messages are shown (`ovum.log`, and `ovum run
    -v`); all are kept for `dmesg`. On the host they go to standard error.
    """
    if _kernel is not None and _kernel.IN_RING0:
        _kernel.log(level, text)
    else:
        print(text, file=sys.stderr)


def dmesg() -> str:
    """The kernel's log: a line for each message, `<level>[seconds] text`; the oldest may be gone.

    Raises OSError(EPERM) outside a machine of ovum's.
    """
    if _kernel is None:
        raise PermissionError(1, "not in ring 0")
    return _kernel.read_log()[0].decode("utf-8", "replace")


def stack_lines(frame: FrameType | None) -> list[str]:
    """Where a frame and its callers are, the outermost first."""
    lines = []
    while frame is not None:
        lines.append(place(frame, frame.f_lineno))
        frame = frame.f_back
    return lines[::-1]


def error_lines(error: BaseException) -> list[str]:
    """What an exception says, where it was raised, and the same of those that caused it."""
    lines: list[str] = []
    if error.__cause__ is not None:
        lines += [*error_lines(error.__cause__), "which was the direct cause of:"]
    elif error.__context__ is not None and not error.__suppress_context__:
        lines += [*error_lines(error.__context__), "during whose handling came:"]
    lines += _traceback_lines(error.__traceback__)
    lines.append(f"{type(error).__qualname__}: {error}")
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, 1):
            lines.append(f"  {number} of {len(error.exceptions)}:")
            lines += [f"    {line}" for line in error_lines(part)]
    return lines


def log_error(text: str, error: BaseException) -> None:
    """Logs that something failed, and why."""
    log(ERROR, "\n".join([text, *error_lines(error)]))


def _traceback_lines(traceback: TracebackType | None) -> list[str]:
    lines = []
    while traceback is not None:
        lines.append(place(traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return lines


def place(frame: FrameType, line: int | None) -> str:
    """A line of a stack, as Python prints it."""
    return f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_qualname}'
