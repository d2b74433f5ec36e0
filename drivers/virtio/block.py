"""The block device (5.2): a disk.

Data goes straight between the device and the caller's memory, which `Hardware.physical` finds;
what has no fixed place in memory goes through a buffer of the driver's. Many requests are in flight
at a time, each with a slot of memory for its header and its status.
"""

from __future__ import annotations

import errno
from struct import Struct

from ovum.drivers.block import BlockDevice, refuse
from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.virtio import blockconfig as c
from ovum.drivers.virtio.blockrequests import LARGEST, Call, Request, Transfer, split
from ovum.drivers.virtio.device import VirtioDevice, run_together
from ovum.drivers.virtio.queue import QueueFull
from ovum.services.log import INFO, WARNING, log
from ovum.services.tasks import (
    CancelScope,
    Event,
    Lock,
    Parking,
    Semaphore,
    Waiter,
    now,
    park,
    sleep_until,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.drivers.hardware import Dma
    from ovum.drivers.virtio.queue import Segments
    from ovum.drivers.virtio.transport import Transport

IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES = 0, 1, 4, 8, 11, 13
"""Types of requests (5.2.6)."""

OK, IOERR, UNSUPP, _NO_STATUS = 0, 1, 2, 0xFF
"""Status of a request that is done (5.2.6), and what is in its place before."""

QUEUE_SIZE, SLOTS = 256, 128
"""Entries of the queue, and requests in flight."""

BOUNCE, BOUNCES = 1 << 16, 4
"""Bytes and number of the buffers for what has no fixed place in memory."""

DEADLINE_S = 30.0
"""How long a request may take."""

_SLOT, _STATUS, _RANGE = 64, 16, 32
"""A slot: the header, the status behind it, and what a discard says of its range (5.2.6)."""

_ID_BYTES = 20

_pack_header = Struct("<IIQ").pack_into
_pack_range = Struct("<QII").pack_into


class VirtioBlock(BlockDevice):
    """A disk.

    `await disk.start()`, run `disk.listen()` as a task, then what `BlockDevice` has.
    """

    def __init__(self, transport: Transport, name: str = "vd") -> None:
        super().__init__(name)
        self.device = VirtioDevice(transport)
        self.hardware = transport.hardware
        self._physical = transport.hardware.physical
        self._flying: dict[int, Request] = {}
        """What the device has, by slot; the oldest first."""
        self._turn = Lock(f"the queue of {name}")
        self._room = Parking("find room in the queue of", self)
        self._busy = Event(f"{name} is busy")
        self._broken = Event(f"{name} is broken")
        self._slots: Dma | None = None
        self._bounces: list[Dma] = []
        self._free_bounces: list[Dma] = []
        self.gone: list[Callable[[], None]] = []
        """What to call when it is stopped."""
        self._bounce = Semaphore(BOUNCES, f"buffers of {name}")

    async def start(self) -> None:
        """Brings the device up. Raises DeviceError."""
        device = self.device
        await device.negotiate(c.WANTED)
        self._queue = device.add_queue(QUEUE_SIZE)
        self._slots = self.hardware.dma(SLOTS * _SLOT)
        self._slot_bytes = self._slots.view
        at = self._slots.address
        self._slot_places = [
            ((start, 16), (start + _STATUS, 1), (start + _RANGE, 16))
            for start in range(at, at + SLOTS * _SLOT, _SLOT)
        ]
        self._free = list(range(SLOTS - 1, -1, -1))
        self._configure()
        device.start()
        device.interrupts[0].handler = self._interrupted

    def _configure(self) -> None:
        config = self.device.consistent(lambda: c.BlockConfig(self.device))
        self._config = config
        self.block_size = config.block_size
        self.physical_block_size = config.physical_block_size
        self.size = config.capacity * c.SECTOR // config.block_size * config.block_size
        self.readonly = config.readonly
        self.can_discard = bool(config.discard_sectors)
        # A chain is no longer than the queue, indirect or not (2.7.5.3.1); two are not data.
        self._largest = min(config.segment_size, LARGEST)
        self._segments = min(config.segments, self._queue.size - 2)
        if self._segments < 1:
            raise DeviceError(f"{self._queue.name}: too short for a request")

    async def listen(self) -> None:
        """Sees to the device's interrupts, its configuration and its deadlines, for good. Raises
        DeviceError when it has failed: then `stop` it."""
        try:
            await run_together(
                *(self.device.listen, self._listen_broken, self._listen_configuration),
                self._watch,
            )
        except DeviceError as error:
            if self.device.failed is None:
                self.device.failed = error
            raise

    async def stop(self) -> None:
        """Resets the device; what it was asked to do fails. May be called again."""
        for interrupt in self.device.interrupts:
            interrupt.handler = None
        await self.device.stop()
        error = self.device.failed or DeviceGone(f"{self.name} has gone")
        for request in list(self._flying.values()):
            request.transfer.part_done(error)
        self._flying.clear()
        self._room.wake_all()
        if self.device.released:
            for memory in self._bounces if self._slots is None else [*self._bounces, self._slots]:
                memory.free()
        self._slots = None
        self._bounces = []
        gone, self.gone = self.gone, []
        for tell in gone:
            try:
                tell()
            except OSError as error:
                log(WARNING, f"{self.name}: at its end: {error}")

    # What a disk can do

    # Not `async`: what they return is awaited, and that is one step less.
    def read_blocks(self, offset: int, view: memoryview) -> Coroutine[Any, Any, None]:
        return self._move(IN, offset, view)

    def write_blocks(self, offset: int, view: memoryview) -> Coroutine[Any, Any, None]:
        return self._move(OUT, offset, view)

    def begin_blocks(
        self, write: bool, offset: int, view: memoryview, done: Callable[[Exception | None], None]
    ) -> bool:
        if self._turn.locked() or self.device.failed is not None:
            return False
        try:
            segments = self._physical(view)
        except OSError:
            return False
        size = len(view)
        if len(segments) > self._segments or size > self._largest:
            return False
        if not self._begin(Call(done), OUT if write else IN, offset // c.SECTOR, segments, size):
            return False
        self._queue.kick()
        return True

    async def flush(self) -> None:
        """Without this feature what is written is safe when it is written (5.2.6.2)."""
        self.device.check()
        if self.device.features & c.FLUSH:
            await self._run(FLUSH, [(0, (), 0)])

    async def discard(self, offset: int, size: int) -> None:
        if not self._config.discard_sectors:
            raise refuse(errno.EOPNOTSUPP, self)
        await self._ranges(DISCARD, offset, size, self._config.discard_sectors)

    async def write_zeroes(self, offset: int, size: int) -> None:
        if self._config.zeroes_sectors:
            await self._ranges(WRITE_ZEROES, offset, size, self._config.zeroes_sectors)
        else:
            await super().write_zeroes(offset, size)

    async def identity(self) -> str:
        """What the device calls itself, at most 20 characters; "" if it does not."""
        memory = await self._take_bounce()
        try:
            memory.view[:_ID_BYTES] = bytes(_ID_BYTES)
            await self._run(GET_ID, [(0, ((memory.address, _ID_BYTES),), 0)])
            return bytes(memory.view[:_ID_BYTES]).partition(b"\0")[0].decode("ascii", "replace")
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                return ""
            raise
        finally:
            self._give_bounce(memory)

    @property
    def write_cache(self) -> bool:
        """Whether what was written needs a `flush` to be safe (5.2.5)."""
        if self.device.features & c.CONFIG_WCE:
            return bool(c.BlockRegisters(self.device.transport.config).writeback)
        return bool(self.device.features & c.FLUSH)

    def set_write_cache(self, on: bool) -> None:
        """Turns it on or off. Raises OSError(EOPNOTSUPP)."""
        if not self.device.features & c.CONFIG_WCE:
            raise refuse(errno.EOPNOTSUPP, self)
        c.BlockRegisters(self.device.transport.config).writeback = int(on)

    # Requests

    async def _move(self, kind: int, offset: int, view: memoryview) -> None:
        try:
            segments = self._physical(view)
        except OSError:
            await self._move_bounced(kind, offset, view)
            return
        sector = offset // c.SECTOR
        size = len(view)
        if len(segments) <= self._segments and size <= self._largest:
            transfer = Transfer(self)
            if self._turn.locked() or not self._begin(transfer, kind, sector, segments, size):
                await self._run(kind, ((sector, segments, size),))
                return
            self._queue.kick()
            transfer.waiter = waiter = Waiter(transfer)
            await park(waiter)
            if transfer.error is not None:
                raise transfer.error  # not by done(): that would be a step more
            return
        parts = split(segments, self._segments, self._config.segment_size, self.block_size)
        if parts is None:
            await self._move_bounced(kind, offset, view)
            return
        requests = []
        for part, length in parts:
            requests.append((sector, part, length))
            sector += length // c.SECTOR
        await self._run(kind, requests)

    async def _move_bounced(self, kind: int, offset: int, view: memoryview) -> None:
        room = min(BOUNCE, self._config.segment_size) // self.block_size * self.block_size
        memory = await self._take_bounce()
        try:
            for start in range(0, len(view), room):
                piece = view[start : start + room]
                size = len(piece)
                if kind == OUT:
                    memory.view[:size] = piece
                sector = (offset + start) // c.SECTOR
                await self._run(kind, (((sector, ((memory.address, size),), size)),))
                if kind == IN:
                    piece[:] = memory.view[:size]
        finally:
            self._give_bounce(memory)

    async def _take_bounce(self) -> Dma:
        await self._bounce.acquire()
        try:
            self.device.check()
            if not self._free_bounces:
                memory = self.hardware.dma(BOUNCE)
                self._bounces.append(memory)
                return memory
            return self._free_bounces.pop()
        except BaseException:
            self._bounce.release()
            raise

    def _give_bounce(self, memory: Dma) -> None:
        self._free_bounces.append(memory)
        self._bounce.release()

    async def _ranges(self, kind: int, offset: int, size: int, most: int) -> None:
        """Requests about ranges of blocks, none of which has more than `most` sectors."""
        self.check_blocks(offset, size)
        sector, end = offset // c.SECTOR, (offset + size) // c.SECTOR
        step = max(most - most % (self.block_size // c.SECTOR), self.block_size // c.SECTOR)
        parts = [(start, (), min(step, end - start)) for start in range(sector, end, step)]
        await self._run(kind, parts)

    async def _run(self, kind: int, parts: Any) -> None:
        """Has the device do these requests, (sector, memory, bytes or sectors), and waits."""
        transfer = Transfer(self)
        try:
            for sector, segments, size in parts:
                if self._turn.locked() or not self._begin(transfer, kind, sector, segments, size):
                    with CancelScope(shield=transfer.pending > 0):
                        await self._begin_later(transfer, kind, sector, segments, size)
        finally:
            if self.device.failed is None:
                self._queue.kick()
            # Whatever has happened: nobody has the memory back before the device has let go of it.
            await transfer.done()

    async def _begin_later(
        self, transfer: Transfer, kind: int, sector: int, segments: Segments, size: int
    ) -> None:
        """Waits until there is room: first come, first served."""
        self._queue.kick()
        async with self._turn:
            while not self._begin(transfer, kind, sector, segments, size):
                await self._room.park()

    def _begin(
        self, transfer: Transfer | Call, kind: int, sector: int, segments: Segments, size: int
    ) -> bool:
        """Puts a request into the queue; False if there is no room."""
        if self.device.failed is not None:
            raise self.device.failed
        if not self._free:
            return False
        slot = self._free[-1]
        at = slot * _SLOT
        view = self._slot_bytes
        view[at + _STATUS] = _NO_STATUS
        header, status, place = self._slot_places[slot]
        request = Request(transfer, slot, size if kind == IN else 0, now())
        queue = self._queue
        try:
            if kind == OUT:
                _pack_header(view, at, kind, 0, sector)
                queue.add([header, *segments], (status,), request)
            elif kind in (DISCARD, WRITE_ZEROES):
                _pack_header(view, at, kind, 0, 0)
                _pack_range(view, at + _RANGE, sector, size, 0)
                queue.add((header, place), (status,), request)
            else:
                _pack_header(view, at, kind, 0, sector)
                queue.add((header,), [*segments, status], request)
        except QueueFull:
            return False
        self._free.pop()
        self._flying[slot] = request
        transfer.pending += 1
        self._busy.set()
        return True

    # What the device says

    def _interrupted(self) -> None:
        """Between two tasks: who waits goes on as soon as if it were this one's own wait."""
        try:
            self._take()
            while not self._queue.interrupt_next():
                self._take()
        except DeviceError as error:
            self.device.failed = error
            self._broken.set()

    async def _listen_broken(self) -> None:
        await self._broken.wait()
        self.device.check()

    def _take(self) -> None:
        for request, length in self._queue.take():
            slot = request.slot
            status = self._slot_bytes[slot * _SLOT + _STATUS]
            del self._flying[slot]
            self._free.append(slot)
            error = None
            if status or length < request.least:
                error = self._error(status, length, request.least)
            request.transfer.part_done(error)
        if self._room:
            self._room.wake_one()

    def _error(self, status: int, length: int, least: int) -> OSError | None:
        if status == UNSUPP:
            return refuse(errno.EOPNOTSUPP, self)
        if status == OK:
            if self.device.transport.queue_align > 4:
                return None  # legacy devices say anything (2.7.8.2)
            what = f"{length} bytes were read instead of {least}"
        elif status == IOERR:
            return refuse(errno.EIO, self)
        else:
            what = f"a request has ended with the unknown status {status:#x}"
        return OSError(errno.EIO, what, self.name)

    async def _listen_configuration(self) -> None:
        while True:
            await self.device.config_changed.wait()
            before = self.size
            self._configure()
            if self.size != before:
                log(INFO, f"{self.name}: {self.size} bytes, no longer {before}")
                for tell in list(self.resized):
                    tell()

    async def _watch(self) -> None:
        """Raises DeviceTimeout for a request that takes too long. Sleeps while there are none."""
        limit = int(DEADLINE_S * 1e9)
        while True:
            await self._busy.wait()
            oldest = next(iter(self._flying.values()), None)
            if oldest is None:
                self._busy.clear()
                continue
            if now() - oldest.since >= limit:
                status = self._slot_bytes[oldest.slot * _SLOT + _STATUS]
                raise DeviceTimeout(self.name, f"a request, after {DEADLINE_S:g} s", status)
            await sleep_until(oldest.since + limit)
