"""IPv4 headers (RFC 791, RFC 1122 section 3.2.1)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire import checksum
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

HEADER = Struct("!BBHHHBBH4s4s")
"""Version and header length, type of service, total length, identification, flags and fragment
offset, time to live, protocol, checksum, source, destination."""

SIZE = 20

DONT_FRAGMENT, MORE_FRAGMENTS, OFFSET_MASK = 0x4000, 0x2000, 0x1FFF
"""In the field of flags and fragment offset, which counts in 8 bytes."""

END, NOP, RECORD_ROUTE, ROUTER_ALERT, LOOSE_ROUTE, STRICT_ROUTE = 0, 1, 7, 148, 131, 137
"""Options."""

ROUTER_ALERT_OPTION = b"\x94\x04\x00\x00"
"""RFC 2113; IGMP sends it."""


class Header:
    """One header."""

    __slots__ = (
        "dont_fragment", "dst", "fragment_offset", "header_size", "ident", "more_fragments",
        "options", "protocol", "src", "tos", "total_length", "ttl",
    )  # fmt: skip

    def __init__(
        self,
        src: bytes,
        dst: bytes,
        protocol: int,
        total_length: int,
        *,
        header_size: int = SIZE,
        tos: int = 0,
        ident: int = 0,
        dont_fragment: bool = False,
        more_fragments: bool = False,
        fragment_offset: int = 0,
        ttl: int = 64,
        options: bytes = b"",
    ) -> None:
        self.src = src
        self.dst = dst
        self.protocol = protocol
        self.total_length = total_length
        """With the header."""
        self.header_size = header_size
        self.tos = tos
        self.ident = ident
        self.dont_fragment = dont_fragment
        self.more_fragments = more_fragments
        self.fragment_offset = fragment_offset
        """In bytes."""
        self.ttl = ttl
        self.options = options


def parse(data: Buffer, start: int = 0) -> Header:
    """A header whose checksum is right. The payload is data[start + header_size : start +
    total_length]; what is behind that is Ethernet's padding."""
    available = len(data) - start
    if available < SIZE:
        raise WireError("ipv4_header_short")
    version, tos, total_length, ident, flags, ttl, protocol, _, src, dst = HEADER.unpack_from(
        data, start
    )
    size = SIZE
    if version != 0x45:
        if version >> 4 != 4:
            raise WireError("ipv4_version_bad")
        size = (version & 15) * 4
        if size < SIZE or size > available:
            raise WireError("ipv4_header_length_bad")
    if total_length < size or total_length > available:
        raise WireError("ipv4_total_length_bad")
    if int.from_bytes(data[start : start + size], "big") % 0xFFFF:
        raise WireError("ipv4_checksum_bad")
    return Header(
        src,
        dst,
        protocol,
        total_length,
        header_size=size,
        tos=tos,
        ident=ident,
        dont_fragment=flags & DONT_FRAGMENT != 0,
        more_fragments=flags & MORE_FRAGMENTS != 0,
        fragment_offset=(flags & OFFSET_MASK) * 8,
        ttl=ttl,
        options=bytes(data[start + SIZE : start + size]) if size > SIZE else b"",
    )


def emit(header: Header) -> bytes:
    """A header's bytes, with its checksum. total_length and the options decide, header_size does
    not."""
    flags = header.fragment_offset >> 3
    if header.dont_fragment:
        flags |= DONT_FRAGMENT
    if header.more_fragments:
        flags |= MORE_FRAGMENTS
    return emit_header(
        header.src,
        header.dst,
        header.protocol,
        header.total_length,
        header.ident,
        flags,
        header.ttl,
        header.tos,
        header.options,
    )


def emit_header(
    src: bytes,
    dst: bytes,
    protocol: int,
    total_length: int,
    ident: int = 0,
    flags: int = 0,
    ttl: int = 64,
    tos: int = 0,
    options: bytes = b"",
) -> bytes:
    """A header's bytes, with its checksum; flags: DONT_FRAGMENT, MORE_FRAGMENTS, offset / 8."""
    if options:
        options += bytes(-len(options) % 4)
    version = 0x45 + len(options) // 4
    total = (
        (version << 8)
        + tos
        + total_length
        + ident
        + flags
        + (ttl << 8)
        + protocol
        + int.from_bytes(src, "big")
        + int.from_bytes(dst, "big")
    )
    if options:
        total += int.from_bytes(options, "big")
    return (
        HEADER.pack(
            version,
            tos,
            total_length,
            ident,
            flags,
            ttl,
            protocol,
            checksum.finish(total),
            src,
            dst,
        )
        + options
    )


def parse_options(options: bytes) -> list[tuple[int, bytes]]:
    """The options but for END and NOP, as (kind, data)."""
    found = []
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == END:
            break
        if kind == NOP:
            at += 1
            continue
        if at + 1 >= len(options):
            raise WireError("ipv4_option_bad")
        size = options[at + 1]
        if size < 2 or at + size > len(options):
            raise WireError("ipv4_option_bad")
        found.append((kind, options[at + 2 : at + size]))
        at += size
    return found


def has_source_route(options: bytes) -> bool:
    """Whether the sender chose the route; hosts may drop such packets (RFC 7126, 4.3 and 4.4)."""
    return any(kind in (LOOSE_ROUTE, STRICT_ROUTE) for kind, _ in parse_options(options))
