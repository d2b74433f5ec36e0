"""ping: whether a host answers, and how quickly (iputils' ping(8))."""

from __future__ import annotations

import errno
import os
import socket
import time

from ovum.net.tools.hosts import ToolError, milliseconds, resolve, socket_address
from ovum.net.wire import icmpv4, icmpv6, ipv4
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND_NS = 1_000_000_000

IP_RECVERR, IP_RECVTTL, IPV6_RECVERR, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 11, 12, 25, 51, 52
"""ip(7), ipv6(7): `socket` has not all of them."""

_UNREACHABLE4 = ("Net Unreachable", "Host Unreachable", "Protocol Unreachable", "Port Unreachable")
_UNREACHABLE6 = ("No route", "Administratively prohibited", "Beyond scope of source address",
                 "Address unreachable", "Port unreachable")  # fmt: skip


class Statistics:
    """What came of a ping."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.sent = 0
        self.received = 0
        self.duplicates = 0
        self.errors = 0
        self.least_ns = 0
        self.most_ns = 0
        self.sum_ns = 0
        self.sum_of_squares = 0
        self.duration_ns = 0

    def count(self, time_ns: int) -> None:
        """An answer has come after this time."""
        self.least_ns = time_ns if not self.received else min(self.least_ns, time_ns)
        self.most_ns = max(self.most_ns, time_ns)
        self.received += 1
        self.sum_ns += time_ns
        self.sum_of_squares += time_ns * time_ns

    @property
    def loss(self) -> float:
        """The share of requests without an answer."""
        return 1 - self.received / self.sent if self.sent else 0.0

    def lines(self) -> list[str]:
        """As ping prints it at its end."""
        more = f", +{self.duplicates} duplicates" if self.duplicates else ""
        more += f", +{self.errors} errors" if self.errors else ""
        lines = [
            f"--- {self.host} ping statistics ---",
            f"{self.sent} packets transmitted, {self.received} received{more}, "
            f"{100 * self.loss:.6g}% packet loss, time {self.duration_ns // 1_000_000}ms",
        ]
        if self.received:
            average = self.sum_ns / self.received
            spread = max(0.0, self.sum_of_squares / self.received - average * average) ** 0.5
            values = (self.least_ns, average, self.most_ns, spread)
            lines.append(
                "rtt min/avg/max/mdev = "
                + "/".join(f"{value / 1e6:.3f}" for value in values)
                + " ms"
            )
        return lines


class Answer:
    """What has come: an answer to one of ours, or an error about one."""

    __slots__ = ("error", "ident", "sequence", "size", "ttl")

    def __init__(self, ident: int, sequence: int, size: int, ttl: int, error: str = "") -> None:
        self.ident = ident
        self.sequence = sequence
        self.size = size
        self.ttl = ttl
        """0: not known."""
        self.error = error


def parse_answer4(data: bytes, has_header: bool) -> Answer | None:
    """An ICMP message; of a raw socket with the IP header. None: nothing of interest."""
    ttl = 0
    try:
        if has_header:
            header = ipv4.parse(data)
            ttl = header.ttl
            data = data[header.header_size : header.total_length]
        message = icmpv4.parse(data)
        word = message.word
        if message.kind == icmpv4.ECHO_REPLY:
            return Answer(word >> 16, word & 0xFFFF, len(data), ttl)
        if message.kind not in (icmpv4.UNREACHABLE, icmpv4.TIME_EXCEEDED):
            return None
        quoted = icmpv4.parse_quoted(message.body)
    except WireError:
        return None
    if quoted.protocol != icmpv4.PROTOCOL or quoted.payload[0] != icmpv4.ECHO_REQUEST:
        return None
    ident, sequence = _ident(bytes(quoted.payload))
    return Answer(ident, sequence, len(data), ttl, describe4(message.kind, message.code))


def parse_answer6(data: bytes) -> Answer | None:
    """An ICMPv6 message, whose checksum the kernel has checked."""
    if len(data) < icmpv6.SIZE:
        return None
    kind, code = data[0], data[1]
    if kind == icmpv6.ECHO_REPLY:
        ident, sequence = _ident(data)
        return Answer(ident, sequence, len(data), 0)
    if kind not in (icmpv6.UNREACHABLE, icmpv6.PACKET_TOO_BIG, icmpv6.TIME_EXCEEDED):
        return None
    try:
        quoted = icmpv6.parse_quoted(data[icmpv6.SIZE :])
    except WireError:
        return None
    if quoted.protocol != icmpv6.PROTOCOL or quoted.payload[0] != icmpv6.ECHO_REQUEST:
        return None
    ident, sequence = _ident(bytes(quoted.payload))
    return Answer(ident, sequence, len(data), 0, describe6(kind, code))


def _ident(message: bytes) -> tuple[int, int]:
    return int.from_bytes(message[4:6], "big"), int.from_bytes(message[6:8], "big")


def describe4(kind: int, code: int) -> str:
    """An ICMP error in ping's words."""
    if kind == icmpv4.TIME_EXCEEDED:
        return "Time to live exceeded"
    if code < 4:
        return f"Destination {_UNREACHABLE4[code]}"
    if code == icmpv4.FRAGMENTATION_NEEDED:
        return "Frag needed and DF set"
    return "Packet filtered" if code == 13 else f"Destination Unreachable, code {code}"


