"""Stops code that runs too long: what a signal or a deadline does to a thread inside a module.

Compiled code does not look at Python's signals. While the main thread is in a module, the handlers
of signals are replaced by one that notes them, and each signal wakes the watcher, a thread, through
`signal.set_wakeup_fd`. The watcher lets the engine tick; the code, which looks at the tick at each
turn of a loop, calls `Guard.on_tick`, where the noted handlers run and may raise. They must not run
by themselves in a callback's first instruction: an exception there has no way to anybody.
"""

import _signal
import os
import select
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    from ovum.wasm.engine import Engine

HELD: "Final" = tuple(
    getattr(_signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGVTALRM", "SIGUSR1", "SIGUSR2")
)
"""The signals whose handlers wait while code of a module runs: those that programs use."""


class Guard:
    """One call from outside into modules, in one thread."""

    __slots__ = (
        *("_fd", "_handlers", "_parent", "_thread", "_watched"),
        *("deadline", "engine", "expired", "noted", "outside", "stopped"),
    )

    def __init__(self, engine: "Engine", timeout: float | None) -> None:
        self.engine = engine
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.expired = False
        self.stopped = False
        self.outside = 0
        """How many functions of Python's the code is in; signals are theirs then."""
        self.noted: list[int] = []
        self._thread = threading.get_ident()
        self._parent = _current.get(self._thread)
        self._handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._fd = -1
        self._watched = False

    def enter(self) -> None:
        """Begins to watch."""
        parent = self._parent
        if parent is not None and parent.deadline is not None:
            # A call within a call ends with it.
            self.deadline = min(parent.deadline, self.deadline or parent.deadline)
        main = self._thread == threading.main_thread().ident
        handlers = _handlers() if main else {}
        self._watched = bool(handlers) or self.deadline is not None
        if self._watched:
            _watcher.start()
        if handlers:
            self._handlers = handlers
            self._fd = _signal.set_wakeup_fd(_watcher.wakeup, warn_on_full_buffer=False)
            for number in handlers:
                _signal.signal(number, self._note)
        if self._watched:
            _watcher.add(self)
        _current[self._thread] = self

    def leave(self) -> None:
        """Ends to watch; runs the handlers of signals that came last."""
        if self._parent is None:
            del _current[self._thread]
        else:
            _current[self._thread] = self._parent
        if self._watched:
            _watcher.remove(self)
        if self._handlers:
            _signal.set_wakeup_fd(self._fd)
            for number, handler in self._handlers.items():
                _signal.signal(number, handler)
            self.handle()

    def _note(self, number: int, frame: "FrameType | None") -> None:
        if self.outside:
            self._handlers[number](number, frame)
        else:
            self.noted.append(number)

    def handle(self) -> None:
        """Runs the handlers of the signals that have come: they may raise."""
        while self.noted:
            number = self.noted.pop(0)
            self._handlers[number](number, None)

    @property
    def holding(self) -> bool:
        """Whether signals wait for the code to look."""
        return bool(self._handlers)

    def pass_on(self, data: bytes) -> None:
        """Gives the numbers of signals to whom they would have gone to, asyncio for one."""
        if self._fd >= 0:
            try:
                os.write(self._fd, data)
            except BlockingIOError:
                # It is full: whoever reads it has enough to do.
                return


_current: dict[int, Guard] = {}
"""The innermost guard of each thread."""


def _handlers() -> "dict[int, Callable[[int, FrameType | None], Any]]":
    found = ((number, _signal.getsignal(number)) for number in HELD)
    return {number: handler for number, handler in found if callable(handler)}


class _Watcher:
    """The thread that waits for signals and deadlines; it begins with the first guard."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards: list[Guard] = []
        self._started = False
        self._until: float | None = None
        self.wakeup = -1

    def add(self, guard: Guard) -> None:
        with self._lock:
            self._guards.append(guard)
            sooner = guard.deadline is not None and (
                self._until is None or guard.deadline < self._until
            )
        if sooner:
            os.write(self.wakeup, b"\0")

    def remove(self, guard: Guard) -> None:
        with self._lock:
            self._guards.remove(guard)

    def start(self) -> None:
        """Makes the thread if there is none."""
        with self._lock:
            if self._started:
                return
            self._started = True
        readable, self.wakeup = os.pipe()
        os.set_blocking(self.wakeup, False)
        threading.Thread(target=self._run, args=(readable,), name="wasm", daemon=True).start()

    def _run(self, readable: int) -> None:
        poll = select.poll()
        poll.register(readable, select.POLLIN)
        while True:
            with self._lock:
                deadlines = [one.deadline for one in self._guards if one.deadline is not None]
                self._until = min(deadlines, default=None)
            wait = None
            if self._until is not None:
                wait = max(0.0, self._until - time.monotonic()) * 1000 + 1
            came = b""
            if poll.poll(wait):
                came = os.read(readable, 4096).strip(b"\0")
            now = time.monotonic()
            with self._lock:
                guards = list(self._guards)
            for guard in guards:
                if guard.deadline is not None and guard.deadline <= now:
                    guard.deadline, guard.expired = None, True
                    guard.engine.tick()
                if came and guard.holding:
                    guard.pass_on(came)
                    guard.engine.tick()


_watcher: "Final" = _Watcher()
