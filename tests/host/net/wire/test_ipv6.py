"""IPv6's fixed header and the chain behind it (RFC 8200)."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import addr, ipv6
from ovum.net.wire.errors import WireError

SRC, DST = addr.parse("fe80::1"), addr.parse("2001:db8::2")

HOP = "{next} 00 0104 00000000"
ROUTING0 = "{next} 02 00 00 00000000 20010db8000000000000000000000099"
PAD = bytes.fromhex("0104 00000000")


def packet(first: int, *pieces: bytes) -> bytes:
    """With a fixed header in front."""
    data = b"".join(pieces)
    return ipv6.emit_header(SRC, DST, first, len(data)) + data


def options(following: int, data: str) -> bytes:
    """A hop-by-hop or destination header, padded."""
    inner = bytes.fromhex(data)
    missing = -(2 + len(inner)) % 8
    inner += (
        b"\0" if missing == 1 else bytes((1, missing - 2)) + bytes(missing - 2) if missing else b""
    )
    return bytes((following, len(inner) // 8)) + inner


def test_a_header_is_read_and_written() -> None:
    header = ipv6.Header(SRC, DST, 58, 8, 255, 0xB8, 0xABCDE)
    data = ipv6.emit(header)
    assert data.hex() == f"6b8abcde00083aff{SRC.hex()}{DST.hex()}"
    found = ipv6.parse(b"x" + data + bytes(8), 1)
    assert all(getattr(found, name) == getattr(header, name) for name in ipv6.Header.__slots__)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [(0, 0x45, "ipv6_version_bad"), (5, 9, "ipv6_payload_length_bad")],
)
def test_bad_headers_are_refused(at: int, value: int, reason: str) -> None:
    data = bytearray(packet(58, bytes(8)))
    data[at] = value
    with pytest.raises(WireError, match=reason):
        ipv6.parse(data)


def test_without_extensions_the_transport_is_at_40() -> None:
    chain = ipv6.walk(packet(6, bytes(20)))
    assert (chain.protocol, chain.offset, chain.next_header_at) == (6, 40, 6)
    assert not chain.has_fragment_header


def test_a_chain_is_walked_to_the_transport() -> None:
    data = packet(
        ipv6.HOP_BY_HOP,
        options(ipv6.DESTINATION, "05020000"),
        options(ipv6.ROUTING, "c9"[:0]),
        bytes.fromhex(ROUTING0.format(next="3c")),
        options(17, "1e0411223344"),
        bytes(8),
    )
    chain = ipv6.walk(data)
    assert chain.protocol == 17
    assert chain.offset == len(data) - 8
    assert data[chain.next_header_at] == 17
    assert chain.router_alert


def test_no_next_header_ends_the_chain() -> None:
    assert ipv6.walk(packet(ipv6.NONE, b"anything")).protocol == ipv6.NONE


def test_hop_by_hop_options_come_first_or_not_at_all() -> None:
    data = packet(ipv6.DESTINATION, options(ipv6.HOP_BY_HOP, ""), options(17, ""), bytes(8))
    with pytest.raises(ipv6.HeaderProblemError, match="ipv6_hop_by_hop_late") as caught:
        ipv6.walk(data)
    assert (caught.value.code, caught.value.pointer) == (1, 40)


@pytest.mark.parametrize(
    ("kind", "answered", "to_groups"),
    [(0x3E, None, None), (0x7E, False, False), (0xBE, True, True), (0xFE, True, False)],
)
def test_the_first_bits_of_an_unknown_option_say_what_to_do(
    kind: int, answered: bool | None, to_groups: bool | None
) -> None:
    for first in (ipv6.HOP_BY_HOP, ipv6.DESTINATION):
        data = packet(first, options(17, f"0000{kind:02x}0000"), bytes(8))
        if answered is None:
            assert ipv6.walk(data).protocol == 17
            continue
        with pytest.raises(WireError, match="ipv6_option_unknown") as caught:
            ipv6.walk(data)
        error = caught.value
        assert isinstance(error, ipv6.HeaderProblemError) == answered
        if isinstance(error, ipv6.HeaderProblemError):
            assert (error.code, error.pointer, error.answer_multicast) == (2, 44, to_groups)


def test_a_routing_header_with_segments_left_is_refused() -> None:
    for kind in (0, 2, 4, 200):
        routing = bytes((17, 0, kind, 1)) + bytes(4)
        with pytest.raises(ipv6.HeaderProblemError, match="ipv6_routing_unknown") as caught:
            ipv6.walk(packet(ipv6.ROUTING, routing, bytes(8)))
        assert (caught.value.code, caught.value.pointer) == (0, 42)


def test_a_fragment_ends_the_walk() -> None:
    head = ipv6.emit_fragment_header(17, 1448, True, 0xDEADBEEF)
    assert head.hex() == "110005a9deadbeef"
    chain = ipv6.walk(packet(ipv6.DESTINATION, options(ipv6.FRAGMENT, ""), head, bytes(16)))
    assert (chain.protocol, chain.offset, chain.fragment_offset) == (17, 56, 1448)
    assert chain.more_fragments
    assert chain.has_fragment_header
    assert chain.ident == 0xDEADBEEF


def test_an_atomic_fragment_is_a_whole_packet() -> None:
    head = ipv6.emit_fragment_header(ipv6.DESTINATION, 0, False, 1)
    chain = ipv6.walk(packet(ipv6.FRAGMENT, head, options(17, ""), bytes(8)))
    assert (chain.protocol, chain.offset) == (17, 56)
    assert chain.has_fragment_header
    assert not chain.more_fragments


def test_two_fragment_headers_are_refused() -> None:
    head = ipv6.emit_fragment_header(ipv6.FRAGMENT, 0, False, 1)
    with pytest.raises(WireError, match="ipv6_fragment_twice"):
        ipv6.walk(packet(ipv6.FRAGMENT, head, head, bytes(8)))


def test_a_fragment_that_is_not_the_last_has_whole_eights() -> None:
    head = ipv6.emit_fragment_header(17, 0, True, 1)
    with pytest.raises(ipv6.HeaderProblemError, match="ipv6_fragment_size_odd") as caught:
        ipv6.walk(packet(ipv6.FRAGMENT, head, bytes(15)))
    assert (caught.value.code, caught.value.pointer) == (0, 4)


def test_a_fragment_ends_within_the_largest_packet() -> None:
    head = ipv6.emit_fragment_header(17, 65528, False, 1)
    assert ipv6.walk(packet(ipv6.FRAGMENT, head, bytes(7))).fragment_offset == 65528
    with pytest.raises(ipv6.HeaderProblemError, match="ipv6_fragment_too_far") as caught:
        ipv6.walk(packet(ipv6.FRAGMENT, head, bytes(8)))
    assert (caught.value.code, caught.value.pointer) == (0, 42)


def test_no_more_headers_than_a_few_are_read() -> None:
    chain = [options(ipv6.DESTINATION, "")] * ipv6.HEADERS_MOST
    with pytest.raises(WireError, match="ipv6_headers_too_many"):
        ipv6.walk(packet(ipv6.DESTINATION, *chain, options(17, "")))


def test_no_more_options_than_a_few_are_read() -> None:
    data = options(17, "1e00" * (ipv6.OPTIONS_MOST + 1))
    with pytest.raises(WireError, match="ipv6_options_too_many"):
        ipv6.walk(packet(ipv6.DESTINATION, data, bytes(8)))


@pytest.mark.parametrize("bad", ["01ff00000000", "1e0500000000", "00000000001e"])
def test_an_option_that_goes_beyond_its_header_is_refused(bad: str) -> None:
    with pytest.raises(WireError, match="ipv6_option_bad"):
        ipv6.walk(packet(ipv6.DESTINATION, bytes((17, 0)) + bytes.fromhex(bad), bytes(8)))


def test_headers_beyond_the_packet_are_refused() -> None:
    for data in (b"", b"\x11", bytes((17, 1)) + PAD, bytes((17, 255)) + PAD):
        with pytest.raises(WireError, match="ipv6_extension_short"):
            ipv6.walk(packet(ipv6.DESTINATION, data))
    with pytest.raises(WireError, match="ipv6_extension_short"):
        ipv6.walk(packet(ipv6.FRAGMENT, bytes(7)))


def test_a_first_fragment_has_the_whole_chain() -> None:
    assert ipv6.has_whole_chain(6, bytes(8))
    assert not ipv6.has_whole_chain(6, bytes(7))
    assert ipv6.has_whole_chain(ipv6.NONE, b"")
    assert ipv6.has_whole_chain(ipv6.DESTINATION, options(6, "") + bytes(8))
    assert not ipv6.has_whole_chain(ipv6.DESTINATION, options(6, ""))
    assert not ipv6.has_whole_chain(ipv6.DESTINATION, options(6, "")[:4])
    assert not ipv6.has_whole_chain(ipv6.DESTINATION, options(ipv6.DESTINATION, "") * 9)


def test_random_chains_end_or_are_malformed() -> None:
    rng = random.Random(11)
    kinds = (0, 43, 44, 60, 60, 17, 59)
    for _ in range(5000):
        data = bytearray(rng.randbytes(rng.randrange(64)))
        for at in range(0, len(data), 8):
            if rng.random() < 0.8:
                data[at] = rng.choice(kinds)
                if at + 1 < len(data):
                    data[at + 1] = rng.randrange(2)
        whole = packet(rng.choice(kinds), bytes(data))
        try:
            chain = ipv6.walk(whole)
        except ipv6.HeaderProblemError as error:
            assert 0 <= error.pointer < len(whole)
        except WireError:
            pass
        else:
            assert 40 <= chain.offset <= len(whole)
            assert chain.next_header_at < chain.offset
            assert whole[chain.next_header_at] == chain.protocol
