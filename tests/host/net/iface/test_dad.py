"""Duplicate address detection (RFC 4862, 5.4): tentative addresses, and what becomes of them."""

from __future__ import annotations

from errno import EADDRNOTAVAIL

import pytest

from ovum.net.iface.address import DUPLICATE, PREFERRED, TENTATIVE
from ovum.net.iface.events import CONFLICT
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, ndp

from .lab import (
    MAC,
    OUR_MAC,
    PEER6,
    PEER_LINK,
    US_LINK,
    Lab,
    advertisement,
    ipv6_of,
    kind_of,
    ndp_of,
    solicitation,
)

NEW = addr.parse("2001:db8::abcd")


@pytest.fixture
def lab() -> Lab:
    return Lab()


def add(lab: Lab) -> None:
    lab.stack.add_address(lab.now, lab.link, NEW, 64)


def probes(lab: Lab) -> list[ndp.NeighborSolicitation]:
    found = []
    for frame in lab.sent():
        if kind_of(frame) == 0x86DD and ipv6_of(frame)[1][0] == 135:
            message = ndp_of(frame)
            assert isinstance(message, ndp.NeighborSolicitation)
            assert ipv6_of(frame)[0].src == bytes(16)
            assert ipv6_of(frame)[0].dst == addr.solicited_node(message.target)
            assert message.options.source_mac is None
            found.append(message)
    return found


def test_the_link_local_address_is_the_first_and_is_checked() -> None:
    lab = Lab(quiet=False)
    address = lab.link.addresses6[US_LINK]
    assert address.state == TENTATIVE
    lab.wait(SECOND)
    assert [each.target for each in probes(lab)] == [US_LINK]
    lab.wait(SECOND)
    assert address.state == PREFERRED
    assert lab.count("dad_unique") == 1


def test_a_tentative_address_is_not_used(lab: Lab) -> None:
    add(lab)
    assert not lab.stack.is_local(NEW)
    with pytest.raises(OSError) as raised:
        lab.stack.path(PEER6, NEW)
    assert raised.value.errno == EADDRNOTAVAIL
    lab.give(solicitation(NEW, PEER6))
    assert not [frame for frame in lab.sent() if ipv6_of(frame)[1][0] == 136]
    assert lab.count("nd_target_tentative") == 1
    lab.wait(3 * SECOND)
    assert lab.stack.is_local(NEW)


def test_somebody_has_it_and_says_so(lab: Lab) -> None:
    add(lab)
    address = lab.link.addresses6[NEW]
    lab.wait(SECOND)
    lab.give(advertisement(NEW, solicited=False, dst=addr.ALL_NODES6))
    assert address.state == DUPLICATE
    assert NEW not in lab.link.addresses6
    assert (CONFLICT, address) in lab.told
    assert lab.count("dad_duplicate") == 1


def test_somebody_else_checks_it_at_the_same_time(lab: Lab) -> None:
    add(lab)
    lab.give(solicitation(NEW, bytes(16), mac=None, nonce=b"theirs"))
    assert NEW not in lab.link.addresses6


def test_our_own_question_sent_back_says_nothing(lab: Lab) -> None:
    add(lab)
    lab.wait(SECOND)
    lab.give(*lab.sent())
    assert lab.count("dad_looped_back") == 1
    lab.wait(2 * SECOND)
    assert lab.link.addresses6[NEW].state == PREFERRED


def test_a_duplicate_link_local_address_is_replaced_by_another() -> None:
    lab = Lab(quiet=False)
    lab.wait(SECOND)
    lab.give(solicitation(US_LINK, bytes(16), mac=None))
    lab.wait(5 * SECOND)
    assert US_LINK not in lab.link.addresses6
    address = lab.link.link_local()
    assert address is not None
    assert address[:8] == US_LINK[:8]


def test_an_attacker_who_has_every_address_is_given_up_to() -> None:
    lab = Lab(quiet=False)
    for _ in range(20):
        lab.wait(SECOND)
        for message in probes(lab):
            lab.give(advertisement(message.target, solicited=False, dst=addr.ALL_NODES6))
    assert lab.link.link_local() is None
    assert lab.count("slaac_given_up") == 1
    assert lab.count("dad_duplicate") == 1 + lab.stack.settings.dad_retries


def test_no_check_if_none_is_wanted() -> None:
    settings = Settings()
    settings.dad_transmits = 0
    lab = Lab(settings, quiet=False)
    assert lab.link.link_local() == US_LINK


def test_a_pulled_cable_stops_the_check_and_plugging_begins_it_anew(lab: Lab) -> None:
    add(lab)
    lab.stack.link_changed(lab.now, lab.link, False)
    lab.wait(10 * SECOND)
    assert lab.link.addresses6[NEW].state == TENTATIVE
    lab.stack.link_changed(lab.now, lab.link, True)
    lab.wait(10 * SECOND)
    assert lab.link.addresses6[NEW].state == PREFERRED


def test_a_checked_address_answers(lab: Lab) -> None:
    add(lab)
    lab.wait(3 * SECOND)
    lab.sent()
    lab.give(solicitation(NEW, PEER_LINK))
    message = ndp_of(lab.sent_one())
    assert isinstance(message, ndp.NeighborAdvertisement)
    assert message.options.target_mac == OUR_MAC
    assert lab.link.nd.entries[PEER_LINK].mac == MAC
