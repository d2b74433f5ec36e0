"""What the prompt shows, over recordings and models."""

import struct

import pytest

from ovum.drivers import prompt_tables as shown
from ovum.drivers.errors import DeviceError
from ovum.drivers.listing import Hex, Listing, dump_lines, size_text
from ovum.drivers.pci.names import class_name, device_name, vendor_name
from ovum.services.irq import Interrupt
from ovum.services.tasks import Group
from ovum.services.tasks.testing import run, settle

from .machine import Machine
from .recording import MACHINES, Recorded


def function(
    identity: tuple[int, int],
    code: int,
    *,
    bars: tuple[int, ...] = (),
    pin: int = 0,
    bridge: int = 0,
) -> bytearray:
    """Configuration space of a function."""
    data = bytearray(256)
    struct.pack_into("<HHHH", data, 0, *identity, 0, 0x10 if not bridge else 0)
    data[8:12] = bytes([3]) + code.to_bytes(3, "little")
    data[0x0E] = 1 if bridge else 0
    struct.pack_into(f"<{len(bars)}I", data, 0x10, *bars)
    if bridge:
        data[0x18:0x1B] = bytes([0, bridge, bridge])
    else:
        struct.pack_into("<HH", data, 0x2C, 0x1AF4, 0x1100)
    data[0x34], data[0x3C], data[0x3D] = 0x40, 11 if pin else 0, pin
    data[0x40:0x42] = bytes([0x05, 0])
    return data


class Bus:
    """Configuration mechanism #1 over functions that are bytes."""

    size = 8

    def __init__(self, functions: dict[tuple[int, int, int], bytearray]) -> None:
        self.functions = functions
        self.address = 0
        self.sizes: dict[int, int] = {}
        """What of each BAR, by its offset, can be set."""
        self.writes = 0

    def _selected(self) -> tuple[bytearray | None, int]:
        a = self.address
        place = a >> 16 & 0xFF, a >> 11 & 31, a >> 8 & 7
        return self.functions.get(place), a & 0xFC

    def read(self, offset: int, width: int) -> int:
        data, at = self._selected()
        if data is None:
            return (1 << 8 * width) - 1
        at += offset - 4
        return int.from_bytes(data[at : at + width], "little")

    def write(self, offset: int, width: int, value: int) -> None:
        if offset == 0:
            self.address = value
            return
        data, at = self._selected()
        if data is None:
            return
        self.writes += 1
        at += offset - 4
        if 0x10 <= at < 0x28:
            settable = self.sizes.get(at, 0)
            old = int.from_bytes(data[at : at + 4], "little")
            value = value & settable | old & ~settable & 0xF
        data[at : at + width] = value.to_bytes(width, "little")


@pytest.fixture
def bus() -> Bus:
    made = Bus(
        {
            (0, 0, 0): function((0x8086, 0x29C0), 0x060000),
            (0, 2, 0): function((0x1B36, 0x000C), 0x060400, bridge=1),
            (1, 0, 0): function((0x1AF4, 0x1041), 0x020000, pin=1),
            (0, 3, 0): function((0x1234, 0x11E8), 0x00FF00, bars=(0xFEA00000, 0, 0xC001), pin=2),
        }
    )
    made.sizes = {0x10: 0xFFF00000, 0x18: 0xFFE0}
    return made


def on(bus: Bus) -> Machine:
    machine = Machine(1 << 20)
    machine.add_ports(0xCF8, bus)
    return machine


def test_the_pci_tree(bus: Bus) -> None:
    functions = shown.pci_functions(on(bus), {})
    listing = shown.pci_listing(functions)
    lines = repr(listing).splitlines()
    assert lines[0].split() == ["PCI", "functions", "identity", "class", "device", "interrupt"]
    assert lines[1].startswith("0000:00:00.0")
    table = {line.split()[0]: line for line in lines[1:]}
    # Behind the bridge, indented.
    assert "  0000:01:00.0  1af4:1041  Ethernet controller" in table["0000:01:00.0"]
    assert table["0000:01:00.0"].endswith("INTA 11")
    assert "QEMU edu" in table["0000:00:03.0"] and "INTB 11" in table["0000:00:03.0"]
    assert "PCI Express root port" in table["0000:00:02.0"]
    assert list(listing) == functions and len(listing) == 4 and listing[0] is functions[0]


def test_functions_by_name(bus: Bus) -> None:
    functions = shown.pci_functions(on(bus), {})
    for which in ("1234:11e8", "1234:11E8", "00:03.0", "0000:00:03.0"):
        (found,) = [one for one in functions if shown.pci_matches(one, which)]
        assert found.device == 3


def test_a_function_in_full(bus: Bus) -> None:
    edu = shown.pci_functions(on(bus), {})[-1]
    lines = list(shown.pci_details(edu))
    assert lines[0] == "0000:00:03.0  QEMU edu"
    assert "BAR 0         32-bit memory 0xfea00000, 1 MiB" in lines
    assert "BAR 2         ports 0xc000, 32 bytes" in lines
    assert "subsystem     1af4:1100" in lines
    assert "at 0x40       MSI" in lines
    bridge = next(one for one in shown.pci_functions(on(bus), {}) if one.layout == 1)
    assert "buses         1 to 1" in list(shown.pci_details(bridge))


def test_a_function_that_is_in_use_is_not_written_to(bus: Bus) -> None:
    bus.functions[0, 3, 0][4] = 6
    edu = shown.pci_functions(on(bus), {})[-1]
    bus.writes = 0
    lines = list(shown.pci_details(edu))
    assert bus.writes == 0
    assert "BAR 0         memory 0xfea00000, in use" in lines
    assert "BAR 2         ports 0xc000, in use" in lines


