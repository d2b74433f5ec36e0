"""ICMP errors about what we have sent, path MTUs (RFC 1191, 8201) and redirects of IPv4."""

from __future__ import annotations

import errno

import pytest

from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, icmpv4, icmpv6

from .lab import (
    FAR,
    FAR6,
    OTHER,
    PEER,
    PEER6,
    ROUTER,
    US,
    US6,
    Lab,
    Listener,
    icmpv6_frame,
    ipv4_frame,
    ipv6_frame,
)
from .test_icmp import DATA, lab

assert lab


def error4(kind: int, code: int, quote: bytes, word: int = 0, src: bytes = ROUTER) -> bytes:
    return ipv4_frame(icmpv4.emit(kind, code, word, quote), 1, src=src)


def quoted4(protocol: int = 253, src: bytes = US, dst: bytes = FAR, data: bytes = DATA) -> bytes:
    return ipv4_frame(data, protocol, src, dst)[14:]


@pytest.mark.parametrize(
    ("kind", "code", "number", "hard"),
    [
        (3, 0, errno.ENETUNREACH, False),
        (3, 1, errno.EHOSTUNREACH, False),
        (3, 2, errno.ENOPROTOOPT, True),
        (3, 3, errno.ECONNREFUSED, True),
        (3, 4, errno.EMSGSIZE, False),
        (3, 5, errno.EOPNOTSUPP, False),
        (3, 13, errno.EHOSTUNREACH, True),
        (11, 0, errno.EHOSTUNREACH, False),
        (12, 0, errno.EPROTO, True),
    ],
)
def test_errors_are_told_as_linux_does(
    lab: Lab, kind: int, code: int, number: int, hard: bool
) -> None:
    listener = Listener(lab.stack)
    lab.give(error4(kind, code, quoted4()))
    (error,) = listener.errors
    assert (error.errno, error.hard, error.kind, error.code) == (number, hard, kind, code)
    assert (error.src, error.dst, error.offender) == (US, FAR, ROUTER)
    assert bytes(error.payload) == DATA


@pytest.mark.parametrize(
    ("frame", "counter"),
    [
        (error4(3, 1, quoted4(src=OTHER)), "icmp_error_not_ours"),
        (error4(3, 1, quoted4(protocol=200)), "icmp_error_protocol_unknown"),
        (error4(4, 0, quoted4()), "icmp_error_ignored"),
        (error4(3, 1, quoted4()[:27]), "icmp_quote_short"),
        (error4(3, 1, b"\x60" + quoted4()[1:]), "icmp_quote_bad"),
    ],
)
def test_errors_that_are_none(lab: Lab, frame: bytes, counter: str) -> None:
    listener = Listener(lab.stack)
    lab.give(frame)
    assert not listener.errors
    assert lab.count(counter) == 1


def error6(kind: int, code: int, word: int = 0, src: bytes = US6, dst: bytes = FAR6) -> bytes:
    quote = ipv6_frame(DATA, 253, src, dst)[14:]
    return icmpv6_frame(icmpv6.emit(kind, code, word, quote), hop_limit=64)


@pytest.mark.parametrize(
    ("kind", "code", "number", "hard"),
    [
        (1, 0, errno.ENETUNREACH, False),
        (1, 1, errno.EACCES, True),
        (1, 3, errno.EHOSTUNREACH, False),
        (1, 4, errno.ECONNREFUSED, True),
        (2, 0, errno.EMSGSIZE, False),
        (3, 0, errno.EHOSTUNREACH, False),
        (4, 1, errno.EPROTO, True),
    ],
)
def test_errors_of_icmpv6_are_told_as_linux_does(
    lab: Lab, kind: int, code: int, number: int, hard: bool
) -> None:
    listener = Listener(lab.stack)
    lab.give(error6(kind, code, 1400))
    (error,) = listener.errors
    assert (error.errno, error.hard, error.src, error.dst) == (number, hard, US6, FAR6)


def test_errors_of_icmpv6_about_others_packets(lab: Lab) -> None:
    listener = Listener(lab.stack)
    lab.give(error6(1, 0, src=PEER6))
    assert lab.count("icmpv6_error_not_ours") == 1
    assert not listener.errors


# Path MTU


def too_big(ip_mtu: int, dst: bytes = FAR) -> bytes:
    return error4(3, 4, quoted4(dst=dst), ip_mtu)


