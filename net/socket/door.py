"""What a socket of the program's looks like from the services' side.

The kernel has the descriptor, its two rings and its accept queue, and serves read, write, poll and
epoll from them without waiting for Python. `_kernel.Socket` is a Door; tests have `ring.Ring`.
A Door's sizes are bytes, its addresses `struct sockaddr` as bytes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    Buffer = bytes | bytearray | memoryview

    class Stream(Protocol):
        """The part that a TCP connection needs: bytes in, bytes out."""

        def deliver(self, data: Buffer, /) -> int:
            """Gives the program data, in order. All of it: ValueError if it is more than
            receive_free(). Returns what is free then. Wakes readers."""

        def receive_free(self) -> int:
            """How much more can be delivered."""

        def receive_queued(self) -> int:
            """What the program has not taken yet."""

        def notify_free(self, count: int, /) -> None:
            """Has TAKEN reported once receive_free() is this much or more; 0: not at all."""

        def send_queued(self) -> int:
            """What the program has written and discard() has not removed."""

        def peek(self, offset: int, count: int, /) -> bytes:
            """A copy of what it has written, which stays."""

        def discard(self, count: int, /) -> None:
            """Removes the oldest bytes (they were acknowledged), and wakes writers."""

        def set_state(self, add: int, remove: int = 0, error: int = 0, /) -> None:
            """Changes the bits of state, and what SO_ERROR says (0: leaves it); wakes whoever
            waits for that."""

    class Door(Stream, Protocol):
        """The whole of it."""

        @property
        def number(self) -> int:
            """What requests name it by; no two have the same while the machine runs."""

        owner: object
        """What `_kernel.sockets_changed()` reports changes to."""

        def deliver_message(self, data: Buffer, source: bytes, control: bytes = b"", /) -> bool:
            """Gives the program a datagram, with its control messages as recvmsg(2) stores them.
            False, and nothing is done: no room."""

        def deliver_error(self, data: Buffer, destination: bytes, control: bytes, /) -> bool:
            """Puts an error into the queue of MSG_ERRQUEUE: what has come back of a datagram, where
            it was sent to, and a control message (cmsg.error). False, and nothing is done: no
            room."""

        def take_message(self) -> tuple[bytes, bytes, bytes] | None:
            """The next datagram that the program has sent: data, destination (empty: where it is
            connected to), control messages. None: no more."""

        def queue_child(self, child: Door, address: bytes, /) -> bool:
            """Gives accept(2) a connection and its peer's address. False: the queue is full."""

        def set_limits(self, receive: int, send: int, backlog: int = 0, /) -> None:
            """How far its rings may grow, and how many children may wait."""

        def release(self) -> None:
            """Nothing more is needed of it. What the program has not read yet it can still read."""


CONNECTED, PEER_CLOSED, WRITE_SHUT, READ_SHUT, HUNG_UP, LISTENING = 1, 2, 4, 8, 16, 32
"""Bits of state. Not CONNECTED: a stream's read and write are ENOTCONN. PEER_CLOSED: read is 0 when
the ring is empty, POLLRDHUP. WRITE_SHUT: write is EPIPE. HUNG_UP: POLLHUP."""

SENT, TAKEN, CLOSED, ACCEPTED, UNACCEPTED = 1, 2, 4, 8, 16
"""Changes that `_kernel.sockets_changed() -> list[tuple[owner, bits]]` reports: the program has
written; has read (see notify_free); has closed its last descriptor; has accepted a child;
has closed the listener whose accept queue it was in (with CLOSED)."""
