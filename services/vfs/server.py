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
from ovum.services.vfs.locks import Locks
from ovum.services.vfs.node import now, refuse
from ovum.services.vfs.tree import Place, Redirect, child_of, forget, resolve, resolve_known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ovum.services.events import Request
    from ovum.services.vfs.node import Node
    from ovum.services.vfs.tree import Entry, Mount
    from ovum.services.vfs.vfs import OpenFile, Vfs

_STAT = Struct("<QQQIIIIQqqqqqqqqq")
"""struct stat of x86-64, without what is reserved at its end."""
_pack_stat: Callable[..., None] = _STAT.pack_into
_STATFS = Struct("<7QiiQQQ")
_TIMES = Struct("<qqqq")
_DIRENT = Struct("<QqHB")
"""struct linux_dirent64, up to the name."""

_BILLION = 1_000_000_000
_UTIME_NOW = 0x3FFFFFFF
_UTIME_OMIT = 0x3FFFFFFE
_FALLOC_KEEP_SIZE, _FALLOC_PUNCH_HOLE, _FALLOC_ZERO_RANGE = 1, 2, 16
_KERNEL_DEVICES = frozenset((1 << 8 | k) for k in (3, 5, 7, 8, 9)) | {5 << 8, 5 << 8 | 1}
"""Devices that the kernel's own drivers serve: null, zero, full, random, urandom, tty, console."""
_BLOCK = 4096
_ZEROS = bytes(65536)


