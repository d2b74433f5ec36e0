"""The host: errors of calls, TIME-WAIT, orphans, what a connection costs, large segments."""

from __future__ import annotations

import gc
import random
import tracemalloc
from errno import EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH

import pytest

from ovum.net.socket.ring import Changes, Ring
from ovum.net.tcp.isn import Secret
from ovum.net.tcp.reassembly import OVERHEAD
from ovum.net.tcp.settings import Settings, SocketOptions
from ovum.net.tcp.states import ESTABLISHED, FIN_WAIT_1, SYN_SENT
from ovum.net.tcp.timewait import TimeWait
from ovum.net.wire.tcp import ACK, Options
from tests.host.net.tcp.script import Bench
from tests.host.net.tcp.simulator import (
    MS,
    SECOND,
    A,
    B,
    Faults,
    Host,
    Net,
    Socket,
    connected,
    pair,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener


def test_without_a_way_connect_fails() -> None:
    host = Host(Net(), A)
    host.ip.errno = ENETUNREACH
    with pytest.raises(OSError) as caught:
        host.connect(B, 80)
    assert caught.value.errno == ENETUNREACH
    assert not host.tcp.table


def test_only_own_addresses_are_bound() -> None:
    host = Host(Net(), A)
    with pytest.raises(OSError) as caught:
        host.tcp.bind(B, 80, SocketOptions())
    assert caught.value.errno == EADDRNOTAVAIL


def test_a_second_connection_of_the_same_ports_is_refused() -> None:
    net = Net()
    host = Host(net, A)
    options = SocketOptions()
    binding = host.tcp.bind(bytes(4), 5000, options)
    first, second = Socket(host), Socket(host)
    host.tcp.connect(net.now, B, 80, first.ring, first, options, binding)
    with pytest.raises(OSError) as caught:
        host.tcp.connect(net.now, B, 80, second.ring, second, options, binding)
    assert caught.value.errno == EADDRNOTAVAIL


def test_a_port_in_time_wait_is_used_again_with_timestamps() -> None:
    net = Net()
    a, b = pair(net)
    acceptor = b.listen(80)
    options = SocketOptions()
    binding = a.tcp.bind(bytes(4), 5000, options)
    for round_ in range(3):
        socket = Socket(a)
        socket.connection = a.tcp.connect(net.now, B, 80, socket.ring, socket, options, binding)
        net.run(SECOND)
        assert socket.heard == ["established"]
        socket.close()
        net.run(SECOND)
        acceptor.sockets[round_].close()
        net.run(2 * SECOND)
        assert socket.is_gone
        assert acceptor.sockets[round_].is_gone
        assert len(a.tcp.time_waits) == 1


def test_time_wait_is_bounded_in_number() -> None:
    net = Net()
    settings = Settings()
    settings.time_waits = 5
    a, b = pair(net, settings=settings)
    acceptor = b.listen(80, 100)
    for _ in range(20):
        a.connect(B, 80)
    net.run(SECOND)
    clients = [e for e in list(a.tcp.table.values()) if e.__class__.__name__ == "Connection"]
    assert len(clients) == 20
    for client in clients:
        client.close(net.now)  # type: ignore[attr-defined]
    net.run(SECOND)
    for socket in acceptor.sockets:
        socket.close()
    net.run(SECOND)
    assert len(a.tcp.time_waits) == 5
    assert len(a.tcp.table) == 5
    assert all(isinstance(entry, TimeWait) for entry in a.tcp.table.values())
    assert a.counters["tcp_time_wait_full"] == 15
    net.run(120 * SECOND)
    assert not a.tcp.table


def test_orphans_are_bounded_in_number() -> None:
    net = Net()
    settings = Settings()
    settings.orphans = 3
    a, b = pair(net, settings=settings)
    sockets = [connected(net, a, b)[0] for _ in range(6)]
    net.watch = lambda now, path, data: False
    for socket in sockets:
        socket.write(b"x")
        socket.close()
    net.settle()
    assert a.tcp.orphans == 3
    assert a.counters["tcp_orphans_full"] == 3
    net.run(3600 * SECOND)
    assert a.tcp.orphans == 0
    assert not a.tcp.table


def test_a_route_that_goes_and_comes_back() -> None:
    net = Net()
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    socket.connection.path.valid = False
    a.ip.errno = EHOSTUNREACH
    socket.write(b"hello")
    net.run(SECOND)
    assert not peer.take()
    a.ip.errno = 0
    net.run(5 * SECOND)
    assert peer.take() == b"hello"


def test_neighbors_are_confirmed_now_and_then() -> None:
    net = Net()
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    before = a.ip.confirmed
    for _ in range(100):
        socket.write(b"x")
        net.run(100 * MS)
        peer.take()
    assert 1 <= a.ip.confirmed - before <= 3


def test_segments_go_in_large_pieces_if_that_costs_nothing() -> None:
    net = Net()
    a, b = pair(net, large=True)
    socket, peer = connected(net, a, b)
    data = random.Random(1).randbytes(600_000)
    sent = 0
    while len(peer.read) < len(data):
        sent += socket.write(data[sent:])
        assert net.step()
        peer.take()
    assert bytes(peer.read) == data
    assert a.ip.largest > 60_000
    assert a.ip.calls < 60


def test_a_buffer_that_shrinks_loses_no_bytes() -> None:
    net = Net(7, Faults(loss=0.1, delay=10 * MS))
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    data = random.Random(1).randbytes(400_000)
    sent = 0
    while len(peer.read) < len(data):
        sent += socket.write(data[sent:])
        peer.ring.set_limits(net.rng.choice([3000, 50_000]), 100_000)
        if not net.step() or net.rng.random() < 0.2:
            assert peer.take() or sent < len(data) or net.next_time()
    assert bytes(peer.read) == data
    assert b.counters["tcp_no_room"] > 0


def test_reassembly_of_all_connections_is_bounded() -> None:
    bench = Bench()
    bench.settings.reassembly = 2500
    bench.open(False, Options(mss=1000))
    for at in range(10):
        bench.inject(ACK, 2000 + 1100 * at, 1000, 1)
    tcp = bench.machine.tcp
    assert tcp.reassembling == 3 * (1000 + OVERHEAD)
    assert bench.counters["tcp_reassembly_full"] == 7
    bench.sock.connection.abort(bench.net.now)
    assert tcp.reassembling == 0


def test_the_window_grows_only_while_the_program_reads() -> None:
    net = Net()
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    sent = 0
    while sent < 3_000_000:
        sent += socket.write(bytes(100_000))
        assert net.step()
        peer.take()
    assert peer.connection.rcv_limit == b.tcp.settings.receive_max
    socket, peer = connected(net, a, b)
    while socket.write(bytes(100_000)):
        assert net.step()
    net.run(SECOND)
    assert peer.ring.receive_queued() <= 2 * b.tcp.settings.receive_initial


def idle_cost(count: int) -> float:
    """Bytes of Python objects for one accepted, idle connection."""
    net = Net()
    a, b = pair(net)
    acceptor = b.listen(80, 2000)

    class Nobody:
        def accept(self, listener: Listener, connection: Connection) -> bool:
            connection.stream = ring
            connection.observer = self
            return True

        def established(self, connection: Connection) -> None:
            pass

        peer_closed = finished = gone = established

        def failed(self, connection: Connection, errno: int) -> None:
            pass

    ring = Ring(changes=Changes())
    nobody = Nobody()
    acceptor.listener.observer = nobody
    options = SocketOptions()
    gc.collect()
    tracemalloc.start()
    clients = [a.tcp.connect(net.now, B, 80, ring, nobody, options) for _ in range(count)]
    net.run(SECOND)
    for client in clients:
        a.tcp.forget(client)
    del clients, client
    gc.collect()
    a.tcp._sweep()
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(b.tcp.table) == count
    assert all(c.state == ESTABLISHED for c in b.tcp.table.values())  # type: ignore[attr-defined]
    return used / count


def test_an_idle_connection_is_small() -> None:
    assert idle_cost(200) < 2560


@pytest.mark.parametrize("congestion", ["cubic", "reno"])
def test_a_lossy_link_is_used_well(congestion: str) -> None:
    settings = Settings()
    settings.congestion = congestion
    net = Net(5, Faults(loss=0.001, delay=10 * MS, rate=1_250_000, queue=60_000))
    a, b = pair(net, settings=settings)
    socket, peer = connected(net, a, b)
    start = net.now
    sent = 0
    while len(peer.read) < 5_000_000:
        sent += socket.write(bytes(min(5_000_000 - sent, 100_000)))
        assert net.step()
        peer.take()
    # 4 s if nothing were lost.
    assert net.now - start < 5.5 * SECOND


def test_two_connections_share_a_link_fairly() -> None:
    net = Net(3, Faults(delay=10 * MS, rate=1_250_000, queue=40_000))
    a, b = pair(net)
    pairs = [connected(net, a, b) for _ in range(2)]
    end = net.now + 8 * SECOND
    while net.now < end:
        for socket, peer in pairs:
            socket.write(bytes(100_000))
            peer.take()
        assert net.step()
    sizes = [len(peer.read) for _, peer in pairs]
    assert sum(sizes) > 0.8 * 8 * 1_250_000
    assert min(sizes) * 3 > max(sizes)


def test_reordering_does_not_look_like_loss_for_long() -> None:
    net = Net(3, Faults(delay=10 * MS, jitter=2 * MS))
    a, b = pair(net)
    socket, peer = connected(net, a, b)
    sent = 0
    while len(peer.read) < 3_000_000:
        sent += socket.write(bytes(min(3_000_000 - sent, 100_000)))
        assert net.step()
        peer.take()
    assert a.counters["tcp_retransmitted"] < 60
    assert a.counters["tcp_timeouts"] == 0


def test_initial_numbers_move_with_time_and_differ_by_peer() -> None:
    secret = Secret(random.Random(1))
    first = secret.isn(b"a", 0)
    assert secret.isn(b"a", 4000) == (first + 1) & 0xFFFFFFFF
    assert secret.isn(b"b", 0) != first
    assert Secret(random.Random(2)).isn(b"a", 0) != first
    assert secret.timestamp_offset(b"a") != secret.timestamp_offset(b"b")


def test_history_tells_what_happened() -> None:
    net = Net()
    a, b = pair(net)
    socket, _ = connected(net, a, b)
    assert list(socket.connection.history[::2]) == [SYN_SENT, ESTABLISHED]
    socket.shut()
    assert socket.connection.history[-2] == FIN_WAIT_1
