"""Which driver is for which device: a table. Its modules are imported when a device is found.

A driver's module has `async def attach(device, manager) -> Driver` (see `manager`). A driver may
serve any number of devices.
"""

from __future__ import annotations

from ovum.drivers.virtio import features as virtio

VIRTIO = {
    virtio.ENTROPY: "ovum.drivers.virtio.rng",
    virtio.TRANSPORT_9P: "ovum.drivers.virtio.ninep",
}
"""By the virtio device type; `attach` gets a Transport."""

PCI: dict[tuple[int, int], str] = {
    (0x1234, 0x1111): "ovum.drivers.display.bochs",
}
"""By PCI vendor and device numbers; `attach` gets a PciFunction."""
