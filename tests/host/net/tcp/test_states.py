"""Every event in every state: nothing unlisted happens, and what must be answered is.

And the acceptability of segments (RFC 9293, 3.10.7.4), as a table.
"""

from __future__ import annotations

import random

import pytest

from ovum.net.tcp import rx
from ovum.net.tcp.states import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    NAMES,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
)
from ovum.net.wire.tcp import Options
from tests.host.net.tcp.script import Bench, flags_of

MSS = Options(mss=1000)

SCRIPTS: dict[int, list[str]] = {
    SYN_SENT: ["connect"],
    SYN_RECEIVED: ["connect", "< S 0:0"],
    ESTABLISHED: ["open passive mss 1000"],
    FIN_WAIT_1: ["open passive mss 1000", "shutdown"],
    FIN_WAIT_2: ["open passive mss 1000", "shutdown", "< . 1:1 ack 2"],
    CLOSE_WAIT: ["open passive mss 1000", "< F. 1:1 ack 1"],
    CLOSING: ["open passive mss 1000", "shutdown", "< F. 1:1 ack 1"],
    LAST_ACK: ["open passive mss 1000", "< F. 1:1 ack 1", "shutdown"],
    TIME_WAIT: ["open passive mss 1000", "shutdown", "< F. 1:1 ack 2"],
}

ACKNOWLEDGED = {SYN_SENT: 0, SYN_RECEIVED: 0}
FIN_SENT = (FIN_WAIT_1, CLOSING, LAST_ACK)
PEER_CLOSED = (CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT)


def in_state(state: int) -> Bench:
    """A connection in this state."""
    bench = Bench()
    for line in SCRIPTS[state]:
        bench.out.clear()
        bench.run(line)
    bench.out.clear()
    assert bench.sock.connection.state == state
    return bench


def next_seq(state: int) -> int:
    """What the peer sends next."""
    return 0 if state == SYN_SENT else 2 if state in PEER_CLOSED else 1


SEGMENTS = {
    "ack": (".", 0, 0),
    "data": ("P.", 0, 10),
    "old data": ("P.", -5, 5),
    "far data": ("P.", 5000, 10),
    "beyond the window": ("P.", 100_000, 10),
    "fin": ("F.", 0, 0),
    "data and fin": ("FP.", 0, 10),
    "syn": ("S", 0, 0),
    "syn ack": ("S.", 0, 0),
    "syn in the window": ("S", 100, 0),
    "reset": ("R", 0, 0),
    "reset ack": ("R.", 0, 0),
    "reset in the window": ("R", 100, 0),
    "reset outside": ("R", -100, 0),
    "no flags": ("", 0, 10),
    "everything": ("FSRPUEC.", 0, 10),
    "syn fin": ("SF", 0, 5),
    "urgent": ("PU.", 0, 10),
}

ACKS = {"old": 0, "expected": 1, "of the FIN": 2, "of nothing sent": 500, "far": -100_000}


@pytest.mark.parametrize("state", SCRIPTS, ids=lambda state: NAMES[state])
@pytest.mark.parametrize("ack", ACKS)
@pytest.mark.parametrize("event", SEGMENTS)
def test_any_segment_in_any_state(state: int, event: str, ack: str) -> None:
    flags, offset, size = SEGMENTS[event]
    bench = in_state(state)
    bits = flags_of(flags)
    bench.inject(
        bits,
        next_seq(state) + offset,
        size,
        ACKS[ack] if "." in flags else None,
        1000,
        MSS if "S" in flags else None,
    )
    assert bench.counters["tcp_transition_unlisted"] == 0
    if "R" in flags:
        # Nothing but a challenge answers a reset.
        assert all("R" not in bench.relative(segment)[0] for _, segment in bench.out)
    assert len(bench.out) <= 2
    # Time passes, and the connection comes to an end when the program wants it to.
    bench.net.run(1_000_000_000)
    if bench.sock.connection.state not in (CLOSED, TIME_WAIT):
        bench.sock.connection.abort(bench.net.now)
    bench.net.run(1000_000_000_000)
    assert bench.counters["tcp_transition_unlisted"] == 0
    table = bench.machine.tcp.table
    assert not [e for e in table.values() if e is bench.sock.connection]
    assert bench.sock.heard.count("gone") == 1


CALLS = ("shutdown", "close", "abort", "write", "taken", "timer", "apply")


