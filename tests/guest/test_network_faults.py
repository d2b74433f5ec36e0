"""A machine under attack, and beside peers that do not behave: it goes on, and nothing is left.

The frames are this test's, over a wire of QEMU's; the honest peer is ovum's own stack.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovum.net.tcp.settings import CONNECTION

from . import wire
from .forged import Attacker
from .peer import Peer, Socket

PROGRAM = Path(__file__).parent / "network" / "target.py"

pytestmark = pytest.mark.timeout(7200)

SLACK_KB = 1024
"""Free memory may be less by this: allocators' heaps are not packed."""

LIMIT_KB = 32 * 1024
"""What a machine may spend on attackers, in all."""

SAME = (
    "tasks", "descriptors", "fragments", "routes", "addresses", "groups", "home", "connections",
    "half_open", "orphans", "endpoints", "leaving", "waiting",
)  # fmt: skip
"""What is as it was when all is over."""


class Victim:
    """The guest, its peer, and what there was at first."""

    def __init__(self, peer: Peer, full: bool) -> None:
        self.peer = peer
        self.times = 10 if full else 1
        """How many frames there are of each thousand."""
        # Before, somebody else's claim of the address would be believed (RFC 5227, 2.1.1).
        while not self.account()["names"].get("acd_free"):
            self.check_services()
        self.first = self.account()

    def account(self) -> dict[str, Any]:
        """What the guest has of everything."""
        found: dict[str, Any] = json.loads(self.peer.ask(9, b"account"))
        return found

    def storm(self, attacker: Attacker) -> None:
        """All kinds of floods, and after each all services answer."""
        count = 500 * self.times
        for frames in (
            attacker.syns(3 * count, 7),
            attacker.acknowledgements(count, 7),
            attacker.fragments4(count),
            attacker.fragments6(count),
            attacker.arps(count),
            attacker.neighbors6(count),
            attacker.malformed(2 * count),
        ):
            self.peer.inject(frames)
            self.check_services()

    def check_services(self) -> None:
        """TCP of both versions, UDP and HTTP."""
        for address in (None, self.peer.guest6):
            one = self.peer.connect(7, address) if address else self.peer.connect(7)
            one.exchange(b"are you there? " * 200)
            one.ring.close()
        self.peer.echo(b"and you?" * 500)
        request = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        assert self.peer.ask(80, request).endswith(b"hello")

    def open(self, port: int, count: int) -> list[Socket]:
        """As many connections, each of which the program has before the next hundred come."""
        sockets: list[Socket] = []
        before = self.made(port)
        while len(sockets) < count:
            some = [self.peer.open(port) for _ in range(min(100, count))]
            self.peer.pump(lambda: all(one.heard for one in some))  # noqa: B023
            assert all(one.heard == ["established"] for one in some)
            sockets += some
            while self.made(port) < before + len(sockets):
                pass
        return sockets

    def made(self, port: int) -> int:
        """How many connections a server's program has been given."""
        return int(json.loads(self.peer.ask(9, b"made"))[str(port)])

    def settled(self, before: dict[str, Any]) -> dict[str, Any]:
        """Waits until there is of everything what there was before."""
        while True:
            now = self.account()
            now["connections"] -= now["time_waits"]
            if all(now[key] <= before[key] for key in SAME):
                return now


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory, full: bool) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("wire")
    peer = Peer(folder)
    limit_s = 7000 if full else 280
    if full:
        peer.limit_s = 600
    try:
        with wire.started(
            folder, "microvm", peer.netdev, "virtio-net-device", program=PROGRAM, limit_s=limit_s
        ) as guest:
            peer.start()
            peer.pump(lambda: guest.has_line() and bool(peer.guest6), limit_s)
            guest.expect_line("ready")
            yield Victim(peer, full)
            with contextlib.suppress(EOFError):  # the machine is off
                peer.ask(9, b"end")
            assert guest.process.wait(wire.LIMIT_S) == 0
    finally:
        peer.close()


def test_floods_and_forgeries_leave_nothing_behind(victim: Victim) -> None:
    """Twice: what is kept after the first time is there for good, but the second adds nothing."""
    victim.check_services()
    victim.storm(Attacker(victim.peer, 1))
    before = victim.settled(victim.first)
    assert victim.first["free"] - before["free"] < LIMIT_KB
    victim.storm(Attacker(victim.peer, 2))
    after = victim.settled(before)
    assert before["free"] - after["free"] < SLACK_KB, (before, after)
    names = after["names"]
    assert names["tcp_cookies_sent"] > 0, names


def test_a_connection_survives_forged_resets_and_errors(victim: Victim) -> None:
    one = victim.peer.connect(7)
    one.exchange(b"before" * 1000)
    attacker = Attacker(victim.peer, 3)
    port = one.connection.local_port
    for _ in range(4):
        victim.peer.inject(attacker.resets(port, one.connection.snd_nxt, 60_000, 60))
        victim.peer.inject(attacker.errors(port, one.connection.rcv_nxt - 1, 140))
        one.exchange(b"after" * 1000)
    one.ring.close()
    victim.check_services()


