"""UDP-Lite (RFC 3828): UDP whose checksum may cover only the beginning of a datagram.

What is sent is covered as a whole; of what comes, as much as its sender wanted.
"""

from __future__ import annotations

from ovum.net.udphost import UdpHost
from ovum.net.wire import checksum
from ovum.net.wire.errors import WireError
from ovum.net.wire.udp import HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet

PROTOCOL = 136


class UdpLiteHost(UdpHost):
    """Ports of its own. A datagram that comes is made one of UDP's, once its checksum is right."""

    protocol = PROTOCOL

    def receive(self, now: int, packet: Packet) -> None:
        """A packet of the protocol's."""
        payload = packet.payload
        size = len(payload)
        if size < 8:
            raise WireError("udplite_header_short")
        src_port, dst_port, coverage, value = HEADER.unpack_from(payload)
        # RFC 3828, 3.1: 0 is everything, and the header is always covered.
        covered = coverage or size
        if not 8 <= covered <= size:
            raise WireError("udplite_coverage_bad")
        if not packet.checksum_valid:
            if not value:
                raise WireError("udplite_checksum_missing")
            # The pseudo header has the length of all.
            total = checksum.pseudo(packet.src, packet.dst, PROTOCOL, size)
            if (total + checksum.add(payload[:covered])) % 0xFFFF:
                raise WireError("udplite_checksum_bad")
            packet.checksum_valid = True
        if coverage != size:
            header = HEADER.pack(src_port, dst_port, size, value)
            packet.payload = memoryview(b"".join((header, payload[8:])))
        super().receive(now, packet)
