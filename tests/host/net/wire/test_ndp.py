"""Neighbor discovery's messages and the rules by which they are valid (RFC 4861)."""

from __future__ import annotations

import pytest

from ovum.net.wire import addr, ndp, ndp_options
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import ROUTER_ADVERTISEMENT

SRC, DST = addr.parse("fe80::1"), addr.parse("fe80::2")
TARGET = addr.parse("2001:db8::5")
MAC = bytes.fromhex("52560a000202")


def parse(data: bytes, src: bytes = SRC, dst: bytes = DST, hop_limit: int = 255) -> ndp.Message:
    return ndp.parse(data, src, dst, hop_limit)


def test_a_router_advertisement_with_all_options_is_read_and_written() -> None:
    message = parse(ROUTER_ADVERTISEMENT)
    assert isinstance(message, ndp.RouterAdvertisement)
    assert (message.hop_limit, message.lifetime_s) == (64, 1800)
    assert (message.managed, message.other, message.preference) == (True, True, ndp.HIGH)
    options = message.options
    assert (options.source_mac, options.ip_mtu) == (MAC, 1500)
    (prefix,) = options.prefixes
    assert (prefix.prefix, prefix.length) == (addr.parse("fec0::"), 64)
    assert (prefix.on_link, prefix.autonomous) == (True, True)
    assert (prefix.valid_s, prefix.preferred_s) == (86400, 14400)
    assert options.resolvers == [(1800, [addr.parse("fec0::3")])]
    assert options.search == [(1800, ["example.com"])]
    (route,) = options.routes
    assert (route.prefix, route.length) == (addr.parse("2001:db8::"), 48)
    assert (route.preference, route.lifetime_s) == (1, 3600)
    assert parse(ndp.emit(message)).__class__ is ndp.RouterAdvertisement
    assert sorted(pieces(ndp.emit(message)[16:])) == sorted(pieces(ROUTER_ADVERTISEMENT[16:]))
    assert ndp.emit(message)[:16] == ROUTER_ADVERTISEMENT[:16]


def pieces(data: bytes) -> list[bytes]:
    """Options apart: their order is free."""
    found = []
    while data:
        size = data[1] * 8
        found.append(data[:size])
        data = data[size:]
    return found


@pytest.mark.parametrize("preference", [ndp.LOW, ndp.MEDIUM, ndp.HIGH])
def test_preferences(preference: int) -> None:
    message = parse(ndp.emit(ndp.RouterAdvertisement(9, preference=preference)))
    assert isinstance(message, ndp.RouterAdvertisement)
    assert message.preference == preference


def test_a_reserved_preference_of_a_router_is_medium_and_of_a_route_none() -> None:
    data = bytearray(ROUTER_ADVERTISEMENT)
    data[5] = 2 << 3
    data[-13] = 2 << 3
    message = parse(bytes(data))
    assert isinstance(message, ndp.RouterAdvertisement)
    assert message.preference == ndp.MEDIUM
    assert not message.options.routes


def test_neighbor_messages_are_read_and_written() -> None:
    data = ndp.emit(ndp.NeighborSolicitation(TARGET, ndp_options.Options(MAC, nonce=b"abcdef")))
    assert data[:24].hex() == f"8700000000000000{TARGET.hex()}"
    assert data[24:].hex() == f"0101{MAC.hex()}0e01616263646566"
    asked = parse(data, dst=addr.solicited_node(TARGET))
    assert isinstance(asked, ndp.NeighborSolicitation)
    assert (asked.target, asked.options.source_mac) == (TARGET, MAC)
    assert asked.options.nonce == b"abcdef"

    data = ndp.emit(
        ndp.NeighborAdvertisement(
            TARGET, ndp_options.Options(None, MAC), router=True, solicited=True, override=True
        )
    )
    assert data.hex() == f"88000000e0000000{TARGET.hex()}0201{MAC.hex()}"
    told = parse(data)
    assert isinstance(told, ndp.NeighborAdvertisement)
    assert (told.router, told.solicited, told.override) == (True, True, True)
    assert (told.target, told.options.target_mac) == (TARGET, MAC)


def test_a_router_solicitation_and_a_redirect_are_read_and_written() -> None:
    data = ndp.emit(ndp.RouterSolicitation(ndp_options.Options(MAC)))
    assert data.hex() == f"8500000000000000 0101{MAC.hex()}".replace(" ", "")
    asked = parse(data)
    assert isinstance(asked, ndp.RouterSolicitation)
    assert asked.options.source_mac == MAC

    options = ndp_options.Options(None, MAC)
    options.redirected = b"the packet itself"
    told = parse(ndp.emit(ndp.Redirect(SRC, TARGET, options)))
    assert isinstance(told, ndp.Redirect)
    assert (told.target, told.destination) == (SRC, TARGET)
    assert told.options.redirected.startswith(b"the packet itself")


SOLICITATION = ndp.emit(ndp.NeighborSolicitation(TARGET))
SOLICITATION_MAC = ndp.emit(ndp.NeighborSolicitation(TARGET, ndp_options.Options(MAC)))
SOLICITED = ndp.emit(ndp.NeighborAdvertisement(TARGET, solicited=True))
GROUP = addr.parse("ff02::1")
NONE = bytes(16)


