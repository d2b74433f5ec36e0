"""What connections hold is bounded in all, by Settings.memory and Settings.connections."""

from __future__ import annotations

from errno import ENOBUFS

import pytest

from ovum.net.tcp.scoreboard import MANY
from ovum.net.tcp.settings import CONNECTION, LEAST_BUFFER, Settings, SocketOptions
from tests.host.net.tcp.simulator import SECOND, A, B, Host, Net

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.host.net.tcp.simulator import Acceptor, Socket

MEMORY = 1 << 20
PAYLOAD = 1460
"""Of a segment; what a delivery is checked for."""


def crowd(
    count: int, options: SocketOptions | None = None
) -> tuple[Net, Host, Acceptor, list[Socket]]:
    """Many connections to a server that has little memory, and does not read."""
    net = Net()
    settings = Settings()
    settings.memory = MEMORY
    client, server = Host(net, A), Host(net, B, settings)
    acceptor = server.listen(80, count, options)
    sockets = [client.connect(B, 80) for _ in range(count)]
    net.until(lambda: len(acceptor.sockets) == count)
    return net, server, acceptor, sockets


def fill(net: Net, sockets: list[Socket], ns: int = 20 * SECOND) -> None:
    """All send more than their windows."""
    for socket in sockets:
        socket.write(bytes(100_000))
    net.run(ns)


def test_many_readers_that_do_not_read_stay_within_the_bound() -> None:
    count = 100
    net, server, acceptor, sockets = crowd(count)
    fill(net, sockets)
    held = [socket.ring.receive_queued() for socket in acceptor.sockets]
    # Windows of 64 KiB were offered to all, and some could not be kept: that is what is defined.
    assert server.counters["tcp_memory_full"]
    assert MEMORY <= sum(held) == server.changes.held < MEMORY + PAYLOAD + count * LEAST_BUFFER
    assert min(held) >= LEAST_BUFFER - PAYLOAD
    # Nobody is cut off: what they wait for comes when it is read.
    for _ in range(200):
        net.run(SECOND)
        for socket in acceptor.sockets:
            socket.take()
        if all(len(socket.read) == 100_000 for socket in acceptor.sockets):
            break
    assert all(len(socket.read) == 100_000 for socket in acceptor.sockets)
    assert not server.changes.held


def test_windows_are_small_before_memory_is_full() -> None:
    """Of those that come when half of it is held: then nothing has to be dropped."""
    net, server, acceptor, sockets = crowd(9)
    fill(net, sockets)
    assert server.tcp.memory.is_short()
    late = [sockets[0].host.connect(B, 80) for _ in range(50)]
    net.run(SECOND)
    fill(net, late)
    assert len(acceptor.sockets) == 59
    for socket in acceptor.sockets[9:]:
        assert socket.ring.receive_queued() <= LEAST_BUFFER
    assert not server.counters["tcp_memory_full"]


