"""How packets go: headers in front, checksums in place, pieces of the right size, and then to a
card's outbox, to wait for a neighbor, or home to ourselves.

The first lines of `send` are what most packets take, and little else is done for one of them.
"""

from __future__ import annotations

from struct import Struct, unpack

from ovum.drivers.frames import Frame
from ovum.net.iface.core import Core
from ovum.net.iface.neighbor import REACHABLE
from ovum.net.ip import Packet
from ovum.net.wire import ipv6
from ovum.net.wire.checksum import add_all, finish, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random
    from typing import Final

    from ovum.net.iface.interface import Interface
    from ovum.net.ip import Path
    from ovum.net.settings import Settings

    Buffer = bytes | bytearray | memoryview

_pack_ipv4: Final = Struct("!14sBBHHHBBH8s").pack
"""Ethernet's header; version and header length, type of service, total length, identification,
flags, time to live, protocol, checksum, addresses."""
_pack_ipv6: Final = Struct("!14sIHBB32s").pack
"""Ethernet's header; version, class and flow label; payload length, next header, hop limit,
addresses."""
_put_word: Final = Struct("!H").pack_into
_TCP: Final = Struct("!4sI5sBH")
"""What of a TCP header is another in each segment: ports; the sequence number; acknowledgment and
data offset; flags; window."""

IDENTS: Final = 1024
"""Counters of identification, of which each destination has one by chance (RFC 7739, 5.3)."""

TCP: Final = 6
UDP: Final = 17
_BY_CARD: Final = frozenset((TCP, UDP))
"""Protocols whose checksums a card knows."""
_CWR: Final = 0x80
_LAST_ONLY: Final = 0x09  # FIN and PSH
_FIRST_ONLY: Final = _CWR