@pytest.mark.parametrize(
    ("data", "src", "dst", "hop_limit", "reason"),
    [
        (SOLICITATION, SRC, DST, 254, "ndp_hop_limit_bad"),
        (SOLICITATION[:1] + b"\1" + SOLICITATION[2:], SRC, DST, 255, "ndp_code_bad"),
        (SOLICITATION, NONE, DST, 255, "ndp_source_unspecified"),
        (SOLICITATION_MAC, NONE, addr.solicited_node(TARGET), 255, "ndp_source_unspecified"),
        (ndp.emit(ndp.NeighborSolicitation(GROUP)), SRC, DST, 255, "ndp_target_is_group"),
        (ndp.emit(ndp.NeighborAdvertisement(GROUP)), SRC, DST, 255, "ndp_target_is_group"),
        (SOLICITED, SRC, GROUP, 255, "ndp_solicited_to_group"),
        (ROUTER_ADVERTISEMENT, TARGET, DST, 255, "ndp_router_not_link_local"),
        (
            ndp.emit(ndp.RouterSolicitation(ndp_options.Options(MAC))),
            NONE,
            DST,
            255,
            "ndp_source_unspec",
        ),
        (ndp.emit(ndp.Redirect(SRC, TARGET)), TARGET, DST, 255, "ndp_router_not_link_local"),
        (ndp.emit(ndp.Redirect(SRC, GROUP)), SRC, DST, 255, "ndp_target_is_group"),
        (ndp.emit(ndp.Redirect(TARGET, NONE)), SRC, DST, 255, "ndp_redirect_target_bad"),
        (b"\x80" + SOLICITATION[1:], SRC, DST, 255, "ndp_type_unknown"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    data: bytes, src: bytes, dst: bytes, hop_limit: int, reason: str
) -> None:
    with pytest.raises(WireError, match=reason):
        ndp.parse(data, src, dst, hop_limit)


def test_duplicate_address_detection_is_from_nobody_to_the_solicited_group() -> None:
    message = ndp.parse(SOLICITATION, NONE, addr.solicited_node(TARGET), 255)
    assert isinstance(message, ndp.NeighborSolicitation)


def test_a_redirect_to_the_destination_itself_is_right() -> None:
    message = parse(ndp.emit(ndp.Redirect(TARGET, TARGET)))
    assert isinstance(message, ndp.Redirect)


def test_an_option_of_length_0_makes_the_message_bad() -> None:
    for tail in (b"\x01\x00", b"\x01\x00" + MAC, b"\xfe\x01" + MAC + b"\x63\x00" + MAC):
        with pytest.raises(WireError, match="ndp_option_length_zero"):
            parse(SOLICITATION + tail)


def test_an_option_beyond_the_message_makes_it_bad() -> None:
    for tail in (b"\x01", b"\x01\x01" + MAC[:5], b"\x01\x02" + MAC):
        with pytest.raises(WireError, match="ndp_option_short"):
            parse(SOLICITATION + tail)


def test_unknown_options_and_known_ones_of_another_size_are_skipped() -> None:
    tail = b"\xfe\x02" + bytes(14) + b"\x01\x02" + bytes(14) + b"\x05\x02" + bytes(14)
    tail += b"\x03\x01" + bytes(6) + b"\x19\x02" + bytes(14) + b"\x1f\x01" + bytes(6)
    tail += b"\x18\x01\x80\0\0\0\0\0"
    message = parse(ndp.emit(ndp.RouterAdvertisement(1)) + tail)
    options = message.options
    assert (options.source_mac, options.ip_mtu) == (None, None)
    assert not (options.prefixes or options.resolvers or options.search or options.routes)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("01610000000000", ["a"]),
        ("016100016200", ["a", "b"]),
        ("0161016200", ["a.b"]),
        ("0961", []),
        ("0161000562", ["a"]),
        ("01610001 0a 00", ["a"]),
        ("0161000120 00", ["a"]),
        ("016100c000", ["a"]),
        ("", []),
    ],
)
def test_names_before_a_bad_one_are_good(data: str, names: list[str]) -> None:
    option = b"\x1f\x00\0\0\0\0\0\1" + bytes.fromhex(data)
    option += bytes(-len(option) % 8)
    option = option[:1] + bytes((len(option) // 8,)) + option[2:]
    message = parse(ndp.emit(ndp.RouterAdvertisement(1)) + option)
    found = [name for _, several in message.options.search for name in several]
    assert found == names


def test_a_short_route_is_filled_with_zeros() -> None:
    options = ndp_options.Options()
    options.routes = [
        ndp_options.RouteInformation(bytes(16), 0, -1, 5),
        ndp_options.RouteInformation(TARGET, 128, 0, ndp_options.FOREVER_S),
    ]
    message = parse(ndp.emit(ndp.RouterAdvertisement(1, options)))
    routes = message.options.routes
    assert [(route.prefix, route.length, route.preference) for route in routes] == [
        (bytes(16), 0, -1),
        (TARGET, 128, 0),
    ]
