"""`to_thread`: functions that block, in threads beside the scheduler's."""

from __future__ import annotations

from collections import deque
from contextvars import copy_context
from threading import Condition, Thread

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import SchedulerEnded
from ovum.services.tasks.parking import Waiter
from ovum.services.tasks.task import name_of
from ovum.services.tasks.traps import checkpoint, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ovum.services.tasks.loop import Scheduler

    T = TypeVar("T")

WORKERS = 32
"""Threads at most; further calls wait for one of them, in order."""

IDLE_S = 10.0
"""A thread that has had nothing to do for this long ends."""


class _Workers:
    """The threads: made when needed, ended when idle."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._work: deque[_Away] = deque()
        self._threads = 0
        self._idle = 0

    def submit(self, work: _Away) -> None:
        """Has a thread do it. Raises RuntimeError when no thread can be started."""
        with self._changed:
            self._work.append(work)
            if self._idle >= len(self._work) or self._threads >= WORKERS:
                self._changed.notify()
                return
            self._threads += 1
        try:
            Thread(target=self._main, name="ovum worker", daemon=True).start()
        except BaseException:
            with self._changed:
                self._threads -= 1
            # If it is gone, a thread that had been busy has it: all is well.
            if self.withdraw(work):
                raise

    def withdraw(self, work: _Away) -> bool:
        """Takes back what no thread has begun. False: one has."""
        with self._changed:
            try:
                self._work.remove(work)
            except ValueError:
                return False
            return True

    def _main(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                found = self._changed.wait_for(lambda: self._work, IDLE_S)
                self._idle -= 1
                if not found:
                    self._threads -= 1
                    return
                work = self._work.popleft()
            work.work()
            # An idle thread must not keep alive what it has worked with.
            del work


_workers = _Workers()


class _Away:
    """A call in another thread, as what a task waits in."""

    def __init__(
        self, scheduler: Scheduler, fn: Callable[..., Any], args: tuple[Any, ...], leave: bool
    ) -> None:
        self._scheduler = scheduler
        self._fn = fn
        self._args = args
        self._leave = leave
        self._context = copy_context()
        self.waiter = Waiter(self)

    def work(self) -> None:
        """In the other thread."""
        value, error = None, None
        try:
            value = self._context.run(self._fn, *self._args)
        except BaseException as raised:
            error = raised
        self._args = ()  # they may be large, and the waiter and this hold each other
        try:
            self._scheduler.call_soon(self._done, value, error)
        except SchedulerEnded:
            # The call was abandoned, or the scheduler has crashed: nobody waits.
            return

    def _done(self, value: Any, error: BaseException | None) -> None:
        self._scheduler.guests -= 1
        if error is None:
            self.waiter.wake(value)
        else:
            self.waiter.fail(error)

    def abort(self, waiter: Waiter) -> bool:
        """The task is cancelled: a thread cannot be stopped, only left to itself. A call that no
        thread has begun will never be made."""
        if _workers.withdraw(self):
            self._scheduler.guests -= 1
            return True
        return self._leave

    def describe(self, waiter: Waiter) -> str:
        """What is waited for."""
        return f"get the result of {name_of(self._fn)} from a thread"


async def to_thread(fn: Callable[..., T], *args: Any, abandon: bool = False) -> T:
    """Runs `fn(*args)`, which may block, in another thread, and returns its result.

    Raises what it raises, and RuntimeError when no thread can be started. It sees the task's
    contextvars. Checkpoint: yes. Cancelled before a thread has begun, it is never called. A
    function that runs cannot be stopped: this waits for its end, and the next checkpoint raises;
    with `abandon` it is left to itself, its result is dropped, and `Cancelled` raised at once.
    """
    scheduler = here.scheduler
    if scheduler.credit > 0:
        scheduler.credit -= 1
    else:
        await checkpoint()
    away = _Away(scheduler, fn, args, abandon)
    _workers.submit(away)
    scheduler.guests += 1
    result: T = await park(away.waiter)
    return result
