"""Every parser of net/wire, for any bytes: only WireError may come out of it.

The first byte of an input chooses the parser. Checksums are made right before what checks them, or
nothing behind a checksum would ever be reached.
"""

from __future__ import annotations

from collections.abc import Callable

from ovum.net.wire import (
    addr,
    arp,
    checksum,
    dhcpv4,
    dns,
    ethernet,
    icmpv4,
    icmpv6,
    igmp,
    ipv4,
    ipv6,
    mld,
    ndp,
    ntp,
    show,
    sockaddr,
    tcp,
    udp,
)
from ovum.net.wire.errors import WireError
from tests.host.net.wire import captures

SRC4, DST4 = b"\x0a\0\2\x0f", b"\x0a\0\2\2"
LINK6, NODES6 = addr.parse("fe80::1"), addr.parse("ff02::1")


def with_checksum(data: bytes, at: int, size: int | None = None, initial: int = 0) -> bytes:
    """The bytes with the checksum of the first `size` right, if there is room for one."""
    if len(data) < at + 2:
        return data
    blank = data[:at] + b"\0\0" + data[at + 2 :]
    value = checksum.checksum(blank[:size], initial)
    return data[:at] + value.to_bytes(2, "big") + data[at + 2 :]


def with_ipv4_checksum(data: bytes) -> bytes:
    """For a packet: the checksum of its header."""
    return with_checksum(data, 10, (data[0] & 15) * 4) if len(data) >= 20 else data


def shown(data: bytes) -> None:
    """A frame, and its line, which is one of printable letters."""
    if data[12:14] == b"\x08\0":
        data = data[:14] + with_ipv4_checksum(data[14:])
    line = show.frame(data)
    if not line or not line.isprintable():
        raise AssertionError(f"a frame's line is {line!r}")


def parse_ipv4(data: bytes) -> None:
    """Also that a header that was read is written as it was."""
    data = with_ipv4_checksum(data)
    header = ipv4.parse(data)
    again = ipv4.parse(ipv4.emit(header) + bytes(header.total_length))
    for name in ipv4.Header.__slots__:
        if getattr(header, name) != getattr(again, name):
            raise AssertionError(f"{name} of a header is not written as it was read")
    ipv4.has_source_route(header.options)


def parse_ipv6(data: bytes) -> None:
    """And its chain."""
    header = ipv6.parse(data)
    packet = data[: ipv6.SIZE + header.payload_length]
    try:
        chain = ipv6.walk(packet)
    except ipv6.HeaderProblemError as error:
        if not 0 <= error.pointer < len(packet):
            raise AssertionError("a pointer goes beyond the packet") from error
        return
    if not ipv6.SIZE <= chain.offset <= len(packet):
        raise AssertionError("the chain ends beyond the packet")
    ipv6.has_whole_chain(chain.protocol, packet[chain.offset :])


def parse_tcp(data: bytes) -> None:
    """Also that what was understood is read again after it was written."""
    segment = tcp.parse(data)
    again = tcp.parse(tcp.emit_header(segment) + bytes(segment.payload))
    one, other = segment.options or tcp.Options(), again.options or tcp.Options()
    same = one.mss == other.mss and one.timestamp == other.timestamp
    if not same or one.window_scale != other.window_scale or segment.payload != again.payload:
        raise AssertionError("a segment is not written as it was read")


def parse_icmpv4(data: bytes) -> None:
    """And what it quotes."""
    icmpv4.parse_quoted(icmpv4.parse(with_checksum(data, 2)).body)


def parse_icmpv6(data: bytes) -> None:
    """And what it quotes."""
    initial = checksum.pseudo(LINK6, NODES6, icmpv6.PROTOCOL, len(data))
    message = icmpv6.parse(with_checksum(data, 2, None, initial), LINK6, NODES6)
    icmpv6.parse_quoted(message.body)


def parse_ndp(data: bytes) -> None:
    """Also that what was read can be written."""
    ndp.parse(ndp.emit(ndp.parse(data, LINK6, LINK6, 255)), LINK6, LINK6, 255)


def parse_dhcpv4(data: bytes) -> None:
    """And its options."""
    message = dhcpv4.parse(data)
    options = message.options
    dhcpv4.routes(options)
    dhcpv4.search(options)
    for code in list(options):
        dhcpv4.u32(options, code)
        dhcpv4.u16(options, code)
        dhcpv4.address(options, code)
        dhcpv4.addresses(options, code)
        if not dhcpv4.text(options, code).isprintable():
            raise AssertionError("a text is not printable")
    again = dhcpv4.parse(dhcpv4.emit(message))
    if again.options != options and dhcpv4.OVERLOAD not in options:
        raise AssertionError("options are not written as they were read")


def parse_dns(data: bytes) -> None:
    """Also that its names can be written."""
    message = dns.parse(data)
    _ = message.code
    dns.answers_query(message, message)
    dns.parse(dns.emit(dns.Message(message.ident, message.flags, message.questions)))


