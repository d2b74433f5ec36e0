"""Sockets that tasks serve: the kernel's half and `_kernel.Socket`, with a stack of a few lines.

The stack answers requests as the test says, and notes what it was asked and told.
"""

import contextlib
import errno
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from ovum.net.socket.door import (
    ACCEPTED,
    CLOSED,
    CONNECTED,
    HUNG_UP,
    LISTENING,
    PEER_CLOSED,
    SENT,
    TAKEN,
    UNACCEPTED,
    WRITE_SHUT,
)
from ovum.services.vfs import operations as op

from .local_sockets import ready
from .registry import check, free_bytes, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    import _kernel

    from ovum.services.main import call, services

if TYPE_CHECKING:
    from _kernel import Socket

    from ovum.services.events import Request

T = TypeVar("T")

PEER = struct.pack("<H", socket.AF_INET) + struct.pack(">H4s8x", 80, bytes([192, 0, 2, 1]))
PEER_NAME = ("192.0.2.1", 80)


class Stack:
    """Makes a door for each socket, and answers everything else with `answers`, or 0."""

    def __init__(self) -> None:
        self.doors: dict[int, Socket] = {}
        self.answers: dict[int, int] = {}
        self.asked: list[tuple[int, int, int, bytes]] = []
        self.changes: list[tuple[object, int]] = []
        self.changed = threading.Semaphore(0)
        self.connecting = threading.Semaphore(0)

    async def serve(self, request: "Request") -> None:
        if request.operation == op.SOCKET:
            request.complete(self.make(request.a, request.b, request.c).number)
            return
        data = bytes(request.buffer or b"")
        self.asked.append((request.operation, request.a, request.b, data))
        if request.operation == op.NAME:
            assert request.buffer is not None
            request.buffer[: len(PEER)] = PEER
        if request.operation == op.CONNECT:
            self.connecting.release()
        request.complete(self.answers.get(request.operation, 0))

    def make(self, family: int, kind: int, protocol: int) -> "Socket":
        door = _kernel.Socket(family, kind, protocol)
        door.owner = door.number
        self.doors[door.number] = door
        return door

    def told(self) -> None:
        self.changes += _kernel.sockets_changed()
        self.changed.release()

    def bits(self) -> int:
        """What it was told since the last call."""
        bits = 0
        for _, more in self.changes:
            bits |= more
        self.changes.clear()
        return bits


def run(function: Callable[..., T], *args: object) -> T:
    """Calls it in the services thread."""

    done: list[T] = []

    async def inside() -> None:
        done.append(function(*args))

    call(inside)
    return done[0]


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    made = Stack()
    machine = services()
    before = machine.server.network, machine.events.sockets_changed
    machine.server.network, machine.events.sockets_changed = made.serve, made.told
    try:
        yield made
    finally:
        machine.server.network, machine.events.sockets_changed = before
        for door in made.doors.values():
            door.release()


def connected(made: Stack) -> tuple[socket.socket, "Socket"]:
    """A stream that is connected, and its door."""
    sock = socket.socket()
    (door,) = list(made.doors.values())[-1:]
    run(door.set_state, CONNECTED)
    return sock, door


@check
def a_served_stream_carries_bytes_both_ways() -> None:
    with stack() as made:
        sock, door = connected(made)
        with sock:
            assert door.deliver(b"hello") == door.receive_free()
            assert door.receive_queued() == 5
            assert ready(sock) == {"POLLIN", "POLLOUT"}
            assert sock.recv(3) == b"hel"
            assert sock.recv(100, socket.MSG_PEEK) == b"lo"
            assert sock.recv(100) == b"lo"
            assert sock.send(b"abcdef") == 6
            assert made.bits() == SENT
            assert door.send_queued() == 6
            assert door.peek(2, 3) == b"cde"
            with refused_value():
                door.peek(2, 5)
            door.discard(4)
            assert door.peek(0, 2) == b"ef"
            with refused_value():
                door.discard(3)
            run(door.set_state, PEER_CLOSED)
            assert ready(sock) == {"POLLIN", "POLLOUT", "POLLRDHUP"}
            assert sock.recv(100) == b""
            run(door.set_state, HUNG_UP, CONNECTED, errno.ECONNRESET)
            assert ready(sock) == {"POLLIN", "POLLOUT", "POLLERR", "POLLHUP", "POLLRDHUP"}
            with refused(errno.ECONNRESET):
                sock.send(b"x")
            with refused(errno.EPIPE):
                sock.send(b"x")
        assert made.bits() & CLOSED


