"""AF_NETLINK with NETLINK_ROUTE: questions about interfaces, addresses and routes, and news of
them. Changes are not taken: EPERM."""

from __future__ import annotations

from errno import EADDRINUSE, EINVAL, ENODEV, ENOTCONN, EOPNOTSUPP, EPERM
from os import getpid

from ovum.net.iface import events
from ovum.net.iface.address import Address
from ovum.net.iface.interface import Interface
from ovum.net.iface.route import Route
from ovum.net.socket import rtnetlink as rt
from ovum.net.socket.address import AF_INET, AF_INET6, refuse
from ovum.net.socket.door import CLOSED, CONNECTED, SENT
from ovum.net.socket.endpoint import Endpoint
from ovum.net.socket.options import SOL_NETLINK, integer, packed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.control import Sockets
    from ovum.net.socket.door import Door

    Buffer = bytes | bytearray | memoryview

AF_NETLINK = 16
RECEIVE, SEND = 212_992, 212_992

PART = 3584
"""Bytes of one datagram of a list: glibc reads with buffers of a page."""

_GROUP_LINK, _GROUP_IPV4_ADDRESS, _GROUP_IPV4_ROUTE = 0x1, 0x10, 0x40
_GROUP_IPV6_ADDRESS, _GROUP_IPV6_ROUTE = 0x100, 0x400

_ADD_MEMBERSHIP, _DROP_MEMBERSHIP, _EXT_ACK, _STRICT_CHECK = 1, 2, 11, 12
_FROM_KERNEL = AF_NETLINK.to_bytes(2, "little") + bytes(10)