def _name_of(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


class Server:
    """Serves requests from a Vfs."""

    def __init__(self, vfs: Vfs) -> None:
        self.vfs = vfs
        self.locks = Locks()
        self._operations: list[Callable[[Request], Coroutine[Any, Any, None]]] = [
            getattr(self, f"_{name}") for name in op.NAMES
        ]

    async def serve(self, request: Request) -> None:
        """Answers a request, whatever happens."""
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

    def _refuse(self, request: Request, number: int) -> None:
        try:
            request.complete(-number)
        except BufferError as error:
            self._failed(request, error)
            request.abandon()

    def _failed(self, request: Request, error: BaseException) -> None:
        mount = self.vfs.by_number.get(request.mount)
        where = f"{mount.system.name} at {mount.path}" if mount else f"mount {request.mount}"
        name = op.NAMES[request.operation]
        log_error(f"file system {where}: {name} of {_name_of(request.path)!r} failed:", error)

    # Where a request leads

    def _base(self, number: int, handle: int) -> Entry:
        if handle:
            return self.vfs.files[handle].entry
        mount = self.vfs.by_number.get(number)
        if mount is None:
            raise refuse(errno.ENOENT)
        return mount.root

    async def _place(self, request: Request) -> Place:
        """The place of a name that is to be made or taken away."""
        base = self._base(request.mount, request.base)
        return await resolve(base, _name_of(request.path), follow=False, name_only=True)

    async def _second(self, request: Request) -> Place:
        base = self._base(request.mount2, request.base2)
        try:
            return await resolve(base, _name_of(request.path2), follow=False, name_only=True)
        except Redirect as redirect:
            redirect.second = True
            raise

    async def _entry(self, request: Request, flags: int) -> Entry:
        """The existing entry that a request is about."""
        base = self._base(request.mount, request.base)
        if not request.path:
            return base
        return (await resolve(base, _name_of(request.path), follow=not flags & op.NOFOLLOW)).found()

    def _writable(self, mount: Mount) -> None:
        if mount.readonly:
            raise refuse(errno.EROFS)

    def _new(self, place: Place, *, directory: bool = False) -> Entry:
        """The directory in which a new name is to be made."""
        if place.entry is not None:
            raise refuse(errno.EEXIST)
        if place.slash and not directory:
            raise refuse(errno.ENOENT)
        above = place.directory
        if above.parent is None and above is not above.mount.root:
            raise refuse(errno.ENOENT)  # it was removed
        self._writable(above.mount)
        return above

    # Opening and closing

    async def _open(self, request: Request) -> None:
        flags = request.a
        if request.mount == op.MOUNT_DEVICES:
            await self._open_device(request)
            return
        place = await resolve(
            self._base(request.mount, request.base),
            _name_of(request.path),
            follow=not flags & (os.O_NOFOLLOW | _exclusive(flags)),
            name_only=bool(flags & os.O_CREAT),
        )
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        entry = place.entry
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise refuse(errno.EOPNOTSUPP)
        if flags & os.O_CREAT and place.slash and place.name:
            raise refuse(errno.EISDIR)
        if entry is None:
            if not flags & os.O_CREAT:
                raise refuse(errno.ENOENT)
            directory = self._new(place)
            node = await directory.node.create(place.name, request.b)
            entry = child_of(directory, place.name, node)
        elif _exclusive(flags):
            raise refuse(errno.EEXIST)
        elif entry.node.descriptor is not None and not flags & os.O_PATH:
            request.complete(0, op.OPENED_DESCRIPTOR | entry.node.descriptor)
            return
        else:
            place.found()
            kind = entry.node.kind
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
        node = entry.node
        if node.kind == stat.S_IFCHR and not flags & os.O_PATH:
            info = await node.attributes()
            if info.device in _KERNEL_DEVICES:
                request.complete(0, info.device << 32 | info.mode)
                return
        file = node if flags & os.O_PATH else await node.open(flags)
        if flags & os.O_TRUNC and writes and node.kind == stat.S_IFREG:
            await file.truncate(0)
        request.complete(self.vfs.add_file(entry.mount, entry, file, flags), node.kind)

    async def _open_device(self, request: Request) -> None:
        device = self.vfs.devices.get(request.c)
        if device is None:
            raise refuse(errno.ENXIO)
        file = await device.open(request.a)
        request.complete(self.vfs.add_device(device, file, request.a), device.kind)

    async def _release(self, request: Request) -> None:
        opened = self.vfs.files[request.base]
        if opened.lock:
            self.locks.release(await self._lock_key(opened), opened)
        await self.vfs.drop_file(request.base)
        request.complete(0)

    async def _flush(self, request: Request) -> None:
        await self.vfs.files[request.base].file.flush()
        request.complete(0)

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
            opened = self.vfs.files[request.base]
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

    # Names

    async def _mkdir(self, request: Request) -> None:
        place = await self._place(request)
        directory = self._new(place, directory=True)
        node = await directory.node.make_directory(place.name, stat.S_IMODE(request.a))
        child_of(directory, place.name, node)
        request.complete(0)

    async def _mknod(self, request: Request) -> None:
        place = await self._place(request)
        directory = self._new(place)
        node = await directory.node.make_node(place.name, request.a, request.b)
        child_of(directory, place.name, node)
        request.complete(0)

    async def _symlink(self, request: Request) -> None:
        place = await self._place(request)
        directory = self._new(place)
        node = await directory.node.make_link(place.name, _name_of(request.path2))
        child_of(directory, place.name, node)
        request.complete(0)

    async def _link(self, request: Request) -> None:
        entry = await self._entry(request, 0 if request.a else op.NOFOLLOW)
        place = await self._second(request)
        directory = self._new(place)
        if directory.mount is not entry.mount:
            raise refuse(errno.EXDEV)
        if entry.node.kind == stat.S_IFDIR:
            raise refuse(errno.EPERM)
        await directory.node.link(place.name, entry.node)
        child_of(directory, place.name, entry.node)
        request.complete(0)

    async def _unlink(self, request: Request) -> None:
        place = await self._place(request)
        if not place.name:
            raise refuse(errno.EISDIR)
        entry = place.found()
        if entry.node.kind == stat.S_IFDIR:
            raise refuse(errno.EISDIR)
        self._writable(entry.mount)
        await place.directory.node.unlink(place.name)
        forget(place.directory, place.name)
        request.complete(0)

    async def _rmdir(self, request: Request) -> None:
        place = await self._place(request)
        if not place.name:
            last = _name_of(request.path).rstrip("/").rpartition("/")[2]
            raise refuse({".": errno.EINVAL, "..": errno.ENOTEMPTY}.get(last, errno.EBUSY))
        entry = place.found()
        if entry.node.kind != stat.S_IFDIR:
            raise refuse(errno.ENOTDIR)
        if entry.mount is not place.directory.mount:
            raise refuse(errno.EBUSY)
        self._writable(entry.mount)
        await place.directory.node.remove_directory(place.name)
        forget(place.directory, place.name)
        request.complete(0)

    async def _rename(self, request: Request) -> None:
        old = await self._place(request)
        new = await self._second(request)
        if not old.name or not new.name:
            raise refuse(errno.EBUSY)
        entry = old.found()
        target = new.entry
        source, directory = old.directory, new.directory
        if source.mount is not directory.mount:
            raise refuse(errno.EXDEV)
        if entry.mount is not source.mount or (target and target.mount is not directory.mount):
            raise refuse(errno.EBUSY)
        self._writable(source.mount)
        is_directory = entry.node.kind == stat.S_IFDIR
        if target is not None and request.a & 1:
            raise refuse(errno.EEXIST)
        if new.slash and not is_directory:
            raise refuse(errno.ENOTDIR)
        if is_directory and _is_inside(directory, entry):
            raise refuse(errno.EINVAL)
        if target is not None and _is_inside(source, target):
            raise refuse(errno.ENOTEMPTY)
        if target is not None and target.node is entry.node:
            request.complete(0)  # two names of one file: nothing happens (POSIX)
            return
        if target is not None:
            target_is_directory = target.node.kind == stat.S_IFDIR
            if is_directory and not target_is_directory:
                raise refuse(errno.ENOTDIR)
            if target_is_directory and not is_directory:
                raise refuse(errno.EISDIR)
        await source.node.rename(old.name, directory.node, new.name)
        forget(directory, new.name)
        source.children.pop(old.name, None)
        entry.parent = directory
        entry.name = new.name
        directory.children[new.name] = entry
        request.complete(0)

    # Content

    async def _read(self, request: Request) -> None:
        assert request.buffer is not None
        file = self.vfs.files[request.base].file
        request.complete(await file.read_into(request.a, request.buffer))

    async def _write(self, request: Request) -> None:
        opened = self.vfs.files[request.base]
        offset = request.a
        if request.b:
            offset = (await opened.file.attributes()).size
        assert request.buffer is not None
        size = await opened.file.write(offset, request.buffer)
        request.complete(size, offset + size)

    async def _list(self, request: Request) -> None:
        opened = self.vfs.files[request.base]
        buffer = request.buffer
        assert buffer is not None
        entry = opened.entry
        if not request.a:
            if entry.parent is None and entry is not entry.mount.root:
                raise refuse(errno.ENOENT)
            above = entry.parent.node if entry.parent is not None else entry.node
            opened.listing = [
                (".", stat.S_IFDIR, (await entry.node.attributes()).inode),
                ("..", stat.S_IFDIR, (await above.attributes()).inode),
                *await entry.node.entries(),
            ]
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
            for mount in list(self.vfs.table.values()):
                await mount.system.sync()
        elif request.a == op.SYNC_FILE_SYSTEM:
            await self.vfs.files[request.base].mount.system.sync()
        else:
            await self.vfs.files[request.base].file.sync(request.a == op.SYNC_DATA)
        request.complete(0)

    async def _allocate(self, request: Request) -> None:
        file = self.vfs.files[request.base].file
        mode, start, length = request.a, request.b, request.c
        if start < 0 or length <= 0:
            raise refuse(errno.EINVAL)
        punch = mode & (_FALLOC_PUNCH_HOLE | _FALLOC_ZERO_RANGE)
        if mode & ~(_FALLOC_KEEP_SIZE | punch) or (
            mode & _FALLOC_PUNCH_HOLE and not mode & _FALLOC_KEEP_SIZE
        ):
            raise refuse(errno.EOPNOTSUPP)
        size = (await file.attributes()).size
        if punch:
            await _write_zeros(file, start, min(start + length, size))
        if not mode & _FALLOC_KEEP_SIZE and start + length > size:
            await file.truncate(start + length)
        request.complete(0)

    async def _lock_key(self, opened: OpenFile) -> object:
        return opened.mount, (await opened.entry.node.attributes()).inode

    async def _lock(self, request: Request) -> None:
        opened = self.vfs.files[request.base]
        await self.locks.flock(await self._lock_key(opened), opened, request.a)
        request.complete(0)

    async def _seek(self, request: Request) -> None:
        opened = self.vfs.files[request.base]
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
        entry = self.vfs.files[request.base].entry
        raw = os.fsencode(self.vfs.path_of(entry, below=True))
        assert request.buffer is not None
        if len(raw) > len(request.buffer):
            raise refuse(errno.ERANGE)
        request.buffer[: len(raw)] = raw
        request.complete(len(raw))

    async def _ioctl(self, request: Request) -> None:
        file = self.vfs.files[request.base].file
        command = request.a & 0xFFFFFFFF
        request.complete(await file.control_at(command, request.b, request.buffer))


def _exclusive(flags: int) -> int:
    return flags & os.O_EXCL if flags & os.O_CREAT else 0


def _is_inside(entry: Entry | None, above: Entry) -> bool:
    while entry is not None and entry is not above:
        entry = entry.parent
    return entry is above


def _time(seconds: int, nanoseconds: int) -> int | None:
    if nanoseconds == _UTIME_OMIT:
        return None
    if nanoseconds == _UTIME_NOW:
        return now()
    if not 0 <= nanoseconds < _BILLION:
        raise refuse(errno.EINVAL)
    return seconds * _BILLION + nanoseconds


async def _write_zeros(file: Node, start: int, end: int) -> None:
    while start < end:
        size = min(end - start, len(_ZEROS))
        start += await file.write(start, memoryview(_ZEROS)[:size])
