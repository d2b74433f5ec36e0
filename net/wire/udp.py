"""UDP headers (RFC 768)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

PROTOCOL = 17

HEADER = Struct("!HHHH")
"""Source port, destination port, length with the header, checksum."""

SIZE = 8

CHECKSUM_OFFSET = 6


def parse(data: Buffer, start: int = 0) -> tuple[int, int, int, int]:
    """(source port, destination port, length with the header, checksum).

    The data is data[start + 8 : start + length]: what IP carries beyond that is none of it
    (RFC 1122, 4.1.3). A checksum of 0 is none, which IPv6 does not allow (RFC 8200, 8.1).
    """
    available = len(data) - start
    if available < SIZE:
        raise WireError("udp_header_short")
    src_port, dst_port, length, checksum = HEADER.unpack_from(data, start)
    if length < SIZE or length > available:
        raise WireError("udp_length_bad")
    return src_port, dst_port, length, checksum


def emit_header(src_port: int, dst_port: int, payload_size: int) -> bytes:
    """A header; its checksum is filled in below."""
    return HEADER.pack(src_port, dst_port, SIZE + payload_size, 0)
