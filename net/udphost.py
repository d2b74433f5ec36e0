"""All UDP endpoints of a stack: who has which port, and who gets a datagram."""

from __future__ import annotations

import errno

from ovum.net.udpendpoint import UdpEndpoint
from ovum.net.wire import addr, checksum, icmpv4, icmpv6
from ovum.net.wire.errors import WireError
from ovum.net.wire.udp import HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.protocols import UdpUser
    from ovum.net.stack import Stack

    Buffer = bytes | bytearray | memoryview

PROTOCOL = 17


class UdpHost:
    """Enters itself as `stack.protocols[17]`."""

    protocol = PROTOCOL

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._ports: dict[int, list[UdpEndpoint]] = {}
        self._count = 0
        self.datagrams_in = self.datagrams_out = 0
        """What programs were given and have sent, for /proc/net/snmp."""
        self._key = stack.rng.getrandbits(64)
        stack.protocols[self.protocol] = self.receive
        stack.errors[self.protocol] = self.on_icmp_error

    @property
    def endpoints(self) -> list[UdpEndpoint]:
        """Those that are bound."""
        return [each for endpoints in self._ports.values() for each in endpoints]

    def endpoint(self, version: int, user: UdpUser) -> UdpEndpoint:
        """A new one, not bound. Raises OSError: ENFILE, when it is bound."""
        return UdpEndpoint(self, version, user)

    # Ports

    def bind(self, endpoint: UdpEndpoint, port: int) -> None:
        """For UdpEndpoint: gives it a port. Raises OSError: EADDRINUSE, ENFILE."""
        if self._count >= self.stack.settings.udp_endpoints_max:
            raise OSError(errno.ENFILE, "too many endpoints")
        if not port:
            port = self._free_port(endpoint)
        elif any(_conflict(endpoint, other) for other in self._ports.get(port, ())):
            raise OSError(errno.EADDRINUSE, "somebody has the port")
        endpoint.port = port
        self._ports.setdefault(port, []).append(endpoint)
        self._count += 1

    def _free_port(self, endpoint: UdpEndpoint) -> int:
        """By chance (RFC 6056, 3.3.1), first of those that nobody has."""
        settings = self.stack.settings
        count = settings.port_last - settings.port_first + 1
        start = self.stack.rng.randrange(count)
        for at in range(count):
            port = settings.port_first + (start + at) % count
            if port not in self._ports:
                return port
        for at in range(count):
            port = settings.port_first + (start + at) % count
            if not any(_overlap(endpoint, other) for other in self._ports[port]):
                return port
        raise OSError(errno.EADDRINUSE, "no port is free")

    def forget(self, endpoint: UdpEndpoint) -> None:
        """For UdpEndpoint: it has closed."""
        endpoints = self._ports.get(endpoint.port)
        if endpoints is not None and endpoint in endpoints:
            endpoints.remove(endpoint)
            self._count -= 1
            if not endpoints:
                del self._ports[endpoint.port]

    # What comes

    def receive(self, now: int, packet: Packet) -> None:
        """A packet of the protocol's."""
        payload = packet.payload
        size = len(payload)
        if size < 8:
            raise WireError("udp_header_short")
        src_port, dst_port, length, value = HEADER.unpack_from(payload)
        if length != size:
            if length < 8 or length > size:
                raise WireError("udp_length_bad")
            payload = payload[:length]
        if not packet.checksum_valid:
            if value:
                if not checksum.transport_valid(packet.src, packet.dst, PROTOCOL, payload):
                    raise WireError("udp_checksum_bad")
            elif len(packet.src) == 16:
                raise WireError("udp_checksum_missing")
        endpoints = self._ports.get(dst_port)
        if packet.for_all:
            self._to_all(now, packet, src_port, payload[8:], endpoints)
            return
        if endpoints is None:
            self._nobody(now, packet)
            return
        src = packet.src
        endpoint = endpoints[0]
        if len(endpoints) > 1 or _score(endpoint, packet.dst, src, src_port, packet.interface) < 0:
            found = self._best(packet.dst, src, src_port, packet.interface, endpoints)
            if found is None:
                self._nobody(now, packet)
                return
            endpoint = found
        if packet.segment_size or (endpoint.version == 6 and len(src) == 4):
            self._deliver(now, endpoint, packet, src_port, payload[8:])
        elif endpoint.user.datagram(now, src, src_port, payload[8:], packet):
            self.datagrams_in += 1
        else:
            self.stack.counters.count("udp_queue_full")

    def _deliver(
        self, now: int, endpoint: UdpEndpoint, packet: Packet, src_port: int, data: Buffer
    ) -> None:
        src = packet.src
        if endpoint.version == 6 and len(src) == 4:
            src = addr.to_mapped(src)
        segment_size = packet.segment_size
        if segment_size and len(data) > segment_size:
            # A card, or a sender here, has put several together (UDP_GRO).
            pieces = [data[at : at + segment_size] for at in range(0, len(data), segment_size)]
        else:
            pieces = [data]
        for piece in pieces:
            if endpoint.user.datagram(now, src, src_port, piece, packet):
                self.datagrams_in += 1
            else:
                self.stack.counters.count("udp_queue_full")

    def _best(
        self,
        local: bytes,
        remote: bytes,
        remote_port: int,
        interface: int,
        endpoints: list[UdpEndpoint],
    ) -> UdpEndpoint | None:
        """The one that is bound most closely; of several that share a port, always the same one
        for the same sender (SO_REUSEPORT), or the newest."""
        best = -1
        found: list[UdpEndpoint] = []
        for endpoint in endpoints:
            score = _score(endpoint, local, remote, remote_port, interface)
            if score > best:
                best = score
                found = [endpoint]
            elif score == best >= 0:
                found.append(endpoint)
        if not found:
            return None
        if len(found) > 1:
            sharing = [each for each in found if each.reuse_port]
            if sharing:
                return sharing[hash((self._key, remote, remote_port, local)) % len(sharing)]
        return found[-1]

    def _to_all(
        self,
        now: int,
        packet: Packet,
        src_port: int,
        data: Buffer,
        endpoints: list[UdpEndpoint] | None,
    ) -> None:
        """Everybody gets it who is bound to it, and of a group: who has joined it."""
        group = addr.is_multicast(packet.dst)
        wanted = False
        for endpoint in tuple(endpoints or ()):
            if _score(endpoint, packet.dst, packet.src, src_port, packet.interface) < 0:
                continue
            if group and not endpoint.members.wants(packet, endpoint.multicast_all):
                continue
            wanted = True
            self._deliver(now, endpoint, packet, src_port, data)
        if not wanted:
            self.stack.counters.count("udp_to_all_unwanted")

    def _nobody(self, now: int, packet: Packet) -> None:
        stack = self.stack
        stack.counters.count("udp_port_unreachable")
        if len(packet.src) == 4:
            stack.icmp4.send_error(now, packet, icmpv4.UNREACHABLE, icmpv4.PORT_UNREACHABLE, 0)
        else:
            stack.icmp6.send_error(now, packet, icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE, 0)

    def on_icmp_error(self, now: int, error: IcmpError) -> bool:
        """An error about something that we have sent. False: by nobody who is there."""
        if len(error.payload) < 8:
            return False
        src_port, dst_port, _, _ = HEADER.unpack_from(error.payload)
        endpoints = self._ports.get(src_port)
        if endpoints is None:
            self.stack.counters.count("udp_error_unknown")
            return False
        endpoint = self._best(error.src, error.dst, dst_port, 0, endpoints)
        if endpoint is None:
            self.stack.counters.count("udp_error_unknown")
            return False
        endpoint.user.failed(now, error, dst_port)
        return True


