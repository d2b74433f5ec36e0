"""Answers the kernel's requests about sockets: socket(2), bind, connect, listen, shutdown, names,
options, ioctl. What is sent and received needs no request: it goes through the door (door.py)."""

from __future__ import annotations

from errno import EAFNOSUPPORT, EBADF, EINVAL, EPROTONOSUPPORT, ESOCKTNOSUPPORT

from ovum.net.socket.address import AF_INET, AF_INET6, refuse
from ovum.services.tasks import Parking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Protocol

    from ovum.net.iface.interface import Interface
    from ovum.net.raw import RawHost
    from ovum.net.socket.door import Door
    from ovum.net.socket.endpoint import Endpoint
    from ovum.net.stack import Stack
    from ovum.net.tcp.host import TcpHost
    from ovum.net.udp import UdpHost
    from ovum.services.events import Request

    class Runner(Protocol):
        """What runs the stack: net/service.py, or a test."""

        stack: Stack
        tcp: TcpHost
        udp: UdpHost
        raw: RawHost

        def now(self) -> int:
            """Monotonic, ns."""

        def wall_ns(self) -> int:
            """What the time is, ns since 1970."""

        def settle(self, now: int) -> None:
            """Has sent what is to be sent after something has changed."""

        def congested(self, endpoint: Endpoint) -> bool:
            """Whether cards have more to send than they should: then the endpoint is told SENT
            again when that is over."""

        @property
        def settling(self) -> bool:
            """Whether a configuration is on its way: what has no route now may have one soon."""

        async def settled(self) -> None:
            """Waits for that, but not for ever."""

        def spawn(
            self, function: Callable[..., Coroutine[Any, Any, None]], *args: object
        ) -> object:
            """Runs an async function beside everything else."""


(
    SOCKET, BIND, CONNECT, LISTEN, SHUTDOWN, NAME, GET_OPTION, SET_OPTION, SOCKET_IOCTL,
    DESTINATION,
) = range(27, 37)  # fmt: skip
"""REQUEST_SOCKET and so on of microkernel/sys/request_abi.h."""

AF_NETLINK, AF_PACKET = 16, 17
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6, IPPROTO_UDPLITE = 1, 6, 17, 58, 136

MakeDoor = "Callable[[int, int, int], Door]"


class Sockets:
    """All sockets of the program that are not local ones."""

    def __init__(self, runner: Runner, make_door: Callable[[int, int, int], Door]) -> None:
        self.runner = runner
        self.stack = runner.stack
        self.make_door = make_door
        """(family, type, protocol): `_kernel.Socket`, or a test's Ring."""
        self.endpoints: dict[int, Endpoint] = {}
        """By the number of the door."""
        self.netlink_ports: dict[int, Endpoint] = {}
        self.leaving: dict[Endpoint, None] = {}
        """Closed, but not everything that was written has been acknowledged."""
        self.udplite: UdpHost | None = None
        """Not before the first socket of it."""
        self.left = Parking("see everything delivered")

    async def delivered(self) -> None:
        """Waits until peers have everything that closed sockets had to send."""
        while self.leaving:
            await self.left.park()

    def has_left(self, endpoint: Endpoint) -> None:
        """One of `leaving` has nothing more to send."""
        if self.leaving.pop(endpoint, self) is None and not self.leaving:
            self.left.wake_all()

    def interface(self, index: int) -> Interface | None:
        """By its index."""
        return self.stack.interfaces.get(index)

    def interface_named(self, name: str) -> Interface | None:
        """By its name."""
        return self.stack.interface_named(name)

    async def serve(self, request: Request) -> None:
        """Answers a request. Raises OSError, which whoever calls this answers with."""
        request.complete(await self._answer(request))

    async def _answer(self, request: Request) -> int:
        operation = request.operation
        if operation == SOCKET:
            return self.open(request.a, request.b, request.c).number
        endpoint = self.endpoints.get(request.base)
        buffer = request.buffer
        data = memoryview(b"") if buffer is None else buffer
        if operation == SOCKET_IOCTL:
            # About interfaces, also of local sockets, which are the kernel's.
            from ovum.net.socket.ioctl import ioctl

            return ioctl(self, endpoint, request.a, data)
        if endpoint is None:
            raise refuse(EBADF)
        result = 0
        if operation == BIND:
            endpoint.bind(bytes(data))
        elif operation == CONNECT:
            result = await endpoint.connect(bytes(data))
        elif operation == LISTEN:
            endpoint.listen(request.a)
        elif operation == SHUTDOWN:
            endpoint.shutdown(request.a)
        elif operation == NAME:
            return _stored(data, endpoint.peer_name() if request.a else endpoint.own_name())
        elif operation == GET_OPTION:
            value = endpoint.get_option(request.a, request.b, len(data))
            return _stored(data, value)
        elif operation == SET_OPTION:
            endpoint.set_option(request.a, request.b, bytes(data))
        elif operation == DESTINATION:
            return endpoint.destination(bytes(data), request.a)
        else:
            raise refuse(EINVAL)
        self.runner.settle(self.runner.now())
        return result

    def open(self, family: int, kind: int, protocol: int) -> Endpoint:
        """socket(2). Raises OSError: EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT."""
        make = self._kind(family, kind, protocol)
        if family in (AF_INET, AF_INET6) and not protocol:
            protocol = IPPROTO_TCP if kind == SOCK_STREAM else IPPROTO_UDP
        return make(self, self.make_door(family, kind, protocol), family, kind, protocol)

    def _kind(
        self, family: int, kind: int, protocol: int
    ) -> Callable[[Sockets, Door, int, int, int], Endpoint]:
        if family == AF_NETLINK:
            return _netlink(kind, protocol)
        if family == AF_PACKET:
            if kind not in (SOCK_RAW, SOCK_DGRAM):
                raise refuse(ESOCKTNOSUPPORT)
            from ovum.net.socket.packet import PacketEndpoint

            return PacketEndpoint
        if family not in (AF_INET, AF_INET6):
            raise refuse(EAFNOSUPPORT)
        if kind == SOCK_STREAM and protocol in (0, IPPROTO_TCP):
            from ovum.net.socket.stream import StreamEndpoint

            return StreamEndpoint
        if kind == SOCK_DGRAM and protocol in (0, IPPROTO_UDP):
            from ovum.net.socket.datagram import DatagramEndpoint

            return DatagramEndpoint
        if kind == SOCK_DGRAM and protocol == IPPROTO_UDPLITE:
            from ovum.net.socket.lite import LiteEndpoint

            return LiteEndpoint
        ping = IPPROTO_ICMP if family == AF_INET else IPPROTO_ICMPV6
        if (kind == SOCK_RAW and protocol > 0) or (kind == SOCK_DGRAM and protocol == ping):
            from ovum.net.socket.rawip import RawIpEndpoint

            return RawIpEndpoint
        if kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_RAW):
            raise refuse(EPROTONOSUPPORT)
        raise refuse(ESOCKTNOSUPPORT)


def _netlink(kind: int, protocol: int) -> Callable[[Sockets, Door, int, int, int], Endpoint]:
    if kind not in (SOCK_RAW, SOCK_DGRAM):
        raise refuse(ESOCKTNOSUPPORT)
    if protocol:  # only NETLINK_ROUTE
        raise refuse(EPROTONOSUPPORT)
    from ovum.net.socket.netlink import NetlinkEndpoint

    return NetlinkEndpoint


def _stored(buffer: memoryview, value: bytes) -> int:
    """Puts as much of a value as there is room for; its whole length."""
    count = min(len(buffer), len(value))
    buffer[:count] = value[:count]
    return len(value)
