"""A port of the console device: a stream of bytes each way (5.3.6).

What is written is copied into buffers of the port's, and sent from there; what is received stays in
them until it is read, so that a host which sends more than is read has to wait.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceGone
from ovum.services.tasks import Event, Lock, WouldBlock, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ovum.drivers.hardware import Dma, Hardware
    from ovum.drivers.virtio.queue import Queue
    from ovum.services.irq import Interrupt

RECEIVE = 4096
RECEIVES = 8
SEND = 16384
SENDS = 4
"""Bytes of a buffer, and how many a port has each way."""


class Port:
    """One port. Streams: `read`, `write`; they begin with `open` and end with `close`."""

    def __init__(
        self,
        name: str,
        number: int,
        hardware: Hardware,
        queues: tuple[Queue, Queue],
        interrupts: tuple[Interrupt, Interrupt],
        tell_open: Callable[[int, bool], Awaitable[None]],
        broken: Callable[[DeviceError], None],
    ) -> None:
        self.name = name
        """Of its device in /dev: "vport0p1"."""
        self.number = number
        self.label = ""
        """What the host calls it."""
        self.console = False
        """Whether the host says that it is for a terminal."""
        self.size = (0, 0)
        """Columns and rows of that terminal; 0 if they are not known."""
        self.connected = False
        """Whether somebody is at the host's end."""
        self.present = True
        self.opens = 0
        """How often it is open here."""
        self.resized: list[Callable[[], None]] = []
        """What to call when `size` has changed."""
        self._input, self._output = queues
        self._input_interrupt, self._output_interrupt = interrupts
        self._tell_open = tell_open
        self._broken = broken
        self._memory: Dma = hardware.dma(RECEIVE * RECEIVES + SEND * SENDS)
        self._bytes = self._memory.view
        self._free = list(range(SENDS))
        self._rest: list[tuple[int, int, int]] = []
        """What was received and not read: buffer, first byte, end."""
        self._reading = Lock(f"input of {name}")
        self._writing = Lock(f"output of {name}")
        self._changed = Event(f"the host's end of {name}")
        self._error: Exception | None = None
        for buffer in range(RECEIVES):
            self._receive_into(buffer)
        self._input.kick()

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        return f"<{self.name}{label}{'' if self.connected else ', nobody at the other end'}>"

    # Streams

    async def open(self) -> None:
        """Tells the host that somebody is here. Raises DeviceError."""
        self.opens += 1
        if self.opens == 1:
            await self._tell_open(self.number, True)

    async def close(self) -> None:
        """The opposite of `open`."""
        self.opens -= 1
        if not self.opens and self._error is None:
            await self._tell_open(self.number, False)

    async def read(self, size: int, *, wait: bool = True) -> bytes:
        """What the host has sent, at most `size` bytes, at least one; b"" if nobody is there.

        Raises DeviceError; WouldBlock if nothing is there and it is not to wait. Cancelled, it has
        taken nothing.
        """
        async with self._reading:
            while not self._rest:
                self._check()
                self._take()
                if self._rest:
                    break
                if not self.connected or not size:
                    return b""
                if not wait:
                    raise WouldBlock(f"nothing has come from {self.name}")
                if self._input.interrupt_next():
                    await self._input_interrupt.wait()
            parts = []
            while self._rest and size:
                buffer, start, end = self._rest[0]
                stop = min(end, start + size)
                parts.append(bytes(self._bytes[buffer * RECEIVE + start : buffer * RECEIVE + stop]))
                size -= stop - start
                if stop == end:
                    del self._rest[0]
                    self._receive_into(buffer)
                else:
                    self._rest[0] = (buffer, stop, end)
            if self._error is None:
                self._input.kick()
            return b"".join(parts)

    async def write(self, data: memoryview, *, wait: bool = True) -> int:
        """Sends data: how much, which is all of it if it may wait.

        It has been copied when this returns. It waits until somebody is at the other end. Raises
        DeviceError, WouldBlock. Cancelled, some of it may have been sent.
        """
        async with self._writing:
            done = 0
            while done < len(data):
                self._check()
                self._reclaim()
                if not self.connected or not self._free:
                    if not wait:
                        break
                    await self._wait_to_send()
                    continue
                buffer = self._free.pop()
                piece = data[done : done + SEND]
                at = RECEIVE * RECEIVES + buffer * SEND
                self._bytes[at : at + len(piece)] = piece
                self._output.add(((self._memory.address + at, len(piece)),), (), buffer + 1)
                self._output.kick()
                done += len(piece)
            if len(data) and not done:
                raise WouldBlock(f"{self.name} takes nothing now")
            return done

    async def drain(self) -> None:
        """Waits until the host has taken all that was written. Raises DeviceError."""
        async with self._writing:
            while True:
                self._check()
                self._reclaim()
                if len(self._free) == SENDS:
                    return
                await self._wait_to_send()

    async def _wait_to_send(self) -> None:
        if not self.connected:
            self._changed.clear()
            await self._changed.wait()
        elif self._output.interrupt_next():
            await self._output_interrupt.wait()

    # Buffers

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if not self.present:
            raise DeviceGone(f"{self.name} was taken away")

    def _receive_into(self, buffer: int) -> None:
        if self._error is None:
            at = self._memory.address + buffer * RECEIVE
            self._input.add((), ((at, RECEIVE),), buffer + 1)

    def _take(self) -> None:
        for token, length in self._used(self._input):
            if length:
                self._rest.append((token - 1, 0, length))
            else:
                self._receive_into(token - 1)

    def _reclaim(self) -> None:
        for token, _ in self._used(self._output):
            self._free.append(token - 1)

    def _used(self, queue: Queue) -> list[tuple[int, int]]:
        try:
            return queue.take()
        except DeviceError as error:
            self._broken(error)
            raise

    # What the device's control says

    def host_opened(self, connected: bool) -> None:
        """Somebody has come to the host's end, or left it."""
        self.connected = connected
        self._wake()

    def set_size(self, columns: int, rows: int) -> None:
        """The terminal at the other end has another size."""
        if (columns, rows) != self.size:
            self.size = (columns, rows)
            for tell in list(self.resized):
                tell()

    def added(self) -> None:
        """It is there again: what was not read is dropped."""
        self.present = True
        self.label = ""
        self.connected = self.console = False
        self.opens = 0
        self._take()
        for buffer, _, _ in self._rest:
            self._receive_into(buffer)
        self._rest.clear()
        self._input.kick()

    def removed(self) -> None:
        """It was taken away: who waits gets DeviceGone."""
        self.present = False
        self.host_opened(False)

    def failed(self, error: Exception, released: bool) -> None:
        """Its device has failed or was stopped. `released`: it has let go of all memory."""
        self._error = error
        self.present = self.connected = False
        self._wake()
        if released:
            self._memory.free()

    def _wake(self) -> None:
        self._changed.set()
        for interrupt in (self._input_interrupt, self._output_interrupt):
            interrupt.arrived(1, now())