def _score(
    endpoint: UdpEndpoint, local: bytes, remote: bytes, remote_port: int, interface: int
) -> int:
    """How closely an endpoint is bound to what a datagram says; -1: not to it at all."""
    if endpoint.version == 4:
        if len(local) != 4:
            return -1
        score = 1
    elif len(local) == 4:
        if endpoint.only_v6:
            return -1
        score = 0
    else:
        score = 1
    if endpoint.wire_local:
        if endpoint.wire_local != local:
            return -1
        score += 4
    if endpoint.wire_remote:
        if endpoint.wire_remote != remote or endpoint.remote_port != remote_port:
            return -1
        score += 8
    if endpoint.interface:
        if interface and endpoint.interface != interface:
            return -1
        score += 2
    return score


def _overlap(one: UdpEndpoint, other: UdpEndpoint) -> bool:
    """Whether a datagram could be for both."""
    if one.interface and other.interface and one.interface != other.interface:
        return False
    if one.wire_local and other.wire_local:
        return one.wire_local == other.wire_local
    return _versions(one) & _versions(other) != 0


def _versions(endpoint: UdpEndpoint) -> int:
    """Bit 0: IPv4; bit 1: IPv6."""
    if endpoint.wire_local:
        return 1 if len(endpoint.wire_local) == 4 else 2
    if endpoint.version == 4:
        return 1
    return 2 if endpoint.only_v6 else 3


def _conflict(one: UdpEndpoint, other: UdpEndpoint) -> bool:
    """Whether two cannot have one port (inet_rcv_saddr_equal and udp_lib_lport_inuse in Linux)."""
    if not _overlap(one, other):
        return False
    return not (
        (one.reuse_address and other.reuse_address) or (one.reuse_port and other.reuse_port)
    )
