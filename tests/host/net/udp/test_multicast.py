"""UDP to groups: membership of each interface, loop, hop limit, sources."""

from __future__ import annotations

import errno

import pytest

from ovum.net.settings import Settings
from ovum.net.udp import Queue, UdpEndpoint
from ovum.net.wire import addr

from ..iface.lab import (
    OTHER,
    PEER,
    PEER_LINK,
    US,
    US_LINK,
    Lab,
    ipv4_of,
    ipv6_of,
    udp_frame,
)
from .common import refused

GROUP, GROUP6 = addr.parse("239.1.2.3"), addr.parse("ff02::123")


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.stack.add_route(lab.now, addr.parse("224.0.0.0"), 4, lab.link)
    return lab


def member(lab: Lab, port: int = 5353, join: bool = True) -> tuple[UdpEndpoint, Queue]:
    queue = Queue()
    endpoint = lab.udp.endpoint(4, queue)
    endpoint.reuse_address = True
    endpoint.bind(b"", port)
    if join:
        endpoint.join(GROUP)
    lab.sent()
    return endpoint, queue


def to_group(data: bytes = b"x", src: bytes = PEER, group: bytes = GROUP) -> bytes:
    return udp_frame(data, 5353, src, group, to=addr.multicast_mac(group))


def data_frames(lab: Lab) -> list[bytes]:
    """What was sent but for reports."""
    return [frame for frame in lab.sent() if 17 in (frame[23], frame[20])]


def test_all_members_get_it(lab: Lab) -> None:
    _, one = member(lab)
    _, two = member(lab)
    lab.give(to_group())
    assert (one.take(), two.take()) == ((PEER, 4000, b"x"), (PEER, 4000, b"x"))


def test_those_who_have_not_joined_get_it_unless_they_say_so(lab: Lab) -> None:
    endpoint, queue = member(lab, join=False)
    lab.give(to_group())
    assert not queue  # the interface has not joined either
    member(lab)
    lab.give(to_group())
    assert len(queue) == 1
    endpoint.multicast_all = False
    lab.give(to_group())
    assert len(queue) == 1


def test_only_from_certain_sources(lab: Lab) -> None:
    endpoint, queue = member(lab, join=False)
    endpoint.join(GROUP, 0, PEER)
    endpoint.join(GROUP, 0, PEER[:3] + b"\x09")
    lab.give(to_group(b"1"), to_group(b"2", OTHER))
    assert queue.take() == (PEER, 4000, b"1")
    assert not queue
    with refused(errno.EADDRNOTAVAIL):
        endpoint.join(GROUP, 0, PEER)
    endpoint.leave(GROUP, 0, PEER)
    lab.give(to_group(b"3"))
    assert not queue
    endpoint.leave(GROUP, 0, PEER[:3] + b"\x09")
    assert GROUP not in lab.link.accept


def test_leaving(lab: Lab) -> None:
    endpoint, queue = member(lab)
    endpoint.leave(GROUP)
    lab.give(to_group())
    assert not queue
    assert GROUP not in lab.link.accept
    with refused(errno.EADDRNOTAVAIL):
        endpoint.leave(GROUP)


def test_closing_leaves_all_groups(lab: Lab) -> None:
    endpoint, _ = member(lab)
    endpoint.join(addr.parse("239.9.9.9"), lab.link.index)
    endpoint.close()
    assert GROUP not in lab.link.accept
    assert not [each for each in lab.link.groups4.members if each != addr.ALL_HOSTS4]


@pytest.mark.parametrize(
    ("group", "interface", "number"),
    [
        (GROUP, 0, errno.EADDRINUSE),
        (US, 0, errno.EINVAL),
        (addr.parse("239.5.5.5"), 77, errno.ENODEV),
    ],
)
def test_what_cannot_be_joined(lab: Lab, group: bytes, interface: int, number: int) -> None:
    endpoint, _ = member(lab)
    with refused(number):
        endpoint.join(group, interface)


