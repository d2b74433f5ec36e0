"""What the firmware says the machine is: SMBIOS (DMTF DSP0134 3.6).

`find_smbios(hardware)` gives the structures. They are found where a BIOS puts them; a machine that
was started by EFI alone has them elsewhere, and then there are none here.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.registers import Register
from ovum.drivers.structure import Field, Structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, TypeVar, overload

    from ovum.drivers.hardware import Hardware

    S = TypeVar("S", bound="Item")

_ROM, _ROM_SIZE = 0xF0000, 0x10000
"""Where the entry points are, on boundaries of 16 bytes (5.2)."""
_LARGEST = 1 << 20
_LAST = 127
"""The type of the structure at the end (7.45)."""


class String(Field):
    """A field that is the number of a string: an attribute that is a str."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    if TYPE_CHECKING:

        @overload
        def __get__(self, item: None, owner: type) -> String: ...
        @overload
        def __get__(self, item: Item, owner: type) -> str: ...

    def __get__(self, item: Item | None, owner: type) -> String | str:
        if item is None:
            return self
        number = item.data[self._offset]
        return item.strings[number - 1] if 0 < number <= len(item.strings) else ""


class Choice(Field):
    """A field that is a byte with names for its values: an attribute that is a str."""

    def __init__(self, offset: int, names: dict[int, str], mask: int = 0xFF) -> None:
        self._offset = offset
        self._names = names
        self._mask = mask

    if TYPE_CHECKING:

        @overload
        def __get__(self, item: None, owner: type) -> Choice: ...
        @overload
        def __get__(self, item: Item, owner: type) -> str: ...

    def __get__(self, item: Item | None, owner: type) -> Choice | str:
        if item is None:
            return self
        value = item.data[self._offset] & self._mask
        return self._names.get(value, f"{value:#x}")


class Item(Structure):
    """One structure (6.1.2): fields, and the strings that some of them number."""

    NAME: ClassVar[str] = "structure"
    SIZE = 4
    type = Register(0, 8)
    length = Register(1, 8)
    handle = Register(2, 16)

    def __init__(self, data: bytes, strings: list[str]) -> None:
        super().__init__(data)
        self.strings = strings


class Bios(Item):
    NAME, SIZE = "BIOS", 0x1A
    vendor = String(4)
    version = String(5)
    segment = Register(6, 16)
    release_date = String(8)
    rom_size_64k = Register(9, 8)
    """In units of 64 KiB, less one; 0xff: look at the extended size."""
    characteristics = Register(0x0A, 64, "7.1.1", isa=4, pci=7, upgradable=11, cd_boot=15)
    extension = Register(0x12, 16, "7.1.2", acpi=0, usb_legacy=1, uefi=11, virtual_machine=12)
    major_release = Register(0x14, 8)
    minor_release = Register(0x15, 8)
    controller_major = Register(0x16, 8)
    controller_minor = Register(0x17, 8)
    extended_rom_size = Register(0x18, 16, "7.1", size=(13, 0), unit=(15, 14))


class System(Item):
    NAME, SIZE = "system", 0x1B
    manufacturer = String(4)
    product = String(5)
    version = String(6)
    serial = String(7)
    wakeup = Choice(0x18, {1: "other", 2: "unknown", 3: "APM timer", 4: "modem ring", 5: "LAN",
                           6: "power switch", 7: "PCI PME", 8: "AC restored"})  # fmt: skip
    sku = String(0x19)
    family = String(0x1A)

    @property
    def uuid(self) -> str:
        """Its UUID; "" if it has none. The first three fields are little-endian (7.2.1)."""
        raw = self.data[8:24]
        if raw in (bytes(16), b"\xff" * 16):
            return ""
        parts = (raw[3::-1], raw[5:3:-1], raw[7:5:-1], raw[8:10], raw[10:])
        return "-".join(part.hex() for part in parts)


class Board(Item):
    NAME, SIZE = "board", 0x0E
    manufacturer = String(4)
    product = String(5)
    version = String(6)
    serial = String(7)
    asset = String(8)
    features = Register(9, 8, "7.3.1", hosting=0, daughter=1, removable=2, replaceable=3,
                        hot_swappable=4)  # fmt: skip
    location = String(0x0A)
    chassis = Register(0x0B, 16)
    board_type = Register(0x0D, 8)


