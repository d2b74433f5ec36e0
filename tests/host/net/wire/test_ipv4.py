"""IPv4 headers."""

from __future__ import annotations

import pytest

from ovum.net.wire import checksum, ipv4
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import IPV4_SYN

SRC, DST = bytes((172, 16, 10, 99)), bytes((172, 16, 10, 12))


def test_a_header_is_read_and_written() -> None:
    header = ipv4.parse(IPV4_SYN)
    assert (header.src, header.dst, header.protocol) == (SRC, DST, 6)
    assert (header.total_length, header.header_size, header.ident) == (60, 20, 0x1C46)
    assert header.dont_fragment
    assert not header.more_fragments
    assert (header.fragment_offset, header.ttl, header.tos, header.options) == (0, 64, 0, b"")
    assert ipv4.emit(header) == IPV4_SYN[:20]


def test_a_fragment_is_read_and_written() -> None:
    data = ipv4.emit_header(SRC, DST, 17, 28, 7, ipv4.MORE_FRAGMENTS | 185) + bytes(8)
    header = ipv4.parse(data)
    assert (header.fragment_offset, header.more_fragments, header.dont_fragment) == (
        1480,
        True,
        False,
    )
    assert ipv4.emit(header) == data[:20]


def test_padding_is_no_part_of_the_packet() -> None:
    assert ipv4.parse(b"junk" + IPV4_SYN + bytes(6), 4).total_length == 60


def test_options_are_padded_and_listed() -> None:
    options = ipv4.ROUTER_ALERT_OPTION + b"\x01\x07\x07\x04" + bytes(4)
    data = ipv4.emit_header(SRC, DST, 2, 40, options=options[:-1]) + bytes(8)
    header = ipv4.parse(data)
    assert header.header_size == 32
    assert header.options == options
    assert ipv4.parse_options(header.options) == [
        (ipv4.ROUTER_ALERT, b"\0\0"),
        (ipv4.RECORD_ROUTE, b"\x04\0\0\0\0"),
    ]
    assert ipv4.emit(header) == data[:32]
    assert not ipv4.has_source_route(header.options)


@pytest.mark.parametrize("kind", [ipv4.LOOSE_ROUTE, ipv4.STRICT_ROUTE])
def test_a_source_route_is_found(kind: int) -> None:
    assert ipv4.has_source_route(bytes((1, kind, 7, 4, 10, 0, 0, 1)))


@pytest.mark.parametrize("options", [b"\x07", b"\x07\x00", b"\x07\x01", b"\x07\x05\x04"])
def test_options_of_a_bad_length_are_refused(options: bytes) -> None:
    with pytest.raises(WireError, match="ipv4_option_bad"):
        ipv4.parse_options(options)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, "65", "ipv4_version_bad"),
        (0, "44", "ipv4_header_length_bad"),
        (2, "0013", "ipv4_total_length_bad"),
        (2, "003d", "ipv4_total_length_bad"),
        (8, "3f", "ipv4_checksum_bad"),
        (10, "b1e7", "ipv4_checksum_bad"),
    ],
)
def test_bad_headers_are_refused(at: int, value: str, reason: str) -> None:
    data = bytearray(IPV4_SYN)
    data[at : at + len(value) // 2] = bytes.fromhex(value)
    with pytest.raises(WireError, match=reason):
        ipv4.parse(data)


def test_a_header_longer_than_the_packet_is_refused() -> None:
    with pytest.raises(WireError, match="ipv4_header_length_bad"):
        ipv4.parse(b"\x4f" + IPV4_SYN[1:40])


def test_what_is_written_has_a_checksum_for_any_values() -> None:
    for ident in range(0, 65536, 17):
        data = ipv4.emit_header(SRC, DST, 6, 20, ident)
        assert checksum.is_valid(checksum.add(data))
        assert data[10:12] == checksum.checksum(data[:10] + b"\0\0" + data[12:]).to_bytes(2, "big")
