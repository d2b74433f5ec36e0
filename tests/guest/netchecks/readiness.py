"""poll(2) and epoll(7) of sockets, edge by edge."""

import errno
import select
import socket

from .registry import PATIENCE_S, check, connected, datagrams, listening, ready, receive_all


@check
def poll_says_of_a_stream_what_it_may() -> None:
    with socket.socket() as fresh:
        assert ready(fresh) == {"out", "hup"}
    with connected() as (client, server):
        assert ready(client) == {"out"}
        server.sendall(b"x")
        assert ready(client, "in") == {"in", "out"}
        client.recv(1)
        assert ready(client) == {"out"}
        server.shutdown(socket.SHUT_WR)
        assert ready(client, "rdhup") == {"in", "out", "rdhup"}
        client.shutdown(socket.SHUT_WR)
        assert ready(client, "hup") == {"in", "out", "rdhup", "hup"}


@check
def poll_says_of_a_reset_that_all_is_over() -> None:
    with connected() as (client, server):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
        server.close()
        assert ready(client, "err") == {"in", "out", "err", "hup", "rdhup"}
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
        assert ready(client) == {"in", "out", "hup", "rdhup"}


@check
def poll_says_of_a_listener_that_somebody_waits() -> None:
    with listening() as listener:
        assert ready(listener) == set()
        with socket.create_connection(listener.getsockname(), PATIENCE_S):
            assert ready(listener, "in") == {"in"}
            listener.accept()[0].close()
            assert ready(listener) == set()


@check
def poll_says_of_datagrams_that_they_have_come() -> None:
    with datagrams() as one, datagrams() as other:
        assert ready(one) == {"out"}
        other.sendto(b"", one.getsockname())
        assert ready(one, "in") == {"in", "out"}
        assert one.recv(1) == b""
        assert ready(one) == {"out"}


@check
def a_full_stream_is_not_writable_until_much_is_read() -> None:
    with connected() as (client, server):
        client.setblocking(False)
        sent = 0
        while True:
            try:
                sent += client.send(b"x" * 65536)
            except BlockingIOError:
                # It is full now; but what is on its way may still make room.
                if not select.select([], [client], [], 0.3)[1]:
                    break
        assert ready(client) == set()
        receive_all(server, sent)
        assert ready(client, "out") == {"out"}


@check
def an_edge_comes_with_each_delivery_and_not_without() -> None:
    with connected() as (client, server), select.epoll() as poller:
        poller.register(client, select.EPOLLIN | select.EPOLLET)
        assert poller.poll(0) == []
        for _ in range(3):
            server.sendall(b"x")
            assert poller.poll(PATIENCE_S) == [(client.fileno(), select.EPOLLIN)]
            assert poller.poll(0) == []
        assert client.recv(10) == b"xxx"
        assert poller.poll(0) == []


@check
def an_edge_comes_with_each_connection_that_waits() -> None:
    with listening() as listener, select.epoll() as poller:
        poller.register(listener, select.EPOLLIN | select.EPOLLET)
        for _ in range(2):
            with socket.create_connection(listener.getsockname(), PATIENCE_S):
                assert poller.poll(PATIENCE_S) == [(listener.fileno(), select.EPOLLIN)]
        assert poller.poll(0) == []
        for _ in range(2):
            listener.accept()[0].close()


@check
def one_shot_is_one_event_until_it_is_set_again() -> None:
    with connected() as (client, server), select.epoll() as poller:
        poller.register(client, select.EPOLLIN | select.EPOLLONESHOT)
        server.sendall(b"x")
        assert poller.poll(PATIENCE_S) == [(client.fileno(), select.EPOLLIN)]
        assert poller.poll(0) == []
        poller.modify(client, select.EPOLLIN | select.EPOLLONESHOT)
        assert poller.poll(PATIENCE_S) == [(client.fileno(), select.EPOLLIN)]
