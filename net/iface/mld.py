"""MLD: groups of IPv6 (RFC 2710, RFC 3810)."""

from __future__ import annotations

from ovum.net.iface.groups import Groups
from ovum.net.iface.nd import send_icmpv6
from ovum.net.wire import addr, icmpv6, ipv6, mld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet
    from ovum.net.wire.igmp import Query, Record, Report


class Groups6(Groups):
    """Those of one interface."""

    newest = 2
    layer = "mld"

    def parse(self, packet: Packet) -> Query | Report:
        return mld.parse(packet.payload, packet.src, packet.hop_limit)

    def is_reported(self, group: bytes) -> bool:
        # RFC 3810, 6: not all-nodes, nor what does not leave this machine.
        return group != addr.ALL_NODES6 and group[1] & 15 > 1

    def send_records(self, records: list[Record]) -> None:
        self._send(addr.MLD2_ROUTERS6, mld.emit_report(records))

    def send_old_report(self, group: bytes, version: int) -> None:
        self._send(group, mld.emit_message(icmpv6.MLD_REPORT, group))

    def send_old_leave(self, group: bytes) -> None:
        self._send(addr.ALL_ROUTERS6, mld.emit_message(icmpv6.MLD_DONE, group))

    def _send(self, dst: bytes, data: bytes) -> None:
        link = self.link
        self.stack.counters.count("mld_sent")
        # From "::" while the link-local address is not ours yet (RFC 3590).
        source = link.link_local() or addr.ANY6
        send_icmpv6(self.stack, link, addr.multicast_mac(dst), source, dst, data,
                    mld.HOP_LIMIT, ipv6.MLD_ALERT)  # fmt: skip
