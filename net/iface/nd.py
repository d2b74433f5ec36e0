"""Neighbor discovery: neighbors of IPv6 (RFC 4861, section 7)."""

from __future__ import annotations

import errno

from ovum.drivers.frames import Frame
from ovum.net.iface.events import CONFLICT
from ovum.net.iface.neighbor import NeighborTable
from ovum.net.ip import IcmpError
from ovum.net.wire import addr, checksum, ethernet, icmpv6, ipv6, ndp
from ovum.net.wire.errors import WireError
from ovum.net.wire.ndp_options import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.iface.routing import Routing
    from ovum.net.ip import Packet


def send_icmpv6(
    stack: Routing,
    link: Interface,
    dst_mac: bytes,
    src: bytes,
    dst: bytes,
    message: bytes,
    hop_limit: int = ndp.HOP_LIMIT,
    extension: bytes = b"",
) -> None:
    """Sends a message as it is, with its checksum, to a MAC. extension: a hop-by-hop header."""
    total = checksum.pseudo(src, dst, icmpv6.PROTOCOL, len(message)) + checksum.add(message)
    value = checksum.finish(total)
    head = ethernet.emit(dst_mac, link.mac, ethernet.IPV6) + ipv6.emit_header(
        src,
        dst,
        ipv6.HOP_BY_HOP if extension else icmpv6.PROTOCOL,
        len(extension) + len(message),
        hop_limit,
    )
    data = message[:2] + value.to_bytes(2, "big") + message[4:]
    stack.send_frame(link, Frame((head + extension, data)))


class NdTable(NeighborTable):
    """The neighbors of one interface."""

    def __init__(self, stack: Routing, interface: Interface) -> None:
        super().__init__(stack, interface, ethernet.IPV6)
        self._stack = stack

    def receive(
        self,
        now: int,
        packet: Packet,
        message: ndp.NeighborSolicitation | ndp.NeighborAdvertisement,
    ) -> None:
        """A solicitation or an advertisement, which is valid in itself."""
        if isinstance(message, ndp.NeighborSolicitation):
            self._solicitation(now, packet, message)
        else:
            self._advertisement(now, packet, message)

    def _solicitation(self, now: int, packet: Packet, message: ndp.NeighborSolicitation) -> None:
        link, target, src = self.interface, message.target, packet.src
        mac = message.options.source_mac
        if mac is not None and mac[0] & 1:
            raise WireError("nd_mac_is_group")
        if link.detection.solicited(now, target, src, message.options.nonce):
            return
        if link.accept.get(target) != 1 or target not in link.addresses6:
            raise WireError("nd_target_not_ours")
        self.core.counters.count("nd_answered")
        if not any(src):
            # Somebody checks whether it may have our address: all are told (7.2.4).
            self._advertise(ethernet.BROADCAST, target, addr.ALL_NODES6, False)
            return
        if mac is None:
            # Legal if it was sent to us alone: the link's header is no proof, so it is asked.
            self._answer_after_asking(src, target)
            return
        self.heard(now, src, mac)
        self._advertise(mac, target, src, True)

    def _answer_after_asking(self, src: bytes, target: bytes) -> None:
        neighbor = self.find(src)
        if neighbor.mac:
            self._advertise(neighbor.mac, target, src, True)
            return
        message = ndp.emit(self._advertisement_of(target, True))
        total = checksum.pseudo(target, src, icmpv6.PROTOCOL, len(message))
        value = checksum.finish(total + checksum.add(message))
        head = neighbor.header + ipv6.emit_header(
            target, src, icmpv6.PROTOCOL, len(message), ndp.HOP_LIMIT
        )
        data = message[:2] + value.to_bytes(2, "big") + message[4:]
        self.send(neighbor, Frame((head, data)))

    def _advertisement_of(self, target: bytes, solicited: bool) -> ndp.NeighborAdvertisement:
        return ndp.NeighborAdvertisement(
            target, Options(target_mac=self.interface.mac), solicited=solicited, override=True
        )

    def _advertise(self, dst_mac: bytes, target: bytes, dst: bytes, solicited: bool) -> None:
        if dst[0] == 0xFF:
            dst_mac = addr.multicast_mac(dst)
        message = ndp.emit(self._advertisement_of(target, solicited))
        send_icmpv6(self._stack, self.interface, dst_mac, target, dst, message)

    def announce(self, address: bytes) -> None:
        """Says where an address of ours is (7.2.6)."""
        self._advertise(b"", address, addr.ALL_NODES6, False)

    def _advertisement(self, now: int, packet: Packet, message: ndp.NeighborAdvertisement) -> None:
        link, target = self.interface, message.target
        mac = message.options.target_mac or b""
        if mac and mac[0] & 1:
            raise WireError("nd_mac_is_group")
        if mac == link.mac:
            raise WireError("nd_advertisement_from_us")
        if link.detection.advertised(now, target):
            return
        ours = link.addresses6.get(target)
        if ours is not None:
            # Not defended: RFC 4862 (5.4.4) leaves that open, and two that do it never end.
            self._stack.tell(CONFLICT, ours)
            raise WireError("nd_conflict")
        neighbor = self.entries.get(target)
        if neighbor is None:
            raise WireError("nd_advertisement_unasked")
        was_router = neighbor.router
        solicited = message.solicited and not packet.for_all
        self.answered(now, target, mac, solicited, message.override, message.router)
        if was_router and not message.router:
            # 7.2.5: it is no router any more.
            link.routers.no_router(now, target)

    def ask(self, neighbor: Neighbor, mac: bytes) -> None:
        link, target = self.interface, neighbor.address
        try:
            source = self._stack.source(target, link, target)
        except OSError:
            self.core.counters.count("nd_no_source")
            return
        dst = target if mac else addr.solicited_node(target)
        message = ndp.emit(ndp.NeighborSolicitation(target, Options(source_mac=link.mac)))
        self.core.counters.count("nd_asked")
        send_icmpv6(self._stack, link, mac or addr.multicast_mac(dst), source, dst, message)

    def lost(self, now: int, neighbor: Neighbor, frames: list[Frame]) -> None:
        """Tells the transports, as a router would (7.2.2)."""
        for frame in frames:
            data = frame.data
            assert isinstance(data, tuple)
            head = bytes(data[0])
            if head[20] == ipv6.FRAGMENT:
                continue
            payload = head[54:] + b"".join(data[1:2])
            error = IcmpError(
                icmpv6.UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE, errno.EHOSTUNREACH, False,
                head[22:38], head[38:54], payload, head[22:38],
            )  # fmt: skip
            self.core.tell_error(head[20], error)
