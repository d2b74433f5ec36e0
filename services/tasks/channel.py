"""Channels: values handed from tasks to tasks."""

from __future__ import annotations

from _collections import deque

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Closed, EndOfChannel, WouldBlock
from ovum.services.tasks.parking import Parking
from ovum.services.tasks.traps import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar
    from typing import Generic as _Base

    T = TypeVar("T")
else:
    from ovum.services.tasks._generic import T, _Base

_NOTHING: Any = ()


class ChannelStatistics:
    """How a channel is at a moment."""

    __slots__ = ("buffered", "capacity", "closed", "receivers_waiting", "senders_waiting")

    def __init__(
        self,
        *,
        buffered: int,
        capacity: int,
        senders_waiting: int,
        receivers_waiting: int,
        closed: bool,
    ) -> None:
        self.buffered = buffered
        self.capacity = capacity
        self.senders_waiting = senders_waiting
        self.receivers_waiting = receivers_waiting
        self.closed = closed

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"ChannelStatistics({values})"


class Channel(_Base[T]):
    """A queue of values between tasks of one scheduler.

    `capacity`: how many values it holds that nobody has received yet; with 0 a send ends when a
    receiver has the value. `name`: for messages. Any number of tasks may send and receive; values
    arrive in the order in which they were sent, waiting tasks are served in the order in which they
    came. Cancelled, an operation has not happened: a value was neither sent nor lost.

    The methods without `await` may be called by the scheduler's backend as well. Between threads:
    `ThreadChannel`.
    """

    __slots__ = ("_buffer", "_capacity", "_closed", "_name", "receivers", "senders")

    def __init__(self, capacity: int = 0, name: str | None = None) -> None:
        if capacity < 0:
            raise ValueError(f"the capacity of a channel cannot be {capacity}")
        self._capacity = capacity
        self._name = name
        self._closed = False
        # What follows holds while no operation runs: receivers wait only if the buffer is empty,
        # and senders only if it is full.
        self._buffer: Any = deque() if capacity else _NOTHING
        self.senders = Parking("send on", self)
        """The tasks that wait to send, each with its value."""
        self.receivers = Parking("receive on", self)
        """The tasks that wait to receive."""

    def __repr__(self) -> str:
        return f"channel {self._name!r}" if self._name else f"channel {id(self):#x}"

    @property
    def closed(self) -> bool:
        """Whether it was closed. There may be values left to receive."""
        return self._closed

    async def send(self, value: T) -> None:
        """Sends a value; waits while the buffer is full, or with capacity 0 until it is received.

        Raises `Closed` when the channel is closed, also while it waits. Checkpoint: yes; it lets
        others run only if it waits, or every so often.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        if self._closed:
            raise Closed(f"{self!r} is closed")
        # As in send_nowait(); a call of it would be a fifth of the time.
        if self.receivers.queue and (waiter := self.receivers.pop()) is not None:
            waiter.wake(value)
        elif len(self._buffer) < self._capacity:
            self._buffer.append(value)
        else:
            await self.senders.park(value)

    def send_nowait(self, value: T) -> None:
        """Sends a value at once, or raises `WouldBlock`, or `Closed`. No checkpoint."""
        if self._closed:
            raise Closed(f"{self!r} is closed")
        waiter = self.receivers.pop()
        if waiter is not None:
            waiter.wake(value)
        elif len(self._buffer) < self._capacity:
            self._buffer.append(value)
        else:
            raise WouldBlock(f"{self!r} is full")

    async def receive(self) -> T:
        """Receives a value; waits until there is one.

        Raises `EndOfChannel` when the channel is closed and nothing is left, also while it waits.
        Checkpoint: yes; it lets others run only if it waits, or every so often.
        """
        scheduler = here.scheduler
        if scheduler.credit > 0:
            scheduler.credit -= 1
        else:
            await checkpoint()
        value: T
        # As in receive_nowait().
        if self._buffer:
            value = self._buffer.popleft()
            if self.senders.queue:
                self._refill()
            return value
        if self.senders.queue and (waiter := self.senders.pop()) is not None:
            value = waiter.value
            waiter.wake()
            return value
        if self._closed:
            raise EndOfChannel(self)
        value = await self.receivers.park()
        return value

    def receive_nowait(self) -> T:
        """Receives a value at once, or raises `WouldBlock`, or `EndOfChannel`. No checkpoint."""
        value: T
        if self._buffer:
            value = self._buffer.popleft()
            self._refill()
            return value
        waiter = self.senders.pop()
        if waiter is not None:
            value = waiter.value
            waiter.wake()
            return value
        if self._closed:
            raise EndOfChannel(self)
        raise WouldBlock(f"{self!r} is empty")

    def _refill(self) -> None:
        """There is room in the buffer: the longest waiting sender's value goes there."""
        waiter = self.senders.pop()
        if waiter is not None:
            self._buffer.append(waiter.value)
            waiter.wake()

    def close(self) -> None:
        """Ends the channel; may be called again. No checkpoint.

        What is buffered can still be received, then receivers get `EndOfChannel`. Senders get
        `Closed`, those who wait too: their values were not sent.
        """
        if self._closed:
            return
        self._closed = True
        while (waiter := self.senders.pop()) is not None:
            waiter.fail(Closed(f"{self!r} was closed"))
        while (waiter := self.receivers.pop()) is not None:
            waiter.fail(EndOfChannel(self))

    def statistics(self) -> ChannelStatistics:
        """How the channel is at this moment."""
        return ChannelStatistics(
            buffered=len(self._buffer),
            capacity=self._capacity,
            senders_waiting=len(self.senders),
            receivers_waiting=len(self.receivers),
            closed=self._closed,
        )

    def __aiter__(self) -> Channel[T]:
        return self

    async def __anext__(self) -> T:
        """`async for value in channel:` receives until the channel ends."""
        try:
            return await self.receive()
        except EndOfChannel:
            raise StopAsyncIteration from None
