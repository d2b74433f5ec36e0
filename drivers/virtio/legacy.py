"""The legacy interface over PCI (4.1.4.10): I/O ports, for hosts that offer nothing newer."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.hardware import SubWindow
from ovum.drivers.registers import Register, Registers
from ovum.drivers.virtio.pci import PciInterrupts, type_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.registers import Window
    from ovum.drivers.virtio.queue import Queue
    from ovum.services.irq import Interrupt

PAGE = 4096
"""Queues are told by the number of their page, and used rings begin on one (2.7.2)."""

_HEADER = 20
_HEADER_MSIX = 24
"""Where a device type's own registers begin, without and with MSI-X enabled (4.1.4.10)."""


class LegacyHeader(Registers):
    device_features = Register(0x00, 32)
    driver_features = Register(0x04, 32)
    queue_page = Register(0x08, 32)
    queue_size = Register(0x0C, 16)
    queue_select = Register(0x0E, 16)
    queue_notify = Register(0x10, 16)
    status = Register(0x12, 8)
    isr = Register(0x13, 8)
    config_vector = Register(0x14, 16)
    queue_vector = Register(0x16, 16)


class LegacyPciTransport:
    """A legacy or transitional device by its ports; see `Transport`."""

    queue_align = PAGE

    def __init__(self, function: PciFunction) -> None:
        self.name = f"PCI {function.address} (legacy)"
        self.hardware = function.hardware
        self.device_type = type_of(function)
        function.enable()
        self._function = function
        self._ports = function.open_bar(0)
        if self._ports.size < _HEADER_MSIX:
            raise DeviceError(f"{self.name}: {self._ports.size} bytes of registers are too few")
        self._header = LegacyHeader(self._ports)
        self._interrupts = PciInterrupts(function, self._vector)
        self._msix = False

    @property
    def config(self) -> Window:
        """Its own registers; they move when MSI-X is turned on."""
        begin = _HEADER_MSIX if self._msix else _HEADER
        return SubWindow(self._ports, begin, self._ports.size - begin)

    def status(self) -> int:
        return self._header.status

    def set_status(self, status: int) -> None:
        self._header.status = status

    def read_features(self) -> int:
        return self._header.device_features

    def write_features(self, features: int) -> None:
        self._header.driver_features = features & 0xFFFFFFFF

    def config_generation(self) -> int:
        return 0  # legacy devices have none (2.5.4)

    def queue_size(self, index: int) -> int:
        self._header.queue_select = index
        return self._header.queue_size

    def start_queue(self, index: int, queue: Queue) -> None:
        if queue.descriptors_at >> 44:
            raise DeviceError(f"{self.name}: queue {index} is beyond what 32 bits of pages reach")
        self._header.queue_select = index
        self._header.queue_page = queue.descriptors_at // PAGE

    def notifier(self, index: int) -> Callable[[], None]:
        write = self._ports.write16
        at = LegacyHeader.queue_notify.offset
        return lambda: write(at, index)

    def _vector(self, queue: int | None, vector: int) -> int:
        self._msix = True
        if queue is None:
            self._header.config_vector = vector
            return self._header.config_vector
        self._header.queue_select = queue
        self._header.queue_vector = vector
        return self._header.queue_vector

    def bind_interrupts(self, queues: int) -> list[Interrupt]:
        return self._interrupts.bind(queues)

    def interrupt_status(self) -> int:
        return self._header.isr

    def release_interrupts(self) -> None:
        self._interrupts.release()
        self._msix = False

    def isolate(self) -> None:
        self._function.disable()
