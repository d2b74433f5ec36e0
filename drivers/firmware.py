"""Where the firmware's tables say that devices are."""

from __future__ import annotations

from ovum.drivers.acpi.root import find_tables
from ovum.drivers.errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Hardware
    from ovum.drivers.pci.config import ConfigSpace
    from ovum.drivers.virtio.mmio import MmioPlace


def find_places(
    hardware: Hardware, boot_info: dict[str, str], warn: Callable[[str], None]
) -> tuple[list[ConfigSpace], list[MmioPlace]]:
    """Configuration spaces in memory (MCFG), and virtio devices behind registers in memory (DSDT).

    A table that is corrupt is a warning, and as if it were not there.
    """
    spaces: list[ConfigSpace] = []
    places: list[MmioPlace] = []
    try:
        tables = find_tables(hardware, boot_info)
        if tables is None:
            return spaces, places
        mcfg = tables.mcfg()
        if mcfg is not None:
            spaces += mcfg.config_spaces(hardware)
        blocks = [table.data for table in tables.definition_blocks()]
    except (DeviceError, OSError) as error:
        warn(str(error))
        return spaces, places
    if any(b"LNRO0005" in block for block in blocks):
        from ovum.drivers.acpi.devices import virtio_places

        places += virtio_places(blocks)
    return spaces, places


def choose(
    by_ports: list[ConfigSpace], in_memory: list[ConfigSpace], warn: Callable[[str], None]
) -> list[ConfigSpace]:
    """Configuration space in memory where it shows what the ports show, or there is nothing there.

    Ports reach segment 0 only, and no more than the first 256 bytes of a function.
    """
    chosen: list[ConfigSpace] = []
    covered = False
    for space in in_memory:
        if space.segment == 0:
            same = all(_first(ports) in (_first(space), _NOTHING) for ports in by_ports)
            if space.first_bus == 0 and not same:
                warn("ACPI table MCFG: configuration space is not there")
                continue
            covered = True
        chosen.append(space)
    return chosen if covered else [*by_ports, *chosen]


_NOTHING = 0xFFFFFFFF


def _first(space: ConfigSpace) -> int:
    """Vendor and device of the first function."""
    return space.function(space.first_bus, 0, 0).read32(0)
