"""Local sockets (AF_UNIX): names, connections, datagrams, files that are passed, what poll says."""

import array
import contextlib
import errno
import os
import select
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from .registry import check, refused

STREAM, DATAGRAM, SEQPACKET = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET


@contextlib.contextmanager
def unix(kind: int = STREAM) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, kind) as made:
        yield made


@contextlib.contextmanager
def listening(name: str | bytes, kind: int = STREAM, backlog: int = 5) -> Iterator[socket.socket]:
    with unix(kind) as server:
        server.bind(name)
        server.listen(backlog)
        yield server


def events(sock: socket.socket) -> int:
    """What poll(2) says at once."""
    poll = select.poll()
    poll.register(sock, 0x7FFF)
    return dict(poll.poll(0)).get(sock.fileno(), 0)


def ready(sock: socket.socket) -> set[str]:
    """The names of these events."""
    names = ("POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLRDHUP")
    return {name for name in names if events(sock) & getattr(select, name)}


@check
def a_local_server_is_reached_by_its_path() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/server"
        with unix() as client:
            with refused(errno.ENOENT):
                client.connect(path)
            with listening(path) as server:
                assert server.getsockname() == path
                assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
                with unix() as other, refused(errno.EADDRINUSE):
                    other.bind(path)
                client.connect(path)
                with refused(errno.EISCONN):
                    client.connect(path)
                connection, address = server.accept()
                with connection:
                    assert address == ""
                    assert client.getpeername() == path
                    assert connection.getsockname() == path
                    client.sendall(b"question")
                    assert connection.recv(100) == b"question"
                    connection.sendall(b"answer")
                    assert client.recv(3) == b"ans"
                    assert client.recv(3, socket.MSG_PEEK) == b"wer"
                    assert client.recv(100) == b"wer"
                assert client.recv(100) == b""
        # The name outlives its socket.
        assert Path(path).exists()
        with unix() as late, refused(errno.ECONNREFUSED):
            late.connect(path)


@check
def abstract_names_go_with_their_socket() -> None:
    with listening(b"\0ovum/abstract") as server:
        assert server.getsockname() == b"\0ovum/abstract"
        with unix() as other, refused(errno.EADDRINUSE):
            other.bind(b"\0ovum/abstract")
        with unix() as client:
            client.connect(b"\0ovum/abstract")
    with unix() as client:
        with refused(errno.ECONNREFUSED):
            client.connect(b"\0ovum/abstract")
        client.bind("")
        name = client.getsockname()
        assert isinstance(name, bytes) and len(name) == 6 and name[0] == 0, name


@check
def a_full_queue_makes_those_who_connect_wait() -> None:
    with listening(b"\0ovum/full", backlog=0) as server, unix() as first, unix() as second:
        first.connect(b"\0ovum/full")
        second.setblocking(False)
        with refused(errno.EAGAIN):
            second.connect(b"\0ovum/full")
        second.setblocking(True)
        thread = threading.Thread(target=second.connect, args=(b"\0ovum/full",))
        thread.start()
        server.accept()[0].close()
        thread.join()
        server.accept()[0].close()
        server.setblocking(False)
        with refused(errno.EAGAIN):
            server.accept()


@check
def poll_says_of_local_streams_what_linux_says() -> None:
    with listening(b"\0ovum/poll") as server, unix() as client:
        assert ready(client) == {"POLLOUT", "POLLHUP"}
        assert ready(server) == set()
        client.connect(b"\0ovum/poll")
        assert ready(server) == {"POLLIN"}
        connection = server.accept()[0]
        assert ready(server) == set()
        assert ready(client) == {"POLLOUT"}
        connection.send(b"x")
        assert ready(client) == {"POLLIN", "POLLOUT"}
        client.recv(1)
        connection.shutdown(socket.SHUT_WR)
        assert ready(client) == {"POLLIN", "POLLOUT", "POLLRDHUP"}
        assert ready(connection) == {"POLLOUT"}
        connection.close()
        assert ready(client) == {"POLLIN", "POLLOUT", "POLLHUP", "POLLRDHUP"}
        with refused(errno.EPIPE):
            client.send(b"x", socket.MSG_NOSIGNAL)


@check
def what_a_closed_peer_did_not_read_is_a_reset() -> None:
    left, right = socket.socketpair()
    with left:
        left.send(b"unread")
        right.close()
        assert "POLLERR" in ready(left)
        with refused(errno.ECONNRESET):
            left.recv(1)
        assert left.recv(1) == b""
    with listening(b"\0ovum/reset") as server, unix() as client:
        client.connect(b"\0ovum/reset")
        server.close()
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


