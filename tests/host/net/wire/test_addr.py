"""Addresses and their text, beside what glibc says."""

from __future__ import annotations

import ipaddress
import random
import socket

import pytest

from ovum.net.wire import addr

TEXTS = """
0.0.0.0 255.255.255.255 1.2.3 1.2.3.4.5 01.2.3.4 1.2.3.256 1.2.3.4x 1..2.3 1.2.3.٤ 1.2.3.+4
:: ::1 1:: 1::8 :::: ::: : 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7::
::2:3:4:5:6:7:8 1:2:3::4:5:6:7:8 1::2::3 fe80::1 FE80::ABCD 12345::1 g::1 ::1.2.3.4 ::ffff:1.2.3.4
1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4 1.2.3.4:: ::1.2.3.4:5 ::1.2.3
:1:2:3:4:5:6:7 1:2:3:4:5:6:7:
2001:db8::1:0:0:1 2001:db8:0:1:1:1:1:1 ::+1 ::0x1 1:2:3:4:5:6::1.2.3.4 1:2:3:4:5::1.2.3.4
""".split()


def by_glibc(text: str) -> bytes | None:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except (OSError, UnicodeError):
        return None


@pytest.mark.parametrize("text", [*TEXTS, "", "1.2.3.4 ", " ::1"])
def test_text_is_read_as_glibc_reads_it(text: str) -> None:
    try:
        ours: bytes | None = addr.parse(text)
    except ValueError:
        ours = None
    assert ours == by_glibc(text)


def test_text_is_written_as_glibc_writes_it() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        address = b"".join(
            rng.choice((b"\0\0", b"\0\1", b"\xff\xff", b"\x0a\xbc")) for _ in range(8)
        )
        text = addr.text(address)
        assert text == socket.inet_ntop(socket.AF_INET6, address)
        assert addr.parse(text) == address
    assert addr.text(b"\x0a\0\x02\x0f") == "10.0.2.15"


def test_random_text_raises_nothing_but_value_error() -> None:
    rng = random.Random(6)
    for _ in range(5000):
        text = "".join(rng.choice("0123456789abf:.:.%/gx \u0663") for _ in range(rng.randrange(24)))
        try:
            ours: bytes | None = addr.parse(text)
        except ValueError:
            ours = None
        assert ours == by_glibc(text), text


def test_an_address_of_a_wrong_length_has_no_text() -> None:
    with pytest.raises(ValueError, match="4 or 16"):
        addr.text(bytes(5))


def test_zones() -> None:
    assert addr.parse_zone("fe80::1%eth0") == (addr.parse("fe80::1"), "eth0")
    assert addr.parse_zone("10.0.0.1") == (b"\x0a\0\0\1", "")
    for bad in ("fe80::1%", "10.0.0.1%eth0", "%eth0"):
        with pytest.raises(ValueError, match="zone"):
            addr.parse_zone(bad)


