"""The options of level IPPROTO_TCP, as getsockopt(2) and setsockopt(2) have them: bytes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.settings import SocketOptions


def set_option(
    now: int, name: int, value: bytes, options: SocketOptions, connection: Connection | None
) -> None:
    """Sets one: of a socket without a connection in its own `options`, otherwise the connection's.
    Raises OSError: ENOPROTOOPT, EINVAL, EISCONN."""
    raise NotImplementedError


def get_option(
    now: int, name: int, size: int, options: SocketOptions, connection: Connection | None
) -> bytes:
    """What one is, size bytes at most. Raises OSError: ENOPROTOOPT, EINVAL."""
    raise NotImplementedError
