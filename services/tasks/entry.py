"""The doors into a scheduler from other threads: calls.

`Scheduler.call_soon` is the lowest of them, for functions that do not wait; here are calls of
`async` functions that are waited for. Values go through `threadchannel.ThreadChannel`, and the way
out, to functions that block, is `workers.to_thread`.
"""

from __future__ import annotations

from _contextvars import copy_context
from _thread import allocate_lock

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled, SchedulerEnded, TaskCancelled
from ovum.services.tasks.scope import timeout as _timeout
from ovum.services.tasks.task import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.task import Task

    T = TypeVar("T")


class ThreadCall:
    """A call that a thread asks a scheduler for: `begin` has it made, `wait` gives its result.

    It has a copy of the caller's context (contextvars). Raises RuntimeError in the scheduler's own
    thread, which would wait for itself.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        fn: Callable[..., Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
        name: str | None = None,
    ) -> None:
        if here.scheduler is scheduler:
            raise RuntimeError(f"{scheduler!r} runs in this very thread: await the function")
        self._scheduler = scheduler
        self._fn = fn
        self._args = args
        self._name = name_of(fn) if name is None else name
        self._context = copy_context()
        self._task: Task[Any] | None = None
        self._value: Any = None
        self._error: BaseException | None = None
        self._unfinished = allocate_lock()
        self._unfinished.acquire()

    def begin(self) -> None:
        """Has the call made. Raises `SchedulerEnded`."""
        self._scheduler.call_soon(self._begin)

    def _begin(self) -> None:
        if self._scheduler.ended:
            self.refuse()
            return
        self._scheduler.calls_from_threads[self] = None
        self._task = self._scheduler.spawn_now(self._run(), self._name, self._context)

    async def _run(self) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            value = await self._fn(*self._args)
        except Cancelled as cancelled:
            error = TaskCancelled("the call was cancelled in its scheduler")
            error.__cause__ = cancelled
            raise
        except BaseException as raised:
            error = raised
        finally:
            self._finish(value, error)

    def _finish(self, value: Any, error: BaseException | None) -> None:
        self._scheduler.calls_from_threads.pop(self, None)
        self._value = value
        self._error = error
        self._unfinished.release()

    def refuse(self) -> None:
        """Called when the scheduler has ended and the call has not."""
        self._finish(None, SchedulerEnded(f"{self._scheduler!r} has ended"))

    def wait(self, seconds: float = -1) -> Any:
        """Waits for the end of the call, for so many seconds (-1: without limit).

        Returns its result or raises what it has raised, `TaskCancelled` when it was cancelled, and
        TimeoutError: the call goes on then.
        """
        if not self._unfinished.acquire(timeout=seconds):
            raise TimeoutError(f"{self._name} is not done after {seconds:g} s")
        self._unfinished.release()
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self) -> None:
        """Cancels the call, if it has not ended. Any thread may."""
        if self._unfinished.locked():
            try:
                self._scheduler.call_soon(self._cancel)
            except SchedulerEnded:
                # So has the call.
                return

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def from_thread(
    scheduler: Scheduler,
    fn: Callable[..., Coroutine[Any, Any, T]],
    *args: Any,
    timeout: float | None = None,
) -> T:
    """Runs `fn(*args)` as a task of a scheduler that another thread runs, and waits for its result.

    It sees the caller's contextvars. `timeout`: seconds after which the call is cancelled, and
    TimeoutError raised; an exception in the waiting thread (a signal handler's) cancels it too.
    Raises what the function raises, `TaskCancelled`, `SchedulerEnded`, and RuntimeError in the
    scheduler's own thread.
    """
    if timeout is None:
        call = ThreadCall(scheduler, fn, args)
    else:
        call = ThreadCall(scheduler, _limited, (timeout, fn, args), name_of(fn))
    try:
        # Not earlier: from here on a signal's handler may raise.
        call.begin()
        result: T = call.wait()
    finally:
        # Does nothing when the call is what has ended the wait.
        call.cancel()
    return result


async def _limited(
    seconds: float, fn: Callable[..., Coroutine[Any, Any, Any]], args: tuple[Any, ...]
) -> Any:
    with _timeout(seconds):
        return await fn(*args)
