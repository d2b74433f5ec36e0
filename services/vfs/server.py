"""Answers the kernel's requests: system calls on what is mounted.

Errors become errno here, once: an OSError its own, anything else a file system raises EIO, with the
stack in the log. No file system can end the service.
"""

from __future__ import annotations

import errno
import os
import stat
from _struct import Struct

from ovum.services.log import log_error
from ovum.services.tasks import Cancelled
from ovum.services.vfs import operations as op
from ovum.services.vfs.calls import name_of
from ovum.services.vfs.content import ContentCalls
from ovum.services.vfs.names import NameCalls
from ovum.services.vfs.node import now, refuse
from ovum.services.vfs.tree import Redirect, resolve_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.services.events import Request
    from ovum.services.vfs.tree import Entry
    from ovum.services.vfs.vfs import Vfs

_STAT = Struct("<QQQIIIIQqqqqqqqqq")
"""struct stat of x86-64, without what is reserved at its end."""
_pack_stat: Callable[..., None] = _STAT.pack_into
_STATFS = Struct("<7QiiQQQ")
_TIMES = Struct("<qqqq")

_BILLION = 1_000_000_000
_UTIME_NOW = 0x3FFFFFFF
_UTIME_OMIT = 0x3FFFFFFE
_KERNEL_DEVICES = frozenset((1 << 8 | k) for k in (3, 5, 7, 8, 9)) | {5 << 8, 5 << 8 | 1}
"""Devices that the kernel's own drivers serve: null, zero, full, random, urandom, tty, console."""
_BLOCK = 4096


