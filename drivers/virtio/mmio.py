"""virtio over memory-mapped registers (4.2), version 2 and the legacy version 1 (4.2.4)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.hardware import SubWindow
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.virtio.queue import Queue
    from ovum.services.irq import Interrupt

MAGIC = 0x74726976
LEGACY_VERSION, VERSION = 1, 2
PAGE = 4096
CONFIG = 0x100


class MmioRegisters(Registers):
    magic = Register(0x000, 32, "4.2.2")
    version = Register(0x004, 32, "4.2.2")
    device_id = Register(0x008, 32, "4.2.2")
    vendor_id = Register(0x00C, 32, "4.2.2")
    device_features = Register(0x010, 32, "4.2.2")
    device_features_select = Register(0x014, 32, "4.2.2")
    driver_features = Register(0x020, 32, "4.2.2")
    driver_features_select = Register(0x024, 32, "4.2.2")
    guest_page_size = Register(0x028, 32, "4.2.4")
    queue_select = Register(0x030, 32, "4.2.2")
    queue_size_max = Register(0x034, 32, "4.2.2")
    queue_size = Register(0x038, 32, "4.2.2")
    queue_align = Register(0x03C, 32, "4.2.4")
    queue_page = Register(0x040, 32, "4.2.4")
    queue_ready = Register(0x044, 32, "4.2.2")
    queue_notify = Register(0x050, 32, "4.2.2")
    interrupt_status = Register(0x060, 32, "4.2.2")
    interrupt_acknowledge = Register(0x064, 32, "4.2.2")
    status = Register(0x070, 32, "4.2.2")
    queue_descriptors = Register(0x080, 32, "4.2.2")
    queue_descriptors_high = Register(0x084, 32, "4.2.2")
    queue_available = Register(0x090, 32, "4.2.2")
    queue_available_high = Register(0x094, 32, "4.2.2")
    queue_used = Register(0x0A0, 32, "4.2.2")
    queue_used_high = Register(0x0A4, 32, "4.2.2")
    generation = Register(0x0FC, 32, "4.2.2")


class MmioPlace:
    """Where a device is: what the command line or ACPI says of it."""

    __slots__ = ("address", "irq", "size")

    def __init__(self, address: int, size: int, irq: int) -> None:
        self.address = address
        self.size = size
        self.irq = irq

    def __repr__(self) -> str:
        return f"<virtio-mmio at {self.address:#x}, interrupt {self.irq}>"


def places_of(command_line: str) -> Iterator[MmioPlace]:
    """Devices as Linux's parameter names them: virtio_mmio.device=SIZE@BASE:IRQ[:ID].

    Numbers are decimal or 0x…, and a size may end in K or M. Raises ValueError.
    """
    for word in command_line.split():
        key, _, value = word.partition("=")
        if key != "virtio_mmio.device":
            continue
        size, _, rest = value.partition("@")
        base, _, irq = rest.partition(":")
        scale = {"K": 1 << 10, "M": 1 << 20}.get(size[-1:].upper(), 1)
        digits = size if scale == 1 else size[:-1]
        try:
            place = MmioPlace(int(base, 0), int(digits, 0) * scale, int(irq.partition(":")[0], 0))
        except ValueError:
            raise ValueError(f"{word}: not SIZE@BASE:IRQ") from None
        if place.size <= CONFIG:
            raise ValueError(f"{word}: {place.size} bytes are too few")
        yield place


class MmioTransport:
    """A device by its registers; see `Transport`.

    Raises DeviceError for what is no virtio device. `device_type` 0 is a place without one.
    """

    def __init__(self, hardware: Hardware, place: MmioPlace) -> None:
        self.name = f"MMIO {place.address:#x}"
        self.hardware = hardware
        self._place = place
        window = hardware.mmio(place.address, place.size)
        self._window = window
        self._registers = registers = MmioRegisters(window)
        if registers.magic != MAGIC:
            raise DeviceError(f"{self.name}: {registers.magic!r} is not virtio's magic value")
        self._version = int(registers.version)
        if self._version not in (LEGACY_VERSION, VERSION):
            raise DeviceError(f"{self.name}: version {self._version} is not known")
        self.queue_align = PAGE if self._version == LEGACY_VERSION else 4
        self.device_type = int(registers.device_id)
        self.config = SubWindow(window, CONFIG, place.size - CONFIG)
        self._interrupt: Interrupt | None = None

    def status(self) -> int:
        return self._registers.status

    def set_status(self, status: int) -> None:
        self._registers.status = status
        if not status and self._version == LEGACY_VERSION:
            self._registers.guest_page_size = PAGE

    def read_features(self) -> int:
        features = 0
        for select in (0, 1):
            self._registers.device_features_select = select
            features |= self._registers.device_features << 32 * select
        return features

    def write_features(self, features: int) -> None:
        for select in (0, 1):
            self._registers.driver_features_select = select
            self._registers.driver_features = features >> 32 * select & 0xFFFFFFFF

    def config_generation(self) -> int:
        return self._registers.generation if self._version == VERSION else 0

    def queue_size(self, index: int) -> int:
        self._registers.queue_select = index
        return self._registers.queue_size_max

    def start_queue(self, index: int, queue: Queue) -> None:
        registers = self._registers
        registers.queue_select = index
        registers.queue_size = queue.size
        if self._version == LEGACY_VERSION:
            registers.queue_align = PAGE
            registers.queue_page = queue.descriptors_at // PAGE
            return
        registers.queue_descriptors = queue.descriptors_at & 0xFFFFFFFF
        registers.queue_descriptors_high = queue.descriptors_at >> 32
        registers.queue_available = queue.available_at & 0xFFFFFFFF
        registers.queue_available_high = queue.available_at >> 32
        registers.queue_used = queue.used_at & 0xFFFFFFFF
        registers.queue_used_high = queue.used_at >> 32
        registers.queue_ready = 1

    def notifier(self, index: int) -> Callable[[], None]:
        write = self._window.write32
        at = MmioRegisters.queue_notify.offset
        return lambda: write(at, index)

    def bind_interrupts(self, queues: int) -> list[Interrupt]:
        self._interrupt = self.hardware.interrupt(self._place.irq)
        return [self._interrupt] * (queues + 1)

    def interrupt_status(self) -> int:
        status = self._registers.interrupt_status
        self._registers.interrupt_acknowledge = status
        return status

    def release_interrupts(self) -> None:
        if self._interrupt is not None:
            self._interrupt.close()
            self._interrupt = None

    def isolate(self) -> None:
        pass  # there is no bus that could be told
