"""ICMPv6: answers, errors about what came to us, errors about what we sent (RFC 4443)."""

from __future__ import annotations

from ovum.net.iface.policy import TokenBucket, may_tell
from ovum.net.ip import IcmpError
from ovum.net.wire import addr, icmpv6, ndp
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.configuration import Configuration
    from ovum.net.ip import Packet, Path
    from ovum.net.wire.icmpv4 import Message


class Icmp6:
    """Enters itself as `protocols[58]`; hands ND and MLD to whom they belong."""

    def __init__(self, core: Configuration) -> None:
        self._core = core
        settings = core.settings
        self._errors = TokenBucket(settings.icmp_errors_per_s, settings.icmp_errors_burst)
        self._echoes = TokenBucket(settings.icmp_echo_per_s, settings.icmp_echo_burst)
        core.protocols[icmpv6.PROTOCOL] = self.receive

    def receive(self, now: int, packet: Packet) -> None:
        """A message has come."""
        if len(packet.src) != 16:
            raise WireError("ipv4_protocol_unknown")
        message = icmpv6.parse(packet.payload, packet.src, packet.dst)
        kind = message.kind
        if icmpv6.is_error(kind):
            self._error(now, packet, message)
        elif kind == icmpv6.ECHO_REQUEST:
            self._echo(now, packet, message)
        elif kind == icmpv6.ECHO_REPLY:
            self._core.counters.count("icmpv6_echo_reply")
        elif packet.interface == 1:
            raise WireError("icmpv6_on_loopback")
        elif icmpv6.ROUTER_SOLICITATION <= kind <= icmpv6.REDIRECT:
            link = self._core.interfaces[packet.interface]
            parsed = ndp.parse(packet.payload, packet.src, packet.dst, packet.hop_limit)
            if isinstance(parsed, ndp.NeighborSolicitation | ndp.NeighborAdvertisement):
                link.nd.receive(now, packet, parsed)
            else:
                link.routers.receive(now, packet, parsed)
        elif kind in (icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE, icmpv6.MLD2_REPORT):
            self._core.interfaces[packet.interface].groups6.receive(now, packet)
        else:
            raise WireError("icmpv6_type_unknown")

    def _echo(self, now: int, packet: Packet, message: Message) -> None:
        core = self._core
        # To groups it is answered, too (RFC 4443, 4.2): all-nodes does not leave the link. But not
        # unless the settings say so: smurf attacks.
        if packet.for_all and not core.settings.echo_broadcast:
            raise WireError("icmpv6_echo_to_group")
        if not may_tell(packet.src):
            raise WireError("icmpv6_echo_source_bad")
        if not self._echoes.take(now):
            raise WireError("icmpv6_echo_rate")
        path = self._path_back(packet)
        if path is not None:
            core.counters.count("icmpv6_echo_answered")
            reply = icmpv6.emit(icmpv6.ECHO_REPLY, 0, message.word, message.body)
            core.send(
                path, icmpv6.PROTOCOL, (reply,), icmpv6.CHECKSUM_OFFSET,
                traffic_class=packet.traffic_class,
            )  # fmt: skip

    def _path_back(self, packet: Packet) -> Path | None:
        local = None if packet.for_all else packet.dst
        interface = packet.interface if addr.is_link_local(packet.src) else 0
        try:
            return self._core.path(packet.src, local, interface)
        except OSError:
            self._core.counters.count("icmpv6_no_way_back")
            return None

    def send_error(
        self,
        now: int,
        packet: Packet,
        kind: int,
        code: int,
        word: int,
        even_to_group: bool = False,
    ) -> None:
        """Tells whom a packet was from that it was no good, if that may be (RFC 4443, 2.4 e)."""
        core = self._core
        whole = packet.whole
        if (
            (packet.for_all and not even_to_group)
            or len(whole) < 40
            or not may_tell(packet.src)
            or not self._is_no_error(whole)
        ):
            core.counters.count("icmpv6_error_not_allowed")
            return
        if not self._errors.take(now):
            core.counters.count("icmpv6_error_rate")
            return
        path = self._path_back(packet)
        if path is not None:
            core.counters.count("icmpv6_error_sent")
            body = bytes(whole[: icmpv6.ERROR_SIZE_MOST - 48])
            data = icmpv6.emit(kind, code, word, body)
            core.send(path, icmpv6.PROTOCOL, (data,), icmpv6.CHECKSUM_OFFSET)

    def _is_no_error(self, whole: bytes | bytearray | memoryview) -> bool:
        """Whether the packet is not of the kinds that are never answered: errors and redirects."""
        try:
            quoted = icmpv6.parse_quoted(whole)
        except WireError:
            # Too short to tell, or too many headers: an error could be in it only if it was built
            # to look so.
            return whole[6] != icmpv6.PROTOCOL
        if quoted.protocol != icmpv6.PROTOCOL or quoted.fragment_offset:
            return True
        kind = quoted.payload[0]
        return not icmpv6.is_error(kind) and kind != icmpv6.REDIRECT

    def _error(self, now: int, packet: Packet, message: Message) -> None:
        """Something that we have sent has not arrived."""
        core = self._core
        quoted = icmpv6.parse_quoted(message.body)
        if packet.for_all or not core.is_local(quoted.src):
            raise WireError("icmpv6_error_not_ours")
        errno, hard = icmpv6.error_errno(message.kind, message.code)
        if not errno:
            raise WireError("icmpv6_error_ignored")
        handler = core.errors.get(quoted.protocol)
        if handler is None:
            raise WireError("icmpv6_error_protocol_unknown")
        ip_mtu = 0
        if message.kind == icmpv6.PACKET_TOO_BIG:
            # RFC 8201, 4: less than 1280 is not believed.
            ip_mtu = max(message.word, 1280)
        error = IcmpError(
            message.kind, message.code, errno, hard, quoted.src, quoted.dst, quoted.payload,
            packet.src, ip_mtu,
        )  # fmt: skip
        core.counters.count("icmpv6_error_received")
        if handler(now, error) is not False and ip_mtu:
            core.learn_path_mtu(quoted.dst, ip_mtu)
