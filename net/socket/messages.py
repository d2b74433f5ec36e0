"""What sockets of datagrams have in common: taking messages from the door and sending them,
giving those that come to the door, options, multicast groups."""

from __future__ import annotations

from errno import (
    EADDRNOTAVAIL,
    EINVAL,
    EMSGSIZE,
    ENETUNREACH,
    ENODEV,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
)

from ovum.net.socket import cmsg, groups
from ovum.net.socket.address import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    LOOPBACK4,
    LOOPBACK6,
    family_of,
    is_any,
    mapped,
    needs_scope,
    pack,
    parse,
    refuse,
)
from ovum.net.socket.door import CLOSED, CONNECTED, READ_SHUT, SENT, WRITE_SHUT
from ovum.net.socket.endpoint import SHUT_RD, SHUT_RDWR, SHUT_WR, Endpoint
from ovum.net.socket.options import SOL_IP, SOL_IPV6, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.raw import RawEndpoint
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door
    from ovum.net.udp import UdpEndpoint

    Buffer = bytes | bytearray | memoryview

RECEIVE, SEND = 212_992, 212_992
"""net.core.rmem_default and wmem_default."""

PENDING_MOST = 64
"""Datagrams that wait for the machine's configuration."""

IP_MTU, IPV6_MTU = 14, 24

_WANTS_CONTROL = (
    "packet_info", "packet_info6", "receive_ttl", "receive_tos", "receive_hops", "receive_class",
    "timestamp", "timestamp_ns", "original_destination",
)  # fmt: skip