def test_a_window_that_is_half_used_shrinks_when_memory_is_short_and_grows_again() -> None:
    net, server, acceptor, sockets = crowd(12)
    slow, quick = acceptor.sockets[-1], acceptor.sockets[0]
    fill(net, sockets[1:11])
    assert server.tcp.memory.is_short()
    sockets[0].write(bytes(20_000))
    sockets[-1].write(bytes(50_000))
    net.run(SECOND)
    quick.take()
    assert quick.connection.rcv_limit == 65536
    assert slow.connection.rcv_limit == LEAST_BUFFER
    assert slow.ring.receive_queued() == 50_000  # what was offered is taken
    for socket in acceptor.sockets[1:11]:
        socket.connection.abort(net.now)
        socket.ring.close()
    for _ in range(30):
        slow.take()
        sockets[-1].write(bytes(100_000))
        net.run(SECOND // 10)
    assert slow.connection.rcv_limit > 65536


def test_a_shrunken_window_does_not_grow_beyond_what_the_program_has_set() -> None:
    options = SocketOptions()
    options.receive_limit = 20_000
    net, server, acceptor, sockets = crowd(1, options)
    one = acceptor.sockets[0]
    server.tcp.memory.shrink(one.connection)
    for _ in range(50):
        sockets[0].write(bytes(50_000))
        net.run(SECOND // 10)
        one.take()
    assert one.connection.rcv_limit == 20_000


def test_a_window_does_not_grow_while_memory_is_short() -> None:
    net, server, acceptor, sockets = crowd(10)
    fill(net, sockets[1:])
    connection = acceptor.sockets[0].connection
    for _ in range(60):
        sockets[0].write(bytes(4000))
        net.run(SECOND // 10)
        acceptor.sockets[0].take()
    assert connection.rcv_limit == 65536
    assert server.counters["tcp_memory_short"]


def test_with_the_least_window_everything_still_arrives() -> None:
    net, server, acceptor, sockets = crowd(30)
    fill(net, sockets[:20])
    server.changes.memory = 0  # full, and stays so
    one, other = sockets[-1], acceptor.sockets[-1]
    one.write(bytes(100_000))
    for _ in range(1000):
        net.run(SECOND // 10)
        other.take()
        if len(other.read) == 100_000:
            break
    assert len(other.read) == 100_000


def test_programs_write_no_more_than_the_least_when_memory_is_full() -> None:
    net, server, acceptor, _ = crowd(2)
    server.changes.memory = 200_000
    one, other = acceptor.sockets
    assert one.write(bytes(262_144)) == 262_144
    assert other.write(bytes(262_144)) == LEAST_BUFFER
    assert server.changes.held == 262_144 + LEAST_BUFFER
    net.run(SECOND)
    assert other.write(bytes(262_144)) == 262_144


def test_what_ends_gives_its_memory_back() -> None:
    net, server, acceptor, sockets = crowd(8)
    fill(net, sockets)
    for socket in sockets:
        socket.connection.abort(net.now)
    net.run(SECOND)
    for socket in acceptor.sockets:
        socket.take()
        socket.ring.close()
    assert server.changes.held == 0


def test_the_number_of_connections_is_limited() -> None:
    net = Net()
    client = Host(net, A)
    settings = Settings()
    settings.connections = 4
    server = Host(net, B, settings)
    acceptor = server.listen(80, 10)
    sockets = [client.connect(B, 80) for _ in range(6)]
    net.run(SECOND)
    assert len(acceptor.sockets) == 4
    assert server.counters["tcp_connections_full"]
    with pytest.raises(OSError) as caught:
        server.connect(A, 80)
    assert caught.value.errno == ENOBUFS
    # Whoever waits comes when another one has gone, and no TIME-WAIT takes its place.
    for socket in sockets[:2]:
        socket.close()
    net.run(SECOND // 10)
    for one in acceptor.sockets[:2]:
        one.close()
    net.run(40 * SECOND)
    assert len(acceptor.sockets) == 6


def test_the_bounds_follow_from_what_is_free() -> None:
    for mib in (32, 205, 4096):
        settings = Settings()
        free = mib << 20
        settings.divide(free)
        connections = settings.connections * CONNECTION
        assert 0.9 * free < settings.memory + settings.reassembly + connections <= free
    settings = Settings()
    settings.divide(205 << 20)
    assert settings.connections > 10_000


def test_single_bytes_that_are_not_acknowledged_take_little() -> None:
    net = Net()
    options = SocketOptions()
    options.nodelay = True
    client, server = Host(net, A), Host(net, B)
    acceptor = server.listen(80)
    one = client.connect(B, 80, options)
    net.until(lambda: bool(acceptor.sockets))
    net.watch = lambda now, path, data: path.local == A  # what is acknowledged is not heard
    data = bytes(number & 0xFF for number in range(5000))
    for at in range(5000):
        one.write(data[at : at + 1])
        net.settle()
    assert one.connection.snd_nxt - one.connection.snd_una == 5000
    assert len(one.connection.sent) < MANY + 10
    net.run(3 * SECOND)
    net.watch = lambda now, path, data: net.rng.random() > 0.3
    for at in range(1000):
        one.write(data[at : at + 1])
        net.settle()
    net.watch = None
    net.run(60 * SECOND)
    assert acceptor.sockets[0].take() == data + data[:1000]
    assert not one.connection.sent
