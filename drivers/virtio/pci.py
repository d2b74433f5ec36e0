"""virtio over PCI (4.1): structures in memory that vendor-specific capabilities point to."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.hardware import SubWindow
from ovum.drivers.pci import capabilities as cap
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.pci.msi import MsixTable
    from ovum.drivers.registers import Window
    from ovum.drivers.virtio.queue import Queue
    from ovum.services.irq import Interrupt

VENDOR = 0x1AF4
FIRST_MODERN = 0x1040
"""Device IDs from here on are the type plus this (4.1.2)."""
LEGACY = range(0x1000, 0x1040)
"""Transitional devices: the type is their subsystem's number (4.1.2.3)."""

COMMON, NOTIFY, ISR, DEVICE = 1, 2, 3, 4
"""Kinds of structures, cfg_type of 4.1.4."""

SMALLEST = {COMMON: 0x38, NOTIFY: 2, ISR: 1, DEVICE: 1}
"""Bytes that a structure of each kind has at least (4.1.4.3 to 4.1.4.6)."""

NO_VECTOR = 0xFFFF
"""No MSI-X vector (4.1.4.3); also what a vector that the device refused reads as."""


class StructureCapability(Registers):
    """struct virtio_pci_cap, and what a notify capability has behind it (4.1.4, 4.1.4.4)."""

    kind = Register(0x03, 8, "4.1.4")
    bar = Register(0x04, 8, "4.1.4")
    offset = Register(0x08, 32, "4.1.4")
    length = Register(0x0C, 32, "4.1.4")
    notify_multiplier = Register(0x10, 32, "4.1.4.4")


class CommonConfig(Registers):
    """struct virtio_pci_common_cfg (4.1.4.3)."""

    device_feature_select = Register(0x00, 32)
    device_feature = Register(0x04, 32)
    driver_feature_select = Register(0x08, 32)
    driver_feature = Register(0x0C, 32)
    config_vector = Register(0x10, 16)
    queues = Register(0x12, 16)
    status = Register(0x14, 8)
    generation = Register(0x15, 8)
    queue_select = Register(0x16, 16)
    queue_size = Register(0x18, 16)
    queue_vector = Register(0x1A, 16)
    queue_enable = Register(0x1C, 16)
    queue_notify_offset = Register(0x1E, 16)
    # Of 64 bits, to be accessed as halves (4.1.3.1).
    queue_descriptors = Register(0x20, 32)
    queue_descriptors_high = Register(0x24, 32)
    queue_available = Register(0x28, 32)
    queue_available_high = Register(0x2C, 32)
    queue_used = Register(0x30, 32)
    queue_used_high = Register(0x34, 32)


class PciInterrupts:
    """Interrupts of a virtio device on PCI: a message for each queue, or one line for all.

    `set_vector(queue, vector)` tells the device which MSI-X entry is a queue's, or with None the
    configuration's, and returns what it has accepted.
    """

    def __init__(self, function: PciFunction, set_vector: Callable[[int | None, int], int]) -> None:
        self._function = function
        self._set_vector = set_vector
        self._table: MsixTable | None = None
        self._line: Interrupt | None = None
        self._messages: list[Interrupt] = []

    def bind(self, queues: int) -> list[Interrupt]:
        """See `Transport.bind_interrupts`. With few messages, all queues share one (4.1.5.1.2)."""
        table = self._function.msix()
        if table is None or table.size < 2:
            if table is not None:
                table.disable()
            self._line = self._function.interrupt()
            return [self._line] * (queues + 1)
        self._table = table
        count = queues if table.size > queues else 1
        for entry in range(count + 1):
            interrupt = self._function.hardware.message()
            self._messages.append(interrupt)
            table.set(entry, interrupt)
        for queue in range(-1, queues):
            entry = min(queue + 1, count)
            if self._set_vector(None if queue < 0 else queue, entry) != entry:
                raise DeviceError(f"{self._function.address}: MSI-X vector {entry} is refused")
        return [self._messages[min(queue, count)] for queue in range(queues + 1)]

    def release(self) -> None:
        if self._table is not None:
            self._table.disable()
            self._table = None
        if self._line is not None:
            self._function.release_interrupt(self._line)
            self._line = None
        while self._messages:
            self._messages.pop().close()