@pytest.mark.parametrize("state", SCRIPTS, ids=lambda state: NAMES[state])
@pytest.mark.parametrize("call", CALLS)
def test_any_call_in_any_state(state: int, call: str) -> None:
    bench = in_state(state)
    connection = bench.sock.connection
    now = bench.net.now
    if call == "shutdown":
        connection.shutdown_write(now)
    elif call == "close":
        connection.close(now)
        connection.close(now)
    elif call == "abort":
        connection.abort(now)
        connection.abort(now)
    elif call == "write":
        bench.sock.ring._out += b"x" * 100
        connection.written(now)
    elif call == "taken":
        connection.taken(now)
    elif call == "timer":
        connection.on_timer(now + 100_000_000_000)
    elif call == "apply":
        connection.change_options().keepalive = True
        connection.apply_options(now)
    bench.net.settle()
    bench.net.run(8000_000_000_000)
    assert bench.counters["tcp_transition_unlisted"] == 0
    assert bench.machine.tcp.orphans == 0


@pytest.mark.parametrize(
    ("length", "window", "offset", "accepted"),
    [
        (0, 0, 0, True),
        (0, 0, 1, False),
        (0, 0, -1, False),
        (0, 100, 0, True),
        (0, 100, 99, True),
        # Not in the RFC's table: a peer that has filled the window is there.
        (0, 100, 100, True),
        (0, 100, 101, False),
        (0, 100, -1, False),
        (1, 0, 0, False),
        (10, 100, 0, True),
        (10, 100, -9, True),
        (10, 100, -10, False),
        (10, 100, 99, True),
        (10, 100, 100, False),
        (200, 100, -50, True),
        (300, 100, -100, True),
    ],
)
def test_acceptable(length: int, window: int, offset: int, accepted: bool) -> None:
    bench = in_state(ESTABLISHED)
    connection = bench.sock.connection
    connection.rcv_adv = connection.rcv_nxt + window
    assert rx.acceptable(connection, connection.rcv_nxt + offset, length) is accepted


@pytest.mark.parametrize("seed", range(150))
def test_random_segments_and_calls(seed: int) -> None:
    """A peer that sends anything, and a program that does anything: bounded, and at an end."""
    rng = random.Random(seed)
    bench = in_state(rng.choice(list(SCRIPTS)))
    for _ in range(120):
        what = rng.random()
        connection = bench.sock.connection
        if what < 0.7:
            flags = rng.choice([".", "P.", "P.", "P.", "F.", "R", "S", "S.", "", "PU.", "FP."])
            options = Options()
            if rng.random() < 0.3:
                options.sack = [
                    (rng.getrandbits(32), rng.getrandbits(32))
                    if rng.random() < 0.5
                    else (0xFFFFFF80 + rng.randrange(80), 0xFFFFFF80 + rng.randrange(80))
                    for _ in range(rng.randrange(4))
                ]
            if rng.random() < 0.1:
                options.timestamp = (rng.getrandbits(32), rng.getrandbits(32))
            seq = rng.choice([rng.randrange(-20, 2000), rng.randrange(5), rng.getrandbits(32)])
            ack = rng.choice([1, 2, rng.randrange(-20, 3000), rng.getrandbits(32)])
            bench.inject(
                flags_of(flags),
                seq,
                rng.randrange(300),
                ack if "." in flags else None,
                rng.choice([0, 1, 1000, 65535]),
                options,
            )
        elif what < 0.8:
            bench.sock.ring._out += bytes(rng.randrange(3000))
            connection.written(bench.net.now)
        elif what < 0.85:
            bench.sock.take()
        elif what < 0.87:
            connection.shutdown_write(bench.net.now)
        elif what < 0.88:
            connection.close(bench.net.now)
        else:
            bench.net.run(rng.randrange(1_000_000_000))
        bench.net.settle()
        bench.out.clear()
        if connection.state not in (CLOSED, TIME_WAIT):
            assert connection.snd_una <= connection.snd_nxt
            total = sum(record.end - record.seq for record in connection.sent)
            assert total == connection.snd_nxt - connection.snd_una or not connection.sent
            assert 0 <= connection.retrans_out <= connection.lost_out <= total
            assert 0 <= connection.sacked_out <= total
    assert bench.counters["tcp_transition_unlisted"] == 0
    if not bench.sock.is_gone:
        bench.sock.connection.abort(bench.net.now)
    bench.net.run(200_000_000_000)
    assert not [e for e in bench.machine.tcp.table.values() if e is bench.sock.connection]
