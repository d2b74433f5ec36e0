"""Channels between threads, with or without a scheduler in them."""

from __future__ import annotations

from _collections import deque
from _thread import allocate_lock

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Cancelled, Closed, EndOfChannel, SchedulerEnded
from ovum.services.tasks.parking import Waiter
from ovum.services.tasks.traps import checkpoint, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar
    from typing import Generic as _Base

    from ovum.services.tasks.loop import Scheduler

    T = TypeVar("T")
else:
    from ovum.services.tasks._generic import T, _Base


class _Party:
    """Who waits for somebody to send or to receive. All but `told` is under the channel's lock."""

    __slots__ = ("error", "matched", "value")

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.error: BaseException | None = None
        self.matched = False
        """It is taken out of its queue: what was waited for has happened, or never will."""

    def told(self) -> None:
        """Wakes who waits."""
        raise NotImplementedError


class _ThreadParty(_Party):
    """A thread that blocks."""

    __slots__ = ("woken",)

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.woken = allocate_lock()
        self.woken.acquire()

    def told(self) -> None:
        self.woken.release()


class _TaskParty(_Party):
    """A task of some scheduler."""

    __slots__ = ("scheduler", "waiter")

    def __init__(self, scheduler: Scheduler, waiter: Waiter, value: Any = None) -> None:
        super().__init__(value)
        self.scheduler = scheduler
        self.waiter = waiter

    def told(self) -> None:
        if here.scheduler is self.scheduler:
            self._wake()
            return
        try:
            self.scheduler.call_soon(self._wake)
        except SchedulerEnded:
            # It has crashed: a scheduler that ends cancels its tasks, which withdraw.
            return

    def _wake(self) -> None:
        if self.error is None:
            self.waiter.wake(self.value)
        else:
            self.waiter.fail(self.error)


class _Wait:
    """What a task waits in."""

    __slots__ = ("_channel", "_queue", "_what", "party")

    def __init__(
        self, channel: ThreadChannel[Any], queue: deque[_Party], scheduler: Scheduler, value: Any
    ) -> None:
        self._channel = channel
        self._queue = queue
        self.party = _TaskParty(scheduler, Waiter(self), value)

    def abort(self, waiter: Waiter) -> bool:
        """The task is cancelled. Not so if the other side has come: the value is on its way."""
        return self._channel.withdraw(self._queue, self.party, Cancelled())

    def describe(self, waiter: Waiter) -> str:
        """What is waited for."""
        return self._channel.describe(self._queue)


