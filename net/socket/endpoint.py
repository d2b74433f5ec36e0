"""What all sockets of the program have in common, as the services see them.

The kernel has the descriptor and the bytes (door.py). What it asks here is `control.py`'s, call by
call; what happens in the door is told by `changed`. Errors are OSErrors with Linux's numbers.
"""

from __future__ import annotations

from _struct import Struct
from errno import EINVAL, ENODEV, ENOPROTOOPT, EOPNOTSUPP

from ovum.net.socket import options
from ovum.net.socket.address import AF_INET6, refuse
from ovum.net.socket.options import SOL_IP, SOL_IPV6, SOL_SOCKET, Values, checked, integer, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door

    Buffer = bytes | bytearray | memoryview

SO_DONTROUTE, SO_SNDBUF, SO_RCVBUF, SO_LINGER = 5, 7, 8, 13
SO_PEERCRED, SO_SNDLOWAT, SO_BINDTODEVICE, SO_ACCEPTCONN = 17, 19, 25, 30
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPING = 32, 33, 37
SO_INCOMING_CPU, SO_MEMINFO, SO_NAPI_ID, SO_COOKIE, SO_ZEROCOPY = 49, 55, 56, 57, 60

LEAST_RECEIVE, LEAST_SEND, MOST = 2304, 4608, 425_984
"""What SO_RCVBUF and SO_SNDBUF may be, doubled as Linux does it."""

RECEIVE, SEND = 131_072, 131_072
"""What they are at first."""

_LINGER = Struct("<ii")
_MEMINFO = Struct("<9I")
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2