def test_a_machine_without_a_bus() -> None:
    machine = Machine(1 << 20)
    assert repr(shown.pci_listing(shown.pci_functions(machine, {}))) == "no PCI functions"


def test_classes_and_names() -> None:
    assert class_name(0x010802) == "NVM controller (NVMe)"
    assert class_name(0x010600) == "SATA controller"
    assert class_name(0x0299FF) == "network, subclass 0x99"
    assert class_name(0x770000) == "class 0x77, subclass 0x00"
    assert vendor_name(0xABCD) == "vendor abcd"
    machine = on(Bus({(0, 0, 0): function((0x8086, 0x0001), 0)}))
    (one,) = shown.pci_functions(machine, {})
    assert device_name(one) == "Intel device 0001"


def boot_info(machine: Recorded) -> dict[str, str]:
    return {"rsdp": bytes(machine.piece(b"RSD PTR ")).hex()}


@pytest.mark.parametrize("name", MACHINES)
def test_acpi_as_a_table(name: str) -> None:
    machine = Recorded(name)
    lines = repr(shown.acpi_listing(machine, boot_info(machine))).splitlines()
    assert lines[0].split()[:2] == ["ACPI", "tables"]
    names = [line.split()[0] for line in lines[1:]]
    assert "FACP" in names and "DSDT" in names
    assert lines[-1].startswith("power off: sleep types ")


def test_a_corrupt_table_is_shown_with_why() -> None:
    machine = Recorded("q35")
    machine.piece(b"HPET")[50] ^= 1
    listing = shown.acpi_listing(machine, boot_info(machine))
    assert any("ACPI table HPET: its bytes add up" in note for note in listing.notes)
    assert [thing is None for thing in listing].count(True) == 1
    with pytest.raises(DeviceError, match="HPET"):
        shown.acpi_table(machine, boot_info(machine), "HPET")


def test_acpi_tables_by_name() -> None:
    machine = Recorded("q35")
    for name in ("RSDP", "RSDT", "FACP", "FACS", "DSDT", "APIC", "MCFG", "HPET", "WAET"):
        table = shown.acpi_table(machine, boot_info(machine), name)
        assert table.values()["signature"] in (name, "RSD PTR")
    with pytest.raises(LookupError, match="no ACPI table SRAT"):
        shown.acpi_table(machine, boot_info(machine), "SRAT")
    with pytest.raises(LookupError, match="no ACPI tables"):
        shown.acpi_table(Machine(), {}, "FACP")
    assert repr(shown.acpi_listing(Machine(), {})) == "no ACPI tables"


def test_smbios_as_a_table() -> None:
    machine = Recorded("q35")
    listing = shown.smbios_listing(machine)
    table = {line[:13].strip(): line for line in repr(listing).splitlines()}
    assert "Nest, Egg" in table["system"]
    assert "DIMM 0 256 MiB RAM DIMM" in table["memory device"]
    assert "0x0 to 0xfffffff" in table["mapped memory"]
    assert shown.smbios_item(machine, "Board").values()["product"] == "Shell"
    with pytest.raises(LookupError, match="no structure 'nest'"):
        shown.smbios_item(machine, "nest")
    assert repr(shown.smbios_listing(Machine())) == "no SMBIOS"


def test_the_memory_map_in_order() -> None:
    text = "100000-ffe0000:ram,0-9fc00:ram,f0000-100000:reserved"
    listing = shown.memory_listing({"memory_regions": text})
    assert listing[0] == (0, 0x9FC00, "ram")
    assert repr(listing).splitlines()[1:] == [
        "0x0000000000  0x000009fbff  639 KiB    ram",
        "0x00000f0000  0x00000fffff  64 KiB     reserved",
        "0x0000100000  0x000ffdffff  254.9 MiB  ram",
        "RAM in all: 255.5 MiB",
    ]
    assert len(shown.memory_listing({})) == 0


def test_interrupts_with_their_owners_and_who_waits() -> None:
    async def main() -> None:
        irq = Interrupt("message-signalled interrupt 64")
        async with Group() as group:
            waiting = group.start(irq.wait, name="driver")
            await settle()
            listing = shown.interrupt_listing("4 17\n11 2\n", {64: irq.arrived})
            waiting.cancel()
        rows = [line.split(maxsplit=3) for line in repr(listing).splitlines()[1:]]
        assert rows[0] == ["4", "ISA", "17", "the kernel: console"]
        assert rows[1] == ["11", "ISA", "2", "the kernel"]
        assert rows[2][:3] == ["64", "message", "0"]
        assert rows[2][3].split("  ") == ["message-signalled interrupt 64", "driver"]

    run(main)


def test_serial_ports_of_a_machine_without() -> None:
    lines = repr(shown.serial_listing(Machine(1 << 20))).splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["no"] * 4


def test_a_listing_aligns_its_columns() -> None:
    listing = Listing(("name", "count"), [("a", 1), ("long", 1000)], notes=["note"])
    assert repr(listing) == "name  count\na         1\nlong   1000\nnote"
    assert repr(Listing(("things",), ())) == "no things"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1 << 20, "1 MiB"),
        (3 << 30, "3 GiB"),
        (1 << 52, "4096 TiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_dump() -> None:
    assert list(dump_lines(b"Egg\0" + bytes(range(250, 256)) + b"12345678", 0xFFF0)) == [
        "0fff0  45 67 67 00 fa fb fc fd  fe ff 31 32 33 34 35 36  Egg.......123456",
        "10000  37 38                                             78",
    ]
    assert list(dump_lines(b"")) == []
    assert repr(Hex(255)) == "0xff"
