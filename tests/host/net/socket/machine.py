"""Whole machines on the host: a Network over model sockets, and cards that are joined by wires."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from typing import Any

from ovum.drivers.frames import Frame, Received
from ovum.drivers.network import NetworkCard
from ovum.net.network import Network, Port
from ovum.net.socket import control
from ovum.net.socket.address import AF_INET, AF_INET6, pack
from ovum.net.socket.ring import Changes, Ring
from ovum.net.wire import addr
from ovum.services.tasks import Scheduler, current_scheduler

SOCK_STREAM, SOCK_DGRAM, SOCK_RAW = 1, 2, 3
WALL_NS = 1_700_000_000_123_456_789


class ModelRequest:
    """What the kernel would ask."""

    thread = 1
    mount = 3
    mount2 = base2 = number = 0
    path = path2 = b""
    c = 0

    def __init__(
        self, operation: int, base: int = 0, a: int = 0, b: int = 0, buffer: bytearray | bytes = b""
    ) -> None:
        self.operation = operation
        self.base = base
        self.a = a
        self.b = b
        self.buffer: memoryview | None = memoryview(buffer) if len(buffer) else None
        self.result: int | None = None

    def complete(self, result: int, extra: int = 0, /) -> None:
        assert self.result is None
        self.result = result

    def abandon(self) -> None:
        raise AssertionError("a request was abandoned")

    def redirect(self, path: bytes, second: bool = False, /) -> None:
        raise AssertionError("a request was redirected")


class WireCard(NetworkCard):
    """A card at one end of a wire: frames arrive at once, and in order."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name)
        self.mac = bytes((2, 0, 0, 0, 0, number))
        self.peer: WireCard | None = None
        self.come: deque[Received] = deque()
        self.room = 1 << 30
        self.sent: list[bytes] = []
        self.groups: list[bytes] = []

    def join(self, peer: WireCard) -> None:
        self.peer, peer.peer = peer, self
        self.link.set(True)
        peer.link.set(True)

    def put_in(self, data: bytes) -> None:
        """A frame arrives."""
        self.come.append(Received(data))
        self._received.arrived(1, 0)

    def give_room(self, room: int) -> None:
        self.room = room
        self._sent.arrived(1, 0)

    def _take(self) -> list[Received]:
        frames = list(self.come)
        self.come.clear()
        return frames

    def _interrupt_for_frames(self) -> bool:
        return not self.come

    def _put(self, frames: Sequence[Frame]) -> int:
        taken = min(len(frames), self.room)
        for frame in frames[:taken]:
            data = b"".join(frame.data) if isinstance(frame.data, tuple) else bytes(frame.data)
            self.sent.append(data)
            if self.peer is not None:
                self.peer.put_in(data)
        self.room -= taken
        return taken

    def _interrupt_for_room(self) -> bool:
        return self.room <= 0

    async def set_filter(
        self,
        *,
        promiscuous: bool = False,
        all_multicast: bool = False,
        multicast: Sequence[bytes] = (),
    ) -> None:
        self.groups = list(multicast)


class ModelMachine:
    """A network, and the program's side of its sockets."""

    def __init__(self, seed: int = 1) -> None:
        self.scheduler: Scheduler = current_scheduler()
        self.changes = Changes(self._changed)
        self.rings: dict[int, Ring] = {}
        self.network = Network(
            self.scheduler, random.Random(seed), self._make_door, lambda: WALL_NS
        )
        self.network.take_changes = self.changes.take
        self.network.tcp.memory.held = lambda: self.changes.held

    def _changed(self) -> None:
        self.scheduler.call_soon(self.network.sockets_changed)

    def _make_door(self, family: int, kind: int, protocol: int) -> Ring:
        ring = Ring(family, kind, protocol, self.changes)
        self.rings[ring.number] = ring
        return ring

    def attach(self, card: WireCard) -> Port:
        """Plugs a card in."""
        port = self.network.add_card(card)
        self.scheduler.spawn(port.run)
        self.scheduler.spawn(port.follow_link)
        return port

    def add_address(self, port: Port, text: str, prefix_length: int) -> None:
        now = self.network.now()
        self.network.stack.add_address(
            now, port.interface, addr.parse(text), prefix_length, check=False
        )
        self.network.settle(now)

    async def socket(
        self, family: int = AF_INET, kind: int = SOCK_STREAM, protocol: int = 0
    ) -> ModelSocket:
        """socket(2)."""
        request = ModelRequest(control.SOCKET, a=family, b=kind)
        request.c = protocol
        await self.network.sockets.serve(request)
        assert request.result is not None
        return ModelSocket(self, self.rings[request.result])

    async def stream(self, family: int = AF_INET) -> ModelSocket:
        return await self.socket(family, SOCK_STREAM)

    async def datagrams(self, family: int = AF_INET) -> ModelSocket:
        return await self.socket(family, SOCK_DGRAM)


