"""A folder of the machine's own tree, mounted somewhere else."""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.vfs.copying import copy_into
from ovum.services.vfs.node import Attributes, FileSystem, Node, Statistics, refuse
from ovum.services.vfs.vfs import FIRST_DEVICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class DirectoryFileSystem(FileSystem):
    """Shows a folder; what is changed here is changed there, unless `readonly`.

    The folder is in the kernel's tree in memory; on the host, anywhere. Raises OSError: ENOTDIR,
    and EXDEV for one that is itself in a mounted file system, which would have to serve itself.
    """

    name = "directory"

    def __init__(self, folder: str | os.PathLike[str], *, readonly: bool = False) -> None:
        self.readonly = readonly
        self.folder = os.path.realpath(folder)
        info = os.stat(self.folder)
        if not stat.S_ISDIR(info.st_mode):
            raise refuse(errno.ENOTDIR)
        if _in_machine() and info.st_dev >= FIRST_DEVICE:
            raise refuse(errno.EXDEV)

    async def root(self) -> Node:
        return _Top(self.folder)

    async def statistics(self) -> Statistics:
        info = os.statvfs(self.folder)
        found = Statistics()
        found.block_size = info.f_frsize
        found.blocks, found.free = info.f_blocks, info.f_bavail
        found.files, found.free_files = info.f_files, info.f_favail
        found.longest_name = info.f_namemax
        return found


def _in_machine() -> bool:
    try:
        import _kernel
    except ModuleNotFoundError:
        return False
    return bool(_kernel.IN_RING0)


class _Node(Node):
    """Something in the folder, by its name in a directory."""

    def __init__(self, directory: _Directory | None, name: str, inode: int) -> None:
        self.places = [(directory, name)] if directory is not None else []
        """The directories it is in, and its names there; none when all are gone."""
        self.inode = inode
        self.opened: list[_OpenFile] = []
        self.last: Attributes | None = None
        """What it was when its last name was taken away: a working directory still asks."""

    @property
    def path(self) -> str:
        """Where it is now. Raises FileNotFoundError when it is nowhere."""
        if not self.places:
            raise refuse(errno.ENOENT)
        directory, name = self.places[0]
        return f"{directory.path}/{name}"

    async def attributes(self) -> Attributes:
        if self.places or not (self.opened or self.last):
            info = os.lstat(self.path)
        elif self.opened:
            info = os.fstat(self.opened[0].fd)
        else:
            assert self.last is not None
            return self.last
        found = Attributes(info.st_mode, info.st_ino, info.st_size)
        found.links, found.uid, found.gid = info.st_nlink, info.st_uid, info.st_gid
        found.device, found.blocks = info.st_rdev, info.st_blocks
        found.accessed, found.modified = info.st_atime_ns, info.st_mtime_ns
        found.changed = info.st_ctime_ns
        return found

    async def set_attributes(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        accessed: int | None = None,
        modified: int | None = None,
    ) -> None:
        path = self.path
        if mode is not None:
            os.chmod(path, stat.S_IMODE(mode))
        if uid is not None or gid is not None:
            wanted = (-1 if who is None else who for who in (uid, gid))
            os.chown(path, *wanted, follow_symlinks=False)
        if accessed is not None or modified is not None:
            now = os.lstat(path)
            times = (
                now.st_atime_ns if accessed is None else accessed,
                now.st_mtime_ns if modified is None else modified,
            )
            os.utime(path, ns=times, follow_symlinks=False)


class _File(_Node):
    async def open(self, flags: int) -> Node:
        access = os.O_RDWR if flags & os.O_ACCMODE else os.O_RDONLY
        opened = _OpenFile(self, os.open(self.path, access | os.O_NOFOLLOW))
        self.opened.append(opened)
        return opened


class _OpenFile(Node):
    def __init__(self, node: _Node, fd: int) -> None:
        self._node = node
        self.fd = fd

    async def attributes(self) -> Attributes:
        return await self._node.attributes()

    async def close(self) -> None:
        self._node.opened.remove(self)
        os.close(self.fd)

    async def read_into(self, offset: int, view: memoryview) -> int:
        try:
            return os.preadv(self.fd, [view], offset)
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
            # sendfile() reads into memory of the kernel's, which no call of a program's may name.
            return copy_into(view, os.pread(self.fd, len(view), offset))

    async def write(self, offset: int, data: memoryview) -> int:
        try:
            return os.pwrite(self.fd, data, offset)
        except OSError as error:
            if error.errno != errno.EFAULT:
                raise
            return os.pwrite(self.fd, bytes(data), offset)  # as above

    async def truncate(self, size: int) -> None:
        os.ftruncate(self.fd, size)

    async def sync(self, data_only: bool) -> None:
        os.fsync(self.fd)


