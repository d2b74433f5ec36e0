"""The faces of a virtio device on PCI: structures in memory (4.1.4), or ports (4.1.4.10)."""

from __future__ import annotations

import struct

from ovum.drivers.pci.function import PciFunction
from ovum.drivers.virtio.legacy import LegacyHeader
from ovum.drivers.virtio.pci import COMMON, DEVICE, ISR, NOTIFY, CommonConfig

from .machine import ModelWindow
from .pci_model import PciModel
from .virtio_model import ModelQueue, VirtioModel, legacy_queue

LINE = 11
NO_VECTOR = 0xFFFF
NOTIFY_MULTIPLIER = 4


class _Face:
    """What both have: a function with interrupts by MSI-X or by its line."""

    def __init__(self, model: VirtioModel, function: PciModel, vectors: int) -> None:
        self.model = model
        self.function = function
        self.config_vector = NO_VECTOR
        self._select = 0
        function.set_line(LINE)
        if vectors:
            function.add_msix(vectors, 1, 0xFEB1_0000)
        model.interrupt_queue = self._interrupt_queue
        model.interrupt_config = lambda: self._interrupt(self.config_vector)

    @property
    def messages(self) -> bool:
        return self.function.msix is not None and self.function.msix.enabled

    def pci_function(self) -> PciFunction:
        """The function as a driver finds it."""
        return PciFunction(self.model.machine, ModelWindow(self.function), 0, 0, 3, 0)

    def _interrupt_queue(self, index: int) -> None:
        self._interrupt(self.model.queues[index].vector)

    def _interrupt(self, vector: int) -> None:
        if not self.messages or vector != NO_VECTOR:
            self.function.interrupt(vector)

    def _accepted(self, vector: int) -> int:
        msix = self.function.msix
        return vector if msix is not None and vector < msix.entries else NO_VECTOR

    @property
    def _queue(self) -> ModelQueue | None:
        queues = self.model.queues
        return queues[self._select] if self._select < len(queues) else None

    def _read_isr(self) -> int:
        """Reading acknowledges, and lowers the line (4.1.4.5)."""
        value, self.model.isr = self.model.isr, 0
        if not self.messages:
            self.function.interrupt(0, level=False)
        return value

    def _set_status(self, value: int) -> None:
        if not value:
            self.config_vector = NO_VECTOR
        self.model.set_status(value)

    def _config(self, at: int, width: int) -> int:
        return int.from_bytes(self.model.config[at : at + width].ljust(width, b"\0"), "little")


