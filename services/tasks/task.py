"""A task: a coroutine on its way, and what the scheduler knows of it."""

from __future__ import annotations

from _functools import partial

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled, TaskCancelled
from ovum.services.tasks.parking import Parking, Waiter
from ovum.services.tasks.scope import CancelScope
from ovum.services.tasks.traps import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Context
    from typing import Any, TypeVar
    from typing import Generic as _Base

    from ovum.services.tasks.group import Group
    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.traps import Reschedule

    T_co = TypeVar("T_co", covariant=True)
else:
    from ovum.services.tasks._generic import T_co, _Base


class Task(_Base[T_co]):
    """One task. Made by `Group.start`, `Scheduler.spawn` and `Scheduler.spawn_now` only."""

    __slots__ = (
        "_base",
        "_context",
        "_joiners",
        "_own",
        "coro",
        "cpu_ns",
        "done",
        "error",
        "group",
        "name",
        "resume",
        "scheduler",
        "scope",
        "value",
        "waiter",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        coro: Any,
        name: str | None,
        base: CancelScope,
        group: Group | None,
        context: Context | None,
    ) -> None:
        if not hasattr(coro, "cr_await"):
            raise TypeError(f"a task needs an async function; this one returned {coro!r}")
        self.scheduler = scheduler
        self.coro = coro
        self.name = coro.__qualname__ if name is None else name
        self.group = group
        self.scope = base
        """The innermost scope that the task is in."""
        self._base = base
        self._own: CancelScope | None = None
        self._context = context
        self.resume: Any = coro.send if context is None else partial(context.run, coro.send)
        self.value: Any = None
        """What the task gets when it goes on; when it is done, its result."""
        self.error: BaseException | None = None
        """What is raised in the task when it goes on; when it is done, what it has raised."""
        self.waiter: Waiter | Reschedule | None = None
        """What the task has stopped for. None while it runs and when it has been woken."""
        self.done = False
        self.cpu_ns = 0
        """How long its steps took, in nanoseconds of the scheduler's clock: it goes on while the
        task blocks, or another thread has the processor."""
        self._joiners: Parking | None = None
        if base.tasks is None:
            base.tasks = {}
        base.tasks[self] = None

    def __repr__(self) -> str:
        return f"<task {self.name!r} {self.state}>"

    @property
    def state(self) -> str:
        """`running`, `ready`, `waiting`, `done`, `failed` or `cancelled`."""
        if self.done:
            if self.error is None:
                return "done"
            return "cancelled" if isinstance(self.error, Cancelled) else "failed"
        if self.scheduler.running_task is self:
            return "running"
        waiter = self.waiter
        return "waiting" if isinstance(waiter, Waiter) and waiter.task is self else "ready"

    @property
    def waits_for(self) -> str | None:
        """What the task waits for, as text to be read after "waits to"; None when it does not."""
        waiter = self.waiter
        if isinstance(waiter, Waiter) and waiter.task is self:
            return waiter.lot.describe(waiter)
        return None

    @property
    def joiners(self) -> Parking:
        """Where tasks wait for the end of this one. Most tasks never have any."""
        if self._joiners is None:
            self._joiners = Parking("see the end of", self)
        return self._joiners

    async def wait(self) -> T_co:
        """Waits until the task is done and returns its result.

        Raises what the task has raised, or `TaskCancelled` when it was cancelled. Checkpoint: yes;
        it lets others run only if it blocks. Cancelled, the task itself is not touched.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if not self.done:
            if scheduler.running_task is self:
                raise RuntimeError(f"{self!r} waits for itself")
            await self.joiners.park()
        if self.error is not None:
            if isinstance(self.error, Cancelled):
                raise TaskCancelled(f"task {self.name!r} was cancelled") from self.error
            raise self.error
        result: T_co = self.value
        return result

    def cancel(self) -> None:
        """Cancels this task alone. Its group sees it end without an error.

        Only from the scheduler's own thread. Does nothing when the task is done.
        """
        if not self.done:
            self._own_scope().cancel()

    def _own_scope(self) -> CancelScope:
        """A scope around the whole task. Most tasks never need theirs, so it is put in later."""
        own = self._own
        if own is None:
            own = self._own = CancelScope()
            base = self._base
            assert base.tasks is not None
            # Above the task's outermost scope, or the task itself.
            if self.scope is base:
                self.scope = own
            else:
                outermost = self.scope
                while outermost.parent is not base:
                    assert outermost.parent is not None
                    outermost = outermost.parent
                outermost.parent = own
            own.adopt(base, self)
        return own

    # For the scheduler, scopes and waiters.

    def made_ready(self, value: Any) -> None:
        """A wait has ended with `value`."""
        self.value = value
        self.waiter = None
        self.scheduler.ready.append(self)

    def interrupt(self, error: BaseException) -> bool:
        """Ends what the task waits for, and raises `error` there. False if it does not wait."""
        waiter = self.waiter
        if (
            not isinstance(waiter, Waiter)
            or waiter.task is not self
            or not waiter.lot.abort(waiter)
        ):
            return False
        waiter.task = None
        self.error = error
        self.waiter = None
        self.scheduler.ready.append(self)
        return True

    def interrupt_by_scope(self) -> None:
        """Its scope is cancelled: a wait ends now; otherwise the next checkpoint raises."""
        if not self.interrupt(Cancelled()) and self.scheduler.running_task is self:
            self.scheduler.credit = 0

    def throw(self, error: BaseException) -> Any:
        """Runs the task by raising `error` where it has stopped."""
        if self._context is None:
            return self.coro.throw(error)
        return self._context.run(self.coro.throw, error)

    def finish(self, value: Any, error: BaseException | None) -> None:
        """The coroutine has returned `value` or raised `error`."""
        self.done = True
        self.value = value
        self.error = error
        self.waiter = None
        tasks = self._base.tasks
        assert tasks is not None
        del tasks[self]
        if self._joiners is not None:
            self._joiners.wake_all()
        own = self._own
        if own is not None and error is not None:
            error = own.absorb(error)
        if self.group is not None:
            self.group.child_done(error)
        else:
            self.scheduler.system_task_done(self, error)


def name_of(fn: object) -> str:
    """What to call a function, or whatever else is called as one (a partial has no name)."""
    name: str | None = getattr(fn, "__qualname__", None)
    return repr(fn) if name is None else name
