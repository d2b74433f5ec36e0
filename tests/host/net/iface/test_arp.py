"""ARP (RFC 826, RFC 1122 section 2.3.2): resolving, answering, and whom to believe."""

from __future__ import annotations

from errno import EHOSTUNREACH

import pytest

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
from ovum.net.wire import arp

from .lab import (
    ALL,
    FAR,
    MAC,
    NO_MAC,
    OTHER,
    OTHER_MAC,
    OUR_MAC,
    PEER,
    US,
    Lab,
    Listener,
    arp_frame,
    arp_of,
    ipv4_of,
    udp_frame,
)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def neighbor(lab: Lab, address: bytes = PEER) -> Neighbor:
    return lab.link.arp.entries[address]


def ask(lab: Lab, data: bytes = b"data") -> None:
    endpoint, _ = lab.endpoint()
    endpoint.send(data, PEER, 9)


def reply(mac: bytes = MAC, sender: bytes = PEER) -> bytes:
    return arp_frame(arp.REPLY, mac, sender, US, OUR_MAC, to=OUR_MAC)


def test_the_first_packet_asks_and_waits_for_the_answer(lab: Lab) -> None:
    ask(lab)
    frame = lab.sent_one()
    request = arp_of(frame)
    assert frame[:6] == ALL
    assert (request.operation, request.sender, request.sender_mac) == (arp.REQUEST, US, OUR_MAC)
    assert (request.target, request.target_mac) == (PEER, NO_MAC)
    assert neighbor(lab).state == INCOMPLETE
    lab.give(reply())
    frame = lab.sent_one()
    assert frame[:6] == MAC
    assert ipv4_of(frame)[1][8:] == b"data"
    assert neighbor(lab).state == REACHABLE


def test_at_most_one_request_a_second_goes_to_a_destination(lab: Lab) -> None:
    for _ in range(20):
        ask(lab)
    assert len(lab.sent()) == 1
    lab.wait(SECOND - 1)
    assert not lab.sent()
    lab.wait(1)
    assert len(lab.sent()) == 1


def test_after_three_requests_the_senders_are_told(lab: Lab) -> None:
    endpoint, queue = lab.endpoint()
    endpoint.send(b"lost", PEER, 9)
    lab.wait(4 * SECOND)
    assert len(lab.sent()) == 3
    assert neighbor(lab).state == FAILED
    error = queue.take_error()
    assert error is not None
    assert (error.errno, error.dst, error.src, error.hard) == (EHOSTUNREACH, PEER, US, False)
    assert lab.count("neighbor_unreachable") == 1


def test_what_did_not_answer_is_not_asked_again_for_three_seconds(lab: Lab) -> None:
    ask(lab)
    lab.wait(3 * SECOND)
    assert len(lab.sent()) == 3
    ask(lab)
    assert not lab.sent()
    assert lab.count("neighbor_failed") == 1
    lab.wait(3 * SECOND)
    ask(lab)
    assert arp_of(lab.sent_one()).target == PEER
    assert neighbor(lab).state == INCOMPLETE


def test_few_packets_wait_for_one_neighbor_the_oldest_are_lost(lab: Lab) -> None:
    lab.stack.settings.neighbor_pending_max = 3
    endpoint, _ = lab.endpoint()
    for number in range(5):
        endpoint.send(b"%d" % number, PEER, 9)
    assert lab.count("neighbor_pending_full") == 2
    lab.sent()
    lab.give(reply())
    assert [ipv4_of(frame)[1][8:] for frame in lab.sent()] == [b"2", b"3", b"4"]


def test_a_request_for_us_is_answered_and_its_sender_remembered(lab: Lab) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, PEER, US))
    frame = lab.sent_one()
    answer = arp_of(frame)
    assert frame[:6] == MAC
    assert (answer.operation, answer.sender, answer.sender_mac) == (arp.REPLY, US, OUR_MAC)
    assert (answer.target, answer.target_mac) == (PEER, MAC)
    assert neighbor(lab).state == STALE


def test_a_request_for_another_teaches_nothing_new(lab: Lab) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, PEER, OTHER))
    assert not lab.sent()
    assert PEER not in lab.link.arp.entries


def test_a_request_from_outside_of_the_network_is_answered_but_not_remembered(lab: Lab) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, FAR, US))
    assert arp_of(lab.sent_one()).operation == arp.REPLY
    assert FAR not in lab.link.arp.entries


def test_a_probe_for_our_address_is_answered(lab: Lab) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, bytes(4), US))
    assert arp_of(lab.sent_one()).sender == US
    assert not lab.link.arp.entries


def test_a_reply_that_nobody_asked_for_is_ignored(lab: Lab) -> None:
    lab.give(reply())
    assert PEER not in lab.link.arp.entries
    assert lab.count("arp_reply_unasked") == 1


def test_another_mac_is_not_believed_before_the_known_one_was_asked(lab: Lab) -> None:
    lab.know()
    lab.give(reply(OTHER_MAC))
    frame = lab.sent_one()
    assert frame[:6] == MAC
    assert arp_of(frame).target == PEER
    assert (neighbor(lab).mac, neighbor(lab).state) == (MAC, PROBE)
    assert lab.count("arp_mac_changed") == 1
    lab.give(reply())
    assert (neighbor(lab).mac, neighbor(lab).state) == (MAC, REACHABLE)