class PciFace(_Face):
    """A modern device: its structures are in one base address register."""

    size = 0x4000
    _OFFSETS = {COMMON: 0, ISR: 0x1000, DEVICE: 0x2000, NOTIFY: 0x3000}  # noqa: RUF012

    def __init__(self, model: VirtioModel, *, vectors: int = 8) -> None:
        function = PciModel(
            model.machine, 0x1AF4, 0x1040 + model.device_type, subsystem=(0x1AF4, 0x1100)
        )
        self._features_select = 0
        self._halves: dict[int, int] = {}
        lengths = {COMMON: 0x38, ISR: 1, DEVICE: max(len(model.config), 4), NOTIFY: 0x1000}
        for kind in (COMMON, ISR, DEVICE, NOTIFY):
            body = struct.pack("<BBB3xII", 0x14, kind, 4, self._OFFSETS[kind], lengths[kind])
            if kind == NOTIFY:
                body += struct.pack("<I", NOTIFY_MULTIPLIER)
            function.add_capability(0x09, body)
        function.add_bar(4, self, 0x8_0000_0000, self.size, wide=True, prefetchable=True)
        super().__init__(model, function, vectors)

    def read(self, offset: int, width: int) -> int:
        kind, at = offset & 0x3000, offset & 0xFFF
        if kind == 0x1000:
            return self._read_isr() if at == 0 else 0
        if kind == 0x2000:
            return self._config(at, width)
        model, queue, c = self.model, self._queue, CommonConfig
        values = {
            c.device_feature.offset: model.offered >> 32 * self._features_select & 0xFFFFFFFF,
            c.config_vector.offset: self.config_vector,
            c.queues.offset: len(model.queues),
            c.status.offset: model.status,
            c.generation.offset: model.generation,
            c.queue_select.offset: self._select,
        }
        if queue is not None:
            values |= {
                c.queue_size.offset: queue.size,
                c.queue_vector.offset: queue.vector,
                c.queue_enable.offset: int(queue.ready),
                c.queue_notify_offset.offset: self._select,
            }
        return values.get(at, 0)

    def write(self, offset: int, width: int, value: int) -> None:
        kind, at = offset & 0x3000, offset & 0xFFF
        model, queue, c = self.model, self._queue, CommonConfig
        if kind == 0x3000:
            assert (width, at) == (2, value * NOTIFY_MULTIPLIER)
            model.notify(value)
        elif kind == 0x2000:
            model.config[at : at + width] = value.to_bytes(width, "little")
        elif at in (c.device_feature_select.offset, c.driver_feature_select.offset):
            self._features_select = value
        elif at == c.driver_feature.offset:
            model.set_features(self._features_select, value)
        elif at == c.config_vector.offset:
            self.config_vector = self._accepted(value)
        elif at == c.status.offset:
            self._set_status(value)
        elif at == c.queue_select.offset:
            self._select = value
        elif queue is None:
            raise AssertionError(f"a write to {offset:#x} without a queue")
        elif at == c.queue_size.offset:
            assert value <= queue.most
            queue.size = value
        elif at == c.queue_vector.offset:
            queue.vector = self._accepted(value)
        elif at == c.queue_enable.offset:
            halves = self._halves
            queue.descriptors = halves[0x20] | halves[0x24] << 32
            queue.available = halves[0x28] | halves[0x2C] << 32
            queue.used = halves[0x30] | halves[0x34] << 32
            queue.ready = bool(value)
        else:
            assert width == 4
            self._halves[at] = value


class LegacyPciFace(_Face):
    """A legacy device: ports, whose own registers move when MSI-X is turned on."""

    size = 0x80

    def __init__(self, model: VirtioModel, *, vectors: int = 8) -> None:
        function = PciModel(
            model.machine, 0x1AF4, 0x1000, subsystem=(0x1AF4, model.device_type), size=256
        )
        function.add_bar(0, self, 0xC000, self.size, io=True)
        super().__init__(model, function, vectors)
        model.offered &= 0xFFFFFFFF

    @property
    def _begin(self) -> int:
        return 24 if self.messages else 20

    def read(self, offset: int, width: int) -> int:
        model, queue, h = self.model, self._queue, LegacyHeader
        if offset >= self._begin:
            return self._config(offset - self._begin, width)
        if offset == h.isr.offset:
            return self._read_isr()
        return {
            h.device_features.offset: model.offered,
            h.queue_page.offset: queue.descriptors // 4096 if queue else 0,
            h.queue_size.offset: queue.most if queue else 0,
            h.status.offset: model.status,
            h.config_vector.offset: self.config_vector,
            h.queue_vector.offset: queue.vector if queue else NO_VECTOR,
        }.get(offset, 0)

    def write(self, offset: int, width: int, value: int) -> None:
        model, queue, h = self.model, self._queue, LegacyHeader
        if offset >= self._begin:
            at = offset - self._begin
            model.config[at : at + width] = value.to_bytes(width, "little")
        elif offset == h.driver_features.offset:
            model.set_features(0, value)
        elif offset == h.queue_select.offset:
            self._select = value
        elif offset == h.queue_notify.offset:
            model.notify(value)
        elif offset == h.status.offset:
            self._set_status(value)
        elif offset == h.config_vector.offset:
            self.config_vector = self._accepted(value)
        elif queue is None:
            raise AssertionError(f"a write to {offset:#x} without a queue")
        elif offset == h.queue_page.offset:
            legacy_queue(queue, value)
        elif offset == h.queue_vector.offset:
            queue.vector = self._accepted(value)
