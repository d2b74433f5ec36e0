"""The 9P transport: a channel to a server on the host, which shares a folder with the machine.

virtio 1.2 gives it number 9 (5) and no chapter; registers and feature are those that Linux's and
QEMU's headers agree on (virtio_9p.h). One queue; a request is one buffer: the message, what the
device reads with it, room for the answer, room for what is read.
"""

from __future__ import annotations

import errno
from _collections import deque

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.registers import Register, Registers
from ovum.drivers.virtio.device import VirtioDevice
from ovum.drivers.virtio.queue import QueueFull
from ovum.services.tasks import Event, Group, now, sleep_until
from ovum.services.vfs.node import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.drivers.hardware import Dma
    from ovum.drivers.manager import DeviceManager
    from ovum.drivers.virtio.transport import Transport
    from ovum.services.vfs.ninep.channel import Request

MOUNT_TAG = 1 << 0
"""Feature: the configuration has a tag, which says what is shared."""

LONGEST_TAG = 255
"""Bytes of a tag that are believed."""

DEPTH = 32
"""Requests in flight at a time."""

DEADLINE_S = 60.0
"""How long the host may take for one request; it may have to write much to a slow disk."""

MOST_SEGMENTS = 120
"""Pieces that the data of one message is in. With its headers that is less than the 128 entries
which QEMU's queue has, and a chain must not be longer than the queue (2.7.5.3.1)."""

LARGEST = 24 + (MOST_SEGMENTS - 1) * 4096
"""Bytes of a message: data that begins in the middle of a page fits all the same."""

BOUNCE = 65536
"""Bytes that are moved at a time where the device cannot reach the caller's memory."""

_MESSAGE, _ANSWER = 0, 6144
_MESSAGE_ROOM, _ANSWER_ROOM = 6144, 6016
_FLUSH, _FLUSH_ANSWER = 12160, 12224
_SLOT = 12288
"""What is where in the memory of a tag: two names of a path's length fit into a message."""

_ANSWER_HEADER = 11
"""Bytes in front of data that is read, and of an error."""


class NinePRegisters(Registers):
    tag_length = Register(0x00, 16)


