"""Descriptors that make a thread wait: pipes, sockets, events, timers, and polling."""

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable

from .registry import check, refused


@check
def a_pipe_moves_bytes_between_threads() -> None:
    reading, writing = os.pipe()
    sent = bytes(range(256)) * 4096
    received = bytearray()

    def read_all() -> None:
        while piece := os.read(reading, 10_000):
            received.extend(piece)

    thread = threading.Thread(target=read_all)
    thread.start()
    rest = memoryview(sent)
    while rest:
        rest = rest[os.write(writing, rest) :]
    os.close(writing)
    thread.join()
    os.close(reading)
    assert bytes(received) == sent


@check
def a_full_pipe_refuses_and_an_empty_one_too() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    with refused(errno.EAGAIN):
        os.read(reading, 1)
    written = 0
    with refused(errno.EAGAIN):
        for _ in range(1 << 20):
            written += os.write(writing, b"x" * 4096)
    assert written >= 65536, written
    assert len(os.read(reading, 1 << 20)) == written
    os.close(reading)
    with refused(errno.EPIPE):
        os.write(writing, b"x")
    os.close(writing)


@check
def a_small_write_to_a_pipe_is_atomic() -> None:
    reading, writing = os.pipe()
    writers = [
        threading.Thread(target=lambda c=c: [os.write(writing, c * 1000) for _ in range(100)])
        for c in (b"a", b"b", b"c")
    ]
    for thread in writers:
        thread.start()
    left = 3 * 100 * 1000
    data = b""
    while left:
        piece = os.read(reading, left)
        data += piece
        left -= len(piece)
    for thread in writers:
        thread.join()
    os.close(reading)
    os.close(writing)
    for at in range(0, len(data), 1000):
        assert len(set(data[at : at + 1000])) == 1, at


@check
def a_socket_pair_carries_both_directions() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"ping")
        assert theirs.recv(10) == b"ping"
        theirs.sendall(b"pong")
        assert ours.recv(2) == b"po"
        assert ours.recv(10) == b"ng"
        ours.shutdown(socket.SHUT_WR)
        assert theirs.recv(1) == b""
        theirs.sendall(b"still")
        assert ours.recv(10) == b"still"
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        assert ours.recv(1) == b""
        with refused(errno.EPIPE):
            ours.send(b"x")


@check
def messages_in_pieces_stay_one_message_and_can_be_peeked_at() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        assert ours.sendmsg([b"ab", b"", b"cde"]) == 5
        ours.send(b"next")
        assert theirs.recv(100, socket.MSG_PEEK) == b"abcde"
        pieces = [bytearray(2), bytearray(100)]
        assert theirs.recvmsg_into(pieces)[0] == 5
        assert pieces[0] == b"ab"
        assert pieces[1][:3] == b"cde"
        assert theirs.recv(100) == b"next"


@check
def shutting_a_socket_down_wakes_its_reader() -> None:
    ours, theirs = socket.socketpair()
    got: list[bytes] = []
    with ours, theirs:
        reader = threading.Thread(target=lambda: got.append(ours.recv(1)))
        reader.start()
        while reader.is_alive():
            ours.shutdown(socket.SHUT_RDWR)
            reader.join(0.01)
    assert got == [b""]


@check
def a_socket_times_out() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.05)
        started = time.monotonic()
        try:
            ours.recv(1)
        except TimeoutError:
            assert time.monotonic() - started >= 0.05
        else:
            raise AssertionError("something was received")


@check
def poll_reports_what_is_ready() -> None:
    reading, writing = os.pipe()
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.register(writing, select.POLLOUT)
    assert poll.poll(0) == [(writing, select.POLLOUT)]
    os.write(writing, b"x")
    assert sorted(poll.poll(0)) == sorted([(reading, select.POLLIN), (writing, select.POLLOUT)])
    poll.unregister(writing)
    os.close(writing)
    os.read(reading, 1)
    assert poll.poll(0) == [(reading, select.POLLHUP)]
    os.close(reading)
    assert poll.poll(0) == [(reading, select.POLLNVAL)]


@check
def poll_and_select_wait_as_long_as_they_should() -> None:
    reading, writing = os.pipe()
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    epoll = select.epoll()
    epoll.register(reading, select.EPOLLIN)
    waits: list[Callable[[], object]] = [lambda: poll.poll(30), lambda: epoll.poll(0.03)]
    waits.append(lambda: [fd for kind in select.select([reading], [], [], 0.03) for fd in kind])
    for wait in waits:
        started = time.monotonic()
        assert wait() == []
        assert 0.03 <= time.monotonic() - started < 5
    epoll.close()
    os.close(reading)
    os.close(writing)


