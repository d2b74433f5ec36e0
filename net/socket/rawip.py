"""SOCK_RAW over IP, and SOCK_DGRAM with ICMP ("ping sockets")."""

from __future__ import annotations

from errno import EINVAL, ENODEV, ENOPROTOOPT

from ovum.net.socket import options
from ovum.net.socket.address import AF_INET, mapped, needs_scope, parse, refuse
from ovum.net.socket.messages import MessageEndpoint
from ovum.net.socket.options import SOL_ICMPV6, SOL_RAW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.raw import PingEndpoint, RawEndpoint
    from ovum.net.socket.cmsg import Wishes
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door

    Buffer = bytes | bytearray | memoryview

SOCK_DGRAM = 2
ICMP_FILTER, ICMPV6_FILTER = 1, 1


class RawIpEndpoint(MessageEndpoint):
    """A raw or a ping socket. It is the user of its endpoint of the stack."""

    __slots__ = ("ping", "raw")

    integers = (options.INTEGERS, options.RAW_INTEGERS)

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        version = 4 if family == AF_INET else 6
        self.ping: PingEndpoint | None = None
        self.raw: RawEndpoint
        if kind == SOCK_DGRAM:
            self.raw = self.ping = sockets.runner.raw.ping(version, self)
        else:
            self.raw = sockets.runner.raw.raw(version, protocol, self)
        self.lower = self.raw

    def stack_address(self, data: Buffer) -> tuple[bytes, int, int]:
        """A raw socket of IPv6 has nothing to do with IPv4."""
        address, port, scope = super().stack_address(data)
        if len(address) == 16 and address.startswith(mapped(bytes(4))[:12]):
            raise refuse(EINVAL)
        return address, port, scope

    # Calls

    def bind(self, address: Buffer) -> None:
        """bind(2)."""
        local, port, scope = parse(self.family, address)
        if needs_scope(local):
            scope = self.check_scope(scope)
            if not scope:
                raise refuse(EINVAL)
            if self.sockets.interface(scope) is None:
                raise refuse(ENODEV)
        else:
            scope = 0
        if len(local) != (4 if self.family == AF_INET else 16):
            raise refuse(EINVAL)
        if self.ping is not None:
            self.ping.bind(local, scope, port)
        else:
            self.raw.bind(local, scope)

    def lower_connect(self, address: bytes, port: int, scope: int) -> None:
        """See MessageEndpoint."""
        self.raw.connect(address, scope)

    def longest(self, target: tuple[bytes, int, int]) -> int:
        """See MessageEndpoint."""
        return self.raw.longest(target[0], target[2])

    def own_name(self) -> bytes:
        """getsockname(2). The port is a ping socket's identifier, else the protocol, as in
        Linux."""
        port = self.protocol if self.ping is None else self.ping.port
        return self.name_of(self.raw.local, port, self.raw.interface)

    def transmit(self, data: bytes, target: tuple[bytes, int, int], wishes: Wishes | None) -> None:
        """See MessageEndpoint."""
        address, _, scope = target
        if self.is_connected and address == self.peer[0]:
            address = b""
        if wishes is None:
            self.raw.send(data, address, scope=scope)
            return
        self.raw.send(
            data,
            address,
            scope=scope,
            source=wishes.source or b"",
            interface=wishes.interface,
            hop_limit=wishes.hop_limit,
            traffic_class=wishes.traffic_class,
        )

    # What the stack tells

    def packet(self, now: int, source: bytes, data: Buffer, packet: Packet) -> bool:
        """One has come."""
        return self.deliver(source, 0, data, packet)

    def failed(self, now: int, error: IcmpError) -> None:
        """An ICMP error has come."""
        self.fail(error, error.payload)

    # Options

    def option_changed(self, attribute: str, value: int) -> None:
        """What the stack's endpoint has to know."""
        if attribute == "header_included":
            self.raw.header_included = bool(value)
        elif attribute == "checksum_offset":
            self.raw.checksum_offset = value
        else:
            super().option_changed(attribute, value)

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """The filters of ICMP's types."""
        if level == SOL_RAW and name == ICMP_FILTER:
            return self.raw.icmp_filter.to_bytes(4, "little")
        if level == SOL_ICMPV6 and name == ICMPV6_FILTER:
            return self.raw.icmp6_filter
        return super().get_special(level, name, room)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """The same for setting them."""
        if level == SOL_RAW and name == ICMP_FILTER:
            self.raw.icmp_filter = int.from_bytes(data[:4], "little")
        elif level == SOL_ICMPV6 and name == ICMPV6_FILTER:
            self.raw.icmp6_filter = bytes(data[:32]).ljust(32, b"\0")
        elif level in (SOL_RAW, SOL_ICMPV6):
            raise refuse(ENOPROTOOPT)
        else:
            super().set_special(level, name, data)
