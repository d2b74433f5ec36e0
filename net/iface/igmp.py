"""IGMP: groups of IPv4 (RFC 2236, RFC 3376)."""

from __future__ import annotations

from ovum.drivers.frames import Frame
from ovum.net.iface.groups import Groups
from ovum.net.wire import addr, ethernet, igmp, ipv4
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.routing import Routing
    from ovum.net.ip import Packet
    from ovum.net.wire.igmp import Query, Record, Report


class Groups4(Groups):
    """Those of one interface."""

    newest = 3
    layer = "igmp"

    def parse(self, packet: Packet) -> Query | Report:
        if not packet.for_all:
            raise WireError("igmp_not_to_group")
        return igmp.parse(packet.payload)

    def is_reported(self, group: bytes) -> bool:
        # RFC 3376, 4.1.12: that everybody is in 224.0.0.1 goes without saying.
        return group != addr.ALL_HOSTS4

    def send_records(self, records: list[Record]) -> None:
        self._send(igmp.REPORTS3, igmp.emit_report(records))

    def send_old_report(self, group: bytes, version: int) -> None:
        kind = igmp.REPORT1 if version == 1 else igmp.REPORT2
        self._send(group, igmp.emit_message(kind, group))

    def send_old_leave(self, group: bytes) -> None:
        self._send(igmp.ROUTERS, igmp.emit_message(igmp.LEAVE, group))

    def _send(self, dst: bytes, data: bytes) -> None:
        link = self.link
        source = next(iter(link.addresses4), addr.ANY4)
        head = ethernet.emit(addr.multicast_mac(dst), link.mac, ethernet.IPV4)
        packet = ipv4.emit_header(
            source, dst, igmp.PROTOCOL, 24 + len(data), 0, ipv4.DONT_FRAGMENT, 1, 0xC0,
            ipv4.ROUTER_ALERT_OPTION,
        )  # fmt: skip
        self.stack.counters.count("igmp_sent")
        self.stack.send_frame(link, Frame((head + packet, data)))


class Igmp:
    """Enters itself as `protocols[2]`."""

    def __init__(self, stack: Routing) -> None:
        self._stack = stack
        stack.protocols[igmp.PROTOCOL] = self.receive

    def receive(self, now: int, packet: Packet) -> None:
        """A message has come."""
        link = self._stack.interfaces.get(packet.interface)
        if len(packet.src) != 4 or link is None or link.loopback:
            raise WireError("igmp_not_from_link")
        link.groups4.receive(now, packet)
