"""ACPI tables: as QEMU's machines have them, and as no machine should."""

import pytest

from ovum.drivers.acpi.aml import sleep_types
from ovum.drivers.acpi.fadt import Facs, Fadt
from ovum.drivers.acpi.madt import InterruptOverride, IoApic, Madt
from ovum.drivers.acpi.mcfg import Mcfg
from ovum.drivers.acpi.root import Rsdp, Tables, find_tables, search_rsdp
from ovum.drivers.acpi.table import Table
from ovum.drivers.errors import DeviceError

from .machine import Machine
from .recording import MACHINES, Recorded, seal


def tables(recorded: Recorded) -> Tables:
    rsdp = bytes(recorded.piece(b"RSD PTR "))
    found = find_tables(recorded, {"rsdp": rsdp.hex()})
    assert found is not None
    return found


@pytest.mark.parametrize("name", MACHINES)
def test_every_table_of_a_machine_is_whole(name: str) -> None:
    found = tables(Recorded(name))
    expected = {
        "pc": ["FACP", "APIC", "HPET", "WAET"],
        "q35": ["FACP", "APIC", "HPET", "MCFG", "WAET"],
        "microvm": ["FACP", "APIC"],
    }
    assert [signature for signature, _ in found.places] == expected[name]
    for signature, address in found.places:
        table = found.at(signature, address)
        assert (table.signature, table.oem_id, table.oem_table_id) == (signature, "BOCHS", "BXPC")
        assert table.length == table.length_found
        assert f"<{signature} revision" in repr(table)


@pytest.mark.parametrize("name", MACHINES)
def test_the_root_pointer_is_found_in_memory_too(name: str) -> None:
    recorded = Recorded(name)
    found = search_rsdp(recorded)
    assert found is not None
    told = Rsdp(bytes(recorded.piece(b"RSD PTR ")))
    assert found.values() == told.values()


def test_a_machine_without_acpi_has_no_tables() -> None:
    assert find_tables(Machine(), {}) is None


def test_an_old_root_pointer_ends_before_what_comes_next_in_memory() -> None:
    rsdp = Rsdp(bytes(Recorded("pc").piece(b"RSD PTR ")))
    assert (rsdp.revision, rsdp.xsdt_address, rsdp.length) == (0, 0, 0)
    assert rsdp.rsdt_address


def test_the_fadt_of_q35() -> None:
    fadt = tables(Recorded("q35")).fadt()
    assert fadt is not None
    assert (fadt.pm1a_control, fadt.pm_timer, fadt.sci_interrupt) == (0x604, 0x608, 9)
    assert (fadt.century, fadt.profile_name) == (0x32, "unspecified")
    assert fadt.boot_architecture.keyboard_8042 and fadt.flags.reset_register
    assert repr(fadt.reset_register) == "<ports 0xcf9, 8 bits>"
    assert fadt.reset_value == 15
    # Revision 3 ends before this register.
    assert not fadt.sleep_control and fadt.sleep_control.width == 0


def test_the_fadt_of_hardware_reduced_microvm() -> None:
    found = tables(Recorded("microvm"))
    fadt = found.fadt()
    assert fadt is not None
    assert fadt.flags.hardware_reduced
    assert (fadt.sleep_control.space, fadt.sleep_control.address) == (0, 0xFEA00200)
    assert found.facs() is None and found.mcfg() is None and found.hpet() is None


def test_interrupt_controllers_and_routes() -> None:
    madt = tables(Recorded("q35")).madt()
    assert madt is not None
    assert [(int(one.address), int(one.first_interrupt)) for one in madt.io_apics] == [
        (0xFEC00000, 0)
    ]
    routes = madt.isa_routes()
    assert (routes[0].interrupt, routes[0].level) == (2, False)
    assert (routes[9].interrupt, routes[9].level, routes[9].active_low) == (9, True, False)
    assert repr(routes[4]) == "<input 4, edge, active high>"
    assert len(madt.processors) == 1
    microvm = tables(Recorded("microvm")).madt()
    assert microvm is not None
    assert [int(one.first_interrupt) for one in microvm.io_apics] == [0, 24]


