"""IPv6 headers and the chain of extension headers behind one (RFC 8200)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

HEADER = Struct("!IHBB16s16s")
"""Version, traffic class and flow label; payload length, next header, hop limit, source,
destination."""

SIZE = 40

HOP_BY_HOP, ROUTING, FRAGMENT, NONE, DESTINATION = 0, 43, 44, 59, 60
"""Next headers."""

PAD1, PADN, ROUTER_ALERT = 0, 1, 5
"""Options."""

MLD_ALERT = b"\x3a\x00\x05\x02\x00\x00\x01\x00"
"""A whole hop-by-hop header for an ICMPv6 message of MLD (RFC 2710, 3; RFC 2711)."""

HEADERS_MOST = 8
OPTIONS_MOST = 16
"""In a header. More are not read: RFC 8504 (5.3) allows to drop such packets."""

_FRAGMENT = Struct("!BBHI")


class HeaderProblemError(WireError):
    """Something in a header that its sender is to be told of (RFC 4443, 3.4)."""

    def __init__(self, reason: str, code: int, pointer: int, answer_multicast: bool) -> None:
        super().__init__(reason)
        self.code = code
        self.pointer = pointer
        """Where in the packet."""
        self.answer_multicast = answer_multicast
        """Told even if the packet came to a group."""


class Header:
    """One fixed header."""

    __slots__ = (
        "dst", "flow_label", "hop_limit", "next_header", "payload_length", "src", "traffic_class",
    )  # fmt: skip

    def __init__(
        self,
        src: bytes,
        dst: bytes,
        next_header: int,
        payload_length: int,
        hop_limit: int = 64,
        traffic_class: int = 0,
        flow_label: int = 0,
    ) -> None:
        self.src = src
        self.dst = dst
        self.next_header = next_header
        self.payload_length = payload_length
        self.hop_limit = hop_limit
        self.traffic_class = traffic_class
        self.flow_label = flow_label


class Chain:
    """What is behind a fixed header, up to the transport's or to a fragment."""

    __slots__ = (
        "fragment_offset", "has_fragment_header", "ident", "more_fragments", "next_header_at",
        "offset", "protocol", "router_alert",
    )  # fmt: skip

    def __init__(self, protocol: int, offset: int) -> None:
        self.protocol = protocol
        """Of the first header that is no extension; of a fragment: what its next header says."""
        self.offset = offset
        """Where that begins."""
        self.next_header_at = 6
        """Where the byte is that says `protocol`."""
        self.has_fragment_header = False
        """Also of a packet that is whole (RFC 6946), which ND does not accept (RFC 6980)."""
        self.more_fragments = False
        self.fragment_offset = 0
        """In bytes. It is a fragment if either of these two is not 0."""
        self.ident = 0
        self.router_alert = False


def parse(data: Buffer, start: int = 0) -> Header:
    """A fixed header. The payload is data[start + 40 : start + 40 + payload_length]; what is
    behind that is Ethernet's padding."""
    available = len(data) - start - SIZE
    if available < 0:
        raise WireError("ipv6_header_short")
    first, payload_length, next_header, hop_limit, src, dst = HEADER.unpack_from(data, start)
    if first >> 28 != 6:
        raise WireError("ipv6_version_bad")
    if payload_length > available:
        raise WireError("ipv6_payload_length_bad")
    return Header(
        src,
        dst,
        next_header,
        payload_length,
        hop_limit,
        first >> 20 & 0xFF,
        first & 0xFFFFF,
    )


def emit(header: Header) -> bytes:
    """A fixed header's bytes."""
    return emit_header(
        header.src,
        header.dst,
        header.next_header,
        header.payload_length,
        header.hop_limit,
        header.traffic_class,
        header.flow_label,
    )