class Chassis(Item):
    NAME, SIZE = "chassis", 0x13
    manufacturer = String(4)
    kind = Choice(5, {
        1: "other", 2: "unknown", 3: "desktop", 4: "low-profile desktop", 5: "pizza box",
        6: "mini tower", 7: "tower", 8: "portable", 9: "laptop", 10: "notebook", 11: "hand held",
        12: "docking station", 13: "all in one", 14: "sub notebook", 15: "space-saving",
        16: "lunch box", 17: "main server", 23: "rack mount", 28: "blade", 29: "blade enclosure",
        30: "tablet", 31: "convertible", 32: "detachable", 33: "IoT gateway", 34: "embedded PC",
        35: "mini PC", 36: "stick PC",
    }, 0x7F)  # fmt: skip
    version = String(6)
    serial = String(7)
    asset = String(8)
    boot_state = Register(9, 8)
    power_state = Register(0x0A, 8)
    thermal_state = Register(0x0B, 8)
    security = Register(0x0C, 8)
    height = Register(0x11, 8)
    """In units of 44.45 mm; 0: not said."""
    power_cords = Register(0x12, 8)


class Processor(Item):
    NAME, SIZE = "processor", 0x30
    socket = String(4)
    kind = Choice(5, {1: "other", 2: "unknown", 3: "central", 4: "math", 5: "DSP", 6: "video"})
    family = Register(6, 8)
    manufacturer = String(7)
    processor_id = Register(8, 64)
    """EAX and EDX of CPUID's leaf 1."""
    version = String(0x10)
    voltage = Register(0x11, 8)
    clock_mhz = Register(0x12, 16)
    max_mhz = Register(0x14, 16)
    mhz = Register(0x16, 16)
    status = Register(0x18, 8, "7.5", state=(2, 0), populated=6)
    serial = String(0x20)
    asset = String(0x21)
    part = String(0x22)
    core_count = Register(0x23, 8)
    enabled_core_count = Register(0x24, 8)
    thread_count = Register(0x25, 8)
    family2 = Register(0x28, 16)
    core_count2 = Register(0x2A, 16)
    thread_count2 = Register(0x2E, 16)

    @property
    def cores(self) -> int:
        """How many; 0: not known (7.5.6)."""
        return int(self.core_count2 if self.core_count == 0xFF else self.core_count)

    @property
    def threads(self) -> int:
        """How many; 0: not known (7.5.8)."""
        return int(self.thread_count2 if self.thread_count == 0xFF else self.thread_count)


_KIB = 1 << 10


class MemoryArray(Item):
    NAME, SIZE = "memory array", 0x17
    location = Choice(4, {1: "other", 2: "unknown", 3: "system board"})
    use = Choice(5, {1: "other", 2: "unknown", 3: "system memory", 4: "video memory",
                     5: "flash memory", 6: "non-volatile RAM", 7: "cache"})  # fmt: skip
    error_correction = Choice(6, {1: "other", 2: "unknown", 3: "none", 4: "parity",
                                  5: "single-bit ECC", 6: "multi-bit ECC", 7: "CRC"})  # fmt: skip
    maximum_kib = Register(7, 32)
    error_handle = Register(0x0B, 16)
    devices = Register(0x0D, 16)
    extended_maximum = Register(0x0F, 64)

    @property
    def maximum(self) -> int:
        """The most memory that it takes, in bytes (7.17)."""
        kib = int(self.maximum_kib)
        return int(self.extended_maximum) if kib == 0x80000000 else kib * _KIB


class MemoryDevice(Item):
    NAME, SIZE = "memory device", 0x28
    array = Register(4, 16)
    error_handle = Register(6, 16)
    total_width = Register(8, 16)
    data_width = Register(0x0A, 16)
    size_field = Register(0x0C, 16)
    form = Choice(0x0E, {1: "other", 2: "unknown", 3: "SIMM", 4: "SIP", 5: "chip", 6: "DIP",
                         7: "ZIP", 8: "card", 9: "DIMM", 10: "TSOP", 11: "row of chips",
                         12: "RIMM", 13: "SODIMM", 14: "SRIMM", 15: "FB-DIMM",
                         16: "die"})  # fmt: skip
    device_set = Register(0x0F, 8)
    locator = String(0x10)
    bank = String(0x11)
    kind = Choice(0x12, {1: "other", 2: "unknown", 3: "DRAM", 7: "RAM", 8: "ROM", 9: "flash",
                         0x0F: "SDRAM", 0x12: "DDR", 0x13: "DDR2", 0x18: "DDR3", 0x1A: "DDR4",
                         0x1E: "LPDDR4", 0x22: "DDR5", 0x23: "LPDDR5"})  # fmt: skip
    detail = Register(0x13, 16)
    speed = Register(0x15, 16)
    """In millions of transfers a second; 0: not known."""
    manufacturer = String(0x17)
    serial = String(0x18)
    asset = String(0x19)
    part = String(0x1A)
    extended_size_mib = Register(0x1C, 32)

    @property
    def size(self) -> int | None:
        """In bytes; 0 without a module, None if that is not known (7.18.4, 7.18.5)."""
        field = int(self.size_field)
        if field == 0xFFFF:
            return None
        if field == 0x7FFF:
            return int(self.extended_size_mib & 0x7FFFFFFF) << 20
        return (field & 0x7FFF) << (10 if field >> 15 else 20)


