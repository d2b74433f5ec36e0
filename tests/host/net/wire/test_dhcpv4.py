"""DHCP messages and the values of their options."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import dhcpv4
from ovum.net.wire.errors import WireError

MAC = bytes.fromhex("525400123456")
HEAD = bytes.fromhex("02010600 3903f326 00000000 00000000 0a00020f 0a000202 00000000") + MAC.ljust(
    16, b"\0"
)


def message(options: str, name: bytes = b"", file: bytes = b"") -> bytes:
    """A reply."""
    return (
        HEAD
        + name.ljust(64, b"\0")
        + file.ljust(128, b"\0")
        + dhcpv4.COOKIE
        + bytes.fromhex(options)
    )


OFFER = message(
    "350102 3604 0a000202 3304 00015180 0104 ffffff00 0304 0a000202 0604 0a000203"
    "0f07 6578616d706c65 1a02 05dc ff"
)


def test_an_offer_is_read() -> None:
    """As QEMU's user network sends it."""
    found = dhcpv4.parse(OFFER)
    assert (found.op, found.kind, found.xid) == (dhcpv4.REPLY, dhcpv4.OFFER, 0x3903F326)
    assert found.mac == MAC
    assert found.address == b"\x0a\0\x02\x0f"
    assert found.server_address == b"\x0a\0\x02\x02"
    options = found.options
    assert dhcpv4.address(options, dhcpv4.SERVER_ID) == b"\x0a\0\x02\x02"
    assert dhcpv4.address(options, dhcpv4.SUBNET_MASK) == b"\xff\xff\xff\0"
    assert dhcpv4.u32(options, dhcpv4.LEASE_TIME) == 86400
    assert dhcpv4.u16(options, dhcpv4.MTU) == 1500
    assert dhcpv4.addresses(options, dhcpv4.DNS_SERVERS) == [b"\x0a\0\x02\x03"]
    assert dhcpv4.text(options, dhcpv4.DOMAIN_NAME) == "example"
    assert dhcpv4.routes(options) == [(bytes(4), 0, b"\x0a\0\x02\x02")]
    assert dhcpv4.search(options) == ["example"]
    assert dhcpv4.emit(found)[: len(OFFER)] == OFFER


def test_a_discover_is_written() -> None:
    data = dhcpv4.emit(
        dhcpv4.Message(
            dhcpv4.REQUEST,
            0x12345678,
            MAC,
            {
                dhcpv4.MESSAGE_TYPE: bytes((dhcpv4.DISCOVER,)),
                dhcpv4.CLIENT_ID: b"\1" + MAC,
                dhcpv4.PARAMETERS: bytes((1, 3, 6)),
            },
            seconds=3,
            broadcast=True,
        )
    )
    assert data[:12].hex() == "010106001234567800038000"
    assert data[28:34] == MAC
    assert data[236:240] == dhcpv4.COOKIE
    assert data[240:].rstrip(b"\0").hex() == "350101" + "3d0701525400123456" + "3703010306" + "ff"
    assert len(data) == dhcpv4.SIZE_LEAST


def test_any_message_is_read_as_it_was_written() -> None:
    rng = random.Random(12)
    for _ in range(500):
        options = {
            rng.randrange(1, 255): rng.randbytes(rng.choice((0, 1, 4, 255, 256, 600)))
            for _ in range(rng.randrange(5))
        }
        options.pop(dhcpv4.OVERLOAD, None)
        one = dhcpv4.Message(
            rng.choice((1, 2)),
            rng.getrandbits(32),
            rng.randbytes(6),
            options,
            seconds=rng.getrandbits(16),
            broadcast=rng.random() < 0.5,
            client_address=rng.randbytes(4),
            address=rng.randbytes(4),
            server_address=rng.randbytes(4),
            relay=rng.randbytes(4),
            hops=rng.randrange(256),
            server_name=b"server",
            file=b"boot/file",
        )
        other = dhcpv4.parse(dhcpv4.emit(one))
        for name in dhcpv4.Message.__slots__:
            assert getattr(one, name) == getattr(other, name)


def test_an_option_in_parts_is_put_together() -> None:
    found = dhcpv4.parse(message("350105 0603 0a0000 0c0161 0605 020a000203 0c0162 ff"))
    assert dhcpv4.addresses(found.options, dhcpv4.DNS_SERVERS) == [
        b"\x0a\0\0\x02",
        b"\x0a\0\x02\x03",
    ]
    assert dhcpv4.text(found.options, dhcpv4.HOST_NAME) == "ab"


@pytest.mark.parametrize(
    ("overload", "domain", "name", "file"),
    [
        (0, "", b"\x0f\x01n\xff", b"\x0f\x01f\xff"),
        (1, "f", b"\x0f\x01n\xff", b""),
        (2, "n", b"", b"\x0f\x01f\xff"),
        (3, "fn", b"", b""),
    ],
)
def test_options_in_the_fields_of_names(
    overload: int, domain: str, name: bytes, file: bytes
) -> None:
    data = message(f"350105 3401{overload:02x} ff", b"\x0f\x01n\xff", b"\x0f\x01f\xff")
    found = dhcpv4.parse(data)
    assert dhcpv4.text(found.options, dhcpv4.DOMAIN_NAME) == domain
    assert (found.server_name, found.file) == (name, file)


