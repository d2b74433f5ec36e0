"""Calls on open files."""

from __future__ import annotations

import errno
import os
import stat
from _struct import Struct

from ovum.services.tasks import Lock, checkpoint
from ovum.services.vfs import operations as op
from ovum.services.vfs.calls import Calls
from ovum.services.vfs.locks import Locks
from ovum.services.vfs.node import refuse
from ovum.services.vfs.tree import NAME_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.events import Request
    from ovum.services.vfs.node import Node
    from ovum.services.vfs.vfs import OpenFile, Vfs

_DIRENT = Struct("<QqHB")
"""struct linux_dirent64, up to the name."""

_FALLOC_KEEP_SIZE, _FALLOC_PUNCH_HOLE, _FALLOC_ZERO_RANGE = 1, 2, 16
_ZEROS = bytes(65536)


class Turn(Lock):
    """Whose turn it is to write to a file, of those who have it open."""

    __slots__ = ("users",)

    def __init__(self) -> None:
        super().__init__("a file's content")
        self.users = 0


class ContentCalls(Calls):
    """RELEASE, FLUSH, READ, WRITE, LIST, SYNC, ALLOCATE, LOCK, SEEK, PATH, IOCTL."""

    def __init__(self, vfs: Vfs) -> None:
        super().__init__(vfs)
        self.locks = Locks()
        self._turns: dict[object, Turn] = {}

    async def _release(self, request: Request) -> None:
        opened = self.vfs.files.get(request.base)
        if opened is not None:
            if opened.lock:
                self.locks.release(opened.key, opened)
            turn = opened.turn
            if turn is not None:
                turn.users -= 1
                if not turn.users:
                    del self._turns[opened.key]
            await self.vfs.drop_file(request.base)
        request.complete(0)

    async def _flush(self, request: Request) -> None:
        opened = self.vfs.files.get(request.base)
        if opened is not None:  # else it was flushed at the end of the machine
            await opened.file.flush()
        request.complete(0)

    async def _key(self, opened: OpenFile) -> object:
        """What all open files of one file have in common, whatever names they were opened by.

        It is kept: when the file is closed it may be that nobody can tell it any more.
        """
        if opened.key is None:
            opened.key = opened.entry.mount, (await opened.entry.node.attributes()).inode
        return opened.key

    async def _turn(self, opened: OpenFile) -> Turn:
        if opened.turn is None:
            key = await self._key(opened)
            if opened.turn is None:  # nobody else was quicker
                opened.turn = self._turns.setdefault(key, Turn())
                opened.turn.users += 1
        return opened.turn

    async def _read(self, request: Request) -> None:
        buffer = request.buffer
        assert buffer is not None
        size = await self._opened(request).file.read_into(request.a, buffer)
        if not 0 <= size <= len(buffer):
            raise ValueError(f"read_into() has told of {size} bytes of {len(buffer)}")
        request.complete(size)

    async def _write(self, request: Request) -> None:
        opened = self._opened(request)
        offset, data = request.a, request.buffer
        assert data is not None
        if opened.entry.node.kind != stat.S_IFREG:
            # A device may wait for as long as it likes.
            size = await _write(opened.file, offset, data)
        else:
            # Between the look where the file ends and the write there, nobody else writes. It is
            # mostly free: then it is not waited for, which takes longer than many a write.
            turn = opened.turn or await self._turn(opened)
            if turn.locked():
                await turn.acquire()
            else:
                turn.acquire_nowait()
            try:
                if request.b:
                    offset = (await opened.file.attributes()).size
                size = await _write(opened.file, offset, data)
            finally:
                turn.release()
        request.complete(size, offset + size)

    async def _list(self, request: Request) -> None:
        opened = self._opened(request)
        buffer = request.buffer
        assert buffer is not None
        if not request.a:
            opened.listing = await _listing(opened)
        position, used = request.a, 0
        for name, kind, inode in opened.listing[position:]:
            raw = os.fsencode(name)
            size = (_DIRENT.size + len(raw) + 8) & ~7
            if used + size > len(buffer):
                if not used:
                    raise refuse(errno.EINVAL)
                break
            position += 1
            _DIRENT.pack_into(buffer, used, inode, position, size, kind >> 12)
            start = used + _DIRENT.size
            buffer[start : used + size] = raw + bytes(size - _DIRENT.size - len(raw))
            used += size
        request.complete(used, position)

    async def _sync(self, request: Request) -> None:
        if request.a == op.SYNC_ALL:
            await self.vfs.sync()
        elif request.a == op.SYNC_FILE_SYSTEM:
            await self._opened(request).mount.system.sync()
        else:
            await self._opened(request).file.sync(request.a == op.SYNC_DATA)
        request.complete(0)

    async def _allocate(self, request: Request) -> None:
        opened = self._opened(request)
        mode, start, length = request.a, request.b, request.c
        if start < 0 or length <= 0:
            raise refuse(errno.EINVAL)
        punch = mode & (_FALLOC_PUNCH_HOLE | _FALLOC_ZERO_RANGE)
        if mode & ~(_FALLOC_KEEP_SIZE | punch) or (
            mode & _FALLOC_PUNCH_HOLE and not mode & _FALLOC_KEEP_SIZE
        ):
            raise refuse(errno.EOPNOTSUPP)
        async with opened.turn or await self._turn(opened):
            size = (await opened.file.attributes()).size
            if punch:
                await _write_zeros(opened.file, start, min(start + length, size))
            if not mode & _FALLOC_KEEP_SIZE and start + length > size:
                await opened.file.truncate(start + length)
        request.complete(0)

    async def _lock(self, request: Request) -> None:
        opened = self._opened(request)
        await self.locks.flock(await self._key(opened), opened, request.a)
        request.complete(0)

    async def _seek(self, request: Request) -> None:
        opened = self._opened(request)
        size = (await opened.file.attributes()).size
        if opened.entry.node.kind == stat.S_IFDIR:
            raise refuse(errno.EINVAL)
        position = request.a
        if request.b == os.SEEK_END:
            position += size
            if position < 0:
                raise refuse(errno.EINVAL)
            if position >= 1 << 63:
                raise refuse(errno.EOVERFLOW)
        elif not 0 <= position < size:
            raise refuse(errno.ENXIO)
        elif request.b == os.SEEK_HOLE:
            position = size  # everything is data: that is always allowed (lseek(2))
        request.complete(position)

    async def _path(self, request: Request) -> None:
        raw = os.fsencode(self.vfs.path_of(self._opened(request).entry, below=True))
        assert request.buffer is not None
        if len(raw) > len(request.buffer):
            raise refuse(errno.ERANGE)
        request.buffer[: len(raw)] = raw
        request.complete(len(raw))

    async def _ioctl(self, request: Request) -> None:
        file = self._opened(request).file
        command = request.a & 0xFFFFFFFF
        request.complete(await file.control_at(command, request.b, request.buffer))


