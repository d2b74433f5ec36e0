"""Passive opens: listeners."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.observer import ListenerObserver
    from ovum.net.tcp.settings import SocketOptions


class Listener:
    """A port that connections are accepted at."""

    local: bytes
    port: int
    backlog: int
    observer: ListenerObserver
    options: SocketOptions

    def close(self, now: int) -> None:
        """Takes no more; half-open connections are forgotten."""
        raise NotImplementedError
