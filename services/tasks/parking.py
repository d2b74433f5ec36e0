"""Waiting: one wait, and the queue of those who wait for the same thing.

A wait ends in exactly one of two ways: somebody wakes it with a value, or it is aborted and leaves
no trace. Everything that blocks in this package is made of these.
"""

from __future__ import annotations

from _collections import deque

from ovum.services.tasks.traps import park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from ovum.services.tasks.task import Task

    class Lot(Protocol):
        """What a task can wait in."""

        def abort(self, waiter: Waiter) -> bool:
            """Forgets the wait. False: it may not be interrupted and goes on."""

        def describe(self, waiter: Waiter) -> str:
            """What is waited for, to be read after "waits to"."""


class Waiter:
    """One wait of one task.

    `task` is set by the scheduler when the task has stopped, and None again from the moment the
    wait is over: a waiter without a task is dead, wherever it may still be queued.
    """

    __slots__ = ("lot", "task", "ticket", "value")

    def __init__(self, lot: Lot, value: Any = None) -> None:
        self.lot = lot
        self.value = value
        self.task: Task[Any] | None = None
        self.ticket = 0
        """The entry among the deadlines that ends this wait; 0 is none."""

    def wake(self, value: Any = None) -> bool:
        """Makes the task ready; its `park` returns `value`. False when the wait was over already.

        Only from the scheduler's own thread (tasks, or its backend inside `wait`).
        """
        task = self.task
        if task is None:
            return False
        self.task = None
        task.made_ready(value)
        return True

    def fail(self, error: BaseException) -> bool:
        """Makes the task ready; its `park` raises `error`. False when the wait was over already."""
        task = self.task
        if task is None:
            return False
        self.task = None
        task.error = error
        task.made_ready(None)
        return True

    def expire(self) -> None:
        """Its deadline has passed."""
        self.ticket = 0
        self.wake()


_NOBODY: Sequence[Waiter] = ()


class Parking:
    """A first-in-first-out queue of waiting tasks.

    `purpose` says what is waited for, as a text to be read after "waits to"; with `owner`, its repr
    follows. Aborted waits stay queued as dead entries until they are popped or outnumber the
    others, so aborting costs O(1) on average however many wait.
    """

    __slots__ = ("_dead", "_owner", "_purpose", "queue")

    def __init__(self, purpose: str, owner: object = None) -> None:
        self._purpose = purpose
        self._owner = owner
        # An empty deque takes 760 bytes, and most queues never see anybody waiting.
        self.queue: Any = _NOBODY
        """Dead entries too; false only if nobody waits, which is the quick test."""
        self._dead = 0

    def __len__(self) -> int:
        return len(self.queue) - self._dead

    def __bool__(self) -> bool:
        return len(self.queue) > self._dead

    def add(self, waiter: Waiter) -> None:
        """Queues a wait at the end: it waits in here."""
        waiter.lot = self
        if self.queue is _NOBODY:
            self.queue = deque()
        self.queue.append(waiter)

    def pop(self) -> Waiter | None:
        """Takes out the wait that is longest here, or returns None. The caller must wake it."""
        queue = self.queue
        while queue:
            waiter: Waiter = queue.popleft()
            if waiter.task is not None:
                return waiter
            self._dead -= 1
        return None

    async def park(self, value: Any = None) -> Any:
        """Waits here until woken; returns what `wake…` was given.

        `value` is kept in the waiter for who wakes it. Checkpoint: yes. Cancelled: it is not
        queued any more.
        """
        waiter = Waiter(self, value)
        if self.queue is _NOBODY:
            self.queue = deque()
        self.queue.append(waiter)
        return await park(waiter)

    def wake_one(self, value: Any = None) -> bool:
        """Wakes the longest waiting task; False when nobody waits."""
        waiter = self.pop()
        return waiter is not None and waiter.wake(value)

    def wake_all(self, value: Any = None) -> int:
        """Wakes all that wait now, in their order, and returns how many."""
        count = 0
        while (waiter := self.pop()) is not None:
            waiter.wake(value)
            count += 1
        return count

    def abort(self, waiter: Waiter) -> bool:
        """Called by the scheduler: the wait is over, its entry is dead."""
        queue = self.queue
        if queue[-1] is waiter:
            queue.pop()
        elif queue[0] is waiter:
            queue.popleft()
        else:
            self._dead += 1
            if self._dead * 2 > len(queue):
                self.queue = deque(
                    other for other in queue if other.task is not None and other is not waiter
                )
                self._dead = 0
        return True

    def describe(self, waiter: Waiter) -> str:
        """What is waited for, as text."""
        return self._purpose if self._owner is None else f"{self._purpose} {self._owner!r}"
