"""Channels between threads, with or without a scheduler in them."""

from __future__ import annotations

from _collections import deque
from _thread import allocate_lock

from ovum.services.tasks.channel import ChannelStatistics
from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Closed, EndOfChannel, WouldBlock
from ovum.services.tasks.threadparty import NOBODY, Selects, TaskParty, ThreadParty
from ovum.services.tasks.traps import checkpoint, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar
    from typing import Generic as _Base

    from ovum.services.tasks.threadparty import Party

    T = TypeVar("T")
else:
    from ovum.services.tasks._generic import T, _Base


class ThreadChannel(_Base[T]):
    """A channel between threads: tasks of any schedulers `await` its `send` and `receive`, plain
    threads call `put` and `get`, which block.

    `capacity`: how many values it holds that nobody has received yet; with 0 a send ends when a
    receiver has the value. Order and fairness are as in `Channel`; a cancelled operation has not
    happened, nor one that has raised TimeoutError. Not for signal handlers: these have
    `Scheduler.call_soon`.

    It can be a branch of a select. Those who wait for this channel only are served first then, and
    two selects meet only over a buffer: neither offers anything before it is sure of it.
    """

    def __init__(self, capacity: int = 0, name: str | None = None) -> None:
        if capacity < 0:
            raise ValueError(f"the capacity of a channel cannot be {capacity}")
        self._capacity = capacity
        self._name = name
        self._closed = False
        # Held for a few steps only, never while anything waits or another lock is taken. A signal's
        # handler may raise when a call begins or returns: what belongs together under the lock has
        # no call in between, and who was taken out of a queue is told whatever is raised.
        self._lock = allocate_lock()
        self._buffer: deque[T] = deque()
        self._senders: deque[Party] = deque()
        self._receivers: deque[Party] = deque()
        self.senders = Selects(self)
        """The branches of selects that would send."""
        self.receivers = Selects(self)
        """The branches of selects that would receive."""

    def __repr__(self) -> str:
        return f"channel {self._name!r}" if self._name else f"channel {id(self):#x}"

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def closed(self) -> bool:
        """Whether it was closed. There may be values left to receive."""
        return self._closed

    def statistics(self) -> ChannelStatistics:
        """How the channel is at this moment. Selects are not counted."""
        return ChannelStatistics(
            buffered=len(self._buffer),
            capacity=self._capacity,
            senders_waiting=len(self._senders),
            receivers_waiting=len(self._receivers),
            closed=self._closed,
        )

    # What all callers do.

    def _offer(self, value: T, waiting: Party | None = None, *, again: bool = False) -> bool:
        """Sends at once; or queues `waiting`, if there is one, and returns False.

        `again`: the value was received by somebody who cannot have it. It is the first then, and
        there is room for it.
        """
        while True:
            receiver: Party | None = None
            told = NOBODY
            try:
                with self._lock:
                    if self._closed and not again:
                        raise Closed(f"{self!r} is closed")
                    sent = True
                    if self._receivers:
                        receiver = self._receivers[0]
                        told = [receiver]
                        receiver.value = value
                        receiver.matched = True
                        del self._receivers[0]
                    elif again or len(self._buffer) < self._capacity:
                        selects = self.receivers.queue
                        if selects:
                            told = [*selects]
                        if again:
                            self._buffer.appendleft(value)
                        else:
                            self._buffer.append(value)
                        if selects:
                            selects.clear()
                    else:
                        sent = False
                        if waiting is not None:
                            told = self._queue(waiting, self._senders, self.receivers)
                # A receiver whose scheduler has crashed is not there: the next one gets the value.
                if not told or self._tell(told) or receiver is None:
                    return sent
            except BaseException:
                self._tell(told)
                raise

    def _take(self, waiting: Party | None = None) -> tuple[T] | None:
        """Receives at once; or queues `waiting`, if there is one, and returns None."""
        told = NOBODY
        found: tuple[T] | None = None
        try:
            with self._lock:
                if self._buffer:
                    found = (self._buffer[0],)
                    del self._buffer[0]
                    if self._senders and len(self._buffer) < self._capacity:
                        sender = self._senders[0]
                        told = [sender]
                        self._buffer += (sender.value,)
                        sender.matched = True
                        del self._senders[0]
                    elif self.senders.queue:
                        told = [*self.senders.queue]
                        self.senders.queue.clear()
                elif self._senders:
                    sender = self._senders[0]
                    told = [sender]
                    found = (sender.value,)
                    sender.matched = True
                    del self._senders[0]
                elif self._closed:
                    raise EndOfChannel(self)
                elif waiting is not None:
                    told = self._queue(waiting, self._receivers, self.senders)
            if told:
                self._tell(told)
        except BaseException:
            self._tell(told)
            raise
        return found

    def _queue(self, waiting: Party, firm: deque[Party], selects: Selects) -> list[Party]:
        """Under the lock: queues `waiting`. Returns the selects that may try again now."""
        told = NOBODY
        if waiting.queue is firm:
            told = [*selects.queue]
            selects.queue.clear()
        waiting.queue.append(waiting)
        return told

    def _tell(self, told: list[Party]) -> bool:
        """Whether somebody was there."""
        reached = False
        for party in told:
            reached = party.told() or reached
        return reached

    def try_or_queue(self, party: Party) -> tuple[Any] | None:
        """For a branch of a select: does it, or queues it again and returns None."""
        if party.queue is self.receivers.queue:
            return self._take(party)
        return (None,) if self._offer(party.value, party) else None

    def withdraw(self, party: Party, error: BaseException) -> bool:
        """Takes who waits out of the queue again, because of `error`. False: it is too late."""
        with self._lock:
            if party.matched:
                return False
            party.matched = True
            party.error = error
            if party in party.queue:
                party.queue.remove(party)
            return True

    def not_received(self, party: Party) -> None:
        """Who was handed a value cannot have it: the next receiver gets it."""
        if party.queue is self._receivers:
            self._offer(party.value, again=True)

    def describe(self, queue: deque[Party]) -> str:
        """What those in the queue wait for."""
        sending = queue is self._senders or queue is self.senders.queue
        return f"{'send' if sending else 'receive'} on {self!r}"

    def send_nowait(self, value: T) -> None:
        """Sends a value at once, or raises `WouldBlock`, or `Closed`. Any thread."""
        if not self._offer(value):
            raise WouldBlock(f"{self!r} is full")

    def receive_nowait(self) -> T:
        """Receives a value at once, or raises `WouldBlock`, or `EndOfChannel`. Any thread."""
        found = self._take()
        if found is None:
            raise WouldBlock(f"{self!r} is empty")
        return found[0]

    # Tasks

    async def send(self, value: T) -> None:
        """Sends a value from a task; raises `Closed`. Checkpoint: as `Channel.send`."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if self._offer(value):
            return
        party = TaskParty(self, self._senders, scheduler, value)
        if not self._offer(value, party):
            await self._park(party)

    async def receive(self) -> T:
        """Receives a value in a task; raises `EndOfChannel`. Checkpoint: as `Channel.receive`."""
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        found = self._take()
        if found is None:
            party = TaskParty(self, self._receivers, scheduler)
            found = self._take(party)
            if found is None:
                found = (await self._park(party),)
        return found[0]

    async def _park(self, party: TaskParty) -> Any:
        """Waits in the queue. Thrown away with a scheduler that has crashed, a task stays there:
        who meets it is told so (`TaskParty.told`). To withdraw it here would take the lock, which
        the thread that collects this garbage may hold."""
        scheduler = party.scheduler
        scheduler.guests += 1
        try:
            return await park(party.waiter)
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
        (-1: without limit). Raises TimeoutError, `Closed`.

        What a signal's handler raises meanwhile is raised, and nothing was sent if it had to wait.
        """
        if not self._offer(value):
            self._block(ThreadParty(self, self._senders, value), self._offer_or_queue, timeout)

    def _offer_or_queue(self, party: Party) -> bool:
        return self._offer(party.value, party)

    def get(self, timeout: float = -1) -> T:
        """Receives a value in a thread without a scheduler; blocks for so many seconds at most
        (-1: without limit). Raises TimeoutError, `EndOfChannel`.

        What a signal's handler raises meanwhile is raised, and a value that came is put back.
        """
        found = self._take()
        if found is None:
            party = ThreadParty(self, self._receivers)
            found = self._block(party, self._take, timeout) or (party.value,)
        return found[0]

    def _block(self, party: ThreadParty, attempt: Callable[[Party], Any], timeout: float) -> Any:
        """Tries once more, which queues the thread, and waits. Returns what the attempt gave."""
        done = None
        try:
            done = attempt(party)
            if not done and not party.woken.acquire(timeout=timeout):
                late = f"could not {self.describe(party.queue)} within {timeout:g} s"
                self.withdraw(party, TimeoutError(late))
        except BaseException as error:
            # A signal's handler has raised. What had been received already must not be lost.
            if not done and not self.withdraw(party, error) and party.error is None:
                self.not_received(party)
            raise
        if party.error is not None:
            raise party.error
        return done

    def __iter__(self) -> ThreadChannel[T]:
        return self

    def __next__(self) -> T:
        try:
            return self.get()
        except EndOfChannel:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the channel, from anywhere; may be called again. As `Channel.close`."""
        self._closed = True
        while self._close_one():
            pass

    def _close_one(self) -> bool:
        """Takes out one of those who wait and tells it. False when nobody waits."""
        closed, ended = Closed(f"{self!r} was closed"), EndOfChannel(self)
        told = NOBODY
        try:
            with self._lock:
                queue = self._senders or self._receivers
                if queue:
                    party = queue[0]
                    told = [party]
                    party.error = closed if queue is self._senders else ended
                    party.matched = True
                    del queue[0]
                else:
                    told = [*self.senders.queue, *self.receivers.queue]
                    self.senders.queue.clear()
                    self.receivers.queue.clear()
            self._tell(told)
        except BaseException:
            self._tell(told)
            raise
        return bool(told)