def test_a_missing_end_is_forgiven() -> None:
    assert dhcpv4.parse(message("350105")).kind == dhcpv4.ACK
    assert dhcpv4.parse(message("")).kind == 0
    assert dhcpv4.parse(message("35020505")).kind == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (OFFER[:239], "dhcp_short"),
        (b"\3" + OFFER[1:], "dhcp_op_bad"),
        (OFFER[:1] + b"\6" + OFFER[2:], "dhcp_hardware_unknown"),
        (OFFER[:2] + b"\x10" + OFFER[3:], "dhcp_hardware_unknown"),
        (OFFER[:236] + b"\x63\x82\x53\x64", "dhcp_cookie_bad"),
        (message("35"), "dhcp_option_bad"),
        (message("350201"), "dhcp_option_bad"),
        (message("340101", b"", b"\x0f\x80"), "dhcp_option_bad"),
    ],
)
def test_bad_messages_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        dhcpv4.parse(data)


def test_values_that_cannot_be_are_as_if_not_there() -> None:
    options = {51: b"abc", 26: b"a", 54: b"abcde", 6: b"abcde", 12: b"a\nb", 15: b"\xff"}
    assert dhcpv4.u32(options, 51) is None
    assert dhcpv4.u32(options, 58) is None
    assert dhcpv4.u16(options, 26) is None
    assert dhcpv4.address(options, 54) is None
    assert dhcpv4.addresses(options, 6) == []
    assert dhcpv4.text(options, 12) == dhcpv4.text(options, 15) == ""
    assert dhcpv4.text({12: b"name\0\0"}, 12) == "name"


def test_the_examples_of_rfc_3442() -> None:
    value = bytes.fromhex(
        "00 0a000201 08 0a 0a000202 18 0a0000 0a000203 10 0a11 0a000204".replace(" ", "")
    )
    value += bytes.fromhex("19 0a1b8100 0a000205 20 0a0d0e0f 00000000".replace(" ", ""))
    routes = dhcpv4.routes({dhcpv4.ROUTES: value, dhcpv4.ROUTERS: b"\1\1\1\1"})
    assert routes == [
        (bytes(4), 0, b"\x0a\0\2\1"),
        (b"\x0a\0\0\0", 8, b"\x0a\0\2\2"),
        (b"\x0a\0\0\0", 24, b"\x0a\0\2\3"),
        (b"\x0a\x11\0\0", 16, b"\x0a\0\2\4"),
        (b"\x0a\x1b\x81\0", 25, b"\x0a\0\2\5"),
        (b"\x0a\x0d\x0e\x0f", 32, bytes(4)),
    ]
    assert dhcpv4.emit_routes(routes) == value


@pytest.mark.parametrize("value", ["", "21", "08 0a 0a0002", "00 0a0001", "18 0a00"])
def test_bad_classless_routes_leave_the_routers(value: str) -> None:
    options = {dhcpv4.ROUTES: bytes.fromhex(value), dhcpv4.ROUTERS: b"\1\1\1\1"}
    assert dhcpv4.routes(options) == [(bytes(4), 0, b"\1\1\1\1")]


def test_bits_behind_the_prefix_are_cleared() -> None:
    assert dhcpv4.routes({dhcpv4.ROUTES: bytes.fromhex("0cacff0a000001")}) == [
        (b"\xac\xf0\0\0", 12, b"\x0a\0\0\1")
    ]


def test_static_routes_are_of_classes() -> None:
    value = bytes.fromhex("0a000000 01010101 ac100000 02020202 c0000200 03030303 00000000 04040404")
    assert dhcpv4.routes({dhcpv4.STATIC_ROUTES: value}) == [
        (b"\x0a\0\0\0", 8, b"\1\1\1\1"),
        (b"\xac\x10\0\0", 16, b"\2\2\2\2"),
        (b"\xc0\0\2\0", 24, b"\3\3\3\3"),
    ]


def test_the_example_of_rfc_3397() -> None:
    """Its names point back, and it came in two parts."""
    value = b"\3eng\5apple\3com\0\x09marketing\xc0\x04"
    assert dhcpv4.search({dhcpv4.SEARCH: value}) == ["eng.apple.com", "marketing.apple.com"]
    data = message("7709" + value[:9].hex() + f"77{len(value) - 9:02x}" + value[9:].hex() + "ff")
    assert dhcpv4.search(dhcpv4.parse(data).options) == ["eng.apple.com", "marketing.apple.com"]


@pytest.mark.parametrize(
    "bad", [b"\xc0\x05", b"\xc0\x03", b"\xc0", b"\x40a", b"\5ab", b"\2a.\0", b"\1\n\0", b"\0"]
)
def test_names_before_a_bad_one_are_good(bad: bytes) -> None:
    assert dhcpv4.search({dhcpv4.SEARCH: b"\1a\0" + bad + b"\1b\0"}) == ["a"]


def test_names_are_bounded() -> None:
    assert len(dhcpv4.search({dhcpv4.SEARCH: b"\1a\0" * 30_000})) == dhcpv4.SEARCH_MOST
    assert dhcpv4.search({dhcpv4.SEARCH: b"\x01a" * 30_000 + b"\0"}) == []
    pointers = b"\1a\0" + b"".join((0xC000 | at).to_bytes(2, "big") for at in range(3, 8000, 2))
    assert dhcpv4.search({dhcpv4.SEARCH: pointers}) == ["a"]
    assert dhcpv4.search({dhcpv4.DOMAIN_NAME: b"not a name"}) == []
