"""ping and traceroute: what they make of messages, and the real thing on the loopback interface."""

from __future__ import annotations

import socket

import pytest

from ovum.net.tools import ToolError, echo, hops, ping, traceroute
from ovum.net.tools.hosts import milliseconds
from ovum.net.wire import addr, icmpv4, icmpv6, ipv4, ipv6, udp

A, B = b"\x0a\0\2\x0f", b"\x0a\0\2\2"
A6, B6 = addr.parse("2001:db8::1"), addr.parse("2001:db8::2")
WORD = 0x1234 << 16 | 7


def raw_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True


needs_raw = pytest.mark.skipif(not raw_sockets(), reason="raw sockets are for root")


def packet(message: bytes, ttl: int = 63) -> bytes:
    return ipv4.emit_header(B, A, 1, 20 + len(message), ttl=ttl) + message


REQUEST = icmpv4.emit(icmpv4.ECHO_REQUEST, 0, WORD, bytes(8))
QUOTE = ipv4.emit_header(A, B, 1, 20 + len(REQUEST)) + REQUEST


def fields(answer: echo.Answer | None) -> tuple[int, int, int, int, str]:
    assert answer is not None
    return answer.ident, answer.sequence, answer.size, answer.ttl, answer.error


def test_an_echo_reply_is_an_answer() -> None:
    reply = icmpv4.emit(icmpv4.ECHO_REPLY, 0, WORD, bytes(56))
    assert fields(echo.parse_answer4(packet(reply), True)) == (0x1234, 7, 64, 63, "")
    assert fields(echo.parse_answer4(reply, False)) == (0x1234, 7, 64, 0, "")


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (icmpv4.UNREACHABLE, 1, "Destination Host Unreachable"),
        (icmpv4.UNREACHABLE, 3, "Destination Port Unreachable"),
        (icmpv4.UNREACHABLE, 4, "Frag needed and DF set"),
        (icmpv4.UNREACHABLE, 13, "Packet filtered"),
        (icmpv4.TIME_EXCEEDED, 0, "Time to live exceeded"),
    ],
)
def test_an_error_about_a_request_is_told(kind: int, code: int, words: str) -> None:
    answer = echo.parse_answer4(packet(icmpv4.emit(kind, code, 0, QUOTE)), True)
    assert fields(answer)[:2] == (0x1234, 7)
    assert fields(answer)[4] == words


@pytest.mark.parametrize(
    "data",
    [
        packet(REQUEST),
        packet(icmpv4.emit(icmpv4.REDIRECT, 0, 0, QUOTE)),
        packet(icmpv4.emit(icmpv4.UNREACHABLE, 1, 0, QUOTE[:27])),
        packet(icmpv4.emit(3, 3, 0, ipv4.emit_header(A, B, 17, 28) + udp.emit_header(1, 2, 0))),
        packet(REQUEST)[:25],
        b"",
    ],
)
def test_other_things_are_none(data: bytes) -> None:
    assert echo.parse_answer4(data, True) is None


def test_answers_of_ipv6() -> None:
    reply = icmpv6.emit(icmpv6.ECHO_REPLY, 0, WORD, bytes(56))
    assert fields(echo.parse_answer6(reply)) == (0x1234, 7, 64, 0, "")
    request = icmpv6.emit(icmpv6.ECHO_REQUEST, 0, WORD)
    quote = ipv6.emit_header(A6, B6, 58, len(request)) + request
    told = echo.parse_answer6(icmpv6.emit(icmpv6.UNREACHABLE, 3, 0, quote))
    assert fields(told)[:2] == (0x1234, 7)
    assert fields(told)[4] == "Destination unreachable: Address unreachable"
    assert echo.parse_answer6(request) is None
    assert echo.parse_answer6(icmpv6.emit(icmpv6.UNREACHABLE, 3, 0, quote[:30])) is None
    assert echo.parse_answer6(b"") is None


