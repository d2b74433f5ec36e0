"""One function of a PCI device."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.hardware import SubWindow
from ovum.drivers.pci import capabilities as cap
from ovum.drivers.pci.bars import read_bars
from ovum.drivers.pci.header import BARS, LAYOUT_BRIDGE, BridgeHeader, DeviceHeader
from ovum.drivers.pci.msi import (
    ENTRY,
    MSI_SIZE,
    MSI_SIZE_WIDE,
    MsiCapability,
    MsixCapability,
    MsixTable,
    enable_msi,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.bars import Bar
    from ovum.drivers.registers import Window
    from ovum.services.irq import Interrupt

PORTS_END = 1 << 16
MEMORY_END = 1 << 52
"""Where ports and physical addresses of x86-64 end (Intel SDM 1, chapter 19; 3, 4.1.4)."""


class PciFunction:
    """A function that answers at a place of a bus.

    Numbers that say what it is are read once; `header` are its registers as they are.
    """

    def __init__(
        self, hardware: Hardware, window: Window, segment: int, bus: int, device: int, function: int
    ) -> None:
        self.hardware = hardware
        self.window = window
        self.segment = segment
        self.bus = bus
        self.device = device
        self.function = function
        header: DeviceHeader | BridgeHeader = DeviceHeader(window)
        self.layout = header.header_type.layout
        if self.layout == LAYOUT_BRIDGE:
            header = BridgeHeader(window)
        self.header = header
        self.vendor_id = int(header.vendor)
        self.device_id = int(header.device)
        self.class_code = header.base_class << 16 | header.subclass << 8 | header.interface
        self.revision = int(header.revision)
        self.subsystem = (0, 0)
        """Vendor and number of the subsystem; for bridges zeros."""
        if isinstance(header, DeviceHeader):
            self.subsystem = int(header.subsystem_vendor), int(header.subsystem)
        self._bars: dict[int, Bar] | None = None
        self._capabilities: list[tuple[int, int]] | None = None

    @property
    def address(self) -> str:
        """Segment, bus, device and function as Linux writes them."""
        return f"{self.segment:04x}:{self.bus:02x}:{self.device:02x}.{self.function}"

    def __repr__(self) -> str:
        return f"<PCI {self.address} {self.vendor_id:04x}:{self.device_id:04x}>"

    @property
    def bars(self) -> dict[int, Bar]:
        """Its base address registers by index; their sizes are found out at the first look."""
        if self._bars is None:
            self._bars = read_bars(self.window, self.header, BARS.get(self.layout, 0))
        return self._bars

    @property
    def capabilities(self) -> list[tuple[int, int]]:
        """(identity, offset in configuration space) of its capabilities, in their order."""
        if self._capabilities is None:
            found: list[tuple[int, int]] = []
            if self.header.status.capabilities:
                found = list(cap.capabilities(self.window, self.header.capabilities))
            self._capabilities = found
        return self._capabilities

    def capability(self, identity: int, size: int) -> Window | None:
        """The first capability of a kind as a window of `size` bytes; None if there is none."""
        for found, offset in self.capabilities:
            if found == identity and offset + size <= cap.FIRST_EXTENDED:
                return SubWindow(self.window, offset, size)
        return None

    def enable(self) -> None:
        """Lets it decode its addresses and reach memory by itself (6.2.2)."""
        self.header.command = self.header.command.replace(
            io_space=1, memory_space=1, bus_master=1, interrupt_disable=0
        )

    def disable(self) -> None:
        """It reaches memory no more, and raises no interrupt of its line."""
        self.header.command = self.header.command.replace(bus_master=0, interrupt_disable=1)

    def open_bar(self, index: int, offset: int = 0, size: int | None = None) -> Window:
        """The registers behind a base address register, or part of them.

        Raises DeviceError where there is none, it has no address, or the part is not within it.
        """
        bar = self.bars.get(index)
        if bar is None or not bar.address:
            raise DeviceError(
                f"{self.address}: BAR {index} {'has no address' if bar else 'is not there'}"
            )
        if size is None:
            size = bar.size - offset
        if offset < 0 or size <= 0 or offset + size > bar.size:
            raise DeviceError(
                f"{self.address}: {size:#x} bytes at {offset:#x} are not within {bar!r}"
            )
        address = bar.address + offset
        if address + size > (PORTS_END if bar.io else MEMORY_END):
            raise DeviceError(f"{self.address}: {bar!r} is beyond what can be addressed")
        if bar.io:
            return self.hardware.ports(address, size)
        try:
            return self.hardware.mmio(address, size)
        except OSError as error:
            raise DeviceError(f"{self.address}: {bar!r} cannot be used: {error}") from error

    # Interrupts

    def msix(self) -> MsixTable | None:
        """Its table of MSI-X entries, turned on and all masked; None if it has none."""
        window = self.capability(cap.MSI_X, 12)
        if window is None:
            return None
        capability = MsixCapability(window)
        size = capability.control.last + 1
        place = capability.table
        at = place.replace(bar=0)
        table = MsixTable(capability, self.open_bar(place.bar, at, size * ENTRY), size)
        table.enable()
        return table

    def _msi(self) -> MsiCapability | None:
        window = self.capability(cap.MSI, MSI_SIZE)
        if window is not None and MsiCapability(window).control.wide:
            window = self.capability(cap.MSI, MSI_SIZE_WIDE)
        return None if window is None else MsiCapability(window)

    def interrupt(self) -> Interrupt:
        """One interrupt for everything: MSI if it has that, else its line.

        Raises DeviceError if it has neither, OSError(EBUSY) for a line with another owner.
        """
        msi = self._msi()
        if msi is not None:
            interrupt = self.hardware.message()
            enable_msi(msi, interrupt)
            return interrupt
        line = int(self.header.interrupt_line)
        if not self.header.interrupt_pin or line in (0, 255):
            raise DeviceError(f"{self.address}: no interrupt (pin 0 or no line)")
        return self.hardware.interrupt(line)

    def release_interrupt(self, interrupt: Interrupt) -> None:
        """Gives up what `interrupt` has returned; the function sends no message of it any more."""
        msi = self._msi()
        if msi is not None:
            msi.control = msi.control.replace(enable=0)
        interrupt.close()
