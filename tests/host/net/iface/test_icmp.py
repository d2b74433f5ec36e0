"""ICMP and ICMPv6: echo, and errors about what came, and how often (RFC 792, 1122, 4443)."""

from __future__ import annotations

import pytest

from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, icmpv4, icmpv6, ipv6

from .lab import (
    ALL,
    FAR6,
    OUR_MAC,
    PEER,
    PEER6,
    PEER_LINK,
    ROUTER,
    US,
    US6,
    US_LINK,
    Lab,
    Listener,
    icmpv6_frame,
    ipv4_frame,
    ipv4_of,
    ipv6_frame,
    ipv6_of,
    udp_frame,
)

ROUTER6 = addr.parse("fe80::fe")
DATA = bytes(range(200))


def routed() -> Lab:
    """With a router for each version, and neighbors that are known."""
    lab = Lab()
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    lab.stack.add_route(lab.now, bytes(16), 0, lab.link, ROUTER6)
    for address in (PEER, PEER6, PEER_LINK, ROUTER, ROUTER6):
        lab.know(address)
    return lab


@pytest.fixture
def lab() -> Lab:
    return routed()


def echo4(src: bytes = PEER, dst: bytes = US, to: bytes = OUR_MAC, data: bytes = DATA) -> bytes:
    message = icmpv4.emit(8, 0, 0x12340001, data)
    return ipv4_frame(message, 1, src, dst, to=to)


def echo6(src: bytes = PEER6, dst: bytes = US6) -> bytes:
    return icmpv6_frame(icmpv6.emit(128, 0, 0x12340001, DATA), src, dst, hop_limit=64)


# Echo