def parse_sockaddr(data: bytes) -> None:
    """As each family has it."""
    family = sockaddr.family(data)
    if family == sockaddr.AF_INET:
        sockaddr.parse_in(data)
    elif family == sockaddr.AF_INET6:
        sockaddr.parse_in6(data)
    elif family == sockaddr.AF_UNIX:
        sockaddr.parse_un(data)
    elif family == sockaddr.AF_NETLINK:
        sockaddr.parse_nl(data)
    else:
        sockaddr.parse_ll(data)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "show": shown,
    "ethernet": ethernet.parse,
    "arp": arp.parse,
    "ipv4": parse_ipv4,
    "ipv6": parse_ipv6,
    "icmpv4": parse_icmpv4,
    "icmpv6": parse_icmpv6,
    "ndp": parse_ndp,
    "mld": lambda data: mld.parse(data, LINK6, 1),
    "igmp": lambda data: igmp.parse(with_checksum(data, 2)),
    "udp": udp.parse,
    "tcp": parse_tcp,
    "dhcpv4": parse_dhcpv4,
    "dns": parse_dns,
    "ntp": ntp.parse,
    "sockaddr": parse_sockaddr,
}

_DATAGRAM = udp.emit_header(1000, 53, len(captures.DNS_QUERY)) + captures.DNS_QUERY
_QUERY = ipv4.emit_header(SRC4, DST4, 17, 20 + len(_DATAGRAM)) + _DATAGRAM
_LEASE = dhcpv4.emit(
    dhcpv4.Message(
        dhcpv4.REPLY,
        7,
        bytes(6),
        {
            dhcpv4.MESSAGE_TYPE: b"\5",
            dhcpv4.OVERLOAD: b"\3",
            dhcpv4.ROUTES: bytes.fromhex("000a00020118c000020a000202"),
            dhcpv4.STATIC_ROUTES: bytes.fromhex("0a0000000a000202"),
            dhcpv4.SEARCH: b"\3eng\5apple\3com\0\x09marketing\xc0\x04",
        },
        file=b"\x0f\1f\xff",
        server_name=b"\x0c\1n\xff",
    )
)
_CHAIN = bytes.fromhex("3c00 05020000 0100 2b00 1e020000 0100 3c02000000000000") + LINK6
_CHAIN += bytes.fromhex("3a00 010400000000")
_ECHO6 = icmpv6.emit(icmpv6.ECHO_REQUEST, 0, 1, b"ping")
_PACKET6 = ipv6.emit_header(LINK6, NODES6, 0, len(_CHAIN) + len(_ECHO6)) + _CHAIN + _ECHO6
_FRAGMENT6 = ipv6.emit_header(LINK6, NODES6, ipv6.FRAGMENT, 24)
_FRAGMENT6 += ipv6.emit_fragment_header(17, 8, True, 5) + bytes(16)
_TO_V4 = ethernet.emit(bytes(6), bytes(6), ethernet.IPV4)
_TO_V6 = ethernet.emit(bytes(6), bytes(6), ethernet.IPV6)

SAMPLES: dict[str, list[bytes]] = {
    "show": [
        captures.ARP_REQUEST,
        _TO_V4 + captures.IPV4_SYN,
        _TO_V4 + _QUERY,
        _TO_V6 + _PACKET6,
        _TO_V6 + _FRAGMENT6,
    ],
    "ethernet": [captures.ARP_REPLY],
    "arp": [captures.ARP_REQUEST[14:]],
    "ipv4": [
        captures.IPV4_SYN,
        ipv4.emit_header(SRC4, DST4, 2, 40, options=b"\x94\x04\0\0\x83\x07\4\1\1\1\1") + bytes(8),
    ],
    "ipv6": [_PACKET6, _FRAGMENT6],
    "icmpv4": [icmpv4.emit(8, 0, 1, b"ping"), icmpv4.emit(3, 3, 0, _QUERY)],
    "icmpv6": [_ECHO6, icmpv6.emit(1, 4, 0, _PACKET6)],
    "ndp": [
        captures.ROUTER_ADVERTISEMENT,
        ndp.emit(ndp.NeighborSolicitation(LINK6)) + b"\x01\x01" + bytes(6) + b"\x0e\x01" + bytes(6),
        ndp.emit(ndp.Redirect(LINK6, LINK6)) + b"\x04\x02" + bytes(14),
    ],
    "mld": [
        mld.emit_query(igmp.Query(2, NODES6, 100, [LINK6])),
        mld.emit_report([(4, NODES6, [LINK6]), (3, NODES6, [])]),
        mld.emit_message(icmpv6.MLD_DONE, NODES6),
    ],
    "igmp": [
        igmp.emit_query(igmp.Query(3, DST4, 100, [SRC4])),
        igmp.emit_report([(4, DST4, [SRC4]), (3, DST4, [])]),
        igmp.emit_message(igmp.LEAVE, DST4),
    ],
    "udp": [_DATAGRAM],
    "tcp": [captures.SYN, captures.STAMPED, captures.SACKED],
    "dhcpv4": [_LEASE],
    "dns": [captures.DNS_QUERY, captures.DNS_RESPONSE],
    "ntp": [captures.NTP_RESPONSE],
    "sockaddr": [
        sockaddr.emit_in(SRC4, 80),
        sockaddr.emit_in6(LINK6, 80, 1, 2),
        sockaddr.emit_un(b"/run/a"),
        sockaddr.emit_nl(1),
        sockaddr.emit_ll(1, 2, 3, 4, bytes(6)),
    ],
}

_NAMES = list(PARSERS)

SEEDS = [bytes((place,)) + sample for place, name in enumerate(_NAMES) for sample in SAMPLES[name]]


def run(data: bytes) -> None:
    """One input. Anything but WireError that is raised is a bug."""
    if not data:
        return
    try:
        PARSERS[_NAMES[data[0] % len(_NAMES)]](data[1:])
    except WireError as error:
        if not error.reason.isidentifier():
            raise AssertionError(f"{error.reason!r} is not the name of a counter") from error
