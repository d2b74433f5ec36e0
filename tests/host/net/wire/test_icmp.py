"""ICMP and ICMPv6: messages, and what errors quote."""

from __future__ import annotations

import errno

import pytest

from ovum.net.wire import addr, checksum, icmpv4, icmpv6, ipv4, ipv6, udp
from ovum.net.wire.errors import WireError

ECHO = bytes.fromhex(
    "0800 2a5c 0200 2100 6162636465666768696a6b6c6d6e6f70717273747576776162636465666768 69"
)
SRC, DST = b"\x0a\0\0\1", b"\x0a\0\0\2"
SRC6, DST6 = addr.parse("fe80::1"), addr.parse("fe80::2")


def test_an_echo_request_is_read_and_written() -> None:
    """As Windows' ping sends it."""
    message = icmpv4.parse(ECHO)
    assert (message.kind, message.code) == (icmpv4.ECHO_REQUEST, 0)
    assert (message.word >> 16, message.word & 0xFFFF) == (512, 8448)
    assert len(message.body) == 32
    assert icmpv4.emit(message.kind, message.code, message.word, message.body) == ECHO
    assert icmpv4.parse(b"head" + ECHO, 4).word == message.word


def test_a_bad_checksum_is_refused() -> None:
    for at in range(len(ECHO)):
        data = bytearray(ECHO)
        data[at] ^= 0x10
        with pytest.raises(WireError, match="icmp_checksum_bad"):
            icmpv4.parse(data)


def test_an_echo_reply_of_zeros_has_a_checksum_that_linux_takes() -> None:
    data = icmpv4.emit(icmpv4.ECHO_REPLY, 0, 0)
    assert data == b"\0\0\xff\xff\0\0\0\0"
    assert icmpv4.parse(data).kind == icmpv4.ECHO_REPLY


def test_a_body_of_odd_length() -> None:
    assert icmpv4.parse(icmpv4.emit(8, 0, 1, b"abc")).body == b"abc"


def test_an_error_quotes_a_packet() -> None:
    datagram = udp.emit_header(1000, 53, 100) + b"the rest was cut off"
    inner = ipv4.emit_header(SRC, DST, 17, 128, options=b"\x94\x04\0\0") + datagram
    quoted = icmpv4.parse_quoted(inner)
    assert (quoted.src, quoted.dst, quoted.protocol) == (SRC, DST, 17)
    assert bytes(quoted.payload) == datagram
    assert quoted.fragment_offset == 0
    fragment = ipv4.emit_header(SRC, DST, 17, 128, flags=3) + bytes(8)
    assert icmpv4.parse_quoted(fragment).fragment_offset == 24


def test_a_quote_that_is_too_short_or_no_packet_is_refused() -> None:
    inner = ipv4.emit_header(SRC, DST, 17, 128, options=b"\x94\x04\0\0") + bytes(8)
    for size in range(len(inner)):
        with pytest.raises(WireError, match="icmp_quote_short"):
            icmpv4.parse_quoted(inner[:size])
    for first in (0x65, 0x44, 0x05):
        with pytest.raises(WireError, match="icmp_quote_bad"):
            icmpv4.parse_quoted(bytes((first,)) + inner[1:])


@pytest.mark.parametrize(
    ("kind", "code", "number", "hard"),
    [
        (icmpv4.UNREACHABLE, icmpv4.NET_UNREACHABLE, errno.ENETUNREACH, False),
        (icmpv4.UNREACHABLE, icmpv4.HOST_UNREACHABLE, errno.EHOSTUNREACH, False),
        (icmpv4.UNREACHABLE, icmpv4.PROTOCOL_UNREACHABLE, errno.ENOPROTOOPT, True),
        (icmpv4.UNREACHABLE, icmpv4.PORT_UNREACHABLE, errno.ECONNREFUSED, True),
        (icmpv4.UNREACHABLE, icmpv4.FRAGMENTATION_NEEDED, errno.EMSGSIZE, False),
        (icmpv4.UNREACHABLE, 13, errno.EHOSTUNREACH, True),
        (icmpv4.UNREACHABLE, 16, errno.EHOSTUNREACH, False),
        (icmpv4.TIME_EXCEEDED, 0, errno.EHOSTUNREACH, False),
        (icmpv4.PARAMETER_PROBLEM, 0, errno.EPROTO, True),
        (icmpv4.SOURCE_QUENCH, 0, 0, False),
        (icmpv4.REDIRECT, 1, 0, False),
    ],
)
def test_errors_have_the_numbers_of_linux(kind: int, code: int, number: int, hard: bool) -> None:
    assert icmpv4.error_errno(kind, code) == (number, hard)


