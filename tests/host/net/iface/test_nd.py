"""Neighbor discovery (RFC 4861, section 7 and appendix C): each transition of a neighbor's state,
and whom to answer."""

from __future__ import annotations

from errno import EHOSTUNREACH

import pytest

from ovum.net.iface.events import CONFLICT
from ovum.net.iface.neighbor import (
    DELAY,
    FAILED,
    INCOMPLETE,
    PROBE,
    REACHABLE,
    STALE,
    Neighbor,
)
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, ndp

from .lab import (
    MAC,
    OTHER_MAC,
    OUR_MAC,
    PEER6,
    PEER_LINK,
    US6,
    US_LINK,
    Lab,
    advertisement,
    ipv6_of,
    ndp_of,
    solicitation,
)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def neighbor(lab: Lab) -> Neighbor:
    return lab.link.nd.entries[PEER6]


def send(lab: Lab, data: bytes = b"data") -> None:
    endpoint, _ = lab.endpoint(6)
    endpoint.send(data, PEER6, 9)


def enter(lab: Lab, state: int) -> None:
    """Has the neighbor come to a state, by what may really happen."""
    if state == INCOMPLETE:
        send(lab)
    else:
        lab.know(PEER6)
        if state == STALE:
            lab.wait(46 * SECOND)
        elif state in (DELAY, PROBE, FAILED):
            lab.wait(46 * SECOND)
            send(lab)
            if state != DELAY:
                lab.wait(5 * SECOND)
            if state == FAILED:
                lab.wait(3 * SECOND)
    assert neighbor(lab).state == state
    lab.sent()


def answer(
    mac: bytes | None = MAC,
    solicited: bool = True,
    override: bool = True,
    router: bool = False,
) -> bytes:
    return advertisement(PEER6, mac, solicited=solicited, override=override, router=router, dst=US6)


# Asking


def test_a_packet_for_somebody_unknown_asks_the_solicited_node_group(lab: Lab) -> None:
    send(lab)
    frame = lab.sent_one()
    header, _ = ipv6_of(frame)
    message = ndp_of(frame)
    assert isinstance(message, ndp.NeighborSolicitation)
    assert (message.target, message.options.source_mac) == (PEER6, OUR_MAC)
    assert header.dst == addr.solicited_node(PEER6)
    assert header.src == US6
    assert header.hop_limit == 255
    assert frame[:6] == addr.multicast_mac(header.dst)