def test_a_path_mtu_is_lowered_and_comes_back_after_ten_minutes(lab: Lab) -> None:
    Listener(lab.stack)
    path = lab.stack.path(FAR)
    lab.give(too_big(1400))
    assert path.ip_mtu == 1400
    assert lab.stack.path(FAR, US).ip_mtu == 1400
    lab.stack.flush_paths()
    path = lab.stack.path(FAR)
    assert path.ip_mtu == 1400
    lab.wait(599 * SECOND)
    assert path.ip_mtu == 1400
    lab.wait(SECOND)
    assert path.ip_mtu == 1500
    assert lab.stack.known_path_mtu(FAR) == 0


def test_the_same_of_ipv6(lab: Lab) -> None:
    Listener(lab.stack)
    path = lab.stack.path(FAR6)
    lab.give(error6(2, 0, 1300))
    assert path.ip_mtu == 1300
    lab.give(error6(2, 0, 600))
    assert path.ip_mtu == 1280
    lab.wait(600 * SECOND)
    assert path.ip_mtu == 1500


@pytest.mark.parametrize("claimed", [1, 68, 296, 551])
def test_a_path_mtu_is_not_lowered_below_the_floor(lab: Lab, claimed: int) -> None:
    Listener(lab.stack)
    path = lab.stack.path(FAR)
    lab.give(too_big(claimed))
    assert path.ip_mtu == 552


@pytest.mark.parametrize("claimed", [1500, 1501, 65535])
def test_a_path_mtu_is_never_raised(lab: Lab, claimed: int) -> None:
    Listener(lab.stack)
    path = lab.stack.path(FAR)
    lab.give(too_big(claimed))
    assert path.ip_mtu == 1500
    assert lab.count("path_mtu_not_lower") == 1


def test_routers_that_do_not_say_their_mtu(lab: Lab) -> None:
    Listener(lab.stack)
    path = lab.stack.path(FAR)
    lab.give(error4(3, 4, quoted4(data=bytes(1480)), 0))
    assert path.ip_mtu == 1492


def test_a_path_mtu_for_somebody_we_do_not_talk_to_is_not_kept(lab: Lab) -> None:
    Listener(lab.stack)
    lab.give(too_big(1400))
    assert lab.stack.known_path_mtu(FAR) == 0


def test_a_path_mtu_is_not_believed_against_the_transports_word(lab: Lab) -> None:
    listener = Listener(lab.stack)
    listener.answer = False
    path = lab.stack.path(FAR)
    lab.give(too_big(1400))
    assert path.ip_mtu == 1500


def test_path_mtus_are_bounded() -> None:
    settings = Settings()
    settings.path_mtus_max = 10
    lab = Lab(settings)
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    Listener(lab.stack)
    for number in range(100):
        remote = FAR[:3] + bytes((number,))
        lab.stack.path(remote)
        lab.give(too_big(1400, remote))
    known = [n for n in range(100) if lab.stack.known_path_mtu(FAR[:3] + bytes((n,)))]
    assert known == list(range(90, 100))


# Redirects of IPv4


def redirect4(gateway: bytes, src: bytes = ROUTER, dst: bytes = FAR) -> bytes:
    return error4(5, 1, quoted4(dst=dst), int.from_bytes(gateway, "big"), src)


def hop(lab: Lab) -> bytes:
    neighbor = lab.stack.path(FAR).neighbor
    assert neighbor is not None
    return neighbor.address


def test_a_redirect_from_the_first_hop_is_followed_for_a_while(lab: Lab) -> None:
    lab.give(redirect4(OTHER))
    assert hop(lab) == OTHER
    lab.wait(601 * SECOND)
    assert hop(lab) == ROUTER


@pytest.mark.parametrize(
    ("frame", "counter"),
    [
        (redirect4(OTHER, src=PEER), "icmp_redirect_not_first_hop"),
        (redirect4(FAR), "icmp_redirect_gateway_bad"),
        (redirect4(US), "icmp_redirect_gateway_bad"),
        (redirect4(addr.parse("192.0.2.255")), "icmp_redirect_gateway_bad"),
    ],
)
def test_redirects_that_are_not_followed(lab: Lab, frame: bytes, counter: str) -> None:
    lab.give(frame)
    assert hop(lab) == ROUTER
    assert lab.count(counter) == 1


def test_redirects_can_be_refused(lab: Lab) -> None:
    lab.stack.settings.accept_redirects = False
    lab.give(redirect4(OTHER))
    assert hop(lab) == ROUTER
    assert lab.count("icmp_redirect_ignored") == 1
