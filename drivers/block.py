"""Block devices: disks and their partitions, as bytes.

Whoever uses one reads and writes any range of bytes; drivers move whole blocks. A range that begins
or ends within a block costs a further block each: read, changed, and written back.
"""

from __future__ import annotations

import errno
import os
from itertools import pairwise

from ovum.services.tasks import Lock, Parking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ZEROS = 1 << 16
"""How many zeros are written at a time, where a device cannot do it by itself."""


def refuse(number: int, device: BlockDevice) -> OSError:
    """An OSError of this errno that names the device."""
    return OSError(number, os.strerror(number), device.name)


class BlockDevice:
    """A disk, or a part of one.

    A driver is a subclass that has `read_blocks` and `write_blocks`, which are asked for whole
    blocks within the device only, and what its device can of `flush`, `discard` and `write_zeroes`.

    All calls raise OSError (EIO: the device could not do it; EPERM: it is read-only; ENOSPC: its
    end; EINVAL; EOPNOTSUPP) or DeviceError: it has failed as a whole. A call that is cancelled may
    have been done, in part or whole; but it does not return while the device uses the view.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.block_size = 512
        """Bytes; a power of two."""
        self.physical_block_size = 512
        """Bytes that the device itself writes at a time: at least a block."""
        self.size = 0
        """Bytes; it may change: see `resized`."""
        self.readonly = False
        self.can_discard = False
        self.resized: list[Callable[[], None]] = []
        """What to call when `size` has changed."""
        self._writes = 0
        self._alone = False
        """Somebody changes a part of a block: nobody else may write meanwhile."""
        self._edges = Lock(f"edges of {name}")
        self._quiet = Parking("write to", self)

    def __repr__(self) -> str:
        kind = ", read-only" if self.readonly else ""
        return f"<{self.name}: {self.size} bytes in blocks of {self.block_size}{kind}>"

    # What a driver has

    async def read_blocks(self, offset: int, view: memoryview) -> None:
        """Fills the view from whole blocks."""
        raise refuse(errno.EIO, self)

    async def write_blocks(self, offset: int, view: memoryview) -> None:
        """Writes whole blocks from the view."""
        raise refuse(errno.EIO, self)

    def begin_blocks(
        self, write: bool, offset: int, view: memoryview, done: Callable[[Exception | None], None]
    ) -> bool:
        """Begins to read or to write whole blocks, if nothing has to be waited for first.

        done(error) is called when that is done, between two tasks; it must not raise. False:
        nothing has begun, and nothing is called.
        """
        return False

    async def flush(self) -> None:
        """What was written so far survives the loss of power."""

    async def discard(self, offset: int, size: int) -> None:
        """These whole blocks are not needed any more: they read as anything until written."""
        raise refuse(errno.EOPNOTSUPP, self)

    async def write_zeroes(self, offset: int, size: int) -> None:
        """Fills whole blocks with zeros."""
        self.check_blocks(offset, size)
        zeros = memoryview(bytes(min(size, ZEROS)))
        end = offset + size
        while offset < end:
            offset += await self.write(offset, zeros[: end - offset])

    # What everybody uses

    async def read_into(self, offset: int, view: memoryview) -> int:
        """Stores what is at `offset` into the view; how many bytes: fewer only at the end."""
        size = self._within(offset, len(view))
        if size != len(view):
            view = view[:size]
        if not size:
            return 0
        if (offset | size) & self.block_size - 1:
            await self._read_parts(offset, view)
        else:
            await self.read_blocks(offset, view)
        return size

    async def write(self, offset: int, view: memoryview) -> int:
        """Stores the view at `offset`; how many bytes: fewer only at the end."""
        if self.readonly:
            raise refuse(errno.EPERM, self)
        size = self._within(offset, len(view))
        if size != len(view):
            if not size:
                raise refuse(errno.ENOSPC, self)
            view = view[:size]
        if (offset | size) & self.block_size - 1:
            await self._write_parts(offset, view)
            return size
        if not size:
            return 0
        while self._alone:
            await self._quiet.park()
        self._writes += 1
        try:
            await self.write_blocks(offset, view)
        finally:
            self._written()
        return size

    def begin(
        self, write: bool, offset: int, view: memoryview, done: Callable[[Exception | None], None]
    ) -> bool:
        """Begins to read into the view, or to write it, if it is whole blocks of the device and
        nothing has to be waited for: for those who have no task. See `begin_blocks`."""
        size = len(view)
        if (offset | size) & self.block_size - 1 or not 0 <= offset < offset + size <= self.size:
            return False
        if not write:
            return self.begin_blocks(False, offset, view, done)
        if self.readonly or self._alone:
            return False

        def written(error: Exception | None) -> None:
            self._written()
            done(error)

        self._writes += 1
        begun = self.begin_blocks(True, offset, view, written)
        if not begun:
            self._written()
        return begun

    def _written(self) -> None:
        self._writes -= 1
        if self._alone and not self._writes:
            self._quiet.wake_all()

    async def read(self, offset: int, size: int) -> bytes:
        """The bytes at `offset`; fewer only at the end."""
        data = bytearray(size)
        got = await self.read_into(offset, memoryview(data))
        return bytes(data[:got])

    def check_blocks(self, offset: int, size: int) -> None:
        """Raises OSError: EPERM; EINVAL unless these are whole blocks of the device."""
        if self.readonly:
            raise refuse(errno.EPERM, self)
        outside = offset < 0 or size <= 0 or offset + size > self.size
        if outside or (offset | size) & self.block_size - 1:
            raise refuse(errno.EINVAL, self)

    def _within(self, offset: int, size: int) -> int:
        if offset < 0:
            raise refuse(errno.EINVAL, self)
        return min(size, max(self.size - offset, 0))

    # Parts of blocks

    async def _read_parts(self, offset: int, view: memoryview) -> None:
        for start, first, last in _parts(offset, len(view), self.block_size):
            piece = view[first:last]
            if (start | len(piece)) & self.block_size - 1:
                block = memoryview(bytearray(self.block_size))
                within = start & self.block_size - 1
                await self.read_blocks(start - within, block)
                piece[:] = block[within : within + len(piece)]
            else:
                await self.read_blocks(start, piece)

    async def _write_parts(self, offset: int, view: memoryview) -> None:
        async with self._edges:
            self._alone = True
            try:
                while self._writes:
                    await self._quiet.park()
                for start, first, last in _parts(offset, len(view), self.block_size):
                    piece = view[first:last]
                    within = start & self.block_size - 1
                    if within or len(piece) & self.block_size - 1:
                        block = memoryview(bytearray(self.block_size))
                        await self.read_blocks(start - within, block)
                        block[within : within + len(piece)] = piece
                        piece = block
                    await self.write_blocks(start - within, piece)
            finally:
                self._alone = False
                self._quiet.wake_all()


def _parts(offset: int, size: int, block: int) -> list[tuple[int, int, int]]:
    """A range as what is of its first block, whole blocks, and what is of its last: for each where
    it begins, and its first byte and the one behind its last in the range."""
    end = offset + size
    first_whole = -(-offset // block) * block
    last_whole = end // block * block
    if first_whole > last_whole:
        return [(offset, 0, size)]
    cuts = (offset, first_whole, last_whole, end)
    return [
        (start, start - offset, stop - offset) for start, stop in pairwise(cuts) if start < stop
    ]