def test_an_override_that_is_active_low() -> None:
    body = bytes(8) + bytes([2, 10, 0, 11, 20, 0, 0, 0, 0x0F, 0])
    route = Madt(_table(b"APIC", body)).isa_routes()[11]
    assert (route.interrupt, route.level, route.active_low) == (20, True, True)


def test_all_kinds_of_entries_and_one_that_is_unknown() -> None:
    from ovum.drivers.acpi.madt import KINDS

    body = bytes(8)
    for kind, entry in KINDS.items():
        body += bytes([kind, entry.SIZE]) + bytes(range(entry.SIZE - 2))
    body += bytes([0x77, 5, 1, 2, 3])
    entries = Madt(_table(b"APIC", body)).entries
    assert [type(entry) for entry in entries[:-1]] == list(KINDS.values())
    assert entries[-1].NAME == "unknown entry" and entries[-1].data == b"\x77\x05\x01\x02\x03"
    assert isinstance(entries[1], IoApic) and entries[1].address == 0x05040302
    assert isinstance(entries[2], InterruptOverride) and entries[2].interrupt == 0x05040302


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(bytes([1, 0]), id="no length, which would never end"),
        pytest.param(bytes([1, 1]), id="a length of one"),
        pytest.param(bytes([1, 8, 0, 0, 0, 0, 0, 0]), id="too short for its kind"),
        pytest.param(bytes([1, 12, 0, 0]), id="leads out of the table"),
    ],
)
def test_a_length_of_an_entry_that_lies(entry: bytes) -> None:
    with pytest.raises(DeviceError, match="ACPI table APIC: the entry at 44"):
        _ = Madt(_table(b"APIC", bytes(8) + entry)).entries


def test_ecam_windows() -> None:
    recorded = Recorded("q35")
    mcfg = tables(recorded).mcfg()
    assert mcfg is not None
    (space,) = mcfg.config_spaces(recorded)
    assert (space.segment, space.first_bus, space.last_bus) == (0, 0, 255)
    window = mcfg.windows[0]
    assert window.base == 0xB0000000
    assert tables(Recorded("pc")).mcfg() is None


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param((0xB0000001, 0, 0, 255), id="not aligned"),
        pytest.param((0xB0000000, 0, 5, 4), id="the last before the first"),
        pytest.param((0xFFFFFFFFFFF00000, 0, 0, 255), id="past physical memory"),
    ],
)
def test_an_ecam_window_that_cannot_be(entry: tuple[int, int, int, int]) -> None:
    base, segment, first, last = entry
    packed = base.to_bytes(8, "little") + segment.to_bytes(2, "little") + bytes([first, last])
    with pytest.raises(DeviceError, match="ACPI table MCFG"):
        _ = Mcfg(_table(b"MCFG", bytes(8) + packed + bytes(4))).windows


def test_the_event_timer_of_pc() -> None:
    hpet = tables(Recorded("pc")).hpet()
    assert hpet is not None
    assert (hpet.base.address, hpet.block.vendor, hpet.block.last_comparator) == (
        *(0xFED00000, 0x8086, 2),
    )


def test_a_wrong_checksum_names_the_table_and_spares_the_others() -> None:
    recorded = Recorded("q35")
    recorded.piece(b"HPET")[50] ^= 1
    found = tables(recorded)
    with pytest.raises(DeviceError, match="ACPI table HPET: its bytes add up to"):
        found.hpet()
    assert found.madt() is not None


def test_a_corrupt_root_table_is_no_root() -> None:
    recorded = Recorded("q35")
    recorded.piece(b"RSDT")[40] ^= 1
    with pytest.raises(DeviceError, match="RSDT"):
        tables(recorded)


def test_a_corrupt_root_pointer() -> None:
    recorded = Recorded("microvm")
    recorded.piece(b"RSD PTR ")[30] ^= 1
    with pytest.raises(DeviceError, match="RSDP"):
        tables(recorded)
    assert search_rsdp(recorded) is None