class _Link(_Node):
    kind = stat.S_IFLNK

    async def read_link(self) -> str:
        return os.readlink(self.path)


class _Other(_Node):
    """A device, a FIFO or a socket."""

    def __init__(self, directory: _Directory, name: str, inode: int, kind: int) -> None:
        super().__init__(directory, name, inode)
        self.kind = kind

    async def open(self, flags: int) -> Node:
        raise refuse(errno.ENXIO)


class _Directory(_Node):
    kind = stat.S_IFDIR

    def __init__(self, directory: _Directory | None, name: str, inode: int) -> None:
        super().__init__(directory, name, inode)
        self.names: dict[str, _Node] = {}
        """What has been looked up and may be in use."""

    async def open(self, flags: int) -> Node:
        opened = _OpenFile(self, os.open(self.path, os.O_RDONLY | os.O_DIRECTORY))
        self.opened.append(opened)
        return opened

    async def lookup(self, name: str) -> _Node:
        try:
            info = os.lstat(f"{self.path}/{name}")
        except FileNotFoundError:
            self._forget(name)
            raise
        except OSError as error:
            if error.errno == errno.EDEADLK:  # something is mounted there
                raise refuse(errno.EXDEV) from None
            raise
        return self._node(name, info)

    def _node(self, name: str, info: os.stat_result) -> _Node:
        node = self.names.get(name)
        kind = stat.S_IFMT(info.st_mode)
        if node is not None and node.inode == info.st_ino and node.kind == kind:
            return node
        self._forget(name)
        if kind == stat.S_IFDIR:
            node = _Directory(self, name, info.st_ino)
        elif kind == stat.S_IFREG:
            node = _File(self, name, info.st_ino)
        elif kind == stat.S_IFLNK:
            node = _Link(self, name, info.st_ino)
        else:
            node = _Other(self, name, info.st_ino, kind)
        self.names[name] = node
        return node

    def _forget(self, name: str) -> None:
        node = self.names.pop(name, None)
        if node is not None:
            node.places.remove((self, name))

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        told = []
        with os.scandir(self.path) as found:
            for entry in found:
                try:
                    told.append((entry.name, _kind_of(entry), entry.inode()))
                except FileNotFoundError:
                    continue  # it has gone meanwhile
        return told

    async def create(self, name: str, mode: int) -> Node:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(f"{self.path}/{name}", flags, mode))
        os.chmod(f"{self.path}/{name}", mode)  # whatever this process's umask is
        return await self.lookup(name)

    async def make_directory(self, name: str, mode: int) -> Node:
        os.mkdir(f"{self.path}/{name}", mode)
        os.chmod(f"{self.path}/{name}", mode)
        return await self.lookup(name)

    async def make_link(self, name: str, target: str) -> Node:
        os.symlink(target, f"{self.path}/{name}")
        return await self.lookup(name)

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        os.mknod(f"{self.path}/{name}", mode, device)
        os.chmod(f"{self.path}/{name}", stat.S_IMODE(mode))
        return await self.lookup(name)

    async def link(self, name: str, node: Node) -> None:
        assert isinstance(node, _Node)
        os.link(node.path, f"{self.path}/{name}", follow_symlinks=False)
        self.names[name] = node
        node.places.append((self, name))

    async def unlink(self, name: str) -> None:
        os.unlink(f"{self.path}/{name}")
        self._forget(name)

    async def remove_directory(self, name: str) -> None:
        node = await self.lookup(name)
        last = await node.attributes()
        os.rmdir(f"{self.path}/{name}")
        last.links = 0
        node.last = last
        self._forget(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        assert isinstance(directory, _Directory)
        node = await self.lookup(name)
        os.rename(f"{self.path}/{name}", f"{directory.path}/{new_name}")
        directory._forget(new_name)
        self._forget(name)
        directory.names[new_name] = node
        node.places.append((directory, new_name))


def _kind_of(entry: os.DirEntry[str]) -> int:
    """From the listing, as far as it tells: what is mounted at a name could not be asked."""
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)


class _Top(_Directory):
    """The folder itself."""

    def __init__(self, folder: str) -> None:
        super().__init__(None, "", os.stat(folder).st_ino)
        self._folder = folder

    @property
    def path(self) -> str:
        return self._folder
