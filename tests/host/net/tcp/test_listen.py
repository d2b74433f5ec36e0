"""Listeners: queues and their limits, cookies, whom a SYN is for."""

from __future__ import annotations

import random

import pytest

from ovum.net.ip import Packet
from ovum.net.socket.ring import Ring
from ovum.net.tcp import cookies
from ovum.net.tcp.isn import Secret
from ovum.net.tcp.settings import SocketOptions
from ovum.net.wire.tcp import ACK, RST, SYN, Options
from tests.host.net.tcp.script import OUR_ISN, PEER_ISN, Bench, flags_of
from tests.host.net.tcp.simulator import A, B, Host, Net, Socket

FULL = Options(mss=1460, window_scale=7, sack_permitted=True, timestamp=(5000, 0))


def syn(bench: Bench, port: int, options: Options | None = None) -> None:
    bench.inject(SYN, 0, 0, None, 65535, options, src_port=port)


def test_a_flood_of_syns_leaves_a_bounded_number() -> None:
    bench = Bench()
    bench.settings.syn_cookies = False
    bench.listen(backlog=20)
    for port in range(1, 1001):
        syn(bench, port)
    assert bench.machine.tcp.half_open == 20
    assert len(bench.machine.tcp.table) == 20
    assert bench.counters["tcp_syn_queue_full"] == 980
    assert len(bench.out) == 20
    bench.net.run(100_000_000_000)
    assert bench.machine.tcp.half_open == len(bench.machine.tcp.table) == 0
    assert bench.machine.tcp.next_deadline() is None


def test_all_listeners_share_one_limit() -> None:
    bench = Bench()
    bench.settings.syn_cookies = False
    bench.settings.syn_queue = 10
    bench.listen(backlog=20)
    for port in range(1, 100):
        syn(bench, port)
    assert bench.machine.tcp.half_open == 10


def flooded(backlog: int = 8) -> Bench:
    """A listener whose queue is full."""
    bench = Bench()
    bench.listen(backlog)
    for port in range(1, 9):
        syn(bench, port)
    bench.out.clear()
    return bench


@pytest.mark.parametrize(
    ("mss", "kept"), [(None, 536), (536, 536), (1400, 1300), (1460, 1460), (9000, 1460)]
)
def test_a_cookie_opens_a_connection(mss: int | None, kept: int) -> None:
    bench = flooded()
    options = Options(mss=mss)
    syn(bench, 40000, options)
    answer = bench.take()
    assert answer.flags == SYN | ACK
    assert bench.counters["tcp_cookies_sent"] == 1
    assert bench.machine.tcp.half_open == 8
    bench.inject(ACK, 1, 0, (answer.seq + 1 - OUR_ISN) & 0xFFFFFFFF)
    assert bench.counters["tcp_cookies_accepted"] == 1
    connection = bench.sock.connection
    assert connection.peer_mss == kept
    assert not connection.sack_on
    assert not connection.ts_on
    bench.inject(flags_of("P."), 1, 5, (answer.seq + 1 - OUR_ISN) & 0xFFFFFFFF)
    assert bench.sock.ring.receive_queued() == 5


def test_a_cookie_keeps_options_in_the_timestamp() -> None:
    bench = flooded()
    syn(bench, 40000, FULL)
    answer = bench.take()
    assert answer.options is not None
    assert answer.options.timestamp is not None
    echo = answer.options.timestamp[0]
    bench.inject(
        ACK, 1, 0, (answer.seq + 1 - OUR_ISN) & 0xFFFFFFFF, 100, Options(timestamp=(5001, echo))
    )
    connection = bench.sock.connection
    assert connection.ts_on
    assert connection.sack_on
    assert connection.snd_shift == 7
    assert connection.snd_wnd == 100 << 7


def test_a_made_up_cookie_is_reset() -> None:
    bench = flooded()
    syn(bench, 40000)
    answer = bench.take()
    bench.inject(ACK, 1, 0, (answer.seq + 50 - OUR_ISN) & 0xFFFFFFFF)
    assert bench.take().flags == RST
    assert bench.counters["tcp_cookie_bad"] == 1
    assert bench.acceptor is not None
    assert not bench.acceptor.sockets


def test_cookies_are_not_looked_at_without_a_flood() -> None:
    bench = Bench()
    bench.listen()
    bench.inject(ACK, 1, 0, 1)
    assert bench.take().flags == RST
    assert bench.counters["tcp_cookie_bad"] == 0


def test_cookies_age() -> None:
    secret = Secret(random.Random(1))
    now = 10 * cookies.PERIOD
    cookie = cookies.make(secret, b"key", 77, 1460, now)
    assert cookies.check(secret, b"key", 77, cookie, now) == 1460
    assert cookies.check(secret, b"key", 77, cookie, now + cookies.PERIOD) == 1460
    assert cookies.check(secret, b"key", 77, cookie, now + 2 * cookies.PERIOD) == 0
    assert cookies.check(secret, b"other", 77, cookie, now) == 0
    assert cookies.check(secret, b"key", 78, cookie, now) == 0
    assert cookies.check(Secret(random.Random(2)), b"key", 77, cookie, now) == 0