def describe6(kind: int, code: int) -> str:
    """An ICMPv6 error in ping's words."""
    if kind == icmpv6.TIME_EXCEEDED:
        return "Time exceeded: Hop limit"
    if kind == icmpv6.PACKET_TOO_BIG:
        return "Packet too big"
    reason = _UNREACHABLE6[code] if code < 5 else f"code {code}"
    return f"Destination unreachable: {reason}"


def open_socket(family: int) -> tuple[socket.socket, bool]:
    """A socket for echoes, and whether it is a raw one: a ping socket, or where the system allows
    none, a raw one. Raises ToolError."""
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(family, kind, protocol), kind == socket.SOCK_RAW
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT):
                raise ToolError(f"no socket: {error.strerror}") from error
    raise ToolError("this user may open neither ping sockets nor raw ones")


class _Pinger:
    """One ping, on its way."""

    def __init__(self, host: str, size: int, ttl: int, family: int) -> None:
        self.family, self.address = resolve(host, family)
        self.socket, self.raw = open_socket(self.family)
        self.is6 = self.family == socket.AF_INET6
        self.ident = int.from_bytes(os.urandom(2), "big")
        """A ping socket has another one, which the kernel sets."""
        self.payload = bytes(at & 0xFF for at in range(size))
        self.statistics = Statistics(host)
        self.sent_at: dict[int, int] = {}
        """By sequence number: what has not been answered."""
        self.answered: set[int] = set()
        level = socket.IPPROTO_IPV6 if self.is6 else socket.IPPROTO_IP
        receive_ttl = IPV6_RECVHOPLIMIT if self.is6 else IP_RECVTTL
        self.socket.setsockopt(level, receive_ttl, 1)
        if ttl:
            option = socket.IPV6_UNICAST_HOPS if self.is6 else socket.IP_TTL
            self.socket.setsockopt(level, option, ttl)
        if not self.is6:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        # Errors about what is sent: a ping socket then says so, without saying whom they are from.
        self.socket.setsockopt(level, IPV6_RECVERR if self.is6 else IP_RECVERR, not self.raw)

    def send(self, sequence: int) -> None:
        """The next request."""
        word = self.ident << 16 | sequence & 0xFFFF
        if self.is6:
            data = icmpv6.emit(icmpv6.ECHO_REQUEST, 0, word, self.payload)
        else:
            data = icmpv4.emit(icmpv4.ECHO_REQUEST, 0, word, self.payload)
        self.sent_at[sequence & 0xFFFF] = time.perf_counter_ns()
        self.statistics.sent += 1
        try:
            self.socket.sendto(data, socket_address(self.family, self.address))
        except OSError as error:
            self.fail(f"ping: sendmsg: {error.strerror}")

    def fail(self, what: str) -> None:
        """An error, which is no answer."""
        self.statistics.errors += 1
        print(what, flush=True)

    def receive(self, until_ns: int) -> None:
        """Takes what comes until then; ends early when all has been answered and no more is to be
        waited for."""
        while True:
            left = until_ns - time.perf_counter_ns()
            if left <= 0:
                return
            self.socket.settimeout(left / SECOND_NS)
            try:
                data, control, _, source = self.socket.recvmsg(65536, 256)
            except TimeoutError:
                return
            except OSError as error:
                self.fail(f"ping: {error.strerror}")
                continue
            if self.take(data, control, str(source[0]), time.perf_counter_ns()):
                return

    def take(
        self, data: bytes, control: Sequence[tuple[int, int, bytes]], source: str, now: int
    ) -> bool:
        """Something has come. Whether it was the answer to the last request."""
        answer = parse_answer6(data) if self.is6 else parse_answer4(data, self.raw)
        if answer is None or (self.raw and answer.ident != self.ident):
            return False
        sequence = answer.sequence
        if answer.error:
            self.fail(f"From {source} icmp_seq={sequence} {answer.error}")
            return False
        for level, kind, value in control:
            if (level, kind) in ((0, socket.IP_TTL), (41, IPV6_HOPLIMIT)):
                answer.ttl = int.from_bytes(value[:4], "little")
        text = f"{answer.size} bytes from {source}: icmp_seq={sequence} ttl={answer.ttl}"
        begun = self.sent_at.pop(sequence, None)
        if begun is None:
            if sequence in self.answered:
                self.statistics.duplicates += 1
                print(f"{text} (DUP!)", flush=True)
            return False
        self.answered.add(sequence)
        self.statistics.count(now - begun)
        print(f"{text} time={milliseconds(now - begun)} ms", flush=True)
        return not self.sent_at