@contextlib.contextmanager
def refused_value() -> Iterator[None]:
    """What is within raises ValueError."""
    try:
        yield
    except ValueError:
        return
    raise AssertionError("it was not refused")


@check
def limits_hold_and_room_is_told_of() -> None:
    with stack() as made:
        sock, door = connected(made)
        with sock:
            sock.setblocking(False)
            door.set_limits(10000, 30000)
            assert door.receive_free() == 10000
            with refused_value():
                door.deliver(bytes(10001))
            assert door.deliver(bytes(10000)) == 0
            made.bits()
            door.notify_free(6000)
            sock.recv(3000)
            assert made.bits() == 0
            sock.recv(3000)
            assert made.bits() == TAKEN
            sock.recv(3000)
            assert made.bits() == 0
            # Sending: a third must be free before it can be written again.
            assert sock.send(bytes(40000)) == 30000
            with refused(errno.EAGAIN):
                sock.send(b"x")
            assert ready(sock) == {"POLLIN"}
            run(door.discard, 5000)
            assert ready(sock) == {"POLLIN"}
            with select.epoll() as epoll:
                epoll.register(sock, select.EPOLLOUT | select.EPOLLET)
                assert epoll.poll(0) == []
                run(door.discard, 10000)
                assert epoll.poll(0) == [(sock.fileno(), select.EPOLLOUT)]
                run(door.discard, 1000)
                assert epoll.poll(0) == []


@check
def all_streams_together_have_a_limit_and_each_the_least() -> None:
    with stack() as made:
        (one, door), (other, far) = connected(made), connected(made)
        with one, other:
            one.setblocking(False)
            other.setblocking(False)
            for each in (door, far):
                each.set_limits(1 << 20, 1 << 20)
            before = _kernel.sockets_memory()
            assert one.send(bytes(300_000)) == 300_000
            held = _kernel.sockets_memory()
            assert 300_000 <= held - before <= 600_000
            _kernel.sockets_memory(held)
            try:
                # What it has already it can fill.
                assert one.send(bytes(1 << 20)) == held - before - 300_000
                assert other.send(bytes(10_000)) == 4096
                assert ready(other) == set()
                far.deliver(bytes(4000))
                with contextlib.suppress(MemoryError):
                    far.deliver(bytes(97))
                    raise AssertionError("more was delivered than there may be")
                far.deliver(bytes(96))
                assert _kernel.sockets_memory() == held + 2 * 4096
                assert ready(other) == {"POLLIN"}
                assert other.recv(10_000) == bytes(4096)
                run(far.discard, 3000)
                assert ready(other) == {"POLLOUT"}
                assert other.send(bytes(10_000)) == 3000
                # Room for all again.
                run(door.discard, door.send_queued())
                assert other.send(bytes(10_000)) == 10_000
                assert far.deliver(bytes(100_000)) == (1 << 20) - 100_000
            finally:
                _kernel.sockets_memory((1 << 63) - 1)
        one.close()
        other.close()
        for each in (door, far):
            each.release()
        assert _kernel.sockets_memory() == before


@check
def blocking_calls_of_served_sockets_wait() -> None:
    with stack() as made:
        sock, door = connected(made)
        with sock:
            got: list[bytes] = []
            reader = threading.Thread(target=lambda: got.append(sock.recv(6, socket.MSG_WAITALL)))
            reader.start()
            run(door.deliver, b"abc")
            run(door.deliver, b"def")
            reader.join()
            assert got == [b"abcdef"]
            writer = threading.Thread(target=sock.sendall, args=(bytes(600000),))
            writer.start()
            left = 600000
            while left:
                made.changed.acquire()
                while size := door.send_queued():
                    assert door.peek(0, size) == bytes(size)
                    run(door.discard, size)
                    left -= size
            writer.join()


