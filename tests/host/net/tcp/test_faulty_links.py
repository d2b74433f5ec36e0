"""Any bytes over any link arrive whole and in order, and both ends come to their end.

OVUM_TCP_SEEDS: how many seeds, 300 if it is not set; OVUM_TCP_FIRST: the first of them.
"""

from __future__ import annotations

import os

import pytest

from ovum.net.socket.door import CONNECTED
from ovum.net.tcp.settings import Settings, SocketOptions
from tests.host.net.tcp.simulator import MS, SECOND, A, B, Faults, Host, Net, Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

SEEDS = int(os.environ.get("OVUM_TCP_SEEDS", "300"))
FIRST = int(os.environ.get("OVUM_TCP_FIRST", "0"))
GROUP = 25
"""Seeds in one test."""

LIMIT = 24 * 3600 * SECOND


def faults(rng: Random) -> Faults:
    """Any link."""
    return Faults(
        loss=rng.choice([0, 0, 0.01, 0.05, 0.2]),
        duplicate=rng.choice([0, 0.01, 0.1]),
        reorder=rng.choice([0, 0.02, 0.3]),
        corrupt=rng.choice([0, 0.01, 0.05]),
        delay=rng.choice([0, MS, 10 * MS, 100 * MS]),
        jitter=rng.choice([0, MS, 20 * MS]),
        rate=rng.choice([0, 10**5, 10**7]),
        queue=rng.choice([10_000, 100_000]),
    )


def settings(rng: Random) -> Settings:
    """Any host."""
    made = Settings()
    made.timestamps = rng.random() < 0.7
    made.sack = rng.random() < 0.7
    made.window_scaling = rng.random() < 0.7
    made.congestion = rng.choice(["cubic", "reno"])
    made.receive_max = rng.choice([65536, 1 << 20])
    made.receive_initial = min(made.receive_max, rng.choice([3000, 16384, 65536]))
    return made


class Program:
    """Writes what it has, shuts down, and reads, at its own pace."""

    def __init__(self, rng: Random) -> None:
        self.data = rng.randbytes(rng.choice([0, 1, 1000, 50_000, 200_000]))
        self.piece = rng.choice([1000, 5000, 100_000])
        self.slow = rng.choice([1 << 30, 1000])
        self.done = 0
        self.shut = False
        self.socket: Socket | None = None

    def act(self) -> None:
        """A little of it."""
        socket = self.socket
        if socket is None or not socket.ring.state & CONNECTED:
            return
        if self.done < len(self.data):
            self.done += socket.write(self.data[self.done : self.done + self.piece])
        elif not self.shut:
            socket.shut()
            self.shut = True
        socket.take(self.slow)


def transfer(seed: int) -> None:
    """Two programs over one link."""
    net = Net(seed)
    rng = net.rng
    net.faults = faults(rng)
    hosts = [
        Host(net, address, settings(rng), rng.choice([1500, 576, 300, 9000]), rng.random() < 0.5)
        for address in (A, B)
    ]
    acceptor = hosts[1].listen(80)
    options = SocketOptions()
    options.nodelay = rng.random() < 0.5
    programs = [Program(rng), Program(rng)]
    programs[0].socket = hosts[0].connect(B, 80, options)
    while True:
        if acceptor.sockets:
            programs[1].socket = acceptor.sockets[0]
        for program in programs:
            program.act()
        if all(p.socket is not None and p.socket.is_gone for p in programs):
            break
        assert net.step(), "nothing will happen any more"
        assert net.now < LIMIT, "it takes too long"
    for program, other in (programs, programs[::-1]):
        assert program.socket is not None
        program.socket.take()
        assert bytes(program.socket.read) == other.data
        assert program.socket.errno == 0
        assert program.socket.heard[-1] == "gone"
    net.run(121 * SECOND)
    for host in hosts:
        assert not host.tcp.table, "something is left"
        assert host.tcp.orphans == host.tcp.half_open == host.tcp.reassembling == 0
        assert host.counters["tcp_transition_unlisted"] == 0


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, GROUP))
def test_what_is_sent_arrives(first: int) -> None:
    for seed in range(first, first + GROUP):
        try:
            transfer(seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
