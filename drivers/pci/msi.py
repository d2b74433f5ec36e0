"""Message-signalled interrupts: MSI (PCI 3.0, 6.8.1) and MSI-X (6.8.2)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register, Registers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.registers import Window
    from ovum.services.irq import Interrupt


class MsiCapability(Registers):
    control = Register(
        0x02, 16, "6.8.1.3", enable=0, capable=(3, 1), enabled=(6, 4), wide=7, maskable=8
    )
    address = Register(0x04, 32, "6.8.1.4")
    address_high = Register(0x08, 32, "6.8.1.5")
    data = Register(0x08, 16, "6.8.1.6")
    data_wide = Register(0x0C, 16, "6.8.1.6")
    """Where data is if the address has 64 bits."""


class MsixCapability(Registers):
    control = Register(0x02, 16, "6.8.2.3", last=(10, 0), masked=14, enable=15)
    table = Register(0x04, 32, "6.8.2.4", bar=(2, 0), offset=(31, 3))
    pending = Register(0x08, 32, "6.8.2.5", bar=(2, 0), offset=(31, 3))


ENTRY = 16
"""Bytes of an entry of MSI-X's table: address, upper address, data, control (6.8.2.6)."""

MSI_SIZE, MSI_SIZE_WIDE = 10, 14
"""Bytes of the capability MSI, with an address of 32 or 64 bits, without masks (6.8.1)."""

_MASKED = 1


def enable_msi(capability: MsiCapability, interrupt: Interrupt) -> None:
    """Has the function's one message raise this interrupt."""
    control = capability.control
    capability.address = interrupt.address & 0xFFFFFFFF
    if control.wide:
        capability.address_high = interrupt.address >> 32
        capability.data_wide = interrupt.data
    else:
        capability.data = interrupt.data
    capability.control = control.replace(enabled=0, enable=1)


class MsixTable:
    """The table of a function that has MSI-X: an interrupt for each entry that the driver wants."""

    def __init__(self, capability: MsixCapability, table: Window, size: int) -> None:
        self._capability = capability
        self._table = table
        self.size = size
        """How many entries it has."""

    def enable(self) -> None:
        """Turns MSI-X on, with every entry masked."""
        for entry in range(self.size):
            self._table.write32(entry * ENTRY + 12, _MASKED)
        self._capability.control = self._capability.control.replace(enable=1, masked=0)

    def disable(self) -> None:
        self._capability.control = self._capability.control.replace(enable=0)

    def set(self, entry: int, interrupt: Interrupt) -> None:
        """Has this entry's message raise an interrupt. Raises DeviceError without such an entry."""
        if not 0 <= entry < self.size:
            raise DeviceError(f"MSI-X has {self.size} entries, and no number {entry}")
        at = entry * ENTRY
        self._table.write32(at, interrupt.address & 0xFFFFFFFF)
        self._table.write32(at + 4, interrupt.address >> 32)
        self._table.write32(at + 8, interrupt.data)
        self._table.write32(at + 12, 0)

    def mask(self, entry: int) -> None:
        """No message of this entry from now on."""
        self._table.write32(entry * ENTRY + 12, _MASKED)
