"""UDP (RFC 768): endpoints, and who gets what has come."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from ovum.net.ip import IcmpError, Packet
    from ovum.net.stack import Stack

    Buffer = bytes | bytearray | memoryview

    class UdpUser(Protocol):
        """What an endpoint belongs to: a socket's glue, a DHCP client, an SNTP client."""

        def datagram(
            self, now: int, source: bytes, port: int, data: Buffer, packet: Packet
        ) -> bool:
            """One has come. False: there is no room for it. It may call the endpoint.

            source: 16 bytes at an endpoint of version 6, mapped if it came as IPv4 (RFC 4291,
            2.5.5.2). packet.dst, interface, hop_limit, traffic_class: for control messages.
            """

        def failed(self, now: int, error: IcmpError, port: int) -> None:
            """An ICMP error about a datagram that this endpoint has sent to error.dst and port. A
            socket makes error.errno its SO_ERROR if it is connected, or has IP_RECVERR."""


class UdpEndpoint:
    """Options are fields: a socket's glue sets them."""

    def __init__(self, host: UdpHost, version: int, user: UdpUser) -> None:
        self.version = version
        """4 or 6."""
        self.user = user
        self.local = b""
        """Empty: any."""
        self.port = 0
        """0: not bound yet."""
        self.remote = b""
        """Empty: not connected."""
        self.remote_port = 0
        self.interface = 0
        """SO_BINDTODEVICE; or the scope of a link-local address that it is bound to. 0: any."""
        self.only_v6 = False
        self.broadcast = False
        self.reuse_address = False
        self.reuse_port = False
        self.hop_limit = 0
        """IP_TTL, IPV6_UNICAST_HOPS; 0: the default."""
        self.multicast_hop_limit = 1
        self.multicast_loop = True
        self.multicast_interface = 0
        self.multicast_source = b""
        """IP_MULTICAST_IF's address, if one was given."""
        self.multicast_all = True
        """IP_MULTICAST_ALL: also groups that others have joined."""
        self.traffic_class = 0
        self.no_checksum = False
        """SO_NO_CHECK: IPv4 only."""
        self.mtu_discover = 1
        """IP_PMTUDISC_DONT, WANT, DO, PROBE: 0 to 3."""
        self.segment_size = 0
        """UDP_SEGMENT: what is sent is cut into datagrams of this size."""

    def bind(self, address: bytes, port: int, scope: int = 0) -> None:
        """address: of the version's length; zeros or empty: any. port 0: a free one, by chance.
        Raises OSError: EADDRINUSE, EADDRNOTAVAIL, EINVAL."""
        raise NotImplementedError

    def connect(self, address: bytes, port: int, scope: int = 0) -> None:
        """Only with that one from now on; binds if it is not bound. Empty: no longer.
        Raises OSError: EACCES (broadcast), ENETUNREACH, EADDRNOTAVAIL, EAGAIN (no port is free)."""
        raise NotImplementedError

    def send(
        self,
        data: Buffer,
        address: bytes = b"",
        port: int = 0,
        *,
        scope: int = 0,
        source: bytes = b"",
        interface: int = 0,
        hop_limit: int = 0,
        traffic_class: int = -1,
        segment_size: int = 0,
    ) -> None:
        """Sends a datagram; no address: where it is connected to. The rest is what control messages
        may say (IP_PKTINFO, IP_TTL, IP_TOS, UDP_SEGMENT). Raises OSError: EDESTADDRREQ, EACCES,
        EMSGSIZE, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EINVAL, EAGAIN."""
        raise NotImplementedError

    def join(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """Becomes a member of a group; interface 0: the one that a route to it takes.
        source: from this sender only (IP_ADD_SOURCE_MEMBERSHIP).
        Raises OSError: EINVAL, ENODEV, EADDRINUSE (it is one already), ENOBUFS."""
        raise NotImplementedError

    def leave(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """Raises OSError: EADDRNOTAVAIL."""
        raise NotImplementedError

    def close(self) -> None:
        """Leaves its groups and its port. Any number of times."""
        raise NotImplementedError


class UdpHost:
    """All endpoints of a stack; enters itself as `stack.protocols[17]`."""

    def __init__(self, stack: Stack) -> None:
        self.endpoints: list[UdpEndpoint] = []
        raise NotImplementedError

    def endpoint(self, version: int, user: UdpUser) -> UdpEndpoint:
        """A new one, not bound. Raises OSError: ENFILE."""
        raise NotImplementedError


class Queue:
    """A user that keeps what comes, up to a number of bytes, until it is taken."""

    def __init__(self, limit: int = 212_992) -> None:
        self.limit = limit

    def take(self) -> tuple[bytes, int, bytes] | None:
        """The next datagram: source, port, data. None: no more."""
        raise NotImplementedError

    def take_error(self) -> IcmpError | None:
        """The next error."""
        raise NotImplementedError

    def waiting(self) -> Sequence[bytes]:
        """What it has."""
        raise NotImplementedError