def test_an_icmpv6_echo_is_read_with_its_pseudo_header() -> None:
    data = icmpv6.emit(icmpv6.ECHO_REQUEST, 0, 7 << 16 | 1, b"ping")
    total = checksum.pseudo(SRC6, DST6, icmpv6.PROTOCOL, len(data)) + checksum.add(data)
    data = data[:2] + checksum.finish(total).to_bytes(2, "big") + data[4:]
    message = icmpv6.parse(data, SRC6, DST6)
    assert (message.kind, message.word, bytes(message.body)) == (128, 7 << 16 | 1, b"ping")
    with pytest.raises(WireError, match="icmpv6_checksum_bad"):
        icmpv6.parse(data, SRC6, addr.parse("fe80::3"))
    with pytest.raises(WireError, match="icmpv6_short"):
        icmpv6.parse(data[:7], SRC6, DST6)


def test_errors_are_those_below_128() -> None:
    assert icmpv6.is_error(icmpv6.PARAMETER_PROBLEM)
    assert icmpv6.is_error(100)
    assert not icmpv6.is_error(icmpv6.ECHO_REQUEST)


@pytest.mark.parametrize(
    ("kind", "code", "number", "hard"),
    [
        (icmpv6.UNREACHABLE, icmpv6.NO_ROUTE, errno.ENETUNREACH, False),
        (icmpv6.UNREACHABLE, icmpv6.PROHIBITED, errno.EACCES, True),
        (icmpv6.UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE, errno.EHOSTUNREACH, False),
        (icmpv6.UNREACHABLE, icmpv6.PORT_UNREACHABLE, errno.ECONNREFUSED, True),
        (icmpv6.UNREACHABLE, 99, errno.EPROTO, False),
        (icmpv6.PACKET_TOO_BIG, 0, errno.EMSGSIZE, False),
        (icmpv6.TIME_EXCEEDED, 0, errno.EHOSTUNREACH, False),
        (icmpv6.PARAMETER_PROBLEM, 1, errno.EPROTO, True),
        (100, 0, 0, False),
    ],
)
def test_errors_of_icmpv6_have_the_numbers_of_linux(
    kind: int, code: int, number: int, hard: bool
) -> None:
    assert icmpv6.error_errno(kind, code) == (number, hard)


def test_an_icmpv6_error_quotes_a_packet_with_extensions() -> None:
    datagram = udp.emit_header(1000, 53, 1000)
    extensions = bytes.fromhex("2c00010400000000") + ipv6.emit_fragment_header(17, 8, True, 5)
    inner = ipv6.emit_header(SRC6, DST6, ipv6.DESTINATION, 1016) + extensions + datagram
    quoted = icmpv6.parse_quoted(inner)
    assert (quoted.src, quoted.dst, quoted.protocol) == (SRC6, DST6, 17)
    assert (bytes(quoted.payload), quoted.fragment_offset) == (datagram, 8)
    for size in range(len(inner)):
        with pytest.raises(WireError, match="icmpv6_quote_short"):
            icmpv6.parse_quoted(inner[:size])
    with pytest.raises(WireError, match="icmpv6_quote_bad"):
        icmpv6.parse_quoted(b"\x45" + inner[1:])
    endless = inner[:6] + b"\x3c" + inner[7:40] + bytes.fromhex("3c00010400000000") * 20
    with pytest.raises(WireError, match="icmpv6_quote_bad"):
        icmpv6.parse_quoted(endless)
