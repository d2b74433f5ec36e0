"""Time: waiting for it to pass."""

from __future__ import annotations

from ovum.services.tasks.current import current_scheduler, here
from ovum.services.tasks.parking import Parking, Waiter
from ovum.services.tasks.scope import seconds_to_ns
from ovum.services.tasks.traps import checkpoint, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def now() -> int:
    """The time of the running scheduler's clock, in nanoseconds. Raises `NotInTask` without one."""
    return current_scheduler().now()


async def sleep(seconds: float) -> None:
    """Waits that long; 0 or less lets all other ready tasks run once. Checkpoint: yes."""
    if seconds <= 0:
        await checkpoint()
        return
    scheduler = here.scheduler
    deadlines = scheduler.deadlines
    deadline = scheduler.now() + seconds_to_ns(seconds)
    waiter = Waiter(deadlines, deadline)
    deadlines.add(deadline, waiter)
    await park(waiter)


async def sleep_until(deadline: int) -> None:
    """Waits until the time is `deadline`, in nanoseconds of `now()`; if it has passed, lets all
    other ready tasks run once. Checkpoint: yes."""
    scheduler = here.scheduler
    if deadline <= scheduler.now():
        await checkpoint()
        return
    waiter = Waiter(scheduler.deadlines, deadline)
    scheduler.deadlines.add(deadline, waiter)
    await park(waiter)


async def sleep_forever() -> NoReturn:
    """Waits until it is cancelled. Checkpoint: yes."""
    await Parking("be cancelled").park()
    raise AssertionError("nobody can wake this")