class NetlinkEndpoint(Endpoint):
    """A socket of NETLINK_ROUTE."""

    __slots__ = ("groups", "news", "port", "waiting")

    def __init__(self, sockets: Sockets, door: Door, family: int, kind: int, protocol: int) -> None:
        super().__init__(sockets, door, family, kind, protocol)
        self.receive_size, self.send_size = RECEIVE, SEND
        door.set_limits(RECEIVE, SEND)
        door.set_state(CONNECTED)
        self.port = 0
        self.groups = 0
        self.news = self._news
        self.waiting: list[bytes] = []
        """Datagrams that there was no room for."""

    # Calls

    def bind(self, address: Buffer) -> None:
        """bind(2)."""
        port, groups = _parse(address)
        if self.port and port not in (0, self.port):
            raise refuse(EINVAL)
        self._take_port(port)
        self._set_groups(groups)

    def _take_port(self, port: int) -> None:
        if self.port:
            return
        ports = self.sockets.netlink_ports
        if port and port in ports:
            raise refuse(EADDRINUSE)
        if not port:
            # The first has the process's number, as in Linux; the others have large ones.
            port = getpid()
            while port in ports:
                port = 0xFFFFF000 if port == getpid() else port - 1
        ports[port] = self
        self.port = port

    def _set_groups(self, groups: int) -> None:
        listeners = self.sockets.stack.listeners
        if groups and not self.groups:
            listeners.append(self.news)
        elif self.groups and not groups:
            listeners.remove(self.news)
        self.groups = groups

    async def connect(self, address: Buffer) -> int:
        """connect(2): only with the kernel."""
        port, _ = _parse(address)
        if port:
            raise refuse(EPERM)
        self._take_port(0)
        return 0

    def own_name(self) -> bytes:
        """getsockname(2)."""
        port, groups = self.port.to_bytes(4, "little"), self.groups.to_bytes(4, "little")
        return _FROM_KERNEL[:4] + port + groups

    def peer_name(self) -> bytes:
        """getpeername(2)."""
        raise refuse(ENOTCONN)

    def shutdown(self, how: int) -> None:
        """shutdown(2)."""
        raise refuse(EOPNOTSUPP)

    # What the door tells

    def changed(self, now: int, bits: int) -> None:
        """The program has asked something, has read, or has closed."""
        if bits & SENT:
            while True:
                message = self.door.take_message()
                if message is None:
                    break
                self._take_port(0)
                self._answer_all(now, message[0])
        self._deliver_waiting()
        if bits & CLOSED:
            self.close(now)

    def close(self, now: int) -> None:
        """The last descriptor is closed."""
        self._set_groups(0)
        if self.port:
            self.sockets.netlink_ports.pop(self.port, None)
        self.forget()

    def _deliver(self, data: bytes) -> None:
        self.waiting.append(data)
        self._deliver_waiting()

    def _deliver_waiting(self) -> None:
        waiting = self.waiting
        while waiting and self.door.deliver_message(waiting[0], _FROM_KERNEL):
            del waiting[0]
        if waiting:
            self.door.notify_free(len(waiting[0]) + 1024)

    # Questions

    def _answer_all(self, now: int, data: bytes) -> None:
        offset = 0
        while offset + rt.HEADER.size <= len(data):
            size, kind, flags, sequence, _ = rt.HEADER.unpack_from(data, offset)
            if size < rt.HEADER.size or offset + size > len(data):
                return
            question = data[offset : offset + size]
            if flags & rt.NLM_F_REQUEST and kind >= 16:
                self._answer(now, question, kind, flags, sequence)
            offset += size + 3 & ~3

    def _answer(self, now: int, question: bytes, kind: int, flags: int, sequence: int) -> None:
        body = question[rt.HEADER.size :]
        error = 0
        try:
            if flags & rt.NLM_F_DUMP and kind % 4 == 2:
                self._list(_listed(self.sockets, now, kind, body), sequence)
                return
            for answer_kind, answer in _single(self.sockets, kind, body):
                self._deliver(rt.message(answer_kind, 0, sequence, self.port, answer))
        except OSError as failure:
            error = failure.errno or EINVAL
        if error or flags & rt.NLM_F_ACK:
            what = question if error else question[: rt.HEADER.size]
            answer = (-error).to_bytes(4, "little", signed=True) + what
            self._deliver(rt.message(rt.NLMSG_ERROR, 0, sequence, self.port, answer))

    def _list(self, entries: list[tuple[int, bytes]], sequence: int) -> None:
        part = b""
        for kind, body in entries:
            one = rt.message(kind, rt.NLM_F_MULTI, sequence, self.port, body)
            if part and len(part) + len(one) > PART:
                self._deliver(part)
                part = b""
            part += one
        if part:
            self._deliver(part)
        end = rt.message(rt.NLMSG_DONE, rt.NLM_F_MULTI, sequence, self.port, bytes(4))
        self._deliver(end)

    # News

    def _news(self, now: int, kind: int, subject: object) -> None:
        """Something has changed; for those who have joined its group."""
        made = self._told(now, kind, subject)
        if made is None:
            return
        message_kind, body = made
        whole = rt.message(message_kind, 0, 0, 0, body)
        if not self.door.deliver_message(whole, _FROM_KERNEL):
            self.sockets.stack.counters.count("netlink_news_no_room")

    def _told(self, now: int, kind: int, subject: object) -> tuple[int, bytes] | None:
        interfaces = self.sockets.stack.interfaces
        if isinstance(subject, Interface):
            if kind != events.LINK or not self.groups & _GROUP_LINK:
                return None
            here = interfaces.get(subject.index) is subject
            return (rt.RTM_NEWLINK if here else rt.RTM_DELLINK), rt.link(subject)
        if isinstance(subject, Address):
            is4 = len(subject.address) == 4
            if not self.groups & (_GROUP_IPV4_ADDRESS if is4 else _GROUP_IPV6_ADDRESS):
                return None
            interface = interfaces.get(subject.interface)
            if interface is None:
                return None
            table = interface.addresses4 if is4 else interface.addresses6
            here = subject.address in table
            body = rt.address(interface, subject, now)
            return (rt.RTM_NEWADDR if here else rt.RTM_DELADDR), body
        if isinstance(subject, Route):
            is4 = len(subject.destination) == 4
            if not self.groups & (_GROUP_IPV4_ROUTE if is4 else _GROUP_IPV6_ROUTE):
                return None
            here = subject in self.sockets.stack.routes(4 if is4 else 6)
            return (rt.RTM_NEWROUTE if here else rt.RTM_DELROUTE), rt.route(subject)
        return None

    # Options

    def get_special(self, level: int, name: int, room: int) -> bytes:
        """Of netlink's own, only those that say what is asked for anyway."""
        if level == SOL_NETLINK and name in (_EXT_ACK, _STRICT_CHECK):
            return packed(0, level, room)
        return super().get_special(level, name, room)

    def set_special(self, level: int, name: int, data: Buffer) -> None:
        """Groups; what Linux would say more of errors is not said."""
        if level != SOL_NETLINK:
            super().set_special(level, name, data)
        elif name in (_ADD_MEMBERSHIP, _DROP_MEMBERSHIP):
            group = integer(data, level)
            if not 1 <= group <= 32:
                raise refuse(EINVAL)
            bit = 1 << group - 1
            self._set_groups(self.groups | bit if name == _ADD_MEMBERSHIP else self.groups & ~bit)
        elif name not in (_EXT_ACK, _STRICT_CHECK):
            super().set_special(level, name, data)


