"""What `process` is made of: the program's words, environment, clocks, signals and end."""

from __future__ import annotations

import _signal as signal
import os
import sys
import time

from ovum.services.js.errors import BigInt, JSError, JSThrow
from ovum.services.js.objects import JSObject
from ovum.services.js.plain import quoted, read_file
from ovum.services.tasks import SchedulerEnded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.objects import JSFunction


def _number(name: str) -> int | None:
    """A signal's number, None for what is no signal."""
    found = getattr(signal, name, None) if name.startswith("SIG") else None
    return found if isinstance(found, int) else None


def environment() -> str:
    """The variables of the environment, as JSON."""
    pairs = (f"{quoted(name)}:{quoted(value)}" for name, value in os.environ.items())
    return f"{{{','.join(pairs)}}}"


class Signals:
    """Signals that a program listens for, as callbacks in its loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._before: dict[int, Any] = {}

    def watch(self, name: str, callback: JSFunction) -> None:
        """Has `callback(number)` called in the loop when the signal comes.

        Raises a JavaScript error for a signal that cannot be caught, or off the main thread.
        """
        number = _number(name)
        if number is None or number in (signal.SIGKILL, signal.SIGSTOP):
            # A name that is no signal's is an event like any other.
            return
        context = self._context

        def handle(number: int, frame: object) -> None:
            try:
                context.loop.post_from_thread(callback, number)
            except SchedulerEnded:
                # The program has not come to its loop yet.
                context.loop.post(callback, number)

        try:
            before = signal.signal(number, handle)
        except (OSError, ValueError) as error:
            raise JSThrow("Error", f"{name} cannot be caught: {error}", code="EINVAL") from error
        if context.limits.is_own(before):
            before = signal.default_int_handler
        self._before.setdefault(number, before)

    def unwatch(self, name: str) -> None:
        """Puts back what was done with the signal before."""
        number = _number(name)
        if number in self._before:
            signal.signal(number, self._before.pop(number))


class Process:
    """The program's side that Python has, of one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._hooks: dict[str, JSFunction] = {}

    def attach(self, hooks: dict[str, JSFunction]) -> None:
        """Takes what JavaScript wants to be told of: `finish`, `beforeExit`, `uncaught`."""
        self._hooks = hooks
        loop = self._context.loop
        loop.on_uncaught = self._uncaught
        loop.on_idle = hooks["beforeExit"]
        self._context.on_exit = self._finish

    def _finish(self, status: int) -> int:
        return int(self._hooks["finish"](status or None))

    def _uncaught(self, error: BaseException, origin: str, promise: JSObject | None) -> bool:
        value: Any = error.value if isinstance(error, JSError) and error.value else error
        return bool(self._hooks["uncaught"](value, origin, promise))


def facts(context: Context) -> dict[str, Any]:
    """What does not change."""
    return {
        "argv": list(context.argv),
        "execPath": sys.executable or "/bin/ovum",
        "pid": os.getpid(),
        "ppid": os.getppid(),
    }


def memory(context: Context) -> list[int]:
    """Bytes: of the whole program, of the context's limit as far as it is used, and used."""
    pages = int(read_file("/proc/self/statm").split()[1])
    found = context.memory()
    return [
        pages * os.sysconf("SC_PAGESIZE"),
        found.get("malloc_size", 0),
        found.get("memory_used_size", 0),
    ]


def _kill(target: int, name: str | int) -> None:
    number = name if isinstance(name, int) else _number(name)
    if number is None:
        raise JSThrow("TypeError", f"Unknown signal: {name}", code="ERR_UNKNOWN_SIGNAL")
    os.kill(target, number)


def _umask(mask: int) -> int:
    if mask >= 0:
        return os.umask(mask)
    found = os.umask(0o022)
    os.umask(found)
    return found


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    own, signals = Process(context), Signals(context)
    begun = time.monotonic()

    def processor() -> list[int]:
        times = os.times()
        return [int(times.user * 1e6), int(times.system * 1e6)]

    def leave(status: int) -> None:
        raise SystemExit(status)

    functions: dict[str, Callable[..., Any]] = {
        "attach": own.attach,
        "builtin": context.require,
        "chdir": os.chdir,
        "cwd": os.getcwd,
        "environment": environment,
        "exit": leave,
        "facts": lambda: facts(context),
        "ids": lambda: [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
        "kill": _kill,
        "memory": lambda: memory(context),
        "nanoseconds": lambda: BigInt(time.monotonic_ns()),
        "nextTick": context.loop.next_tick,
        "processor": processor,
        "setVariable": os.environ.__setitem__,
        "umask": _umask,
        "unsetVariable": lambda name: os.environ.pop(name, None),
        "unwatch": signals.unwatch,
        "uptime": lambda: time.monotonic() - begun,
        "versions": versions,
        "watch": signals.watch,
    }
    return functions


def versions() -> dict[str, str]:
    """Of what is below."""
    from importlib.metadata import PackageNotFoundError, version

    from ovum import __version__

    try:
        engine = version("quickjs-ng")
    except PackageNotFoundError:
        engine = "unknown"
    return {"ovum": __version__, "quickjs": engine, "python": sys.version.split()[0]}
