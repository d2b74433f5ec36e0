"""A server of 9P2000.L for tests: it serves a folder of the host, as QEMU and diod do.

It checks what a client must not do wrong: tags and fids in use, sizes, names. A fid is a path, as
in QEMU's (`PathPlace`: what is unlinked is not found by it any more), or a descriptor (`FdPlace`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
from typing import Any

from ovum.services.vfs.ninep import protocol as p

_REQUESTS = {operation.number: operation for operation in p.OPERATIONS.values()}


class PathPlace:
    """What a fid stands for, by its path."""

    follow = False

    def __init__(self, path: bytes) -> None:
        self.own = path

    def child(self, name: bytes) -> bytes:
        return self.own + b"/" + name

    def walk(self, name: bytes) -> PathPlace:
        place = PathPlace(self.child(name))
        place.stat()
        return place

    def clone(self) -> PathPlace:
        return PathPlace(self.own)

    def stat(self) -> os.stat_result:
        return os.lstat(self.own)

    def read_link(self) -> bytes:
        return os.readlink(self.own)

    def moved(self, old: bytes, new: bytes) -> None:
        """A name was changed: paths through it change as well."""
        if self.own == old or self.own.startswith(old + b"/"):
            self.own = new + self.own[len(old) :]

    def close(self) -> None:
        """It is not used any more."""


class FdPlace(PathPlace):
    """The same by a descriptor: it stays what it is, whatever happens to names."""

    follow = True

    def __init__(self, path: bytes) -> None:
        self.fd = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        super().__init__(b"/proc/self/fd/%d" % self.fd)

    def walk(self, name: bytes) -> FdPlace:
        return FdPlace(self.child(name))

    def clone(self) -> FdPlace:
        other = FdPlace.__new__(FdPlace)
        other.fd = os.dup(self.fd)
        PathPlace.__init__(other, b"/proc/self/fd/%d" % other.fd)
        return other

    def stat(self) -> os.stat_result:
        return os.fstat(self.fd)

    def read_link(self) -> bytes:
        return os.readlink(b"", dir_fd=self.fd)

    def moved(self, old: bytes, new: bytes) -> None:
        """Nothing to do."""

    def close(self) -> None:
        os.close(self.fd)


class _Fid:
    def __init__(self, place: PathPlace) -> None:
        self.place = place
        self.fd: int | None = None
        """When it is open."""
        self.entries: list[tuple[tuple[int, int, int], int, bytes]] = []

    def close(self) -> None:
        self.place.close()
        if self.fd is not None:
            os.close(self.fd)


class FolderServer:
    """Answers messages. `msize`: what it agrees to at most."""

    def __init__(self, folder: str, *, place: type[PathPlace] = PathPlace) -> None:
        self.folder = os.fsencode(folder)
        self.msize = 1 << 20
        self.version = p.VERSION
        self.iounit = 0
        self.fids: dict[int, _Fid] = {}
        self.asked: list[str] = []
        """The names of all requests so far."""
        self._place = place

    def answer(self, message: bytes) -> bytes:
        """The answer to a request."""
        size, number, tag = p.unpack_header(message)
        assert size == len(message), f"a message of {len(message)} bytes says {size}"
        operation = _REQUESTS[number]
        assert (tag == p.NO_TAG) == (operation is p.TVERSION)
        self.asked.append(operation.name)
        data = b""
        if operation.data == "T":
            message, data = message[:23], message[23:]
        values = operation.request.unpack(message)
        if operation.data == "T":
            assert values[-1] == len(data)
            values = (*values, data)
        try:
            answer: tuple[Any, ...] | bytes = getattr(self, f"_{operation.name}")(*values)
        except OSError as error:
            return p.pack(7, tag, struct.pack("<I", error.errno or errno.EIO))
        if isinstance(answer, bytes):
            return p.pack(number + 1, tag, struct.pack("<I", len(answer)) + answer)
        return p.pack(number + 1, tag, operation.answer.pack(answer))

    def end(self) -> None:
        """Closes everything."""
        for fid in self.fids.values():
            fid.close()
        self.fids.clear()

    @staticmethod
    def _qid_of(info: os.stat_result) -> tuple[int, int, int]:
        kinds = {stat.S_IFDIR: p.QT_DIRECTORY, stat.S_IFLNK: p.QT_LINK}
        version = (info.st_mtime_ns ^ info.st_size << 8) & 0xFFFFFFFF
        return kinds.get(stat.S_IFMT(info.st_mode), 0), version, info.st_ino

    def _fid(self, number: int) -> _Fid:
        found = self.fids.get(number)
        if found is None:
            raise OSError(errno.EBADF, "no such fid")
        return found

    def _add(self, number: int, place: PathPlace) -> None:
        assert number not in self.fids and number != p.NO_FID, f"fid {number} is in use"
        self.fids[number] = _Fid(place)

    @staticmethod
    def _name(name: bytes) -> bytes:
        assert b"/" not in name and name not in (b"", b".", b".."), name
        return name

    # The requests, in the order of their numbers

    def _statfs(self, fid: int) -> tuple[int, ...]:
        info = os.statvfs(self._fid(fid).place.own)
        free = info.f_bfree, info.f_bavail, info.f_files, info.f_ffree
        return 0x01021997, info.f_bsize, info.f_blocks, *free, 0, info.f_namemax

    def _lopen(self, number: int, flags: int) -> tuple[int, ...]:
        fid = self._fid(number)
        assert fid.fd is None, "it is open already"
        if fid.place.follow:
            flags &= ~os.O_NOFOLLOW
        assert not flags & (os.O_CREAT | os.O_EXCL)
        fid.fd = os.open(fid.place.own, flags)
        return *self._qid_of(os.fstat(fid.fd)), self.iounit

    def _lcreate(
        self, number: int, name: bytes, flags: int, mode: int, gid: int
    ) -> tuple[int, ...]:
        fid = self._fid(number)
        assert fid.fd is None
        path = fid.place.child(self._name(name))
        fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, mode)
        os.fchmod(fd, mode)
        fid.fd = fd
        place = fid.place.walk(name)
        fid.place.close()
        fid.place = place
        return *self._qid_of(os.fstat(fd)), self.iounit

    def _symlink(self, number: int, name: bytes, target: bytes, gid: int) -> tuple[int, ...]:
        path = self._fid(number).place.child(self._name(name))
        os.symlink(target, path)
        return self._qid_of(os.lstat(path))

    def _mknod(
        self, number: int, name: bytes, mode: int, major: int, minor: int, gid: int
    ) -> tuple[int, ...]:
        path = self._fid(number).place.child(self._name(name))
        os.mknod(path, mode, os.makedev(major, minor))
        os.chmod(path, stat.S_IMODE(mode))
        return self._qid_of(os.lstat(path))

    def _readlink(self, number: int) -> tuple[bytes]:
        return (self._fid(number).place.read_link(),)

    def _getattr(self, number: int, mask: int) -> tuple[int, ...]:
        info = self._fid(number).place.stat()
        times = [
            part
            for time in (info.st_atime_ns, info.st_mtime_ns, info.st_ctime_ns, 0)
            for part in (time // 10**9 & (1 << 64) - 1, time % 10**9)
        ]
        return (
            *(mask, *self._qid_of(info), info.st_mode, info.st_uid, info.st_gid, info.st_nlink),
            *(info.st_rdev, info.st_size, info.st_blksize, info.st_blocks, *times, 0, 0),
        )

    def _setattr(
        self, number: int, valid: int, mode: int, uid: int, gid: int, size: int, *times: int
    ) -> tuple[()]:
        place = self._fid(number).place
        info = place.stat()
        if valid & p.SET_MODE:
            os.chmod(place.own, mode)
        if valid & (p.SET_UID | p.SET_GID):
            owner = (uid if valid & p.SET_UID else -1, gid if valid & p.SET_GID else -1)
            os.chown(place.own, *owner, follow_symlinks=place.follow)
        if valid & p.SET_SIZE:
            os.truncate(place.own, size)
        if valid & (p.SET_ACCESSED | p.SET_MODIFIED):
            given = [times[0] * 10**9 + times[1], times[2] * 10**9 + times[3]]
            if not valid & p.SET_ACCESSED_TO:
                given[0] = info.st_atime_ns
            if not valid & p.SET_MODIFIED_TO:
                given[1] = info.st_mtime_ns
            os.utime(place.own, ns=(given[0], given[1]), follow_symlinks=place.follow)
        return ()

    def _readdir(self, number: int, offset: int, count: int) -> bytes:
        fid = self._fid(number)
        assert fid.fd is not None
        if offset == 0:
            info = self._qid_of(os.fstat(fid.fd))
            fid.entries = [(info, 4, b"."), (info, 4, b"..")]
            with os.scandir(fid.fd) as found:
                for entry in found:
                    about = entry.stat(follow_symlinks=False)
                    kind = stat.S_IFMT(about.st_mode) >> 12
                    fid.entries.append((self._qid_of(about), kind, os.fsencode(entry.name)))
        data = b""
        for k, (qid, kind, name) in enumerate(fid.entries[offset:], offset + 1):
            entry_data = p.pack_entry(qid, k, kind, name)
            if len(data) + len(entry_data) > count:
                break
            data += entry_data
        return data

    def _fsync(self, number: int, data_only: int) -> tuple[()]:
        fid = self._fid(number)
        assert fid.fd is not None
        os.fsync(fid.fd)
        return ()

    def _link(self, directory: int, number: int, name: bytes) -> tuple[()]:
        place = self._fid(number).place
        path = self._fid(directory).place.child(self._name(name))
        # With a directory to begin from, which is not used, it is linkat(), which can follow.
        where = os.open("/", os.O_PATH)
        try:
            os.link(place.own, path, src_dir_fd=where, follow_symlinks=place.follow)
        finally:
            os.close(where)
        return ()

    def _mkdir(self, number: int, name: bytes, mode: int, gid: int) -> tuple[int, ...]:
        path = self._fid(number).place.child(self._name(name))
        os.mkdir(path, mode)
        os.chmod(path, mode)
        return self._qid_of(os.lstat(path))

    def _renameat(self, old: int, name: bytes, new: int, new_name: bytes) -> tuple[()]:
        source = self._fid(old).place.child(self._name(name))
        target = self._fid(new).place.child(self._name(new_name))
        os.rename(source, target)
        for fid in self.fids.values():
            fid.place.moved(source, target)
        return ()

    def _unlinkat(self, number: int, name: bytes, flags: int) -> tuple[()]:
        path = self._fid(number).place.child(self._name(name))
        if flags & p.REMOVE_DIRECTORY:
            os.rmdir(path)
        else:
            os.unlink(path)
        return ()

    def _version(self, msize: int, version: bytes) -> tuple[int, bytes]:
        self.end()
        return min(msize, self.msize), self.version

    def _attach(
        self, number: int, auth: int, user: bytes, folder: bytes, uid: int
    ) -> tuple[int, ...]:
        assert auth == p.NO_FID
        place = self._place(self.folder + b"/" + folder)
        self._add(number, place)
        return self._qid_of(place.stat())

    def _flush(self, tag: int) -> tuple[()]:
        return ()

    def _walk(self, number: int, new: int, names: list[bytes]) -> tuple[list[tuple[int, int, int]]]:
        place = self._fid(number).place
        assert self._fid(number).fd is None, "an open fid is not walked from (walk(5))"
        if not names:
            self._add(new, place.clone())
            return ([],)
        (name,) = names
        found = place.walk(self._name(name))
        self._add(new, found)
        return ([self._qid_of(found.stat())],)

    def _read(self, number: int, offset: int, count: int) -> bytes:
        fd = self._fid(number).fd
        assert fd is not None
        return os.pread(fd, count, offset)

    def _write(self, number: int, offset: int, count: int, data: bytes) -> tuple[int]:
        fd = self._fid(number).fd
        assert fd is not None
        return (os.pwrite(fd, data, offset),)

    def _clunk(self, number: int) -> tuple[()]:
        fid = self._fid(number)
        del self.fids[number]
        with contextlib.suppress(OSError):
            fid.close()
        return ()
