"""Where PCI Express configuration space is in memory (PCI Firmware 3.2, 4.1.2)."""

from __future__ import annotations

from ovum.drivers.acpi.table import Table
from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import EcamConfigSpace

_FIRST = 44
_ENTRY = 16
_PHYSICAL_END = 1 << 52


class Window(Structure):
    """One segment, or some buses of one."""

    SIZE = _ENTRY
    base = Register(0, 64)
    """Where bus 0 would be."""
    segment = Register(8, 16)
    first_bus = Register(10, 8)
    last_bus = Register(11, 8)


class Mcfg(Table):
    """The table."""

    LEAST = _FIRST

    @property
    def windows(self) -> list[Window]:
        """Its entries. Raises DeviceError for one that cannot be."""
        found = []
        data = self.data[: self.length_found]
        for at in range(_FIRST, len(data) - _ENTRY + 1, _ENTRY):
            window = Window(data[at : at + _ENTRY])
            end = window.base + (window.last_bus + 1 << 20)
            if window.first_bus > window.last_bus or window.base & 0xFFFFF or end > _PHYSICAL_END:
                raise DeviceError(f"ACPI table MCFG: no such memory: {window!r}")
            found.append(window)
        return found

    def config_spaces(self, hardware: Hardware) -> list[EcamConfigSpace]:
        """Configuration space of each entry, for `pci.scan`. Raises DeviceError."""
        from ovum.drivers.pci.config import EcamConfigSpace

        return [
            EcamConfigSpace(
                hardware,
                int(window.base),
                int(window.segment),
                int(window.first_bus),
                int(window.last_bus),
            )
            for window in self.windows
        ]
