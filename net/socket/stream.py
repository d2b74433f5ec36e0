"""SOCK_STREAM: a socket of the program over a connection or a listener of net/tcp."""

from __future__ import annotations

from errno import (
    EALREADY,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENETUNREACH,
    ENODEV,
    ENOPROTOOPT,
    ENOTCONN,
)

from ovum.net.socket.address import (
    AF_INET6,
    AF_UNSPEC,
    ANY4,
    ANY6,
    LOOPBACK4,
    LOOPBACK6,
    family_of,
    is_any,
    is_multicast,
    needs_scope,
    pack,
    parse,
    refuse,
)
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
from ovum.net.socket.endpoint import SHUT_RD, SHUT_RDWR, SHUT_WR, Endpoint
from ovum.net.socket.options import SOL_IP, SOL_IPV6, SOL_SOCKET, SOL_TCP, Values, packed
from ovum.net.tcp import sockopt
from ovum.net.tcp.settings import SEND_BUFFER, SocketOptions
from ovum.net.tcp.states import SYN_RECEIVED, SYN_SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener
    from ovum.net.tcp.ports import Binding

    Buffer = bytes | bytearray | memoryview

BACKLOG_MOST = 4096
"""net.core.somaxconn."""

RECEIVE_MOST, SEND_MOST = 1 << 20, SEND_BUFFER
"""How far the rings grow unless the program says; TCP opens its window by need."""

SO_ACCEPTCONN, SO_LINGER, SO_RCVBUF = 30, 13, 8
IP_MTU, IPV6_MTU = 14, 24
SECOND = 1_000_000_000

_OVER = HUNG_UP | PEER_CLOSED | WRITE_SHUT


