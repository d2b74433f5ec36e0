"""SOCK_DGRAM over UDP."""

from __future__ import annotations

from errno import EINVAL, ENODEV

from ovum.net.socket import groups, options
from ovum.net.socket.address import AF_INET, AF_INET6, is_any, mapped, needs_scope, parse, refuse
from ovum.net.socket.messages import MessageEndpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.socket.cmsg import Wishes
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door
    from ovum.net.udp import UdpEndpoint, UdpHost

    Buffer = bytes | bytearray | memoryview


class DatagramEndpoint(MessageEndpoint):
    """A UDP socket. It is the user of its endpoint of the stack."""

    __slots__ = ("udp",)

    integers: tuple[dict[tuple[int, int], tuple[str, tuple[int, int], int]], ...] = (
        options.INTEGERS,
        options.UDP_INTEGERS,
    )

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        self.udp: UdpEndpoint = self.host().endpoint(4 if family == AF_INET else 6, self)
        self.lower = self.udp

    def host(self) -> UdpHost:
        """Where its endpoint of the stack is."""
        return self.sockets.runner.udp

    # Calls

    def bind(self, address: Buffer) -> None:
        """bind(2)."""
        local, port, scope = parse(self.family, address)
        if self.udp.port:
            raise refuse(EINVAL)
        if needs_scope(local):
            scope = self.check_scope(scope)
            if not scope:
                raise refuse(EINVAL)
            if self.sockets.interface(scope) is None:
                raise refuse(ENODEV)
        else:
            scope = 0
        if self.family == AF_INET6:
            if len(local) == 4 and self.values.get("v6_only"):
                raise refuse(EINVAL)
            local = mapped(local)
        self.udp.bind(local, port, scope)

    def lower_connect(self, address: bytes, port: int, scope: int) -> None:
        """See MessageEndpoint."""
        self.udp.connect(address, port, scope)

    def longest(self, target: tuple[bytes, int, int]) -> int:
        """See MessageEndpoint."""
        return self.udp.longest(target[0], target[2])

    def own_name(self) -> bytes:
        """getsockname(2)."""
        return self.name_of(self.udp.local, self.udp.port, self.udp.interface)

    def transmit(self, data: bytes, target: tuple[bytes, int, int], wishes: Wishes | None) -> None:
        """See MessageEndpoint."""
        address, port, scope = target
        if self.is_connected and address == self.peer[0] and port == self.peer[1]:
            address = b""
        elif address and is_any(address):
            address = address[:-1] + b"\1" if len(address) == 16 else b"\x7f\0\0\1"
        if wishes is None:
            self.udp.send(data, address, port, scope=scope)
            return
        source = wishes.source
        self.udp.send(
            data,
            address,
            port,
            scope=scope,
            source=b"" if source is None else mapped(source) if self.family != AF_INET else source,
            interface=wishes.interface,
            hop_limit=wishes.hop_limit,
            traffic_class=wishes.traffic_class,
            segment_size=wishes.segment_size,
        )

    # What the stack tells

    def datagram(self, now: int, source: bytes, port: int, data: Buffer, packet: Packet) -> bool:
        """One has come."""
        return self.deliver(source, port, data, packet)

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        """An ICMP error has come."""
        self.fail(error, error.payload[8:], port)

    # Options

    def check_option(self, attribute: str, value: int) -> None:
        """IPV6_V6ONLY is for sockets that are not bound."""
        super().check_option(attribute, value)
        if attribute == "v6_only" and self.udp.port:
            raise refuse(EINVAL)

    def option_changed(self, attribute: str, value: int) -> None:
        """What the stack's endpoint has to know."""
        udp = self.udp
        if attribute == "reuse_address":
            udp.reuse_address = bool(value)
        elif attribute == "reuse_port":
            udp.reuse_port = bool(value)
        elif attribute == "v6_only":
            udp.only_v6 = bool(value)
        elif attribute in ("multicast_all", "multicast_all6"):
            udp.multicast_all = bool(value)
        elif attribute == "no_check":
            udp.no_checksum = bool(value)
        elif attribute in ("mtu_discover", "mtu_discover6"):
            udp.mtu_discover = value
        elif attribute == "udp_segment":
            udp.segment_size = value
        else:
            super().option_changed(attribute, value)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """IP_MULTICAST_IF has an address besides the interface."""
        super().set_special(level, name, data)
        if (level, name) == (options.SOL_IP, groups.IP_MULTICAST_IF):
            given = bytes(data)
            address = given[4:8] if len(given) >= 8 else given[:4]
            self.udp.multicast_source = b"" if is_any(address) else address

    def change_group(self, change: groups.Change) -> None:
        """Joins or leaves a multicast group, maybe of one sender."""
        wide = self.family == AF_INET6
        group = mapped(change.group) if wide else change.group
        source = mapped(change.source) if wide and change.source else change.source
        if len(group) != (16 if wide else 4):
            raise refuse(EINVAL)
        if change.joins:
            self.udp.join(group, change.interface, source)
        else:
            self.udp.leave(group, change.interface, source)
