"""A model of the kernel's socket: what `_kernel.Socket` is in a machine, for tests on the host.

    changes = Changes()
    ring = Ring(AF_INET, SOCK_STREAM, changes=changes)
    ring.deliver(b"to the program")     # the services' side: the Door of door.py
    ring.recv(100)                      # the program's side: what its system calls do

The program's calls never wait: where the kernel's would, they raise BlockingIOError.
"""

from __future__ import annotations

from collections import deque
from errno import EAGAIN, EINVAL, ENOTCONN, EPIPE
from select import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP

from ovum.net.socket.door import (
    ACCEPTED,
    CLOSED,
    CONNECTED,
    HUNG_UP,
    LISTENING,
    PEER_CLOSED,
    READ_SHUT,
    SENT,
    TAKEN,
    UNACCEPTED,
    WRITE_SHUT,
)
from ovum.net.tcp.settings import LEAST_BUFFER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.socket.door import Buffer, Door

SOCK_STREAM = 1

MESSAGE_OVERHEAD = 256
"""What a datagram takes of a ring's limit besides its bytes."""

ERRORS_MOST = 64


class Changes:
    """What `_kernel.sockets_changed()` would report."""

    def __init__(self, told: Callable[[], None] | None = None) -> None:
        self.told = told
        """Called when there is something after there was nothing: the event EVENT_SOCKETS."""
        self.held = 0
        """Bytes in the rings of streams."""
        self.memory = 1 << 62
        """How many there may be: then each has LEAST_BUFFER each way, or what it has already."""
        self._changed: dict[Ring, int] = {}

    def note(self, ring: Ring, bits: int) -> None:
        """Something has changed. What nobody owns is not reported; it is kept for the owner."""
        first = not self._changed
        self._changed[ring] = self._changed.get(ring, 0) | bits
        if first and self.told is not None:
            self.told()

    def take(self) -> list[tuple[object, int]]:
        """The owners of sockets that have changed since the last call, and how."""
        changed, self._changed = self._changed, {}
        return [(ring.owner, bits) for ring, bits in changed.items() if ring.owner is not None]


