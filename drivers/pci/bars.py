"""Base address registers: where a function's memory and ports are (PCI 3.0, 6.2.5)."""

from __future__ import annotations

from ovum.drivers.pci.header import FIRST_BAR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.pci.header import Header
    from ovum.drivers.registers import Window


class Bar:
    """One base address register, or a pair of them."""

    __slots__ = ("address", "index", "io", "prefetchable", "size", "wide")

    def __init__(
        self, index: int, address: int, size: int, *, io: bool, prefetchable: bool, wide: bool
    ) -> None:
        self.index = index
        self.address = address
        """0 where the firmware has given it none."""
        self.size = size
        """In bytes, a power of two."""
        self.io = io
        """Ports rather than memory."""
        self.prefetchable = prefetchable
        self.wide = wide
        """64 bits: it takes the next register, too."""

    def __repr__(self) -> str:
        kind = "ports" if self.io else f"{64 if self.wide else 32}-bit memory"
        end = f"{self.address + self.size - 1:#x}"
        where = (
            f"{self.address:#x}-{end}" if self.address else f"not assigned, {self.size:#x} bytes"
        )
        return f"<BAR {self.index}: {where}, {kind}{', prefetchable' if self.prefetchable else ''}>"


def read_bars(window: Window, header: Header, count: int) -> dict[int, Bar]:
    """The base address registers of a function that are implemented, by their index.

    Their size shows when all ones are written; the function decodes nothing meanwhile, and has its
    addresses back at the end.
    """
    command = header.command
    header.command = command.replace(io_space=0, memory_space=0)
    try:
        return _read(window, count)
    finally:
        header.command = command


def _probe(window: Window, offset: int) -> tuple[int, int]:
    """What a register has, and which of its bits can be set."""
    before = window.read32(offset)
    window.write32(offset, 0xFFFFFFFF)
    settable = window.read32(offset)
    window.write32(offset, before)
    return before, settable


def _read(window: Window, count: int) -> dict[int, Bar]:
    bars = {}
    index = 0
    while index < count:
        offset = FIRST_BAR + 4 * index
        value, settable = _probe(window, offset)
        io = bool(value & 1)
        wide = not io and value >> 1 & 3 == 2 and index + 1 < count
        attributes = 3 if io else 15
        address, mask = value & ~attributes, settable & ~attributes
        if wide:
            high, high_settable = _probe(window, offset + 4)
            address |= high << 32
            mask |= high_settable << 32
        elif io and not mask >> 16:
            mask |= 0xFFFF0000  # the upper half of a port's address need not be there (6.2.5.1)
        if mask:
            size = mask & -mask
            bars[index] = Bar(
                index, address, size, io=io, prefetchable=not io and bool(value & 8), wide=wide
            )
        index += 2 if wide else 1
    return bars