@check
def an_edge_comes_with_each_delivery() -> None:
    left, right = socket.socketpair()
    with left, right, select.epoll() as epoll:
        right.setblocking(False)
        epoll.register(right, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        assert epoll.poll(0) == [(right.fileno(), select.EPOLLOUT)]
        assert epoll.poll(0) == []
        for _ in range(2):
            left.send(b"x")
            assert epoll.poll(0) == [(right.fileno(), select.EPOLLIN | select.EPOLLOUT)]
            assert epoll.poll(0) == []
        right.recv(1)
        assert epoll.poll(0) == []
        with refused(errno.EAGAIN):
            for _ in range(100):
                right.send(bytes(65536))
        assert epoll.poll(0) == []
        left.recv(1 << 20)
        assert epoll.poll(0) == [(right.fileno(), select.EPOLLIN | select.EPOLLOUT)]


@check
def datagrams_keep_their_borders_and_their_senders() -> None:
    with unix(DATAGRAM) as server, unix(DATAGRAM) as client:
        server.bind(b"\0ovum/datagrams")
        client.bind(b"\0ovum/sender")
        with refused(errno.ENOTCONN):
            client.send(b"x")
        client.sendto(b"first", b"\0ovum/datagrams")
        client.connect(b"\0ovum/datagrams")
        client.send(b"second one")
        client.send(b"")
        data, _, flags, address = server.recvmsg(3)
        assert (data, flags, address) == (b"fir", socket.MSG_TRUNC, b"\0ovum/sender")
        assert server.recv_into(bytearray(3), 0, socket.MSG_TRUNC | socket.MSG_PEEK) == 10
        assert server.recvfrom(100) == (b"second one", b"\0ovum/sender")
        assert server.recv(100) == b""
        server.settimeout(0.01)
        with contextlib.suppress(TimeoutError):
            server.recv(100)
            raise AssertionError("there is something left")
        server.close()
        with refused(errno.ECONNREFUSED):
            client.send(b"x")
        with refused(errno.ENOTCONN):
            client.send(b"x")


@check
def a_full_receiver_makes_senders_of_datagrams_wait() -> None:
    with unix(DATAGRAM) as server, unix(DATAGRAM) as client:
        server.bind(b"\0ovum/slow")
        client.setblocking(False)
        sent = 0
        with refused(errno.EAGAIN):
            for _ in range(100):
                client.sendto(bytes(10000), b"\0ovum/slow")
                sent += 1
        assert sent >= 10
        client.setblocking(True)
        thread = threading.Thread(target=client.sendto, args=(b"last", b"\0ovum/slow"))
        thread.start()
        while len(server.recv(20000)) == 10000:
            pass
        thread.join()
        with refused(errno.EMSGSIZE):
            client.sendto(bytes(1 << 20), b"\0ovum/slow")


@check
def a_connection_may_carry_messages() -> None:
    with listening(b"\0ovum/messages", SEQPACKET) as server, unix(SEQPACKET) as client:
        with refused(errno.ENOTCONN):
            client.recv(1)
        with unix(STREAM) as other, refused(errno.EPROTOTYPE):
            other.connect(b"\0ovum/messages")
        client.connect(b"\0ovum/messages")
        connection = server.accept()[0]
        client.send(b"one")
        client.send(b"two")
        assert connection.recv(100) == b"one"
        assert connection.recv(100) == b"two"
        client.close()
        assert connection.recv(100) == b""
        connection.close()


def _passed(control: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors of SCM_RIGHTS messages."""
    fds = array.array("i")
    for level, kind, data in control:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        fds.frombytes(data)
    return list(fds)


@check
def files_are_passed_with_their_bytes() -> None:
    left, right = socket.socketpair()
    with left, right:
        reader, writer = os.pipe()
        left.send(b"before")
        socket.send_fds(left, [b"with"], [writer, reader])
        left.send(b"after")
        os.close(writer)
        os.close(reader)
        assert right.recv(3) == b"bef"
        data, control, flags, _ = right.recvmsg(100, 1000)
        assert (data, flags) == (b"orewith", 0)
        inner, outer = _passed(control)
        os.write(inner, b"through")
        assert os.read(outer, 100) == b"through"
        os.close(inner)
        os.close(outer)
        assert right.recv(100) == b"after"
        # Without room for them they are closed, and that is told.
        reader, writer = os.pipe()
        socket.send_fds(left, [b"x"], [writer])
        os.close(writer)
        assert right.recvmsg(100)[2] == socket.MSG_CTRUNC
        assert os.read(reader, 1) == b""
        # One of two.
        socket.send_fds(left, [b"x"], [reader, reader])
        _, control, flags, _ = right.recvmsg(100, socket.CMSG_LEN(4), socket.MSG_CMSG_CLOEXEC)
        (one,) = _passed(control)
        assert flags & socket.MSG_CTRUNC
        assert not os.get_inheritable(one)
        os.close(one)
        os.close(reader)
        with refused(errno.EBADF):
            socket.send_fds(left, [b"x"], [999])


@check
def a_long_chain_of_passed_sockets_ends_with_its_first() -> None:
    kept, *rest = socket.socketpair()
    for _ in range(400):
        left, right = socket.socketpair()
        socket.send_fds(left, [b"x"], [rest[0].fileno(), kept.fileno()])
        rest[0].close()
        kept.close()
        kept, rest = left, [right]
    kept.close()
    rest[0].close()


@check
def credentials_are_those_of_the_one_program() -> None:
    left, right = socket.socketpair()
    with left, right:
        peer = array.array("i")
        peer.frombytes(left.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        assert list(peer) == [os.getpid(), 0, 0]
        right.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        left.send(b"x")
        _, ((_, kind, data),), _, _ = right.recvmsg(10, 100)
        assert kind == socket.SCM_CREDENTIALS and data == peer.tobytes()


@check
def a_waiting_receiver_gives_up_at_its_timeout() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(8) + (20000).to_bytes(8, "little")
        )
        with refused(errno.EAGAIN):
            os.read(left.fileno(), 1)
        right.send(b"abc")
        left.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))
        thread = threading.Thread(target=right.send, args=(b"def",))
        thread.start()
        assert left.recv(6, socket.MSG_WAITALL) == b"abcdef"
        thread.join()


@check
def what_is_sent_in_bulk_arrives_whole() -> None:
    left, right = socket.socketpair()
    data = bytes(range(256)) * 8192
    with left, right:
        thread = threading.Thread(target=left.sendall, args=(data,))
        thread.start()
        got = bytearray()
        while len(got) < len(data):
            got += right.recv(70000)
        thread.join()
        assert got == data
        with tempfile.TemporaryFile() as file:
            file.write(data[:100000])
            thread = threading.Thread(target=left.sendfile, args=(file,))
            thread.start()
            assert right.recv(100000, socket.MSG_WAITALL) == data[:100000]
            thread.join()
