"""Which driver is for which device: a table. Its modules are imported when a device is found.

A driver's module has `async def attach(device, manager) -> Driver` (see `manager`). A driver may
serve any number of devices.
"""

from __future__ import annotations

from ovum.drivers.virtio import features as virtio

VIRTIO = {
    virtio.BLOCK: "ovum.drivers.virtio.disk",
    virtio.CONSOLE: "ovum.drivers.virtio.serial",
    virtio.NETWORK: "ovum.drivers.virtio.net",
    virtio.ENTROPY: "ovum.drivers.virtio.rng",
    virtio.INPUT: "ovum.drivers.virtio.input",
    virtio.TRANSPORT_9P: "ovum.drivers.virtio.ninep",
}
"""By the virtio device type; `attach` gets a Transport."""

PCI: dict[tuple[int, int], str] = {
    (0x1234, 0x1111): "ovum.drivers.display.bochs",
    (0x8086, 0x1004): "ovum.drivers.e1000.card",
    (0x8086, 0x100E): "ovum.drivers.e1000.card",
    (0x8086, 0x100F): "ovum.drivers.e1000.card",
    (0x8086, 0x10D3): "ovum.drivers.e1000.card",
}
"""By PCI vendor and device numbers; `attach` gets a PciFunction."""
