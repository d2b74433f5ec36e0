"""TCP over loopback."""

import errno
import os
import resource
import select
import socket
import tempfile
import threading

from .registry import PATIENCE_S, check, connected, listening, ready, receive_all, refused

FAMILIES = (socket.AF_INET, socket.AF_INET6)


@check
def a_connection_carries_bytes_both_ways_and_ends_in_order() -> None:
    for family in FAMILIES:
        with connected(family) as (client, server):
            client.sendall(b"hello")
            assert server.recv(100) == b"hello"
            server.sendall(b"world")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b"world"
            assert server.recv(100) == b""
            with refused(errno.EPIPE):
                client.send(b"x")
            server.close()
            assert client.recv(100) == b""


@check
def names_are_those_of_both_ends() -> None:
    for family in FAMILIES:
        with connected(family) as (client, server):
            assert client.getpeername() == server.getsockname()
            assert server.getpeername() == client.getsockname()


@check
def a_connection_that_gets_no_descriptor_stays_in_the_queue() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with listening() as server, socket.create_connection(server.getsockname()) as client:
        select.select([server], [], [], PATIENCE_S)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            for _ in range(3):
                with refused(errno.EMFILE):
                    server.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        with server.accept()[0] as one:
            assert one.getpeername() == client.getsockname()


@check
def much_is_carried_whole() -> None:
    data = os.urandom(1 << 20)
    with connected() as (client, server):
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert receive_all(server, len(data)) == data
        sender.join()


@check
def both_directions_at_once() -> None:
    data = os.urandom(300_000)
    with connected() as (client, server):

        def echo() -> None:
            while got := server.recv(65536):
                server.sendall(got)

        echoer = threading.Thread(target=echo)
        sender = threading.Thread(target=client.sendall, args=(data,))
        echoer.start()
        sender.start()
        assert receive_all(client, len(data)) == data
        sender.join()
        client.shutdown(socket.SHUT_WR)
        echoer.join()


@check
def many_connections_come_and_go() -> None:
    with listening(backlog=20) as listener:
        for round_ in range(3):
            clients = [socket.create_connection(listener.getsockname()) for _ in range(15)]
            servers = [listener.accept()[0] for _ in clients]
            for number, client in enumerate(clients):
                client.sendall(bytes((number, round_)))
            assert sorted(server.recv(2)[0] for server in servers) == list(range(15))
            for it in (*clients, *servers):
                it.close()


@check
def nobody_listening_is_a_refusal() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    with socket.socket() as it:
        with refused(errno.ECONNREFUSED):
            it.connect(address)
        it.setblocking(False)
        assert it.connect_ex(address) in (errno.EINPROGRESS, errno.ECONNREFUSED)
        poller = select.poll()
        poller.register(it, select.POLLOUT)
        assert poller.poll(PATIENCE_S * 1000)


@check
def a_connection_that_does_not_wait_is_there_when_it_is_writable() -> None:
    with listening() as listener, socket.socket() as it:
        it.setblocking(False)
        assert it.connect_ex(listener.getsockname()) == errno.EINPROGRESS
        poller = select.poll()
        poller.register(it, select.POLLOUT)
        ((_, events),) = poller.poll(PATIENCE_S * 1000)
        assert events == select.POLLOUT
        assert it.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert it.connect_ex(listener.getsockname()) in (0, errno.EISCONN)
        assert it.connect_ex(listener.getsockname()) == errno.EISCONN
        server, _ = listener.accept()
        server.close()


@check
def closing_with_unread_bytes_resets() -> None:
    with connected() as (client, server):
        client.sendall(b"unread")
        select.select([server], [], [], PATIENCE_S)
        server.close()
        with refused(errno.ECONNRESET):
            client.recv(1)


@check
def closing_a_listener_resets_what_was_not_accepted() -> None:
    with listening() as listener, socket.create_connection(listener.getsockname()[:2]) as client:
        select.select([listener], [], [], PATIENCE_S)
        listener.close()
        with refused(errno.ECONNRESET):
            client.recv(1)


@check
def shutting_a_listener_down_ends_its_waits_and_resets_what_was_not_accepted() -> None:
    with listening() as listener:
        listener.settimeout(None)
        begun, raised = threading.Event(), list[int | None]()

        def accept() -> None:
            begun.set()
            try:
                listener.accept()
            except OSError as error:
                raised.append(error.errno)

        thread = threading.Thread(target=accept)
        thread.start()
        begun.wait(PATIENCE_S)
        listener.shutdown(socket.SHUT_RD)
        thread.join(PATIENCE_S)
        assert raised == [errno.EINVAL], raised
        assert ready(listener) == {"out", "hup"}
        listener.listen()
        with socket.create_connection(listener.getsockname()) as client:
            select.select([listener], [], [], PATIENCE_S)
            listener.shutdown(socket.SHUT_RDWR)
            with refused(errno.ECONNRESET):
                client.recv(1)


@check
def one_buffer_size_leaves_the_other() -> None:
    with connected() as (client, server):
        size = server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10_000)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == size
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 20_000
        data = os.urandom(1 << 20)
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        assert receive_all(server, len(data)) == data
        sender.join()