class PciTransport:
    """A modern virtio device on PCI; see `Transport`. Raises DeviceError for what is not one."""

    queue_align = 4

    def __init__(self, function: PciFunction) -> None:
        self.name = f"PCI {function.address}"
        self.hardware = function.hardware
        self.device_type = type_of(function)
        self._function = function
        self._notify_multiplier = 0
        function.enable()
        windows = self._structures()
        for kind, text in ((COMMON, "common"), (NOTIFY, "notify"), (ISR, "ISR")):
            if kind not in windows:
                raise DeviceError(f"{self.name}: no {text} structure")
        self._common = CommonConfig(windows[COMMON])
        self._notify = windows[NOTIFY]
        self._isr = windows[ISR]
        self.config = windows.get(DEVICE) or SubWindow(windows[ISR], 0, 0)
        self._interrupts = PciInterrupts(function, self._vector)

    def _structures(self) -> dict[int, Window]:
        """The first usable structure of each kind (4.1.4.1)."""
        found: dict[int, Window] = {}
        for identity, offset in self._function.capabilities:
            if identity != cap.VENDOR or offset + 0x10 > 256:
                continue
            size = min(0x14, 256 - offset)
            one = StructureCapability(SubWindow(self._function.window, offset, size))
            kind = int(one.kind)
            if kind in found or kind not in (COMMON, NOTIFY, ISR, DEVICE):
                continue
            if one.length < SMALLEST[kind] or one.offset & 3:
                continue
            try:
                found[kind] = self._function.open_bar(one.bar, one.offset, one.length)
            except DeviceError:
                continue  # a later one may do (4.1.4.1)
            if kind == NOTIFY and size >= 0x14:
                self._notify_multiplier = int(one.notify_multiplier)
        return found

    def status(self) -> int:
        return self._common.status

    def set_status(self, status: int) -> None:
        self._common.status = status

    def read_features(self) -> int:
        common = self._common
        common.device_feature_select = 0
        low = common.device_feature
        common.device_feature_select = 1
        return low | common.device_feature << 32

    def write_features(self, features: int) -> None:
        common = self._common
        for select in (0, 1):
            common.driver_feature_select = select
            common.driver_feature = features >> 32 * select & 0xFFFFFFFF

    def config_generation(self) -> int:
        return self._common.generation

    def queue_size(self, index: int) -> int:
        if index >= self._common.queues:
            return 0
        self._common.queue_select = index
        return self._common.queue_size

    def start_queue(self, index: int, queue: Queue) -> None:
        common = self._common
        common.queue_select = index
        common.queue_size = queue.size
        common.queue_descriptors = queue.descriptors_at & 0xFFFFFFFF
        common.queue_descriptors_high = queue.descriptors_at >> 32
        common.queue_available = queue.available_at & 0xFFFFFFFF
        common.queue_available_high = queue.available_at >> 32
        common.queue_used = queue.used_at & 0xFFFFFFFF
        common.queue_used_high = queue.used_at >> 32
        common.queue_enable = 1

    def notifier(self, index: int) -> Callable[[], None]:
        self._common.queue_select = index
        offset = self._common.queue_notify_offset * self._notify_multiplier
        if offset + 2 > self._notify.size or offset & 1:
            raise DeviceError(f"{self.name}: queue {index} is notified outside its structure")
        write = self._notify.write16
        return lambda: write(offset, index)

    def _vector(self, queue: int | None, vector: int) -> int:
        common = self._common
        if queue is None:
            common.config_vector = vector
            return common.config_vector
        common.queue_select = queue
        common.queue_vector = vector
        return common.queue_vector

    def bind_interrupts(self, queues: int) -> list[Interrupt]:
        return self._interrupts.bind(queues)

    def interrupt_status(self) -> int:
        return self._isr.read8(0)

    def release_interrupts(self) -> None:
        self._interrupts.release()

    def isolate(self) -> None:
        self._function.disable()


def type_of(function: PciFunction) -> int:
    """The virtio device type of a PCI function (4.1.2)."""
    if function.device_id in LEGACY:
        return function.subsystem[1]
    return function.device_id - FIRST_MODERN
