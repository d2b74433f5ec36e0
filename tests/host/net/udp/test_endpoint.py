"""UDP endpoints: what they are bound to, who gets a datagram (RFC 768, RFC 1122 section 4.1)."""

from __future__ import annotations

import errno

import pytest

from ovum.net.settings import Settings
from ovum.net.udp import Queue, UdpEndpoint
from ovum.net.wire import addr

from ..iface.lab import (
    OTHER,
    PEER,
    PEER6,
    US,
    US6,
    Lab,
    ipv4_frame,
    ipv4_of,
    ipv6_frame,
    udp4,
    udp_frame,
)
from .common import refused, routed

MAPPED_PEER = addr.to_mapped(PEER)
MAPPED_US = addr.to_mapped(US)


@pytest.fixture
def lab() -> Lab:
    return routed()


# Receiving


def test_a_datagram_of_each_version(lab: Lab) -> None:
    _, queue4 = lab.endpoint(4, 53)
    _, queue6 = lab.endpoint(6, 54)
    lab.give(udp_frame(b"four", 53), udp_frame(b"six", 54, PEER6, US6, src_port=0))
    assert queue4.take() == (PEER, 4000, b"four")
    assert queue6.take() == (PEER6, 0, b"six")


def test_a_v6_endpoint_gets_ipv4_too_with_mapped_addresses(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(6, 53)
    lab.give(udp_frame(b"four", 53))
    assert queue.take() == (MAPPED_PEER, 4000, b"four")
    endpoint.send(b"answer", MAPPED_PEER, 4000)
    head, payload = ipv4_of(lab.sent_one())
    assert (head.src, head.dst, payload[8:]) == (US, PEER, b"answer")


def test_unless_it_is_for_ipv6_only(lab: Lab) -> None:
    queue = Queue()
    endpoint = lab.udp.endpoint(6, queue)
    endpoint.only_v6 = True
    endpoint.bind(b"", 53)
    lab.give(udp_frame(b"four", 53))
    assert not queue
    with refused(errno.ENETUNREACH):
        endpoint.send(b"x", MAPPED_PEER, 9)


def test_a_checksum_of_zero_is_none_in_ipv4_and_wrong_in_ipv6(lab: Lab) -> None:
    _, queue = lab.endpoint(6, 53)
    datagram = b"\x0f\xa0\x00\x35\x00\x0c\0\0data"
    lab.give(ipv4_frame(datagram, 17), ipv6_frame(datagram, 17))
    assert queue.take() == (MAPPED_PEER, 4000, b"data")
    assert not queue
    assert lab.count("udp_checksum_missing") == 1


@pytest.mark.parametrize(
    ("datagram", "counter"),
    [
        (b"\x0f\xa0\x00\x35\x00\x0c\0\1data", "udp_checksum_bad"),
        (b"\x0f\xa0\x00\x35\x00\x0d\0\0data", "udp_length_bad"),
        (b"\x0f\xa0\x00\x35\x00\x07\0\0data", "udp_length_bad"),
        (b"\x0f\xa0\x00\x35\x00\x07\0", "udp_header_short"),
    ],
)
def test_malformed_datagrams(lab: Lab, datagram: bytes, counter: str) -> None:
    _, queue = lab.endpoint(4, 53)
    lab.give(ipv4_frame(datagram, 17))
    assert lab.count(counter) == 1
    assert not queue
    assert not lab.sent()


def test_what_ip_carries_beyond_the_length_is_none_of_it(lab: Lab) -> None:
    _, queue = lab.endpoint(4, 53)
    lab.give(ipv4_frame(udp4(b"data", 53) + b"more", 17))
    assert queue.take() == (PEER, 4000, b"data")


def test_a_full_queue_loses_the_newest(lab: Lab) -> None:
    queue = Queue(1000)
    endpoint = lab.udp.endpoint(4, queue)
    endpoint.bind(b"", 53)
    lab.give(*(udp_frame(b"%d" % number, 53) for number in range(10)))
    taken = []
    while (datagram := queue.take()) is not None:
        taken.append(datagram[2])
    assert taken == [b"0", b"1", b"2"]
    assert lab.count("udp_queue_full") == 7
    assert queue.size == 0


# Binding


def bound(
    lab: Lab, version: int, address: bytes, port: int, reuse: str = "", only_v6: bool = False
) -> UdpEndpoint:
    endpoint = lab.udp.endpoint(version, Queue())
    endpoint.reuse_address = reuse == "address"
    endpoint.reuse_port = reuse == "port"
    endpoint.only_v6 = only_v6
    endpoint.bind(address, port)
    return endpoint


@pytest.mark.parametrize(
    ("first", "second", "works"),
    [
        ((4, b""), (4, b""), False),
        ((4, b""), (4, US), False),
        ((4, US), (4, addr.LOOPBACK4), True),
        ((4, US), (4, US), False),
        ((4, b""), (6, b""), False),
        ((4, b""), (6, b"", "", True), True),
        ((4, b""), (6, US6), True),
        ((4, US), (6, MAPPED_US), False),
        ((6, b""), (6, US6), False),
        ((6, b""), (4, US), False),
        ((4, b"", "address"), (4, b"", "address"), True),
        ((4, b"", "port"), (4, b"", "port"), True),
        ((4, b"", "port"), (4, b"", "address"), False),
        ((4, b"", "address"), (4, b""), False),
    ],
)
def test_who_may_share_a_port(
    lab: Lab, first: tuple[int, bytes], second: tuple[int, bytes], works: bool
) -> None:
    def bind(version: int, address: bytes, reuse: str = "", only_v6: bool = False) -> None:
        bound(lab, version, address, 53, reuse, only_v6)

    bind(*first)
    if works:
        bind(*second)
    else:
        with refused(errno.EADDRINUSE):
            bind(*second)


@pytest.mark.parametrize(
    ("version", "address", "number"),
    [
        (4, OTHER, errno.EADDRNOTAVAIL),
        (4, US6, errno.EINVAL),
        (6, US, errno.EINVAL),
        (6, PEER6, errno.EADDRNOTAVAIL),
    ],
)
def test_addresses_that_cannot_be_bound(
    lab: Lab, version: int, address: bytes, number: int
) -> None:
    with refused(number):
        bound(lab, version, address, 53)


def test_a_failed_bind_can_be_tried_again(lab: Lab) -> None:
    bound(lab, 4, b"", 53)
    endpoint = lab.udp.endpoint(4, Queue())
    with refused(errno.EADDRINUSE):
        endpoint.bind(US, 53)
    assert (endpoint.local, endpoint.port) == (b"", 0)
    endpoint.bind(US, 54)
    with refused(errno.EINVAL):
        endpoint.bind(US, 55)


def test_ports_by_chance_are_free_ones_of_the_range(lab: Lab) -> None:
    settings = lab.stack.settings
    settings.port_first, settings.port_last = 40000, 40019
    ports = [bound(lab, 4, b"", 0).port for _ in range(20)]
    assert sorted(ports) == list(range(40000, 40020))
    assert ports != sorted(ports)
    with refused(errno.EADDRINUSE):
        bound(lab, 4, b"", 0)
    bound(lab, 6, US6, 0)  # beside one of IPv4


def test_a_closed_endpoint_leaves_its_port(lab: Lab) -> None:
    endpoint = bound(lab, 4, b"", 53)
    endpoint.close()
    endpoint.close()
    assert not lab.udp.endpoints
    bound(lab, 4, b"", 53)


def test_endpoints_are_bounded() -> None:
    settings = Settings()
    settings.udp_endpoints_max = 3
    lab = Lab(settings)
    with refused(errno.ENFILE):
        for _ in range(4):
            bound(lab, 4, b"", 0)


# Who gets it


def test_the_one_that_is_bound_most_closely(lab: Lab) -> None:
    queues = {}
    for name, local in (("any", b""), ("us", US)):
        queues[name] = Queue()
        endpoint = lab.udp.endpoint(4, queues[name])
        endpoint.reuse_address = True
        endpoint.bind(local, 53)
    queues["connected"] = Queue()
    connected = lab.udp.endpoint(4, queues["connected"])
    connected.reuse_address = True
    connected.bind(US, 53)
    connected.connect(PEER, 4000)
    lab.give(
        udp_frame(b"1", 53),
        udp_frame(b"2", 53, src_port=4001),
        udp_frame(b"3", 53, src=OTHER),
    )
    assert queues["connected"].take() == (PEER, 4000, b"1")
    assert [queues["us"].take(), queues["us"].take()] == [
        (PEER, 4001, b"2"),
        (OTHER, 4000, b"3"),
    ]
    assert not queues["any"]


def test_a_connected_endpoint_hears_its_peer_only(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 53)
    endpoint.connect(PEER, 4000)
    lab.give(udp_frame(b"1", 53), udp_frame(b"2", 53, src_port=4001))
    assert queue.take() == (PEER, 4000, b"1")
    assert not queue
    assert lab.count("udp_port_unreachable") == 1
    lab.sent()
    endpoint.connect(b"", 0)
    lab.give(udp_frame(b"3", 53, src_port=4001))
    assert queue.take() == (PEER, 4001, b"3")


def test_endpoints_that_share_a_port_share_the_senders(lab: Lab) -> None:
    queues = []
    for _ in range(4):
        queue = Queue()
        endpoint = lab.udp.endpoint(4, queue)
        endpoint.reuse_port = True
        endpoint.bind(b"", 53)
        queues.append(queue)
    for _ in range(2):
        for port in range(4000, 4200):
            lab.give(udp_frame(b"x", 53, src_port=port))
    counts = [len(queue) for queue in queues]
    assert sum(counts) == 400
    assert min(counts) > 40
    for queue in queues:
        ports = []
        while (datagram := queue.take()) is not None:
            ports.append(datagram[1])
        # The same sender always reaches the same endpoint.
        assert len(ports) == 2 * len(set(ports))


def test_an_interface_may_be_asked_for(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 53)
    endpoint.interface = 99
    lab.give(udp_frame(b"x", 53))
    assert not queue
    endpoint.interface = lab.link.index
    lab.give(udp_frame(b"y", 53))
    assert queue.take() == (PEER, 4000, b"y")
