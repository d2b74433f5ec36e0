"""Finds what there is to drive: functions on PCI, virtio devices behind registers in memory."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.matches import PCI, VIRTIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.virtio.mmio import MmioTransport
    from ovum.drivers.virtio.transport import Transport


class Found:
    """A device for which there is a driver, in `module`."""

    __slots__ = ("_place", "module", "name")

    def __init__(self, name: str, module: str, place: PciFunction | MmioTransport) -> None:
        self.name = name
        self.module = module
        self._place = place

    def open(self) -> PciFunction | Transport:
        """What the driver's `attach` gets. Raises DeviceError."""
        from ovum.drivers.pci.function import PciFunction
        from ovum.drivers.virtio.pci import VENDOR

        place = self._place
        if isinstance(place, PciFunction) and place.vendor_id == VENDOR:
            return _virtio(place)
        return place


def discover(
    hardware: Hardware, spaces: list[ConfigSpace], command_line: str, warn: Callable[[str], None]
) -> Iterator[Found]:
    """All devices that have a driver. What cannot even be looked at is a warning."""
    yield from _on_mmio(hardware, command_line, warn)
    for space in spaces:
        yield from _on_pci(hardware, space, warn)


def _on_mmio(hardware: Hardware, command_line: str, warn: Callable[[str], None]) -> Iterator[Found]:
    if "virtio_mmio.device=" not in command_line:
        return
    from ovum.drivers.virtio.mmio import MmioTransport, places_of

    try:
        places = list(places_of(command_line))
    except ValueError as error:
        warn(f"command line: {error}")
        return
    for place in places:
        try:
            transport = MmioTransport(hardware, place)
        except (DeviceError, OSError) as error:
            warn(str(error))
            continue
        module = VIRTIO.get(transport.device_type)
        if module is not None:
            yield Found(transport.name, module, transport)


def _on_pci(hardware: Hardware, space: ConfigSpace, warn: Callable[[str], None]) -> Iterator[Found]:
    from ovum.drivers.pci.scan import scan
    from ovum.drivers.virtio.pci import VENDOR, type_of

    for function in scan(hardware, space):
        name = f"PCI {function.address}"
        if function.vendor_id == VENDOR:
            module = VIRTIO.get(type_of(function))
        else:
            module = PCI.get((function.vendor_id, function.device_id))
        if module is not None:
            yield Found(name, module, function)


def _virtio(function: PciFunction) -> Transport:
    """A virtio device by its modern interface if it has that, else by the legacy one."""
    from ovum.drivers.virtio.legacy import LegacyPciTransport
    from ovum.drivers.virtio.pci import LEGACY, PciTransport

    try:
        return PciTransport(function)
    except DeviceError:
        if function.device_id not in LEGACY:
            raise
        return LegacyPciTransport(function)
