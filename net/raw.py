"""Raw sockets, and those that only ping: what a program sees of IP itself."""

from __future__ import annotations

import errno

from ovum.net.iface.membership import Memberships
from ovum.net.wire import addr, checksum, icmpv4, icmpv6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet, Path
    from ovum.net.protocols import RawUser as RawUser
    from ovum.net.stack import Stack

    Buffer = bytes | bytearray | memoryview


ENDPOINTS_MAX = 1024
ICMP, ICMPV6, RAW = 1, 58, 255
HEADER_SIZE_MOST = 60


class RawEndpoint:
    """SOCK_RAW."""

    def __init__(self, host: RawHost, version: int, protocol: int, user: RawUser) -> None:
        self.host = host
        self.version = version
        self.protocol = protocol
        self.user = user
        self.local = b""
        """Empty: any; so also `remote`."""
        self.remote = b""
        self.interface = 0
        self.header_included = protocol == RAW
        """IP_HDRINCL."""
        self.checksum_offset = icmpv6.CHECKSUM_OFFSET if protocol == ICMPV6 else -1
        """IPV6_CHECKSUM; of ICMPv6 it is always 2."""
        self.icmp_filter = 0
        """ICMP_FILTER: one bit for each type that is not wanted (version 4)."""
        self.icmp6_filter = bytes(32)
        """ICMP6_FILTER: one bit for each type that is not wanted (version 6), in words of 32 bits
        in the machine's order."""
        self.broadcast = False
        self.hop_limit = 0
        self.multicast_hop_limit = 1
        self.multicast_loop = True
        self.multicast_interface = 0
        self.traffic_class = 0
        self.members = Memberships(host.stack)

    def bind(self, address: bytes, scope: int = 0) -> None:
        """Only what comes to this address; and it sends from it. Raises OSError: EADDRNOTAVAIL,
        EINVAL."""
        self._check(address)
        if not any(address):
            self.local = b""
            return
        if not (self.host.stack.is_local(address) or addr.is_multicast(address)):
            raise OSError(errno.EADDRNOTAVAIL, "no address of ours")
        self.local = address
        if scope:
            self.interface = scope

    def connect(self, address: bytes, scope: int = 0) -> None:
        """Only with this one; empty: no longer. Raises OSError: ENETUNREACH, EACCES."""
        if not address:
            self.remote = b""
            return
        self.remote = self._path(address, scope, b"", 0).remote

    def _check(self, address: bytes) -> None:
        if len(address) != (4 if self.version == 4 else 16):
            raise OSError(errno.EINVAL, "an address of the other version")

    def _path(self, address: bytes, scope: int, source: bytes, interface: int) -> Path:
        self._check(address)
        local = source or self.local
        interface = interface or scope or self.interface
        if addr.is_multicast(address):
            interface = interface or self.multicast_interface
        path = self.host.stack.path(
            address, local if local and not addr.is_multicast(local) else None, interface
        )
        if path.to_all and not self.broadcast and not addr.is_multicast(address):
            raise OSError(errno.EACCES, "SO_BROADCAST is not set")
        return path

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
        if not (address or self.remote):
            raise OSError(errno.EDESTADDRREQ, "not connected")
        path = self._path(address or self.remote, scope, source, interface)
        data = bytes(data)
        if self.header_included and self.version == 4:
            self._send_whole(path, data)
            return
        if len(data) > (65515 if self.version == 4 else 65535):
            raise OSError(errno.EMSGSIZE, "the packet is too long")
        self.transmit(path, data, hop_limit, traffic_class)

    def longest(self, address: bytes, scope: int = 0) -> int:
        """How many bytes a packet to there may have. Raises OSError as `send`."""
        path = self._path(address, scope, b"", 0)
        if self.header_included and self.version == 4:
            return path.ip_mtu
        return 65515 if self.version == 4 else 65535

    def transmit(self, path: Path, data: bytes, hop_limit: int, traffic_class: int) -> None:
        """Sends what has been checked."""
        offset = self.checksum_offset if self.version == 6 else -1
        if offset >= 0:
            if offset + 2 > len(data):
                raise OSError(errno.EINVAL, "too short for its checksum")
            data = data[:offset] + b"\0\0" + data[offset + 2 :]
        to_group = path.to_all and addr.is_multicast(path.remote)
        if not hop_limit:
            hop_limit = self.multicast_hop_limit if to_group else self.hop_limit
        if traffic_class < 0:
            traffic_class = self.traffic_class
        stack = self.host.stack
        if self.protocol == ICMP and data:
            stack.icmp4.count_sent(data[0])
        if to_group and self.multicast_loop and path.neighbor is not None:
            link = stack.interfaces[path.interface]
            if path.remote in link.accept:
                stack.send_home(path, self.protocol, (data,), offset, 0, hop_limit, traffic_class)
        stack.send(path, self.protocol, (data,), offset, 0, hop_limit, traffic_class)

    def _send_whole(self, path: Path, data: bytes) -> None:
        """With the program's own header, of which some fields are filled in (raw(7))."""
        if len(data) < 20 or len(data) > path.ip_mtu:
            raise OSError(errno.EMSGSIZE if len(data) >= 20 else errno.EINVAL, "no IP packet")
        size = (data[0] & 15) * 4
        if data[0] >> 4 != 4 or size < 20 or size > len(data):
            raise OSError(errno.EINVAL, "no IP packet")
        head = bytearray(data[:size])
        head[2:4] = len(data).to_bytes(2, "big")
        if not (head[4] or head[5]):
            head[4:6] = self.host.stack.next_ident(path).to_bytes(2, "big")
        if not any(head[12:16]):
            head[12:16] = path.local
        head[10:12] = b"\0\0"
        head[10:12] = checksum.checksum(head).to_bytes(2, "big")
        self.host.stack.send_packet(path, bytes(head) + data[size:])

    def join(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """As UdpEndpoint.join."""
        self.members.join(group, interface, source)

    def leave(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """Raises OSError: EADDRNOTAVAIL."""
        self.members.leave(group, interface, source)

    def close(self) -> None:
        """Any number of times."""
        self.members.leave_all()
        self.host.forget(self)

    # For RawHost

    def wants(self, packet: Packet) -> bool:
        """Whether a packet is for it."""
        if (
            len(packet.src) != (4 if self.version == 4 else 16)
            or (self.local and self.local != packet.dst)
            or (self.remote and self.remote != packet.src)
            or (self.interface and self.interface != packet.interface)
        ):
            return False
        to_group = packet.for_all and addr.is_multicast(packet.dst)
        if to_group and not self.members.wants(packet, True):
            return False
        payload = packet.payload
        if self.protocol == ICMP and self.version == 4:
            kind = payload[0] if len(payload) else 32
            return not (kind < 32 and self.icmp_filter >> kind & 1)
        if self.protocol == ICMPV6 and self.version == 6:
            if len(payload) < 8:
                return False
            kind = payload[0]
            word = int.from_bytes(
                self.icmp6_filter[kind >> 5 << 2 : (kind >> 5 << 2) + 4], "little"
            )
            return not word >> (kind & 31) & 1
        return True

    def give(self, now: int, packet: Packet) -> bool:
        """Gives it to the user."""
        data = packet.whole if self.version == 4 else packet.payload
        if (
            self.version == 6
            and self.checksum_offset >= 0
            and not packet.checksum_valid
            and not checksum.transport_valid(packet.src, packet.dst, self.protocol, packet.payload)
        ):
            self.host.stack.counters.count("raw_checksum_bad")
            return False
        if self.user.packet(now, packet.src, data, packet):
            return True
        self.host.stack.counters.count("raw_queue_full")
        return False


class PingEndpoint(RawEndpoint):
    """SOCK_DGRAM with IPPROTO_ICMP or IPPROTO_ICMPV6: echo requests only, whose identifier is its
    port; the answers to it come back."""

    def __init__(self, host: RawHost, version: int, user: RawUser) -> None:
        super().__init__(host, version, ICMP if version == 4 else ICMPV6, user)
        self.port = 0
        """0: not bound yet."""
        self.request = icmpv4.ECHO_REQUEST if version == 4 else icmpv6.ECHO_REQUEST
        self.reply = icmpv4.ECHO_REPLY if version == 4 else icmpv6.ECHO_REPLY

    def bind(self, address: bytes, scope: int = 0, port: int = 0) -> None:
        """port: the identifier; 0: a free one. Raises OSError: EADDRINUSE, EADDRNOTAVAIL, EINVAL,
        EAGAIN."""
        if self.port:
            raise OSError(errno.EINVAL, "bound already")
        super().bind(address, scope)
        self.host.take_port(self, port)

    def transmit(self, path: Path, data: bytes, hop_limit: int, traffic_class: int) -> None:
        """Sends a request, with its identifier (ping_v4_sendmsg in Linux)."""
        if len(data) < 8 or data[0] != self.request or data[1]:
            raise OSError(errno.EINVAL, "no echo request")
        if not self.port:
            self.host.take_port(self, 0)
        if self.version == 4:
            word = self.port << 16 | int.from_bytes(data[6:8], "big")
            data = icmpv4.emit(self.request, 0, word, data[8:])
        else:
            data = data[:4] + self.port.to_bytes(2, "big") + data[6:]
        super().transmit(path, data, hop_limit, traffic_class)

    def wants(self, packet: Packet) -> bool:
        payload = packet.payload
        return (
            len(payload) >= 8
            and payload[0] == self.reply
            and (payload[4] << 8 | payload[5]) == self.port
            and super().wants(packet)
        )

    def give(self, now: int, packet: Packet) -> bool:
        """Only what is intact."""
        payload = packet.payload
        valid = (
            checksum.is_valid(checksum.add(payload))
            if self.version == 4
            else checksum.transport_valid(packet.src, packet.dst, ICMPV6, payload)
        )
        if not valid:
            return False  # counted by the protocol's own handler
        if self.user.packet(now, packet.src, payload, packet):
            return True
        self.host.stack.counters.count("raw_queue_full")
        return False


class RawHost:
    """All of them; enters itself in the stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._endpoints: dict[int, list[RawEndpoint]] = {}
        """By protocol."""
        self._ports: dict[tuple[int, int], PingEndpoint] = {}
        """By protocol and identifier."""
        self._count = 0
        stack.errors[ICMP] = self._icmp_error
        stack.errors[ICMPV6] = self._icmp_error

    def raw(self, version: int, protocol: int, user: RawUser) -> RawEndpoint:
        """A new one. Raises OSError: EINVAL, ENFILE."""
        if not 0 < protocol < 256:
            raise OSError(errno.EINVAL, "no protocol")
        return self._add(RawEndpoint(self, version, protocol, user))

    def ping(self, version: int, user: RawUser) -> PingEndpoint:
        """A new one. Raises OSError: ENFILE."""
        return self._add(PingEndpoint(self, version, user))

    def _add(self, endpoint: _Endpoint) -> _Endpoint:
        if self._count >= ENDPOINTS_MAX:
            raise OSError(errno.ENFILE, "too many endpoints")
        self._count += 1
        endpoints = self._endpoints.setdefault(endpoint.protocol, [])
        endpoints.append(endpoint)
        if endpoint.protocol != RAW:
            self.stack.raw[endpoint.protocol] = self._receive
        return endpoint

    def forget(self, endpoint: RawEndpoint) -> None:
        """For RawEndpoint: it has closed."""
        endpoints = self._endpoints.get(endpoint.protocol, [])
        if endpoint not in endpoints:
            return
        endpoints.remove(endpoint)
        self._count -= 1
        if isinstance(endpoint, PingEndpoint):
            self._ports.pop((endpoint.protocol, endpoint.port), None)
        if not endpoints:
            del self._endpoints[endpoint.protocol]
            self.stack.raw.pop(endpoint.protocol, None)

    def take_port(self, endpoint: PingEndpoint, port: int) -> None:
        """For PingEndpoint: an identifier of its own."""
        protocol = endpoint.protocol
        if port and (protocol, port) in self._ports:
            raise OSError(errno.EADDRINUSE, "another endpoint has the identifier")
        start = self.stack.rng.randrange(1, 65536)
        while not port:
            if (protocol, start) not in self._ports:
                port = start
            start = start % 65535 + 1
        endpoint.port = port
        self._ports[(protocol, port)] = endpoint

    def _receive(self, now: int, packet: Packet) -> bool:
        """Gives a packet to all who want it."""
        wanted = False
        for endpoint in tuple(self._endpoints.get(packet.protocol, ())):
            if endpoint.wants(packet) and endpoint.give(now, packet):
                wanted = True
        return wanted

    def _icmp_error(self, now: int, error: IcmpError) -> bool:
        """About an echo request, or anything else of ICMP that was sent."""
        protocol = ICMP if len(error.dst) == 4 else ICMPV6
        payload = error.payload
        found = False
        for endpoint in tuple(self._endpoints.get(protocol, ())):
            if isinstance(endpoint, PingEndpoint):
                if len(payload) < 8 or (payload[4] << 8 | payload[5]) != endpoint.port:
                    continue
            elif endpoint.remote and endpoint.remote != error.dst:
                continue
            found = True
            endpoint.user.failed(now, error)
        return found


if TYPE_CHECKING:
    from typing import TypeVar

    _Endpoint = TypeVar("_Endpoint", RawEndpoint, PingEndpoint)