async def _listing(opened: OpenFile) -> list[tuple[str, int, int]]:
    """Everything in an open directory."""
    entry = opened.entry
    if entry.removed:
        raise refuse(errno.ENOENT)
    above = entry.parent.node if entry.parent is not None else entry.node
    own, outer = await entry.node.attributes(), await above.attributes()
    try:
        found = await entry.node.entries()
    except FileNotFoundError:
        # ENOENT would be taken for the end of an empty directory.
        raise refuse(errno.EIO) from None
    return [
        (".", stat.S_IFDIR, own.inode),
        ("..", stat.S_IFDIR, outer.inode),
        *(one for one in found if _is_name(one[0])),
    ]


def _is_name(name: str) -> bool:
    """Whether a path can have it as a component."""
    if len(name) > NAME_MAX // 4 and len(os.fsencode(name)) > NAME_MAX:
        return False
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


async def _write(file: Node, offset: int, data: memoryview) -> int:
    size = await file.write(offset, data)
    if not 0 < size <= len(data):
        raise ValueError(f"write() has told of {size} bytes of {len(data)}")
    return size


async def _write_zeros(file: Node, start: int, end: int) -> None:
    while start < end:
        await checkpoint()
        size = min(end - start, len(_ZEROS))
        start += await _write(file, start, memoryview(_ZEROS)[:size])