class Ring:
    """A Door, and the program's side of it."""

    _numbers = iter(range(1, 1 << 62))

    def __init__(
        self,
        family: int = 2,
        type: int = SOCK_STREAM,  # noqa: A002
        protocol: int = 0,
        changes: Changes | None = None,
    ) -> None:
        self.number = next(Ring._numbers)
        self.family = family
        self.type = type
        self.protocol = protocol
        self.changes = Changes() if changes is None else changes
        self.owner: object = None
        self.state = 0
        self.error = 0
        self.receive_limit = 65536
        self.send_limit = 65536
        self.backlog = 0
        self.released = False
        self.closed = False
        self._free_wanted = 0
        self._in = bytearray()
        self._out = bytearray()
        self._messages_in: deque[tuple[bytes, bytes, bytes]] = deque()
        self._messages_out: deque[tuple[bytes, bytes, bytes]] = deque()
        self._in_size = 0
        self._out_size = 0
        self.errors: deque[tuple[bytes, bytes, bytes]] = deque()
        """What recvmsg(2) with MSG_ERRQUEUE takes: data, destination, control messages."""
        self._children: deque[tuple[Ring, bytes]] = deque()

    def __repr__(self) -> str:
        return (
            f"<ring {self.number}: state {self.state:#x}, {self.receive_queued()} received, "
            f"{self.send_queued()} to be sent>"
        )

    # The services' side: Stream

    def deliver(self, data: Buffer, /) -> int:
        """See door.Stream."""
        if len(data) > self.receive_free():
            raise ValueError(f"{len(data)} bytes for a ring with room for {self.receive_free()}")
        if not self.closed:
            changes = self.changes
            if len(self._in) + len(data) > LEAST_BUFFER and changes.held >= changes.memory:
                raise MemoryError
            self._in += data
            changes.held += len(data)
        return self.receive_free()

    def receive_free(self) -> int:
        """See door.Stream."""
        return max(self.receive_limit - self.receive_queued(), 0)

    def receive_queued(self) -> int:
        """See door.Stream."""
        return self._in_size if self._is_message else len(self._in)

    def notify_free(self, count: int, /) -> None:
        """See door.Stream. TAKEN is reported once for each call; at once if there is room."""
        self._free_wanted = count
        self._look_at_room()

    def send_queued(self) -> int:
        """See door.Stream."""
        return self._out_size if self._is_message else len(self._out)

    def peek(self, offset: int, count: int, /) -> bytes:
        """See door.Stream."""
        if offset < 0 or count < 0 or offset + count > len(self._out):
            raise ValueError(f"{count} bytes at {offset} of {len(self._out)}")
        return bytes(memoryview(self._out)[offset : offset + count])

    def discard(self, count: int, /) -> None:
        """See door.Stream."""
        if not 0 <= count <= len(self._out):
            raise ValueError(f"{count} bytes of {len(self._out)}")
        del self._out[:count]
        self.changes.held -= count

    def set_state(self, add: int, remove: int = 0, error: int = 0, /) -> None:
        """See door.Stream."""
        self.state = (self.state & ~remove) | add
        if self.state & HUNG_UP:
            self.state |= PEER_CLOSED | WRITE_SHUT
        if error:
            self.error = error
        if not self.state & LISTENING:
            self._refuse_children()

    # The services' side: the rest of Door

    def deliver_message(self, data: Buffer, source: bytes, control: bytes = b"", /) -> bool:
        """See door.Door."""
        size = len(data) + MESSAGE_OVERHEAD
        if self._in_size + size > self.receive_limit:
            return False
        self._in_size += size
        self._messages_in.append((bytes(data), source, control))
        return True

    def deliver_error(self, data: Buffer, destination: bytes, control: bytes, /) -> bool:
        """See door.Door."""
        if len(self.errors) >= ERRORS_MOST:
            return False
        self.errors.append((bytes(data), destination, control))
        return True

    def take_message(self) -> tuple[bytes, bytes, bytes] | None:
        """See door.Door."""
        if not self._messages_out:
            return None
        message = self._messages_out.popleft()
        self._out_size -= len(message[0]) + MESSAGE_OVERHEAD
        return message

    def queue_child(self, child: Door, address: bytes, /) -> bool:
        """See door.Door."""
        assert isinstance(child, Ring)
        if not self.state & LISTENING or len(self._children) > self.backlog:
            return False
        self._children.append((child, address))
        return True

    def set_limits(self, receive: int, send: int, backlog: int = 0, /) -> None:
        """See door.Door."""
        self.receive_limit = receive
        self.send_limit = send
        self.backlog = backlog
        self._look_at_room()

    def release(self) -> None:
        """See door.Door."""
        self.released = True
        self.owner = None
        self.changes.held -= len(self._out)
        self._out.clear()
        self._look_at_end()

    # The program's side

    @property
    def _is_message(self) -> bool:
        return self.type != SOCK_STREAM

    def recv(self, count: int) -> bytes:
        """recv(2) of a stream. Raises OSError."""
        if self._in:
            data = bytes(memoryview(self._in)[:count])
            del self._in[:count]
            self.changes.held -= len(data)
            self._look_at_room()
            return data
        self._raise_error()
        if self.state & (PEER_CLOSED | READ_SHUT):
            return b""
        if not self.state & CONNECTED:
            raise OSError(ENOTCONN, "not connected")
        raise BlockingIOError(EAGAIN, "nothing has come")

    def send(self, data: Buffer) -> int:
        """send(2) of a stream: how much there was room for. Raises OSError."""
        self._raise_error()
        if self.state & WRITE_SHUT or not self.state & CONNECTED:
            raise BrokenPipeError(EPIPE, "shut down")
        limit = self.send_limit
        if self.changes.held >= self.changes.memory:
            limit = min(limit, LEAST_BUFFER)
        count = min(len(data), limit - len(self._out))
        if count <= 0:
            raise BlockingIOError(EAGAIN, "no room")
        self._out += memoryview(data)[:count]
        self.changes.held += count
        self.changes.note(self, SENT)
        return count

    def recvmsg(self, count: int = 65536) -> tuple[bytes, bytes, bytes]:
        """recvmsg(2) of datagrams: data, source, control messages. Raises OSError."""
        self._raise_error()
        if not self._messages_in:
            if self.state & READ_SHUT:
                return b"", b"", b""
            raise BlockingIOError(EAGAIN, "nothing has come")
        data, source, control = self._messages_in.popleft()
        self._in_size -= len(data) + MESSAGE_OVERHEAD
        self._look_at_room()
        return data[:count], source, control

    def sendmsg(self, data: Buffer, destination: bytes = b"", control: bytes = b"") -> int:
        """sendmsg(2) of a datagram. Raises OSError."""
        self._raise_error()
        if self.state & WRITE_SHUT:
            raise BrokenPipeError(EPIPE, "shut down")
        size = len(data) + MESSAGE_OVERHEAD
        if self._out_size + size > self.send_limit:
            raise BlockingIOError(EAGAIN, "no room")
        self._out_size += size
        self._messages_out.append((bytes(data), destination, control))
        self.changes.note(self, SENT)
        return len(data)

    def accept(self) -> tuple[Ring, bytes]:
        """accept(2): a connection and its peer's address. Raises OSError."""
        if not self.state & LISTENING:
            raise OSError(EINVAL, "not listening")
        if not self._children:
            self._raise_error()
            raise BlockingIOError(EAGAIN, "nobody has connected")
        child, address = self._children.popleft()
        self.changes.note(self, ACCEPTED)
        return child, address

    def close(self) -> None:
        """close(2) of the last descriptor; also of all that has not been accepted."""
        if self.closed:
            return
        self.closed = True
        self.changes.note(self, CLOSED)
        self._refuse_children()
        self._look_at_end()

    def _refuse_children(self) -> None:
        for child, _ in self._children:
            child.changes.note(child, UNACCEPTED)
            child.close()
        self._children.clear()

    def _look_at_end(self) -> None:
        if self.closed and self.released and not self._is_message:
            self.changes.held -= len(self._in)
            self._in.clear()

    def take_error(self) -> int:
        """SO_ERROR: what it was, which is gone then."""
        error, self.error = self.error, 0
        return error

    def poll(self) -> int:
        """What poll(2) and epoll(7) say of it."""
        state = self.state
        shut = state & (PEER_CLOSED | READ_SHUT)
        events = EPOLLERR if self.error or self.errors else 0
        if state & LISTENING:
            return events | (EPOLLIN if self._children else 0)
        unconnected = not self._is_message and not state & CONNECTED
        if state & HUNG_UP or (shut and state & WRITE_SHUT) or unconnected:
            events |= EPOLLHUP
        if shut:
            events |= EPOLLIN | EPOLLRDHUP
        if self._in or self._messages_in:
            events |= EPOLLIN
        if state & WRITE_SHUT or self.send_queued() <= self.send_limit * 2 // 3:
            events |= EPOLLOUT
        return events

    def _raise_error(self) -> None:
        error = self.take_error()
        if error:
            raise OSError(error, "the connection has failed")

    def _look_at_room(self) -> None:
        if self._free_wanted and self.receive_free() >= self._free_wanted:
            self._free_wanted = 0
            self.changes.note(self, TAKEN)