class Virtio9p:
    """A shared folder: `tag` says which. It is a `Channel` of services.vfs.ninep."""

    def __init__(self, transport: Transport) -> None:
        self.device = VirtioDevice(transport)
        self.name = self.device.name
        self.tag = ""
        self.depth = DEPTH
        self.largest = LARGEST
        self.session: Any = None
        self._hardware = transport.hardware
        self._physical = transport.hardware.physical
        self._slots: list[Dma | None] = [None] * DEPTH
        self._bounces: list[Dma | None] = [None] * DEPTH
        self._in_flight: dict[int, Request] = {}
        """By tag, what has been submitted, the oldest first."""
        self._later: deque[Request] = deque()
        """What has not fitted into the queue."""
        self._busy = Event("a request in flight")
        self._most_segments = MOST_SEGMENTS

    async def start(self) -> None:
        """Brings the device up. Raises DeviceError."""
        device = self.device
        await device.negotiate(MOUNT_TAG, MOUNT_TAG)
        self.tag = device.consistent(self._read_tag)
        self.name = f"{self.device.name}, {self.tag!r}"
        self._queue = device.add_queue(128)
        self._most_segments = min(MOST_SEGMENTS, self._queue.size - 4)
        if self._most_segments < 4:
            raise DeviceError(f"{self.name}: a queue of {self._queue.size} entries is too short")
        device.start()

    def _read_tag(self) -> str:
        config = self.device.transport.config
        size = NinePRegisters(config).tag_length
        if not 0 < size <= min(LONGEST_TAG, config.size - 2):
            raise DeviceError(f"{self.name}: a tag of {int(size)} bytes")
        return bytes(config.read8(2 + k) for k in range(size)).decode("utf-8", "replace")

    async def listen(self) -> None:
        """Hands out answers, for good. Raises DeviceError when the device has failed."""
        try:
            async with Group(self.name) as group:
                group.start(self.device.listen)
                group.start(self._watch)
                await self._receive()
        except BaseExceptionGroup as errors:
            if len(errors.exceptions) == 1:
                raise errors.exceptions[0] from None
            raise

    async def _receive(self) -> None:
        queue = self._queue
        interrupt = self.device.interrupts[0]
        while True:
            for request, size in queue.take():
                del self._in_flight[request.tag]
                request.finish(self._answer_of(request, size), size)
            while self._later and self._add(self._later[0]):
                self._later.popleft()
            queue.kick()
            if queue.interrupt_next():
                await interrupt.wait()

    def _answer_of(self, request: Request, size: int) -> bytes:
        """A copy of an answer, without data that it was read with."""
        slot = self._slots[request.tag % DEPTH]
        assert slot is not None
        begin, room = _ANSWER, _ANSWER_ROOM
        if request.tag >= DEPTH:
            begin, room = _FLUSH_ANSWER, _ANSWER_HEADER
        elif request.segments and not request.writes:
            room = _ANSWER_HEADER
        return bytes(slot.view[begin : begin + min(size, room)])

    async def _watch(self) -> None:
        """Raises DeviceTimeout when a request is not answered."""
        limit = int(DEADLINE_S * 1e9)
        while True:
            await self._busy.wait()
            self._busy.clear()
            while self._in_flight:
                oldest = next(iter(self._in_flight.values()))
                if now() >= oldest.since + limit:
                    raise DeviceTimeout(self.name, f"an answer in {DEADLINE_S:g} s", oldest)
                await sleep_until(oldest.since + limit)

    # What a channel does

    def fit(self, request: Request, data: memoryview, writes: bool) -> int:
        """See `Channel`."""
        request.writes = writes
        try:
            segments = self._physical(data)
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
            return self._fit_bounce(request, data, writes)
        if len(segments) > self._most_segments:
            del segments[self._most_segments :]
        request.segments = segments
        return sum([length for _, length in segments])

    def _fit_bounce(self, request: Request, data: memoryview, writes: bool) -> int:
        bounce = self._bounces[request.tag]
        if bounce is None:
            bounce = self._bounces[request.tag] = self._hardware.dma(BOUNCE)
        size = min(len(data), BOUNCE)
        if writes:
            bounce.view[:size] = data[:size]
        else:
            request.bounce = bounce.view
        request.segments = ((bounce.address, size),)
        return size

    def submit(self, request: Request) -> None:
        """See `Channel`."""
        if self.device.failed is not None:
            raise refuse(errno.EIO)
        if self._later or not self._add(request):
            self._later.append(request)
        request.since = now()
        self._in_flight[request.tag] = request
        self._busy.set()
        self._queue.kick()

    def _add(self, request: Request) -> bool:
        """Makes a request available to the device, if there is room."""
        tag = request.tag
        slot = self._slots[tag % DEPTH]
        if slot is None:
            slot = self._slots[tag % DEPTH] = self._hardware.dma(_SLOT)
        size = len(request.message)
        if tag >= DEPTH:
            at, answer, room = _FLUSH, _FLUSH_ANSWER, _ANSWER_HEADER
        elif size > _MESSAGE_ROOM:
            raise refuse(errno.ENAMETOOLONG)
        else:
            at, answer, room = _MESSAGE, _ANSWER, _ANSWER_ROOM
        slot.view[at : at + size] = request.message
        readable = [(slot.address + at, size)]
        writable = [(slot.address + answer, room)]
        if request.segments and request.writes:
            readable += request.segments
        elif request.segments:
            writable = [(slot.address + answer, _ANSWER_HEADER), *request.segments]
        try:
            self._queue.add(readable, writable, request)
        except QueueFull:
            return False
        return True

    async def stop(self) -> None:
        """Resets the device. Whoever waits for an answer gets EIO, when it cannot come any more."""
        try:
            await self.device.stop()
        finally:
            requests = list(self._in_flight.values())
            self._in_flight.clear()
            self._later.clear()
            for request in requests:
                request.fail()
        for memory in (*self._slots, *self._bounces):
            if memory is not None:
                memory.free()
        self._slots = [None] * DEPTH
        self._bounces = [None] * DEPTH


async def attach(transport: Transport, manager: DeviceManager) -> Virtio9p:
    """See `manager`."""
    driver = Virtio9p(transport)
    await driver.start()
    manager.publish("9p", driver)
    return driver
