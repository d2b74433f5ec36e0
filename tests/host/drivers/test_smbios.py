"""SMBIOS: as QEMU's machines have it, by both entry points, and corrupt."""

import struct

import pytest

from ovum.drivers.errors import DeviceError
from ovum.drivers.smbios import (
    Bios,
    Board,
    Chassis,
    Item,
    MappedMemory,
    MemoryArray,
    MemoryDevice,
    Processor,
    Smbios,
    System,
    find_smbios,
)

from .machine import Machine, Memory
from .recording import Recorded

END = bytes([127, 4, 0xFF, 0xFE, 0, 0])


@pytest.mark.parametrize("name", ["pc", "q35"])
def test_what_qemu_says_of_its_machine(name: str) -> None:
    found = find_smbios(Recorded(name))
    assert found is not None and found.version >= (2, 8)
    system, board, bios = found.first(System), found.first(Board), found.first(Bios)
    assert system is not None and board is not None and bios is not None
    assert (system.manufacturer, system.product, system.serial) == ("Nest", "Egg", "42")
    assert system.wakeup == "power switch"
    assert board.product == "Shell"
    assert bios.vendor == "SeaBIOS" and bios.version and bios.release_date == "04/01/2014"
    chassis, processor = found.first(Chassis), found.first(Processor)
    assert chassis is not None and chassis.manufacturer == "QEMU" and chassis.kind == "other"
    assert processor is not None and processor.socket == "CPU 0"
    assert (processor.cores, processor.threads, processor.kind) == (1, 1, "central")
    array, device = found.first(MemoryArray), found.first(MemoryDevice)
    mapped = found.first(MappedMemory)
    assert array is not None and device is not None and mapped is not None
    assert array.maximum == device.size == 256 << 20
    assert (array.use, array.error_correction) == ("system memory", "multi-bit ECC")
    assert (device.kind, device.form, device.locator) == ("RAM", "DIMM", "DIMM 0")
    assert (mapped.start, mapped.end) == (0, (256 << 20) - 1)


def test_a_machine_without_has_none() -> None:
    assert find_smbios(Machine()) is None
    assert find_smbios(Recorded("microvm")) is None


def rom_with(entry: bytes, table: bytes, at: int = 0x100) -> Machine:
    machine = Machine(1 << 20)
    rom = bytearray(0x10000)
    rom[at : at + len(entry)] = entry
    rom[0x8000 : 0x8000 + len(table)] = table
    machine.add_memory(0xF0000, Memory(rom))
    return machine


def entry64(size: int, address: int = 0xF8000) -> bytes:
    entry = bytearray(struct.pack("<5sBBBBBBBIQ", b"_SM3_", 0, 24, 3, 6, 0, 1, 0, size, address))
    entry[5] = -sum(entry) & 0xFF
    return bytes(entry)


def test_the_64_bit_entry_point() -> None:
    table = bytes([1, 8, 7, 0, 1, 2, 0, 9]) + b"Nest\0Egg\0\0" + END
    found = find_smbios(rom_with(entry64(len(table)), table))
    assert found is not None and found.version == (3, 6)
    system = found.first(System)
    assert system is not None and system.handle == 7
    # No string, and a number that no string has.
    assert (system.manufacturer, system.product, system.version, system.serial) == (
        *("Nest", "Egg", "", ""),
    )
    # The structure is shorter than today's.
    assert (system.uuid, system.family) == ("", "")
    assert repr(found) == "<SMBIOS 3.6, 2 structures>"


def test_an_entry_point_that_is_off_its_boundary_or_corrupt_is_none() -> None:
    assert find_smbios(rom_with(entry64(6), END, at=0x108)) is None
    broken = bytearray(entry64(6))
    broken[9] ^= 1
    assert find_smbios(rom_with(bytes(broken), END)) is None


@pytest.mark.parametrize("size", [0, 3, 0xFFFFFFFF])
def test_a_size_that_lies(size: int) -> None:
    with pytest.raises(DeviceError, match=f"SMBIOS: a table of {size} bytes"):
        find_smbios(rom_with(entry64(size), END))


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(bytes([1, 0, 0, 0]) + b"\0\0", id="no length"),
        pytest.param(bytes([1, 200, 0, 0]) + b"\0\0", id="longer than the table"),
        pytest.param(bytes([1, 4, 0, 0]) + b"endless", id="strings that do not end"),
    ],
)
def test_a_structure_that_lies(table: bytes) -> None:
    with pytest.raises(DeviceError, match="SMBIOS: structure 0, type 1"):
        Smbios((3, 0), table)


def test_what_comes_after_the_last_structure_is_not_read() -> None:
    found = Smbios((3, 0), END + bytes([1, 0]))
    assert [int(item.type) for item in found.items] == [127]


def test_a_table_without_a_last_structure_ends_where_it_ends() -> None:
    table = bytes([200, 5, 1, 0, 42, 0, 0]) + b"\0\0"
    (item,) = Smbios((2, 1), table).items
    assert type(item) is Item and item.data == table[:5]


def test_a_uuid_is_partly_little_endian() -> None:
    data = bytes([1, 27, 0, 0, 0, 0, 0, 0]) + bytes(range(16)) + bytes(3)
    system = Smbios((3, 0), data + b"\0\0").first(System)
    assert system is not None
    assert system.uuid == "03020100-0504-0706-0809-0a0b0c0d0e0f"


@pytest.mark.parametrize(
    ("field", "extended", "size"),
    [
        (0, 0, 0),
        (0xFFFF, 0, None),
        (0x7FFF, 1 << 16, 64 << 30),
        (0x8001, 0, 1024),
        (512, 0, 512 << 20),
    ],
)
def test_sizes_of_memory(field: int, extended: int, size: int | None) -> None:
    data = bytearray(0x28)
    data[0:2] = bytes([17, 0x28])
    struct.pack_into("<H", data, 0x0C, field)
    struct.pack_into("<I", data, 0x1C, extended)
    device = Smbios((3, 0), bytes(data) + b"\0\0").first(MemoryDevice)
    assert device is not None and device.size == size


def test_extended_addresses_and_capacities() -> None:
    mapped = struct.pack("<BBHIIHBQQ", 19, 31, 0, 0xFFFFFFFF, 0, 0, 1, 1 << 40, (1 << 41) - 1)
    array = struct.pack("<BBHBBBIHHQ", 16, 23, 1, 3, 3, 3, 0x80000000, 0, 1, 1 << 42)
    found = Smbios((3, 0), mapped + b"\0\0" + array + b"\0\0")
    one, two = found.first(MappedMemory), found.first(MemoryArray)
    assert one is not None and (one.start, one.end) == (1 << 40, (1 << 41) - 1)
    assert two is not None and two.maximum == 1 << 42


def test_a_table_at_an_address_above_4_gib() -> None:
    machine = rom_with(entry64(len(END), 0x1_2345_6780), b"")
    machine.add_memory(0x1_2345_6780, Memory(bytearray(END)))
    found = find_smbios(machine)
    assert found is not None and len(found.items) == 1
