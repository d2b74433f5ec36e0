"""PCI: configuration spaces, base addresses, capabilities, interrupts, buses."""

import struct

import pytest

from ovum.drivers.errors import DeviceError
from ovum.drivers.pci import capabilities as cap
from ovum.drivers.pci.config import EcamConfigSpace, PortConfigSpace
from ovum.drivers.pci.function import PciFunction
from ovum.drivers.pci.scan import scan
from ovum.services.tasks import testing

from .conftest import Run
from .machine import Machine, Memory, ModelWindow
from .pci_model import BUS_MASTER, NO_INTERRUPT, PciBusModel, PciModel

ECAM = 0xB000_0000


def function_of(model: PciModel) -> PciFunction:
    return PciFunction(model.machine, ModelWindow(model), 0, 0, 3, 0)


# Base addresses


def test_bars_of_every_kind(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_bar(0, Memory(bytearray(64)), 0xC040, 64, io=True)
    model.add_bar(1, Memory(bytearray(4096)), 0xFEBD_1000, 4096)
    model.add_bar(2, Memory(bytearray(1 << 20)), 0x38_0000_0000, 1 << 33, wide=True)
    model.add_bar(5, None, 0, 1 << 16, prefetchable=True)
    model.write(4, 2, 7)
    before = bytes(model.data)
    function = function_of(model)
    assert {index: repr(bar) for index, bar in function.bars.items()} == {
        0: "<BAR 0: 0xc040-0xc07f, ports>",
        1: "<BAR 1: 0xfebd1000-0xfebd1fff, 32-bit memory>",
        2: "<BAR 2: 0x3800000000-0x39ffffffff, 64-bit memory>",
        5: "<BAR 5: not assigned, 0x10000 bytes, 32-bit memory, prefetchable>",
    }
    assert bytes(model.data) == before, "sizing changes nothing"


def test_sizing_happens_while_nothing_is_decoded(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_bar(0, None, 0xC040, 64, io=True)
    model.write(4, 2, 7)
    commands = []
    write = model.write

    def watched(offset: int, width: int, value: int) -> None:
        if offset == 0x10:
            commands.append(model.command & 3)
        write(offset, width, value)

    model.write = watched  # type: ignore[method-assign]
    assert len(function_of(model).bars) == 1
    assert commands == [0, 0]
    assert model.command == 7


def test_a_port_whose_upper_half_is_not_there(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_bar(0, None, 0xC000, 32, io=True)
    model._writable[0x12:0x14] = bytes(2)
    bar = function_of(model).bars[0]
    assert (bar.address, bar.size) == (0xC000, 32)


def test_the_last_bar_cannot_be_half_of_a_pair(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_bar(5, None, 0xFE00_0000, 4096)
    model.data[0x24] |= 4
    bar = function_of(model).bars[5]
    assert (bar.wide, bar.address, bar.size) == (False, 0xFE00_0000, 4096)


def test_registers_behind_a_bar(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_bar(0, Memory(bytearray(range(64))), 0xC040, 64, io=True)
    model.add_bar(4, Memory(bytearray(b"abcd" * 1024)), 0x8_0000_0000, 4096, wide=True)
    function = function_of(model)
    assert function.open_bar(4).read32(0) == 0xFFFFFFFF, "nothing is decoded yet"
    function.enable()
    assert function.open_bar(0, 8, 8).read8(1) == 9
    assert function.open_bar(4).read32(0) == int.from_bytes(b"abcd", "little")


@pytest.mark.parametrize(
    ("index", "offset", "size", "message"),
    [
        (3, 0, None, "BAR 3 is not there"),
        (1, 0, None, "BAR 1 has no address"),
        (0, 60, 8, "not within"),
        (0, 64, None, "not within"),
        (0, 0, 0, "not within"),
        (7, 0, None, "BAR 7 is not there"),
        (2, 0, None, "beyond what can be addressed"),
        (4, 0, None, "beyond what can be addressed"),
    ],
)
def test_what_is_not_behind_a_bar(
    machine: Machine, index: int, offset: int, size: int | None, message: str
) -> None:
    model = PciModel(machine)
    model.add_bar(0, None, 0xC040, 64, io=True)
    model.add_bar(1, None, 0, 4096)
    model.add_bar(2, None, 0xFFFF_FF00, 64, io=True)
    model.add_bar(4, None, 1 << 60, 4096, wide=True)
    with pytest.raises(DeviceError, match=message):
        function_of(model).open_bar(index, offset, size)


def test_a_function_that_has_gone_reads_as_ones_and_raises_device_errors(machine: Machine) -> None:
    model = PciModel(machine)
    function = function_of(model)
    model.read = lambda offset, width: (1 << 8 * width) - 1  # type: ignore[method-assign]
    assert function.capabilities == []
    with pytest.raises(DeviceError):
        function.open_bar(0)
    with pytest.raises(DeviceError, match="no interrupt"):
        function.interrupt()


# Capabilities


def test_capabilities_in_their_order(machine: Machine) -> None:
    model = PciModel(machine)
    places = [model.add_capability(identity, b"ab") for identity in (1, 9, 9)]
    function = function_of(model)
    assert function.capabilities == list(zip((1, 9, 9), places, strict=True))
    window = function.capability(9, 4)
    assert window is not None
    assert window.read16(2) == int.from_bytes(b"ab", "little")
    assert function.capability(5, 4) is None


def test_a_list_that_is_a_circle_ends(machine: Machine) -> None:
    model = PciModel(machine)
    first, second = model.add_capability(1, b"ab"), model.add_capability(9, b"cd")
    model.data[second + 1] = first
    assert [identity for identity, _ in function_of(model).capabilities] == [1, 9]


@pytest.mark.parametrize("target", [0x10, 0x00, 0x03])
def test_a_list_that_leads_into_the_header_ends(machine: Machine, target: int) -> None:
    model = PciModel(machine)
    model.data[model.add_capability(1, b"ab") + 1] = target
    assert len(function_of(model).capabilities) == 1


def test_a_capability_that_does_not_fit_is_none(machine: Machine) -> None:
    model = PciModel(machine)
    model.data[6] |= 1 << 4
    model.data[0x34] = 0xFC
    model.data[0xFC] = cap.MSI_X
    function = function_of(model)
    assert function.capability(cap.MSI_X, 4) is not None
    assert function.capability(cap.MSI_X, 12) is None
    assert function.msix() is None


def test_without_its_status_bit_there_is_no_list(machine: Machine) -> None:
    model = PciModel(machine)
    model.add_capability(1, b"")
    model.data[6] = 0
    assert function_of(model).capabilities == []


def test_extended_capabilities(machine: Machine) -> None:
    model = PciModel(machine)
    struct.pack_into("<I", model.data, 0x100, 1 | 1 << 16 | 0x148 << 20)
    struct.pack_into("<I", model.data, 0x148, 3 | 1 << 16 | 0x100 << 20)
    window = ModelWindow(model)
    assert list(cap.extended_capabilities(window)) == [(1, 0x100), (3, 0x148)]
    assert list(cap.extended_capabilities(ModelWindow(PciModel(machine, size=256)))) == []


# Interrupts


def test_msix_messages(machine: Machine, run: Run) -> None:
    async def main() -> None:
        model = PciModel(machine)
        msix = model.add_msix(4, 1, 0xFEB1_0000)
        function = function_of(model)
        function.enable()
        table = function.msix()
        assert table is not None
        assert table.size == 4
        model.interrupt(2)  # masked: it is sent when the entry is set
        interrupts = [machine.message() for _ in range(4)]
        for entry, interrupt in enumerate(interrupts):
            table.set(entry, interrupt)
        assert (await interrupts[2].wait()).count == 1
        model.interrupt(3)
        assert (await interrupts[3].wait()).count == 1
        table.mask(3)
        model.interrupt(3)
        await testing.settle()
        assert interrupts[3].total == 1
        with pytest.raises(DeviceError, match="no number 4"):
            table.set(4, interrupts[0])
        table.disable()
        assert not msix.enabled
        for interrupt in interrupts:
            interrupt.close()

    run(main)


def test_a_table_that_is_nowhere_is_an_error(machine: Machine) -> None:
    model = PciModel(machine)
    at = model.add_capability(cap.MSI_X, struct.pack("<HII", 3, 0x0FF0 | 1, 0))
    model.add_bar(1, Memory(bytearray(4096)), 0xFEB1_0000, 4096)
    with pytest.raises(DeviceError, match="not within"):
        function_of(model).msix()
    model.data[at + 4] = 7
    with pytest.raises(DeviceError, match="BAR 7"):
        function_of(model).msix()


@pytest.mark.parametrize("wide", [True, False])
def test_msi(machine: Machine, run: Run, wide: bool) -> None:
    async def main() -> None:
        model = PciModel(machine)
        model.set_line(11)
        model.add_msi(wide=wide)
        function = function_of(model)
        function.enable()
        interrupt = function.interrupt()
        model.interrupt(0)
        assert (await interrupt.wait()).count == 1
        assert not machine.lines
        assert model.data[model.msi + 2] & 0x71 == 1, "enabled, one message"
        function.release_interrupt(interrupt)
        assert model.data[model.msi + 2] & 1 == 0

    run(main)


def test_a_line(machine: Machine, run: Run) -> None:
    async def main() -> None:
        model = PciModel(machine)
        model.set_line(11)
        function = function_of(model)
        function.enable()
        interrupt = function.interrupt()
        model.interrupt(0)
        assert (await interrupt.wait()).count == 1
        model.interrupt(0, level=False)
        interrupt.acknowledge()
        function.disable()
        assert model.command & (BUS_MASTER | NO_INTERRUPT) == NO_INTERRUPT
        model.interrupt(0)
        assert interrupt.total == 1
        function.release_interrupt(interrupt)

    run(main)


@pytest.mark.parametrize("line", [0, 255])
def test_a_pin_that_leads_nowhere(machine: Machine, line: int) -> None:
    model = PciModel(machine)
    model.set_line(line)
    with pytest.raises(DeviceError, match="no interrupt"):
        function_of(model).interrupt()


# Buses


def space_of(machine: Machine, kind: str) -> PortConfigSpace | EcamConfigSpace:
    return PortConfigSpace(machine) if kind == "ports" else EcamConfigSpace(machine, ECAM, 0, 0, 3)


@pytest.mark.parametrize("kind", ["ports", "ecam"])
def test_functions_are_found_behind_bridges(machine: Machine, kind: str) -> None:
    bus = PciBusModel(machine, ECAM)
    multi = bus.add(0, 31, 0, PciModel(machine, 1, 0x100))
    multi.data[0x0E] |= 0x80
    bus.add(0, 31, 3, PciModel(machine, 1, 0x103))
    bus.add(0, 4, 0, PciModel(machine, 1, 0x200))
    bus.add(0, 4, 1, PciModel(machine, 1, 0x201))  # not said to be there
    bus.add(0, 6, 1, PciModel(machine, 1, 0x301))  # without function 0
    bus.add_bridge(machine, 0, 2, 1)
    bus.add_bridge(machine, 1, 0, 2)
    bus.add_bridge(machine, 2, 1, 0)  # a circle
    bus.add_bridge(machine, 2, 2, 200)  # to where nothing is
    bus.add(2, 3, 0, PciModel(machine, 0x8086, 0x10D3, subsystem=(7, 8), class_code=0x020000))
    bus.add(0, 9, 0, PciModel(machine, layout=2))  # a CardBus bridge: not known
    found = list(scan(machine, space_of(machine, kind)))
    assert [one.address[5:] for one in found] == [
        *("00:02.0", "00:04.0", "00:1f.0", "00:1f.3", "01:00.0", "02:01.0", "02:02.0", "02:03.0"),
    ]
    card = found[-1]
    assert (card.vendor_id, card.device_id, card.subsystem) == (0x8086, 0x10D3, (7, 8))
    assert (card.class_code, card.revision) == (0x020000, 1)
    assert repr(card) == "<PCI 0000:02:03.0 8086:10d3>"
    assert card.window.size == (256 if kind == "ports" else 4096)


@pytest.mark.parametrize("kind", ["ports", "ecam"])
def test_registers_of_every_width(machine: Machine, kind: str) -> None:
    bus = PciBusModel(machine, ECAM)
    model = bus.add(1, 2, 3, PciModel(machine))
    model.data[0x40:0x48] = bytes(range(8))
    model._writable[0x40:0x50] = b"\xff" * 16
    window = space_of(machine, kind).function(1, 2, 3)
    assert window.read8(0x43) == 3
    assert window.read16(0x42) == 0x0302
    assert window.read32(0x44) == 0x07060504
    assert window.read64(0x40) == 0x0706050403020100
    window.write8(0x49, 1)
    window.write16(0x4A, 0x0302)
    window.write32(0x4C, 0x07060504)
    assert model.data[0x49:0x50] == bytes(range(1, 8))
    window.write64(0x40, 0x1122334455667788)
    assert model.data[0x40:0x48] == bytes.fromhex("8877665544332211")


def test_no_register_is_past_the_ports_reach(machine: Machine) -> None:
    PciBusModel(machine)
    with pytest.raises(IndexError):
        PortConfigSpace(machine).function(0, 0, 0).read32(256)


def test_a_machine_without_pci_has_no_functions(machine: Machine) -> None:
    assert list(scan(machine, PortConfigSpace(machine))) == []