def test_prefixes() -> None:
    assert addr.parse_prefix("10.0.2.15/24") == (b"\x0a\0\x02\x0f", 24)
    assert addr.parse_prefix("2001:db8::/32")[1] == 32
    assert addr.parse_prefix("::1")[1] == 128
    for bad in ("10.0.0.1/33", "::/129", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/٤"):
        with pytest.raises(ValueError, match="prefix"):
            addr.parse_prefix(bad)


def test_prefix_arithmetic_is_that_of_ipaddress() -> None:
    rng = random.Random(7)
    for size in (4, 16):
        for _ in range(300):
            address, length = rng.randbytes(size), rng.randrange(size * 8 + 1)
            net = ipaddress.ip_network((address, length), strict=False)
            assert addr.network(address, length) == net.network_address.packed
            assert addr.broadcast(address, length) == net.broadcast_address.packed
            assert addr.mask(length, size) == net.netmask.packed
            assert addr.mask_length(net.netmask.packed) == length
            other = rng.randbytes(size) if rng.random() < 0.5 else addr.broadcast(address, length)
            assert addr.in_prefix(other, address, length) == (ipaddress.ip_address(other) in net)
            same = addr.common_prefix_length(address, other)
            assert addr.network(address, same) == addr.network(other, same)
            assert same == size * 8 or addr.network(address, same + 1) != addr.network(
                other, same + 1
            )
    assert not addr.in_prefix(bytes(4), bytes(16), 0)


def test_a_mask_with_a_gap_is_none() -> None:
    with pytest.raises(ValueError, match=r"255\.0\.255\.0"):
        addr.mask_length(b"\xff\0\xff\0")


def test_macs() -> None:
    mac = bytes.fromhex("525400123456")
    assert addr.mac_text(mac) == "52:54:00:12:34:56"
    assert addr.parse_mac("52:54:0:12:34:56") == addr.parse_mac("52-54-00-12-34-56") == mac
    for bad in ("", "52:54:00:12:34", "52:54:00:12:34:56:78", "52:54:00:12:34:5g", "525:4:0:0:0:0"):
        with pytest.raises(ValueError, match="MAC"):
            addr.parse_mac(bad)
    assert addr.interface_id(mac).hex() == "505400fffe123456"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("127.1.2.3", "loopback"),
        ("::1", "loopback"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.0", ""),
        ("ff02::1", "multicast"),
        ("169.254.3.4", "link_local"),
        ("fe80::1", "link_local"),
        ("febf::1", "link_local"),
        ("fec0::1", ""),
        ("10.1.2.3", "private"),
        ("172.31.0.1", "private"),
        ("172.32.0.1", ""),
        ("192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("2001:db8::1", ""),
    ],
)
def test_what_an_address_is_for(text: str, kinds: str) -> None:
    address = addr.parse(text)
    found = {
        "unspecified": addr.is_unspecified(address),
        "loopback": addr.is_loopback(address),
        "multicast": addr.is_multicast(address),
        "link_local": addr.is_link_local(address),
        "private": addr.is_private(address),
    }
    assert {name for name, value in found.items() if value} == set(kinds.split())


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("127.0.0.1", addr.LINK_LOCAL),
        ("169.254.0.1", addr.LINK_LOCAL),
        ("10.0.0.1", addr.GLOBAL),
        ("::1", addr.LINK_LOCAL),
        ("fe80::1", addr.LINK_LOCAL),
        ("fec0::1", addr.SITE_LOCAL),
        ("fd00::1", addr.GLOBAL),
        ("ff01::1", addr.NODE_LOCAL),
        ("ff02::1", addr.LINK_LOCAL),
        ("ff0e::1", addr.GLOBAL),
    ],
)
def test_scopes(text: str, scope: int) -> None:
    assert addr.scope(addr.parse(text)) == scope


def test_zones_are_needed_where_an_address_is_of_one_link() -> None:
    for text, needed in (("fe80::1", True), ("ff02::1", True), ("ff05::1", False), ("::1", False)):
        assert addr.needs_zone(addr.parse(text)) == needed
    assert not addr.needs_zone(addr.parse("169.254.0.1"))


def test_sources_that_no_wire_may_bring() -> None:
    for text in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.1.2.3", "250.0.0.1"):
        assert not addr.is_source4(addr.parse(text))
    for text in ("0.0.0.0", "10.0.0.1", "1.1.1.1"):
        assert addr.is_source4(addr.parse(text))
    assert addr.is_reserved4(addr.parse("240.0.0.1"))
    assert not addr.is_reserved4(addr.BROADCAST4)


def test_mapped_addresses() -> None:
    mapped = addr.parse("::ffff:10.0.0.1")
    assert addr.is_mapped(mapped)
    assert addr.from_mapped(mapped) == addr.parse("10.0.0.1")
    assert addr.to_mapped(addr.parse("10.0.0.1")) == mapped
    assert not addr.is_mapped(addr.parse("::1"))
    assert not addr.is_mapped(addr.parse("10.0.0.1"))


def test_groups_and_their_macs() -> None:
    assert addr.mac_text(addr.multicast_mac(addr.parse("224.128.1.2"))) == "01:00:5e:00:01:02"
    assert addr.mac_text(addr.multicast_mac(addr.parse("ff02::1:ff28:9c5a"))) == (
        "33:33:ff:28:9c:5a"
    )
    # RFC 4291, 2.7.1
    assert addr.solicited_node(addr.parse("4037::01:800:200e:8c6c")) == addr.parse(
        "ff02::1:ff0e:8c6c"
    )
