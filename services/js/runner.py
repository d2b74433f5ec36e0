"""Running a program: `js.run`, and what is printed when it fails."""

from __future__ import annotations

import os
import sys

from ovum.services.js.context import Context
from ovum.services.js.errors import JSError, LimitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""The status after Ctrl-C, as shells have it."""


def run(program: str | os.PathLike[str], argv: Sequence[str] = ()) -> int:
    """Runs a program to its end and returns its exit status.

    `program`: the path of a file, or of a folder with a package.json or index.js; or source, if it
    is text with a line end. `argv`: its arguments. It sees the whole environment. What it does not
    catch is printed on standard error, with its stack, and makes the status 1.
    """
    text = os.fspath(program)
    source = "\n" in text
    path = text if source else os.path.abspath(text)
    with Context(environment=None, argv=("[source]" if source else path, *argv)) as context:
        try:
            if source:
                context.evaluate(text, os.path.join(os.getcwd(), "[source]"))
            else:
                context.modules.run_main(path)
            context.run()
        except SystemExit as error:
            # JavaScript's own `process.exit`, which has told everybody.
            return _status(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        except JSError as error:
            print(report(context, error), file=sys.stderr)
            return _ended(context, 1)
        return _ended(context, None)


def _ended(context: Context, status: int | None) -> int:
    """Tells the program that it ends; the status may be its own."""
    parts = context.parts
    if parts is None or parts.finish is None:
        return status or 0
    try:
        return parts.finish(status)
    except SystemExit as error:
        return _status(error)
    except JSError as error:
        print(report(context, error), file=sys.stderr)
        return 1


def _status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def report(context: Context, error: JSError) -> str:
    """What is printed for an error that nobody has caught: as console.log shows it."""
    if context.parts is None or isinstance(error, LimitError) or error.value is None:
        return str(error)
    try:
        shown: str = context.parts.load("util").get("inspect")(error.value)
    except JSError:
        # A property of the error's that throws when it is looked at.
        return str(error)
    return shown if error.stack else f"Uncaught {shown}"
