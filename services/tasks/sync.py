"""Events, locks, semaphores, conditions, for the tasks of one scheduler.

All queues are first-in-first-out, and what is freed is handed to the first who waits: nobody who
comes later can overtake. `async with` works where there is something to give back.
"""

from __future__ import annotations

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import WouldBlock
from ovum.services.tasks.parking import Parking
from ovum.services.tasks.scope import CancelScope
from ovum.services.tasks.traps import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.tasks.task import Task


class Event:
    """A flag that can be waited for. `set` and `clear` may be called by the backend too."""

    __slots__ = ("_name", "_set", "parking")

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._set = False
        self.parking = Parking("see", self)

    def __repr__(self) -> str:
        return f"event {self._name!r}" if self._name else f"event {id(self):#x}"

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Sets it and wakes all who wait. No checkpoint."""
        if not self._set:
            self._set = True
            self.parking.wake_all()

    def clear(self) -> None:
        """Takes it back: who waits from now on waits for the next `set`. No checkpoint."""
        self._set = False

    async def wait(self) -> None:
        """Waits until it is set. Checkpoint: yes; it lets others run only if it waits, or every so
        often. A `clear` right after `set` does not keep those waiting who waited before."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if not self._set:
            await self.parking.park()

    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self.parking)


class Semaphore:
    """A number of permits. `async with` takes one and gives it back."""

    __slots__ = ("_name", "_permits", "parking")

    def __init__(self, permits: int, name: str | None = None) -> None:
        if permits < 0:
            raise ValueError(f"a semaphore cannot have {permits} permits")
        self._permits = permits
        self._name = name
        self.parking = Parking("acquire", self)

    def __repr__(self) -> str:
        return f"semaphore {self._name!r}" if self._name else f"semaphore {id(self):#x}"

    @property
    def permits(self) -> int:
        """How many are left."""
        return self._permits

    async def acquire(self) -> None:
        """Takes a permit; waits until there is one. Checkpoint: yes; it lets others run only if it
        waits, or every so often. Cancelled: no permit was taken."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if self._permits:
            self._permits -= 1
        else:
            await self.parking.park()

    def acquire_nowait(self) -> None:
        """Takes a permit or raises `WouldBlock`. No checkpoint."""
        if not self._permits:
            raise WouldBlock(f"{self!r} has no permit left")
        self._permits -= 1

    def release(self) -> None:
        """Gives a permit back, whoever took it. No checkpoint."""
        if not self.parking.wake_one():
            self._permits += 1

    async def __aenter__(self) -> Semaphore:
        await self.acquire()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.release()


class Lock:
    """One task at a time. Not for the same task again: it would wait for itself, and is told so."""

    __slots__ = ("_name", "_owner", "parking")

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._owner: Task[Any] | None = None
        self.parking = Parking("acquire", self)

    def __repr__(self) -> str:
        return f"lock {self._name!r}" if self._name else f"lock {id(self):#x}"

    @property
    def owner(self) -> Task[Any] | None:
        """The task that holds it."""
        return self._owner

    def locked(self) -> bool:
        """Whether a task holds it."""
        return self._owner is not None

    async def acquire(self) -> None:
        """Waits until the lock is free and takes it.

        Raises RuntimeError when this task holds it. Checkpoint: yes; it lets others run only if it
        waits, or every so often. Cancelled: not taken.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        task = scheduler.current_task()
        if self._owner is None:
            self._owner = task
        else:
            self.check_waiting(task)
            await self.parking.park()

    def check_waiting(self, task: Task[Any]) -> None:
        """Raises RuntimeError if the task would wait for itself."""
        if self._owner is task:
            raise RuntimeError(f"{task!r} holds {self!r} already")

    def acquire_nowait(self) -> None:
        """Takes the lock or raises `WouldBlock`. No checkpoint."""
        if self._owner is not None:
            raise WouldBlock(f"{self!r} is held by {self._owner!r}")
        self._owner = here.scheduler.current_task()

    def release(self) -> None:
        """Gives the lock to the first who waits. Raises RuntimeError when this task does not hold
        it. No checkpoint."""
        if self._owner is not here.scheduler.current_task():
            raise RuntimeError(f"{self!r} is released by a task that does not hold it")
        waiter = self.parking.pop()
        if waiter is None:
            self._owner = None
        else:
            self._owner = waiter.task
            waiter.wake()

    async def __aenter__(self) -> Lock:
        await self.acquire()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.release()


class Condition:
    """A lock with a queue of those who wait for a change under it. `async with` holds the lock."""

    __slots__ = ("lock", "parking")

    def __init__(self, lock: Lock | None = None, name: str | None = None) -> None:
        self.lock = Lock(name) if lock is None else lock
        self.parking = Parking("be notified by a condition over", self.lock)

    async def wait(self) -> None:
        """Frees the lock, waits for a `notify`, and takes the lock again.

        Raises RuntimeError when this task does not hold the lock. Checkpoint: yes. Whatever it
        raises, Ctrl-C too, the lock is held again; cancelled, a notification may be used up, as the
        one who waited cannot tell: who notifies one of several should notify when the state has
        changed.
        """
        if self.lock.owner is not here.scheduler.current_task():
            raise RuntimeError(f"{self.lock!r} is not held by the task that waits")
        self.lock.release()
        try:
            await self.parking.park()
        except GeneratorExit:
            # The coroutine is being thrown away, with its scheduler: nothing can be awaited.
            raise
        except BaseException:
            await self._take_again()
            raise
        await self._take_again()

    async def _take_again(self) -> None:
        interrupt: KeyboardInterrupt | None = None
        with CancelScope(shield=True):
            while True:
                try:
                    await self.lock.acquire()
                    break
                except KeyboardInterrupt as error:
                    # Only Ctrl-C comes through the shield.
                    interrupt = error
        if interrupt is not None:
            raise interrupt

    def notify(self, count: int = 1) -> None:
        """Wakes the first `count` who wait. The lock must be held. No checkpoint."""
        self._check()
        for _ in range(count):
            if not self.parking.wake_one():
                break

    def notify_all(self) -> None:
        """Wakes all who wait. The lock must be held. No checkpoint."""
        self._check()
        self.parking.wake_all()

    def _check(self) -> None:
        if self.lock.owner is not here.scheduler.current_task():
            raise RuntimeError(f"{self.lock!r} is not held by the task that notifies")

    async def __aenter__(self) -> Condition:
        await self.lock.acquire()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.lock.release()
