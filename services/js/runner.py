"""Running a program: `js.run`, and what is printed when it fails."""

from __future__ import annotations

import os
import sys

from ovum.services.js.context import Context
from ovum.services.js.errors import JSError

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
            return _status(error)
        except KeyboardInterrupt:
            return INTERRUPTED
        except JSError as error:
            print(report(error), file=sys.stderr)
            return 1
    return 0


def _status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def report(error: JSError) -> str:
    """What is printed for an error that nobody has caught."""
    return str(error)