class ModelSocket:
    """A descriptor of the program's."""

    def __init__(self, machine: ModelMachine, ring: Ring) -> None:
        self.machine = machine
        self.ring = ring

    async def ask(
        self, operation: int, a: int = 0, b: int = 0, buffer: bytearray | bytes = b""
    ) -> int:
        """A request. Raises the OSError that the call would."""
        request = ModelRequest(operation, self.ring.number, a, b, buffer)
        await self.machine.network.sockets.serve(request)
        assert request.result is not None
        return request.result

    async def bind(self, address: str, port: int = 0, scope: int = 0) -> None:
        await self.ask(control.BIND, buffer=self.name(address, port, scope))

    async def connect(self, address: str, port: int, scope: int = 0) -> int:
        return await self.ask(control.CONNECT, buffer=self.name(address, port, scope))

    async def listen(self, backlog: int = 5) -> None:
        await self.ask(control.LISTEN, backlog)

    async def shutdown(self, how: int) -> None:
        await self.ask(control.SHUTDOWN, how)

    async def own_name(self) -> tuple[str, int]:
        return await self._name(0)

    async def peer_name(self) -> tuple[str, int]:
        return await self._name(1)

    async def _name(self, peer: int) -> tuple[str, int]:
        buffer = bytearray(128)
        size = await self.ask(control.NAME, peer, buffer=buffer)
        return split(bytes(buffer[:size]))

    async def get(self, level: int, name: int, room: int = 4) -> int:
        return int.from_bytes(await self.get_bytes(level, name, room), "little", signed=True)

    async def get_bytes(self, level: int, name: int, room: int = 256) -> bytes:
        buffer = bytearray(room)
        size = await self.ask(control.GET_OPTION, level, name, buffer)
        return bytes(buffer[:size])

    async def set(self, level: int, name: int, value: int | bytes) -> None:
        data = value if isinstance(value, bytes) else value.to_bytes(4, "little", signed=True)
        await self.ask(control.SET_OPTION, level, name, data)

    def name(self, address: str, port: int, scope: int = 0) -> bytes:
        """A struct sockaddr."""
        family = AF_INET6 if ":" in address else AF_INET
        return pack(family, addr.parse(address), port, scope)

    def send_to(self, data: bytes, address: str, port: int, control_data: bytes = b"") -> int:
        return self.ring.sendmsg(data, self.name(address, port), control_data)

    def receive_from(self) -> tuple[bytes, tuple[str, int]]:
        data, source, _ = self.ring.recvmsg()
        return data, split(source)

    def accept(self) -> tuple[ModelSocket, tuple[str, int]]:
        ring, address = self.ring.accept()
        return ModelSocket(self.machine, ring), split(address)

    def close(self) -> None:
        self.ring.close()


def split(name: bytes) -> tuple[str, int]:
    """A struct sockaddr as text and port."""
    port = int.from_bytes(name[2:4], "big")
    packed = name[4:8] if name[0] == AF_INET else name[8:24]
    return addr.text(packed), port


def joined(number: int = 1) -> tuple[WireCard, WireCard]:
    """Two cards with a wire between them."""
    one, other = WireCard("eth0", number), WireCard("eth0", number + 1)
    one.join(other)
    return one, other


async def pair() -> tuple[ModelMachine, ModelMachine]:
    """Two machines back to back: 10.0.0.1 and 10.0.0.2, fd00::1 and fd00::2."""
    machines = ModelMachine(1), ModelMachine(2)
    for number, (machine, card) in enumerate(zip(machines, joined(), strict=True), 1):
        port = machine.attach(card)
        machine.add_address(port, f"10.0.0.{number}", 24)
        machine.add_address(port, f"fd00::{number}", 64)
    return machines


def raised(error: BaseException) -> Any:
    """The number of an OSError."""
    return getattr(error, "errno", None)
