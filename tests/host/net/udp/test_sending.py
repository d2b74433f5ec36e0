"""What UDP endpoints send, and what they are told of it (RFC 768, RFC 1122 section 4.1)."""

from __future__ import annotations

import errno

import pytest

from ovum.net.settings import SECOND
from ovum.net.udp import DO, DONT
from ovum.net.wire import addr, checksum, icmpv4

from ..iface.lab import (
    ALL,
    FAR,
    OTHER,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_LINK,
    ROUTER,
    US,
    US6,
    US_LINK,
    Lab,
    ipv4_frame,
    ipv4_of,
    ipv6_of,
    udp4,
    udp_frame,
)
from .common import refused, routed

MAPPED_PEER = addr.to_mapped(PEER)


@pytest.fixture
def lab() -> Lab:
    return routed()


def test_a_connected_endpoint_has_an_address_and_a_port(lab: Lab) -> None:
    endpoint, _ = lab.endpoint()
    endpoint.connect(PEER, 9)
    assert endpoint.local == US
    assert 32768 <= endpoint.port <= 60999
    endpoint.send(b"hello")
    head, payload = ipv4_of(lab.sent_one())
    assert (head.dst, payload[2:4], payload[8:]) == (PEER, b"\0\x09", b"hello")
    endpoint.connect(b"", 0)
    assert endpoint.local == b""
    with refused(errno.EDESTADDRREQ):
        endpoint.send(b"x")


def test_what_control_messages_say(lab: Lab) -> None:
    second = addr.parse("192.0.2.77")
    lab.stack.add_address(lab.now, lab.link, second, 24)
    lab.sent()
    endpoint, _ = lab.endpoint()
    endpoint.hop_limit, endpoint.traffic_class = 10, 0x20
    endpoint.send(b"x", PEER, 9)
    head, _ = ipv4_of(lab.sent_one())
    assert (head.src, head.ttl, head.tos) == (US, 10, 0x20)
    endpoint.send(
        b"x", PEER, 9, source=second, interface=lab.link.index, hop_limit=3, traffic_class=0
    )
    head, _ = ipv4_of(lab.sent_one())
    assert (head.src, head.ttl, head.tos) == (second, 3, 0)


def test_no_checksum_if_so_asked_but_not_of_ipv6(lab: Lab) -> None:
    endpoint, _ = lab.endpoint(6)
    endpoint.no_checksum = True
    endpoint.send(b"x", MAPPED_PEER, 9)
    assert ipv4_of(lab.sent_one())[1][6:8] == b"\0\0"
    endpoint.send(b"x", PEER6, 9)
    assert checksum.transport_valid(US6, PEER6, 17, ipv6_of(lab.sent_one())[1])


def test_the_longest_datagrams(lab: Lab) -> None:
    endpoint, _ = lab.endpoint(6)
    endpoint.send(bytes(65507), MAPPED_PEER, 9)
    assert len(lab.sent()) == 45
    with refused(errno.EMSGSIZE):
        endpoint.send(bytes(65508), MAPPED_PEER, 9)
    endpoint.send(bytes(65527), PEER6, 9)
    with refused(errno.EMSGSIZE):
        endpoint.send(bytes(65528), PEER6, 9)


def test_path_mtu_discovery_as_the_program_wants_it(lab: Lab) -> None:
    endpoint, _ = lab.endpoint()
    endpoint.mtu_discover = DO
    endpoint.send(bytes(1472), PEER, 9)
    assert ipv4_of(lab.sent_one())[0].dont_fragment
    with refused(errno.EMSGSIZE):
        endpoint.send(bytes(1473), PEER, 9)
    endpoint.mtu_discover = DONT
    endpoint.send(bytes(1473), PEER, 9)
    endpoint.send(b"x", PEER, 9)
    assert not any(ipv4_of(frame)[0].dont_fragment for frame in lab.sent())


def test_broadcast_needs_permission(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 9)
    for remote in (addr.BROADCAST4, addr.parse("192.0.2.255")):
        with refused(errno.EACCES):
            endpoint.send(b"x", remote, 9)
        with refused(errno.EACCES):
            endpoint.connect(remote, 9)
        endpoint.broadcast = True
        endpoint.send(b"x", remote, 9)
        assert lab.sent_one()[:6] == ALL
        lab.stack.poll(lab.now)
        assert queue.take() == (US, 9, b"x")  # we are of all
        endpoint.broadcast = False


