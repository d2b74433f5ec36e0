"""ARP for IPv4 over Ethernet (RFC 826)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

PACKET = Struct("!HHBBH6s4s6s4s")
"""Hardware, protocol, their addresses' sizes, operation, sender's and target's MAC and address."""

SIZE = 28

REQUEST, REPLY = 1, 2


class Arp:
    """One packet."""

    __slots__ = ("operation", "sender", "sender_mac", "target", "target_mac")

    def __init__(
        self, operation: int, sender_mac: bytes, sender: bytes, target_mac: bytes, target: bytes
    ) -> None:
        self.operation = operation
        self.sender_mac = sender_mac
        self.sender = sender
        self.target_mac = target_mac
        """Means nothing in a request."""
        self.target = target


def parse(data: Buffer, start: int = 0) -> Arp:
    """A packet; what is behind it is Ethernet's padding."""
    if len(data) - start < SIZE:
        raise WireError("arp_short")
    hardware, protocol, mac_size, size, operation, sender_mac, sender, target_mac, target = (
        PACKET.unpack_from(data, start)
    )
    # 6 is IEEE 802, which some use on Ethernet too (RFC 1042).
    if hardware not in (1, 6) or mac_size != 6:
        raise WireError("arp_hardware_unknown")
    if protocol != 0x0800 or size != 4:
        raise WireError("arp_protocol_unknown")
    if operation not in (REQUEST, REPLY):
        raise WireError("arp_operation_unknown")
    if sender_mac[0] & 1:
        raise WireError("arp_sender_is_group")
    return Arp(operation, sender_mac, sender, target_mac, target)


def emit(packet: Arp) -> bytes:
    """A packet's bytes."""
    return PACKET.pack(
        1,
        0x0800,
        6,
        4,
        packet.operation,
        packet.sender_mac,
        packet.sender,
        packet.target_mac,
        packet.target,
    )
