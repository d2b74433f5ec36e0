"""Choosing source and destination addresses: the examples of RFC 6724 (sections 10.1 to 10.3)."""

from __future__ import annotations

import pytest

from ovum.net.iface.address import DEPRECATED, PREFERRED, TENTATIVE, Address
from ovum.net.iface.selection import choose_source, order_destinations, policy
from ovum.net.wire import addr


def address(
    text: str, length: int = 64, state: int = PREFERRED, interface: int = 2, temporary: bool = False
) -> Address:
    made = Address(interface, addr.parse(text), length, state)
    made.temporary = temporary
    return made


def chosen(destination: str, *candidates: Address, temporary: bool = False) -> str:
    for order in (candidates, candidates[::-1]):
        best = choose_source(order, addr.parse(destination), 2, temporary)
        assert best is not None
        text = addr.text(best.address)
        if order is candidates:
            first = text
        assert text == first
    return first


@pytest.mark.parametrize(
    ("destination", "candidates", "expected"),
    [
        # 10.1, in the order of the text
        ("2001:db8:1::1", ["2001:db8:3::1", "fe80::1"], "2001:db8:3::1"),
        ("ff05::1", ["2001:db8:3::1", "fe80::1"], "2001:db8:3::1"),
        ("2001:db8:1::1", ["2001:db8:1::1", "2001:db8:2::1"], "2001:db8:1::1"),
        ("fe80::1", ["fe80::2", "2001:db8:1::1"], "fe80::2"),
        ("2001:db8:1::1", ["2001:db8:1::2", "2001:db8:3::2"], "2001:db8:1::2"),
        ("2002:c633:6401::1", ["2002:c633:6401:0:d5e3:7953:13eb:22e8", "2001:db8:1::2"],
         "2002:c633:6401:0:d5e3:7953:13eb:22e8"),
        ("2001:db8:1::d5e3:0:0:1", ["2001:db8:1::2", "2001:db8:1::d5e3:7953:13eb:22e8"],
         "2001:db8:1::2"),
        # Unique local and global addresses have labels of their own.
        ("fd00:1::1", ["2001:db8::1", "fd00:2::1"], "fd00:2::1"),
        ("2001:db8::9", ["fd00:2::1", "2001:db8::1"], "2001:db8::1"),
        ("ff02::1", ["2001:db8::1", "fe80::1"], "fe80::1"),
    ],
)  # fmt: skip
def test_sources(destination: str, candidates: list[str], expected: str) -> None:
    if destination == "2001:db8:1::d5e3:0:0:1":
        # Rule 8 stops at the prefix's end; the first given stays. Temporary is rule 7's.
        best = choose_source([address(each) for each in candidates], addr.parse(destination), 2)
        assert best is not None
        assert addr.text(best.address) == expected
        return
    assert chosen(destination, *map(address, candidates)) == expected


def test_deprecated_addresses_come_last_but_before_too_small_scopes() -> None:
    old = address("2001:db8:1::2", state=DEPRECATED)
    assert chosen("2001:db8:1::1", old, address("2001:db8:9::2")) == "2001:db8:9::2"
    assert chosen("2001:db8:1::1", old, address("fe80::2")) == "2001:db8:1::2"


def test_tentative_addresses_are_none() -> None:
    assert choose_source([address("2001:db8::1", state=TENTATIVE)], addr.parse("::2"), 2) is None


def test_the_outgoing_interface_is_preferred() -> None:
    other = address("2001:db8:1::2", interface=3)
    assert chosen("2001:db8:1::1", other, address("2001:db8:9::2")) == "2001:db8:9::2"


def test_temporary_addresses_if_they_are_wanted() -> None:
    stable = address("2001:db8:1::2")
    passing = address("2001:db8:1::d5e3:7953:13eb:22e8", temporary=True)
    assert chosen("2001:db8:2::1", stable, passing, temporary=True) == addr.text(passing.address)
    assert chosen("2001:db8:2::1", stable, passing) == "2001:db8:1::2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("::1", (50, 0)),
        ("2001:db8::1", (40, 1)),
        ("198.51.100.1", (35, 4)),
        ("::ffff:198.51.100.1", (35, 4)),
        ("2002::1", (30, 2)),
        ("2001::1", (5, 5)),
        ("fc00::1", (3, 13)),
        ("::198.51.100.1", (1, 3)),
        ("fec0::1", (1, 11)),
        ("3ffe::1", (1, 12)),
    ],
)
def test_the_policy_table(text: str, expected: tuple[int, int]) -> None:
    assert policy(addr.parse(text)) == expected


@pytest.mark.parametrize(
    ("destinations", "sources", "expected"),
    [
        # 10.2
        (["2001:db8:1::1", "198.51.100.121"], ["2001:db8:1::2", "fe80::1", "169.254.13.78"], 0),
        (["2001:db8:1::1", "198.51.100.121"], ["fe80::1", "198.51.100.117"], 1),
        (["2001:db8:1::1", "10.1.2.3"], ["2001:db8:1::2", "fe80::1", "10.1.2.4"], 0),
        (["2001:db8:1::1", "fe80::1"], ["2001:db8:1::2", "fe80::2"], 1),
        (["2001:db8:1::1", "2001:db8:3ffe::1"], ["2001:db8:1::2"], 0),
        (["2002:c633:6401::1", "2001:db8:1::1"], ["2002:c633:6401::2", "fe80::2"], 0),
        (["2002:c633:6401::1", "2001:db8:1::1"],
         ["2002:c633:6401::2", "2001:db8:1::2", "fe80::2"], 1),
        # There is no way to one of them.
        (["2001:db8::1", "198.51.100.1"], ["198.51.100.2"], 1),
    ],
)  # fmt: skip
def test_destinations(destinations: list[str], sources: list[str], expected: int) -> None:
    candidates = list(map(address, sources))

    def source_of(destination: bytes) -> Address | None:
        fitting = [each for each in candidates if len(each.address) == len(destination)]
        return choose_source(fitting, destination, 2)

    parsed = list(map(addr.parse, destinations))
    for order in (parsed, parsed[::-1]):
        assert order_destinations(order, source_of)[0] == parsed[expected]
