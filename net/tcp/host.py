"""All of a machine's TCP: the table of connections, listeners, ports, TIME-WAIT and timers.

For whoever has the program's sockets:

    host = TcpHost(ip, rng, counters, settings)
    binding = host.bind(local, port, options)            # port 0: an ephemeral one
    listener = host.listen(now, binding, backlog, observer, options)
    connection = host.connect(now, remote, port, stream, observer, options, binding=None)

    connection.written(now)            # SENT: there is more in the stream
    connection.taken(now)              # TAKEN: there is room in the stream
    connection.shutdown_write(now)     # FIN after what has been written
    connection.close(now)              # CLOSED: as SO_LINGER and unread bytes have it
    connection.abort(now)              # RST
    connection.change_options()        # its own from now on; then connection.apply_options(now)
    connection.state, .local, .local_port, .remote, .remote_port
    sockopt.set_option(...), sockopt.get_option(...)     # level IPPROTO_TCP, as bytes
    listener.close(now)                # half-open ones are forgotten, accepted ones live on
    binding.release()                  # of a socket that was bound, and no more

and for the runner: `receive`, `on_icmp_error`, `poll` at `next_deadline`, and `flush` after a batch
of any of these: until then nothing is sent, so that answers are aggregated.

Addresses are 4 or 16 bytes; an IPv4 peer of a dual-stack socket has 4 (sockets map it). A listener
at 16 zero bytes gets IPv4 connections too unless options.v6_only. Errors of calls are OSError.
A Door's receive limit should be settings.receive_max (or SO_RCVBUF): TCP opens its window by need.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from ovum.net.counters import Counters
    from ovum.net.ip import IcmpError, Ip, Packet
    from ovum.net.socket.door import Stream
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener
    from ovum.net.tcp.observer import ConnectionObserver, ListenerObserver
    from ovum.net.tcp.ports import Binding
    from ovum.net.tcp.settings import Settings, SocketOptions


class TcpHost:
    """The TCP of one machine."""

    def __init__(
        self, ip: Ip, rng: Random, counters: Counters, settings: Settings | None = None
    ) -> None:
        raise NotImplementedError

    def bind(self, local: bytes, port: int, options: SocketOptions, interface: int = 0) -> Binding:
        """Takes a port, by Linux's rules. Raises OSError: EADDRINUSE, EADDRNOTAVAIL."""
        raise NotImplementedError

    def listen(
        self,
        now: int,
        binding: Binding,
        backlog: int,
        observer: ListenerObserver,
        options: SocketOptions,
    ) -> Listener:
        """Answers connections from now on. Raises OSError: EADDRINUSE."""
        raise NotImplementedError

    def connect(
        self,
        now: int,
        remote: bytes,
        port: int,
        stream: Stream,
        observer: ConnectionObserver,
        options: SocketOptions,
        binding: Binding | None = None,
        interface: int = 0,
    ) -> Connection:
        """An active open. Raises OSError: ENETUNREACH, EADDRNOTAVAIL (no port), EADDRINUSE, …"""
        raise NotImplementedError

    def receive(self, now: int, packet: Packet) -> None:
        """A TCP segment has come."""
        raise NotImplementedError

    def on_icmp_error(self, now: int, error: IcmpError) -> None:
        """An ICMP error about a segment has come."""
        raise NotImplementedError

    def poll(self, now: int) -> None:
        """Does what is due."""
        raise NotImplementedError

    def next_deadline(self) -> int | None:
        """When poll is to be called."""
        raise NotImplementedError

    def flush(self, now: int) -> None:
        """Sends what connections have to send."""
        raise NotImplementedError
