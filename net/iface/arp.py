"""ARP: neighbors of IPv4 (RFC 826, RFC 1122 section 2.3.2)."""

from __future__ import annotations

import errno

from ovum.drivers.frames import Frame
from ovum.net.iface.neighbor import DELAY, INCOMPLETE, PROBE, REACHABLE, STALE, NeighborTable
from ovum.net.ip import IcmpError
from ovum.net.wire import addr, arp, ethernet, icmpv4
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.iface.routing import Routing

_NO_MAC = bytes(6)
_DST_AT, _PAYLOAD_AT = 30, 34
"""In a frame that waited: it has no IP options."""


class ArpTable(NeighborTable):
    """The neighbors of one interface."""

    def __init__(self, stack: Routing, interface: Interface) -> None:
        super().__init__(stack, interface, ethernet.IPV4)
        self._stack = stack

    def receive(self, now: int, src_mac: bytes, packet: arp.Arp) -> None:
        """Somebody asks, answers, or announces itself."""
        link, stack = self.interface, self._stack
        sender, mac = packet.sender, packet.sender_mac
        if mac == link.mac:
            raise WireError("arp_from_us")
        if mac != src_mac:
            # Proxies answer with the MAC that they send from, too.
            raise WireError("arp_sender_mac_differs")
        link.conflicts.look(now, packet)
        ours = link.addresses4.get(packet.target) is not None
        if not any(sender):
            # A probe (RFC 5227): answered, so that its sender takes another address.
            if packet.operation == arp.REQUEST and ours:
                self._reply(packet)
            return
        if not addr.is_source4(sender) or stack.is_broadcast(sender):
            raise WireError("arp_sender_bad")
        if stack.is_local(sender):
            raise WireError("arp_sender_is_ours")
        if packet.operation == arp.REQUEST:
            # Who asks for us is going to talk to us; of others nothing new is learned, whatever
            # they say (RFC 826 merges before it looks whether it is the target).
            self._learn(now, sender, mac, create=ours and self._on_link(sender))
            if ours:
                self._reply(packet)
        elif ours:
            self._answer(now, sender, mac)
        else:
            self._learn(now, sender, mac, create=False)

    def _on_link(self, address: bytes) -> bool:
        return any(
            addr.in_prefix(address, each.address, each.prefix_length)
            for each in self.interface.addresses4.values()
        )

    def _learn(self, now: int, sender: bytes, mac: bytes, create: bool) -> None:
        neighbor = self.entries.get(sender)
        if neighbor is not None and neighbor.mac != mac and REACHABLE <= neighbor.state <= PROBE:
            # It says that it is elsewhere now. Whoever forges that shall not get the packets of
            # one who is still where it was: that one is asked first.
            self.core.counters.count("arp_mac_changed")
            self.doubt(now, neighbor)
            return
        self.heard(now, sender, mac, create)

    def _answer(self, now: int, sender: bytes, mac: bytes) -> None:
        neighbor = self.entries.get(sender)
        if neighbor is None:
            # Nobody has asked.
            self.core.counters.count("arp_reply_unasked")
        elif neighbor.state == INCOMPLETE or (
            neighbor.mac == mac and neighbor.state in (DELAY, PROBE)
        ):
            self.answered(now, sender, mac, solicited=True, override=True, router=False)
        elif neighbor.mac != mac:
            self._learn(now, sender, mac, create=False)
        elif neighbor.state > STALE:
            self.heard(now, sender, mac, create=False)

    def _reply(self, packet: arp.Arp) -> None:
        mac = self.interface.mac
        self.core.counters.count("arp_answered")
        self._send(
            packet.sender_mac,
            arp.Arp(arp.REPLY, mac, packet.target, packet.sender_mac, packet.sender),
        )

    def ask(self, neighbor: Neighbor, mac: bytes) -> None:
        link = self.interface
        try:
            source = self._stack.source(neighbor.address, link, neighbor.address)
        except OSError:
            source = addr.ANY4
        self.core.counters.count("arp_asked")
        self._send(
            mac or ethernet.BROADCAST,
            arp.Arp(arp.REQUEST, link.mac, source, _NO_MAC, neighbor.address),
        )

    def probe(self, address: bytes) -> None:
        """Asks whether somebody has an address, without having it (RFC 5227, 2.1)."""
        packet = arp.Arp(arp.REQUEST, self.interface.mac, addr.ANY4, _NO_MAC, address)
        self._send(ethernet.BROADCAST, packet)

    def announce(self, address: bytes) -> None:
        """Says that an address is ours (RFC 5227, 2.3)."""
        packet = arp.Arp(arp.REQUEST, self.interface.mac, address, _NO_MAC, address)
        self._send(ethernet.BROADCAST, packet)

    def _send(self, dst_mac: bytes, packet: arp.Arp) -> None:
        link = self.interface
        head = ethernet.emit(dst_mac, link.mac, ethernet.ARP)
        self._stack.send_frame(link, Frame((head, arp.emit(packet))))

    def lost(self, now: int, neighbor: Neighbor, frames: list[Frame]) -> None:
        """Tells the transports, as a router would (RFC 1122, 2.3.2.2)."""
        for frame in frames:
            data = frame.data
            assert isinstance(data, tuple)
            head = bytes(data[0])
            if head[20] & 0x1F or head[21]:
                continue  # not the first fragment
            payload = head[_PAYLOAD_AT:] + b"".join(data[1:2])
            error = IcmpError(
                icmpv4.UNREACHABLE, icmpv4.HOST_UNREACHABLE, errno.EHOSTUNREACH, False,
                head[26:30], head[_DST_AT:_PAYLOAD_AT], payload, head[26:30],
            )  # fmt: skip
            self.core.tell_error(head[23], error)
