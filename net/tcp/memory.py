"""What all connections together may take: like Linux's tcp_mem.

Bytes are counted where they are, in the rings of streams, which is the kernel's part: what programs
have not read, and what they have written and peers have not acknowledged. Behind half of
Settings.memory a window that is half used while its program has more than LEAST_BUFFER to read
becomes LEAST_BUFFER, new ones are no larger, and none grows; who reads at once does not notice.
What was offered before still comes: it would be too much only if many peers filled their windows
at once. So behind all of it what does not fit into LEAST_BUFFER is dropped as if it were lost, and
the window closes, to be opened by what there is room for; and programs' writes wait. All rings
together then hold Settings.memory, and twice LEAST_BUFFER for each connection, whose number is
limited for that: with these every connection goes on, however much others hold.

A sum of windows is no measure: most connections use little of theirs most of the time, and with
windows so small that all could be full at once, few connections would be slow ones.
"""

from __future__ import annotations

from ovum.net.tcp.settings import LEAST_BUFFER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.host import TcpHost
    from ovum.net.tcp.settings import SocketOptions


class Memory:
    """The account of a host."""

    __slots__ = ("held", "host")

    def __init__(self, host: TcpHost) -> None:
        self.host = host
        self.held: Callable[[], int] = int
        """Bytes in the rings of all streams: `_kernel.sockets_memory`."""

    def is_short(self) -> bool:
        """Whether that is so much that windows have to be small."""
        return 2 * self.held() >= self.host.settings.memory

    def has_room(self) -> bool:
        """Whether there may be one more connection."""
        host = self.host
        count = len(host.table) - len(host.time_waits) - host.half_open
        if count < host.settings.connections:
            return True
        host.counters.count("tcp_connections_full")
        return False

    def first_window(self, options: SocketOptions) -> int:
        """Of a new connection."""
        window = options.receive_limit or self.host.settings.receive_initial
        if window > LEAST_BUFFER and self.is_short():
            self.host.counters.count("tcp_memory_short")
            return LEAST_BUFFER
        return window

    def may_grow(self) -> bool:
        """Whether a window may."""
        if self.is_short():
            self.host.counters.count("tcp_memory_short")
            return False
        return True

    def look(self, c: Connection) -> None:
        """Half of a window is used: is that too much now?"""
        least = LEAST_BUFFER
        if c.rcv_limit > least and c.stream.receive_queued() > least and self.is_short():
            self.host.counters.count("tcp_memory_short")
            self.shrink(c)

    def shrink(self, c: Connection) -> None:
        """Makes the window the least. It grows again as it did at first."""
        c.rcv_limit = min(c.rcv_limit, LEAST_BUFFER)
        c.hold_back()
        c.grow_at = c.rcv_nxt + c.rcv_limit
