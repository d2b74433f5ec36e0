"""Interrupt controllers and how lines reach them (ACPI 6.4, 5.2.12)."""

from __future__ import annotations

from ovum.drivers.acpi.table import Table
from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

_FIRST = 44


def _line_flags(offset: int) -> Register:
    """How a line is signalled (table 5.26)."""
    return Register(offset, 16, "table 5.26", polarity=(1, 0), trigger=(3, 2))


class Entry(Structure):
    """One entry; of a kind that is not known here, only its bytes."""

    NAME: ClassVar[str] = "unknown entry"
    kind = Register(0, 8)
    length = Register(1, 8)


class LocalApic(Entry):
    NAME, SIZE = "local APIC", 8
    uid = Register(2, 8)
    apic_id = Register(3, 8)
    flags = Register(4, 32, "table 5.22", enabled=0, online_capable=1)


class IoApic(Entry):
    NAME, SIZE = "I/O APIC", 12
    apic_id = Register(2, 8)
    address = Register(4, 32)
    first_interrupt = Register(8, 32)


class InterruptOverride(Entry):
    """An ISA line that is another input, or signalled otherwise, than is usual (5.2.12.5)."""

    NAME, SIZE = "interrupt override", 10
    bus = Register(2, 8)
    source = Register(3, 8)
    interrupt = Register(4, 32)
    flags = _line_flags(8)


class NmiSource(Entry):
    NAME, SIZE = "NMI source", 8
    flags = _line_flags(2)
    interrupt = Register(4, 32)


class LocalApicNmi(Entry):
    NAME, SIZE = "local APIC NMI", 6
    uid = Register(2, 8)
    """0xff: all processors."""
    flags = _line_flags(3)
    input = Register(5, 8)


class LocalApicAddress(Entry):
    NAME, SIZE = "local APIC address", 12
    address = Register(4, 64)


class IoSapic(Entry):
    NAME, SIZE = "I/O SAPIC", 16
    apic_id = Register(2, 8)
    first_interrupt = Register(4, 32)
    address = Register(8, 64)


class LocalSapic(Entry):
    NAME, SIZE = "local SAPIC", 16
    processor = Register(2, 8)
    sapic_id = Register(3, 8)
    sapic_eid = Register(4, 8)
    flags = Register(8, 32, enabled=0, online_capable=1)
    uid = Register(12, 32)


class PlatformInterrupt(Entry):
    NAME, SIZE = "platform interrupt source", 16
    flags = _line_flags(2)
    type = Register(4, 8)
    processor_id = Register(5, 8)
    processor_eid = Register(6, 8)
    vector = Register(7, 8)
    interrupt = Register(8, 32)
    source_flags = Register(12, 32, overridable=0)


class LocalX2Apic(Entry):
    NAME, SIZE = "local x2APIC", 16
    apic_id = Register(4, 32)
    flags = Register(8, 32, enabled=0, online_capable=1)
    uid = Register(12, 32)


class LocalX2ApicNmi(Entry):
    NAME, SIZE = "local x2APIC NMI", 12
    flags = _line_flags(2)
    uid = Register(4, 32)
    input = Register(8, 8)


class GicCpu(Entry):
    NAME, SIZE = "GIC CPU interface", 80
    number = Register(4, 32)
    uid = Register(8, 32)
    flags = Register(12, 32, enabled=0)
    address = Register(32, 64)
    redistributor = Register(60, 64)
    mpidr = Register(68, 64)


class GicDistributor(Entry):
    NAME, SIZE = "GIC distributor", 24
    gic_id = Register(4, 32)
    address = Register(8, 64)
    version = Register(20, 8)


class GicMessages(Entry):
    NAME, SIZE = "GIC MSI frame", 24
    frame_id = Register(4, 32)
    address = Register(8, 64)
    flags = Register(16, 32)
    count = Register(20, 16)
    first = Register(22, 16)


class GicRedistributor(Entry):
    NAME, SIZE = "GIC redistributor", 16
    address = Register(4, 64)
    range_size = Register(12, 32)


class GicTranslation(Entry):
    NAME, SIZE = "GIC translation service", 20
    its_id = Register(4, 32)
    address = Register(8, 64)


class Wakeup(Entry):
    NAME, SIZE = "multiprocessor wakeup", 16
    mailbox_version = Register(2, 16)
    mailbox = Register(8, 64)


KINDS: dict[int, type[Entry]] = {
    0: LocalApic, 1: IoApic, 2: InterruptOverride, 3: NmiSource, 4: LocalApicNmi,
    5: LocalApicAddress, 6: IoSapic, 7: LocalSapic, 8: PlatformInterrupt, 9: LocalX2Apic,
    10: LocalX2ApicNmi, 11: GicCpu, 12: GicDistributor, 13: GicMessages, 14: GicRedistributor,
    15: GicTranslation, 16: Wakeup,
}  # fmt: skip
"""Table 5.21."""


class Route:
    """Where an ISA line arrives, and how it is signalled."""

    __slots__ = ("active_low", "interrupt", "level")

    def __init__(self, interrupt: int, active_low: bool = False, level: bool = False) -> None:
        self.interrupt = interrupt
        """The number of the input over all I/O APICs."""
        self.active_low = active_low
        self.level = level
        """Level-triggered rather than by edges."""

    def __repr__(self) -> str:
        polarity = "active low" if self.active_low else "active high"
        return f"<input {self.interrupt}, {'level' if self.level else 'edge'}, {polarity}>"


class Madt(Table):
    """The table."""

    SIZE = _FIRST
    LEAST = _FIRST
    local_apic_address = Register(36, 32, "5.2.12")
    flags = Register(40, 32, "table 5.20", has_8259=0)

    @property
    def entries(self) -> list[Entry]:
        """All entries. Raises DeviceError for one that is too short or leads out of the table."""
        found = []
        data = self.data[: self.length_found]
        at = _FIRST
        while at + 2 <= len(data):
            kind, length = data[at], data[at + 1]
            entry = KINDS.get(kind, Entry)
            # A revision may add fields at the end, and GIC CPU interfaces have grown so.
            least = 2 if entry in (Entry, GicCpu) else entry.SIZE
            if length < least or at + length > len(data):
                raise DeviceError(
                    f"ACPI table APIC: the entry at {at} is a {entry.NAME} of {length} bytes"
                )
            found.append(entry(data[at : at + length]))
            at += length
        return found

    @property
    def io_apics(self) -> list[IoApic]:
        """The I/O APICs."""
        return [entry for entry in self.entries if isinstance(entry, IoApic)]

    @property
    def processors(self) -> list[LocalApic | LocalX2Apic]:
        """The processors that can be used."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, LocalApic | LocalX2Apic) and entry.flags.enabled
        ]

    def isa_routes(self) -> list[Route]:
        """Where each of the 16 ISA lines arrives: its own number, edge and high, by default."""
        routes = [Route(line) for line in range(16)]
        for entry in self.entries:
            if isinstance(entry, InterruptOverride) and entry.bus == 0 and entry.source < 16:
                flags = entry.flags
                # 0 is "as the bus does"; 3 is active low, or level.
                routes[entry.source] = Route(
                    int(entry.interrupt), flags.polarity == 3, flags.trigger == 3
                )
        return routes
