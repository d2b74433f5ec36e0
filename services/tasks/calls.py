"""What other threads and signal handlers may ask of a scheduler: calls, and Ctrl-C."""

from __future__ import annotations

from _collections import deque

from ovum.services.tasks.current import OUTSIDE, here
from ovum.services.tasks.errors import SchedulerEnded
from ovum.services.tasks.traps import RESCHEDULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.tasks.backend import Backend
    from ovum.services.tasks.entry import ThreadCall
    from ovum.services.tasks.task import Task


class Doors:
    """The doors of a scheduler: the part of it that is not its thread's alone."""

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.name = name
        self.asleep = False
        """Whether it waits for the backend: who wants something has to wake it."""
        self.ended = False
        """Whether `run` is over, or about to be: no call of another thread begins any more."""
        self.calls_from_threads: dict[ThreadCall, None] = {}
        """The calls of other threads that have begun and not ended (an ordered set)."""
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._main: Task[Any] | None = None
        self._interrupted = False

    def __repr__(self) -> str:
        return f"<scheduler {self.name!r}>"

    def call_soon(self, fn: Callable[..., object], *args: Any) -> None:
        """Has `fn(*args)` called in the scheduler's thread, between two tasks, in the calls'
        order.

        The door for other threads, and for signal handlers. `fn` must not raise: that crashes the
        scheduler. Raises `SchedulerEnded`.
        """
        call = (fn, args)
        self._calls.append(call)
        if self.ended:
            # Its last calls may have been made before this one was there.
            try:
                self._calls.remove(call)
            except ValueError:
                return
            raise SchedulerEnded(f"{self!r} has ended")
        # The scheduler says that it is asleep before it looks at the calls for the last time: one
        # of the two sides sees the other.
        if self.asleep:
            self.backend.wake()

    def interrupt_main(self) -> bool:
        """Raises KeyboardInterrupt in the main task, where it waits or at its next checkpoint; when
        it has ended, at the end of `run`.

        For a handler of SIGINT. False when an earlier one has not been raised yet, or when `run`
        is over.
        """
        if self._interrupted or self.ended:
            return False
        self._interrupted = True
        if self.asleep:
            self.backend.wake()
        return True

    def _interrupt_main(self) -> None:
        """Tried between the steps until it can be done: a wait can be ended, and a checkpoint
        raise, but what has been woken has got its value and goes on."""
        main = self._main
        if main is None or main.done:
            return
        if main.waiter is RESCHEDULE:
            main.error = KeyboardInterrupt()
        elif not main.interrupt(KeyboardInterrupt()):
            return
        self._interrupted = False

    def _make_calls(self) -> None:
        calls = self._calls
        for _ in range(len(calls)):
            try:
                fn, args = calls.popleft()
            except IndexError:
                # At the end, a thread has taken its call back.
                return
            fn(*args)

    def _make_last_calls(self) -> None:
        """The scheduler ends: nobody who has called it waits for ever."""
        self.ended = True
        try:
            while self._calls:
                try:
                    self._make_calls()
                except Exception as error:
                    from ovum.services.tasks.instrument import log_failed

                    log_failed(f"one of the last calls of {self!r}", error)
        finally:
            here.scheduler = OUTSIDE
            for call in list(self.calls_from_threads):
                call.refuse()