class Output(Core):
    """Sending."""

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        super().__init__(rng, settings)
        chance = rng.getrandbits(16 * IDENTS).to_bytes(2 * IDENTS, "big")
        self._idents: list[int] = list(unpack(f"{IDENTS}H", chance))
        self._ident_key = rng.getrandbits(64)

    def send(
        self,
        path: Path,
        protocol: int,
        data: Sequence[Buffer],
        checksum_offset: int = -1,
        segment_size: int = 0,
        hop_limit: int = 0,
        traffic_class: int = 0,
        may_fragment: bool = False,
    ) -> None:
        """See Ip."""
        header = data[0]
        size = len(header) + len(data[1]) if len(data) == 2 else sum(map(len, data))
        neighbor = path.neighbor
        if neighbor is None:
            self.send_home(
                path, protocol, data, checksum_offset, segment_size, hop_limit, traffic_class
            )
            return
        is_v4 = path.version == 4
        start = 34 if is_v4 else 54
        if size + start - 14 > path.ip_mtu or (segment_size and size - len(header) > segment_size):
            self._send_large(
                path, protocol, data, size, checksum_offset, segment_size, hop_limit,
                traffic_class, may_fragment,
            )  # fmt: skip
            return
        link = neighbor.link
        offload = None
        if checksum_offset >= 0:
            total = path.pseudo_sum + protocol + size
            if link.checksums and protocol in _BY_CARD:
                value = fold(total)
                offload = link.checksum_by_card(start, checksum_offset)
            else:
                value = finish(total + add_all(data)) or 0xFFFF
            if type(header) is bytearray:
                _put_word(header, checksum_offset, value)
            else:
                rest = header[checksum_offset + 2 :]
                data = (
                    bytes(header[:checksum_offset]) + value.to_bytes(2, "big") + rest,
                    *data[1:],
                )
        hops = hop_limit or path.hop_limit
        if is_v4:
            size += 20
            flags, ident = 0x4000, 0
            if may_fragment:
                flags, ident = 0, self.next_ident(path)
            total = path.header_sum + traffic_class + size + ident + flags + (hops << 8) + protocol
            first = _pack_ipv4(
                neighbor.header, 0x45, traffic_class, size, ident, flags, hops, protocol,
                finish(total), path.addresses,
            )  # fmt: skip
        else:
            first = _pack_ipv6(
                neighbor.header, 0x60000000 | traffic_class << 20 | path.flow, size, protocol,
                hops, path.addresses,
            )  # fmt: skip
        frame = Frame((first, *data), offload)
        if neighbor.state <= REACHABLE and len(link.outbox) < link.outbox_max:
            link.outbox.append(frame)
        else:
            self._send_slowly(path, frame)

    def confirm(self, path: Path) -> None:
        """See Ip."""
        neighbor = path.neighbor
        if neighbor is None:
            return
        if neighbor.state == REACHABLE:
            neighbor.confirmed = self.now
        else:
            neighbor.table.confirm(self.now, neighbor)

    def next_ident(self, path: Path) -> int:
        """An identification that no other packet to that destination has for as long as can be
        (RFC 6864, 4.3), and that tells nothing about those to others."""
        at = hash((self._ident_key, path.addresses)) % IDENTS
        ident: int = self._idents[at] + 1
        self._idents[at] = ident
        return ident & 0xFFFF

    def send_frame(self, link: Interface, frame: Frame) -> None:
        """Puts a frame in the outbox, if there is room."""
        if len(link.outbox) < link.outbox_max:
            link.outbox.append(frame)
        else:
            self.counters.count("interface_outbox_full" if link.up else "interface_down")

    def send_packet(self, path: Path, packet: bytes) -> None:
        """Sends an IPv4 packet as it is, with its header."""
        neighbor = path.neighbor
        if neighbor is None:
            if len(self.home) >= self.settings.outbox_max:
                self.counters.count("interface_outbox_full")
                return
            size = (packet[0] & 15) * 4
            self.home.append(
                Packet(
                    path.interface,
                    packet[12:16],
                    packet[16:20],
                    packet[9],
                    packet[size:],
                    for_all=path.to_all,
                    hop_limit=packet[8],
                    traffic_class=packet[1],
                    frame=packet,
                )
            )
            return
        self._send_slowly(path, Frame((neighbor.header + packet[:20], packet[20:])))

    # Within

    def _send_slowly(self, path: Path, frame: Frame) -> None:
        neighbor = path.neighbor
        assert neighbor is not None
        if neighbor.state <= REACHABLE:
            self.send_frame(neighbor.link, frame)
            return
        if neighbor.table.entries.get(neighbor.address) is not neighbor:
            # The table has forgotten it.
            neighbor = path.neighbor = neighbor.table.find(neighbor.address)
            data = frame.data
            assert isinstance(data, tuple)
            frame.data = (neighbor.header + data[0][14:], *data[1:])
        neighbor.table.send(neighbor, frame)

    def _send_large(
        self,
        path: Path,
        protocol: int,
        data: Sequence[Buffer],
        size: int,
        checksum_offset: int,
        segment_size: int,
        hop_limit: int,
        traffic_class: int,
        may_fragment: bool,
    ) -> None:
        """What does not go in one packet."""
        header = data[0]
        room = path.ip_mtu - (20 if path.version == 4 else 40)
        if not segment_size:
            self._fragment(path, protocol, data, checksum_offset, hop_limit, traffic_class)
            return
        # The path's MTU may have been lowered since the transport counted.
        segment_size = min(segment_size, room - len(header))
        if segment_size <= 0:
            self.counters.count("ip_segment_size_bad")
            return
        payload = memoryview(data[1] if len(data) == 2 else b"".join(data[1:]))
        start = 34 if path.version == 4 else 54
        neighbor = path.neighbor
        assert neighbor is not None
        ecn = protocol == TCP and header[13] & _CWR != 0
        if self._card_cuts(neighbor.link, path.version, protocol, ecn):
            # As much as an IP packet holds, in whole segments.
            most = (65535 - (start - 14) - len(header)) // segment_size * segment_size
            for at in range(0, len(payload), most):
                piece = payload[at : at + most]
                last = at + most >= len(payload)
                self._send_segments(
                    path, protocol, self._cut_header(protocol, header, at, len(piece), last),
                    piece, checksum_offset, segment_size, hop_limit, traffic_class,
                )  # fmt: skip
            return
        for at in range(0, len(payload), segment_size):
            piece = payload[at : at + segment_size]
            last = at + segment_size >= len(payload)
            cut = self._cut_header(protocol, header, at, len(piece), last)
            self.send(
                path, protocol, (cut, piece), checksum_offset, 0, hop_limit, traffic_class,
                may_fragment,
            )  # fmt: skip

    def _card_cuts(self, link: Interface, version: int, protocol: int, ecn: bool) -> bool:
        if protocol == UDP:
            return link.segments_udp
        if protocol != TCP or (ecn and not link.segments_ecn):
            return False
        return link.segments4 if version == 4 else link.segments6

    def _cut_header(
        self, protocol: int, header: Buffer, at: int, size: int, last: bool
    ) -> bytearray:
        """The header of one segment of several (RFC 9293, 3.1)."""
        cut = bytearray(header)
        if protocol == TCP:
            ports, seq, ack, flags, window = _TCP.unpack_from(cut)
            if at:
                flags &= ~_FIRST_ONLY
            if not last:
                flags &= ~_LAST_ONLY
            _TCP.pack_into(cut, 0, ports, (seq + at) & 0xFFFFFFFF, ack, flags, window)
        elif protocol == UDP:
            _put_word(cut, 4, 8 + size)
        return cut

    def _send_segments(
        self,
        path: Path,
        protocol: int,
        header: bytearray,
        payload: Buffer,
        checksum_offset: int,
        segment_size: int,
        hop_limit: int,
        traffic_class: int,
    ) -> None:
        """One frame that the card cuts. It is longer than its MTU, and has no fragments."""
        if len(payload) <= segment_size:
            self.send(path, protocol, (header, payload), checksum_offset, 0, hop_limit,
                      traffic_class)  # fmt: skip
            return
        neighbor = path.neighbor
        assert neighbor is not None
        link = neighbor.link
        size = len(header) + len(payload)
        _put_word(header, checksum_offset, fold(path.pseudo_sum + protocol + size))
        first = self._header(path, protocol, size, 0, 0x4000, hop_limit, traffic_class)
        ecn = protocol == TCP and header[13] & _CWR != 0
        offload = link.segments_by_card(
            len(first), checksum_offset, len(first) + len(header), segment_size, ecn
        )
        frame = Frame((first, header, payload), offload)
        if neighbor.state <= REACHABLE:
            self.send_frame(link, frame)
        else:
            self._send_slowly(path, frame)

    def _header(
        self,
        path: Path,
        protocol: int,
        size: int,
        ident: int,
        flags: int,
        hop_limit: int,
        traffic_class: int,
    ) -> bytes:
        """Ethernet's and IP's header in front of `size` bytes."""
        mac = path.neighbor.header if path.neighbor is not None else bytes(14)
        hops = hop_limit or path.hop_limit
        if path.version == 6:
            first = 0x60000000 | traffic_class << 20 | path.flow
            return _pack_ipv6(mac, first, size, protocol, hops, path.addresses)
        size += 20
        total = path.header_sum + traffic_class + size + ident + flags + (hops << 8) + protocol
        return _pack_ipv4(
            mac, 0x45, traffic_class, size, ident, flags, hops, protocol, finish(total),
            path.addresses,
        )  # fmt: skip

    def _fragment(
        self,
        path: Path,
        protocol: int,
        data: Sequence[Buffer],
        checksum_offset: int,
        hop_limit: int,
        traffic_class: int,
    ) -> None:
        """Cuts a packet into fragments (RFC 791, 3.2; RFC 8200, 4.5)."""
        whole = bytearray().join(data)
        if checksum_offset >= 0:
            total = path.pseudo_sum + protocol + len(whole) + add_all((whole,))
            _put_word(whole, checksum_offset, finish(total) or 0xFFFF)
        if len(whole) > (65515 if path.version == 4 else 65535):
            self.counters.count("ip_too_long")
            return
        view = memoryview(whole)
        if path.version == 4:
            ident = self.next_ident(path)
            most = (path.ip_mtu - 20) & ~7
            for at in range(0, len(view), most):
                more = 0x2000 if at + most < len(view) else 0
                piece = view[at : at + most]
                head = self._header(
                    path, protocol, len(piece), ident, more | at >> 3, hop_limit, traffic_class
                )
                self._send_slowly(path, Frame((head, piece)))
            return
        ident = self.rng.getrandbits(32)
        most = (max(path.ip_mtu, 1280) - 48) & ~7
        for at in range(0, len(view), most):
            piece = view[at : at + most]
            more6 = at + most < len(view)
            head = self._header(
                path, ipv6.FRAGMENT, len(piece) + 8, 0, 0, hop_limit, traffic_class
            ) + ipv6.emit_fragment_header(protocol, at, more6, ident)
            self._send_slowly(path, Frame((head, piece)))

    def send_home(
        self,
        path: Path,
        protocol: int,
        data: Sequence[Buffer],
        checksum_offset: int,
        segment_size: int,
        hop_limit: int,
        traffic_class: int,
    ) -> None:
        """To ourselves: the next poll brings it. Nothing can have changed on the way, so that there
        are no checksums of TCP and UDP, and no fragments; one copy, as the sender's memory is its
        own."""
        if len(self.home) >= self.settings.outbox_max:
            self.counters.count("interface_outbox_full")
            return
        size = sum(map(len, data))
        if size > 65515:
            self.counters.count("ip_too_long")
            return
        hops = hop_limit or path.hop_limit
        head = self._header(path, protocol, size, 0, 0x4000, hops, traffic_class)
        whole: Buffer = b"".join((head, *data))
        if checksum_offset >= 0 and protocol not in (TCP, UDP):
            whole = bytearray(whole)
            total = path.pseudo_sum + protocol + size + add_all(data)
            _put_word(whole, len(head) + checksum_offset, finish(total) or 0xFFFF)
        self.home.append(
            Packet(
                path.interface,
                path.local,
                path.remote,
                protocol,
                memoryview(whole)[len(head) :],
                checksum_valid=True,
                for_all=path.to_all,
                hop_limit=hops,
                traffic_class=traffic_class,
                segment_size=segment_size,
                frame=whole,
                start=14,
            )
        )