def test_statistics_are_written_as_ping_writes_them() -> None:
    statistics = echo.Statistics("example.com")
    statistics.sent = 4
    statistics.duration_ns = 3_004_000_000
    for time_ns in (1_000_000, 2_000_000, 3_000_000):
        statistics.count(time_ns)
    statistics.duplicates = 1
    statistics.errors = 2
    assert statistics.lines() == [
        "--- example.com ping statistics ---",
        "4 packets transmitted, 3 received, +1 duplicates, +2 errors, 25% packet loss, time 3004ms",
        "rtt min/avg/max/mdev = 1.000/2.000/3.000/0.816 ms",
    ]


def test_no_answer_has_no_times() -> None:
    statistics = echo.Statistics("x")
    statistics.sent = 3
    assert statistics.lines()[1:] == [
        "3 packets transmitted, 0 received, 100% packet loss, time 0ms"
    ]


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(45_400, "0.045"), (1_234_000, "1.23"), (12_340_000, "12.3"), (123_400_000, "123")],
)
def test_times_have_the_digits_of_ping(time_ns: int, text: str) -> None:
    assert milliseconds(time_ns) == text


@needs_raw
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_loopback_answers(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    statistics = ping(host, 2, 0.01, size=100)
    assert (statistics.sent, statistics.received, statistics.errors) == (2, 2, 0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"PING {host} ({host}) 100")
    assert lines[1].startswith(f"108 bytes from {host}: icmp_seq=1 ttl=64 time=")
    assert "2 packets transmitted, 2 received, 0% packet loss" in lines[-2]


def test_a_host_without_a_name_is_said_plainly() -> None:
    with pytest.raises(ToolError, match=r"host\.invalid"):
        ping("host.invalid", 1)


def report4(kind: int, code: int) -> hops.Report | None:
    datagram = udp.emit_header(40000, 33434, 32)
    message = icmpv4.emit(kind, code, 0, ipv4.emit_header(A, B, 17, 60) + datagram)
    return hops.parse_report4(packet(message))


def test_reports_of_routers_and_hosts() -> None:
    for kind, code, is_end, mark in (
        (icmpv4.TIME_EXCEEDED, 0, False, ""),
        (icmpv4.UNREACHABLE, 3, True, ""),
        (icmpv4.UNREACHABLE, 1, True, "!H"),
        (icmpv4.UNREACHABLE, 13, True, "!X"),
        (icmpv4.UNREACHABLE, 15, True, "!<15>"),
    ):
        report = report4(kind, code)
        assert report is not None
        assert (report.src_port, report.dst_port) == (40000, 33434)
        assert (report.is_end, report.mark) == (is_end, mark)
    assert report4(icmpv4.ECHO_REPLY, 0) is None
    assert hops.parse_report4(packet(icmpv4.emit(3, 3, 0, QUOTE))) is None
    assert hops.parse_report4(b"x") is None


def test_reports_of_ipv6() -> None:
    quote = ipv6.emit_header(A6, B6, 17, 40) + udp.emit_header(40000, 33434, 32)
    for kind, code, is_end, mark in (
        (icmpv6.TIME_EXCEEDED, 0, False, ""),
        (icmpv6.UNREACHABLE, 4, True, ""),
        (icmpv6.UNREACHABLE, 0, True, "!N"),
    ):
        report = hops.parse_report6(icmpv6.emit(kind, code, 0, quote))
        assert report is not None
        assert (report.dst_port, report.is_end, report.mark) == (33434, is_end, mark)
    assert hops.parse_report6(b"") is None
    assert hops.parse_report6(icmpv6.emit(icmpv6.ECHO_REPLY, 0, 0, quote)) is None


@needs_raw
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_loopback_is_one_hop_away(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert traceroute(host, probes=2, names=False) == [[host]]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"traceroute to {host} ({host}), 30 hops max, ")
    assert lines[1].startswith(f" 1  {host}  ")
    assert lines[1].count(" ms") == 2
