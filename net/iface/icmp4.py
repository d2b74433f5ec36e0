"""ICMP: answers, errors about what came to us, errors about what we sent (RFC 792, RFC 1122)."""

from __future__ import annotations

from ovum.net.iface.policy import TokenBucket, may_tell
from ovum.net.iface.route import REDIRECT, Route
from ovum.net.ip import IcmpError
from ovum.net.wire import addr, icmpv4
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.configuration import Configuration
    from ovum.net.ip import Packet, Path

ERROR_SIZE_MOST = 576
"""Of a packet with an error in it (RFC 1812, 4.3.2.3)."""

REDIRECT_NS = 600_000_000_000
"""How long a redirect is followed."""

_PLATEAUS = (32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""MTUs that networks have had, for routers that do not say theirs (RFC 1191, 7)."""

_ERROR_REPORTS = frozenset(
    {icmpv4.UNREACHABLE, icmpv4.TIME_EXCEEDED, icmpv4.PARAMETER_PROBLEM, icmpv4.SOURCE_QUENCH}
)


class Icmp4:
    """Enters itself as `protocols[1]`."""

    def __init__(self, core: Configuration) -> None:
        self._core = core
        settings = core.settings
        self._errors = TokenBucket(settings.icmp_errors_per_s, settings.icmp_errors_burst)
        self._echoes = TokenBucket(settings.icmp_echo_per_s, settings.icmp_echo_burst)
        self.received: dict[int, int] = {}
        """How many messages of each type, for /proc/net/snmp."""
        self.sent: dict[int, int] = {}
        core.protocols[icmpv4.PROTOCOL] = self.receive

    def count_sent(self, kind: int) -> None:
        """A message of this type is sent."""
        self.sent[kind] = self.sent.get(kind, 0) + 1

    def receive(self, now: int, packet: Packet) -> None:
        """A message has come."""
        if len(packet.src) != 4:
            raise WireError("ipv6_next_header_unknown")
        message = icmpv4.parse(packet.payload)
        kind = message.kind
        self.received[kind] = self.received.get(kind, 0) + 1
        if kind == icmpv4.ECHO_REQUEST:
            self._echo(now, packet, message)
        elif kind == icmpv4.REDIRECT:
            self._redirect(now, packet, message)
        elif kind in _ERROR_REPORTS:
            self._error(now, packet, message)
        elif kind == icmpv4.ECHO_REPLY:
            # Those that have asked are raw endpoints.
            self._core.counters.count("icmp_echo_reply")
        else:
            # Timestamps tell more than they are good for, and the rest is history (RFC 6918).
            raise WireError("icmp_type_unknown")

    def _echo(self, now: int, packet: Packet, message: icmpv4.Message) -> None:
        core = self._core
        if packet.for_all and not core.settings.echo_broadcast:
            raise WireError("icmp_echo_to_all")
        if not may_tell(packet.src):
            raise WireError("icmp_echo_source_bad")
        if not self._echoes.take(now):
            raise WireError("icmp_echo_rate")
        path = self._path_back(packet)
        if path is not None:
            core.counters.count("icmp_echo_answered")
            self.count_sent(icmpv4.ECHO_REPLY)
            reply = icmpv4.emit(icmpv4.ECHO_REPLY, 0, message.word, message.body)
            core.send(path, icmpv4.PROTOCOL, (reply,), traffic_class=packet.traffic_class)

    def _path_back(self, packet: Packet) -> Path | None:
        """To whom a packet was from, from where it was sent to, if that is an address of ours."""
        local = None if packet.for_all else packet.dst
        try:
            return self._core.path(packet.src, local)
        except OSError:
            self._core.counters.count("icmp_no_way_back")
            return None

    def send_error(self, now: int, packet: Packet, kind: int, code: int, word: int) -> None:
        """Tells whom a packet was from that it was no good, if that may be (RFC 1122, 3.2.2)."""
        core = self._core
        whole = packet.whole
        if packet.for_all or len(whole) < 20 or not may_tell(packet.src):
            core.counters.count("icmp_error_not_allowed")
            return
        size = (whole[0] & 15) * 4
        if (whole[6] & 0x1F or whole[7]) or (
            whole[9] == icmpv4.PROTOCOL
            and (len(whole) <= size or whole[size] in icmpv4.ERRORS or whole[size] > 18)
        ):
            core.counters.count("icmp_error_not_allowed")
            return
        if not self._errors.take(now):
            core.counters.count("icmp_error_rate")
            return
        path = self._path_back(packet)
        if path is not None:
            core.counters.count("icmp_error_sent")
            self.count_sent(kind)
            data = icmpv4.emit(kind, code, word, bytes(whole[: ERROR_SIZE_MOST - 28]))
            # RFC 1812, 4.3.2.5: precedence 6.
            core.send(path, icmpv4.PROTOCOL, (data,), traffic_class=0xC0)

    def _error(self, now: int, packet: Packet, message: icmpv4.Message) -> None:
        """Something that we have sent has not arrived."""
        core = self._core
        quoted = icmpv4.parse_quoted(message.body)
        if packet.for_all or not core.is_local(quoted.src):
            raise WireError("icmp_error_not_ours")
        errno, hard = icmpv4.error_errno(message.kind, message.code)
        if not errno:
            raise WireError("icmp_error_ignored")
        handler = core.errors.get(quoted.protocol)
        if handler is None:
            raise WireError("icmp_error_protocol_unknown")
        ip_mtu = 0
        if message.kind == icmpv4.UNREACHABLE and message.code == icmpv4.FRAGMENTATION_NEEDED:
            ip_mtu = message.word & 0xFFFF or _lower_plateau(message.body)
            ip_mtu = max(ip_mtu, core.settings.path_mtu_floor4)
        error = IcmpError(
            message.kind, message.code, errno, hard, quoted.src, quoted.dst, quoted.payload,
            packet.src, ip_mtu,
        )  # fmt: skip
        core.counters.count("icmp_error_received")
        if handler(now, error) is not False and ip_mtu:
            core.learn_path_mtu(quoted.dst, ip_mtu)

    def _redirect(self, now: int, packet: Packet, message: icmpv4.Message) -> None:
        """A router on our link knows a better one (RFC 1122, 3.2.2.2)."""
        core = self._core
        quoted = icmpv4.parse_quoted(message.body)
        gateway = message.word.to_bytes(4, "big")
        if not core.settings.accept_redirects or packet.interface == 1:
            raise WireError("icmp_redirect_ignored")
        link = core.interfaces[packet.interface]
        routes = core.routes4.find(quoted.dst, link.index)
        if not core.is_local(quoted.src) or not routes or routes[0].gateway != packet.src:
            raise WireError("icmp_redirect_not_first_hop")
        on_link = any(
            addr.in_prefix(gateway, each.address, each.prefix_length)
            for each in link.addresses4.values()
        )
        if not on_link or core.is_local(gateway) or core.is_broadcast(gateway):
            raise WireError("icmp_redirect_gateway_bad")
        core.add_redirect(
            now, Route(quoted.dst, 32, link.index, gateway, 0, None, REDIRECT, now + REDIRECT_NS)
        )


def _lower_plateau(quoted: bytes | bytearray | memoryview) -> int:
    size = quoted[2] << 8 | quoted[3]
    for plateau in _PLATEAUS:
        if plateau < size:
            return plateau
    return 68
