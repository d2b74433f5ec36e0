"""Where the firmware's tables say that devices are."""

import random

import pytest

from ovum.drivers.acpi.devices import virtio_places
from ovum.drivers.firmware import choose, find_places
from ovum.drivers.pci.config import EcamConfigSpace, PortConfigSpace
from ovum.drivers.registers import BytesWindow

from .machine import Machine
from .pci_model import PciBusModel


def package(content: bytes) -> bytes:
    """PkgLength and what it is of; two bytes long (ACPI 6.4, 20.2.4)."""
    length = len(content) + 2
    return bytes([0x40 | length & 15, length >> 4]) + content


def memory(address: int, size: int) -> bytes:
    return (
        b"\x86\x09\x00\x01" + address.to_bytes(4, "little") + size.to_bytes(4, "little")
    )  # Memory32Fixed, read-write (6.4.3.4)


def interrupt(line: int) -> bytes:
    return b"\x89\x06\x00\x01\x01" + line.to_bytes(4, "little")  # level-triggered (6.4.3.6)


def device(name: bytes, identifier: bytes, resources: bytes) -> bytes:
    template = resources + b"\x79\x00"
    buffer = package(b"\x0b" + len(template).to_bytes(2, "little") + template)
    return b"\x5b\x82" + package(
        name
        + b"\x08_HID\x0d" + identifier + b"\0"
        + b"\x08_UID\x0a\x07"
        + b"\x08_CRS\x11" + buffer
    )  # fmt: skip


def found(aml: bytes) -> list[tuple[int, int, int]]:
    return [(place.address, place.size, place.irq) for place in virtio_places([aml])]


def test_virtio_devices_are_found_by_how_they_are_encoded() -> None:
    first = device(b"VR00", b"LNRO0005", memory(0xFEB00000, 512) + interrupt(24))
    other = device(b"COM1", b"PNP0501_", memory(0xFEC00000, 512) + interrupt(4))
    port = b"\x47\x01\x60\x00\x60\x00\x01\x08"  # an I/O range, a small descriptor
    second = device(b"VR01", b"LNRO0005", port + interrupt(25) + memory(0xFEB00200, 512))
    scope = b"\x10" + package(b"_SB_" + first + other + second)
    assert found(scope) == [(0xFEB00000, 512, 24), (0xFEB00200, 512, 25)]


@pytest.mark.parametrize(
    "resources",
    [
        b"",
        memory(0xFEB00000, 512),
        interrupt(24),
        memory(0xFEB00000, 256) + interrupt(24),
        b"\x89\x06\x00\x01\x00" + bytes(4) + memory(0xFEB00000, 512),
        b"\x86\xff\xff" + interrupt(24),
    ],
)
def test_what_does_not_say_where_it_is_is_left_out(resources: bytes) -> None:
    assert found(device(b"VR00", b"LNRO0005", resources)) == []


def test_no_aml_is_too_odd() -> None:
    whole = device(b"VR00", b"LNRO0005", memory(0xFEB00000, 512) + interrupt(24))
    for length in range(len(whole)):
        assert found(whole[:length]) == []
    chance = random.Random(5)
    for _ in range(2000):
        changed = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        found(bytes(changed))


class Space:
    """Configuration space in which there is one function."""

    first_bus = 0
    last_bus = 255

    def __init__(self, identity: int, segment: int = 0) -> None:
        self.segment = segment
        self._identity = identity

    def function(self, bus: int, device: int, function: int) -> BytesWindow:
        return BytesWindow(self._identity.to_bytes(4, "little"))


def test_configuration_space_in_memory_is_believed_if_it_shows_what_the_ports_show() -> None:
    ports, same, other = Space(0x29C08086), Space(0x29C08086), Space(0)
    further = Space(5, segment=1)
    warnings: list[str] = []
    assert choose([ports], [same, further], warnings.append) == [same, further]
    assert choose([ports], [], warnings.append) == [ports]
    assert choose([Space(0xFFFFFFFF)], [same], warnings.append) == [same]
    assert not warnings
    assert choose([ports], [other, further], warnings.append) == [ports, further]
    assert warnings == ["ACPI table MCFG: configuration space is not there"]


def test_both_ways_lead_to_the_same_functions(machine: Machine) -> None:
    PciBusModel(machine, 0xB0000000).add_bridge(machine, 0, 0, 1)
    spaces = [PortConfigSpace(machine)]
    memory = [EcamConfigSpace(machine, 0xB0000000, 0, 0, 3)]
    assert choose([*spaces], [*memory], pytest.fail) == memory


def test_tables_that_are_corrupt_are_a_warning(machine: Machine) -> None:
    warnings: list[str] = []
    info = {"rsdp": (b"RSD PTR " + bytes(28)).hex()}
    assert find_places(machine, info, warnings.append) == ([], [])
    assert "ACPI table RSDP" in warnings[0]
