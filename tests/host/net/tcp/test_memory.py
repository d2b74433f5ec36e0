"""What connections may buffer is bounded in all, by Settings.memory."""

from __future__ import annotations

from errno import ENOBUFS

import pytest

from ovum.net.tcp.settings import LEAST_BUFFER, Settings
from ovum.net.tcp.states import ESTABLISHED
from tests.host.net.tcp.simulator import SECOND, A, B, Host, Net

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.host.net.tcp.simulator import Acceptor, Socket

MEMORY = 2 * 1024 * 1024


def crowd(count: int) -> tuple[Net, Host, Acceptor, list[Socket]]:
    """Many connections to a server that has little memory, and does not read."""
    net = Net()
    settings = Settings()
    settings.memory = MEMORY
    client, server = Host(net, A), Host(net, B, settings)
    acceptor = server.listen(80, backlog=count)
    sockets = []
    for _ in range(count):
        sockets.append(client.connect(B, 80))
        net.run(SECOND // 10)
    return net, server, acceptor, sockets


def test_many_readers_that_do_not_read_stay_within_the_bound() -> None:
    net, server, acceptor, sockets = crowd(400)
    for socket in sockets:
        if socket.connection.state == ESTABLISHED:
            socket.ring.send(bytes(100_000))
    net.run(20 * SECOND)
    assert server.counters["tcp_memory_full"]
    assert len(acceptor.sockets) > 40
    held = sum(socket.ring.receive_queued() for socket in acceptor.sockets)
    assert held <= server.tcp.memory.charged <= MEMORY
    assert acceptor.sockets[0].ring.receive_queued() > LEAST_BUFFER
    assert acceptor.sockets[-1].ring.receive_queued() <= LEAST_BUFFER
    assert acceptor.sockets[-1].connection.send_limit == LEAST_BUFFER


def test_a_window_does_not_grow_while_memory_is_short() -> None:
    net, server, acceptor, sockets = crowd(4)
    assert server.tcp.memory.is_short()
    connection = acceptor.sockets[0].connection
    before = connection.rcv_limit
    for _ in range(20):
        sockets[0].ring.send(bytes(50_000))
        net.run(SECOND)
        acceptor.sockets[0].ring.recv(1 << 20)
    assert connection.rcv_limit == before
    assert server.counters["tcp_memory_short"]


def test_with_the_least_window_everything_still_arrives() -> None:
    net, _, acceptor, sockets = crowd(8)
    server = acceptor.sockets[-1]
    assert server.connection.rcv_limit == LEAST_BUFFER
    sockets[-1].ring.send(bytes(100_000))
    come = 0
    for _ in range(100):
        net.run(SECOND // 10)
        if server.ring.receive_queued():
            come += len(server.ring.recv(1 << 20))
    assert come == 100_000


def test_what_ends_gives_its_memory_back() -> None:
    net, server, acceptor, sockets = crowd(8)
    for socket in sockets:
        socket.connection.abort(net.now)
    net.run(SECOND)
    assert server.tcp.memory.charged == 0
    for socket in acceptor.sockets:
        assert socket.connection.charged == 0


def test_without_memory_connect_fails() -> None:
    settings = Settings()
    settings.memory = MEMORY
    host = Host(Net(), A, settings)
    host.tcp.memory.charged = MEMORY
    with pytest.raises(OSError) as caught:
        host.connect(B, 80)
    assert caught.value.errno == ENOBUFS
    assert not host.tcp.table
    host.tcp.memory.charged = 0
    host.connect(B, 80)
