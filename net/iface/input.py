"""How frames and packets come in: what is for us goes to who it is for, the rest is counted.

`receive` knows a plain packet of TCP or UDP for one of our addresses when it sees one, and does
little else for it. Everything that is special in any way takes the longer way below.
"""

from __future__ import annotations

from struct import Struct

from ovum.net.iface.delivery import Delivery
from ovum.net.iface.interface import BROADCAST, UNICAST
from ovum.net.ip import Packet
from ovum.net.wire import addr, arp, ethernet, icmpv6, ipv4, ipv6
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from ovum.drivers.frames import Received
    from ovum.net.iface.interface import Interface

    _Ipv4 = tuple[
        bytes, bytes, int, int, int, int, int, int, int, int, int, bytes, bytes,
    ]  # fmt: skip
    _Ipv6 = tuple[bytes, bytes, int, int, int, int, int, bytes, bytes]

_read_ipv4: Final[Callable[[bytes], _Ipv4]] = Struct("!6s6sHBBHHHBBH4s4s").unpack_from
"""Ethernet's header and IPv4's."""
_read_ipv6: Final[Callable[[bytes], _Ipv6]] = Struct("!6s6sHIHBB16s16s").unpack_from
"""Ethernet's header and IPv6's."""

_PLAIN: Final = frozenset((6, 17, 58))
"""Next headers behind which no other IPv6 header can be."""

COPY_MOST: Final = 2048
"""Bytes of payload up to which a copy is quicker than a view."""

ND_FIRST, ND_LAST = 133, 137