@check
def connecting_goes_as_on_linux() -> None:
    with stack() as made:
        made.answers[op.CONNECT] = -errno.EINPROGRESS
        # Blocking: the answer comes later.
        with socket.socket() as sock:
            (door,) = made.doors.values()
            assert ready(sock) == {"POLLOUT", "POLLHUP"}
            with refused(errno.ENOTCONN):
                sock.recv(1)
            thread = threading.Thread(target=sock.connect, args=(PEER_NAME,))
            thread.start()
            made.connecting.acquire()
            run(door.set_state, CONNECTED)
            thread.join()
            assert made.asked[-1] == (op.CONNECT, 0, 0, PEER)
            with refused(errno.EISCONN):
                sock.connect(PEER_NAME)
            made.answers[op.NAME] = len(PEER)
            assert sock.getpeername() == PEER_NAME
        # Not blocking.
        with socket.socket() as sock:
            sock.setblocking(False)
            assert sock.connect_ex(PEER_NAME) == errno.EINPROGRESS
            assert sock.connect_ex(PEER_NAME) == errno.EALREADY
            assert ready(sock) == set()
            (door,) = list(made.doors.values())[-1:]
            run(door.set_state, HUNG_UP, 0, errno.ECONNREFUSED)
            assert "POLLERR" in ready(sock) and "POLLOUT" in ready(sock)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
            assert sock.connect_ex(PEER_NAME) == errno.ECONNABORTED
            assert sock.connect_ex(PEER_NAME) == errno.EINPROGRESS
            run(door.set_state, CONNECTED)
            assert ready(sock) == {"POLLOUT"}
            assert sock.connect_ex(PEER_NAME) == 0
            assert sock.connect_ex(PEER_NAME) == errno.EISCONN


@check
def connections_wait_to_be_accepted() -> None:
    with stack() as made:
        with socket.socket() as server:
            (door,) = made.doors.values()
            with refused(errno.EINVAL):
                server.accept()
            run(door.set_state, LISTENING)
            door.set_limits(0, 0, 1)
            assert ready(server) == set()
            children = [made.make(socket.AF_INET, socket.SOCK_STREAM, 0) for _ in range(3)]
            for child in children:
                child.set_state(CONNECTED)
                child.deliver(b"early")
            assert [run(door.queue_child, child, PEER) for child in children] == [True, True, False]
            with refused_value():
                door.queue_child(children[0], PEER)
            assert ready(server) == {"POLLIN"}
            made.bits()
            connection, address = server.accept()
            assert address == PEER_NAME
            assert made.bits() == ACCEPTED
            assert connection.recv(100) == b"early"
            # The stack may be done with it before the program.
            children[0].deliver(b"last")
            children[0].set_state(PEER_CLOSED | WRITE_SHUT | HUNG_UP)
            children[0].release()
            assert connection.recv(100) == b"last"
            assert connection.recv(100) == b""
            connection.close()
            with refused_value():
                children[0].deliver(b"x")
        # What nobody accepted is closed with its listener.
        time_limit = time.monotonic() + 5
        told = dict[object, int]()
        while len(told) < 2 and time.monotonic() < time_limit:
            made.changed.acquire(timeout=1)
            told.update(made.changes)
        assert told == {door.number: CLOSED, children[1].number: CLOSED | UNACCEPTED}, told


@check
def who_is_not_accepted_when_listening_ends_is_closed() -> None:
    with stack() as made, socket.socket() as server:
        (door,) = made.doors.values()
        run(door.set_state, LISTENING)
        door.set_limits(0, 0, 1)
        child = made.make(socket.AF_INET, socket.SOCK_STREAM, 0)
        child.set_state(CONNECTED)
        assert run(door.queue_child, child, PEER)
        made.bits()
        run(door.set_state, 0, LISTENING)
        assert ready(server) == {"POLLHUP"}
        with refused(errno.EINVAL):
            server.accept()
        assert made.changes == [(child.number, CLOSED | UNACCEPTED)], made.changes
        assert not run(door.queue_child, made.make(socket.AF_INET, socket.SOCK_STREAM, 0), PEER)


