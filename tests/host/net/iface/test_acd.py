"""Conflicts of IPv4 addresses (RFC 5227): probe, announce, defend."""

from __future__ import annotations

import pytest

from ovum.net.iface.events import CONFLICT
from ovum.net.settings import SECOND
from ovum.net.wire import arp

from .lab import ALL, MAC, OTHER, OUR_MAC, PEER, US, Lab, arp_frame, arp_of


class Answer:
    """What a probe has found."""

    def __init__(self) -> None:
        self.values: list[bool] = []

    def __call__(self, now: int, free: bool) -> None:
        self.values.append(free)


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def answer(lab: Lab) -> Answer:
    answer = Answer()
    lab.stack.probe_address(lab.now, lab.link, OTHER, answer)
    return answer


def test_three_probes_and_silence_say_that_an_address_is_free(lab: Lab, answer: Answer) -> None:
    lab.wait(4 * SECOND)
    assert not answer.values
    lab.wait(3 * SECOND)
    assert answer.values == [True]
    packets = [arp_of(frame) for frame in lab.sent()]
    assert [(each.sender, each.target) for each in packets] == [(bytes(4), OTHER)] * 3
    lab.wait(60 * SECOND)
    assert answer.values == [True]


def test_somebody_who_has_it_answers(lab: Lab, answer: Answer) -> None:
    lab.wait(2 * SECOND)
    lab.give(arp_frame(arp.REPLY, MAC, OTHER, bytes(4), OUR_MAC, to=OUR_MAC))
    assert answer.values == [False]
    lab.sent()
    lab.wait(10 * SECOND)
    assert not lab.sent()
    assert answer.values == [False]


def test_somebody_who_has_it_asks_for_another(lab: Lab, answer: Answer) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, OTHER, PEER))
    assert answer.values == [False]


def test_somebody_else_probes_it_at_the_same_time(lab: Lab, answer: Answer) -> None:
    lab.give(arp_frame(arp.REQUEST, MAC, bytes(4), OTHER))
    assert answer.values == [False]


def test_our_own_probe_sent_back_is_no_conflict(lab: Lab, answer: Answer) -> None:
    lab.wait(2 * SECOND)
    lab.give(*lab.sent())
    assert not answer.values


def test_a_probe_that_is_called_off_says_nothing(lab: Lab, answer: Answer) -> None:
    lab.stack.cancel_probe(lab.link, OTHER)
    lab.wait(60 * SECOND)
    assert not answer.values
    assert not lab.sent()


def test_an_address_is_defended_once_in_ten_seconds(lab: Lab) -> None:
    conflict = arp_frame(arp.REQUEST, MAC, US, PEER)
    lab.give(conflict)
    packet = arp_of(lab.sent_one())
    assert (packet.sender, packet.target, packet.sender_mac) == (US, US, OUR_MAC)
    assert not [kind for kind, _ in lab.told if kind == CONFLICT]
    lab.give(conflict)
    assert not lab.sent()
    assert [subject for kind, subject in lab.told if kind == CONFLICT] == [lab.link.addresses4[US]]
    lab.wait(10 * SECOND)
    lab.give(conflict)
    assert lab.sent_one()[:6] == ALL
    assert lab.count("acd_conflict") == 3
