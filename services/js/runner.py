"""Running a program: `js.run`, and what is printed when it fails."""

from __future__ import annotations

import os
import sys

from ovum.services.js.context import Context
from ovum.services.js.errors import JSError
from ovum.services.js.objects import JSObject, JSPromise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

INTERRUPTED = 130
"""The status after Ctrl-C, as shells have it."""

UNSETTLED = 13
"""The status when the program waits for a promise that nothing can settle any more; node's."""


LIMITS: dict[str, Any] = {}
"""Of the contexts of programs, as `Context` takes them."""


def run(program: str | os.PathLike[str], argv: Sequence[str] = ()) -> int:
    """Runs a program to its end and returns its exit status.

    `program`: the path of a file, or of a folder with a package.json or index.js; or source, if it
    has a line end or is no path's. `argv`: its arguments. It sees the whole environment. What it
    does not catch is printed on standard error, with its stack, and makes the status 1.
    """
    text = os.fspath(program)
    if "\n" in text:
        return run_source(text, argv)
    path = os.path.abspath(text)
    with Context(environment=None, argv=(path, *argv), **LIMITS) as context:
        return finish(context, lambda: context.modules.run_main(path))


def run_source(source: str, argv: Sequence[str] = (), *, show: bool = False) -> int:
    """The same for source. `show`: the value of its last statement is printed."""
    with Context(environment=None, argv=argv_of(argv), **LIMITS) as context:

        def begin() -> None:
            value = context.evaluate(source, os.path.join(os.getcwd(), "[eval]"))
            if show:
                print(value if isinstance(value, str) else context.inspect(value))

        return finish(context, begin)


def argv_of(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of a program that has no file."""
    return ("[eval]", *argv)


def finish(context: Context, begin: Callable[[], Any]) -> int:
    """Begins a program and runs its loop to the end; its exit status. Prints what nobody catches.

    The hook `context.on_exit` has the last word.
    """
    status = _finish(context, begin)
    if context.on_exit is not None:
        try:
            return context.on_exit(status)
        except SystemExit as error:
            return _status(error)
        except JSError as error:
            print(report(context, error), file=sys.stderr)
            return 1
    return status


def _finish(context: Context, begin: Callable[[], Any]) -> int:
    main = None
    try:
        try:
            main = begin()
        except JSError as error:
            # Somebody may want to know, and the program goes on.
            context.loop.uncaught(error)
        context.run()
    except SystemExit as error:
        return _status(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except JSError as error:
        sys.stdout.flush()
        print(report(context, error), file=sys.stderr)
        return 1
    if isinstance(main, JSPromise) and main.state == "pending":
        print("Warning: the program waits at its top for what can never come", file=sys.stderr)
        return UNSETTLED
    return context.exit_status


def _status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def report(context: Context, error: JSError) -> str:
    """What is printed for an error that nobody has caught: where, what, and both stacks."""
    parts = []
    place = _place(error.stack)
    shown = _source_line(*place) if place is not None else None
    if shown is not None:
        parts.append(shown)
    value = error.value
    if isinstance(value, JSObject):
        if value.context.is_error(value):
            parts.append(context.inspect(value))
            trace = value["pythonStack"]
            if trace:
                parts.append(f"\n{trace}")
        else:
            parts.append(f"Uncaught {context.inspect(value)}")
    elif value is None and (error.stack or error.name != "Uncaught"):
        parts.append(str(error))
    elif error.origin == "unhandledRejection":
        parts.append(
            "[UnhandledPromiseRejection: a promise was rejected that nothing handles, with the "
            f"reason {context.inspect(value)}]"
        )
    else:
        parts.append(f"Uncaught {context.inspect(value) if value is not None else error.message}")
    return "\n".join(parts)


def _place(stack: str) -> tuple[str, int, int] | None:
    """File, line and column of the innermost frame that is in a file."""
    for line in stack.splitlines():
        text = line.strip().removeprefix("at ")
        if text.endswith(")"):
            text = text[text.rfind("(") + 1 : -1]
        parts = text.rsplit(":", 2)
        if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
            if parts[0].startswith("/"):
                return parts[0], int(parts[1]), int(parts[2])
            return None
    return None


def _source_line(path: str, line: int, column: int) -> str | None:
    """The line with a mark below the column, as node shows it; None if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        return None
    if not 0 < line <= len(lines):
        return None
    text = lines[line - 1].rstrip("\r")
    if len(text) > 400:
        return f"{path}:{line}\n"
    # The engine counts bytes.
    before = text.encode("utf-8", "surrogatepass")[: column - 1].decode("utf-8", "replace")
    mark = "".join("\t" if char == "\t" else " " for char in before)
    return f"{path}:{line}\n{text}\n{mark}^\n"