def test_memberships_are_bounded() -> None:
    settings = Settings()
    settings.groups_max = 5
    lab = Lab(settings)
    endpoint, _ = lab.endpoint(4, 9)
    with refused(errno.ENOBUFS):
        for number in range(10):
            endpoint.join(GROUP[:3] + bytes((number,)), lab.link.index)


def test_sending_to_a_group(lab: Lab) -> None:
    endpoint, _ = lab.endpoint()
    endpoint.send(b"x", GROUP, 5353)
    (frame,) = data_frames(lab)
    head, _ = ipv4_of(frame)
    assert frame[:6] == addr.multicast_mac(GROUP)
    assert (head.src, head.ttl) == (US, 1)
    endpoint.multicast_hop_limit = 7
    endpoint.send(b"x", GROUP, 5353)
    assert ipv4_of(data_frames(lab)[0])[0].ttl == 7


def test_a_member_hears_itself_unless_it_does_not_want_to(lab: Lab) -> None:
    endpoint, queue = member(lab)
    endpoint.send(b"loop", GROUP, 5353)
    lab.stack.poll(lab.now)
    assert queue.take() == (US, 5353, b"loop")
    assert len(data_frames(lab)) == 1
    endpoint.multicast_loop = False
    endpoint.send(b"no loop", GROUP, 5353)
    lab.stack.poll(lab.now)
    assert not queue
    assert len(data_frames(lab)) == 1


def test_a_hop_limit_of_zero_stays_here(lab: Lab) -> None:
    endpoint, queue = member(lab)
    endpoint.multicast_hop_limit = 0
    endpoint.send(b"here", GROUP, 5353)
    lab.stack.poll(lab.now)
    assert queue.take() == (US, 5353, b"here")
    assert not data_frames(lab)


def test_the_interface_may_be_chosen(lab: Lab) -> None:
    other = lab.stack.add_interface("eth1", b"\x02\0\0\0\0\x09", 1500)
    lab.stack.add_address(lab.now, other, addr.parse("203.0.113.1"), 24)
    other.take_outbox(lab.now)
    endpoint, _ = lab.endpoint()
    endpoint.multicast_interface = other.index
    endpoint.send(b"x", GROUP, 5353)
    assert not data_frames(lab)
    (frame,) = other.take_outbox(lab.now)
    assert isinstance(frame.data, tuple)
    assert bytes(frame.data[0])[26:30] == addr.parse("203.0.113.1")
    endpoint.multicast_interface = 0
    endpoint.multicast_source = addr.parse("203.0.113.1")
    endpoint.send(b"x", GROUP, 5353)
    assert len(other.take_outbox(lab.now)) == 1


def test_groups_of_ipv6(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(6, 5353)
    endpoint.join(GROUP6, lab.link.index)
    lab.sent()
    lab.give(udp_frame(b"six", 5353, PEER_LINK, GROUP6, to=addr.multicast_mac(GROUP6)))
    assert queue.take() == (PEER_LINK, 4000, b"six")
    endpoint.send(b"out", GROUP6, 5353, scope=lab.link.index)
    (frame,) = data_frames(lab)
    head, _ = ipv6_of(frame)
    assert (head.src, head.hop_limit) == (US_LINK, 1)
    lab.stack.poll(lab.now)
    assert queue.take() == (US_LINK, 5353, b"out")


def test_an_endpoint_of_ipv6_may_join_groups_of_ipv4(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(6, 5353)
    endpoint.join(addr.to_mapped(GROUP))
    lab.give(to_group())
    assert queue.take() == (addr.to_mapped(PEER), 4000, b"x")


def test_an_interface_that_goes_takes_its_members_with_it(lab: Lab) -> None:
    endpoint, _ = member(lab)
    lab.stack.remove_interface(lab.now, lab.link)
    endpoint.close()


def test_no_error_to_a_group(lab: Lab) -> None:
    lab.stack.join(lab.now, lab.link, GROUP)
    lab.sent()
    lab.give(to_group())
    assert lab.count("udp_to_all_unwanted") == 1
    assert not lab.sent()
