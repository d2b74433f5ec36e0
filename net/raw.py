"""Raw sockets, and those that only ping: what a program sees of IP itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.net.ip import IcmpError, Packet
    from ovum.net.stack import Stack

    Buffer = bytes | bytearray | memoryview

    class RawUser(Protocol):
        """What such an endpoint belongs to."""

        def packet(self, now: int, source: bytes, data: Buffer, packet: Packet) -> bool:
            """One has come. data: of a raw endpoint of version 4 with the IP header, of version 6
            without; of a ping endpoint the ICMP message. False: no room."""

        def failed(self, now: int, error: IcmpError) -> None:
            """An ICMP error about what it has sent."""


class RawEndpoint:
    """SOCK_RAW."""

    def __init__(self, host: RawHost, version: int, protocol: int, user: RawUser) -> None:
        self.version = version
        self.protocol = protocol
        self.user = user
        self.local = b""
        self.remote = b""
        self.interface = 0
        self.header_included = protocol == 255
        """IP_HDRINCL."""
        self.checksum_offset = -1
        """IPV6_CHECKSUM; of ICMPv6 it is always 2."""
        self.icmp_filter = 0
        """ICMP_FILTER: one bit for each type that is not wanted (version 4)."""
        self.icmp6_filter = bytes(32)
        """ICMP6_FILTER: one bit for each type that is not wanted (version 6)."""
        self.broadcast = False
        self.hop_limit = 0
        self.multicast_hop_limit = 1
        self.multicast_loop = True
        self.multicast_interface = 0
        self.traffic_class = 0

    def bind(self, address: bytes, scope: int = 0) -> None:
        """Only what comes to this address; and it sends from it. Raises OSError: EADDRNOTAVAIL."""
        raise NotImplementedError

    def connect(self, address: bytes, scope: int = 0) -> None:
        """Only with this one; empty: no longer. Raises OSError: ENETUNREACH."""
        raise NotImplementedError

    def send(
        self,
        data: Buffer,
        address: bytes = b"",
        *,
        scope: int = 0,
        source: bytes = b"",
        interface: int = 0,
        hop_limit: int = 0,
        traffic_class: int = -1,
    ) -> None:
        """Sends a packet. Raises OSError: EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH, EACCES."""
        raise NotImplementedError

    def join(self, group: bytes, interface: int = 0) -> None:
        """As UdpEndpoint.join."""
        raise NotImplementedError

    def leave(self, group: bytes, interface: int = 0) -> None:
        """Raises OSError: EADDRNOTAVAIL."""
        raise NotImplementedError

    def close(self) -> None:
        """Any number of times."""
        raise NotImplementedError


class PingEndpoint(RawEndpoint):
    """SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6: echo requests only, whose identifier is its
    port; the answers to it come back."""

    port = 0

    def bind(self, address: bytes, scope: int = 0, port: int = 0) -> None:
        """port: the identifier; 0: a free one. Raises OSError: EADDRINUSE, EADDRNOTAVAIL."""
        raise NotImplementedError


class RawHost:
    """All of them; enters itself in the stack."""

    def __init__(self, stack: Stack) -> None:
        raise NotImplementedError

    def raw(self, version: int, protocol: int, user: RawUser) -> RawEndpoint:
        """A new one. Raises OSError: EINVAL, ENFILE."""
        raise NotImplementedError

    def ping(self, version: int, user: RawUser) -> PingEndpoint:
        """A new one. Raises OSError: ENFILE."""
        raise NotImplementedError
