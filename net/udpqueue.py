"""A user of a UDP endpoint that keeps what comes until it is taken: for clients of the stack's own
and for tests."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError, Packet

    Buffer = bytes | bytearray | memoryview

ERRORS_MOST = 16
DATAGRAM_COST = 256
"""What one costs beside its bytes, so that empty ones are not without bound."""


class Queue:
    """Up to a number of bytes; the newest are lost."""

    def __init__(self, limit: int = 212_992) -> None:
        self.limit = limit
        self.size = 0
        self._datagrams: deque[tuple[bytes, int, bytes]] = deque()
        self._errors: deque[IcmpError] = deque(maxlen=ERRORS_MOST)

    def __len__(self) -> int:
        return len(self._datagrams)

    def datagram(self, now: int, source: bytes, port: int, data: Buffer, packet: Packet) -> bool:
        """See UdpUser."""
        cost = len(data) + DATAGRAM_COST
        if self.size + cost > self.limit:
            return False
        self.size += cost
        self._datagrams.append((source, port, bytes(data)))
        return True

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        """See UdpUser."""
        self._errors.append(error)

    def take(self) -> tuple[bytes, int, bytes] | None:
        """The next datagram: source, port, data. None: no more."""
        if not self._datagrams:
            return None
        datagram = self._datagrams.popleft()
        self.size -= len(datagram[2]) + DATAGRAM_COST
        return datagram

    def take_error(self) -> IcmpError | None:
        """The next error."""
        return self._errors.popleft() if self._errors else None