class ThreadChannel(_Base[T]):
    """A channel between threads: tasks of any schedulers `await` its `send` and `receive`, plain
    threads call `put` and `get`, which block.

    `capacity`: how many values it holds that nobody has received yet; with 0 a send ends when a
    receiver has the value. Order and fairness are as in `Channel`; a cancelled operation has not
    happened, nor one that has raised TimeoutError. Not for signal handlers: these have
    `Scheduler.call_soon`.
    """

    def __init__(self, capacity: int = 0, name: str | None = None) -> None:
        if capacity < 0:
            raise ValueError(f"the capacity of a channel cannot be {capacity}")
        self._capacity = capacity
        self._name = name
        self._closed = False
        self._lock = allocate_lock()
        """Held for a few steps only, never while anything waits or another lock is taken."""
        self._buffer: deque[T] = deque()
        self._senders: deque[_Party] = deque()
        self._receivers: deque[_Party] = deque()

    def __repr__(self) -> str:
        return f"channel {self._name!r}" if self._name else f"channel {id(self):#x}"

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def closed(self) -> bool:
        """Whether it was closed. There may be values left to receive."""
        return self._closed

    # What both kinds of callers do.

    def _give(self, value: T) -> bool:
        """Under the lock: whether the value could be sent at once. Releases the lock then."""
        if self._closed:
            self._lock.release()
            raise Closed(f"{self!r} is closed")
        if self._receivers:
            receiver = self._receivers.popleft()
            receiver.value = value
            receiver.matched = True
            self._lock.release()
            receiver.told()
            return True
        if len(self._buffer) < self._capacity:
            self._buffer.append(value)
            self._lock.release()
            return True
        return False

    def _take(self) -> tuple[T] | None:
        """Under the lock: a value, if there is one. Releases the lock then."""
        sender = None
        value: T
        if self._buffer:
            value = self._buffer.popleft()
            if self._senders and len(self._buffer) < self._capacity:
                sender = self._senders.popleft()
                self._buffer.append(sender.value)
        elif self._senders:
            sender = self._senders.popleft()
            value = sender.value
        elif self._closed:
            self._lock.release()
            raise EndOfChannel(self)
        else:
            return None
        if sender is not None:
            sender.value = None
            sender.matched = True
        self._lock.release()
        if sender is not None:
            sender.told()
        return (value,)

    def withdraw(self, queue: deque[_Party], party: _Party, error: BaseException) -> bool:
        """Takes who waits out of the queue again, because of `error`. False: it is too late."""
        with self._lock:
            if party.matched:
                return False
            queue.remove(party)
            party.matched = True
            party.error = error
            return True

    def describe(self, queue: deque[_Party]) -> str:
        """What those in the queue wait for."""
        return f"{'send' if queue is self._senders else 'receive'} on {self!r}"

    # Tasks

    async def send(self, value: T) -> None:
        """Sends a value from a task; raises `Closed`. Checkpoint: as `Channel.send`."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        self._lock.acquire()
        if not self._give(value):
            await self._park(scheduler, self._senders, value)

    async def receive(self) -> T:
        """Receives a value in a task; raises `EndOfChannel`. Checkpoint: as `Channel.receive`."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        self._lock.acquire()
        found = self._take()
        if found is not None:
            return found[0]
        value: T = await self._park(scheduler, self._receivers, None)
        return value

    async def _park(self, scheduler: Scheduler, queue: deque[_Party], value: Any) -> Any:
        """Queues the task, releases the lock and waits."""
        wait = _Wait(self, queue, scheduler, value)
        queue.append(wait.party)
        self._lock.release()
        scheduler.guests += 1
        try:
            return await park(wait.party.waiter)
        finally:
            scheduler.guests -= 1

    def __aiter__(self) -> ThreadChannel[T]:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.receive()
        except EndOfChannel:
            raise StopAsyncIteration from None

    # Threads

    def put(self, value: T, timeout: float = -1) -> None:
        """Sends a value from a thread without a scheduler; blocks for so many seconds at most
        (-1: without limit). Raises TimeoutError, `Closed`."""
        self._lock.acquire()
        if not self._give(value):
            self._block(self._senders, _ThreadParty(value), timeout)

    def get(self, timeout: float = -1) -> T:
        """Receives a value in a thread without a scheduler; blocks for so many seconds at most
        (-1: without limit). Raises TimeoutError, `EndOfChannel`."""
        self._lock.acquire()
        found = self._take()
        if found is not None:
            return found[0]
        party = _ThreadParty()
        self._block(self._receivers, party, timeout)
        value: T = party.value
        return value

    def _block(self, queue: deque[_Party], party: _ThreadParty, timeout: float) -> None:
        """Queues the thread, releases the lock and waits."""
        queue.append(party)
        self._lock.release()
        try:
            if not party.woken.acquire(timeout=timeout):
                late = f"could not {self.describe(queue)} within {timeout:g} s"
                self.withdraw(queue, party, TimeoutError(late))
        except BaseException as error:
            # A signal's handler has raised. What had been received already must not be lost.
            withdrawn = self.withdraw(queue, party, error)
            if not withdrawn and party.error is None and queue is self._receivers:
                self._put_back(party.value)
            raise
        if party.error is not None:
            raise party.error

    def _put_back(self, value: T) -> None:
        with self._lock:
            if not self._receivers:
                self._buffer.appendleft(value)
                return
            receiver = self._receivers.popleft()
            receiver.value = value
            receiver.matched = True
        receiver.told()

    def __iter__(self) -> ThreadChannel[T]:
        return self

    def __next__(self) -> T:
        try:
            return self.get()
        except EndOfChannel:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the channel, from anywhere; may be called again. As `Channel.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            told = [*self._senders, *self._receivers]
            for party in self._senders:
                party.error = Closed(f"{self!r} was closed")
            for party in self._receivers:
                party.error = EndOfChannel(self)
            for party in told:
                party.matched = True
            self._senders.clear()
            self._receivers.clear()
        for party in told:
            party.told()
