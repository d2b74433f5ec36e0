"""From the root pointer to all tables (ACPI 6.4, 5.2.5 to 5.2.8)."""

from __future__ import annotations

from ovum.drivers.acpi.fadt import Facs, Fadt
from ovum.drivers.acpi.hpet import HpetTable
from ovum.drivers.acpi.madt import Madt
from ovum.drivers.acpi.mcfg import Mcfg
from ovum.drivers.acpi.table import HEADER, LONGEST, Table, check_sum
from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Structure, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovum.drivers.hardware import Hardware

SIGNATURE = b"RSD PTR "
_EBDA_SEGMENT = 0x40E
"""Where the BIOS keeps the segment of its extended data area."""
_ROM, _ROM_SIZE = 0xE0000, 0x20000
"""Where the root pointer is on machines without EFI, or in the first KiB of that area (5.2.5.1)."""

KINDS: dict[str, type[Table]] = {"FACP": Fadt, "APIC": Madt, "MCFG": Mcfg, "HPET": HpetTable}
"""Tables that are decoded; of others the header is."""


class Rsdp(Structure):
    """The root pointer (5.2.5.3). Raises DeviceError if it is corrupt."""

    SIZE = 36
    signature = Text(0, 8)
    checksum = Register(8, 8, "5.2.5.3")
    oem_id = Text(9, 6)
    revision = Register(15, 8, "5.2.5.3")
    rsdt_address = Register(16, 32, "5.2.5.3")
    length = Register(20, 32, "5.2.5.3")
    xsdt_address = Register(24, 64, "5.2.5.3")
    extended_checksum = Register(32, 8, "5.2.5.3")

    def __init__(self, data: bytes) -> None:
        if len(data) < 20 or data[:8] != SIGNATURE:
            raise DeviceError(f"ACPI table RSDP: it begins with {data[:8]!r}")
        check_sum("RSDP", data[:20])
        if data[15] >= 2:
            length = int.from_bytes(data[20:24], "little")
            if not 36 <= length <= max(len(data), 36) or len(data) < 36:
                raise DeviceError(f"ACPI table RSDP: a length of {length} bytes")
            check_sum("RSDP", data[:length])
        else:
            # What comes next in memory is not the pointer's.
            data = data[:20]
        super().__init__(data)


class Tables:
    """The tables of a machine, in the order of the root table.

    Raises DeviceError if the root table is corrupt; another table that is, when it is asked for.
    """

    def __init__(self, hardware: Hardware, rsdp: Rsdp) -> None:
        self._hardware = hardware
        self.rsdp = rsdp
        wide = bool(rsdp.xsdt_address)
        """XSDT rather than RSDT (5.2.8): addresses of 64 bits."""
        where = int(rsdp.xsdt_address if wide else rsdp.rsdt_address)
        self.root = Table(self._read(where, "XSDT" if wide else "RSDT"), where)
        width = 8 if wide else 4
        body = self.root.body
        entries = [
            int.from_bytes(body[at : at + width], "little")
            for at in range(0, len(body) - width + 1, width)
        ]
        self.places: list[tuple[str, int]] = [
            (bytes(hardware.look(address, 4)).decode("latin-1"), address)
            for address in entries
            if address
        ]
        """Signature and physical address of each."""

    def __repr__(self) -> str:
        return f"<ACPI tables: {' '.join(name for name, _ in self.places)}>"

    def _read(self, address: int, name: str) -> bytes:
        head = bytes(self._hardware.look(address, HEADER))
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != name.encode("latin-1"):
            raise DeviceError(f"ACPI table {name}: at {address:#x} is {head[:4]!r}")
        if not HEADER <= length <= LONGEST:
            raise DeviceError(f"ACPI table {name}: a length of {length} bytes")
        return bytes(self._hardware.look(address, length))

    def at(self, name: str, address: int) -> Table:
        """The table of this signature at an address. Raises DeviceError."""
        return KINDS.get(name, Table)(self._read(address, name), address)

    def table(self, name: str, number: int = 0) -> Table | None:
        """The table of this signature, if several then of this number; None if there is none.

        Raises DeviceError if it is corrupt.
        """
        places = [address for found, address in self.places if found == name]
        return self.at(name, places[number]) if number < len(places) else None

    def fadt(self) -> Fadt | None:
        """The fixed description of power management. Raises DeviceError."""
        table = self.table("FACP")
        return table if isinstance(table, Fadt) else None

    def madt(self) -> Madt | None:
        """Interrupt controllers. Raises DeviceError."""
        table = self.table("APIC")
        return table if isinstance(table, Madt) else None

    def mcfg(self) -> Mcfg | None:
        """PCI Express configuration space. Raises DeviceError."""
        table = self.table("MCFG")
        return table if isinstance(table, Mcfg) else None

    def hpet(self) -> HpetTable | None:
        """The event timer. Raises DeviceError."""
        table = self.table("HPET")
        return table if isinstance(table, HpetTable) else None

    def facs(self) -> Facs | None:
        """What firmware and system share (5.2.10). Raises DeviceError."""
        fadt = self.fadt()
        address = fadt.facs_address if fadt is not None else 0
        return Facs(bytes(self._hardware.look(address, 64)), address) if address else None

    def dsdt(self) -> Table | None:
        """The differentiated definition block, which the FADT points to. Raises DeviceError."""
        fadt = self.fadt()
        address = fadt.dsdt_address if fadt is not None else 0
        return self.at("DSDT", address) if address else None

    def definition_blocks(self) -> Iterator[Table]:
        """DSDT and SSDTs, which contain AML. Raises DeviceError at a corrupt one."""
        dsdt = self.dsdt()
        if dsdt is not None:
            yield dsdt
        for name, address in self.places:
            if name == "SSDT":
                yield self.at(name, address)


def find_tables(hardware: Hardware, boot_info: dict[str, str]) -> Tables | None:
    """The machine's tables; None where it has none.

    `boot_info` is what the loader told (`_kernel.boot_info()`): its copy of the root pointer comes
    first. Raises DeviceError if the root is corrupt.
    """
    told = boot_info.get("rsdp")
    rsdp = Rsdp(bytes.fromhex(told)) if told else search_rsdp(hardware)
    return Tables(hardware, rsdp) if rsdp is not None else None


def search_rsdp(hardware: Hardware) -> Rsdp | None:
    """Looks for the root pointer where a BIOS puts it (5.2.5.1), on boundaries of 16 bytes."""
    segment = int.from_bytes(hardware.look(_EBDA_SEGMENT, 2), "little")
    places = [(_ROM, _ROM_SIZE)]
    if 0x80000 <= segment << 4 < 0xA0000:
        places.insert(0, (segment << 4, 1024))
    for start, size in places:
        data = bytes(hardware.look(start, size))
        at = data.find(SIGNATURE)
        while at >= 0:
            if at % 16 == 0:
                try:
                    return Rsdp(data[at : at + 36])
                except DeviceError:
                    pass  # A copy of the signature in code: the pointer itself may come yet.
            at = data.find(SIGNATURE, at + 1)
    return None