@check
def every_kind_of_waiting_is_woken_by_another_thread() -> None:
    def by_poll(fd: int) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        assert poll.poll(60_000) == [(fd, select.POLLIN)]

    def by_epoll(fd: int) -> None:
        with select.epoll() as epoll:
            epoll.register(fd, select.EPOLLIN)
            assert epoll.poll(60) == [(fd, select.EPOLLIN)]

    def by_select(fd: int) -> None:
        assert select.select([fd], [], [], 60)[0] == [fd]

    for wait in (by_poll, by_epoll, by_select):
        reading, writing = os.pipe()
        finished = threading.Event()
        ready = threading.Event()

        def waiter(
            wait: Callable[[int], None], fd: int, begun: threading.Event, done: threading.Event
        ) -> None:
            begun.set()
            wait(fd)
            done.set()

        thread = threading.Thread(target=waiter, args=(wait, reading, ready, finished))
        thread.start()
        ready.wait()
        assert not finished.wait(0.05), f"{wait.__name__} did not wait"
        os.write(writing, b"x")
        assert finished.wait(60), f"{wait.__name__} was not woken"
        thread.join()
        os.close(reading)
        os.close(writing)


@check
def epoll_knows_edges_levels_and_single_shots() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, select.epoll() as epoll:
        fd = theirs.fileno()
        epoll.register(fd, select.EPOLLIN)
        ours.send(b"a")
        assert epoll.poll(0) == epoll.poll(0) == [(fd, select.EPOLLIN)]
        epoll.modify(fd, select.EPOLLIN | select.EPOLLET)
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        assert epoll.poll(0) == []
        ours.send(b"b")
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        ours.send(b"c")
        assert epoll.poll(0) == []
        epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
        assert epoll.poll(0) == [(fd, select.EPOLLIN)]
        with refused(errno.EEXIST):
            epoll.register(fd, select.EPOLLIN)
        epoll.unregister(fd)
        with refused(errno.ENOENT):
            epoll.unregister(fd)
        ours.close()
        epoll.register(fd, select.EPOLLIN | select.EPOLLRDHUP)
        ((_, events),) = epoll.poll(0)
        assert events & select.EPOLLHUP
        assert events & select.EPOLLIN


@check
def a_closed_descriptor_leaves_epoll() -> None:
    reading, writing = os.pipe()
    with select.epoll() as epoll:
        epoll.register(writing, select.EPOLLOUT)
        assert epoll.poll(0) == [(writing, select.EPOLLOUT)]
        os.close(writing)
        assert epoll.poll(0) == []
    os.close(reading)


@check
def an_event_descriptor_counts() -> None:
    fd = os.eventfd(3, os.EFD_NONBLOCK)
    assert os.eventfd_read(fd) == 3
    with refused(errno.EAGAIN):
        os.eventfd_read(fd)
    os.eventfd_write(fd, 4)
    os.eventfd_write(fd, 5)
    assert os.eventfd_read(fd) == 9
    os.close(fd)
    semaphore = os.eventfd(2, os.EFD_SEMAPHORE | os.EFD_NONBLOCK)
    assert [os.eventfd_read(semaphore), os.eventfd_read(semaphore)] == [1, 1]
    with refused(errno.EAGAIN):
        os.eventfd_read(semaphore)
    os.close(semaphore)


@check
def an_event_descriptor_wakes_a_reader() -> None:
    fd = os.eventfd(0)
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.append(os.eventfd_read(fd)))
    thread.start()
    os.eventfd_write(fd, 7)
    thread.join()
    os.close(fd)
    assert got == [7]


@check
def a_timer_descriptor_expires() -> None:
    from .timerfd import timerfd

    started = time.monotonic()
    fd = timerfd(first=0.03, interval=0.01)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(0) == []
    assert poll.poll(60_000) == [(fd, select.POLLIN)]
    assert int.from_bytes(os.read(fd, 8), "little") >= 1
    assert time.monotonic() - started >= 0.03
    time.sleep(0.05)
    assert int.from_bytes(os.read(fd, 8), "little") >= 4
    os.close(fd)


@check
def asyncio_runs_timers_threads_and_pipes() -> None:
    import asyncio

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def main() -> None:
        assert await asyncio.gather(*(asyncio.sleep(0.001, n) for n in range(50))) == list(
            range(50)
        )
        assert await asyncio.to_thread(lambda: 42) == 42
        ours, theirs = socket.socketpair()
        server = asyncio.create_task(echo(*await asyncio.open_connection(sock=theirs)))
        reader, writer = await asyncio.open_connection(sock=ours)
        for word in (b"one\n", b"two\n"):
            writer.write(word)
            assert await asyncio.wait_for(reader.readline(), 30) == word.upper()
        writer.close()
        await server
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.02)
        except TimeoutError:
            return
        raise AssertionError("no timeout")

    asyncio.run(main())