@check
def served_datagrams_keep_borders_addresses_and_control() -> None:
    control = struct.pack("<QIIi4x", 20, socket.IPPROTO_IP, socket.IP_TTL, 64)
    with stack() as made, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        (door,) = made.doors.values()
        sock.setblocking(False)
        with refused(errno.EDESTADDRREQ):
            sock.send(b"x")
        with refused(errno.EMSGSIZE):
            sock.sendto(bytes(65508), PEER_NAME)
        with refused(errno.EAGAIN):
            sock.recv(1)
        sock.sendto(b"question", PEER_NAME)
        sock.sendmsg(
            [b"with ", b"control"], [(0, socket.IP_TTL, struct.pack("i", 7))], 0, PEER_NAME
        )
        assert made.bits() == SENT
        assert door.take_message() == (b"question", PEER, b"")
        message = door.take_message()
        assert message is not None
        data, address, options = message
        assert (data, address) == (b"with control", PEER)
        assert struct.unpack_from("<QIIi", options) == (20, 0, socket.IP_TTL, 7)
        assert door.take_message() is None
        assert door.deliver_message(b"answer", PEER, control)
        assert door.deliver_message(b"", PEER)
        data, messages, flags, source = sock.recvmsg(3, 100)
        assert (data, flags, source) == (b"ans", socket.MSG_TRUNC, PEER_NAME)
        assert messages == [(socket.IPPROTO_IP, socket.IP_TTL, struct.pack("i", 64))]
        assert sock.recvfrom(10) == (b"", PEER_NAME)
        door.set_limits(4096, 4096)
        delivered = 0
        while door.deliver_message(bytes(1000), PEER):
            delivered += 1
        assert delivered == 4
        run(door.set_state, 0, 0, errno.ECONNREFUSED)
        with refused(errno.ECONNREFUSED):
            sock.recv(10)
        assert len(sock.recv(2000)) == 1000


@check
def options_go_to_the_stack_but_for_the_kernels_own() -> None:
    with stack() as made, socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 6) as sock:
        (door,) = made.doors.values()
        assert (door.family, door.type, door.protocol) == (socket.AF_INET6, socket.SOCK_STREAM, 6)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_INET6
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == 6
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM
        assert not made.asked
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert made.asked.pop() == (op.SET_OPTION, socket.IPPROTO_TCP, 1, struct.pack("i", 1))
        made.answers[op.GET_OPTION] = 4
        sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert made.asked.pop()[:3] == (op.GET_OPTION, socket.IPPROTO_TCP, 1)
        made.answers[op.SET_OPTION] = -errno.ENOPROTOOPT
        with refused(errno.ENOPROTOOPT):
            sock.setsockopt(socket.SOL_SOCKET, 999, 1)


@check
def closing_waits_as_long_as_the_program_has_said() -> None:
    with stack() as made:
        for seconds, end in ((10, True), (1, False)):
            sock, door = connected(made)
            linger = struct.pack("ii", 1, seconds)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            assert made.asked.pop() == (op.SET_OPTION, socket.SOL_SOCKET, socket.SO_LINGER, linger)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == linger
            made.bits()
            begun = time.monotonic()
            thread = threading.Thread(target=sock.close)
            thread.start()
            made.changed.acquire()
            assert made.bits() == CLOSED
            if end:
                assert thread.is_alive()
                run(door.set_state, HUNG_UP)
            thread.join()
            assert (time.monotonic() - begun < 1) == end


@check
def what_the_stack_never_closes_ends_with_its_door() -> None:
    with stack() as made:
        sock, door = connected(made)
        with sock:
            results: list[bytes] = []
            thread = threading.Thread(target=lambda: results.append(sock.recv(1)))
            thread.start()
            run(door.release)
            thread.join()
            assert results == [b""]
            with refused(errno.EPIPE):
                sock.send(b"x")


@check
def idle_connections_cost_no_buffers() -> None:
    with stack() as made:
        socks = [connected(made) for _ in range(20)]
        for _, door in socks:
            door.deliver(bytes(30000))
        before = free_bytes()
        for sock, _ in socks:
            sock.recv(30000)
        assert free_bytes() - before >= 20 * 30000
        for sock, _ in socks:
            sock.close()


@check
def a_released_door_refuses_everything() -> None:
    door = _kernel.Socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    door.owner = door  # a ring, for the collector
    door.release()
    door.release()
    for name, args in {
        "deliver": (b"x",),
        "receive_free": (),
        "peek": (0, 0),
        "discard": (0,),
        "take_message": (),
        "set_state": (1,),
        "set_limits": (1, 1),
        "deliver_message": (b"x", b""),
        "deliver_error": (b"x", b"", b""),
        "notify_free": (1,),
    }.items():
        with refused_value():
            getattr(door, name)(*args)
    with contextlib.suppress(ValueError, TypeError):
        _kernel.Socket(2, 1, 0).queue_child(door, b"")
        raise AssertionError("a released child was queued")
