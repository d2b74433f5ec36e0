"""Whom TCP tells that something has happened to a connection or a listener.

Called from within TcpHost.receive, on_icmp_error and poll. An observer may call the connection's
own methods; what these have to send goes with the next TcpHost.flush.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener

    class ConnectionObserver(Protocol):
        """Of one connection. Bytes go through its Stream without a call."""

        def established(self, connection: Connection) -> None:
            """An active open has succeeded. (A passive one is reported by `accept`.)"""

        def peer_closed(self, connection: Connection) -> None:
            """The peer has sent its FIN; all that was before it has been delivered."""

        def failed(self, connection: Connection, errno: int) -> None:
            """It is over: ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, … `gone` follows.

            EPIPE: reset after the peer's FIN, as Linux says it.
            """

        def finished(self, connection: Connection) -> None:
            """Everything written and our FIN have been acknowledged: SO_LINGER waits for it."""

        def gone(self, connection: Connection) -> None:
            """Nothing more will happen: closed, or in TIME-WAIT. The last call; the stream is
            not touched after it."""

    class ListenerObserver(Protocol):
        """Of one listener."""

        def accept(self, listener: Listener, connection: Connection) -> bool:
            """A connection is established. Gives it its `stream` and `observer`, and the program
            its descriptor. False: no room; it is asked again when the peer sends again."""