@pytest.mark.parametrize(
    ("version", "address", "port", "number"),
    [
        (4, PEER, 0, errno.EINVAL),
        (4, PEER6, 9, errno.EINVAL),
        (4, b"", 9, errno.EDESTADDRREQ),
        (6, PEER_LINK, 9, errno.EINVAL),
        (6, addr.parse("2001:db8:9::1"), 9, errno.ENETUNREACH),
    ],
)
def test_where_nothing_can_be_sent(
    lab: Lab, version: int, address: bytes, port: int, number: int
) -> None:
    endpoint, _ = lab.endpoint(version)
    with refused(number):
        endpoint.send(b"x", address, port)


def test_link_local_addresses_with_a_scope(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(6)
    endpoint.bind(US_LINK, 53, lab.link.index)
    endpoint.send(b"x", PEER_LINK, 9)
    assert ipv6_of(lab.sent_one())[0].src == US_LINK
    lab.give(udp_frame(b"y", 53, PEER_LINK, US_LINK))
    assert queue.take() == (PEER_LINK, 4000, b"y")
    other, _ = lab.endpoint(6)
    other.connect(PEER_LINK, 9, lab.link.index)
    assert other.local == US_LINK
    other.send(b"z")
    assert ipv6_of(lab.sent_one())[0].dst == PEER_LINK


def test_a_connected_endpoint_follows_a_change_of_routes(lab: Lab) -> None:
    endpoint, _ = lab.endpoint()
    endpoint.connect(FAR, 9)
    endpoint.send(b"1")
    lab.sent()
    lab.know(OTHER, OUR_MAC[:5] + b"\x77")
    lab.stack.add_route(lab.now, FAR, 32, lab.link, OTHER)
    endpoint.send(b"2")
    assert lab.sent_one()[5] == 0x77
    lab.stack.del_address(lab.now, lab.link, US)
    with refused(errno.EADDRNOTAVAIL):
        endpoint.send(b"3")


# Errors


def test_a_port_unreachable_is_told_to_the_sender(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 4321)
    _, other = lab.endpoint(4, 4322)
    endpoint.connect(PEER, 9)
    endpoint.send(b"data")
    quote = lab.sent_one()[14:]
    lab.give(ipv4_frame(icmpv4.emit(3, 3, 0, quote), 1))
    error = queue.take_error()
    assert error is not None
    assert (error.errno, error.dst) == (errno.ECONNREFUSED, PEER)
    assert other.take_error() is None
    endpoint.close()
    lab.give(ipv4_frame(icmpv4.emit(3, 3, 0, quote), 1))
    assert lab.count("udp_error_unknown") == 1


def test_an_error_about_another_peer_is_not_ours(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 4321)
    endpoint.connect(PEER, 9)
    quote = ipv4_frame(udp4(b"", 10, US, PEER, 4321), 17, US, PEER)[14:]
    lab.give(ipv4_frame(icmpv4.emit(3, 3, 0, quote), 1))
    assert queue.take_error() is None


def test_a_path_mtu_reaches_the_program(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 4321)
    endpoint.mtu_discover = DO
    endpoint.connect(FAR, 9)
    endpoint.send(bytes(1472))
    quote = lab.sent_one()[14:42]
    lab.give(ipv4_frame(icmpv4.emit(3, 4, 1400, quote), 1, ROUTER))
    error = queue.take_error()
    assert error is not None
    assert (error.errno, error.ip_mtu) == (errno.EMSGSIZE, 1400)
    with refused(errno.EMSGSIZE):
        endpoint.send(bytes(1373))
    endpoint.send(bytes(1372))


def test_errors_that_wait_are_bounded(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 4321)
    quote = ipv4_frame(udp4(b"", 10, US, PEER, 4321), 17, US, PEER)[14:]
    for _ in range(100):
        lab.give(ipv4_frame(icmpv4.emit(3, 3, 0, quote), 1))
    count = 0
    while queue.take_error() is not None:
        count += 1
    assert count == 16
    assert endpoint.port == 4321


def test_to_ourselves(lab: Lab) -> None:
    server, heard = lab.endpoint(6, 53)
    client, answers = lab.endpoint(4)
    for local in (US, addr.LOOPBACK4, b"\x7f\1\2\3"):
        client.send(b"question", local, 53)
        lab.wait(SECOND)
        datagram = heard.take()
        assert datagram is not None
        assert datagram[0] == addr.to_mapped(local)
        server.send(b"answer", datagram[0], datagram[1])
        lab.wait(SECOND)
        assert answers.take() == (local, 53, b"answer")
    assert not lab.sent()
    client.send(b"nobody", addr.LOOPBACK4, 99)
    lab.wait(SECOND)
    error = answers.take_error()
    assert error is not None
    assert error.errno == errno.ECONNREFUSED
