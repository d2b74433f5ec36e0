"""Finds the functions on all buses, through bridges, as the firmware has numbered them."""

from __future__ import annotations

from ovum.drivers.discovery import NOBODY
from ovum.drivers.pci.function import PciFunction
from ovum.drivers.pci.header import LAYOUT_BRIDGE, BridgeHeader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace

DEVICES = 32
FUNCTIONS = 8
"""On a bus, in a device (PCI 3.0, 3.2.2.3.4)."""


def scan(hardware: Hardware, space: ConfigSpace) -> Iterator[PciFunction]:
    """All functions, those behind a bridge after it. A circle of buses is walked once."""
    seen: set[int] = set()
    pending = [space.first_bus]
    while pending:
        bus = pending.pop()
        if bus in seen or not space.first_bus <= bus <= space.last_bus:
            continue
        seen.add(bus)
        behind = []
        for function in _on_bus(hardware, space, bus):
            yield function
            if isinstance(function.header, BridgeHeader):
                behind.append(int(function.header.secondary_bus))
        pending.extend(reversed(behind))


def _on_bus(hardware: Hardware, space: ConfigSpace, bus: int) -> Iterator[PciFunction]:
    for device in range(DEVICES):
        count = 1
        number = 0
        while number < count:
            window = space.function(bus, device, number)
            if window.read16(0) != NOBODY:
                function = PciFunction(hardware, window, space.segment, bus, device, number)
                if number == 0 and function.header.header_type.multifunction:
                    count = FUNCTIONS
                if function.layout <= LAYOUT_BRIDGE:
                    yield function
            elif number == 0:
                break
            number += 1
