"""For tests of whatever runs on tasks: a clock that jumps, orders that are shuffled by a seed.

from ovum.services.tasks.testing import run

def test_something(): assert run(main, seed=7) == 42
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ovum.services.tasks.current import current_scheduler
from ovum.services.tasks.errors import Deadlock
from ovum.services.tasks.loop import Scheduler
from ovum.services.tasks.task import Task
from ovum.services.tasks.traps import checkpoint

T = TypeVar("T")


class VirtualBackend:
    """A backend whose time stands still while tasks run, and jumps to the next deadline.

    `wait(None)` is a deadlock and raises `Deadlock`, unless calls in other threads are under way
    (`to_thread`): then it waits for these, in real time.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self.time_ns = start_ns
        self.scheduler: Scheduler | None = None
        self.polls = 0
        """How often `wait` was asked to look only."""
        self.waits: list[int | None] = []
        """All other deadlines that `wait` was given."""
        self._woken = threading.Event()

    def now(self) -> int:
        """The virtual time."""
        return self.time_ns

    def wait(self, deadline: int | None) -> None:
        """Jumps to the deadline."""
        assert self.scheduler is not None
        if deadline is not None and deadline <= self.time_ns:
            self.polls += 1
            return
        self.waits.append(deadline)
        if self._woken.is_set() or self.scheduler.guests:
            self._woken.wait()
            self._woken.clear()
        elif deadline is None:
            raise Deadlock(self.scheduler.dump())
        else:
            self.time_ns = deadline

    def wake(self) -> None:
        """Ends a `wait`."""
        self._woken.set()


class SystemTaskFailed(AssertionError):
    """A system task ended with an exception, which a test must not overlook."""


def make_scheduler(seed: int | None = None, **options: Any) -> Scheduler:
    """A scheduler over a virtual clock, its ready tasks shuffled if there is a seed; `select`
    chooses by the seed too."""
    backend = VirtualBackend()
    shuffler = None if seed is None else random.Random(seed)
    scheduler = Scheduler(backend, name="test", shuffler=shuffler, **options)
    scheduler.dice = seed or 0
    backend.scheduler = scheduler
    return scheduler


def run(
    fn: Callable[..., Coroutine[Any, Any, T]], *args: Any, seed: int | None = None, **options: Any
) -> T:
    """Runs `fn(*args)` over a virtual clock and returns its result.

    With a seed, ready tasks run in an order that depends on it. A system task that fails makes this
    raise `SystemTaskFailed`.
    """
    crashes: list[tuple[Task[Any], BaseException]] = []
    options.setdefault("on_crash", lambda task, error: crashes.append((task, error)))
    result = make_scheduler(seed, **options).run(fn, *args)
    if crashes:
        task, error = crashes[0]
        raise SystemTaskFailed(f"{task!r} failed") from error
    return result


async def settle() -> None:
    """Lets all others run until nobody is ready any more but this task, and no call of another
    thread is to be made. Checkpoint: yes."""
    scheduler = current_scheduler()
    await checkpoint()
    while scheduler.ready or scheduler._calls:
        await checkpoint()


def spin(milliseconds: float) -> None:
    """Keeps the processor busy, for tests of what must not be kept waiting."""
    end = time.monotonic_ns() + int(milliseconds * 1e6)
    while time.monotonic_ns() < end:
        pass
