"""Lists of capabilities (PCI 3.0, 6.7; PCI Express 5.0, 7.6)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovum.drivers.registers import Window

POWER_MANAGEMENT = 0x01
MSI = 0x05
VENDOR = 0x09
PCI_EXPRESS = 0x10
MSI_X = 0x11

NAMES = {
    0x01: "power management", 0x02: "AGP", 0x03: "vital product data", 0x04: "slot identification",
    0x05: "MSI", 0x06: "CompactPCI hot swap", 0x07: "PCI-X", 0x08: "HyperTransport",
    0x09: "vendor specific", 0x0A: "debug port", 0x0B: "CompactPCI", 0x0C: "hot-plug",
    0x0D: "bridge subsystem", 0x0E: "AGP 8x", 0x0F: "secure device", 0x10: "PCI Express",
    0x11: "MSI-X", 0x12: "SATA", 0x13: "advanced features", 0x14: "enhanced allocation",
}  # fmt: skip

FIRST_EXTENDED = 0x100


def capabilities(window: Window, first: int) -> Iterator[tuple[int, int]]:
    """(identity, offset) of each capability in the list that begins at `first`.

    A list that is a circle, or leads into the header, ends there.
    """
    seen = set()
    offset = first & 0xFC
    while 0x40 <= offset < 256 and offset not in seen:
        seen.add(offset)
        head = window.read16(offset)
        if head == 0xFFFF:
            return
        yield head & 0xFF, offset
        offset = head >> 8 & 0xFC


def extended_capabilities(window: Window) -> Iterator[tuple[int, int]]:
    """(identity, offset) of each extended capability; none without extended configuration space."""
    seen = set()
    offset = FIRST_EXTENDED
    while FIRST_EXTENDED <= offset <= window.size - 4 and offset not in seen:
        seen.add(offset)
        head = window.read32(offset)
        if head in (0, 0xFFFFFFFF):
            return
        yield head & 0xFFFF, offset
        offset = head >> 20 & 0xFFC
