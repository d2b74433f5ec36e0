"""What becomes of packets once they are known to be for us: fragments are put together, protocols
and raw endpoints get the rest. Those that we have sent to ourselves begin here."""

from __future__ import annotations

from ovum.net.iface.interface import UNICAST
from ovum.net.iface.reassembly import Reassembler
from ovum.net.iface.routing import Routing
from ovum.net.ip import Packet
from ovum.net.wire import ethernet, icmpv4, icmpv6
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from ovum.net.iface.icmp4 import Icmp4
    from ovum.net.iface.icmp6 import Icmp6
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.reassembly import Datagram
    from ovum.net.settings import Settings


class Delivery(Routing):
    """Handing packets over."""

    icmp4: Icmp4
    icmp6: Icmp6

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        super().__init__(rng, settings)
        self.reassembler = Reassembler(self)
        self._reassembly_timer = self.timers.new(self._expire_fragments)
        self._path_mtu_timer = self.timers.new(self.expire_path_mtus)

    def receive_home(self, now: int) -> None:
        """The packets that we have sent to ourselves: those that are there now. What is sent in
        answer comes with the next call, so that others have their turn."""
        loopback = self.interfaces[1]
        for _ in range(len(self.home)):
            packet = self.home.popleft()
            loopback.received_frames += 1
            loopback.received_bytes += len(packet.frame)
            if loopback.taps:
                self._show_home(now, packet)
            # Sent to a group, they have gone by a card, and this is our own copy.
            if not (packet.for_all or self.is_local(packet.dst)):
                self.counters.count("ip_not_for_us")
                continue
            try:
                self._hand_over(now, packet)
            except WireError as error:
                self.counters.count(error.reason)
        # What came out of it has gone into it.
        loopback.sent_frames = loopback.received_frames
        loopback.sent_bytes = loopback.received_bytes
        for _ in range(len(self.home_errors)):
            protocol, icmp_error = self.home_errors.popleft()
            handler = self.errors.get(protocol)
            if handler is not None:
                handler(now, icmp_error)

    def _show_home(self, now: int, packet: Packet) -> None:
        """Lets those who look at the loopback interface see a packet: as Linux has it, behind an
        Ethernet header without addresses."""
        loopback = self.interfaces[1]
        kind = ethernet.IPV4 if len(packet.src) == 4 else ethernet.IPV6
        frame = (bytes(12) + kind.to_bytes(2, "big"), packet.whole)
        for tap in loopback.taps:
            tap(now, loopback, False, frame)

    # Within

    def _fragment_came(
        self,
        now: int,
        interface: Interface,
        key: tuple[int, bytes, bytes, int, int],
        offset: int,
        more: bool,
        payload: bytes,
        packet: bytes,
    ) -> tuple[Datagram, bytes] | None:
        found = self.reassembler.add(
            now, key, interface.index, offset, more, payload, b"" if offset else packet
        )
        deadline = self.reassembler.next_deadline()
        if deadline is not None:
            self._reassembly_timer.set_earlier(deadline)
        return found

    def _expire_fragments(self, now: int) -> None:
        for datagram in self.reassembler.expire(now):
            # Only if the first fragment is there: an error says what it is about (RFC 792).
            if datagram.first and datagram.interface in self.interfaces:
                self._tell_too_late(now, datagram)
        deadline = self.reassembler.next_deadline()
        if deadline is not None:
            self._reassembly_timer.set(deadline)

    def _tell_too_late(self, now: int, datagram: Datagram) -> None:
        _, src, dst, _, _ = datagram.key
        link = self.interfaces[datagram.interface]
        packet = Packet(
            link.index, src, dst, 0, b"", for_all=link.accept.get(dst) != UNICAST,
            frame=datagram.first,
        )  # fmt: skip
        if len(src) == 4:
            self.icmp4.send_error(now, packet, icmpv4.TIME_EXCEEDED, icmpv4.REASSEMBLY_EXCEEDED, 0)
        else:
            self.icmp6.send_error(now, packet, icmpv6.TIME_EXCEEDED, icmpv6.REASSEMBLY_EXCEEDED, 0)

    def _hand_over(self, now: int, packet: Packet, next_header_at: int = 6) -> None:
        """To raw endpoints, and to the protocol."""
        protocol = packet.protocol
        raw = self.raw.get(protocol)
        wanted = raw is not None and raw(now, packet)
        handler = self.protocols.get(protocol)
        if handler is not None:
            handler(now, packet)
        elif not wanted:
            if len(packet.src) == 4:
                self.counters.count("ipv4_protocol_unknown")
                self.icmp4.send_error(
                    now, packet, icmpv4.UNREACHABLE, icmpv4.PROTOCOL_UNREACHABLE, 0
                )
            else:
                self.counters.count("ipv6_next_header_unknown")
                self.icmp6.send_error(
                    now, packet, icmpv6.PARAMETER_PROBLEM, icmpv6.NEXT_HEADER_UNKNOWN,
                    next_header_at,
                )  # fmt: skip

    def path_mtu_timer(self, at: int) -> None:
        self._path_mtu_timer.set_earlier(at)
