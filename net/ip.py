"""What the transports and the Internet layer say to each other.

Addresses are bytes as on the wire, 4 or 16 of them; ports are numbers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.protocols import Ip as Ip

    Buffer = bytes | bytearray | memoryview


class Path:
    """How packets go from an address of ours to a remote one. Transports keep it; `ip.path` gives
    a new one when `valid` has become False (an address, a route or a cable has gone)."""

    __slots__ = (
        "addresses", "asked", "flow", "header_sum", "hop_limit", "interface", "ip_mtu", "local",
        "neighbor", "pseudo_sum", "remote", "segments_large", "to_all", "valid", "version",
    )  # fmt: skip

    def __init__(
        self,
        local: bytes,
        remote: bytes,
        interface: int,
        ip_mtu: int,
        neighbor: Neighbor | None = None,
    ) -> None:
        self.local = local
        self.remote = remote
        self.version = 4 if len(remote) == 4 else 6
        self.interface = interface
        """Its index, from 1."""
        self.ip_mtu = ip_mtu
        """Bytes of an IP packet; path MTU discovery lowers it."""
        self.hop_limit = 64
        self.segments_large = False
        """Whether segmentation costs nothing here: the card does it, or there is no wire."""
        self.valid = True
        self.to_all = False
        """The remote address is one of all, or of a group."""

        # For the Internet layer: what is the same in all packets, ready-made.
        self.neighbor = neighbor
        """Whose link address frames go to; None: it is this machine itself."""
        self.asked: tuple[bytes | None, int] = (None, 0)
        """The address and the interface that were asked for."""
        self.addresses = local + remote
        self.flow = 0
        """Flow label of IPv6 (RFC 6437)."""
        self.pseudo_sum = int.from_bytes(self.addresses, "big") % 65535
        """Of the addresses, for checksums: modulo 65535, which is what adding 16-bit words with
        their carries comes to (RFC 1071)."""
        self.header_sum = self.pseudo_sum + 0x4500
        """And of what else is always there in IPv4's own header."""


class Packet:
    """A packet that has come, for a transport."""

    __slots__ = (
        "checksum_valid", "dst", "for_all", "frame", "hop_limit", "interface", "payload",
        "protocol", "segment_size", "src", "start", "traffic_class",
    )  # fmt: skip

    def __init__(
        self,
        interface: int,
        src: bytes,
        dst: bytes,
        protocol: int,
        payload: Buffer,
        *,
        checksum_valid: bool = False,
        for_all: bool = False,
        hop_limit: int = 64,
        traffic_class: int = 0,
        segment_size: int = 0,
        frame: Buffer = b"",
        start: int = 0,
    ) -> None:
        self.interface = interface
        self.src = src
        self.dst = dst
        self.protocol = protocol
        self.payload = payload
        """The transport's header and what is behind it."""
        self.checksum_valid = checksum_valid
        """The transport's checksum has been checked, or never was needed."""
        self.for_all = for_all
        """It came to a broadcast or multicast address: no errors, no resets in answer to it."""
        self.hop_limit = hop_limit
        self.traffic_class = traffic_class
        self.segment_size = segment_size
        """The card has put segments of this size together; 0: it has not."""
        self.frame = frame
        self.start = start
        """Where the packet was found, and how far in. Empty: it is not kept."""

    @property
    def whole(self) -> Buffer:
        """With the IP header, for ICMP errors and raw sockets; without what Ethernet adds."""
        frame, start = self.frame, self.start
        if len(frame) < start + 20:
            return b""
        if frame[start] >> 4 == 4:
            size = frame[start + 2] << 8 | frame[start + 3]
        else:
            size = 40 + (frame[start + 4] << 8 | frame[start + 5])
        return memoryview(frame)[start : start + size]


class IcmpError:
    """An ICMP error about something that we have sent, for the transport that sent it."""

    __slots__ = ("code", "dst", "errno", "hard", "ip_mtu", "kind", "offender", "payload", "src")

    def __init__(
        self,
        kind: int,
        code: int,
        errno: int,
        hard: bool,
        src: bytes,
        dst: bytes,
        payload: Buffer,
        offender: bytes,
        ip_mtu: int = 0,
    ) -> None:
        self.kind = kind
        self.code = code
        self.errno = errno
        """What a program is told: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, … as Linux does."""
        self.hard = hard
        """Whether RFC 1122 (4.2.3.9) has a connection give up for it."""
        self.src = src
        """Of the packet that we sent: ours."""
        self.dst = dst
        self.payload = payload
        """As much of the transport's header as the error has in it: 8 bytes or more."""
        self.offender = offender
        """Who sent the error."""
        self.ip_mtu = ip_mtu
        """With "packet too big": what fits."""