class Endpoint:
    """A socket. Subclasses are the kinds; a call that a kind has not is EOPNOTSUPP."""

    __slots__ = (
        "door", "family", "is_closed", "linger", "number", "protocol", "receive_size", "send_size",
        "sockets", "type", "values",
    )  # fmt: skip

    integers: tuple[dict[tuple[int, int], tuple[str, tuple[int, int], int]], ...] = (
        options.INTEGERS,
    )
    """The tables of the options that are numbers."""

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        self.sockets = sockets
        self.door = door
        self.family = family
        self.type = kind
        self.protocol = protocol
        self.number = door.number
        self.values = Values()
        self.linger: int | None = None
        """Seconds; None: close(2) does not wait."""
        self.receive_size = RECEIVE
        self.send_size = SEND
        self.is_closed = False
        door.owner = self
        door.set_limits(RECEIVE, SEND)
        sockets.endpoints[self.number] = self

    # Calls of the program

    def bind(self, address: Buffer) -> None:
        """bind(2)."""
        raise refuse(EOPNOTSUPP)

    async def connect(self, address: Buffer) -> int:
        """connect(2): 0, or minus EINPROGRESS."""
        raise refuse(EOPNOTSUPP)

    def listen(self, backlog: int) -> None:
        """listen(2)."""
        raise refuse(EOPNOTSUPP)

    def shutdown(self, how: int) -> None:
        """shutdown(2)."""
        raise refuse(EOPNOTSUPP)

    def own_name(self) -> bytes:
        """getsockname(2)."""
        raise refuse(EOPNOTSUPP)

    def peer_name(self) -> bytes:
        """getpeername(2)."""
        raise refuse(EOPNOTSUPP)

    def destination(self, address: bytes, size: int) -> int:
        """Whether a datagram of so many bytes can go there, before it is sent (empty: to where it
        is connected): how long others may be for which nobody need ask, 0 if that is not known yet.
        Raises OSError: what sendto(2) fails with."""
        return 0

    def ioctl(self, command: int, buffer: memoryview) -> int:
        """ioctl(2), but for what asks for interfaces."""
        raise refuse(EINVAL)

    # What happens in the door

    def changed(self, now: int, bits: int) -> None:
        """SENT, TAKEN, CLOSED, ACCEPTED."""
        raise NotImplementedError

    def close(self, now: int) -> None:
        """The program has closed it: nothing more comes from there."""
        self.forget()

    def forget(self) -> None:
        """Nothing more is asked of it, and the door is let go."""
        if not self.is_closed:
            self.is_closed = True
            self.sockets.endpoints.pop(self.number, None)
            self.door.release()

    # Options

    def get_option(self, level: int, name: int, room: int) -> bytes:
        """getsockopt(2)."""
        for table in self.integers:
            entry = table.get((level, name))
            if entry is not None:
                self._check_level(level)
                return packed(self.values.get(entry[0]), level, room)
        return self.get_special(level, name, room)[:room]

    def set_option(self, level: int, name: int, data: Buffer) -> None:
        """setsockopt(2)."""
        for table in self.integers:
            entry = table.get((level, name))
            if entry is not None:
                self._check_level(level)
                attribute, limits, _ = entry
                value = checked(attribute, limits, integer(data, level))
                self.check_option(attribute, value)
                self.values.put(attribute, value)
                self.option_changed(attribute, value)
                return
        self.set_special(level, name, data)

    def _check_level(self, level: int) -> None:
        # As in Linux, IP's options can be set on IPv6 sockets, but not the other way round.
        if level == SOL_IPV6 and self.family != AF_INET6:
            raise refuse(ENOPROTOOPT)
        if level == SOL_IP and self.family not in (2, AF_INET6):
            raise refuse(ENOPROTOOPT)

    def check_option(self, attribute: str, value: int) -> None:
        """Raises OSError if an option cannot be set to this now."""
        if attribute == "bound_interface" and value and self.sockets.interface(value) is None:
            raise refuse(ENODEV)

    def option_changed(self, attribute: str, value: int) -> None:
        """An option that is a number has been set."""

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """An option that is not just a number. Raises OSError(ENOPROTOOPT) if there is none."""
        if level != SOL_SOCKET:
            raise refuse(EOPNOTSUPP if level not in (SOL_IP, SOL_IPV6) else ENOPROTOOPT)
        if name == SO_RCVBUF:
            return packed(self.receive_size, level, room)
        if name == SO_SNDBUF:
            return packed(self.send_size, level, room)
        if name == SO_LINGER:
            on = self.linger is not None
            return _LINGER.pack(on, self.linger or 0)
        if name == SO_BINDTODEVICE:
            return self._bound_device(room)
        if name == SO_SNDLOWAT:
            return packed(1, level, room)
        if name == SO_PEERCRED:
            return _MEMINFO.pack(0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 0, 0, 0, 0)[:12]
        if name == SO_COOKIE:
            return self.number.to_bytes(8, "little")
        if name == SO_MEMINFO:
            used = self.door.receive_queued(), self.door.send_queued()
            return _MEMINFO.pack(
                used[0], self.receive_size, used[1], self.send_size, 0, used[1], 0, 0, 0
            )
        if name in (SO_ACCEPTCONN, SO_INCOMING_CPU, SO_NAPI_ID, SO_ZEROCOPY, SO_TIMESTAMPING):
            return packed(0, level, room)
        raise refuse(ENOPROTOOPT)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """The same for setting it."""
        if level != SOL_SOCKET:
            raise refuse(ENOPROTOOPT)
        if name in (SO_RCVBUF, SO_RCVBUFFORCE):
            self.receive_size = min(max(2 * min(integer(data, level), MOST), LEAST_RECEIVE), MOST)
            self.size_changed(False)
        elif name in (SO_SNDBUF, SO_SNDBUFFORCE):
            self.send_size = min(max(2 * min(integer(data, level), MOST), LEAST_SEND), MOST)
            self.size_changed(True)
        elif name == SO_LINGER:
            if len(data) < 8:
                raise refuse(EINVAL)
            on, seconds = _LINGER.unpack_from(data)
            self.linger = min(max(seconds, 0), 0x7FFFFFFF) if on else None
        elif name == SO_BINDTODEVICE:
            self._bind_device(bytes(data))
        elif name in (SO_TIMESTAMPING, SO_INCOMING_CPU):
            # Taken by Linux, without an effect that a program could rely on.
            integer(data, level)
        elif name == SO_ZEROCOPY:
            raise refuse(EOPNOTSUPP)
        else:
            raise refuse(ENOPROTOOPT)

    def size_changed(self, is_send: bool) -> None:
        """SO_SNDBUF, or SO_RCVBUF, has been set."""
        self.door.set_limits(self.receive_size, self.send_size)

    def _bound_device(self, room: int) -> bytes:
        interface = self.sockets.interface(self.values.get("bound_interface"))
        if interface is None:
            return b""
        name = interface.name.encode() + b"\0"
        if room < 16:
            raise refuse(EINVAL)
        return name

    def _bind_device(self, data: bytes) -> None:
        name = data.partition(b"\0")[0][:15].decode("ascii", "replace")
        index = 0
        if name:
            interface = self.sockets.interface_named(name)
            if interface is None:
                raise refuse(ENODEV)
            index = interface.index
        self.values.put("bound_interface", index)
        self.option_changed("bound_interface", index)

    # For subclasses

    def check_scope(self, scope: int) -> int:
        """The interface that an address with this scope is meant on, or what the socket is bound
        to; 0: any. Raises OSError(EINVAL) when the two differ, as Linux does."""
        bound = self.values.get("bound_interface")
        if scope and bound and scope != bound:
            raise refuse(EINVAL)
        return scope or bound
