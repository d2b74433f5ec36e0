"""Finds what there is to drive: functions on PCI, virtio devices behind registers in memory."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError
from ovum.drivers.matches import PCI, VIRTIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.pci.function import PciFunction
    from ovum.drivers.uart import Uart
    from ovum.drivers.virtio.mmio import MmioPlace
    from ovum.drivers.virtio.transport import Transport

    T = TypeVar("T")
    Place = PciFunction | Transport | tuple[int, list[Uart]]
    """What a driver gets: of serial ports the number of their interrupt line, and the ports."""


NOBODY = 0xFFFF
"""The vendor of a function that is not there (PCI 3.0, 6.1)."""


_SERIAL, _LINE_STATUS = (0x2F8, 0x3E8, 0x2E8), 5
"""Where a PC has its serial ports 2 to 4, and a register of theirs (PC16550D, 8.4)."""


class Found:
    """A device for which there is a driver, in `module`."""

    __slots__ = ("_open", "module", "name")

    def __init__(self, name: str, module: str, opens: Callable[[], Place]) -> None:
        self.name = name
        self.module = module
        self._open = opens

    def open(self) -> Place:
        """What the driver's `attach` gets. Raises DeviceError."""
        return self._open()


def discover(
    hardware: Hardware,
    spaces: list[ConfigSpace],
    command_line: str,
    warn: Callable[[str], None],
    places: Sequence[MmioPlace] = (),
) -> Iterator[Found]:
    """All devices that have a driver. What cannot even be looked at is a warning.

    places: of virtio devices that the command line does not name.
    """
    yield from _on_mmio(hardware, command_line, places, warn)
    for space in spaces:
        yield from _on_pci(hardware, space, warn)
    yield from _serial(hardware)


def _on_mmio(
    hardware: Hardware,
    command_line: str,
    more: Sequence[MmioPlace],
    warn: Callable[[str], None],
) -> Iterator[Found]:
    if "virtio_mmio.device=" not in command_line and not more:
        return
    from ovum.drivers.virtio.mmio import MmioTransport, places_of

    try:
        places = list(places_of(command_line))
    except ValueError as error:
        warn(f"command line: {error}")
        places = []
    named = {place.address for place in places}
    for place in (*places, *(place for place in more if place.address not in named)):
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
            opener: Callable[[], Place] = _virtio(function)
        else:
            module = PCI.get((function.vendor_id, function.device_id))
            opener = _itself(function)
        if module is not None:
            yield Found(name, module, opener)


def _serial(hardware: Hardware) -> Iterator[Found]:
    """The serial ports beside the console, by their interrupt lines."""
    # Where there is nothing, all bits are ones: then the driver is not imported.
    if all(hardware.ports(base, 8).read8(_LINE_STATUS) == 0xFF for base in _SERIAL):
        return
    from ovum.drivers.uart import find_ports

    for line, ports in find_ports(hardware).items():
        name = ", ".join(port.name for port in ports)
        yield Found(name, "ovum.drivers.serial_files", _itself((line, ports)))


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