class Input(Delivery):
    """Receiving."""

    def receive(self, now: int, interface: Interface, frames: Sequence[Received]) -> None:
        """Takes what has come. Never raises: what is no good is counted."""
        self.now = now
        accept, protocols, raw = interface.accept, self.protocols, self.raw
        mac = interface.mac
        interface.received_frames += len(frames)
        for frame in frames:
            data = frame.data
            size = len(data)
            interface.received_bytes += size
            if interface.taps:
                for tap in interface.taps:
                    tap(now, interface, False, data)
            handler = None
            if size >= 34:
                (
                    to, _, kind, version, traffic_class, end, _, flags, hops, protocol, _, src, dst,
                ) = _read_ipv4(data)  # fmt: skip
                if kind == 0x0800:
                    begin = 34
                    end += 14
                    if (
                        version == 0x45
                        and to == mac
                        and not flags & 0x3FFF
                        and accept.get(dst) == UNICAST
                        and 34 <= end <= size
                        and 0 < src[0] < 224
                        and src[0] != 127
                        and src not in accept
                        and protocol not in raw
                        and int.from_bytes(data[14:34], "big") % 65535 == 0
                    ):
                        handler = protocols.get(protocol)
                elif kind == 0x86DD and size >= 54:
                    begin = 54
                    to, _, _, first, end, protocol, hops, src, dst = _read_ipv6(data)
                    end += 54
                    traffic_class = first >> 20 & 0xFF
                    if (
                        first >> 28 == 6
                        and to == mac
                        and protocol in _PLAIN
                        and accept.get(dst) == UNICAST
                        and end <= size
                        and src[0] & 0xE0 == 0x20
                        and src not in accept
                        and protocol not in raw
                    ):
                        handler = protocols.get(protocol)
            try:
                if handler is None:
                    self._receive_any(now, interface, frame)
                    continue
                offload = frame.offload
                handler(
                    now,
                    Packet(
                        interface.index,
                        src,
                        dst,
                        protocol,
                        data[begin:end] if end <= COPY_MOST else memoryview(data)[begin:end],
                        checksum_valid=offload is not None
                        and (offload.checksum_valid or offload.needs_checksum),
                        hop_limit=hops,
                        traffic_class=traffic_class,
                        segment_size=0 if offload is None else offload.segment_size,
                        frame=data,
                        start=14,
                    ),
                )
            except WireError as error:
                self.counters.count(error.reason)

    # Within: frames

    def _receive_any(self, now: int, interface: Interface, frame: Received) -> None:
        data = frame.data
        to, src_mac, kind = ethernet.parse(data)
        if to != interface.mac and not to[0] & 1:
            raise WireError("ethernet_not_for_us")
        offload = frame.offload
        checked = offload is not None and (offload.checksum_valid or offload.needs_checksum)
        segment_size = offload.segment_size if offload is not None else 0
        to_group = to[0] & 1 == 1
        if kind == ethernet.IPV4:
            self._receive4(now, interface, data, to_group, checked, segment_size)
        elif kind == ethernet.IPV6:
            self._receive6(now, interface, data, to_group, checked, segment_size)
        elif kind == ethernet.ARP:
            interface.arp.receive(now, src_mac, arp.parse(data, 14))
        else:
            raise WireError("ethernet_type_unknown")

    # Within: IPv4

    def _receive4(
        self,
        now: int,
        interface: Interface,
        data: bytes,
        to_group: bool,
        checked: bool,
        segment_size: int,
    ) -> None:
        header = ipv4.parse(data, 14)
        src, dst, protocol = header.src, header.dst, header.protocol
        if not addr.is_source4(src) or interface.accept.get(src) == BROADCAST:
            raise WireError("ipv4_source_bad")
        if self.is_local(src):
            raise WireError("ipv4_source_is_ours")
        accepted = interface.accept.get(dst, 0)
        if dst[0] == 127:
            raise WireError("ipv4_loopback_from_wire")
        if not accepted:
            # A client of DHCP has no address yet (RFC 2131, 4.1).
            is_dhcp = (
                interface.dhcp and protocol == 17 and _dst_port(data, 14 + header.header_size) == 68
            )
            if not is_dhcp:
                raise WireError("ipv4_not_for_us")
        elif to_group and accepted == UNICAST:
            # RFC 1122, 3.3.6: to one host, in a frame to all.
            raise WireError("ipv4_unicast_in_broadcast")
        if header.options and ipv4.has_source_route(header.options):
            raise WireError("ipv4_source_route")
        payload = data[14 + header.header_size : 14 + header.total_length]
        whole, start = data, 14
        if header.more_fragments or header.fragment_offset:
            packet = data[14 : 14 + header.total_length]
            if not header.fragment_offset and len(payload) < 8 and header.more_fragments:
                raise WireError("ipv4_fragment_tiny")
            found = self._fragment_came(
                now, interface, (interface.index, src, dst, protocol, header.ident),
                header.fragment_offset, header.more_fragments, payload, packet,
            )  # fmt: skip
            if found is None:
                return
            datagram, payload = found
            # The whole is the first fragment's header and all that was behind them.
            size = (datagram.first[0] & 15) * 4
            if size + len(payload) > 65535:
                raise WireError("ipv4_fragment_too_far")
            head = bytearray(datagram.first[:size])
            head[2:4] = (size + len(payload)).to_bytes(2, "big")
            head[6:8] = b"\0\0"
            whole, start, checked, segment_size = bytes(head) + payload, 0, False, 0
        self._hand_over(
            now,
            Packet(
                interface.index, src, dst, protocol, payload, checksum_valid=checked,
                for_all=accepted != UNICAST, hop_limit=header.ttl, traffic_class=header.tos,
                segment_size=segment_size, frame=whole, start=start,
            ),
        )  # fmt: skip

    # Within: IPv6

    def _receive6(
        self,
        now: int,
        interface: Interface,
        data: bytes,
        to_group: bool,
        checked: bool,
        segment_size: int,
    ) -> None:
        header = ipv6.parse(data, 14)
        src, dst = header.src, header.dst
        if src[0] == 0xFF or src == addr.LOOPBACK6 or addr.is_mapped(src):
            raise WireError("ipv6_source_bad")
        if src in self.local:
            raise WireError("ipv6_source_is_ours")
        accepted = interface.accept.get(dst, 0)
        if not accepted:
            raise WireError("ipv6_not_for_us")
        if to_group and accepted == UNICAST:
            raise WireError("ipv6_unicast_in_group")
        end = 54 + header.payload_length
        protocol = header.next_header
        if protocol in _PLAIN:
            large = end > COPY_MOST
            packet = Packet(
                interface.index, src, dst, protocol,
                memoryview(data)[54:end] if large else data[54:end],
                checksum_valid=checked, for_all=accepted != UNICAST, hop_limit=header.hop_limit,
                traffic_class=header.traffic_class, segment_size=segment_size, frame=data,
                start=14,
            )  # fmt: skip
            self._hand_over(now, packet)
            return
        whole = data[14:end]
        packet = Packet(
            interface.index, src, dst, protocol, b"", checksum_valid=checked,
            for_all=accepted != UNICAST, hop_limit=header.hop_limit,
            traffic_class=header.traffic_class, segment_size=segment_size, frame=whole,
        )  # fmt: skip
        self._walk(now, interface, packet, whole)

    def _walk(
        self, now: int, interface: Interface, packet: Packet, whole: bytes, again: bool = False
    ) -> None:
        """The extension headers of a packet, and what is behind them. again: it was put together
        from fragments."""
        try:
            chain = ipv6.walk(whole)
            if again and chain.has_fragment_header:
                # Fragments of fragments: only an attacker makes them.
                raise WireError("ipv6_fragment_twice")
            if chain.more_fragments or chain.fragment_offset:
                self._fragment6(now, interface, packet, whole, chain)
                return
        except ipv6.HeaderProblemError as problem:
            self.counters.count(problem.reason)
            self.icmp6.send_error(
                now, packet, icmpv6.PARAMETER_PROBLEM, problem.code, problem.pointer,
                even_to_group=problem.answer_multicast,
            )  # fmt: skip
            return
        protocol = packet.protocol = chain.protocol
        payload = packet.payload = whole[chain.offset :]
        if chain.has_fragment_header:
            _refuse_nd(protocol, payload)
        if protocol == ipv6.NONE:
            raise WireError("ipv6_no_next_header")
        self._hand_over(now, packet, chain.next_header_at)

    def _fragment6(
        self, now: int, interface: Interface, packet: Packet, whole: bytes, chain: ipv6.Chain
    ) -> None:
        payload = whole[chain.offset :]
        first = not chain.fragment_offset
        if first and not ipv6.has_whole_chain(chain.protocol, payload):
            # RFC 7112, 5; the code is RFC 8883's.
            raise ipv6.HeaderProblemError("ipv6_first_fragment_short", 3, 0, False)
        found = self._fragment_came(
            now, interface, (interface.index, packet.src, packet.dst, 0, chain.ident),
            chain.fragment_offset, chain.more_fragments, payload, whole,
        )  # fmt: skip
        if found is None:
            return
        datagram, payload = found
        # The headers before the fragment header, of the first one (RFC 8200, 4.5).
        chain = ipv6.walk(datagram.first)
        at = chain.offset - 8
        if at - 40 + len(payload) > 65535:
            raise WireError("ipv6_fragment_too_far")
        head = bytearray(datagram.first[:at])
        head[_next_header_before(datagram.first, at)] = chain.protocol
        head[4:6] = (at - 40 + len(payload)).to_bytes(2, "big")
        _refuse_nd(chain.protocol, payload)
        packet.frame = joined = bytes(head) + payload
        packet.checksum_valid, packet.segment_size = False, 0
        self._walk(now, interface, packet, joined, again=True)


def _dst_port(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 2 : at + 4], "big")


def _refuse_nd(protocol: int, payload: bytes) -> None:
    """RFC 6980, 5: none of it in fragments, not even in one that is the whole."""
    if protocol == 58 and payload and ND_FIRST <= payload[0] <= ND_LAST:
        raise WireError("ndp_in_fragment")


def _next_header_before(packet: bytes, fragment_at: int) -> int:
    """Where the byte is that says that a fragment header is at an offset. The chain up to there
    has been walked."""
    at = 6
    offset = 40
    while offset != fragment_at:
        at = offset
        offset += (packet[offset + 1] + 1) * 8
    return at
