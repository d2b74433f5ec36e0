"""Everything that can carry a virtio device, by name, for tests that run over all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovum.drivers.virtio.legacy import LegacyPciTransport
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.pci import PciTransport

from .virtio_model import MmioFace, VirtioModel
from .virtio_pci_model import LegacyPciFace, PciFace

if TYPE_CHECKING:
    from ovum.drivers.virtio.transport import Transport

MMIO, IRQ = 0xFEB0_0000, 5

FACES = [
    *("mmio", "legacy mmio", "pci", "pci by line", "pci with two messages"),
    *("legacy pci", "legacy pci by line"),
]


def attach(model: VirtioModel, face: str) -> Transport:
    """Gives a device a face; the transport that its driver sees."""
    machine = model.machine
    if face in ("mmio", "legacy mmio"):
        mmio = MmioFace(model, MMIO, IRQ, version=1 if face == "legacy mmio" else 2)
        return MmioTransport(machine, mmio.place)
    vectors = 0 if "line" in face else 2 if "two" in face else 66
    if face.startswith("legacy"):
        legacy = LegacyPciFace(model, vectors=vectors)
        model.function = legacy.function
        return LegacyPciTransport(legacy.pci_function())
    modern = PciFace(model, vectors=vectors)
    model.function = modern.function
    return PciTransport(modern.pci_function())
