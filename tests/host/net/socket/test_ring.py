"""The model of the kernel's sockets keeps to what door.py promises."""

from __future__ import annotations

from errno import ECONNRESET, ENOTCONN, EPIPE
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP

import pytest

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
from ovum.net.socket.ring import MESSAGE_OVERHEAD, Changes, Ring

SOCK_DGRAM = 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.door import Door


def as_door(ring: Ring) -> Door:
    """The model has the type that the stack asks for."""
    return ring


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
def stream(changes: Changes) -> Ring:
    ring = Ring(changes=changes)
    ring.owner = "owner"
    ring.set_limits(100, 100)
    ring.set_state(CONNECTED)
    return ring


def test_bytes_go_both_ways_in_order(stream: Ring) -> None:
    assert stream.deliver(b"hello ") == 94
    stream.deliver(b"world")
    assert stream.receive_queued() == 11
    assert stream.recv(8) == b"hello wo"
    assert stream.recv(8) == b"rld"
    assert stream.send(b"x" * 150) == 100
    assert stream.peek(2, 3) == b"xxx"
    stream.discard(99)
    assert stream.send_queued() == 1


def test_more_than_there_is_room_for_is_refused(stream: Ring) -> None:
    with pytest.raises(ValueError, match="101 bytes"):
        stream.deliver(b"x" * 101)
    assert stream.receive_queued() == 0


def test_what_the_program_writes_is_reported_once_until_it_is_taken(
    stream: Ring, changes: Changes
) -> None:
    told = []
    changes.told = lambda: told.append(1)
    stream.send(b"a")
    stream.send(b"b")
    assert told == [1]
    assert changes.take() == [("owner", SENT)]
    assert changes.take() == []


def test_room_is_reported_once_when_there_is_as_much_as_was_asked_for(
    stream: Ring, changes: Changes
) -> None:
    stream.deliver(b"x" * 100)
    stream.notify_free(50)
    stream.recv(49)
    assert changes.take() == []
    stream.recv(1)
    assert changes.take() == [("owner", TAKEN)]
    stream.recv(50)
    assert changes.take() == []


def test_states_and_errors_are_what_the_calls_and_poll_say(stream: Ring) -> None:
    fresh = Ring()
    with pytest.raises(OSError) as caught:
        fresh.recv(1)
    assert caught.value.errno == ENOTCONN
    assert stream.poll() == EPOLLOUT
    stream.deliver(b"last")
    stream.set_state(PEER_CLOSED)
    assert stream.poll() == EPOLLIN | EPOLLOUT | EPOLLRDHUP
    assert stream.recv(9) == b"last"
    assert stream.recv(9) == b""
    stream.set_state(HUNG_UP | WRITE_SHUT, CONNECTED, ECONNRESET)
    assert stream.poll() & (EPOLLERR | EPOLLHUP) == EPOLLERR | EPOLLHUP
    with pytest.raises(ConnectionResetError):
        stream.send(b"x")
    with pytest.raises(OSError) as caught:
        stream.send(b"x")
    assert caught.value.errno == EPIPE


def test_datagrams_keep_their_borders_and_take_room(changes: Changes) -> None:
    ring = Ring(type=SOCK_DGRAM, changes=changes)
    ring.owner = "owner"
    ring.set_limits(2 * MESSAGE_OVERHEAD + 8, 2 * MESSAGE_OVERHEAD + 8)
    assert ring.deliver_message(b"one", b"source", b"control")
    assert ring.deliver_message(b"", b"source")
    assert not ring.deliver_message(b"two", b"source")
    assert ring.recvmsg() == (b"one", b"source", b"control")
    assert ring.recvmsg() == (b"", b"source", b"")
    with pytest.raises(BlockingIOError):
        ring.recvmsg()
    ring.sendmsg(b"out", b"destination")
    assert changes.take() == [("owner", SENT)]
    assert ring.take_message() == (b"out", b"destination", b"")
    assert ring.take_message() is None


def test_children_are_accepted_in_order_and_closed_with_their_listener(changes: Changes) -> None:
    listener = Ring(changes=changes)
    listener.owner = "listener"
    assert not listener.queue_child(Ring(), b"")
    listener.set_limits(100, 100, 1)
    listener.set_state(LISTENING)
    children = [Ring(changes=changes) for _ in range(3)]
    for child in children:
        child.owner = child.number
    assert [listener.queue_child(child, b"peer") for child in children] == [True, True, False]
    assert listener.poll() == EPOLLIN
    assert listener.accept() == (children[0], b"peer")
    assert changes.take() == [("listener", ACCEPTED)]
    listener.close()
    assert changes.take() == [("listener", CLOSED), (children[1].number, CLOSED | UNACCEPTED)]