class StreamEndpoint(Endpoint):
    """A TCP socket. It observes its connection or its listener."""

    __slots__ = (
        "binding", "connection", "is_fresh", "is_send_set", "is_waiting", "listener", "local",
        "local_port", "options", "remote", "remote_port", "scope", "state",
    )  # fmt: skip

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        self.options = SocketOptions()
        self.binding: Binding | None = None
        self.connection: Connection | None = None
        self.listener: Listener | None = None
        self.is_fresh = False
        """A connection that was begun is there, and connect(2) has not said so yet."""
        self.is_send_set = False
        """The program has set SO_SNDBUF."""
        self.is_waiting = False
        """connect(2) waits for a route."""
        self.local = ANY6 if family == AF_INET6 else ANY4
        self.local_port = 0
        self.remote = b""
        """Empty: it has no peer."""
        self.remote_port = 0
        self.scope = 0
        self.state = 0
        """The bits that the door has been given."""
        self._set_limits()

    # Calls

    def bind(self, address: Buffer) -> None:
        """bind(2)."""
        local, port, scope = parse(self.family, address)
        if self.binding is not None or self.connection is not None:
            raise refuse(EINVAL)
        if len(local) == 4 and self.family == AF_INET6 and self.options.v6_only:
            raise refuse(EINVAL)
        if len(local) == 16 and is_multicast(local):
            raise refuse(EINVAL)
        interface = self._scope_of(local, scope)
        if interface and self.sockets.interface(interface) is None:
            raise refuse(ENODEV)
        binding = self.sockets.runner.tcp.bind(local, port, self.options, interface)
        self.binding = binding
        self.local, self.local_port, self.scope = local, binding.port, interface

    def _scope_of(self, address: bytes, scope: int) -> int:
        """The interface that an address means; 0: any."""
        interface = self.check_scope(scope if needs_scope(address) else 0)
        if not interface and needs_scope(address):
            raise refuse(EINVAL)
        return interface

    async def connect(self, address: Buffer) -> int:
        """connect(2)."""
        if family_of(address) == AF_UNSPEC:
            self._disconnect()
            return 0
        remote, port, scope = parse(self.family, address)
        if self.listener is not None:
            raise refuse(EISCONN)
        if self.connection is not None or self.is_waiting:
            if self.is_waiting or not self.state & CONNECTED:
                raise refuse(EALREADY if not self.state & HUNG_UP else EISCONN)
            if self.is_fresh:
                self.is_fresh = False
                return 0
            raise refuse(EISCONN)
        if len(remote) == 4 and self.family == AF_INET6 and self.options.v6_only:
            raise refuse(ENETUNREACH)
        if is_any(remote):
            remote = LOOPBACK4 if len(remote) == 4 else LOOPBACK6
        if is_multicast(remote) or remote == b"\xff\xff\xff\xff":
            raise refuse(ENETUNREACH)
        interface = self._scope_of(remote, scope)
        if self.binding is not None and len(remote) == 4 and any(self.local[4:]):
            raise refuse(EINVAL)
        self._set_state(0, _OVER | READ_SHUT)
        try:
            self._open(remote, port, interface)
        except OSError as error:
            if error.errno == ENETUNREACH and self.sockets.runner.settling:
                self.is_waiting = True
                self.sockets.runner.spawn(self._connect_later, remote, port, interface)
            else:
                raise
        return -EINPROGRESS

    def _open(self, remote: bytes, port: int, interface: int) -> None:
        runner = self.sockets.runner
        connection = runner.tcp.connect(
            runner.now(), remote, port, self.door, self, self.options, self.binding, interface
        )
        self._have(connection)
        self.is_fresh = True

    def _have(self, connection: Connection) -> None:
        self.connection = connection
        self.local, self.local_port = connection.local, connection.local_port
        self.remote, self.remote_port = connection.remote, connection.remote_port
        self.scope = connection.interface

    async def _connect_later(self, remote: bytes, port: int, interface: int) -> None:
        """Connects when the machine's configuration has been settled."""
        runner = self.sockets.runner
        await runner.settled()
        if not self.is_waiting:
            return  # closed meanwhile, or told to forget it
        self.is_waiting = False
        try:
            self._open(remote, port, interface)
        except OSError as error:
            self._set_state(_OVER, 0, error.errno or ENETUNREACH)
        else:
            runner.settle(runner.now())

    def _disconnect(self) -> None:
        """connect(2) with AF_UNSPEC: back to what it was at first."""
        self.is_waiting = False
        connection = self.connection
        if connection is not None:
            self.connection = None
            connection.abort(self.sockets.runner.now())
        if self.listener is not None:
            self._stop_listening()
        self.remote = b""
        self._set_state(0, _OVER | READ_SHUT | CONNECTED | LISTENING)

    def listen(self, backlog: int) -> None:
        """listen(2)."""
        if self.connection is not None or self.is_waiting:
            raise refuse(EINVAL)
        runner = self.sockets.runner
        backlog = BACKLOG_MOST if backlog < 0 else min(backlog, BACKLOG_MOST)
        if self.listener is not None:
            self.listener.backlog = backlog
            self._set_limits()
            return
        if self.binding is None:
            self.binding = runner.tcp.bind(self.local, 0, self.options, self.scope)
            self.local_port = self.binding.port
        self.listener = runner.tcp.listen(runner.now(), self.binding, backlog, self, self.options)
        self._set_limits()
        self._set_state(LISTENING, _OVER | READ_SHUT)

    def shutdown(self, how: int) -> None:
        """shutdown(2)."""
        if how not in (SHUT_RD, SHUT_WR, SHUT_RDWR):
            raise refuse(EINVAL)
        if self.listener is not None:
            if how != SHUT_WR:
                # As on Linux it is still bound, and may listen again. The door closes children.
                self.listener.close(self.sockets.runner.now())
                self.listener = None
                self._set_state(0, LISTENING)
            return
        connection = self.connection
        if connection is None:
            if self.remote and self.state & WRITE_SHUT:
                return  # it is all over
            raise refuse(ENOTCONN)
        if connection.state in (SYN_SENT, SYN_RECEIVED):
            self._disconnect()
            return
        if how != SHUT_WR:
            self._set_state(READ_SHUT)
        if how != SHUT_RD:
            self._set_state(WRITE_SHUT)
            connection.shutdown_write(self.sockets.runner.now())

    def own_name(self) -> bytes:
        """getsockname(2)."""
        return pack(self.family, self.local, self.local_port, self.scope)

    def peer_name(self) -> bytes:
        """getpeername(2)."""
        if not self.remote or not self.state & CONNECTED:
            raise refuse(ENOTCONN)
        return pack(self.family, self.remote, self.remote_port, self.scope)

    # What the door tells

    def changed(self, now: int, bits: int) -> None:
        """The program has written, read, closed."""
        connection = self.connection
        if connection is not None:
            if bits & SENT:
                connection.written(now)
            if bits & TAKEN:
                connection.taken(now)
        elif bits & ACCEPTED and self.listener is not None:
            self.listener.accepted(now)
        if bits & CLOSED:
            self.close(now, bits & UNACCEPTED != 0)

    def close(self, now: int, reset: bool = False) -> None:
        """The last descriptor is closed. A connection goes on until its end, or is reset."""
        self.sockets.endpoints.pop(self.number, None)
        self.is_waiting = False
        if self.listener is not None:
            self._stop_listening()
        connection = self.connection
        if connection is not None:
            self.is_closed = True
            self.sockets.leaving[self] = None
            if reset:
                connection.abort(now)
            else:
                connection.close(now)
        else:
            self._release_binding()
            self.forget()

    def _stop_listening(self) -> None:
        assert self.listener is not None
        self.listener.close(self.sockets.runner.now())
        self.listener = None
        self._release_binding()

    def _release_binding(self) -> None:
        if self.binding is not None:
            self.binding.release()
            self.binding = None

    # What the connection tells

    def established(self, connection: Connection) -> None:
        """connect(2) has succeeded."""
        self._set_state(CONNECTED)

    def peer_closed(self, connection: Connection) -> None:
        """The peer sends no more."""
        self._set_state(PEER_CLOSED)

    def failed(self, connection: Connection, errno: int) -> None:
        """It is over."""
        self.is_fresh = False
        self._set_state(_OVER, CONNECTED, errno)

    def finished(self, connection: Connection) -> None:
        """The peer has everything: a close(2) that waits for that may return."""
        if self.is_closed:
            self._set_state(HUNG_UP)
            self.sockets.has_left(self)

    def gone(self, connection: Connection) -> None:
        """Nothing more comes of the connection."""
        if self.connection is not connection:
            return  # disconnected
        self.connection = None
        self._set_state(_OVER)
        self._release_binding()
        if self.is_closed:
            self.sockets.has_left(self)
            self.is_closed = False
            self.forget()

    # What the listener tells

    def accept(self, listener: Listener, connection: Connection) -> bool:
        """A connection for the accept queue. False: there is no room, or no memory."""
        try:
            door = self.sockets.make_door(self.family, self.type, self.protocol)
        except (MemoryError, OSError):
            self.sockets.stack.counters.count("tcp_accept_no_door")
            return False
        child = StreamEndpoint(self.sockets, door, self.family, self.type, self.protocol)
        child._inherit(self)
        child._have(connection)
        child._set_state(CONNECTED)
        if not self.door.queue_child(door, child.peer_name()):
            self.sockets.stack.counters.count("tcp_accept_queue_full")
            child.connection = None
            child.forget()
            return False
        connection.stream = door
        connection.observer = child
        return True

    def _inherit(self, parent: StreamEndpoint) -> None:
        """The options of the listener; TCP's own are shared until one is set."""
        self.values = Values(parent.values)
        self.options = parent.options
        self.linger = parent.linger
        self.receive_size, self.send_size = parent.receive_size, parent.send_size
        self.is_send_set = parent.is_send_set
        if self.is_send_set or self.options.receive_limit:
            self._set_limits()

    # State

    def _set_state(self, add: int, remove: int = 0, error: int = 0) -> None:
        self.state = (self.state | add) & ~remove
        self.door.set_state(add, remove, error)

    # Options

    def _own_options(self) -> SocketOptions:
        """TCP's options, to be changed."""
        if self.connection is not None:
            self.options = self.connection.change_options()
        elif self.listener is not None:
            # Those that have been accepted keep what they have.
            self.options = self.listener.change_options()
        return self.options

    def _apply(self) -> None:
        if self.connection is not None:
            self.connection.apply_options(self.sockets.runner.now())

    def check_option(self, attribute: str, value: int) -> None:
        """IPV6_V6ONLY is for sockets that are not bound."""
        super().check_option(attribute, value)
        if attribute == "v6_only" and self.local_port:
            raise refuse(EINVAL)

    def option_changed(self, attribute: str, value: int) -> None:
        """What TCP has to know."""
        options = self._own_options()
        if attribute == "keepalive":
            options.keepalive = bool(value)
        elif attribute == "reuse_address":
            options.reuse_address = bool(value)
        elif attribute == "reuse_port":
            options.reuse_port = bool(value)
        elif attribute == "v6_only":
            options.v6_only = bool(value)
        elif attribute in ("ttl", "hops"):
            options.hop_limit = value
        elif attribute in ("tos", "traffic_class"):
            options.traffic_class = value
        else:
            return
        self._apply()

    def size_changed(self, is_send: bool) -> None:
        """SO_SNDBUF, or SO_RCVBUF: from then on the other one still is as need has it."""
        if is_send:
            self.is_send_set = True
            self._set_limits()
        else:
            self._own_options().receive_limit = self.receive_size
            self._set_limits()
            self._apply()

    def _set_limits(self) -> None:
        self.door.set_limits(
            self.options.receive_limit or RECEIVE_MOST,
            self.send_size if self.is_send_set else SEND_MOST,
            0 if self.listener is None else self.listener.backlog,
        )

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """TCP's own, and what depends on the connection."""
        if level == SOL_TCP:
            return sockopt.get_option(
                self.sockets.runner.now(), name, room, self.options, self.connection
            )
        if level == SOL_SOCKET and name == SO_ACCEPTCONN:
            return packed(int(self.listener is not None), level, room)
        if (level == SOL_IP and name == IP_MTU) or (level == SOL_IPV6 and name == IPV6_MTU):
            if not self.remote:
                raise refuse(ENOTCONN)
            path = self.sockets.stack.path(self.remote, self.local)
            return packed(path.ip_mtu, level, room)
        if level in (SOL_IP, SOL_IPV6):
            raise refuse(ENOPROTOOPT)
        return super().get_special(level, name, room)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """TCP's own, and SO_LINGER."""
        if level == SOL_TCP:
            now = self.sockets.runner.now()
            options = self._own_options()
            sockopt.set_option(now, name, bytes(data), options, self.connection)
            return
        super().set_special(level, name, data)
        if level == SOL_SOCKET and name == SO_LINGER:
            self._own_options().linger = -1 if self.linger is None else self.linger * SECOND
            self._apply()
