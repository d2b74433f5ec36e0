"""Our stack at one end of a TAP interface, Linux's at the other: `unshare -n python -m …tap CHECK`.

In a network namespace of its own, so that the machine that tests does not see any of it. A thread
runs our stack by the real clock; the checks are Linux's sockets, and endpoints of ours.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from ovum.drivers.frames import Received
from ovum.net.ip import IcmpError, Packet
from ovum.net.phy.segments import to_wire
from ovum.net.stack import Stack
from ovum.net.udp import Queue, UdpEndpoint, UdpHost
from ovum.net.wire import addr, icmpv4, icmpv6, ndp
from ovum.net.wire.ndp_options import Options, Prefix

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 2, 0x1000

LINUX, OURS = "192.0.2.1", "192.0.2.2"
LINUX6, OURS6 = "2001:db8::1", "2001:db8::2"
WAIT_S = 10.0


class Echo:
    """A user of an endpoint that answers with what it gets."""

    def __init__(self) -> None:
        self.endpoint: UdpEndpoint | None = None

    def datagram(
        self,
        now: int,
        source: bytes,
        port: int,
        data: bytes | bytearray | memoryview,
        packet: Packet,
    ) -> bool:
        assert self.endpoint is not None
        self.endpoint.send(data, source, port, scope=packet.interface if source[0] == 0xFE else 0)
        return True

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        pass


class Machine:
    """The stack and its thread."""

    def __init__(self) -> None:
        self.tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI))
        ip("link set lo up")
        ip("link set tap0 up")
        ip(f"addr add {LINUX}/24 dev tap0")
        ip(f"addr add {LINUX6}/64 dev tap0 nodad")
        self.stack = Stack(random.Random(1))
        self.stack.now = time.monotonic_ns()
        self.link = self.stack.add_interface("eth0", b"\x02\0\0\0\0\x02", 1500)
        self.stack.add_address(self.stack.now, self.link, addr.parse(OURS), 24)
        self.stack.add_address(self.stack.now, self.link, addr.parse(OURS6), 64)
        self.udp = UdpHost(self.stack)
        self.lock = threading.Lock()
        self.wake, self.woken = os.pipe()
        self.stopping = False
        echo = Echo()
        echo.endpoint = self.udp.endpoint(6, echo)
        echo.endpoint.bind(b"", 7)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        """Until `stop`."""
        while not self.stopping:
            with self.lock:
                now = time.monotonic_ns()
                self.stack.poll(now)
                for frame in self.link.take_outbox(now):
                    for whole in to_wire(frame):
                        os.write(self.tap, whole)
                deadline = self.stack.next_deadline()
            timeout = None if deadline is None else max(0.0, (deadline - now) / 1e9)
            ready, _, _ = select.select([self.tap, self.wake], [], [], timeout)
            if self.wake in ready:
                os.read(self.wake, 64)
            if self.tap in ready:
                frame_data = os.read(self.tap, 65536)
                with self.lock:
                    self.stack.receive(time.monotonic_ns(), self.link, [Received(frame_data)])

    def do(self, action: Callable[[], object]) -> None:
        """Calls something of the stack's."""
        with self.lock:
            self.stack.now = time.monotonic_ns()
            action()
        os.write(self.woken, b"x")

    def until(self, done: Callable[[], bool]) -> None:
        """Waits until something is so."""
        end = time.monotonic() + WAIT_S
        waiting = threading.Event()
        while not done():
            assert time.monotonic() < end, "it never came to pass"
            waiting.wait(0.01)

    def stop(self) -> None:
        """Ends the thread."""
        self.stopping = True
        os.write(self.woken, b"x")
        self.thread.join()


def ip(words: str) -> str:
    """ip(8)."""
    return subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True).stdout


def ping(family: int, target: str, size: int, count: int = 1) -> int:
    """Sends echo requests at once; how many answers are right."""
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        raw.settimeout(WAIT_S)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        address = socket.getaddrinfo(target, 0, family, socket.SOCK_DGRAM)[0][4]
        for number in range(count):
            if family == socket.AF_INET:
                message = icmpv4.emit(8, 0, 0x77770000 | number, data)
            else:
                message = icmpv6.emit(128, 0, 0x77770000 | number, data)
            raw.sendto(message, address)
        seen: set[bytes] = set()
        while len(seen) < count:
            got = raw.recv(70000)
            if family == socket.AF_INET:
                got = got[20:]
            if got[0] == (0 if family == socket.AF_INET else 129) and got[4:6] == b"\x77\x77":
                assert got[8:] == data
                seen.add(got[6:8])
        return len(seen)


def check_ping(machine: Machine) -> None:
    """Echoes of all sizes, fragmented both ways."""
    for size in (0, 1, 56, 1472, 1473, 8000, 65507):
        assert ping(socket.AF_INET, OURS, size) == 1
    machine.until(lambda: machine.link.link_local() is not None)
    for size in (0, 1, 56, 1452, 1453, 8000, 65000):
        assert ping(socket.AF_INET6, OURS6, size) == 1
        assert ping(socket.AF_INET6, "fe80::ff:fe00:2%tap0", size) == 1