def _parse(data: Buffer) -> tuple[int, int]:
    """Port and groups of a struct sockaddr_nl."""
    if len(data) < 12 or data[0] != AF_NETLINK:
        raise refuse(EINVAL)
    return int.from_bytes(data[4:8], "little"), int.from_bytes(data[8:12], "little")


def _listed(sockets: Sockets, now: int, kind: int, body: bytes) -> list[tuple[int, bytes]]:
    """What a dump lists. Raises OSError(EOPNOTSUPP)."""
    family = body[0] if body else 0
    stack = sockets.stack
    if kind == rt.RTM_GETLINK:
        return [(rt.RTM_NEWLINK, rt.link(interface)) for interface in stack.interfaces.values()]
    if kind == rt.RTM_GETADDR:
        found: list[tuple[int, bytes]] = []
        for wanted in (AF_INET, AF_INET6):
            if family not in (0, wanted):
                continue
            for interface in stack.interfaces.values():
                table = interface.addresses4 if wanted == AF_INET else interface.addresses6
                for entry in table.values():
                    found.append((rt.RTM_NEWADDR, rt.address(interface, entry, now)))
        return found
    if kind == rt.RTM_GETROUTE:
        versions = [4] if family == AF_INET else [6] if family == AF_INET6 else [4, 6]
        return [
            (rt.RTM_NEWROUTE, rt.route(entry))
            for version in versions
            for entry in stack.routes(version)
        ]
    if kind == rt.RTM_GETNEIGH:
        versions = [4] if family == AF_INET else [6] if family == AF_INET6 else [4, 6]
        return [
            (rt.RTM_NEWNEIGH, rt.neighbor(entry))
            for version in versions
            for interface in stack.interfaces.values()
            for entry in interface.neighbors(version)
        ]
    if kind == rt.RTM_GETRULE:
        return []
    raise refuse(EOPNOTSUPP)


def _single(sockets: Sockets, kind: int, body: bytes) -> list[tuple[int, bytes]]:
    """The answer to a question about one thing. Raises OSError: ENODEV, EPERM, EOPNOTSUPP."""
    if kind == rt.RTM_GETLINK:
        if len(body) < 16:
            raise refuse(EINVAL)
        index = int.from_bytes(body[4:8], "little")
        interface = sockets.interface(index)
        if interface is None and not index:
            name = rt.attributes(body[16:]).get(3, b"").rstrip(b"\0").decode("ascii", "replace")
            interface = sockets.interface_named(name)
        if interface is None:
            raise refuse(ENODEV)
        return [(rt.RTM_NEWLINK, rt.link(interface))]
    if kind == rt.RTM_GETROUTE:
        destination = rt.attributes(body[12:]).get(1, b"")
        if len(destination) not in (4, 16):
            raise refuse(EINVAL)
        path = sockets.stack.path(destination)
        answer = rt.local_route(destination, path.local, path.interface, None)
        return [(rt.RTM_NEWROUTE, answer)]
    raise refuse(EOPNOTSUPP if kind % 4 == 2 else EPERM)
