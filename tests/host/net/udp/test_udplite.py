"""UDP-Lite: what its checksum covers (RFC 3828)."""

from __future__ import annotations

import pytest

from ovum.net.udp import Queue, UdpEndpoint
from ovum.net.udplite import PROTOCOL, UdpLiteHost
from ovum.net.wire import checksum
from ovum.net.wire.udp import HEADER

from ..iface.lab import PEER, PEER6, US, US6, Lab, ipv4_frame, ipv4_of, ipv6_frame, udp_frame
from .common import routed


class Lite:
    """A machine with an endpoint of each version."""

    def __init__(self) -> None:
        self.lab: Lab = routed()
        self.host = UdpLiteHost(self.lab.stack)
        self.queue = Queue()
        self.endpoint: UdpEndpoint = self.host.endpoint(4, self.queue)
        self.endpoint.bind(b"", 53)
        self.queue6 = Queue()
        endpoint6 = self.host.endpoint(6, self.queue6)
        endpoint6.only_v6 = True
        endpoint6.bind(b"", 53)


def datagram(data: bytes, coverage: int, src: bytes = PEER, dst: bytes = US) -> bytes:
    size = 8 + len(data)
    whole = HEADER.pack(4000, 53, coverage, 0) + data
    total = checksum.pseudo(src, dst, PROTOCOL, size) + checksum.add(whole[: coverage or size])
    return HEADER.pack(4000, 53, coverage, checksum.finish(total) or 0xFFFF) + data


@pytest.mark.parametrize("coverage", [0, 8, 9, 10, 12])
def test_what_is_not_covered_may_be_damaged(coverage: int) -> None:
    lite = Lite()
    good = datagram(b"data", coverage)
    bad = good[:-1] + b"?"
    lite.lab.give(ipv4_frame(good, PROTOCOL), ipv4_frame(bad, PROTOCOL))
    assert lite.queue.take() == (PEER, 4000, b"data")
    if 8 <= coverage < 12:
        assert lite.queue.take() == (PEER, 4000, b"dat?")
    else:
        assert lite.queue.take() is None
        assert lite.lab.count("udplite_checksum_bad") == 1


def test_ipv6() -> None:
    lite = Lite()
    packet = datagram(b"six", 8, PEER6, US6)
    lite.lab.give(ipv6_frame(packet, PROTOCOL, PEER6, US6))
    assert lite.queue6.take() == (PEER6, 4000, b"six")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (datagram(b"data", 12)[:7], "udplite_header_short"),
        (datagram(b"data", 7), "udplite_coverage_bad"),
        (datagram(b"data", 13), "udplite_coverage_bad"),
        (HEADER.pack(4000, 53, 12, 0) + b"data", "udplite_checksum_missing"),
    ],
)
def test_what_is_malformed_is_counted(payload: bytes, reason: str) -> None:
    lite = Lite()
    lite.lab.give(ipv4_frame(payload, PROTOCOL))
    assert lite.queue.take() is None
    assert lite.lab.count(reason) == 1


def test_what_is_sent_is_covered_as_a_whole_even_without_udps_checksums() -> None:
    lite = Lite()
    lite.endpoint.no_checksum = True
    lite.endpoint.send(b"data", PEER, 4000)
    head, payload = ipv4_of(lite.lab.sent_one())
    assert head.protocol == PROTOCOL
    assert HEADER.unpack_from(payload)[:3] == (53, 4000, 12)
    assert checksum.transport_valid(US, PEER, PROTOCOL, payload)


def test_its_ports_are_not_those_of_udp() -> None:
    lite = Lite()
    _, queue = lite.lab.endpoint(4, 53)
    lite.lab.give(udp_frame(b"udp", 53), ipv4_frame(datagram(b"lite", 12), PROTOCOL))
    assert queue.take() == (PEER, 4000, b"udp")
    assert lite.queue.take() == (PEER, 4000, b"lite")
