"""`select`: waiting for the first of several things, and doing that one only.

A select that waits has an arm in the queue of each of its branches. The first arm that is woken
takes all the others out of their queues before anything else can run: no other branch has then
happened, or ever will.
"""

from __future__ import annotations

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import WouldBlock
from ovum.services.tasks.parking import Waiter
from ovum.services.tasks.scope import seconds_to_ns
from ovum.services.tasks.sync import Lock
from ovum.services.tasks.traps import checkpoint, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.tasks.channel import Channel
    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.parking import Parking
    from ovum.services.tasks.sync import Event, Semaphore
    from ovum.services.tasks.task import Task
    from ovum.services.tasks.threadchannel import ThreadChannel
    from ovum.services.tasks.threadparty import Selects


class Branch:
    """One of the things that a select can do. A branch may be used again, by one select at a time.

    For what is not here, write a subclass: `attempt`, and `queue` or `enlist`.
    """

    __slots__ = ()

    value: Any = None
    """What the waiter carries for the one who wakes it."""

    def attempt(self) -> Any:
        """Does it now and returns what it gives, or raises `WouldBlock` and has done nothing."""
        raise NotImplementedError

    def queue(self) -> Parking | Selects:
        """Where to wait for it."""
        raise NotImplementedError

    def enlist(self, scheduler: Scheduler, arm: Waiter) -> None:
        """Puts an arm where it will be woken; `arm.lot` takes it out again."""
        self.queue().add(arm)


class Receive(Branch):
    """Receives from a channel; gives the value. Raises `EndOfChannel`."""

    __slots__ = ("channel",)

    def __init__(self, channel: Channel[Any] | ThreadChannel[Any]) -> None:
        self.channel = channel

    def attempt(self) -> Any:
        return self.channel.receive_nowait()

    def queue(self) -> Parking | Selects:
        return self.channel.receivers


class Send(Branch):
    """Sends a value on a channel; gives None. Raises `Closed`."""

    __slots__ = ("channel", "value")

    def __init__(self, channel: Channel[Any] | ThreadChannel[Any], value: Any) -> None:
        self.channel = channel
        self.value = value

    def attempt(self) -> None:
        self.channel.send_nowait(self.value)

    def queue(self) -> Parking | Selects:
        return self.channel.senders


class Wait(Branch):
    """Waits for an event; gives None."""

    __slots__ = ("event",)

    def __init__(self, event: Event) -> None:
        self.event = event

    def attempt(self) -> None:
        if not self.event.is_set():
            raise WouldBlock(f"{self.event!r} is not set")

    def queue(self) -> Parking:
        return self.event.parking


class Acquire(Branch):
    """Takes a lock, or a permit of a semaphore; gives None. It is for the caller to release it.

    Raises RuntimeError if it would wait for a lock that this task holds.
    """

    __slots__ = ("what",)

    def __init__(self, what: Lock | Semaphore) -> None:
        self.what = what

    def attempt(self) -> None:
        self.what.acquire_nowait()

    def queue(self) -> Parking:
        if isinstance(self.what, Lock):
            self.what.check_waiting(here.scheduler.current_task())
        return self.what.parking


class Ended(Branch):
    """Waits for the end of a task, however it ends; gives the task."""

    __slots__ = ("task",)

    def __init__(self, task: Task[Any]) -> None:
        self.task = task

    def attempt(self) -> Task[Any]:
        if not self.task.done:
            raise WouldBlock(f"{self.task!r} has not ended")
        return self.task

    def queue(self) -> Parking:
        return self.task.joiners


class Until(Branch):
    """Waits until a time, in nanoseconds of `tasks.now()`; gives None."""

    __slots__ = ("deadline",)

    def __init__(self, deadline: int) -> None:
        self.deadline = deadline

    def attempt(self) -> None:
        if here.scheduler.now() < self.deadline:
            raise WouldBlock("it is not yet time")

    def enlist(self, scheduler: Scheduler, arm: Waiter) -> None:
        arm.lot = scheduler.deadlines
        arm.value = self.deadline
        scheduler.deadlines.add(self.deadline, arm)


class After(Until):
    """Waits that many seconds from now, from where this branch is made; gives None."""

    __slots__ = ()

    def __init__(self, seconds: float) -> None:
        super().__init__(here.scheduler.now() + seconds_to_ns(seconds))


class _Arm(Waiter):
    """The wait for one branch."""

    __slots__ = ("_branch", "_choice")

    def __init__(self, choice: _Choice, branch: Branch) -> None:
        super().__init__(choice, branch.value)
        self._choice = choice
        self._branch = branch

    def wake(self, value: Any = None) -> bool:
        if self.task is None:
            return False
        self._choice.settle(self)
        return self._choice.wake((self._branch, value))

    def fail(self, error: BaseException) -> bool:
        if self.task is None:
            return False
        self._choice.settle(self)
        return self._choice.fail(error)


class _Choice(Waiter):
    """The wait of a whole select, and its own lot."""

    __slots__ = ("_arms",)

    def __init__(self, scheduler: Scheduler, task: Task[Any], branches: tuple[Branch, ...]) -> None:
        super().__init__(self)
        self._arms: list[_Arm] = []
        try:
            for branch in branches:
                arm = _Arm(self, branch)
                branch.enlist(scheduler, arm)
                self._arms.append(arm)
        except BaseException:
            # The last first: nothing has come into the queues behind it.
            for arm in reversed(self._arms):
                arm.lot.abort(arm)
            raise
        for arm in self._arms:
            arm.task = task

    def settle(self, done: _Arm | None) -> None:
        """All arms are dead now; all but the one that was taken out to be woken leave their
        queues."""
        for arm in self._arms:
            # One after the other: in a queue, an arm that is dead counts as one that has left.
            if arm is not done:
                arm.lot.abort(arm)
            arm.task = None

    def abort(self, waiter: Waiter) -> bool:
        """The select is cancelled."""
        self.settle(None)
        return True

    def describe(self, waiter: Waiter) -> str:
        """All that is waited for."""
        return ", or ".join(arm.lot.describe(arm) for arm in self._arms)


async def select(*branches: Branch) -> tuple[Branch, Any]:
    """Waits until one of the branches can be done, does it, and returns it and what it gives.

    Exactly one is done. When several can be done at once, chance decides, so that none starves.
    Raises what a branch raises (`Closed`, `EndOfChannel`), and ValueError without a branch.
    Checkpoint: yes; it lets others run only if it waits, or every so often. Cancelled, no branch
    was done.
    """
    if not branches:
        raise ValueError("select needs a branch: without one it would wait for ever")
    scheduler = here.scheduler
    if scheduler.credit > 0:
        scheduler.credit -= 1
    else:
        await checkpoint()
    # A linear congruential generator (Knuth, TAOCP 3.2.1); the same choices in every run.
    scheduler.dice = dice = (scheduler.dice * 1_664_525 + 1_013_904_223) & 0xFFFF_FFFF
    first = (dice >> 16) % len(branches)
    for branch in branches[first:] + branches[:first]:
        try:
            return branch, branch.attempt()
        except WouldBlock:
            continue
    chosen: tuple[Branch, Any] = await park(_Choice(scheduler, scheduler.current_task(), branches))
    return chosen