def check_flood(machine: Machine) -> None:
    """Many at once, as ping -f."""
    assert ping(socket.AF_INET, OURS, 56, 1) == 1
    for _ in range(20):
        assert ping(socket.AF_INET, OURS, 56, 100) == 100


def check_udp(machine: Machine) -> None:
    """Datagrams there and back; refused ports."""
    machine.until(lambda: machine.stack.is_local(addr.parse(OURS6)))
    for family, target in ((socket.AF_INET, OURS), (socket.AF_INET6, OURS6)):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(WAIT_S)
            sock.connect((target, 7))
            for size in (0, 1, 1472, 1473, 9000, 65507):
                data = os.urandom(size)
                sock.send(data)
                assert sock.recv(70000) == data
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(WAIT_S)
            sock.connect((target, 9))
            sock.send(b"x")
            try:
                sock.recv(10)
            except ConnectionRefusedError:
                continue
            raise AssertionError("Linux was not told that nobody has the port")


def check_refused_by_linux(machine: Machine) -> None:
    """The same the other way."""
    machine.until(lambda: machine.stack.is_local(addr.parse(OURS6)))
    for target in (addr.to_mapped(addr.parse(LINUX)), addr.parse(LINUX6)):
        queue = Queue()
        endpoint = machine.udp.endpoint(6, queue)
        machine.do(lambda e=endpoint, t=target: e.send(b"x" * 3000, t, 9))  # type: ignore[misc]
        errors: list[IcmpError] = []

        def told(q: Queue = queue, found: list[IcmpError] = errors) -> bool:
            error = q.take_error()
            if error is not None:
                found.append(error)
            return bool(found)

        machine.until(told)
        assert errors[0].errno == 111


def check_neighbors(machine: Machine) -> None:
    """Linux knows where we are, and keeps knowing."""
    ping(socket.AF_INET, OURS, 1)
    machine.until(lambda: machine.stack.is_local(addr.parse(OURS6)))
    ping(socket.AF_INET6, OURS6, 1)
    found = ip("neigh show dev tap0")
    for address in (OURS, OURS6):
        assert f"{address} lladdr 02:00:00:00:00:02" in found, found


def check_conflicts(machine: Machine) -> None:
    """Addresses that Linux has are not ours."""
    found: list[bool] = []
    machine.do(
        lambda: machine.stack.probe_address(
            machine.stack.now, machine.link, addr.parse(LINUX), lambda now, free: found.append(free)
        )
    )
    machine.until(lambda: bool(found))
    assert found == [False]
    machine.do(
        lambda: machine.stack.add_address(machine.stack.now, machine.link, addr.parse(LINUX6), 64)
    )
    machine.until(lambda: machine.stack.counters["dad_duplicate"] == 1)
    assert addr.parse(LINUX6) not in machine.link.addresses6


def check_conflict_of_linux(machine: Machine) -> None:
    """Linux finds out that we have an address."""
    machine.until(lambda: machine.stack.is_local(addr.parse(OURS6)))
    ip(f"addr add {OURS6}/64 dev tap0")
    machine.until(lambda: "dadfailed" in ip("-6 addr show dev tap0"))


def check_router(machine: Machine) -> None:
    """Linux's kernel carries an advertisement; an address is made, and answers."""
    machine.until(lambda: machine.link.link_local() is not None)
    options = Options()
    options.prefixes.append(Prefix(addr.parse("2001:db8:7::"), 64, True, True, 600, 300))
    message = ndp.emit(ndp.RouterAdvertisement(1800, options))
    ip("addr add 2001:db8:7::1/64 dev tap0 nodad")
    machine.until(lambda: "tentative" not in ip("-6 addr show dev tap0"))
    router = ip("-6 -o addr show dev tap0 scope link").split()[3].partition("/")[0]
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        index = socket.if_nametoindex("tap0")
        raw.bind((router, 0, 0, index))
        raw.sendto(message, ("ff02::1", 0, 0, index))
    made = addr.parse("2001:db8:7::ff:fe00:2")
    machine.until(lambda: machine.stack.is_local(made))
    assert ping(socket.AF_INET6, addr.text(made), 100) == 1


def check_multicast(machine: Machine) -> None:
    """Both hear what the other sends to a group."""
    group = "239.1.2.3"
    queue = Queue()
    endpoint = machine.udp.endpoint(4, queue)

    def join() -> None:
        endpoint.bind(b"", 5000)
        endpoint.join(addr.parse(group), machine.link.index)
        endpoint.multicast_interface = machine.link.index

    machine.do(join)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(WAIT_S)
        sock.bind(("", 5000))
        request = socket.inet_aton(group) + socket.inet_aton(LINUX)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LINUX))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        sock.sendto(b"from Linux", (group, 5000))
        machine.until(lambda: len(queue) == 1)
        machine.do(lambda: endpoint.send(b"from us", addr.parse(group), 5000))
        assert sock.recvfrom(100) == (b"from us", (OURS, 5000))


def main() -> None:
    """Runs the check that is named."""
    machine = Machine()
    try:
        globals()[f"check_{sys.argv[1]}"](machine)
        bad = [
            (name, count)
            for name, count in machine.stack.counters.items()
            if "checksum_bad" in name or "length_bad" in name or "overlap" in name
        ]
        assert not bad, bad
    finally:
        machine.stop()


if __name__ == "__main__":
    main()
