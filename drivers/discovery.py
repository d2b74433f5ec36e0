"""Finds what there is to drive: functions on PCI, virtio devices behind registers in memory."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.matches import PCI, VIRTIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.virtio.transport import Transport

    T = TypeVar("T")


NOBODY = 0xFFFF
"""The vendor of a function that is not there (PCI 3.0, 6.1)."""


class Found:
    """A device for which there is a driver, in `module`."""

    __slots__ = ("_open", "module", "name")

    def __init__(
        self, name: str, module: str, opens: Callable[[], PciFunction | Transport]
    ) -> None:
        self.name = name
        self.module = module
        self._open = opens

    def open(self) -> PciFunction | Transport:
        """What the driver's `attach` gets. Raises DeviceError."""
        return self._open()


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
            yield Found(transport.name, module, _itself(transport))


def _on_pci(hardware: Hardware, space: ConfigSpace, warn: Callable[[str], None]) -> Iterator[Found]:
    # The first function of the first bus is the host's bridge; without one there is no bus, and
    # nothing of PCI needs to be imported.
    if space.function(space.first_bus, 0, 0).read16(0) == NOBODY:
        return
    from ovum.drivers.pci.scan import scan
    from ovum.drivers.virtio.pci import VENDOR, type_of

    for function in scan(hardware, space):
        name = f"PCI {function.address}"
        if function.vendor_id == VENDOR:
            module = VIRTIO.get(type_of(function))
            opener: Callable[[], PciFunction | Transport] = _virtio(function)
        else:
            module = PCI.get((function.vendor_id, function.device_id))
            opener = _itself(function)
        if module is not None:
            yield Found(name, module, opener)


def _itself(place: T) -> Callable[[], T]:
    return lambda: place


def _virtio(function: PciFunction) -> Callable[[], Transport]:
    """A virtio device by its modern interface if it has that, else by the legacy one."""

    def opens() -> Transport:
        from ovum.drivers.virtio.pci import LEGACY, PciTransport

        try:
            return PciTransport(function)
        except DeviceError:
            if function.device_id not in LEGACY:
                raise
        from ovum.drivers.virtio.legacy import LegacyPciTransport

        return LegacyPciTransport(function)

    return opens
