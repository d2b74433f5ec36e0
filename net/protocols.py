"""What the parts of the network ask of each other, in typing's sense of "protocol".

For type checkers alone: nothing imports this at run time. It has a file of its own because mypyc
compiles no class within an `if`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovum.net.ip import IcmpError, Packet, Path

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
        may_fragment: bool = False,
    ) -> None:
        """Sends one packet: data in pieces, the transport's header in the first.

        A header that is a bytearray has its checksum put in place, others are copied for it.
        Nothing of data may be changed after: it goes as it is, when the card takes it.

        checksum_offset: where in data the transport's checksum goes, which is computed here or
        by the card. segment_size: the payload is to be cut into pieces of this size behind the
        header, by the card or here. Fragments what is larger than the path's MTU and not to be
        cut. may_fragment: routers on the way may, too (IPv4). Never waits, and never fails
        but by a count: the network may lose packets anyway.
        """

    def confirm(self, path: Path) -> None:
        """What was sent has arrived (new data was acknowledged): the neighbor need not be
        asked whether it is still there (RFC 4861, 7.3.1). Cheap, but not for every segment."""


class UdpUser(Protocol):
    """What an endpoint belongs to: a socket's glue, a DHCP client, an SNTP client."""

    def datagram(self, now: int, source: bytes, port: int, data: Buffer, packet: Packet) -> bool:
        """One has come. False: there is no room for it. It may call the endpoint.

        source: 16 bytes at an endpoint of version 6, mapped if it came as IPv4 (RFC 4291,
        2.5.5.2). packet.dst, interface, hop_limit, traffic_class: for control messages.
        """

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        """An ICMP error about a datagram that this endpoint has sent to error.dst and port. A
        socket makes error.errno its SO_ERROR if it is connected, or has IP_RECVERR."""


class RawUser(Protocol):
    """What such an endpoint belongs to."""

    def packet(self, now: int, source: bytes, data: Buffer, packet: Packet) -> bool:
        """One has come. data: of a raw endpoint of version 4 with the IP header, of version 6
        without; of a ping endpoint the ICMP message. False: no room."""

    def failed(self, now: int, error: IcmpError) -> None:
        """An ICMP error about what it has sent."""
