"""TCP's header and options (RFC 9293: MUST-4, 5, 6, 7, 64, 68)."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import checksum, ipv4, tcp
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import IPV4_SYN, SACKED, STAMPED, SYN


def fields(options: tcp.Options | None) -> tuple[object, ...]:
    assert options is not None
    return (
        options.mss,
        options.window_scale,
        options.sack_permitted,
        list(options.sack),
        options.timestamp,
    )


def header(options: bytes, payload: bytes = b"") -> bytes:
    """A segment with these options, a multiple of 4 bytes."""
    bits = (5 + len(options) // 4) << 12 | tcp.ACK
    return tcp.HEADER.pack(1, 2, 3, 4, bits, 5, 0, 0) + options + payload


def test_a_syn_is_read_and_written() -> None:
    segment = tcp.parse(SYN)
    assert (segment.src_port, segment.dst_port) == (54321, 443)
    assert (segment.seq, segment.ack, segment.flags) == (0x3C5F15E3, 0, tcp.SYN)
    assert (segment.window, segment.urgent, bytes(segment.payload)) == (64240, 0, b"")
    assert fields(segment.options) == (1460, 7, True, [], (0xA1B2C3, 0))
    assert tcp.emit_header(segment) == SYN


def test_a_segment_within_a_packet_is_read_where_it_begins() -> None:
    start = ipv4.parse(IPV4_SYN).header_size
    assert tcp.emit_header(tcp.parse(IPV4_SYN, start)) == SYN


def test_a_timestamp_and_data_are_read_and_written() -> None:
    segment = tcp.parse(STAMPED)
    assert segment.flags == tcp.PSH | tcp.ACK
    assert fields(segment.options) == (None, None, False, [], (1_000_000, 0xA1B2C3))
    assert segment.payload == b"hello"
    assert tcp.emit_header(segment) + segment.payload == STAMPED


def test_sack_blocks_are_read_and_written() -> None:
    segment = tcp.parse(SACKED)
    assert fields(segment.options)[3] == [(100, 200), (300, 400)]
    assert tcp.emit_header(segment) == SACKED


def test_a_segment_without_options_has_none() -> None:
    segment = tcp.parse(header(b"", b"xyz"))
    assert segment.options is None
    assert segment.payload == b"xyz"
    assert tcp.emit_header(segment) == header(b"")


def test_a_view_is_not_copied() -> None:
    segment = tcp.parse(memoryview(STAMPED))
    assert isinstance(segment.payload, memoryview)
    assert segment.payload.tobytes() == b"hello"


@pytest.mark.parametrize("size", range(20))
def test_a_short_header_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="tcp_header_short"):
        tcp.parse(SYN[:size])


@pytest.mark.parametrize(("offset", "size"), [(0, 60), (4, 60), (11, 40), (15, 59)])
def test_an_offset_that_cannot_be_is_refused(offset: int, size: int) -> None:
    data = bytearray(SYN.ljust(size, b"\0")[:size])
    data[12] = offset << 4
    with pytest.raises(WireError, match="tcp_offset_bad"):
        tcp.parse(data)


@pytest.mark.parametrize(
    ("options", "mss", "scale"),
    [
        ("fe0600000000 0204 05b4 0303", 1460, None),
        ("fd02 0204 05b4 0303 07", 1460, 7),
        ("01 0204 05b4 0303 07", 1460, 7),
        ("0101 01 0204 05b4 00", 1460, None),
        ("00 0204 05b4", None, None),
    ],
)
def test_unknown_options_are_skipped_at_any_alignment(
    options: str, mss: int | None, scale: int | None
) -> None:
    data = bytes.fromhex(options)
    segment = tcp.parse(header(data + bytes(-len(data) % 4), b"data"))
    assert fields(segment.options)[:2] == (mss, scale)
    assert segment.payload == b"data"


@pytest.mark.parametrize("bad", ["fe00", "fe01", "fe28", "0200", "0225", "0501", "08ff"])
def test_a_bad_length_ends_the_options_and_nothing_else(bad: str) -> None:
    data = bytes.fromhex("020405b4" + bad + "0000")
    segment = tcp.parse(header(data, b"data"))
    assert fields(segment.options) == (1460, None, False, [], None)
    assert segment.payload == b"data"


def test_an_option_without_its_length_ends_them() -> None:
    segment = tcp.parse(header(bytes.fromhex("020405b4 01 01 01 08"), b"data"))
    assert fields(segment.options)[0] == 1460


@pytest.mark.parametrize(
    "options",
    [
        "0203 05 01",
        "0304 0707",
        "0403 00 01",
        "0506 00000000 0101",
        "0809 0000000000 000001 000000",
    ],
)
def test_known_options_of_another_length_are_as_unknown_ones(options: str) -> None:
    segment = tcp.parse(header(bytes.fromhex(options), b"data"))
    assert fields(segment.options) == (None, None, False, [], None)


def test_nop_nop_timestamp_and_the_same_in_another_order_are_the_same() -> None:
    stamp = bytes.fromhex("080a 00000001 00000002")
    for options in (b"\x01\x01" + stamp, stamp + b"\x01\x01", b"\x01" + stamp + b"\x00"):
        segment = tcp.parse(header(options))
        assert fields(segment.options) == (None, None, False, [], (1, 2))


def test_any_options_are_written_in_whole_words_and_read_again() -> None:
    rng = random.Random(4)
    for _ in range(2000):
        options = tcp.Options(
            rng.choice((None, 536, 65535)),
            rng.choice((None, 0, 14)),
            rng.random() < 0.5,
            [(rng.getrandbits(32), rng.getrandbits(32)) for _ in range(rng.randrange(6))],
            rng.choice((None, (0, 0), (0xFFFFFFFF, 1))),
        )
        segment = tcp.Segment(1, 2, 3, 4, tcp.ACK | tcp.ECE | tcp.CWR, 5, b"", options, 6)
        data = tcp.emit_header(segment)
        assert len(data) % 4 == 0
        assert len(data) <= 60
        again = tcp.parse(data)
        assert (again.flags, again.urgent) == (segment.flags, 6)
        found = again.options or tcp.Options()
        count = len(found.sack)
        assert count == len(options.sack) or len(data) > 52  # no room for another block
        options.sack = options.sack[:count]
        assert fields(found) == fields(options)


def test_the_checksum_goes_where_the_offset_says() -> None:
    src, dst = IPV4_SYN[12:16], IPV4_SYN[16:20]
    data = bytearray(SYN)
    value = checksum.checksum(SYN, checksum.pseudo(src, dst, tcp.PROTOCOL, len(SYN)))
    data[tcp.CHECKSUM_OFFSET : tcp.CHECKSUM_OFFSET + 2] = value.to_bytes(2, "big")
    assert checksum.transport_valid(src, dst, tcp.PROTOCOL, data)


def test_random_bytes_are_a_segment_or_malformed() -> None:
    rng = random.Random(9)
    for _ in range(3000):
        data = bytearray(rng.randbytes(rng.randrange(80)))
        if len(data) > 12 and rng.random() < 0.8:
            data[12] = rng.randrange(5, 16) << 4
        try:
            segment = tcp.parse(data)
        except WireError as error:
            assert error.reason in ("tcp_header_short", "tcp_offset_bad")
        else:
            assert len(segment.payload) == len(data) - (data[12] >> 4) * 4