def test_at_most_three_solicitations_and_then_the_sender_is_told(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(6)
    endpoint.send(b"lost", PEER6, 9)
    lab.wait(10 * SECOND)
    assert len(lab.sent()) == 3
    assert neighbor(lab).state == FAILED
    error = queue.take_error()
    assert error is not None
    assert (error.errno, error.dst, error.src) == (EHOSTUNREACH, PEER6, US6)


# RFC 4861, appendix C: state, event -> state


@pytest.mark.parametrize(("solicited", "expected"), [(True, REACHABLE), (False, STALE)])
def test_incomplete_is_answered(lab: Lab, solicited: bool, expected: int) -> None:
    enter(lab, INCOMPLETE)
    lab.give(answer(solicited=solicited, override=False))
    assert (neighbor(lab).state, neighbor(lab).mac) == (expected, MAC)
    assert ipv6_of(lab.sent_one())[1][8:] == b"data"


def test_incomplete_is_not_answered_by_an_advertisement_without_a_mac(lab: Lab) -> None:
    enter(lab, INCOMPLETE)
    lab.give(answer(None))
    assert neighbor(lab).state == INCOMPLETE


def test_incomplete_times_out(lab: Lab) -> None:
    enter(lab, INCOMPLETE)
    lab.wait(2 * SECOND)
    assert neighbor(lab).state == INCOMPLETE
    lab.wait(SECOND)
    assert neighbor(lab).state == FAILED


def test_failed_asks_everybody_again(lab: Lab) -> None:
    enter(lab, FAILED)
    send(lab)
    assert isinstance(ndp_of(lab.sent_one()), ndp.NeighborSolicitation)
    assert neighbor(lab).state == INCOMPLETE


@pytest.mark.parametrize("state", [REACHABLE, STALE, DELAY, PROBE])
@pytest.mark.parametrize(
    ("mac", "solicited", "override", "expected_mac", "expected"),
    [
        # "-" is: stays what it was.
        (MAC, True, False, MAC, REACHABLE),
        (OTHER_MAC, True, True, OTHER_MAC, REACHABLE),
        (OTHER_MAC, True, False, MAC, None),
        (OTHER_MAC, False, True, OTHER_MAC, STALE),
        (OTHER_MAC, False, False, MAC, None),
        (MAC, False, True, MAC, "-"),
        (MAC, False, False, MAC, "-"),
        (None, True, True, MAC, REACHABLE),
        (None, False, False, MAC, "-"),
    ],
)
def test_an_advertisement_in_each_state(
    lab: Lab,
    state: int,
    mac: bytes | None,
    solicited: bool,
    override: bool,
    expected_mac: bytes,
    expected: int | str | None,
) -> None:
    enter(lab, state)
    lab.give(answer(mac, solicited, override))
    if expected is None:  # without override, another MAC makes only a REACHABLE entry doubtful
        expected = STALE if state == REACHABLE else state
    elif expected == "-":
        expected = state
    assert (neighbor(lab).state, neighbor(lab).mac) == (expected, expected_mac)


@pytest.mark.parametrize("state", [REACHABLE, STALE, DELAY, PROBE, FAILED, INCOMPLETE])
@pytest.mark.parametrize("mac", [MAC, OTHER_MAC])
def test_a_solicitation_in_each_state(lab: Lab, state: int, mac: bytes) -> None:
    enter(lab, state)
    lab.give(solicitation(US6, PEER6, mac=mac))
    same = mac == MAC and state not in (INCOMPLETE, FAILED)
    assert (neighbor(lab).state, neighbor(lab).mac) == (state if same else STALE, mac)


def test_reachable_becomes_stale(lab: Lab) -> None:
    enter(lab, REACHABLE)
    lab.wait(46 * SECOND)
    assert neighbor(lab).state == STALE
    assert not lab.sent()


def test_stale_becomes_delay_when_a_packet_is_sent(lab: Lab) -> None:
    enter(lab, STALE)
    send(lab)
    assert neighbor(lab).state == DELAY
    assert lab.sent_one()[:6] == MAC


def test_delay_becomes_probe_which_asks_the_neighbor_alone(lab: Lab) -> None:
    enter(lab, DELAY)
    lab.wait(5 * SECOND)
    assert neighbor(lab).state == PROBE
    frame = lab.sent_one()
    assert (frame[:6], ipv6_of(frame)[0].dst) == (MAC, PEER6)


@pytest.mark.parametrize("state", [STALE, DELAY, PROBE, REACHABLE])
def test_a_transport_confirms(lab: Lab, state: int) -> None:
    enter(lab, state)
    lab.stack.confirm(lab.stack.path(PEER6))
    assert neighbor(lab).state == REACHABLE


def test_probe_gives_up_after_three(lab: Lab) -> None:
    enter(lab, PROBE)
    lab.wait(2 * SECOND)
    assert neighbor(lab).state == PROBE
    lab.wait(SECOND)
    assert neighbor(lab).state == FAILED
    assert len(lab.sent()) == 2


def test_stale_is_forgotten(lab: Lab) -> None:
    enter(lab, STALE)
    lab.wait(600 * SECOND)
    assert PEER6 not in lab.link.nd.entries


def test_the_router_flag_is_taken_over(lab: Lab) -> None:
    enter(lab, INCOMPLETE)
    lab.give(answer(router=True))
    assert neighbor(lab).router
    lab.give(answer(router=False))
    assert not neighbor(lab).router


# Answering


def test_a_solicitation_is_answered_to_its_sender(lab: Lab) -> None:
    lab.give(solicitation(US6, PEER6))
    frame = lab.sent_one()
    header, _ = ipv6_of(frame)
    message = ndp_of(frame)
    assert isinstance(message, ndp.NeighborAdvertisement)
    assert (frame[:6], header.src, header.dst) == (MAC, US6, PEER6)
    assert (message.target, message.options.target_mac) == (US6, OUR_MAC)
    assert (message.solicited, message.override, message.router) == (True, True, False)


def test_somebody_who_checks_our_address_is_told_with_all_others(lab: Lab) -> None:
    lab.give(solicitation(US6, bytes(16), mac=None))
    frame = lab.sent_one()
    message = ndp_of(frame)
    assert isinstance(message, ndp.NeighborAdvertisement)
    assert ipv6_of(frame)[0].dst == addr.ALL_NODES6
    assert not message.solicited


def test_a_solicitation_without_a_mac_is_answered_after_asking(lab: Lab) -> None:
    lab.give(solicitation(US6, PEER6, US6, mac=None))
    assert isinstance(ndp_of(lab.sent_one()), ndp.NeighborSolicitation)
    lab.give(answer())
    message = ndp_of(lab.sent_one())
    assert isinstance(message, ndp.NeighborAdvertisement)
    assert message.solicited


def test_solicitations_for_others_are_not_answered(lab: Lab) -> None:
    lab.give(solicitation(PEER_LINK, PEER6, US6))
    assert not lab.sent()
    assert lab.count("nd_target_not_ours") == 1


def test_an_advertisement_that_nobody_asked_for_is_ignored(lab: Lab) -> None:
    lab.give(advertisement(PEER6, solicited=False, dst=addr.ALL_NODES6))
    assert not lab.link.nd.entries
    assert lab.count("nd_advertisement_unasked") == 1


def test_an_advertisement_of_our_address_is_told(lab: Lab) -> None:
    lab.give(advertisement(US6, solicited=False, dst=addr.ALL_NODES6, src=PEER6))
    assert lab.count("nd_conflict") == 1
    assert (CONFLICT, lab.link.addresses6[US6]) in lab.told


@pytest.mark.parametrize(
    "frame",
    [
        solicitation(US6, PEER6, mac=b"\x03\0\0\0\0\1"),
        advertisement(PEER6, b"\x03\0\0\0\0\1"),
    ],
)
def test_a_mac_of_a_group_is_none(lab: Lab, frame: bytes) -> None:
    lab.link.nd.find(PEER6)
    lab.give(frame)
    assert lab.count("nd_mac_is_group") == 1
    assert not neighbor(lab).mac


def test_discovery_from_beyond_a_router_is_dropped(lab: Lab) -> None:
    frame = bytearray(solicitation(US6, PEER6))
    frame[21] = 254
    lab.give(bytes(frame))
    assert lab.count("ndp_hop_limit_bad") == 1
    assert not lab.sent()


def test_a_flood_of_strangers_leaves_the_table_bounded_and_friends_in_it() -> None:
    settings = Settings()
    settings.neighbors_max = 64
    lab = Lab(settings)
    lab.know(PEER6)
    for number in range(3000):
        src = PEER6[:8] + (1000 + number).to_bytes(8, "big")
        lab.give(solicitation(US6, src, mac=b"\x02\x05" + number.to_bytes(4, "big")))
        lab.sent()
    assert len(lab.link.nd.entries) <= 64
    assert neighbor(lab).state == REACHABLE


def test_solicitations_without_a_mac_from_many_are_bounded() -> None:
    settings = Settings()
    settings.neighbors_max = 64
    lab = Lab(settings)
    for number in range(1000):
        lab.give(solicitation(US6, PEER6[:8] + number.to_bytes(8, "big"), US6, mac=None))
        lab.sent()
    assert len(lab.link.nd.entries) <= 64
    assert lab.link.nd.waiting <= settings.pending_max
    lab.wait(10 * SECOND)
    assert lab.link.nd.waiting == 0


def test_link_local_neighbors_are_asked_from_the_link_local_address(lab: Lab) -> None:
    endpoint, _ = lab.endpoint(6)
    endpoint.send(b"x", PEER_LINK, 9, scope=lab.link.index)
    assert ipv6_of(lab.sent_one())[0].src == US_LINK