def test_timestamps_of_cookies_are_not_late() -> None:
    for now in (0, 5, 64, 1000, 0xFFFFFFFF):
        for scale in (-1, 0, 7, 14):
            for sack in (False, True):
                value = cookies.stamp(now, scale, sack)
                assert (now - value) & 0xFFFFFFFF < 128
                assert cookies.options(value) == (scale, sack)


def test_without_room_the_handshake_waits() -> None:
    bench = Bench()
    bench.listen()
    assert bench.acceptor is not None
    bench.acceptor.room = 0
    syn(bench, 40000)
    bench.out.clear()
    bench.inject(ACK, 1, 0, 1)
    assert bench.counters["tcp_accept_queue_full"] == 1
    assert bench.machine.tcp.half_open == 1
    # No new ones meanwhile.
    syn(bench, 40001)
    assert not bench.out
    bench.acceptor.room = 5
    bench.acceptor.listener.accepted(bench.net.now)
    assert len(bench.acceptor.sockets) == 1
    assert bench.machine.tcp.half_open == 0
    bench.inject(flags_of("P."), 1, 5, 1)
    assert bench.sock.ring.receive_queued() == 5


def test_closing_a_listener_forgets_what_is_half_open() -> None:
    bench = Bench()
    bench.listen()
    syn(bench, 40000)
    bench.out.clear()
    assert bench.acceptor is not None
    bench.acceptor.close()
    assert bench.machine.tcp.half_open == 0
    assert not bench.machine.tcp.table
    assert not bench.machine.tcp.listeners
    syn(bench, 40000)
    assert bench.take().flags == RST | ACK
    bench.machine.tcp.bind(bytes(4), 80, SocketOptions())


def test_a_listeners_port_stays_taken_while_children_live() -> None:
    bench = Bench()
    bench.open(False, Options(mss=1000))
    assert bench.acceptor is not None
    bench.acceptor.close()
    with pytest.raises(OSError):
        bench.machine.tcp.bind(bytes(4), 80, SocketOptions())
    bench.sock.connection.abort(bench.net.now)
    bench.machine.tcp.bind(bytes(4), 80, SocketOptions())


def deliver(host: Host, src: bytes, dst: bytes, flags: int = SYN, for_all: bool = False) -> None:
    """A bare segment to port 80."""
    data = (40000 << 16 | 80).to_bytes(4, "big") + PEER_ISN.to_bytes(4, "big") + bytes(4)
    data += bytes((0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0))
    packet = Packet(1, src, dst, 6, data, checksum_valid=True, for_all=for_all)
    host.tcp.receive(host.net.now, packet)


@pytest.mark.parametrize(
    ("src", "for_all"), [(b"\xe0\0\0\x01", False), (b"\xff\xff\xff\xff", False), (B, True)]
)
def test_segments_to_or_from_groups_are_dropped(src: bytes, for_all: bool) -> None:
    bench = Bench()
    bench.listen()
    deliver(bench.machine, src, A, for_all=for_all)
    assert bench.counters["tcp_address_bad"] == 1
    assert not bench.out


@pytest.mark.parametrize(
    ("local", "v6_only", "dst", "found"),
    [
        (bytes(16), False, A, True),
        (bytes(16), True, A, False),
        (bytes(16), True, b"\xfd" + bytes(15), True),
        (bytes(4), False, A, True),
        (bytes(4), False, b"\xfd" + bytes(15), False),
        (A, False, A, True),
        (A, False, B, False),
    ],
)
def test_whom_a_syn_is_for(local: bytes, v6_only: bool, dst: bytes, found: bool) -> None:
    net = Net()
    host = Host(net, A)
    options = SocketOptions()
    options.v6_only = v6_only
    binding = host.tcp.bind(local, 80, options)
    socket = Socket(host)

    class Nobody:
        def accept(self, listener: object, connection: object) -> bool:
            raise AssertionError

    host.tcp.listen(net.now, binding, 5, Nobody(), options)
    deliver(host, dst[:-1] + b"\x09", dst)
    assert host.tcp.half_open == found
    assert isinstance(socket.ring, Ring)


def test_the_more_special_listener_has_it() -> None:
    net = Net()
    host = Host(net, A)
    any_address = host.listen(80)
    options = SocketOptions()
    with pytest.raises(OSError):
        host.tcp.bind(A, 80, options)
    any_address.close()
    shared = SocketOptions()
    shared.reuse_port = True
    first = host.listen(80, options=shared)
    binding = host.tcp.bind(A, 80, shared)
    second = host.tcp.listen(net.now, binding, 5, first, shared)
    deliver(host, B, A)
    assert len(second.half) == 1
    assert not first.listener.half


def test_reuse_port_spreads_connections() -> None:
    net = Net()
    host, peer = Host(net, A), Host(net, B)
    shared = SocketOptions()
    shared.reuse_port = True
    acceptors = [host.listen(80, 100, shared) for _ in range(3)]
    for _ in range(60):
        peer.connect(A, 80)
    net.run(1_000_000_000)
    counts = [len(acceptor.sockets) for acceptor in acceptors]
    assert sum(counts) == 60
    assert min(counts) > 5