@pytest.mark.parametrize("length", [0, 35, 1 << 31, 0xFFFFFFFF])
def test_a_length_that_lies(length: int) -> None:
    recorded = Recorded("q35")
    recorded.piece(b"APIC")[4:8] = length.to_bytes(4, "little")
    with pytest.raises(DeviceError, match=f"ACPI table APIC: a length of {length} bytes"):
        tables(recorded).madt()


def test_a_table_that_is_shorter_than_its_oldest_revision() -> None:
    with pytest.raises(DeviceError, match="ACPI table FACP: 40 bytes, and the least is 116"):
        Fadt(_table(b"FACP", bytes(4)))


def test_the_dsdt_behind_a_wrong_address() -> None:
    recorded = Recorded("pc")
    fadt = recorded.piece(b"FACP")
    fadt[40:44] = b"\0\0\0\x40"
    seal(fadt)
    with pytest.raises(DeviceError, match="ACPI table DSDT: at 0x40000000"):
        tables(recorded).dsdt()


def test_facs_that_is_none() -> None:
    with pytest.raises(DeviceError, match="FACS"):
        Facs(bytes(64), 0x1000)


@pytest.mark.parametrize(("name", "types"), [("pc", (0, 0)), ("q35", (0, 0)), ("microvm", (5, 0))])
def test_sleep_types_for_power_off(name: str, types: tuple[int, int]) -> None:
    found = tables(Recorded(name))
    assert sleep_types(block.body for block in found.definition_blocks()) == types


@pytest.mark.parametrize(
    ("aml", "types"),
    [
        (b"\x08_S5_\x12\x06\x04\x0a\x07\x0a\x07\x00\x00", (7, 7)),  # fewer than it says
        (b"\x08_S5_\x12\x08\x04\x0a\x07\x0a\x06\x00\x00", (7, 6)),
        (b"\x08\\_S5_\x12\x06\x04\x05\x01\x00\x00", None),  # 5 is no operation
        (b"\x08\\_S5_\x12\x06\x04\x01\x00\x00\x00", (1, 0)),
        (b"\x08_S5_\x12\x40\x09\x04\x0a\x05\x0a\x04\x00\x00", None),  # ends after the data
        (b"\x08_S5_\x12\x47\x00\x02\x0a\x05\x0a\x04", (5, 4)),  # a length of two bytes
        (b"\x08_S5_\x12\x05\x01\x0b\x05\x02", (5, 2)),  # both types in one number
        (b"\x08_S5_\x12\x02\x00", None),  # an empty package
        (b"\x14\x0a_S5_\x00\xa4\x12\x02", None),  # a method
        (b"\x08_S4_\x12\x04\x02\x01\x01", None),
        (b"\x5b_S5_\x08_S5_\x12\x04\x02\x01\x01", (1, 1)),  # the name elsewhere first
        (b"_S5_", None),
        (b"\x08_S5_\x12", None),
        (b"\x08_S5_\x12\xc0", None),
    ],
)
def test_sleep_types_by_their_encoding(aml: bytes, types: tuple[int, int] | None) -> None:
    assert sleep_types([aml]) == types


def test_the_first_definition_block_that_has_it_wins() -> None:
    one = b"\x08_S5_\x12\x04\x02\x01\x01"
    assert sleep_types([b"nothing", one, b"\x08_S5_\x12\x04\x02\x00\x00"]) == (1, 1)


def _table(signature: bytes, body: bytes) -> bytes:
    data = bytearray(signature + (36 + len(body)).to_bytes(4, "little") + bytes(28) + body)
    seal(data)
    return bytes(data)


def test_a_table_that_is_not_decoded_has_its_bytes() -> None:
    table = Table(_table(b"WAET", b"abcd"))
    assert (table.body, table.signature) == (b"abcd", "WAET")


def test_fields_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    hpet = tables(Recorded("pc")).hpet()
    assert hpet is not None
    hpet.print()
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["base"] == "<memory 0xfed00000, 0 bits>"
    assert lines["block"].startswith("0x8086a201 (revision=0x1 last_comparator=0x2 wide")
