"""virtio devices behind registers in memory, from AML without an interpreter of it.

Such a device is an object whose identifier is LNRO0005, as QEMU's and others' firmware have it:

    Device (VR07) { Name (_HID, "LNRO0005") ... Name (_CRS, ResourceTemplate () {...}) }

It is found by how that is encoded: DeviceOp around NameOp "_HID" and "_CRS" with a buffer of
constants (ACPI 6.4, 20.2.5.2, 19.6.111), in which one range of memory and one interrupt are told
(6.4.3.4, 6.4.3.6). Not understood are: resources that a method computes, an identifier that is only
in `_CID`, ranges of 64 bits, and `_STA`: a place that is switched off is one without a device.
"""

from __future__ import annotations

from ovum.drivers.acpi.aml import package_length
from ovum.drivers.virtio.mmio import CONFIG, MmioPlace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HID = b"\x08_HID\x0dLNRO0005\0"
"""NameOp, the name, and a string (20.2.3)."""
_CRS = b"\x08_CRS\x11"
"""NameOp, the name, and BufferOp."""
_DEVICE_OP = b"\x5b\x82"
_INTEGERS = {0x0A: 1, 0x0B: 2, 0x0C: 4}

_MEMORY32_FIXED, _INTERRUPT = 0x86, 0x89
"""Large descriptors (6.4.3); the last of a template is the small one 0x79."""
_END = 0x79


def virtio_places(blocks: Iterable[bytes]) -> Iterator[MmioPlace]:
    """Where these definition blocks have virtio devices."""
    for aml in blocks:
        at = aml.find(_HID)
        while at >= 0:
            device = _around(aml, at)
            place = _place(device) if device is not None else None
            if place is not None:
                yield place
            at = aml.find(_HID, at + 1)


def _around(aml: bytes, at: int) -> bytes | None:
    """The smallest Device object that this place is in: the nearest one that begins before."""
    begin = aml.rfind(_DEVICE_OP, 0, at)
    while begin >= 0:
        start, end = package_length(aml, begin + 2)
        if at < end <= len(aml):
            return aml[start:end]
        begin = aml.rfind(_DEVICE_OP, 0, begin)
    return None


def _place(device: bytes) -> MmioPlace | None:
    at = device.find(_CRS)
    if at < 0 or at + len(_CRS) >= len(device):
        return None
    at, end = package_length(device, at + len(_CRS))
    # The buffer's size, which is no more than what follows.
    size = _INTEGERS.get(device[at]) if at < end <= len(device) else None
    if size is None:
        return None
    memory = line = None
    for kind, body in _resources(device[at + 1 + size : end]):
        if kind == _MEMORY32_FIXED and len(body) >= 9:
            memory = int.from_bytes(body[1:5], "little"), int.from_bytes(body[5:9], "little")
        elif kind == _INTERRUPT and len(body) >= 6 and body[1]:
            line = int.from_bytes(body[2:6], "little")
    if memory is None or line is None or memory[1] <= CONFIG:
        return None
    return MmioPlace(*memory, line)


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The descriptors of a template: what they are, and what is in them (6.4.2, 6.4.3)."""
    at = 0
    while at < len(data) and data[at] != _END:
        kind = data[at]
        if kind & 0x80:
            length = int.from_bytes(data[at + 1 : at + 3], "little")
            at += 3
        else:
            length = kind & 7
            at += 1
        yield kind, data[at : at + length]
        at += length
