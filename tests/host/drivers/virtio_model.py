"""A virtio device as the other side of the driver: it walks the rings that the driver has made.

Subclasses say what they do with a buffer (`serve`); the faces are what carries them: `MmioFace`
(version 2 and the legacy 1), `PciFace` and `LegacyPciFace` in `virtio_pci_model`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.mmio import CONFIG, MAGIC, MmioPlace, MmioRegisters
from ovum.services.tasks import Event

from .machine import Machine

if TYPE_CHECKING:
    from .pci_model import PciModel


class Chain:
    """A buffer that the driver has made available: its memory, in order."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.readable: list[memoryview] = []
        self.writable: list[memoryview] = []

    def data(self) -> bytes:
        """All that the device is to read."""
        return b"".join(self.readable)

    def write(self, data: bytes) -> int:
        """Writes as much as fits, and returns how much that is."""
        done = 0
        for view in self.writable:
            piece = data[done : done + len(view)]
            view[: len(piece)] = piece
            done += len(piece)
        return done


class ModelQueue:
    """A queue as the device sees it (2.7)."""

    def __init__(self, machine: Machine, most: int) -> None:
        self._machine = machine
        self.most = most
        self.size = most
        self.descriptors = self.available = self.used = 0
        self.ready = False
        self.features = 0
        self.seen = 0
        """The available index up to which buffers were taken."""
        self.index = 0
        """The used index."""
        self.vector = 0xFFFF

    def reset(self) -> None:
        self.__init__(self._machine, self.most)  # type: ignore[misc]

    def _get(self, form: str, address: int) -> tuple[int, ...]:
        return struct.unpack(form, self._machine.view(address, struct.calcsize(form)))

    def _put(self, form: str, address: int, *values: int) -> None:
        struct.pack_into(form, self._machine.view(address, struct.calcsize(form)), 0, *values)

    @property
    def waiting(self) -> int:
        """How many buffers the driver has made available that were not taken."""
        (index,) = self._get("<H", self.available + 2)
        count = (index - self.seen) & 0xFFFF
        assert count <= self.size, f"{count} buffers in a queue of {self.size}"
        return count

    def pop(self) -> Chain | None:
        """The next buffer; asks to be notified of the one after it."""
        if not self.waiting:
            return None
        (head,) = self._get("<H", self.available + 4 + 2 * (self.seen % self.size))
        self.seen = self.seen + 1 & 0xFFFF
        if self.features & f.EVENT_IDX:
            self._put("<H", self.used + 4 + 8 * self.size, self.seen)
        chain = Chain(head)
        self._walk(chain, self.descriptors, self.size, head)
        return chain

    def _walk(self, chain: Chain, table: int, size: int, at: int) -> None:
        for _ in range(size):
            assert at < size, f"descriptor {at} of {size}"
            address, length, flags, following = self._get("<QIHH", table + 16 * at)
            if flags & 4:
                assert self.features & f.INDIRECT_DESC and not flags & 3 and length % 16 == 0
                self._walk(chain, address, length // 16, 0)
                return
            view = self._machine.view(address, length)
            if flags & 2:
                chain.writable.append(view)
            else:
                assert not chain.writable, "readable behind writable (2.7.4.2)"
                chain.readable.append(view)
            if not flags & 1:
                return
            at = following
        raise AssertionError("a chain without an end")

    def push(self, head: int, length: int) -> bool:
        """Gives a buffer back; whether the driver wants an interrupt for it (2.7.7.2)."""
        old = self.index
        self._put("<II", self.used + 4 + 8 * (old % self.size), head, length)
        self.index = old + 1 & 0xFFFF
        self._put("<H", self.used + 2, self.index)
        if self.features & f.EVENT_IDX:
            (event,) = self._get("<H", self.available + 4 + 2 * self.size)
            return event == old
        return not self._get("<H", self.available)[0] & 1


class VirtioModel:
    """A device of one type. `run` is its task; `serve` is what it does with a buffer."""

    def __init__(
        self,
        machine: Machine,
        device_type: int,
        queues: int,
        *,
        features: int = 0,
        config: bytes = b"",
        queue_size: int = 256,
    ) -> None:
        self.machine = machine
        self.device_type = device_type
        self.offered = features | f.VERSION_1 | f.INDIRECT_DESC | f.EVENT_IDX
        self.accepts = True
        """Whether FEATURES_OK stays set."""
        self.resets = True
        """Whether the status becomes 0 when 0 is written."""
        self.answers = True
        """Whether buffers are served; else they stay with the device."""
        self.config = bytearray(config)
        self.generation = 0
        self.status = 0
        self.features = 0
        self.isr = 0
        self.queues = [ModelQueue(machine, queue_size) for _ in range(queues)]
        self.notifications = [0] * queues
        self._notified = Event()
        self.function: PciModel
        """What it is on PCI."""
        self.interrupt_queue: Callable[[int], None] = lambda index: None
        self.interrupt_config: Callable[[], None] = lambda: None

    def serve(self, index: int, chain: Chain) -> int:
        """Does what a buffer of queue `index` asks; returns how many bytes were written."""
        raise NotImplementedError

    async def run(self) -> None:
        """Serves the queues, for good."""
        while True:
            await self._notified.wait()
            self._notified = Event()
            self.process()

    def process(self) -> None:
        """Serves what is there."""
        for index, queue in enumerate(self.queues):
            while queue.ready and self.answers and (chain := queue.pop()) is not None:
                self.finish(index, chain, self.serve(index, chain))

    def finish(self, index: int, chain: Chain, length: int) -> None:
        """Gives a buffer back, with an interrupt if the driver wants one."""
        if self.queues[index].push(chain.head, length):
            self.raise_queue(index)

    def raise_queue(self, index: int) -> None:
        """An interrupt of a queue, wanted or spurious."""
        self.isr |= 1
        self.interrupt_queue(index)

    def change_config(self, config: bytes) -> None:
        """Changes the configuration, and says so."""
        self.config[:] = config
        self.generation = self.generation + 1 & 0xFF
        self.isr |= 2
        self.interrupt_config()

    def break_down(self) -> None:
        """The device cannot go on (2.1.2)."""
        self.status |= f.NEEDS_RESET
        self.answers = False
        self.isr |= 2
        self.interrupt_config()

    # What the faces call

    def notify(self, index: int) -> None:
        if index < len(self.queues):
            self.notifications[index] += 1
            self._notified.set()

    def set_status(self, status: int) -> None:
        if status == 0:
            if self.resets:
                self.status = 0
                self.features = 0
                self.isr = 0
                for queue in self.queues:
                    queue.reset()
            return
        if status & f.FEATURES_OK and not self.accepts:
            status &= ~f.FEATURES_OK
        self.status = status
        if status & f.DRIVER_OK:
            for queue in self.queues:
                queue.features = self.features

    def set_features(self, select: int, value: int) -> None:
        if select < 2:
            shift = 32 * select
            self.features = self.features & ~(0xFFFFFFFF << shift) | value << shift
            assert not self.features & ~self.offered, f"not offered: {self.features:#x}"


def legacy_queue(queue: ModelQueue, page: int, page_size: int = 4096) -> None:
    """Places a queue as 2.7.2 says."""
    queue.descriptors = page * page_size
    queue.available = queue.descriptors + 16 * queue.size
    end = queue.available + 6 + 2 * queue.size
    queue.used = -(-end // page_size) * page_size
    queue.ready = bool(page)


class MmioFace:
    """The registers of 4.2.2, or with version 1 those of 4.2.4."""

    size = 0x200

    def __init__(self, model: VirtioModel, address: int, irq: int, *, version: int = 2) -> None:
        self.model = model
        self.version = version
        self.place = MmioPlace(address, self.size, irq)
        self._select = self._features_select = 0
        self._page_size = 0
        self.gone = False
        """Whether it has been taken out: all ones are read."""
        self._halves: dict[int, int] = {}
        machine = model.machine
        machine.add_memory(address, self)
        model.interrupt_queue = lambda index: machine.raise_line(irq)
        model.interrupt_config = lambda: machine.raise_line(irq)
        if version == 1:
            model.offered &= 0xFFFFFFFF

    @property
    def _queue(self) -> ModelQueue | None:
        queues = self.model.queues
        return queues[self._select] if self._select < len(queues) else None

    def read(self, offset: int, width: int) -> int:
        model = self.model
        if self.gone:
            return (1 << 8 * width) - 1
        if offset >= CONFIG:
            at = offset - CONFIG
            return int.from_bytes(model.config[at : at + width], "little")
        assert width == 4, "registers have 32 bits (4.2.2.2)"
        r = MmioRegisters
        values = {
            r.magic.offset: MAGIC,
            r.version.offset: self.version,
            r.device_id.offset: model.device_type,
            r.device_features.offset: model.offered >> 32 * self._features_select & 0xFFFFFFFF,
            r.queue_size_max.offset: self._queue.most if self._queue else 0,
            r.queue_ready.offset: int(self._queue.ready) if self._queue else 0,
            r.interrupt_status.offset: model.isr,
            r.status.offset: model.status,
            r.generation.offset: model.generation,
        }
        return values.get(offset, 0)

    def write(self, offset: int, width: int, value: int) -> None:
        model = self.model
        if self.gone:
            return
        if offset >= CONFIG:
            at = offset - CONFIG
            model.config[at : at + width] = value.to_bytes(width, "little")
            return
        assert width == 4, "registers have 32 bits (4.2.2.2)"
        r = MmioRegisters
        queue = self._queue
        if offset in (r.device_features_select.offset, r.driver_features_select.offset):
            self._features_select = value
        elif offset == r.driver_features.offset:
            model.set_features(self._features_select, value)
        elif offset == r.queue_select.offset:
            self._select = value
        elif offset == r.queue_notify.offset:
            model.notify(value)
        elif offset == r.interrupt_acknowledge.offset:
            model.isr &= ~value
            if not model.isr:
                model.machine.raise_line(self.place.irq, False)
        elif offset == r.status.offset:
            model.set_status(value)
        elif offset == r.guest_page_size.offset:
            self._page_size = value
        elif queue is None:
            raise AssertionError(f"a write to {offset:#x} without a queue")
        elif offset == r.queue_size.offset:
            assert value <= queue.most
            queue.size = value
        elif offset == r.queue_page.offset:
            assert self.version == 1
            legacy_queue(queue, value, self._page_size)
        elif offset == r.queue_ready.offset:
            assert self.version == 2
            halves = self._halves
            queue.descriptors = halves[0x80] | halves[0x84] << 32
            queue.available = halves[0x90] | halves[0x94] << 32
            queue.used = halves[0xA0] | halves[0xA4] << 32
            queue.ready = bool(value)
        else:
            self._halves[offset] = value
