"""Reading ahead: who reads a file in order finds the next piece there when he comes for it.

It pays where every request is a long way, as to a store through a thread; a piece is then fetched
while the program works on the one before. Who reads here and there gets what he asks for, no more.
"""

from __future__ import annotations

from ovum.services.tasks import Cancelled, CancelScope, Lock, current_task
from ovum.services.vfs.copying import copy_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.services.tasks import Task

SMALLEST = 128 << 10
LARGEST = 1 << 20
"""Bytes of a piece: each is twice as long as the one before. There are two at most."""


class ReadAhead:
    """What an open file keeps for it.

    fetch(offset, size) reads: less than that only at the end of the file. One call at a time.
    """

    def __init__(self, fetch: Callable[[int, int], Coroutine[Any, Any, bytes]]) -> None:
        self._fetch = fetch
        self._turn = Lock("reading ahead")
        self._fetching = Lock("a file's position")
        self._next = 0
        """Where the last read has ended: the next one begins there if they are in order."""
        self._size = SMALLEST // 2
        self._ready = b""
        self._at = 0
        """Where `_ready` is in the file."""
        self._end = -1
        """Where the file ends, as far as it has been seen: nothing is to be had there."""
        self._coming: Task[bytes | None] | None = None
        """What follows `_ready`, on its way."""

    async def read_into(self, offset: int, view: memoryview) -> int:
        """As Node.read_into."""
        async with self._turn:
            in_order = offset == self._next
            if not in_order:
                await self._forget()
            done = 0
            while done < len(view):
                skip = offset + done - self._at
                if not 0 <= skip < len(self._ready):
                    await self._go_to(offset + done, len(view) - done, in_order)
                    skip = 0
                    if not self._ready:
                        break  # the end of the file
                with view[done:] as rest:
                    done += copy_into(rest, memoryview(self._ready)[skip:])
            self._next = offset + done
            start = self._at + len(self._ready)
            if in_order and self._coming is None and self._ready and start != self._end:
                task = current_task().scheduler.spawn(self._come, start, name="read ahead")
                self._coming = task
            return done

    async def _go_to(self, offset: int, size: int, in_order: bool) -> None:
        """Makes what the file has at offset ready."""
        coming, self._coming = self._coming, None
        data = None
        if coming is not None:
            try:
                data = await coming.wait()
            except Cancelled:
                self._coming = coming
                raise
            if offset != self._at + len(self._ready):
                data = None
        if data is None:
            data = await self._read(offset, max(size, self._size) if in_order else size)
        self._at, self._ready = offset, data

    async def _come(self, offset: int) -> bytes | None:
        self._size = min(2 * self._size, LARGEST)
        try:
            return await self._read(offset, self._size)
        except Exception:
            return None  # who comes for it asks again, and is told

    async def _read(self, offset: int, size: int) -> bytes:
        async with self._fetching:
            data = await self._fetch(offset, size)
        if len(data) < size:
            self._end = offset + len(data)
        return data

    async def _forget(self) -> None:
        """What was read ahead is not wanted."""
        self._ready = b""
        self._size = SMALLEST // 2
        await self.close()

    async def close(self) -> None:
        """Waits for what is on its way: the file must not be closed meanwhile."""
        coming, self._coming = self._coming, None
        if coming is not None:
            with CancelScope(shield=True):
                await coming.wait()
