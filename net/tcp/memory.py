"""What all connections together may buffer: like Linux's tcp_mem, but of limits, not of bytes.

Counted is what was promised, each connection's window and what its program may write ahead, so that
the sum holds even if all peers send at once and no program reads.
"""

from __future__ import annotations

from ovum.net.tcp.settings import LEAST_BUFFER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.counters import Counters
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.settings import Settings


class Memory:
    """The account. See Settings.memory."""

    __slots__ = ("charged", "counters", "settings")

    def __init__(self, settings: Settings, counters: Counters) -> None:
        self.settings = settings
        self.counters = counters
        self.charged = 0
        """Bytes that connections may buffer in all."""

    def is_short(self) -> bool:
        """Whether that is so much already that others get the least."""
        return 2 * self.charged >= self.settings.memory

    def reserve(self, c: Connection) -> bool:
        """For a new connection. False: there is none."""
        if self.is_short():
            self.counters.count("tcp_memory_short")
            c.rcv_limit = min(c.rcv_limit, LEAST_BUFFER)
            c.send_limit = min(c.send_limit, LEAST_BUFFER)
        if self.charged + c.rcv_limit + c.send_limit > self.settings.memory:
            self.counters.count("tcp_memory_full")
            return False
        self.charge(c)
        return True

    def may_grow(self) -> bool:
        """Whether a window may."""
        if self.is_short():
            self.counters.count("tcp_memory_short")
            return False
        return True

    def charge(self, c: Connection) -> None:
        """The limits of its buffers have been set."""
        wanted = c.rcv_limit + c.send_limit
        self.charged += wanted - c.charged
        c.charged = wanted

    def release(self, c: Connection) -> None:
        """It buffers nothing more."""
        self.charged -= c.charged
        c.charged = 0
