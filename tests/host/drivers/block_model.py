"""A virtio disk: it does what 5.2.6 says, or lies about it."""

from __future__ import annotations

import random
import struct

from ovum.drivers.virtio import blockconfig as c
from ovum.drivers.virtio import features as f
from ovum.drivers.virtio.block import DISCARD, FLUSH, GET_ID, IN, OUT, WRITE_ZEROES

from .machine import Machine
from .virtio_model import Chain, VirtioModel

SECTOR = 512
ALL = c.WANTED & ~c.RO & ~c.SIZE_MAX


class BlockModel(VirtioModel):
    """A disk over a bytearray."""

    def __init__(
        self,
        machine: Machine,
        content: bytes | int = 1 << 20,
        *,
        features: int = ALL,
        block: int = SECTOR,
        segments: int = 254,
        segment_size: int = 0,
        queue_size: int = 256,
    ) -> None:
        self.content = bytearray(content)
        self.segments = segments if features & c.SEG_MAX else 1
        self.segment_size = segment_size or 1 << 32
        self.block = block
        self.identity = b"a disk"
        self.answer: int | None = None
        """The status that is given, whatever was done."""
        self.lie = 0
        """Added to the length that is given."""
        self.holds = False
        """Whether buffers are kept, for `finish_held`."""
        self.held: list[Chain] = []
        self.requests: list[tuple[int, int, int]] = []
        """Type, sector and bytes of every request."""
        self.flushes = 0
        self._segment_size_field = segment_size
        config = self._config_of()
        super().__init__(
            machine, f.BLOCK, 1, features=features, config=config, queue_size=queue_size
        )

    def _config_of(self) -> bytes:
        return struct.pack(
            "<QII4xIBBHIBxHIIIIIB3x",
            *(len(self.content) // SECTOR, self._segment_size_field, self.segments, self.block),
            *(3, 0, 8, 64, 1, 1, 256, 1, 8, 128, 1, 1),
        )

    def resize(self, size: int) -> None:
        """It has another size from now on."""
        self.content = self.content[:size].ljust(size, b"\0")
        self.change_config(self._config_of())

    def process(self) -> None:
        queue = self.queues[0]
        while queue.ready and self.answers and (chain := queue.pop()) is not None:
            if self.holds:
                self.held.append(chain)
            else:
                self.finish(0, chain, self.serve(0, chain))

    def finish_held(self, chance: random.Random | None = None) -> int:
        """Answers what it has kept, in any order; how many that were."""
        chains, self.held = self.held, []
        if chance is not None:
            chance.shuffle(chains)
        for chain in chains:
            self.finish(0, chain, self.serve(0, chain))
        return len(chains)

    def serve(self, index: int, chain: Chain) -> int:
        assert len(chain.readable[0]) == 16, "the header has a descriptor of its own (2.7.4.1)"
        kind, reserved, sector = struct.unpack("<IIQ", chain.readable[0])
        assert not reserved
        status = chain.writable[-1]
        assert len(status) == 1
        assert status[0] == 0xFF
        result, written = self._do(kind, sector, chain)
        result = result if self.answer is None else self.answer
        if result >= 0:
            status[0] = result
        return written + 1 + self.lie

    def _do(self, kind: int, sector: int, chain: Chain) -> tuple[int, int]:
        data = chain.readable[1:] if kind not in (IN, GET_ID) else chain.writable[:-1]
        size = sum(map(len, data))
        self.requests.append((kind, sector, size))
        assert len(data) <= self.segments
        assert all(len(piece) <= self.segment_size for piece in data)
        start = sector * SECTOR
        if kind in (IN, OUT):
            assert size
            if start % self.block or size % self.block or start + size > len(self.content):
                return 1, 0
            for piece in data:
                if kind == IN:
                    piece[:] = self.content[start : start + len(piece)]
                else:
                    self.content[start : start + len(piece)] = piece
                start += len(piece)
            return 0, size if kind == IN else 0
        if kind == FLUSH and self.features & c.FLUSH:
            self.flushes += 1
            return 0, 0
        if kind == GET_ID:
            data[0][:] = self.identity.ljust(20, b"\0")
            return 0, 20
        if kind in (DISCARD, WRITE_ZEROES):
            assert sector == 0
            first, count, _ = struct.unpack("<QII", data[0])
            most = 256 if kind == DISCARD else 128
            if not count or count > most or (first + count) * SECTOR > len(self.content):
                return 1, 0
            fill = b"\0" if kind == WRITE_ZEROES else b"?"
            self.content[first * SECTOR : (first + count) * SECTOR] = fill * (count * SECTOR)
            return 0, 0
        return 2, 0
