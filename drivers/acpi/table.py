"""What all tables have: a header, a length, a checksum (ACPI 6.4, 5.2.6)."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Field, Structure, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, overload

HEADER = 36
"""Bytes of the header."""

LONGEST = 16 << 20
"""No table is longer; a length beyond is taken for a corrupt one."""


def check_sum(name: str, data: bytes) -> None:
    """Raises DeviceError naming the table unless its bytes add up to 0 (5.2.6)."""
    total = sum(data) & 0xFF
    if total:
        raise DeviceError(f"ACPI table {name}: its bytes add up to {total:#04x}, not to 0")


SPACES = {
    0: "memory", 1: "ports", 2: "PCI configuration", 3: "embedded controller", 4: "SMBus",
    5: "CMOS", 6: "PCI BAR", 7: "IPMI", 8: "GPIO", 9: "serial bus", 10: "platform channel",
    0x7F: "fixed hardware",
}  # fmt: skip
"""Address spaces of a generic address (5.2.3.2, table 5.1)."""


class GenericAddress:
    """A register wherever it is (5.2.3.2)."""

    __slots__ = ("access", "address", "offset", "space", "width")

    def __init__(self, data: bytes) -> None:
        self.space = data[0]
        """0 is memory, 1 ports; see SPACES."""
        self.width = data[1]
        """In bits."""
        self.offset = data[2]
        """Of its first bit."""
        self.access = data[3]
        """Access size: 0 undefined, 1 to 4: 8, 16, 32, 64 bits."""
        self.address = int.from_bytes(data[4:12], "little")

    def __bool__(self) -> bool:
        return self.address != 0

    def __repr__(self) -> str:
        space = SPACES.get(self.space, f"space {self.space:#x}")
        return f"<{space} {self.address:#x}, {self.width} bits>" if self else "<no register>"


class Place(Field):
    """A generic address in a table, as an attribute."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    if TYPE_CHECKING:

        @overload
        def __get__(self, block: None, owner: type) -> Place: ...
        @overload
        def __get__(self, block: Structure, owner: type) -> GenericAddress: ...

    def __get__(self, block: Structure | None, owner: type) -> Place | GenericAddress:
        if block is None:
            return self
        return GenericAddress(block.data[self._offset : self._offset + 12])


class Table(Structure):
    """A table with a header. Raises DeviceError if it is not as long as it says, or corrupt."""

    SIZE = HEADER
    LEAST: ClassVar[int] = HEADER
    """Bytes that its oldest revision has."""

    signature = Text(0, 4)
    length = Register(4, 32, "5.2.6")
    revision = Register(8, 8, "5.2.6")
    checksum = Register(9, 8, "5.2.6")
    oem_id = Text(10, 6)
    oem_table_id = Text(16, 8)
    oem_revision = Register(24, 32, "5.2.6")
    creator_id = Text(28, 4)
    creator_revision = Register(32, 32, "5.2.6")

    def __init__(self, data: bytes, address: int = 0) -> None:
        self.address = address
        """Physical; 0 where it is not in memory."""
        name = data[:4].decode("latin-1")
        if len(data) < HEADER or int.from_bytes(data[4:8], "little") != len(data):
            raise DeviceError(f"ACPI table {name}: {len(data)} bytes are not the length it has")
        if len(data) < self.LEAST:
            raise DeviceError(
                f"ACPI table {name}: {len(data)} bytes, and the least is {self.LEAST}"
            )
        check_sum(name, data)
        super().__init__(data)

    @property
    def body(self) -> bytes:
        """What comes behind the header."""
        return self.data[HEADER : self.length_found]

    def __repr__(self) -> str:
        return (
            f"<{self.signature} revision {int(self.revision)}, {int(self.length)} bytes at "
            f"{self.address:#x}, {self.oem_id} {self.oem_table_id}>"
        )
