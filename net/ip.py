"""What the transports and the Internet layer say to each other.

Addresses are bytes as on the wire, 4 or 16 of them; ports are numbers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    Buffer = bytes | bytearray | memoryview

    class Ip(Protocol):
        """The Internet layer, as transports see it."""

        def path(self, remote: bytes, local: bytes | None = None, interface: int = 0) -> Path:
            """How to reach an address; from an address of ours, if one is asked for (RFC 6724).

            Raises OSError: ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EINVAL.
            """

        def is_local(self, address: bytes) -> bool:
            """Whether it is an address of this machine that may be bound to."""

        def send(
            self,
            path: Path,
            protocol: int,
            data: Sequence[Buffer],
            checksum_offset: int = -1,
            segment_size: int = 0,
            hop_limit: int = 0,
            traffic_class: int = 0,
        ) -> None:
            """Sends one packet: data in pieces, the transport's header in the first.

            checksum_offset: where in data the transport's checksum goes, which is computed here or
            by the card. segment_size: the payload is to be cut into pieces of this size behind the
            header, by the card or here. Fragments what is larger than the path's MTU and not to be
            cut. Never waits, and never fails but by a count: the network may lose packets anyway.
            """


class Path:
    """How packets go from an address of ours to a remote one. Transports keep it; `ip.path` gives
    a new one when `valid` has become False (an address, a route or a cable has gone)."""

    __slots__ = (
        "hop_limit", "interface", "ip_mtu", "local", "neighbor", "prefix", "remote",
        "segments_large", "valid",
    )  # fmt: skip

    def __init__(self, local: bytes, remote: bytes, interface: int, ip_mtu: int) -> None:
        self.local = local
        self.remote = remote
        self.interface = interface
        """Its index, from 1."""
        self.ip_mtu = ip_mtu
        """Bytes of an IP packet; path MTU discovery lowers it."""
        self.hop_limit = 64
        self.segments_large = False
        """Whether segmentation costs nothing here: the card does it, or there is no wire."""
        self.valid = True
        self.neighbor: object = None
        self.prefix = b""
        """For the Internet layer: the link's and its own header, ready-made."""


class Packet:
    """A packet that has come, for a transport."""

    __slots__ = (
        "checksum_valid", "dst", "for_all", "hop_limit", "interface", "payload", "protocol",
        "segment_size", "src", "traffic_class", "whole",
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
        whole: Buffer = b"",
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
        self.whole = whole
        """With the IP header, for ICMP errors and raw sockets."""


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