class MessageEndpoint(Endpoint):
    """A socket whose door has datagrams. `lower` is the endpoint of the stack."""

    __slots__ = (
        "has_control",
        "is_connected",
        "lower",
        "peer",
        "pending",
        "source_name",
        "source_of",
        "target",
        "target_of",
    )  # fmt: skip

    lower: UdpEndpoint | RawEndpoint

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        self.receive_size, self.send_size = RECEIVE, SEND
        door.set_limits(RECEIVE, SEND)
        self.has_control = False
        """Whether control messages are made for what comes."""
        self.is_connected = False
        self.peer: tuple[bytes, int, int] = (b"", 0, 0)
        self.pending: list[tuple[bytes, bytes, bytes]] = []
        # Most datagrams go where the last one went, and come from where the last one came from.
        self.target_of = b""
        self.target: tuple[bytes, int, int] = (b"", 0, 0)
        self.source_of: tuple[bytes, int, int] = (b"", 0, 0)
        self.source_name = b""

    # What kinds have of their own

    def lower_connect(self, address: bytes, port: int, scope: int) -> None:
        """Has the stack's endpoint connected; an empty address: no longer."""
        raise NotImplementedError

    def transmit(
        self, data: bytes, target: tuple[bytes, int, int], wishes: cmsg.Wishes | None
    ) -> None:
        """Sends a datagram. Raises OSError."""
        raise NotImplementedError

    def longest(self, target: tuple[bytes, int, int]) -> int:
        """How long a datagram to there may be. Raises OSError."""
        raise NotImplementedError

    # Calls

    def destination(self, address: bytes, size: int) -> int:
        """See Endpoint."""
        target = self.stack_address(address) if address else self.peer
        try:
            longest = self.longest(target)
        except OSError as error:
            if error.errno == ENETUNREACH and self.sockets.runner.settling:
                return 0
            raise
        if size > longest:
            raise refuse(EMSGSIZE)
        return longest

    def stack_address(self, data: Buffer) -> tuple[bytes, int, int]:
        """A struct sockaddr as the stack's endpoints have it: mapped, if they are IPv6's."""
        if self.family == AF_INET6 and family_of(data) == AF_INET:
            # Linux takes IPv4's form here, too (udpv6_sendmsg).
            address, port, scope = parse(AF_INET, data)
        else:
            address, port, scope = parse(self.family, data)
        if not needs_scope(address):
            scope = 0
        elif not scope and not self.values.get("bound_interface") and address[0] != 0xFF:
            raise refuse(EINVAL)
        if self.family == AF_INET6:
            if len(address) == 4 and self.values.get("v6_only"):
                raise refuse(ENETUNREACH)
            address = mapped(address)
        return address, port, self.check_scope(scope)

    async def connect(self, address: Buffer) -> int:
        """connect(2): where datagrams go to and come from."""
        if family_of(address) == AF_UNSPEC:
            self.lower_connect(b"", 0, 0)
            self.is_connected = False
            self.peer = (b"", 0, 0)
            self.door.set_state(0, CONNECTED | READ_SHUT | WRITE_SHUT)
            return 0
        remote, port, scope = self.stack_address(address)
        if is_any(remote):
            remote = LOOPBACK4 if self.family == AF_INET else LOOPBACK6
        runner = self.sockets.runner
        try:
            self.lower_connect(remote, port, scope)
        except OSError as error:
            if error.errno != ENETUNREACH or not runner.settling:
                raise
            await runner.settled()
            self.lower_connect(remote, port, scope)
        self.is_connected = True
        self.peer = (remote, port, scope)
        self.door.set_state(CONNECTED, READ_SHUT | WRITE_SHUT)
        return 0

    def shutdown(self, how: int) -> None:
        """shutdown(2)."""
        if how not in (SHUT_RD, SHUT_WR, SHUT_RDWR):
            raise refuse(EINVAL)
        shut = 0 if how == SHUT_WR else READ_SHUT
        self.door.set_state(shut if how == SHUT_RD else shut | WRITE_SHUT)
        if not self.is_connected:
            raise refuse(ENOTCONN)

    def peer_name(self) -> bytes:
        """getpeername(2)."""
        if not self.is_connected:
            raise refuse(ENOTCONN)
        return self.name_of(*self.peer)

    def name_of(self, address: bytes, port: int, scope: int) -> bytes:
        """A struct sockaddr. address: of the stack's endpoint."""
        return pack(self.family, address or bytes(4 if self.family == AF_INET else 16), port, scope)

    # What the door tells

    def changed(self, now: int, bits: int) -> None:
        """The program has sent something, or closed."""
        if bits & SENT:
            self.send_all()
        if bits & CLOSED:
            self.close(now)

    def send_all(self) -> None:
        """Sends what the program has given to be sent."""
        runner = self.sockets.runner
        take = self.door.take_message
        while not runner.congested(self):
            message = take()
            if message is None:
                return
            if self.pending:
                self._keep(message)
            else:
                self.send_one(message)

    def send_one(self, message: tuple[bytes, bytes, bytes]) -> None:
        """Sends a datagram; what goes wrong is the socket's error."""
        data, destination, control = message
        try:
            if not destination:
                target = self.peer
            elif destination == self.target_of:
                target = self.target
            else:
                target = self.target = self.stack_address(destination)
                self.target_of = destination
            self.transmit(data, target, cmsg.wishes(control) if control else None)
        except OSError as error:
            if error.errno == ENETUNREACH and self.sockets.runner.settling:
                self._keep(message)
            else:
                self.door.set_state(0, 0, error.errno or EINVAL)

    def _keep(self, message: tuple[bytes, bytes, bytes]) -> None:
        """There is no way yet: keeps a datagram until the configuration is settled."""
        if not self.pending:
            self.sockets.runner.spawn(self._send_later)
        if len(self.pending) < PENDING_MOST:
            self.pending.append(message)
        else:
            self.sockets.stack.counters.count("socket_pending_full")

    async def _send_later(self) -> None:
        runner = self.sockets.runner
        await runner.settled()
        pending, self.pending = self.pending, []
        if self.is_closed:
            return
        for message in pending:
            self.send_one(message)
        runner.settle(runner.now())

    def close(self, now: int) -> None:
        """The last descriptor is closed."""
        self.lower.close()
        self.forget()

    # What comes

    def deliver(self, source: bytes, port: int, data: Buffer, packet: Packet) -> bool:
        """Gives the program a datagram. False: there is no room."""
        origin = (source, port, packet.interface)
        if origin != self.source_of:
            self.source_of = origin
            self.source_name = pack(self.family, source, port, packet.interface)
        if self.has_control:
            return self.door.deliver_message(data, self.source_name, self._control(packet))
        return self.door.deliver_message(data, self.source_name)

    def _control(self, packet: Packet) -> bytes:
        """The control messages that the program has asked for."""
        wanted = self.values.get
        made = b""
        if wanted("timestamp") or wanted("timestamp_ns"):
            wall = self.sockets.runner.wall_ns()
            made += cmsg.timestamp(wall, bool(wanted("timestamp_ns")))
        if len(packet.dst) == 4:
            if wanted("packet_info"):
                made += cmsg.packet_info(packet.interface, packet.dst)
            if wanted("receive_ttl"):
                made += cmsg.integer(cmsg.SOL_IP, cmsg.IP_TTL, packet.hop_limit)
            if wanted("receive_tos"):
                made += cmsg.type_of_service(packet.traffic_class)
        else:
            if wanted("receive_hops"):
                made += cmsg.integer(cmsg.SOL_IPV6, cmsg.IPV6_HOPLIMIT, packet.hop_limit)
            if wanted("receive_class"):
                made += cmsg.integer(cmsg.SOL_IPV6, cmsg.IPV6_TCLASS, packet.traffic_class)
        if self.family == AF_INET6 and wanted("packet_info6"):
            made += cmsg.packet_info6(packet.interface, packet.dst)
        return made

    def fail(self, error: IcmpError, data: Buffer, port: int = 0) -> None:
        """An ICMP error about data that has been sent to a port: the program hears of it if it is
        connected, or has asked (IP_RECVERR), and has it in the queue of errors, too, then."""
        asked = self.values.get("receive_errors") or self.values.get("receive_errors6")
        if asked:
            destination = pack(self.family, error.dst, port)
            self.door.deliver_error(data, destination, cmsg.error(self.family, error))
        if (self.is_connected and error.hard) or asked:
            self.door.set_state(0, 0, error.errno)

    # Options

    def option_changed(self, attribute: str, value: int) -> None:
        """What the stack's endpoint has to know."""
        lower = self.lower
        if attribute == "bound_interface":
            lower.interface = value
        elif attribute == "broadcast":
            lower.broadcast = bool(value)
        elif attribute in ("ttl", "hops"):
            lower.hop_limit = value
        elif attribute in ("tos", "traffic_class"):
            lower.traffic_class = value
        elif attribute in ("multicast_ttl", "multicast_hops"):
            lower.multicast_hop_limit = value
        elif attribute == "multicast_loop":
            lower.multicast_loop = bool(value)
        elif attribute in _WANTS_CONTROL:
            self.has_control = any(map(self.values.get, _WANTS_CONTROL))

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """Groups, and what depends on the path."""
        if (level == SOL_IP and name == IP_MTU) or (level == SOL_IPV6 and name == IPV6_MTU):
            if not self.is_connected:
                raise refuse(ENOTCONN)
            remote = self.peer[0]
            if remote[:12] == mapped(bytes(4))[:12]:
                remote = remote[12:]
            return packed(self.sockets.stack.path(remote, None, self.peer[2]).ip_mtu, level, room)
        if level == SOL_IP and name == groups.IP_MULTICAST_IF:
            return self._multicast_source()
        if level == SOL_IPV6 and name == groups.IPV6_MULTICAST_IF:
            return packed(self.lower.multicast_interface, level, room)
        if level in (SOL_IP, SOL_IPV6):
            raise refuse(ENOPROTOOPT)
        return super().get_special(level, name, room)

    def _multicast_source(self) -> bytes:
        given = getattr(self.lower, "multicast_source", b"")
        return bytes(given) if len(given) == 4 else bytes(4)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """Groups."""
        if level not in (SOL_IP, SOL_IPV6):
            super().set_special(level, name, data)
            return
        if (level, name) in groups.INTERFACE_OPTIONS:
            index = groups.parse_interface(self.sockets, level, bytes(data))
            self.lower.multicast_interface = index
            return
        change = groups.parse(self.sockets, level, name, bytes(data))
        if change is None:
            raise refuse(ENOPROTOOPT)
        self.change_group(change)

    def change_group(self, change: groups.Change) -> None:
        """Joins or leaves a multicast group. Raises OSError."""
        group = mapped(change.group) if self.family == AF_INET6 else change.group
        if len(group) != (4 if self.family == AF_INET else 16):
            raise refuse(EINVAL)
        if change.source:
            raise refuse(EOPNOTSUPP)
        if change.joins:
            self.lower.join(group, change.interface)
        else:
            self.lower.leave(group, change.interface)


def no_interface() -> OSError:
    """What is said of an interface that there is not."""
    return refuse(ENODEV)


def no_address() -> OSError:
    """What is said of an address that is none of ours."""
    return refuse(EADDRNOTAVAIL)
