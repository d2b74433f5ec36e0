"""What is peculiar to virtio on PCI: structures that are not where they are said to be, vectors."""

import struct

import pytest

from ovum.drivers.errors import DeviceError
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.device import VirtioDevice
from ovum.drivers.virtio.legacy import LegacyPciTransport
from ovum.drivers.virtio.pci import NOTIFY, PciTransport

from .conftest import Run
from .machine import Machine
from .virtio_faces import attach
from .virtio_model import VirtioModel
from .virtio_pci_model import LegacyPciFace, PciFace


def capability_of(face: PciFace, kind: int) -> int:
    """Where the capability of a structure is."""
    data = face.function.data
    at = data[0x34]
    while not (data[at] == 9 and data[at + 3] == kind):
        at = data[at + 1]
    return at


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [(4, "<B", 6), (4, "<B", 3), (8, "<I", 0x10_0000), (12, "<I", 0), (12, "<I", 0xFFFF_FFFF)],
)
def test_a_structure_that_is_nowhere_is_missed(
    machine: Machine, kind: int, offset: int, form: str, value: int
) -> None:
    face = PciFace(VirtioModel(machine, f.ENTROPY, 1))
    struct.pack_into(form, face.function.data, capability_of(face, kind) + offset, value)
    with pytest.raises(DeviceError, match=r"no (common|notify|ISR) structure"):
        PciTransport(face.pci_function())


def test_of_two_structures_the_first_that_can_be_used_is(machine: Machine) -> None:
    face = PciFace(VirtioModel(machine, f.ENTROPY, 1))
    at = capability_of(face, 1)
    body = bytes(face.function.data[at + 2 : at + 16])
    face.function.data[at + 4] = 7  # a place that is reserved
    face.function.add_capability(9, body)
    assert PciTransport(face.pci_function()).queue_size(0) == 256


def test_a_configuration_that_is_too_short_is_a_device_error(machine: Machine) -> None:
    transport = attach(VirtioModel(machine, f.ENTROPY, 1, config=b"abcd"), "pci")
    device = VirtioDevice(transport)
    assert device.consistent(lambda: transport.config.read32(0)) == 0x64636261
    with pytest.raises(DeviceError, match="configuration is too short"):
        device.consistent(lambda: transport.config.read32(4))


def test_notifications_stay_in_their_structure(machine: Machine) -> None:
    face = PciFace(VirtioModel(machine, f.ENTROPY, 3))
    struct.pack_into("<I", face.function.data, capability_of(face, NOTIFY) + 16, 0x1000)
    transport = PciTransport(face.pci_function())
    transport.notifier(0)
    with pytest.raises(DeviceError, match="outside its structure"):
        transport.notifier(1)


@pytest.mark.parametrize("face", ["pci", "legacy pci"])
def test_vectors_that_are_refused_end_the_start_and_nothing_leaks(
    machine: Machine, run: Run, face: str
) -> None:
    model = VirtioModel(machine, f.ENTROPY, 2)

    async def main() -> None:
        one = (PciFace if face == "pci" else LegacyPciFace)(model, vectors=8)
        one._accepted = lambda vector: 0xFFFF  # type: ignore[method-assign]
        function = one.pci_function()
        device = VirtioDevice(
            PciTransport(function) if face == "pci" else LegacyPciTransport(function)
        )
        await device.negotiate(0)
        device.add_queue()
        device.add_queue()
        with pytest.raises(DeviceError, match="MSI-X vector 0 is refused"):
            device.start()
        await device.stop()
        assert one.function.msix is not None
        assert not one.function.msix.enabled
        await device.stop()  # again: there is nothing left to do

    run(main)


def test_a_legacy_device_says_how_long_its_queues_are(machine: Machine, run: Run) -> None:
    async def main() -> None:
        transport = attach(VirtioModel(machine, f.ENTROPY, 1, queue_size=128), "legacy pci")
        device = VirtioDevice(transport)
        await device.negotiate(0)
        assert device.add_queue(8).size == 128
        await device.stop()
        odd = VirtioModel(machine, f.ENTROPY, 1, queue_size=100)
        device = VirtioDevice(attach(odd, "legacy mmio"))
        await device.negotiate(0)
        with pytest.raises(DeviceError, match="insists on 100 entries"):
            device.add_queue(8)
        await device.stop()

    run(main)


def test_own_registers_move_with_msix(machine: Machine, run: Run) -> None:
    async def main() -> None:
        model = VirtioModel(machine, f.ENTROPY, 1, config=b"abcd")
        device = VirtioDevice(attach(model, "legacy pci"))
        assert device.transport.config.read8(1) == ord("b")
        await device.negotiate(0)
        device.add_queue()
        device.start()
        assert device.transport.config.read8(1) == ord("b")
        await device.stop()
        assert device.transport.config.read8(1) == ord("b")

    run(main)
