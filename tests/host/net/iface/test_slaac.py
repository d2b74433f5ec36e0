"""Addresses from advertised prefixes (RFC 4862, 5.5), and their lifetimes."""

from __future__ import annotations

import pytest

from ovum.net.iface.address import DEPRECATED, PREFERRED, TENTATIVE, Address
from ovum.net.settings import SECOND
from ovum.net.wire import addr
from ovum.net.wire.ndp_options import Options, Prefix

from .lab import FAR6, Lab, solicitation
from .test_routers import ra

PREFIX = addr.parse("2001:db8:9::")
MADE = addr.parse("2001:db8:9::ff:fe00:1")
HOURS = 3600


@pytest.fixture
def lab() -> Lab:
    return Lab()


def advertise(
    lab: Lab, valid_s: int, preferred_s: int, length: int = 64, prefix: bytes = PREFIX
) -> None:
    options = Options()
    options.prefixes.append(Prefix(prefix, length, True, True, valid_s, preferred_s))
    lab.give(ra(1800, options))


def made(lab: Lab) -> Address:
    return lab.link.addresses6[MADE]


def valid_s(lab: Lab) -> int:
    until = made(lab).valid_until
    assert until is not None
    return (until - lab.now) // SECOND


def test_an_address_is_made_and_checked(lab: Lab) -> None:
    advertise(lab, 86400, 14400)
    assert made(lab).state == TENTATIVE
    lab.wait(3 * SECOND)
    assert made(lab).state == PREFERRED
    assert lab.stack.is_local(MADE)


def test_it_is_deprecated_then_gone(lab: Lab) -> None:
    advertise(lab, 20, 10)
    lab.wait(9 * SECOND)
    assert made(lab).state == PREFERRED
    lab.wait(SECOND)
    assert made(lab).state == DEPRECATED
    assert lab.stack.is_local(MADE)
    lab.wait(10 * SECOND)
    assert MADE not in lab.link.addresses6
    assert not lab.stack.is_local(MADE)
    assert lab.count("address_expired") == 1


def test_a_deprecated_address_is_the_last_choice(lab: Lab) -> None:
    lab.stack.del_address(lab.now, lab.link, addr.parse("2001:db8::1"))
    advertise(lab, 20, 10)
    lab.wait(3 * SECOND)
    assert lab.stack.path(FAR6).local == MADE
    lab.wait(7 * SECOND)
    other = addr.parse("2001:db8:a::1")
    lab.stack.add_address(lab.now, lab.link, other, 64, check=False)
    assert lab.stack.path(FAR6).local == other
    assert lab.stack.path(FAR6, MADE).local == MADE


def test_a_longer_lifetime_is_taken(lab: Lab) -> None:
    advertise(lab, 1000, 500)
    advertise(lab, 2000, 500)
    assert valid_s(lab) == 2000


@pytest.mark.parametrize(
    ("left", "offered", "expected"),
    [
        (10 * HOURS, 3 * HOURS, 3 * HOURS),  # more than two hours: taken
        (10 * HOURS, 60, 2 * HOURS),  # a short one ends nothing in less than two hours
        (10 * HOURS, 0, 2 * HOURS),
        (1 * HOURS, 60, 1 * HOURS),  # less is left than two hours: ignored
        (1 * HOURS, 2 * HOURS, 2 * HOURS),
        (0xFFFFFFFF, 1, 2 * HOURS),
    ],
)
def test_the_two_hours(lab: Lab, left: int, offered: int, expected: int) -> None:
    advertise(lab, left, 10)
    advertise(lab, offered, 0)
    assert valid_s(lab) == expected


def test_the_preferred_lifetime_is_always_taken(lab: Lab) -> None:
    advertise(lab, 10 * HOURS, 5 * HOURS)
    lab.wait(3 * SECOND)
    advertise(lab, 10 * HOURS, 0)
    assert made(lab).state == DEPRECATED
    advertise(lab, 10 * HOURS, 10)
    assert made(lab).state == PREFERRED


@pytest.mark.parametrize(
    ("valid", "preferred", "length", "prefix"),
    [
        (100, 200, 64, PREFIX),
        (100, 100, 48, PREFIX),
        (100, 100, 65, PREFIX),
        (100, 100, 64, addr.parse("fe80::")),
        (100, 100, 64, addr.parse("ff02::")),
        (0, 0, 64, PREFIX),
    ],
)
def test_prefixes_of_which_no_address_is_made(
    lab: Lab, valid: int, preferred: int, length: int, prefix: bytes
) -> None:
    before = set(lab.link.addresses6)
    advertise(lab, valid, preferred, length, prefix)
    assert set(lab.link.addresses6) == before


def test_another_identifier_if_somebody_has_the_address(lab: Lab) -> None:
    advertise(lab, 86400, 14400)
    lab.give(solicitation(MADE, bytes(16), mac=None))
    assert MADE not in lab.link.addresses6
    (other,) = (each for each in lab.link.addresses6 if addr.in_prefix(each, PREFIX, 64))
    lab.wait(3 * SECOND)
    assert lab.link.addresses6[other].state == PREFERRED
    advertise(lab, 86400, 14400)  # refreshes that one, and makes none beside it
    assert [each for each in lab.link.addresses6 if addr.in_prefix(each, PREFIX, 64)] == [other]
