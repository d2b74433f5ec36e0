"""For tests of file systems on the host: the kernel's part of the system calls, without a kernel.

with HostedSystem(MyFileSystem()) as system:
    fd = system.open("/notes.txt", os.O_RDWR | os.O_CREAT)
    system.write(fd, b"text")

Calls have the names, arguments and errors of `os`. Each becomes a request to a scheduler in
another thread, as in the machine, where `vfs.server` answers it.
"""

from __future__ import annotations

import errno
import os
import threading
from itertools import count
from stat import S_IFDIR, S_IFMT, S_IFREG
from struct import Struct
from types import TracebackType
from typing import Any

from ovum.services.events import KernelEvents
from ovum.services.tasks import Event, Scheduler, move_on_after
from ovum.services.tasks.entry import from_thread
from ovum.services.vfs import operations as op
from ovum.services.vfs.node import FileSystem, refuse
from ovum.services.vfs.server import Server
from ovum.services.vfs.standins import Descriptor, HostKernel, HostRequest
from ovum.services.vfs.vfs import Vfs

UMASK = 0o022
PATH_MAX = 4096
_STAT = Struct("<QQQIIIIQqqqqqqqqq")
_STATFS = Struct("<7QiiQQQ")
_DIRENT = Struct("<QqHB")
_TIMES = Struct("<qqqq")