class MappedMemory(Item):
    NAME, SIZE = "mapped memory", 0x1F
    start_kib = Register(4, 32)
    end_kib = Register(8, 32)
    array = Register(0x0C, 16)
    width = Register(0x0E, 8)
    extended_start = Register(0x0F, 64)
    extended_end = Register(0x17, 64)

    @property
    def start(self) -> int:
        """Physical address of the first byte (7.20)."""
        extended = self.start_kib == 0xFFFFFFFF
        return int(self.extended_start if extended else self.start_kib * _KIB)

    @property
    def end(self) -> int:
        """Physical address of the last byte."""
        if self.start_kib == 0xFFFFFFFF:
            return int(self.extended_end)
        return int(self.end_kib) * _KIB + _KIB - 1


KINDS: dict[int, type[Item]] = {
    0: Bios, 1: System, 2: Board, 3: Chassis, 4: Processor, 16: MemoryArray, 17: MemoryDevice,
    19: MappedMemory,
}  # fmt: skip
"""Types that are decoded."""


class Smbios:
    """All structures. Raises DeviceError if their table is corrupt."""

    def __init__(self, version: tuple[int, int], table: bytes) -> None:
        self.version = version
        self.items: list[Item] = []
        at = 0
        while at + 4 <= len(table):
            kind, length = table[at], table[at + 1]
            end = table.find(b"\0\0", at + length)
            if length < 4 or end < 0:
                raise DeviceError(
                    f"SMBIOS: structure {len(self.items)}, type {kind}, at {at} of {len(table)} "
                    f"bytes does not end (a length of {length})"
                )
            texts = table[at + length : end].split(b"\0") if end > at + length else []
            strings = [text.decode("latin-1").strip() for text in texts]
            self.items.append(KINDS.get(kind, Item)(table[at : at + length], strings))
            if kind == _LAST:
                break
            at = end + 2

    def __repr__(self) -> str:
        return f"<SMBIOS {self.version[0]}.{self.version[1]}, {len(self.items)} structures>"

    def all(self, kind: type[S]) -> list[S]:
        """All structures of a kind: `smbios.all(MemoryDevice)`."""
        return [item for item in self.items if type(item) is kind]

    def first(self, kind: type[S]) -> S | None:
        """The first structure of a kind; None if there is none."""
        found = self.all(kind)
        return found[0] if found else None


def _sums(data: bytes) -> bool:
    return sum(data) & 0xFF == 0


def find_smbios(hardware: Hardware) -> Smbios | None:
    """The machine's structures, by the 64-bit entry point if there is one (5.2.2), else the 32-bit
    one (5.2.1); None without any. Raises DeviceError if the table behind it is corrupt."""
    rom = bytes(hardware.look(_ROM, _ROM_SIZE))
    for at in range(0, _ROM_SIZE, 16):
        if rom[at : at + 5] == b"_SM3_":
            length = rom[at + 6]
            if length >= 24 and _sums(rom[at : at + length]):
                size = int.from_bytes(rom[at + 12 : at + 16], "little")
                address = int.from_bytes(rom[at + 16 : at + 24], "little")
                return _read(hardware, (rom[at + 7], rom[at + 8]), address, size)
    for at in range(0, _ROM_SIZE, 16):
        if rom[at : at + 4] == b"_SM_" and rom[at + 16 : at + 21] == b"_DMI_":
            # Version 2.1 of the specification gave one byte too few as the length.
            length = max(rom[at + 5], 0x1F)
            if _sums(rom[at : at + length]) and _sums(rom[at + 16 : at + 0x1F]):
                size = int.from_bytes(rom[at + 0x16 : at + 0x18], "little")
                address = int.from_bytes(rom[at + 0x18 : at + 0x1C], "little")
                return _read(hardware, (rom[at + 6], rom[at + 7]), address, size)
    return None


def _read(hardware: Hardware, version: tuple[int, int], address: int, size: int) -> Smbios:
    if not 4 <= size <= _LARGEST:
        raise DeviceError(f"SMBIOS: a table of {size} bytes at {address:#x}")
    return Smbios(version, bytes(hardware.look(address, size)))
