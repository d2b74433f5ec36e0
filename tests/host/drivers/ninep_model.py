"""The 9P transport as the device: it walks the ring, and a server answers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.ninep import Virtio9p
from ovum.services.tasks import current_scheduler
from ovum.services.vfs.ninep import NinePFileSystem
from ovum.services.vfs.ninep import protocol as p

from .machine import Machine
from .ninep_server import FolderServer, PathPlace
from .virtio_model import Chain, MmioFace, VirtioModel

if TYPE_CHECKING:
    from ovum.services.vfs.ninep.channel import Request
    from ovum.services.vfs.node import Node

ADDRESS, IRQ = 0xFEB0_0000, 5


class NinePModel(VirtioModel):
    """A device that shares what a server serves."""

    def __init__(
        self,
        machine: Machine,
        server: FolderServer,
        *,
        tag: bytes = b"share",
        queue_size: int = 128,
    ) -> None:
        config = struct.pack("<H", len(tag)) + tag
        super().__init__(
            machine, f.TRANSPORT_9P, 1, features=1, config=config, queue_size=queue_size
        )
        self.server = server
        self.holds: frozenset[str] = frozenset()
        """Requests of these names are not answered, but kept in `held`."""
        self.held: list[tuple[Chain, bytes]] = []
        self.lie = 0
        """How many bytes more it says that it has written."""
        self.face = MmioFace(self, ADDRESS, IRQ)

    def serve(self, index: int, chain: Chain) -> int:
        return self.reply(chain, self.server.answer(chain.data()))

    def reply(self, chain: Chain, answer: bytes) -> int:
        """Writes an answer; all of it has to fit."""
        room = sum(map(len, chain.writable))
        assert len(answer) <= room, f"an answer of {len(answer)} bytes, and room for {room}"
        return chain.write(answer) + self.lie

    def process(self) -> None:
        queue = self.queues[0]
        while queue.ready and self.answers and (chain := queue.pop()) is not None:
            message = chain.data()
            _, number, _ = p.unpack_header(message)
            name = p.OPERATIONS[number].name
            if name in self.holds:
                self.held.append((chain, message))
            elif name == "flush":
                self.flush(chain, message)
            else:
                self.finish(0, chain, self.serve(0, chain))

    def flush(self, chain: Chain, message: bytes) -> None:
        """As QEMU does: the request that is flushed comes back without an answer."""
        (old,) = p.TFLUSH.request.unpack(message)
        for one, held in list(self.held):
            if p.unpack_header(held)[2] == old:
                self.held.remove((one, held))
                self.finish(0, one, 0)
        self.finish(0, chain, self.serve(0, chain))

    def release(self) -> None:
        """Answers what is held."""
        held, self.held = self.held, []
        for chain, _ in held:
            self.finish(0, chain, self.serve(0, chain))


class DirectChannel:
    """A channel that is a function call: what is left without driver, ring and device."""

    name = "a direct channel"
    depth = 8
    session: Any = None

    def __init__(self, server: FolderServer, largest: int = 65536 + p.IO_HEADER) -> None:
        self.server = server
        self.largest = largest
        self._data: dict[int, memoryview] = {}

    def fit(self, request: Request, data: memoryview, writes: bool) -> int:
        request.writes = writes
        self._data[request.tag] = data
        return len(data)

    def submit(self, request: Request) -> None:
        data = self._data.pop(request.tag, None)
        message = request.message
        if data is not None and request.writes:
            message += data
            data = None
        answer = self.server.answer(message)
        size = len(answer)
        assert size <= self.largest
        if data is not None:
            answer, rest = answer[: p.DATA_HEADER], answer[p.DATA_HEADER :]
            data[: len(rest)] = rest
        request.finish(answer, size)


class DirectShare(NinePFileSystem):
    """A folder of the host through a server alone."""

    def __init__(self, folder: str, *, place: type[PathPlace] = PathPlace) -> None:
        self.server = FolderServer(folder, place=place)
        super().__init__(DirectChannel(self.server))

    async def unmounted(self) -> None:
        await super().unmounted()
        self.server.end()


class ModelledShare(NinePFileSystem):
    """A folder of the host through driver, ring and server; mounting brings all of it up."""

    def __init__(self, folder: str, *, place: type[PathPlace] = PathPlace) -> None:
        self.machine = Machine(16 << 20)
        self.server = FolderServer(folder, place=place)
        self.model = NinePModel(self.machine, self.server)
        self.driver = Virtio9p(MmioTransport(self.machine, self.model.face.place))
        super().__init__(self.driver)

    async def root(self) -> Node:
        scheduler = current_scheduler()
        self.tasks = [scheduler.spawn(self.model.run)]
        await self.driver.start()
        self.tasks.append(scheduler.spawn(self.driver.listen))
        return await super().root()

    async def unmounted(self) -> None:
        await super().unmounted()
        await self.driver.stop()
        for task in self.tasks:
            task.cancel()
        self.server.end()
        assert self.machine.leaks() == []