class Server(NameCalls, ContentCalls):
    """Serves requests from a Vfs."""

    def __init__(self, vfs: Vfs) -> None:
        super().__init__(vfs)
        self.network: Callable[[Request], Coroutine[Any, Any, None]] = _no_network
        """Answers what is asked about sockets. Raises OSError."""
        self._operations: list[Callable[[Request], Coroutine[Any, Any, None]]] = [
            getattr(self, f"_{name}") if number < op.SOCKET else self._network
            for number, name in enumerate(op.NAMES)
        ]

    async def serve(self, request: Request) -> None:
        """Answers a request, whatever happens."""
        # Open files keep their mount; what begins at its root does so here.
        mount = None if request.base else self.vfs.by_number.get(request.mount)
        if mount is not None:
            mount.uses += 1
        try:
            await self._operations[request.operation](request)
        except OSError as error:
            self._refuse(request, error.errno or errno.EIO)
        except Redirect as redirect:
            request.redirect(os.fsencode(redirect.path), redirect.second)
        except Cancelled:
            self._refuse(request, errno.EINTR)
            raise
        except GeneratorExit:
            raise
        except BaseException as error:
            # SystemExit, too: that a file system wants to end is its own affair.
            self._failed(request, error)
            # Not complete(): what failed may be that something still uses the buffer.
            request.abandon()
        finally:
            if mount is not None:
                mount.uses -= 1
                if mount.gone and not mount.uses:
                    await self.vfs.ended(mount)
            if self._visited:
                await self._leave(request)

    def _refuse(self, request: Request, number: int) -> None:
        try:
            request.complete(-number)
        except BufferError as error:
            self._failed(request, error)
            request.abandon()

    def _failed(self, request: Request, error: BaseException) -> None:
        name = op.NAMES[request.operation]
        if request.mount == op.MOUNT_NETWORK:
            log_error(f"network: {name} of socket {request.base} failed:", error)
            return
        path, mount = self.vfs.place_of(request.mount, request.base, name_of(request.path))
        where = f"{mount.system.name} at {mount.path}" if mount else f"mount {request.mount}"
        log_error(f"file system {where}: {name} of {path!r} failed:", error)

    async def _network(self, request: Request) -> None:
        await self.network(request)

    # Opening

    async def _open(self, request: Request) -> None:
        flags = request.a
        if request.mount == op.MOUNT_DEVICES:
            await self._open_device(request)
            return
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise refuse(errno.EOPNOTSUPP)
        entry, made = await self._to_open(request, flags)
        node = entry.node
        if node.descriptor is not None and not flags & os.O_PATH:
            request.complete(0, op.OPENED_DESCRIPTOR | node.descriptor)
            return
        if not made:
            self._check_opening(entry, flags)
        if flags & os.O_PATH:
            request.complete(self.vfs.add_file(entry.mount, entry, node, flags), node.kind)
            return
        opens = node
        if node.kind == stat.S_IFCHR:
            info = await node.attributes()
            if info.device in _KERNEL_DEVICES:
                request.complete(0, info.device << 32 | info.mode)
                return
            opens = self.vfs.devices.get(info.device, node)
        self.vfs.caller = request.thread
        file = await opens.open(flags)
        try:
            # What was made here is empty already, and need not know how to become so.
            empties = flags & os.O_TRUNC and flags & os.O_ACCMODE and not made
            if empties and node.kind == stat.S_IFREG:
                await file.truncate(0)
            handle = self.vfs.add_file(entry.mount, entry, file, flags)
        except BaseException:
            await file.close()
            raise
        request.complete(handle, node.kind)

    async def _to_open(self, request: Request, flags: int) -> tuple[Entry, bool]:
        """What a path leads to, and whether it was made for this."""
        if not request.base:
            mount = self.vfs.by_number.get(request.mount)
            known = resolve_known(mount, request.path) if mount is not None else None
            if known is not None and not _exclusive(flags):
                return known, False
        while True:
            place = await self._resolve(
                request,
                follow=not flags & (os.O_NOFOLLOW | _exclusive(flags)),
                name_only=bool(flags & os.O_CREAT),
            )
            if flags & os.O_CREAT and place.slash and place.name:
                raise refuse(errno.EISDIR)
            if place.entry is not None:
                if _exclusive(flags):
                    raise refuse(errno.EEXIST)
                return place.found(), False
            if not flags & os.O_CREAT:
                raise refuse(errno.ENOENT)
            made = await self._create(place, request.b)
            if made is not None:
                return made, True

    def _check_opening(self, entry: Entry, flags: int) -> None:
        """Raises OSError where what is there cannot be opened so."""
        kind = entry.node.kind
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        if kind == stat.S_IFDIR and (writes or flags & os.O_CREAT):
            raise refuse(errno.EISDIR)
        if flags & os.O_DIRECTORY and kind != stat.S_IFDIR:
            raise refuse(errno.ENOTDIR)
        if kind == stat.S_IFLNK and not flags & os.O_PATH:
            raise refuse(errno.ELOOP)
        if kind in (stat.S_IFSOCK, stat.S_IFIFO) and not flags & os.O_PATH:
            raise refuse(errno.ENXIO)
        if writes and kind == stat.S_IFREG:
            self._writable(entry.mount)

    async def _open_device(self, request: Request) -> None:
        device = self.vfs.devices.get(request.c)
        if device is None:
            raise refuse(errno.ENXIO)
        file = await device.open(request.a)
        request.complete(self.vfs.add_device(device, file, request.a), device.kind)

    # Attributes

    async def _stat(self, request: Request) -> None:
        # Half of all calls are this one: what is known is not looked for in further coroutines.
        entry = None
        if not request.base:
            mount = self.vfs.by_number.get(request.mount)
            entry = resolve_known(mount, request.path) if mount is not None else None
        if entry is None:
            entry = await self._entry(request, request.a)
        info = await entry.node.attributes()
        accessed, modified, changed = info.accessed, info.modified, info.changed
        # fmt: off
        _pack_stat(
            request.buffer, 0, entry.mount.device, info.inode, info.links, info.mode, info.uid,
            info.gid, 0, info.device, info.size, _BLOCK, info.blocks,
            accessed // _BILLION, accessed % _BILLION, modified // _BILLION, modified % _BILLION,
            changed // _BILLION, changed % _BILLION,
        )
        # fmt: on
        request.complete(0)

    async def _access(self, request: Request) -> None:
        entry = await self._entry(request, request.b)
        if request.a & os.W_OK and entry.mount.readonly and entry.node.kind != stat.S_IFCHR:
            raise refuse(errno.EROFS)
        if request.a & os.X_OK and entry.node.kind != stat.S_IFDIR:
            info = await entry.node.attributes()
            if not info.mode & 0o111:
                raise refuse(errno.EACCES)
        request.complete(0)

    async def _chmod(self, request: Request) -> None:
        entry = await self._entry(request, request.b)
        self._writable(entry.mount)
        if entry.node.kind == stat.S_IFLNK:
            raise refuse(errno.EOPNOTSUPP)
        await entry.node.set_attributes(mode=request.a)
        request.complete(0)

    async def _chown(self, request: Request) -> None:
        entry = await self._entry(request, request.c)
        self._writable(entry.mount)
        uid, gid = (None if who == 0xFFFFFFFF else who for who in (request.a, request.b))
        await entry.node.set_attributes(uid=uid, gid=gid)
        request.complete(0)

    async def _utimens(self, request: Request) -> None:
        entry = await self._entry(request, request.a)
        self._writable(entry.mount)
        assert request.buffer is not None
        given = _TIMES.unpack_from(request.buffer)
        times = [_time(*given[k : k + 2]) for k in (0, 2)]
        if times != [None, None]:
            await entry.node.set_attributes(accessed=times[0], modified=times[1])
        request.complete(0)

    async def _truncate(self, request: Request) -> None:
        if request.base and not request.path:
            opened = self._opened(request)
            async with opened.turn or await self._turn(opened):
                await opened.file.truncate(request.a)
        else:
            entry = await self._entry(request, 0)
            if entry.node.kind != stat.S_IFREG:
                raise refuse(errno.EISDIR if entry.node.kind == stat.S_IFDIR else errno.EINVAL)
            if request.a < 0:
                raise refuse(errno.EINVAL)
            self._writable(entry.mount)
            file = await entry.node.open(os.O_WRONLY)
            try:
                await file.truncate(request.a)
            finally:
                await file.close()
        request.complete(0)

    async def _statfs(self, request: Request) -> None:
        entry = await self._entry(request, 0)
        found = await entry.mount.system.statistics()
        assert request.buffer is not None
        _STATFS.pack_into(
            *(
                request.buffer,
                0,
                0x6F76756D,
                found.block_size,
                found.blocks,
                found.free,
                found.free,
            ),
            *(found.files, found.free_files, entry.mount.device, 0, found.longest_name),
            *(found.block_size, os.ST_RDONLY if entry.mount.readonly else 0),
        )
        request.complete(0)

    async def _readlink(self, request: Request) -> None:
        entry = await self._entry(request, op.NOFOLLOW)
        if entry.node.kind != stat.S_IFLNK:
            raise refuse(errno.EINVAL)
        target = os.fsencode(await entry.node.read_link())
        assert request.buffer is not None
        size = min(len(target), len(request.buffer))
        request.buffer[:size] = target[:size]
        request.complete(size)


async def _no_network(request: Request) -> None:
    raise refuse(errno.EAFNOSUPPORT)


def _exclusive(flags: int) -> int:
    return flags & os.O_EXCL if flags & os.O_CREAT else 0


def _time(seconds: int, nanoseconds: int) -> int | None:
    if nanoseconds == _UTIME_OMIT:
        return None
    if nanoseconds == _UTIME_NOW:
        return now()
    if not 0 <= nanoseconds < _BILLION:
        raise refuse(errno.EINVAL)
    return seconds * _BILLION + nanoseconds
