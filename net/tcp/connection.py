"""One connection: what the program may ask of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.door import Stream
    from ovum.net.tcp.observer import ConnectionObserver
    from ovum.net.tcp.settings import SocketOptions


class Connection:
    """A connection, from its SYN on."""

    state: int
    local: bytes
    local_port: int
    remote: bytes
    remote_port: int
    interface: int
    stream: Stream
    observer: ConnectionObserver
    options: SocketOptions

    def written(self, now: int) -> None:
        """There is more in the stream to send."""
        raise NotImplementedError

    def taken(self, now: int) -> None:
        """The program has read: the window may open."""
        raise NotImplementedError

    def shutdown_write(self, now: int) -> None:
        """Our FIN follows what has been written."""
        raise NotImplementedError

    def close(self, now: int) -> None:
        """The program has closed its last descriptor. With unread bytes, or SO_LINGER 0: RST."""
        raise NotImplementedError

    def abort(self, now: int) -> None:
        """Ends it with an RST. The observer hears `gone`, and no `failed`."""
        raise NotImplementedError

    def change_options(self) -> SocketOptions:
        """Its options, which are its own from now on."""
        raise NotImplementedError

    def apply_options(self, now: int) -> None:
        """Its options have been changed."""
        raise NotImplementedError