class HostedSystem:
    """A file system that is mounted at "/" of a tree of its own, and the calls on it.

    `os` functions by the same names; paths are absolute, or relative to "/". In a `with` block.
    """

    def __init__(self, system: FileSystem, *, readonly: bool = False) -> None:
        self.vfs = Vfs(lambda path, number: None)
        self.kernel = HostKernel()
        self.server = Server(self.vfs)
        self.events = KernelEvents(self.kernel, self.server.serve)
        self.events.direct = self.vfs.direct
        self.scheduler = Scheduler(self.events, name="services")
        self.events.scheduler = self.scheduler
        self.end_s = 60.0
        """How long the end may take."""
        self._system = system
        self._readonly = readonly
        self._end: Event | None = None
        self._up = threading.Event()
        self._numbers = count(1)
        self._posted: dict[int, HostRequest] = {}
        self._descriptors: dict[int, Descriptor] = {}
        self._thread = threading.Thread(target=self._run, name="services", daemon=True)

    def __enter__(self) -> HostedSystem:
        self._thread.start()
        self._up.wait()
        self.mount("/", self._system, readonly=self._readonly)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.in_services(self._finish)
        assert self._end is not None
        self.scheduler.call_soon(self._end.set)
        self._thread.join()

    async def _finish(self) -> None:
        with move_on_after(self.end_s):
            await self.vfs.end()

    def _run(self) -> None:
        async def main() -> None:
            self._end = Event("the end of the tests")
            self._up.set()
            await self._end.wait()

        self.scheduler.run(main)

    def in_services(self, fn: Any, *args: Any) -> Any:
        """Runs an async function in the services' thread and returns its result."""
        return from_thread(self.scheduler, fn, *args)

    def mount(self, path: str, system: FileSystem, *, readonly: bool = False) -> None:
        """As `vfs.mount`."""

        async def mount() -> None:
            await self.vfs.mount(path, system, readonly=readonly)

        self.in_services(mount)

    def umount(self, path: str, *, lazy: bool = False) -> None:
        """As `vfs.umount`."""

        async def umount() -> None:
            await self.vfs.umount(path, lazy=lazy)

        self.in_services(umount)

    # Requests

    def request(
        self,
        operation: int,
        path: str | bytes | int | None = None,
        *,
        a: int = 0,
        b: int = 0,
        c: int = 0,
        buffer: Any = None,
        second: str | bytes | None = None,
        raw_second: bytes | None = None,
        dir_fd: int | None = None,
        second_dir_fd: int | None = None,
    ) -> HostRequest:
        """Makes a request and waits for its answer. Raises the OSError that it means."""
        base, name = self._target(path, dir_fd)
        base2, name2 = self._target(second, second_dir_fd) if second is not None else (0, b"")
        for _ in range(40):
            request = HostRequest(operation, next(self._numbers))
            request.base, request.path = base, name
            request.base2, request.path2 = base2, raw_second if raw_second is not None else name2
            request.a, request.b, request.c = a, b, c
            request.buffer = memoryview(buffer) if buffer is not None else None
            self.kernel.events.put(request)
            request.done.acquire()
            if request.redirected is None:
                break
            # What leads out of the root leads back to it.
            if request.second:
                base2, name2 = 0, request.redirected.lstrip(b"/")
            else:
                base, name = 0, request.redirected.lstrip(b"/")
        else:
            raise refuse(errno.ELOOP)
        if request.result < 0:
            raise refuse(-request.result)
        return request

    def post(
        self, operation: str, path: str, *, a: int = 0, b: int = 0, base: int | None = None
    ) -> int:
        """Makes a request of this name without waiting for the answer; its number."""
        request = HostRequest(op.NAMES.index(operation), next(self._numbers))
        request.base, request.path = (
            self._target(path, None)
            if base is None
            else (
                self._file(base).handle,
                os.fsencode(path),
            )
        )
        request.a, request.b = a, b
        self._posted[request.number] = request
        self.kernel.events.put(request)
        return request.number

    def interrupt(self, number: int) -> None:
        """Has the caller of such a request get a signal."""
        self.kernel.events.put((self.kernel.EVENT_CANCEL, number))

    def answer(self, number: int) -> int:
        """Waits for the answer to it: a result, or minus errno."""
        request = self._posted.pop(number)
        request.done.acquire()
        return request.result

    def _target(self, path: str | bytes | int | None, dir_fd: int | None) -> tuple[int, bytes]:
        if isinstance(path, int):
            return self._file(path).handle, b""
        if path is None:
            return 0, b""
        name = os.fsencode(path)
        if b"\0" in name:
            raise ValueError("embedded null byte")
        if not name:
            raise refuse(errno.ENOENT)
        if len(name) >= PATH_MAX:
            raise refuse(errno.ENAMETOOLONG)
        if name.startswith(b"/") or dir_fd is None:
            return 0, name.lstrip(b"/")
        directory = self._file(dir_fd)
        if directory.kind != S_IFDIR:
            raise refuse(errno.ENOTDIR)
        return directory.handle, name

    def _file(self, fd: int) -> Descriptor:
        found = self._descriptors.get(fd)
        if found is None:
            raise refuse(errno.EBADF)
        return found

    # Files

    def open(
        self, path: str | bytes, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        """As os.open."""
        mode = mode & ~UMASK & 0o7777
        answer = self.request(op.OPEN, path, a=flags, b=mode, dir_fd=dir_fd)
        opened = Descriptor(answer.result, S_IFMT(answer.extra), flags)
        # The lowest number that is free, whatever other threads open meanwhile.
        return next(n for n in count(3) if self._descriptors.setdefault(n, opened) is opened)

    def close(self, fd: int) -> None:
        """As os.close."""
        opened = self._file(fd)
        if opened.flags & os.O_ACCMODE and not opened.flags & os.O_PATH:
            self.request(op.FLUSH, fd)
        self.request(op.RELEASE, fd)
        del self._descriptors[fd]

    def _move(self, fd: int, operation: int, at: int | None, buffer: Any, size: int) -> int:
        opened = self._file(fd)
        writing = operation == op.WRITE
        opened.check(writing)
        if at is not None and at < 0:
            raise refuse(errno.EINVAL)
        if opened.kind == S_IFDIR:
            raise refuse(errno.EISDIR)
        if not size:
            return 0
        append = writing and opened.flags & os.O_APPEND
        offset = opened.position if at is None else at
        answer = self.request(operation, fd, a=offset, b=int(bool(append)), buffer=buffer)
        if at is None:
            opened.position = answer.extra if append else offset + answer.result
        return answer.result

    def read(self, fd: int, size: int) -> bytes:
        """As os.read."""
        buffer = bytearray(size)
        return bytes(buffer[: self._move(fd, op.READ, None, buffer, size)])

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """As os.pread."""
        buffer = bytearray(size)
        return bytes(buffer[: self._move(fd, op.READ, offset, buffer, size)])

    def write(self, fd: int, data: bytes) -> int:
        """As os.write."""
        return self._move(fd, op.WRITE, None, data, len(data))

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        """As os.pwrite."""
        return self._move(fd, op.WRITE, offset, data, len(data))

    def lseek(self, fd: int, offset: int, whence: int) -> int:
        """As os.lseek."""
        opened = self._file(fd)
        if opened.flags & os.O_PATH:
            raise refuse(errno.EBADF)
        if whence == os.SEEK_CUR:
            offset += opened.position
        elif whence in (os.SEEK_END, os.SEEK_DATA, os.SEEK_HOLE):
            offset = self.request(op.SEEK, fd, a=offset, b=whence).result
        elif whence != os.SEEK_SET:
            raise refuse(errno.EINVAL)
        if offset < 0:
            raise refuse(errno.EINVAL)
        opened.position = offset
        return offset

    def truncate(self, path: str | bytes | int, length: int) -> None:
        """As os.truncate."""
        if isinstance(path, int):
            self.ftruncate(path, length)
            return
        if length < 0:
            raise refuse(errno.EINVAL)
        self.request(op.TRUNCATE, path, a=length)

    def ftruncate(self, fd: int, length: int) -> None:
        """As os.ftruncate."""
        opened = self._file(fd)
        if opened.flags & os.O_PATH:
            raise refuse(errno.EBADF)
        if not opened.flags & os.O_ACCMODE or length < 0 or opened.kind != S_IFREG:
            raise refuse(errno.EINVAL)
        self.request(op.TRUNCATE, fd, a=length)

    def fsync(self, fd: int) -> None:
        """As os.fsync."""
        self.request(op.SYNC, fd)

    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        """As os.posix_fallocate."""
        self._file(fd).check(writing=True)
        self.request(op.ALLOCATE, fd, b=offset, c=length)

    def flock(self, fd: int, operation: int) -> None:
        """As fcntl.flock."""
        self.request(op.LOCK, fd, a=operation)

    # Attributes

    def stat(
        self,
        path: str | bytes | int,
        *,
        dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> os.stat_result:
        """As os.stat."""
        buffer = bytearray(_STAT.size)
        flags = 0 if follow_symlinks else op.NOFOLLOW
        self.request(op.STAT, path, a=flags, buffer=buffer, dir_fd=dir_fd)
        device, inode, links, mode, uid, gid, _, rdev, size, block, blocks, *times = _STAT.unpack(
            buffer
        )
        ns = [times[k] * 1_000_000_000 + times[k + 1] for k in (0, 2, 4)]
        seconds = [value / 1e9 for value in ns]
        return os.stat_result(
            (
                *(mode, inode, device, links, uid, gid, size),
                *(*map(int, seconds), *seconds, *ns, block, blocks, rdev),
            )
        )

    def lstat(self, path: str | bytes, *, dir_fd: int | None = None) -> os.stat_result:
        """As os.lstat."""
        return self.stat(path, dir_fd=dir_fd, follow_symlinks=False)

    def fstat(self, fd: int) -> os.stat_result:
        """As os.fstat."""
        return self.stat(fd)

    def access(self, path: str | bytes, mode: int) -> bool:
        """As os.access."""
        try:
            self.request(op.ACCESS, path, a=mode)
        except OSError:
            return False
        return True

    def chmod(self, path: str | bytes | int, mode: int) -> None:
        """As os.chmod."""
        self.request(op.CHMOD, path, a=mode & 0o7777)

    def chown(self, path: str | bytes | int, uid: int, gid: int) -> None:
        """As os.chown."""
        self.request(op.CHOWN, path, a=uid & 0xFFFFFFFF, b=gid & 0xFFFFFFFF)

    def utime(
        self, path: str | bytes | int, *, ns: tuple[int, int], follow_symlinks: bool = True
    ) -> None:
        """As os.utime."""
        buffer = _TIMES.pack(*divmod(ns[0], 1_000_000_000), *divmod(ns[1], 1_000_000_000))
        self.request(op.UTIMENS, path, a=0 if follow_symlinks else op.NOFOLLOW, buffer=buffer)

    def statvfs(self, path: str | bytes | int) -> os.statvfs_result:
        """As os.statvfs."""
        buffer = bytearray(_STATFS.size)
        self.request(op.STATFS, path, buffer=buffer)
        (_, block, blocks, free, avail, files, ffree, fsid, _, longest, fragment, flags) = (
            _STATFS.unpack(buffer)
        )
        return os.statvfs_result(
            (block, fragment, blocks, free, avail, files, ffree, ffree, flags, longest, fsid)
        )

    # Names

    def listdir(self, path: str | bytes | int) -> list[str]:
        """As os.listdir."""
        fd = path if isinstance(path, int) else self.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if self._file(fd).kind != S_IFDIR:
                raise refuse(errno.ENOTDIR)
            if self._file(fd).flags & os.O_PATH:
                raise refuse(errno.EBADF)
            return [name for name in self._list(fd) if name not in (".", "..")]
        finally:
            if not isinstance(path, int):
                self.close(fd)

    def _list(self, fd: int) -> list[str]:
        names: list[str] = []
        position = 0
        while True:
            buffer = bytearray(4096)
            try:
                answer = self.request(op.LIST, fd, a=position, buffer=buffer)
            except FileNotFoundError:
                return names  # it was removed: as glibc's readdir() takes it
            position = answer.extra
            if not answer.result:
                return names
            at = 0
            while at < answer.result:
                size = _DIRENT.unpack_from(buffer, at)[2]
                raw = buffer[at + _DIRENT.size : at + size]
                names.append(os.fsdecode(bytes(raw.partition(b"\0")[0])))
                at += size

    def mkdir(self, path: str | bytes, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """As os.mkdir."""
        self.request(op.MKDIR, path, a=mode & ~UMASK & 0o7777, dir_fd=dir_fd)

    def mknod(self, path: str | bytes, mode: int, device: int = 0) -> None:
        """As os.mknod."""
        self.request(op.MKNOD, path, a=mode & ~UMASK, b=device)

    def symlink(self, target: str, path: str | bytes, *, dir_fd: int | None = None) -> None:
        """As os.symlink."""
        if not target:
            raise refuse(errno.ENOENT)
        self.request(op.SYMLINK, path, raw_second=os.fsencode(target), dir_fd=dir_fd)

    def readlink(self, path: str | bytes, *, dir_fd: int | None = None) -> str:
        """As os.readlink."""
        buffer = bytearray(PATH_MAX)
        answer = self.request(op.READLINK, path, buffer=buffer, dir_fd=dir_fd)
        return os.fsdecode(bytes(buffer[: answer.result]))

    def link(self, path: str | bytes, new: str | bytes, *, follow_symlinks: bool = False) -> None:
        """As os.link."""
        self.request(op.LINK, path, a=int(follow_symlinks), second=new)

    def unlink(self, path: str | bytes, *, dir_fd: int | None = None) -> None:
        """As os.unlink."""
        self.request(op.UNLINK, path, dir_fd=dir_fd)

    def rmdir(self, path: str | bytes, *, dir_fd: int | None = None) -> None:
        """As os.rmdir."""
        self.request(op.RMDIR, path, dir_fd=dir_fd)

    def rename(
        self,
        old: str | bytes,
        new: str | bytes,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
    ) -> None:
        """As os.rename."""
        self.request(op.RENAME, old, second=new, dir_fd=src_dir_fd, second_dir_fd=dst_dir_fd)