@pytest.mark.parametrize("size", [0, 1, 1472, 4000])
def test_echo_of_ipv4_comes_back_intact(lab: Lab, size: int) -> None:
    data = (DATA * 30)[:size]
    message = icmpv4.emit(8, 0, 0x12340001, data)
    for at in range(0, len(message), 1480):
        more = 0x2000 if at + 1480 < len(message) else 0
        lab.give(ipv4_frame(message[at : at + 1480], 1, flags=more | at // 8))
    pieces = [ipv4_of(frame) for frame in lab.sent()]
    assert {(head.src, head.dst) for head, _ in pieces} == {(US, PEER)}
    answer = icmpv4.parse(b"".join(piece for _, piece in pieces))
    assert (answer.kind, answer.word, bytes(answer.body)) == (0, 0x12340001, data)


def test_echo_of_ipv6_comes_back_intact(lab: Lab) -> None:
    lab.give(echo6())
    head, payload = ipv6_of(lab.sent_one())
    answer = icmpv6.parse(payload, US6, PEER6)
    assert (head.src, head.dst) == (US6, PEER6)
    assert (answer.kind, answer.word, answer.body) == (129, 0x12340001, DATA)


def test_echo_between_link_local_addresses(lab: Lab) -> None:
    lab.give(echo6(PEER_LINK, US_LINK))
    assert ipv6_of(lab.sent_one())[0].src == US_LINK


def test_echo_to_all_is_not_answered_unless_so_set(lab: Lab) -> None:
    requests = (
        echo4(dst=addr.BROADCAST4, to=ALL),
        echo4(dst=addr.ALL_HOSTS4, to=addr.multicast_mac(addr.ALL_HOSTS4)),
        echo6(PEER_LINK, addr.ALL_NODES6),
    )
    lab.give(*requests)
    assert not lab.sent()
    assert (lab.count("icmp_echo_to_all"), lab.count("icmpv6_echo_to_group")) == (2, 1)
    lab.stack.settings.echo_broadcast = True
    lab.give(*requests)
    frames = lab.sent()
    assert [ipv4_of(frame)[0].src for frame in frames[:2]] == [US, US]
    assert ipv6_of(frames[2])[0].src == US_LINK


def test_echo_is_limited() -> None:
    settings = Settings()
    settings.icmp_echo_per_s = settings.icmp_echo_burst = 1000
    lab = Lab(settings)
    lab.know()
    lab.give(*[echo4()] * 3000)
    assert len(lab.sent()) == 1000
    assert lab.count("icmp_echo_rate") == 2000
    lab.wait(SECOND // 10)
    lab.give(*[echo4()] * 3000)
    assert len(lab.sent()) == 100


@pytest.mark.parametrize(
    ("change", "counter"),
    [("checksum", "icmp_checksum_bad"), ("short", "icmp_short"), ("kind", "icmp_type_unknown")],
)
def test_bad_messages_of_icmp(lab: Lab, change: str, counter: str) -> None:
    message = icmpv4.emit(8, 0, 1, b"x")
    if change == "checksum":
        message = message[:2] + b"\x12\x34" + message[4:]
    elif change == "short":
        message = message[:7]
    else:
        message = icmpv4.emit(13, 0, 1)
    lab.give(ipv4_frame(message, 1))
    assert lab.count(counter) == 1
    assert not lab.sent()


def test_bad_messages_of_icmpv6(lab: Lab) -> None:
    frame = bytearray(echo6())
    frame[60] ^= 1
    lab.give(bytes(frame), icmpv6_frame(icmpv6.emit(200, 0, 0)))
    assert lab.count("icmpv6_checksum_bad") == 1
    assert lab.count("icmpv6_type_unknown") == 1
    assert not lab.sent()


def test_a_version_of_icmp_is_for_its_version_of_ip(lab: Lab) -> None:
    lab.give(ipv4_frame(icmpv4.emit(8, 0, 1), 58), ipv6_frame(icmpv4.emit(8, 0, 1), 1))
    assert lab.count("ipv4_protocol_unknown") == 1
    assert lab.count("ipv6_next_header_unknown") == 1


# Errors that we send


def test_a_port_that_nobody_has(lab: Lab) -> None:
    frame = udp_frame(DATA, 9)
    lab.give(frame)
    message = icmpv4.parse(ipv4_of(lab.sent_one())[1])
    assert (message.kind, message.code, message.body) == (3, 3, frame[14:])
    frame = udp_frame(DATA, 9, PEER6, US6)
    lab.give(frame)
    message = icmpv6.parse(ipv6_of(lab.sent_one())[1], US6, PEER6)
    assert (message.kind, message.code, message.body) == (1, 4, frame[14:])


def test_errors_are_no_longer_than_they_may_be(lab: Lab) -> None:
    lab.give(udp_frame(bytes(1400), 9))
    assert ipv4_of(lab.sent_one())[0].total_length == 576
    lab.give(udp_frame(bytes(1400), 9, PEER6, US6))
    assert len(lab.sent_one()) == 14 + 1280


@pytest.mark.parametrize("destination", [addr.BROADCAST4, addr.parse("192.0.2.255")])
def test_no_error_about_what_went_to_all(lab: Lab, destination: bytes) -> None:
    lab.give(udp_frame(DATA, 9, dst=destination, to=ALL))
    lab.give(ipv4_frame(DATA, 200, dst=destination, to=ALL))
    assert not lab.sent()


def test_no_error_about_what_went_to_a_group(lab: Lab) -> None:
    group = addr.ALL_NODES6
    lab.give(
        udp_frame(DATA, 9, PEER_LINK, group, to=addr.multicast_mac(group)),
        ipv6_frame(DATA, 200, PEER_LINK, group),
    )
    assert not lab.sent()
    assert lab.count("icmpv6_error_not_allowed") == 1


def test_but_an_option_that_says_so_is_told_even_then(lab: Lab) -> None:
    def options(kind: int) -> bytes:
        head = bytes((59, 0, kind, 4, 0, 0, 0, 0))
        return ipv6_frame(head, 60, PEER_LINK, addr.ALL_NODES6)

    lab.give(options(0x9E))  # 10: always
    payload = ipv6_of(lab.sent_one())[1]
    assert (payload[0], payload[1], payload[4:8]) == (4, 2, bytes((0, 0, 0, 42)))
    lab.give(options(0xDE))  # 11: not if it went to a group
    assert not lab.sent()
    lab.give(options(0x5E))  # 01: dropped
    assert not lab.sent()
    assert lab.count("ipv6_option_unknown") == 3


@pytest.mark.parametrize("kind", [3, 4, 5, 11, 12])
def test_no_error_about_errors(lab: Lab, kind: int) -> None:
    quote = udp_frame(b"12345678", 9, US, PEER)[14:]
    del lab.stack.protocols[1]
    lab.give(ipv4_frame(icmpv4.emit(kind, 0, 0, quote), 1))
    assert not lab.sent()
    assert lab.count("icmp_error_not_allowed") == 1


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 100, 137])
def test_no_error_about_errors_of_icmpv6(lab: Lab, kind: int) -> None:
    del lab.stack.protocols[58]
    lab.give(icmpv6_frame(icmpv6.emit(kind, 0, 0, bytes(60))))
    assert not lab.sent()
    assert lab.count("icmpv6_error_not_allowed") == 1


@pytest.mark.parametrize("src", [bytes(4), bytes(16)])
def test_no_error_to_nobody(lab: Lab, src: bytes) -> None:
    if len(src) == 4:
        lab.give(ipv4_frame(DATA, 200, src=src))
    else:
        lab.give(ipv6_frame(DATA, 200, src=src))
    assert not lab.sent()


def test_errors_are_limited(lab: Lab) -> None:
    lab.give(*[udp_frame(DATA, 9)] * 500, *[udp_frame(DATA, 9, PEER6, US6)] * 500)
    assert len(lab.sent()) == 100
    assert lab.count("icmp_error_rate") == lab.count("icmpv6_error_rate") == 450
    lab.wait(SECOND)
    lab.give(*[udp_frame(DATA, 9)] * 500)
    assert len(lab.sent()) == 50


def test_a_routing_header_that_is_not_known_is_told_with_a_pointer(lab: Lab) -> None:
    routing = bytes((253, 2, 0, 1, 0, 0, 0, 0)) + FAR6
    lab.give(ipv6_frame(routing, ipv6.ROUTING))
    payload = ipv6_of(lab.sent_one())[1]
    assert (payload[0], payload[1], payload[4:8]) == (4, 0, bytes((0, 0, 0, 42)))


def test_extension_headers_are_walked(lab: Lab) -> None:
    listener = Listener(lab.stack)
    hop = bytes((60, 0, 1, 4, 0, 0, 0, 0))
    destination = bytes((43, 0, 1, 4, 0, 0, 0, 0))
    routing = bytes((253, 0, 4, 0, 0, 0, 0, 0))
    lab.give(ipv6_frame(hop + destination + routing + b"payload", 0))
    assert [bytes(each.payload) for each in listener.packets] == [b"payload"]
    lab.give(ipv6_frame(destination[:1] + destination[1:], 59))
    assert lab.count("ipv6_no_next_header") == 1
