"""Configuration space: how a function's registers are reached."""

from __future__ import annotations

from ovum.drivers.hardware import SubWindow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.registers import Window

    class ConfigSpace(Protocol):
        """One segment's configuration space."""

        segment: int
        first_bus: int
        last_bus: int

        def function(self, bus: int, device: int, function: int) -> Window:
            """The registers of a function; all ones where there is none."""


class PortConfigSpace:
    """Configuration mechanism #1: an address port and a data port (PCI Local Bus 3.0, 3.2.2.3.2).

    Reaches the first 256 bytes of every function of segment 0.
    """

    segment = 0
    first_bus = 0
    last_bus = 255

    def __init__(self, hardware: Hardware) -> None:
        self._ports = hardware.ports(0xCF8, 8)

    def function(self, bus: int, device: int, function: int) -> Window:
        address = 1 << 31 | bus << 16 | device << 11 | function << 8
        return _PortFunction(self._ports, address)


class _PortFunction:
    size = 256

    def __init__(self, ports: Window, address: int) -> None:
        self._ports = ports
        self._address = address

    def _select(self, offset: int) -> int:
        if not 0 <= offset < 256:
            raise IndexError(f"offset {offset:#x} is not within 256 bytes")
        self._ports.write32(0, self._address | offset & 0xFC)
        return 4 + (offset & 3)

    def read8(self, offset: int) -> int:
        return self._ports.read8(self._select(offset))

    def read16(self, offset: int) -> int:
        return self._ports.read16(self._select(offset))

    def read32(self, offset: int) -> int:
        return self._ports.read32(self._select(offset))

    def read64(self, offset: int) -> int:
        return self.read32(offset) | self.read32(offset + 4) << 32

    def write8(self, offset: int, value: int) -> None:
        self._ports.write8(self._select(offset), value)

    def write16(self, offset: int, value: int) -> None:
        self._ports.write16(self._select(offset), value)

    def write32(self, offset: int, value: int) -> None:
        self._ports.write32(self._select(offset), value)

    def write64(self, offset: int, value: int) -> None:
        self.write32(offset, value & 0xFFFFFFFF)
        self.write32(offset + 4, value >> 32)


class EcamConfigSpace:
    """The enhanced mechanism: 4 KiB of memory for each function (PCI Express 5.0, 7.2.2).

    `base`: where bus 0 would be, as the ACPI table MCFG gives it (PCI Firmware 3.2, 4.1.2).
    """

    def __init__(
        self, hardware: Hardware, base: int, segment: int, first_bus: int, last_bus: int
    ) -> None:
        self._hardware = hardware
        self._base = base
        self.segment = segment
        self.first_bus = first_bus
        self.last_bus = last_bus
        self._buses: dict[int, Window] = {}
        """Mapped once: most of a bus's functions are only looked for."""

    def function(self, bus: int, device: int, function: int) -> Window:
        window = self._buses.get(bus)
        if window is None:
            window = self._buses[bus] = self._hardware.mmio(self._base + (bus << 20), 1 << 20)
        return SubWindow(window, device << 15 | function << 12, 4096)
