"""Ethernet headers (IEEE 802.3, 3.2; the types: RFC 9542)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

HEADER = Struct("!6s6sH")
"""Destination, source, type."""

SIZE = 14

IPV4, ARP, VLAN, IPV6 = 0x0800, 0x0806, 0x8100, 0x86DD

BROADCAST = b"\xff\xff\xff\xff\xff\xff"


def parse(frame: Buffer, start: int = 0) -> tuple[bytes, bytes, int]:
    """(destination, source, type). A type below 0x600 is the length of an 802.2 frame."""
    if len(frame) - start < SIZE:
        raise WireError("ethernet_header_short")
    dst, src, kind = HEADER.unpack_from(frame, start)
    return dst, src, kind


def emit(dst: bytes, src: bytes, kind: int) -> bytes:
    """A header."""
    return HEADER.pack(dst, src, kind)


def is_group(mac: bytes) -> bool:
    """Whether it is the address of a group, or of all."""
    return mac[0] & 1 == 1
