"""Who waits on a channel between threads: threads, tasks of any scheduler, branches of selects."""

from __future__ import annotations

from _collections import deque
from _thread import allocate_lock

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled, Closed, EndOfChannel, SchedulerEnded
from ovum.services.tasks.parking import Waiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.threadchannel import ThreadChannel


class Party:
    """Who waits to send or to receive. All but `told` is under the channel's lock."""

    __slots__ = ("channel", "error", "matched", "queue", "value")

    def __init__(self, channel: ThreadChannel[Any], queue: deque[Party], value: Any = None) -> None:
        self.channel = channel
        self.queue = queue
        """Where it waits."""
        self.value = value
        self.error: BaseException | None = None
        self.matched = False
        """It is taken out of its queue: what was waited for has happened, or never will."""

    def told(self) -> bool:
        """Wakes who waits; being told twice does no harm. False: nobody is there any more."""
        raise NotImplementedError

    def describe(self, waiter: Waiter) -> str:
        """What is waited for."""
        return self.channel.describe(self.queue)


class ThreadParty(Party):
    """A thread that blocks."""

    __slots__ = ("woken",)

    def __init__(self, channel: ThreadChannel[Any], queue: deque[Party], value: Any = None) -> None:
        super().__init__(channel, queue, value)
        self.woken = allocate_lock()
        self.woken.acquire()

    def told(self) -> bool:
        if self.woken.locked():
            self.woken.release()
        return True


class TaskParty(Party):
    """A task of some scheduler, and the lot in which it waits."""

    __slots__ = ("scheduler", "waiter")

    def __init__(
        self,
        channel: ThreadChannel[Any],
        queue: deque[Party],
        scheduler: Scheduler,
        value: Any = None,
    ) -> None:
        super().__init__(channel, queue, value)
        self.scheduler = scheduler
        self.waiter = Waiter(self)

    def told(self) -> bool:
        if here.scheduler is self.scheduler:
            self._wake()
            return True
        try:
            self.scheduler.call_soon(self._wake)
        except SchedulerEnded:
            # It has crashed: one that ends cancels its tasks, which withdraw.
            return False
        return True

    def _wake(self) -> None:
        if self.error is not None:
            self.waiter.fail(self.error)
        elif not self.scheduler.ended:
            self.waiter.wake(self.value)
        else:
            # It has crashed since it was told: this is one of its last calls.
            self.error = SchedulerEnded(f"{self.scheduler!r} has ended")
            self.channel.not_received(self)

    def abort(self, waiter: Waiter) -> bool:
        """The task is cancelled. Not so if the other side has come: the value is on its way."""
        return self.channel.withdraw(self, Cancelled())


class SelectParty(Party):
    """A branch of a select, and its lot. It is told when it may try again; nothing is handed to it.

    Another thread that did so would choose this branch, while its own thread chooses another.
    """

    __slots__ = ("_arm", "_scheduler")

    def __init__(
        self, channel: ThreadChannel[Any], queue: deque[Party], scheduler: Scheduler, arm: Waiter
    ) -> None:
        super().__init__(channel, queue, arm.value)
        self._arm = arm
        self._scheduler = scheduler

    def told(self) -> bool:
        try:
            self._scheduler.call_soon(self._try)
        except SchedulerEnded:
            return False
        return True

    def _try(self) -> None:
        """In the scheduler's thread: does it, or queues again."""
        if self._arm.task is None:
            return
        try:
            found = self.channel.try_or_queue(self)
        except (Closed, EndOfChannel) as error:
            self._arm.fail(error)
            return
        if found is not None:
            self._arm.wake(found[0])

    def abort(self, waiter: Waiter) -> bool:
        """The select is cancelled, or does another branch."""
        self.channel.withdraw(self, Cancelled())
        return True


class Selects:
    """Where the branches of selects wait on a channel; to a select, it is as a `Parking`."""

    __slots__ = ("_channel", "queue")

    def __init__(self, channel: ThreadChannel[Any]) -> None:
        self._channel = channel
        self.queue: deque[Party] = deque()

    def add(self, arm: Waiter) -> None:
        """Queues a branch, by its first try: something may have come since its select looked.
        Each is its own lot."""
        party = SelectParty(self._channel, self.queue, here.scheduler, arm)
        arm.lot = party
        party.told()


NOBODY: list[Party] = []