def emit_header(
    src: bytes,
    dst: bytes,
    next_header: int,
    payload_length: int,
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """A fixed header's bytes."""
    return HEADER.pack(
        0x60000000 | traffic_class << 20 | flow_label,
        payload_length,
        next_header,
        hop_limit,
        src,
        dst,
    )


def emit_fragment_header(next_header: int, offset: int, more: bool, ident: int) -> bytes:
    """A fragment header; offset in bytes, a multiple of 8."""
    return _FRAGMENT.pack(next_header, 0, offset | more, ident)


def walk(packet: Buffer) -> Chain:
    """Goes along the headers of a packet: from its fixed header to its end, no padding behind.

    Stops at a fragment, which may be the first. Raises HeaderProblemError for what the sender is
    to be told of, WireError for what is dropped silently.
    """
    chain = Chain(packet[6], SIZE)
    for _ in range(HEADERS_MOST):
        kind = chain.protocol
        if kind == FRAGMENT:
            _fragment(packet, chain)
            if chain.more_fragments or chain.fragment_offset:
                return chain
        elif kind in (HOP_BY_HOP, DESTINATION, ROUTING):
            if kind == HOP_BY_HOP and chain.next_header_at != 6:
                raise HeaderProblemError("ipv6_hop_by_hop_late", 1, chain.next_header_at, False)
            at = chain.offset
            size = _extension_size(packet, at)
            if kind == ROUTING:
                # With no segment left there is nothing to do. Otherwise we would be a router, and
                # type 0 is forbidden to these too (RFC 5095).
                if packet[at + 3]:
                    raise HeaderProblemError("ipv6_routing_unknown", 0, at + 2, False)
            else:
                _options(packet, at + 2, at + size, chain)
            chain.protocol = packet[at]
            chain.next_header_at = at
            chain.offset = at + size
        else:
            return chain
    raise WireError("ipv6_headers_too_many")


def _extension_size(packet: Buffer, at: int) -> int:
    if at + 8 > len(packet):
        raise WireError("ipv6_extension_short")
    size = (packet[at + 1] + 1) * 8
    if at + size > len(packet):
        raise WireError("ipv6_extension_short")
    return size


def _fragment(packet: Buffer, chain: Chain) -> None:
    at = chain.offset
    if at + 8 > len(packet):
        raise WireError("ipv6_extension_short")
    if chain.has_fragment_header:
        raise WireError("ipv6_fragment_twice")
    next_header, _, bits, ident = _FRAGMENT.unpack_from(packet, at)
    chain.has_fragment_header = True
    chain.more_fragments = bits & 1 == 1
    chain.fragment_offset = bits & 0xFFF8
    chain.ident = ident
    size = len(packet) - at - 8
    if chain.more_fragments and size & 7:
        # RFC 8200, 4.5: the pointer is to the payload length.
        raise HeaderProblemError("ipv6_fragment_size_odd", 0, 4, False)
    if chain.fragment_offset + size > 65535:
        raise HeaderProblemError("ipv6_fragment_too_far", 0, at + 2, False)
    chain.protocol = next_header
    chain.next_header_at = at
    chain.offset = at + 8


def _options(packet: Buffer, at: int, end: int, chain: Chain) -> None:
    """Looks through the options of a hop-by-hop or destination header (RFC 8200, 4.2)."""
    count = 0
    while at < end:
        kind = packet[at]
        if kind == PAD1:
            at += 1
            continue
        if at + 2 > end or at + 2 + packet[at + 1] > end:
            raise WireError("ipv6_option_bad")
        count += 1
        if count > OPTIONS_MOST:
            raise WireError("ipv6_options_too_many")
        if kind == ROUTER_ALERT:
            chain.router_alert = True
        elif kind != PADN:
            action = kind >> 6
            if action == 1:
                raise WireError("ipv6_option_unknown")
            if action:
                raise HeaderProblemError("ipv6_option_unknown", 2, at, action == 2)
        at += 2 + packet[at + 1]


def has_whole_chain(protocol: int, data: Buffer) -> bool:
    """Whether a first fragment, `data` behind its fragment header, has all headers up to the
    transport's first 8 bytes in it, as it must (RFC 7112). TCP's header may be longer, but its
    ports are among these."""
    at = 0
    for _ in range(HEADERS_MOST):
        if protocol not in (ROUTING, DESTINATION):
            return protocol == NONE or at + 8 <= len(data)
        if at + 8 > len(data):
            return False
        protocol = data[at]
        at += (data[at + 1] + 1) * 8
    return False
