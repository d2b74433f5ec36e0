"""Tells the user on stderr what is being done and how long it took.

A step that found its result in a cache prints nothing, because `step` is entered only when there
is work to do. Standard output belongs to the user's program.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

TICK_S = 0.2
"""How often the live line is redrawn."""


class Progress:
    """Prints steps as they run: a live line on a terminal, one line per finished step elsewhere.

    `silent` prints nothing at all. `stream` and `clock` are arguments so that tests see both.
    """

    def __init__(
        self,
        *,
        silent: bool = False,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._silent = silent
        self._live = not silent and self._stream.isatty()
        self._clock = clock
        self._lock = threading.Lock()
        self._names: list[str] = []
        self._detail = ""

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One piece of work, shown with the time it takes. Steps may be nested."""
        if self._silent:
            yield
            return
        started = self._clock()
        done = threading.Event()
        painter: threading.Thread | None = None
        self._names.append(name)
        if self._live:
            self._paint(started)
            painter = threading.Thread(target=self._repaint, args=(done, started), daemon=True)
            painter.start()
        verdict = "failed"
        try:
            yield
            verdict = ""
        finally:
            done.set()
            if painter is not None:
                painter.join()
            self._names.pop()
            self._detail = ""
            self._finish(name, verdict, self._clock() - started)

    def detail(self, text: str) -> None:
        """What the running step is at; shown on the live line only."""
        self._detail = text

    def note(self, text: str) -> None:
        """A line the user should see, whether or not a step is running."""
        if self._silent:
            return
        with self._lock:
            self._erase()
            self._stream.write(f"ovum: {text}\n")
            self._stream.flush()

    def _erase(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")

    def _repaint(self, done: threading.Event, started: float) -> None:
        while not done.wait(TICK_S):
            self._paint(started)

    def _paint(self, started: float) -> None:
        parts = [*self._names, self._detail] if self._detail else self._names
        text = f"ovum: {' · '.join(parts)} … {self._clock() - started:.0f} s"
        with self._lock:
            # A line wider than the window would wrap, and only its last row be erased.
            self._stream.write("\r\x1b[K" + text[:79])
            self._stream.flush()

    def _finish(self, name: str, verdict: str, seconds: float) -> None:
        with self._lock:
            self._erase()
            mark = f" {verdict}" if verdict else ""
            self._stream.write(f"ovum: {name}{mark} ({seconds:.1f} s)\n")
            self._stream.flush()