def test_a_neighbor_that_has_moved_is_found_again(lab: Lab) -> None:
    lab.know()
    lab.give(arp_frame(arp.REQUEST, OTHER_MAC, PEER, PEER))
    lab.wait(4 * SECOND)
    lab.sent()
    assert neighbor(lab).state == FAILED
    ask(lab)
    assert lab.sent_one()[:6] == ALL
    lab.give(reply(OTHER_MAC))
    assert lab.sent_one()[:6] == OTHER_MAC


def test_a_gratuitous_announcement_of_somebody_unknown_is_ignored(lab: Lab) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, PEER, PEER))
    assert not lab.link.arp.entries
    assert not lab.sent()


def test_entries_age_and_are_checked_when_they_are_used(lab: Lab) -> None:
    lab.know()
    lab.wait(46 * SECOND)
    assert neighbor(lab).state == STALE
    ask(lab)
    assert lab.sent_one()[:6] == MAC
    assert neighbor(lab).state == DELAY
    lab.wait(5 * SECOND)
    frame = lab.sent_one()
    assert (frame[:6], arp_of(frame).target) == (MAC, PEER)
    assert neighbor(lab).state == PROBE
    lab.give(reply())
    assert neighbor(lab).state == REACHABLE


def test_entries_that_nobody_uses_are_forgotten(lab: Lab) -> None:
    lab.know()
    lab.wait(700 * SECOND)
    assert not lab.link.arp.entries


@pytest.mark.parametrize(
    ("sender", "mac", "counter"),
    [
        (US, MAC, "arp_sender_is_ours"),
        (PEER, OUR_MAC, "arp_from_us"),
        (b"\xe0\0\0\1", MAC, "arp_sender_bad"),
        (b"\xff" * 4, MAC, "arp_sender_bad"),
        (b"\x7f\0\0\1", MAC, "arp_sender_bad"),
        (b"\xc0\0\2\xff", MAC, "arp_sender_bad"),
        (PEER, b"\x03\0\0\0\0\0", "arp_sender_is_group"),
    ],
)
def test_senders_that_cannot_be(lab: Lab, sender: bytes, mac: bytes, counter: str) -> None:
    lab.give(arp_frame(arp.REQUEST, mac, sender, US))
    assert lab.count(counter) == 1
    assert not lab.link.arp.entries


def test_the_mac_inside_must_be_the_mac_outside(lab: Lab) -> None:
    frame = arp_frame(arp.REQUEST, MAC, PEER, US)
    lab.give(frame[:6] + OTHER_MAC + frame[12:])
    assert lab.count("arp_sender_mac_differs") == 1
    assert not lab.sent()


def test_a_new_address_is_announced_twice() -> None:
    lab = Lab(quiet=False)
    lab.wait(10 * SECOND)
    packets = [arp_of(frame) for frame in lab.sent() if frame[12:14] == b"\x08\x06"]
    assert [(each.sender, each.target) for each in packets] == [(US, US), (US, US)]


def test_a_flood_of_strangers_leaves_the_table_bounded_and_friends_in_it() -> None:
    settings = Settings()
    settings.neighbors_max = 64
    lab = Lab(settings)
    lab.know()
    for number in range(5000):
        mac = b"\x02\x01" + number.to_bytes(4, "big")
        sender = b"\xc0\0\2" + bytes((4 + number % 250,))
        lab.give(arp_frame(arp.REQUEST, mac, sender, US))
        lab.sent()
    assert len(lab.link.arp.entries) <= 64
    assert neighbor(lab).state == REACHABLE
    assert lab.count("neighbor_evicted") > 0


def test_a_connected_sender_goes_on_after_its_neighbor_was_forgotten(lab: Lab) -> None:
    endpoint, _ = lab.endpoint()
    lab.know()
    endpoint.connect(PEER, 9)
    endpoint.send(b"1")
    assert lab.sent_one()[:6] == MAC
    lab.link.arp.clear()
    endpoint.send(b"2")
    assert arp_of(lab.sent_one()).target == PEER
    lab.give(reply(OTHER_MAC))
    frame = lab.sent_one()
    assert (frame[:6], ipv4_of(frame)[1][8:]) == (OTHER_MAC, b"2")


def test_a_transport_that_gets_answers_keeps_its_neighbor_reachable(lab: Lab) -> None:
    lab.know()
    path = lab.stack.path(PEER)
    for _ in range(100):
        lab.wait(5 * SECOND)
        lab.stack.confirm(path)
    assert neighbor(lab).state == REACHABLE
    assert not lab.sent()


def test_no_answer_reaches_other_protocols_too(lab: Lab) -> None:
    listener = Listener(lab.stack)
    lab.stack.send(lab.stack.path(PEER), 253, (b"12345678", b"more"))
    lab.wait(4 * SECOND)
    assert [bytes(error.payload) for error in listener.errors] == [b"12345678"]


def test_frames_to_others_are_not_ours(lab: Lab) -> None:
    lab.give(udp_frame(b"x", 9, to=OTHER_MAC))
    assert lab.count("ethernet_not_for_us") == 1