def ping(
    host: str,
    count: int = 4,
    interval: float = 1.0,
    *,
    size: int = 56,
    wait: float = 2.0,
    ttl: int = 0,
    family: int = 0,
) -> Statistics:
    """Asks a host for echoes, and prints what comes back; Ctrl-C ends it.

    count: how many requests, 0 without end. interval: seconds from one to the next. size: bytes of
    data. wait: seconds for the last answer. ttl: how many routers may be on the way. family:
    socket.AF_INET or AF_INET6. Raises ToolError.
    """
    if not 0 <= size <= 65507:
        raise ToolError("the size is 0 to 65507")
    pinger = _Pinger(host, size, ttl, family)
    statistics = pinger.statistics
    shown = pinger.address[0]
    if pinger.is6:
        print(f"PING {host} ({shown}) {size} data bytes", flush=True)
    else:
        print(f"PING {host} ({shown}) {size}({size + 28}) bytes of data.", flush=True)
    begun = time.perf_counter_ns()
    with pinger.socket:
        try:
            sequence = 0
            while True:
                sequence += 1
                if sequence > 0xFFFF:
                    pinger.answered.discard(sequence & 0xFFFF)
                pinger.send(sequence)
                if sequence == count:
                    break
                due = begun + int(sequence * interval * SECOND_NS)
                while time.perf_counter_ns() < due:
                    pinger.receive(due)
            pinger.receive(time.perf_counter_ns() + int(wait * SECOND_NS))
        except KeyboardInterrupt:
            pass  # as with ping: the end, and the statistics
    statistics.duration_ns = time.perf_counter_ns() - begun
    print()
    for line in statistics.lines():
        print(line)
    return statistics