@check
def lingering_for_no_time_resets() -> None:
    with connected() as (client, server):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
        server.close()
        with refused(errno.ECONNRESET):
            client.recv(1)


@check
def what_was_written_before_close_arrives() -> None:
    with connected() as (client, server):
        client.sendall(b"x" * 50_000)
        client.close()
        assert receive_all(server, 50_000) == b"x" * 50_000
        assert server.recv(1) == b""


@check
def a_reader_that_does_not_read_stops_the_writer() -> None:
    with connected() as (client, server):
        client.setblocking(False)
        sent = 0
        try:
            while sent < 1 << 26:
                sent += client.send(b"x" * 65536)
                select.select([], [client], [], 0.5)
        except BlockingIOError:
            pass
        assert 0 < sent < 1 << 26
        got = 0
        while got < sent:
            got += len(server.recv(1 << 20))
        assert select.select([], [client], [], PATIENCE_S)[1]


@check
def bytes_can_be_looked_at_and_waited_for() -> None:
    with connected() as (client, server):
        client.sendall(b"abc")
        select.select([server], [], [], PATIENCE_S)
        assert server.recv(2, socket.MSG_PEEK) == b"ab"
        timer = threading.Timer(0.05, client.sendall, (b"defgh",))
        timer.start()
        server.settimeout(None)  # with one, Python's sockets do not wait by themselves
        assert server.recv(8, socket.MSG_WAITALL) == b"abcdefgh"
        timer.join()
        with refused(errno.EAGAIN):
            server.recv(1, socket.MSG_DONTWAIT)


@check
def pieces_are_gathered_and_scattered() -> None:
    with connected() as (client, server):
        assert client.sendmsg([b"one", b"", b"two"]) == 6
        select.select([server], [], [], PATIENCE_S)
        first, second = bytearray(2), bytearray(10)
        count, control, flags, _ = server.recvmsg_into([first, second])
        assert (count, control, flags) == (6, [], 0)
        assert bytes(first + second[:4]) == b"onetwo"


@check
def urgent_data_comes_in_place_if_so_wanted() -> None:
    with connected() as (client, server):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        client.sendall(b"ABOR\r\n", socket.MSG_OOB)
        client.sendall(b"more")
        assert receive_all(server, 10) == b"ABOR\r\nmore"


@check
def a_file_is_sent() -> None:
    data = os.urandom(200_000)
    with connected() as (client, server), tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        sender = threading.Thread(target=client.sendfile, args=(file,))
        sender.start()
        assert receive_all(server, len(data)) == data
        sender.join()


@check
def a_wait_ends_at_its_timeout() -> None:
    with connected() as (client, _), listening() as listener:
        client.settimeout(0.05)
        try:
            client.recv(1)
        except TimeoutError:
            pass
        else:
            raise AssertionError("something came")
        listener.settimeout(0.05)
        try:
            listener.accept()
        except TimeoutError:
            pass
        else:
            raise AssertionError("somebody came")


@check
def a_dual_stack_listener_sees_mapped_addresses() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        for address, seen in (("127.0.0.1", "::ffff:127.0.0.1"), ("::1", "::1")):
            with socket.create_connection((address, port), PATIENCE_S):
                server, peer = listener.accept()
                server.close()
                assert peer[0] == seen


@check
def a_port_that_is_listened_at_is_taken() -> None:
    with listening() as listener, socket.socket() as other:
        with refused(errno.EADDRINUSE):
            other.bind(listener.getsockname())
        with refused(errno.EADDRNOTAVAIL):
            other.bind(("192.0.2.1", 0))


@check
def calls_that_a_state_does_not_allow() -> None:
    with connected() as (client, _), listening() as listener, socket.socket() as fresh:
        for call, number in (
            (lambda: fresh.recv(1), errno.ENOTCONN),
            (lambda: fresh.send(b"x"), errno.EPIPE),
            (fresh.getpeername, errno.ENOTCONN),
            (lambda: fresh.shutdown(socket.SHUT_WR), errno.ENOTCONN),
            (fresh.accept, errno.EINVAL),
            (client.listen, errno.EINVAL),
            (lambda: client.bind(("127.0.0.1", 0)), errno.EINVAL),
            (lambda: listener.connect(listener.getsockname()), errno.EISCONN),
        ):
            with refused(number):
                call()


@check
def unknown_families_and_types_are_refused() -> None:
    for family, kind, protocol, number in (
        (99, socket.SOCK_STREAM, 0, errno.EAFNOSUPPORT),
        (socket.AF_INET, socket.SOCK_SEQPACKET, 0, errno.ESOCKTNOSUPPORT),
        (socket.AF_INET, socket.SOCK_STREAM, 17, errno.EPROTONOSUPPORT),
        (socket.AF_INET, socket.SOCK_DGRAM, 6, errno.EPROTONOSUPPORT),
        (socket.AF_INET, socket.SOCK_RAW, 0, errno.EPROTONOSUPPORT),
    ):
        with refused(number):
            socket.socket(family, kind, protocol)
