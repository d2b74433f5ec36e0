"""Cancel scopes: what can be cancelled, and when.

Each task has an innermost scope; scopes have parents, up to the scheduler's root. A scope is
`effective` while it, or one around it that no shield keeps out, is cancelled. Nothing lists the
scopes below a scope: they are found from the tasks, whose scopes form a chain upwards.
"""

from __future__ import annotations

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from ovum.services.tasks.task import Task

SECOND_NS = 1_000_000_000


LONGEST_S = (1 << 62) / SECOND_NS
"""146 years: no clock reaches it, and a sum with a time still fits into 64 bits."""


def seconds_to_ns(seconds: float) -> int:
    """The duration in nanoseconds, LONGEST_S at most. Raises ValueError for NaN."""
    if -LONGEST_S < seconds < LONGEST_S:
        return round(seconds * SECOND_NS)
    if seconds != seconds:
        raise ValueError("a duration cannot be NaN")
    return (1 << 62) if seconds > 0 else -(1 << 62)


class CancelScope:
    """`with CancelScope() as scope:` runs a block that can be cancelled.

    `deadline`: when it is cancelled by itself, in nanoseconds of `tasks.now()`; None is never.
    `shield`: cancellations from outside do not reach the block while it is true.

    After the block, `cancelled_caught` says whether it was left by a cancellation of this scope.
    """

    __slots__ = (
        "_deadline",
        "_shield",
        "cancel_called",
        "cancelled_caught",
        "effective",
        "expired",
        "host",
        "parent",
        "tasks",
        "ticket",
    )

    def __init__(self, *, deadline: int | None = None, shield: bool = False) -> None:
        self._deadline = deadline
        self._shield = shield
        self.parent: CancelScope | None = None
        self.host: Task[Any] | None = None
        """The task that is in the block."""
        self.tasks: dict[Task[Any], None] | None = None
        """The running tasks that were started in this scope, oldest first (an ordered set)."""
        self.cancel_called = False
        self.cancelled_caught = False
        self.expired = False
        """Whether the deadline has cancelled it."""
        self.effective = False
        self.ticket = 0

    def __repr__(self) -> str:
        state = " cancelled" if self.cancel_called else ""
        return f"<{type(self).__name__}{state} {id(self):#x}>"

    @property
    def deadline(self) -> int | None:
        """When the scope is cancelled by itself: nanoseconds of `tasks.now()`, or None."""
        return self._deadline

    @deadline.setter
    def deadline(self, deadline: int | None) -> None:
        self._deadline = deadline
        if self.host is not None:
            deadlines = self.host.scheduler.deadlines
            deadlines.discard(self)
            if deadline is not None and not self.cancel_called:
                deadlines.add(deadline, self)

    @property
    def shield(self) -> bool:
        """Whether cancellations from outside are kept out."""
        return self._shield

    @shield.setter
    def shield(self, shield: bool) -> None:
        self._shield = shield
        self._refresh()

    def cancel(self) -> None:
        """Cancels the block, and what was started in it: every checkpoint in it raises `Cancelled`.

        May be called at any time, again too. Only from the scheduler's own thread.
        """
        if not self.cancel_called:
            self.cancel_called = True
            self._refresh()

    def expire(self) -> None:
        """Called by the scheduler when the deadline has passed."""
        self.expired = not self.cancel_called
        self.cancel()

    def __enter__(self) -> CancelScope:
        scheduler = here.scheduler
        task = scheduler.current_task()
        if self.parent is not None:
            raise RuntimeError(f"{self!r} can be entered once only")
        self.host = task
        parent = self.parent = task.scope
        task.scope = self
        if self.cancel_called or (parent.effective and not self._shield):
            self.effective = True
            scheduler.credit = 0
        if self._deadline is not None and not self.cancel_called:
            scheduler.deadlines.add(self._deadline, self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.leave()
        if error is None:
            return False
        rest = self.absorb(error)
        if rest is None:
            return True
        if rest is not error:
            raise rest
        return False

    def leave(self) -> None:
        """Ends the block."""
        task = self.host
        if task is None or self.parent is None:
            raise RuntimeError(f"{self!r} was not entered, or left already")
        if task.scope is self:
            task.scope = self.parent
        elif task.scheduler.running_task is task:
            raise RuntimeError(f"{self!r} is left while a scope inside it is not")
        else:
            self._leave_from_outside(task)
        self.host = None
        if self.ticket:
            task.scheduler.deadlines.discard(self)
        if self.parent.effective:
            task.scheduler.credit = 0

    def _leave_from_outside(self, task: Task[Any]) -> None:
        """An asynchronous generator that the task has dropped is closed by another task: the
        scopes that the task has entered since are below the one around this now."""
        inner = task.scope
        while inner.parent is not self:
            if inner.parent is None:
                raise RuntimeError(f"{self!r} is left by a task that is not in it")
            inner = inner.parent
        inner.parent = self.parent
        inner._refresh()

    def absorb(self, error: BaseException) -> BaseException | None:
        """What is left of `error` outside of this scope: without its own cancellation.

        While an outer scope is cancelled too, the exception is meant for that one.
        """
        assert self.parent is not None
        if not self.cancel_called or (self.parent.effective and not self._shield):
            return error
        if isinstance(error, Cancelled):
            self.cancelled_caught = True
            return None
        if isinstance(error, BaseExceptionGroup):
            cancelled, rest = error.split(Cancelled)
            if cancelled is not None:
                self.cancelled_caught = True
                return rest
        return error

    def adopt(self, parent: CancelScope, task: Task[Any]) -> None:
        """Makes this scope, which nobody has entered, one around all of `task`, below `parent`."""
        self.parent = parent
        self.host = task
        self._refresh()

    def _compute(self) -> None:
        parent = self.parent
        self.effective = self.cancel_called or (
            parent is not None and not self._shield and parent.effective
        )

    def _refresh(self) -> None:
        """Recomputes `effective` from here downwards and interrupts those who are cancelled now."""
        self._compute()
        # Pairs of a scope that is up to date and a task somewhere below it. The list grows.
        work: list[tuple[CancelScope, Task[Any]]] = []
        if self.host is not None:
            work.append((self, self.host))
        if self.tasks:
            work.extend((self, task) for task in self.tasks)
        for above, task in work:
            chain: list[CancelScope] = []
            scope = task.scope
            while scope is not above:
                chain.append(scope)
                assert scope.parent is not None
                scope = scope.parent
            for scope in reversed(chain):
                scope._compute()
                if scope.tasks:
                    work.extend((scope, other) for other in scope.tasks)
            if task.scope.effective:
                task.interrupt_by_scope()


class Timeout(CancelScope):
    """A scope whose deadline lies a number of seconds after it is entered."""

    __slots__ = ("_raises", "_seconds")

    def __init__(self, seconds: float, *, raises: bool, shield: bool) -> None:
        super().__init__(shield=shield)
        if seconds != seconds:
            raise ValueError("a timeout cannot be NaN")
        self._seconds = seconds
        self._raises = raises

    def __enter__(self) -> Timeout:
        self._deadline = here.scheduler.now() + seconds_to_ns(self._seconds)
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        swallowed = super().__exit__(kind, error, trace)
        if swallowed and self._raises and self.expired:
            raise TimeoutError(f"not done within {self._seconds:g} s") from error
        return swallowed


def timeout(seconds: float, *, shield: bool = False) -> Timeout:
    """`with timeout(2):` cancels the block after that many seconds, and raises TimeoutError.

    Cancelled otherwise (`scope.cancel()`), it raises nothing.
    """
    return Timeout(seconds, raises=True, shield=shield)


def move_on_after(seconds: float, *, shield: bool = False) -> Timeout:
    """`with move_on_after(2) as scope:` cancels the block after that many seconds and goes on
    behind it; `scope.cancelled_caught` says whether that happened."""
    return Timeout(seconds, raises=False, shield=shield)
