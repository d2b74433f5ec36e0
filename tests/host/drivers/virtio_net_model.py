"""A network device of virtio as the other side of its driver (5.1)."""

import struct
from collections import deque

from ovum.drivers.virtio import features as f
from ovum.drivers.virtio import net, netheader

from .machine import Machine
from .virtio_model import Chain, MmioFace, VirtioModel

ADDRESS, IRQ = 0xFEB0_0000, 5
MAC = bytes.fromhex("525400123456")

PLAIN = net.MAC | net.STATUS
MERGE = PLAIN | net.MRG_RXBUF | net.CTRL_VQ | net.CTRL_RX | net.CTRL_MAC_ADDR
OFFLOADS = (
    MERGE | net.CSUM | net.GUEST_CSUM | net.GUEST_LARGE | net.HOST_LARGE | net.CTRL_GUEST_OFFLOADS
)

Header = tuple[int, ...]
NOTHING: Header = (0,) * 6
"""flags, gso_type, hdr_len, gso_size, csum_start, csum_offset"""


class NetModel(VirtioModel):
    """A card whose wire are two lists: `deliver` and `sent`."""

    def __init__(
        self,
        machine: Machine,
        features: int = MERGE,
        *,
        version: int = 2,
        queue_size: int = 256,
        mtu: int = 0,
    ) -> None:
        config = MAC + struct.pack("<HHH", net.LINK_UP, 1, mtu)
        super().__init__(machine, f.NETWORK, 3, features=features, config=config)
        for queue in self.queues:
            queue.size = queue.most = queue_size
        self.wire: deque[tuple[bytes, Header]] = deque()
        """Frames on their way to the driver."""
        self.sent: list[tuple[bytes, Header]] = []
        self.commands: list[tuple[int, int, bytes]] = []
        self.takes = True
        """Whether frames that are sent are taken."""
        self.acknowledgement = 0
        self.lie_buffers: int | None = None
        self.lie_length = 0
        self.lie_head: int | None = None
        self.reverse = False
        """Whether buffers are used in another order than they were made available in."""
        self.received = self.interrupts_asked = 0
        self.face = MmioFace(self, ADDRESS, IRQ, version=version)

    @property
    def legacy(self) -> bool:
        return not self.features & f.VERSION_1

    @property
    def header(self) -> int:
        merge = self.features & net.MRG_RXBUF
        return netheader.LEGACY_SIZE if self.legacy and not merge else netheader.SIZE

    def deliver(self, *frames: bytes, header: Header = NOTHING) -> None:
        """Puts frames on the wire and has the device look at it."""
        self.wire.extend((frame, header) for frame in frames)
        self.process()

    def process(self) -> None:
        if not self.answers:
            return
        if self.queues[0].ready:
            self._receive()
        for index in (1, 2):
            queue = self.queues[index]
            while queue.ready and (index == 2 or self.takes) and (chain := queue.pop()):
                self.finish(index, chain, self.serve(index, chain))

    def _receive(self) -> None:
        queue = self.queues[0]
        batch: list[tuple[int, int]] = []
        while self.wire:
            frame, header = self.wire[0]
            data = bytearray(struct.pack("<BBHHHH", *header))
            if self.header == netheader.SIZE:
                data += bytes(2)
            data += frame
            chains: list[Chain] = []
            before, room = queue.seen, 0
            while room < len(data) and (chain := queue.pop()):
                chains.append(chain)
                room += sum(map(len, chain.writable))
            if room < len(data):
                queue.seen = before
                break
            assert len(chains) == 1 or self.features & net.MRG_RXBUF
            if self.header == netheader.SIZE:
                count = len(chains) if self.lie_buffers is None else self.lie_buffers
                struct.pack_into("<H", data, 10, count)
            self.wire.popleft()
            at = 0
            for chain in chains:
                written = chain.write(bytes(data[at:]))
                at += written
                batch.append((chain.head, written + self.lie_length))
            self.received += 1
        if self.reverse:
            batch.reverse()
        for head, length in batch:
            self.finish(0, Chain(head if self.lie_head is None else self.lie_head), length)

    def serve(self, index: int, chain: Chain) -> int:
        if index == 1:
            data = chain.data()
            if self.legacy and not self.features & f.ANY_LAYOUT:
                assert len(chain.readable[0]) == self.header, "the header stands alone (5.1.6.6)"
            assert not chain.writable
            self.sent.append((data[self.header :], struct.unpack_from("<BBHHHH", data)))
            return 0
        kind, command = chain.readable[0]
        self.commands.append((kind, command, b"".join(chain.readable[1:])))
        return chain.write(bytes((self.acknowledgement,)))

    def set_link(self, up: bool) -> None:
        """Plugs the cable in or pulls it."""
        config = bytearray(self.config)
        struct.pack_into("<H", config, 6, net.LINK_UP if up else 0)
        self.change_config(bytes(config))

    def frames(self) -> list[bytes]:
        """The data of all that was sent."""
        return [data for data, header in self.sent]
