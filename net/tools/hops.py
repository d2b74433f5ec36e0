"""traceroute: the routers on the way to a host (traceroute(8)).

Datagrams go to ports that nobody listens on, with a time to live that grows; the routers at which
it ends say so by ICMP, and so does the host for the port.
"""

from __future__ import annotations

import socket
import time

from ovum.net.tools.hosts import ToolError, name_of, resolve, socket_address
from ovum.net.wire import icmpv4, icmpv6, ipv4, udp
from ovum.net.wire.errors import WireError

FIRST_PORT = 33434

_MARKS4 = {0: "!N", 1: "!H", 2: "!P", 4: "!F", 5: "!S", 9: "!X", 10: "!X", 13: "!X"}
_MARKS6 = {0: "!N", 1: "!X", 2: "!S", 3: "!H"}


class Report:
    """An ICMP error about one of our datagrams."""

    __slots__ = ("dst_port", "is_end", "mark", "src_port")

    def __init__(self, src_port: int, dst_port: int, is_end: bool, mark: str) -> None:
        self.src_port = src_port
        self.dst_port = dst_port
        self.is_end = is_end
        """Nothing is behind it: the host itself, or no way there."""
        self.mark = mark


def parse_report4(packet: bytes) -> Report | None:
    """A packet of a raw socket. None: nothing of interest."""
    try:
        header = ipv4.parse(packet)
        message = icmpv4.parse(packet[header.header_size : header.total_length])
        if message.kind not in (icmpv4.TIME_EXCEEDED, icmpv4.UNREACHABLE):
            return None
        quoted = icmpv4.parse_quoted(message.body)
    except WireError:
        return None
    if quoted.protocol != udp.PROTOCOL:
        return None
    is_end = message.kind == icmpv4.UNREACHABLE
    is_host = is_end and message.code == icmpv4.PORT_UNREACHABLE
    mark = _MARKS4.get(message.code, f"!<{message.code}>") if is_end and not is_host else ""
    return _report(bytes(quoted.payload), is_end, mark)


def parse_report6(message: bytes) -> Report | None:
    """A message of a raw socket. None: nothing of interest."""
    if len(message) < icmpv6.SIZE:
        return None
    kind, code = message[0], message[1]
    if kind not in (icmpv6.TIME_EXCEEDED, icmpv6.UNREACHABLE):
        return None
    try:
        quoted = icmpv6.parse_quoted(message[icmpv6.SIZE :])
    except WireError:
        return None
    if quoted.protocol != udp.PROTOCOL:
        return None
    is_end = kind == icmpv6.UNREACHABLE
    is_host = is_end and code == icmpv6.PORT_UNREACHABLE
    mark = _MARKS6.get(code, f"!<{code}>") if is_end and not is_host else ""
    return _report(bytes(quoted.payload), is_end, mark)


def _report(datagram: bytes, is_end: bool, mark: str) -> Report:
    ports = int.from_bytes(datagram[:2], "big"), int.from_bytes(datagram[2:4], "big")
    return Report(*ports, is_end, mark)


class _Tracer:
    """One traceroute, on its way."""

    def __init__(self, host: str, family: int, size: int) -> None:
        self.family, self.address = resolve(host, family)
        self.is6 = self.family == socket.AF_INET6
        self.payload = bytes(size)
        protocol = socket.IPPROTO_ICMPV6 if self.is6 else socket.IPPROTO_ICMP
        try:
            self.reports = socket.socket(self.family, socket.SOCK_RAW, protocol)
        except PermissionError as error:
            raise ToolError("this user may open no raw socket") from error
        self.sender = socket.socket(self.family, socket.SOCK_DGRAM)
        self.sender.bind(("", 0))
        self.port = self.sender.getsockname()[1]

    def probe(self, ttl: int, port: int, wait: float) -> tuple[str, int, Report] | None:
        """Sends one datagram; who has answered, after which time, and what. None: nobody."""
        level = socket.IPPROTO_IPV6 if self.is6 else socket.IPPROTO_IP
        option = socket.IPV6_UNICAST_HOPS if self.is6 else socket.IP_TTL
        self.sender.setsockopt(level, option, ttl)
        begun = time.perf_counter_ns()
        until = begun + int(wait * 1e9)
        try:
            self.sender.sendto(self.payload, socket_address(self.family, self.address, port))
        except OSError as error:
            raise ToolError(f"sending failed: {error.strerror}") from error
        while True:
            left = until - time.perf_counter_ns()
            if left <= 0:
                return None
            self.reports.settimeout(left / 1e9)
            try:
                data, source = self.reports.recvfrom(65536)
            except TimeoutError:
                return None
            now = time.perf_counter_ns()
            report = parse_report6(data) if self.is6 else parse_report4(data)
            if report and (report.src_port, report.dst_port) == (self.port, port):
                return str(source[0]), now - begun, report

    def close(self) -> None:
        """No more of it."""
        self.reports.close()
        self.sender.close()


def traceroute(
    host: str,
    hops: int = 30,
    probes: int = 3,
    wait: float = 3.0,
    *,
    size: int = 32,
    names: bool = True,
    family: int = 0,
) -> list[list[str]]:
    """Prints the routers on the way to a host, a line each, with the times of three probes.

    hops: how far at most. wait: seconds for each answer; `*` is none. names: look up the routers'.
    Returns the addresses that have answered, hop by hop. Raises ToolError.
    """
    tracer = _Tracer(host, family, size)
    total = size + (48 if tracer.is6 else 28)
    print(
        f"traceroute to {host} ({tracer.address[0]}), {hops} hops max, {total} byte packets",
        flush=True,
    )
    found: list[list[str]] = []
    port = FIRST_PORT
    try:
        for ttl in range(1, hops + 1):
            print(f"{ttl:2} ", end="", flush=True)
            here: list[str] = []
            ends = 0
            for _ in range(probes):
                answer = tracer.probe(ttl, port, wait)
                port += 1
                if answer is None:
                    print(" *", end="", flush=True)
                    continue
                source, took, report = answer
                if source not in here:
                    here.append(source)
                    print(f" {name_of(source)} ({source})" if names else f" {source}", end="")
                ends += report.is_end
                mark = f" {report.mark}" if report.mark else ""
                print(f"  {took / 1e6:.3f} ms{mark}", end="", flush=True)
            print(flush=True)
            found.append(here)
            if ends:
                break
    except KeyboardInterrupt:
        print()
    finally:
        tracer.close()
    return found
