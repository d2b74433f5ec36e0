"""Raw endpoints and those that ping."""

from __future__ import annotations

import errno

import pytest

from ovum.net.ip import IcmpError, Packet
from ovum.net.raw import ENDPOINTS_MAX, RawHost
from ovum.net.settings import SECOND
from ovum.net.wire import addr, icmpv4, icmpv6, ipv4

from ..iface.lab import (
    FAR,
    OTHER,
    PEER,
    PEER6,
    US,
    US6,
    Lab,
    icmpv6_frame,
    ipv4_frame,
    ipv4_of,
    ipv6_frame,
    ipv6_of,
)
from ..udp.common import refused

Buffer = bytes | bytearray | memoryview


class Keeper:
    """Keeps what comes."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        self.got: list[tuple[bytes, bytes]] = []
        self.errors: list[int] = []

    def packet(self, now: int, source: bytes, data: Buffer, packet: Packet) -> bool:
        if len(self.got) >= self.room:
            return False
        self.got.append((source, bytes(data)))
        return True

    def failed(self, now: int, error: IcmpError) -> None:
        self.errors.append(error.errno)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    for address in (PEER, PEER6):
        lab.know(address)
    return lab


@pytest.fixture
def host(lab: Lab) -> RawHost:
    return RawHost(lab.stack)


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


# Raw


def test_version_4_gets_the_header_and_version_6_does_not(
    lab: Lab, host: RawHost, keeper: Keeper
) -> None:
    host.raw(4, 200, keeper)
    host.raw(6, 200, keeper)
    frame = ipv4_frame(b"four", 200)
    lab.give(frame + bytes(9), ipv6_frame(b"six", 200))
    assert keeper.got == [(PEER, frame[14:]), (PEER6, b"six")]
    assert not lab.sent()  # no protocol unreachable


def test_the_protocols_own_handler_gets_it_too(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    host.raw(4, 1, keeper)
    lab.give(ipv4_frame(icmpv4.emit(8, 0, 1, b"x"), 1))
    assert len(keeper.got) == 1
    assert icmpv4.parse(ipv4_of(lab.sent_one())[1]).kind == 0


def test_only_what_it_is_bound_and_connected_to(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.raw(4, 200, keeper)
    with refused(errno.EADDRNOTAVAIL):
        endpoint.bind(OTHER)
    endpoint.bind(US)
    endpoint.connect(PEER)
    lab.give(
        ipv4_frame(b"1", 200),
        ipv4_frame(b"2", 200, src=OTHER),
        ipv4_frame(b"3", 200, dst=addr.BROADCAST4, to=b"\xff" * 6),
    )
    assert [data[20:] for _, data in keeper.got] == [b"1"]
    endpoint.connect(b"")
    endpoint.bind(bytes(4))
    lab.give(ipv4_frame(b"4", 200, src=OTHER))
    assert keeper.got[-1][1][20:] == b"4"


def test_the_filters_of_icmp(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    four = host.raw(4, 1, keeper)
    four.icmp_filter = ~(1 << 0) & 0xFFFFFFFF
    lab.give(*(ipv4_frame(icmpv4.emit(kind, 0, 1), 1) for kind in (8, 0, 13)))
    assert [data[20] for _, data in keeper.got] == [0]
    keeper.got.clear()
    six = host.raw(6, 58, keeper)
    wanted = bytearray(b"\xff" * 32)
    wanted[129 >> 5 << 2 : (129 >> 5 << 2) + 4] = (~(1 << (129 & 31)) & 0xFFFFFFFF).to_bytes(
        4, "little"
    )
    six.icmp6_filter = bytes(wanted)
    lab.give(*(icmpv6_frame(icmpv6.emit(kind, 0, 1)) for kind in (128, 129, 130)))
    assert [data[0] for _, data in keeper.got] == [129]


def test_sending(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.raw(4, 200, keeper)
    endpoint.send(b"payload", PEER, hop_limit=3, traffic_class=4)
    head, payload = ipv4_of(lab.sent_one())
    assert (head.protocol, head.ttl, head.tos, payload) == (200, 3, 4, b"payload")
    with refused(errno.EDESTADDRREQ):
        endpoint.send(b"x")
    with refused(errno.EMSGSIZE):
        endpoint.send(bytes(65516), PEER)
    with refused(errno.EACCES):
        endpoint.send(b"x", addr.BROADCAST4, interface=lab.link.index)
    with refused(errno.EINVAL):
        endpoint.send(b"x", PEER6)


def test_the_checksum_of_ipv6(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.raw(6, 200, keeper)
    endpoint.checksum_offset = 2
    endpoint.send(b"ab\xff\xffcdef", PEER6)
    from ovum.net.wire import checksum

    payload = ipv6_of(lab.sent_one())[1]
    assert checksum.transport_valid(US6, PEER6, 200, payload)
    lab.give(ipv6_frame(b"ab\xff\xffcdef", 200))
    assert not keeper.got
    assert lab.count("raw_checksum_bad") == 1
    with refused(errno.EINVAL):
        endpoint.send(b"abc", PEER6)


def test_the_programs_own_header(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.raw(4, 255, keeper)
    packet = bytearray(ipv4.emit_header(bytes(4), PEER, 77, 0, 0, 0, 5, 6) + b"payload")
    endpoint.send(packet, PEER)
    head, payload = ipv4_of(lab.sent_one())
    assert (head.src, head.protocol, head.ttl, head.tos, payload) == (US, 77, 5, 6, b"payload")
    assert head.ident
    packet[4:6] = b"\x12\x34"
    packet[12:16] = FAR  # its own business
    endpoint.send(packet, PEER)
    head, _ = ipv4_of(lab.sent_one())
    assert (head.src, head.ident) == (FAR, 0x1234)


@pytest.mark.parametrize(
    ("packet", "number"),
    [
        (b"\x45" + bytes(18), errno.EINVAL),
        (b"\x65" + bytes(19), errno.EINVAL),
        (b"\x4f" + bytes(19), errno.EINVAL),
        (b"\x45" + bytes(1500), errno.EMSGSIZE),
    ],
)
def test_headers_that_are_none(
    lab: Lab, host: RawHost, keeper: Keeper, packet: bytes, number: int
) -> None:
    endpoint = host.raw(4, 255, keeper)
    with refused(number):
        endpoint.send(packet, PEER)


def test_the_programs_own_header_to_ourselves(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    host.raw(4, 200, keeper)
    endpoint = host.raw(4, 255, keeper)
    packet = ipv4.emit_header(US, US, 200, 23, 1) + b"abc"
    endpoint.send(packet, US)
    lab.stack.poll(lab.now)
    assert keeper.got == [(US, packet)]


def test_a_closed_endpoint_hears_nothing(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.raw(4, 200, keeper)
    endpoint.close()
    endpoint.close()
    lab.give(ipv4_frame(b"x", 200))
    assert not keeper.got
    assert lab.count("ipv4_protocol_unknown") == 1
    assert not lab.stack.raw


def test_they_are_bounded(host: RawHost, keeper: Keeper) -> None:
    with refused(errno.ENFILE):
        for _ in range(ENDPOINTS_MAX + 1):
            host.raw(4, 200, keeper)
    with refused(errno.EINVAL):
        host.raw(4, 256, keeper)


def test_what_there_is_no_room_for_is_counted(lab: Lab, host: RawHost) -> None:
    keeper = Keeper(2)
    host.raw(4, 200, keeper)
    lab.give(*[ipv4_frame(b"x", 200)] * 5)
    assert lab.count("raw_queue_full") == 3


# Ping


def request4(data: bytes = b"data") -> bytes:
    return b"\x08\0\xff\xff\x99\x99\0\x01" + data


def test_a_ping_of_ipv4(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.ping(4, keeper)
    endpoint.send(request4(), PEER)
    message = icmpv4.parse(ipv4_of(lab.sent_one())[1])
    assert (message.kind, message.word >> 16, message.word & 0xFFFF) == (8, endpoint.port, 1)
    other = icmpv4.emit(0, 0, (endpoint.port ^ 1) << 16 | 1, b"data")
    answer = icmpv4.emit(0, 0, message.word, b"data")
    spoiled = answer[:-1] + b"X"
    lab.give(*(ipv4_frame(each, 1) for each in (other, spoiled, answer)))
    assert keeper.got == [(PEER, answer)]


def test_a_ping_of_ipv6(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.ping(6, keeper)
    endpoint.send(b"\x80\0\0\0\0\0\0\x07six", PEER6)
    message = icmpv6.parse(ipv6_of(lab.sent_one())[1], US6, PEER6)
    assert message.word == endpoint.port << 16 | 7
    lab.give(icmpv6_frame(icmpv6.emit(129, 0, message.word, b"six"), hop_limit=64))
    assert [(source, data[8:]) for source, data in keeper.got] == [(PEER6, b"six")]


@pytest.mark.parametrize("text", ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"])
def test_a_ping_of_ourselves(lab: Lab, host: RawHost, keeper: Keeper, text: str) -> None:
    address = addr.parse(text)
    version = 4 if len(address) == 4 else 6
    endpoint = host.ping(version, keeper)
    kind = b"\x08" if version == 4 else b"\x80"
    endpoint.send(kind + b"\0\0\0\0\0\0\x01home", address)
    lab.wait(SECOND)
    assert [(source, data[8:]) for source, data in keeper.got] == [(address, b"home")]


@pytest.mark.parametrize("data", [b"\x08\0\0\0", b"\0\0\0\0\0\0\0\0", b"\x08\1\0\0\0\0\0\0"])
def test_only_requests_can_be_sent(host: RawHost, keeper: Keeper, data: bytes) -> None:
    endpoint = host.ping(4, keeper)
    with refused(errno.EINVAL):
        endpoint.send(data, PEER)


def test_identifiers(host: RawHost, keeper: Keeper) -> None:
    one, two = host.ping(4, keeper), host.ping(4, keeper)
    one.bind(bytes(4), port=77)
    with refused(errno.EADDRINUSE):
        two.bind(US, port=77)
    two.bind(US, port=0)
    assert two.port not in (0, 77)
    with refused(errno.EINVAL):
        one.bind(US, port=78)
    one.close()
    three = host.ping(4, keeper)
    three.bind(US, port=77)


def test_errors(lab: Lab, host: RawHost, keeper: Keeper) -> None:
    endpoint = host.ping(4, keeper)
    endpoint.send(request4(), PEER)
    quote = lab.sent_one()[14:]
    lab.give(ipv4_frame(icmpv4.emit(11, 0, 0, quote), 1))
    assert keeper.errors == [errno.EHOSTUNREACH]
    endpoint.send(request4(), OTHER)
    lab.wait(5 * SECOND)  # nobody answers to ARP
    assert keeper.errors == [errno.EHOSTUNREACH] * 2