def test_slow_readers_and_half_open_peers_disturb_nobody(victim: Victim) -> None:
    before = victim.settled(victim.first)
    peer = victim.peer
    slow = [peer.connect(19) for _ in range(3)]
    # Windows are full from then on, and stay so while others are served.
    peer.pump(lambda: all(one.ring.receive_queued() > 60_000 for one in slow))
    # Peers that are gone without a word: what they are sent is answered by nobody.
    gone = [peer.connect(7) for _ in range(10)]
    for one in gone:
        one.ring.send(b"hello")
    for one in gone:
        peer.tcp.forget_endpoint(one.connection)
    victim.check_services()
    for one in slow:
        data = bytearray()
        peer.pump(lambda: _read(one, data))  # noqa: B023
        assert data == bytes(range(256)) * 4096
        one.ring.close()
    victim.settled(before)


def _read(one: Socket, data: bytearray) -> bool:
    data += one.take()
    return "peer_closed" in one.heard and not one.ring.receive_queued()


def test_many_that_are_not_read_hold_no_more_than_they_may(victim: Victim) -> None:
    """And all others go on. Without a limit of its own, what they send would be all the memory."""
    before = victim.settled(victim.first)
    peer = victim.peer
    memory = before["memory"]
    count, size = (10_000, 20_000) if victim.times > 1 else (60, 60_000)
    if victim.times == 1:
        peer.ask(9, b"memory %d" % (1 << 20))
    peer.ask(9, b"limit %d" % (count + 100))
    sockets = victim.open(13, count)
    # All windows are open. Those of a hundred at a time are filled: each has its least, but for
    # less than a segment.
    for first in range(0, count, 100):
        some = sockets[first : first + 100]
        for one in some:
            assert one.ring.send(bytes(size)) == size
        peer.pump(lambda: all(size - one.ring.send_queued() > 2600 for one in some))  # noqa: B023
    victim.check_services()
    during = victim.account()
    assert during["memory"] <= during["held"] <= during["memory"] + count * 2 * 4096 + (1 << 20)
    assert during["names"]["tcp_memory_full"] > before["names"].get("tcp_memory_full", 0)
    if victim.times > 1:
        assert before["free"] * 1024 - during["free"] * 1024 < memory + count * CONNECTION
    peer.ask(9, b"memory %d" % memory)
    peer.ask(9, b"drop")
    close_all(peer, sockets)
    assert victim.settled(before)["held"] == 0


def test_connections_up_to_the_descriptor_limit_and_back(victim: Victim) -> None:
    before = victim.settled(victim.first)
    peer = victim.peer
    limit = 1024 if victim.times > 1 else 150
    peer.ask(9, b"limit %d" % limit)
    sockets = [peer.open(7) for _ in range(limit + 50)]
    peer.pump(lambda: all(one.heard for one in sockets))
    close_all(peer, sockets)
    victim.settled(before)
    victim.check_services()


def close_all(peer: Peer, sockets: list[Socket]) -> None:
    """Until none of them is left; the machine may not even open a file before."""
    for one in sockets:
        one.ring.close()
    peer.pump(lambda: all("gone" in one.heard for one in sockets))


def test_idle_connections_are_small(victim: Victim) -> None:
    """Twice: what the first ones leave (tables, room in heaps) the second ones use."""
    count = 10_000 if victim.times > 1 else 400
    victim.peer.ask(9, b"limit %d" % (count + 100))
    idle_connections(victim, count)
    before = victim.settled(victim.first)
    idle_connections(victim, count)
    after = victim.settled(before)
    assert before["free"] - after["free"] < SLACK_KB, (before, after)


def idle_connections(victim: Victim, count: int) -> None:
    before = victim.settled(victim.first)
    peer = victim.peer
    sockets = victim.open(7, count)
    during = victim.account()
    assert (before["free"] - during["free"]) / count <= 8
    sockets[0].exchange(b"hello" * 100)
    sockets[-1].exchange(b"hello" * 100)
    close_all(peer, sockets)


def test_many_requests_and_connections_leave_nothing_behind(victim: Victim) -> None:
    before = victim.settled(victim.first)
    peer = victim.peer
    times = 100 if victim.times > 1 else 1
    request, answer = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", len(WEB_ANSWER)
    for _ in range(times):
        one = peer.connect(80)
        back = bytearray()
        for number in range(1, 11):
            one.ring.send(request * 100)
            peer.pump(lambda: _came(one, back, number * 100 * answer))  # noqa: B023
        assert back == WEB_ANSWER * 1000
        one.ring.close()
        for _ in range(10):
            some = [peer.open(7) for _ in range(10)]
            peer.pump(lambda: all(one.heard for one in some))  # noqa: B023
            for one in some:
                one.exchange(b"hello")
                one.ring.close()
    after = victim.settled(before)
    assert before["free"] - after["free"] < SLACK_KB, (before, after)


WEB_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def _came(one: Socket, back: bytearray, count: int) -> bool:
    back += one.take()
    return len(back) >= count
