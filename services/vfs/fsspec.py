"""Any fsspec file system, mounted: object stores, archives, web servers, other machines.

fsspec's calls block, so each is made in another thread. Files are read through fsspec's own block
cache, which reads ahead; what is written is kept in memory and stored as a whole when the file is
closed or synchronised, as object stores want it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from ovum.services.tasks import Lock, now, to_thread
from ovum.services.vfs.copying import copy_into
from ovum.services.vfs.node import Attributes, FileSystem, Node, refuse
from ovum.services.vfs.readahead import ReadAhead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class FsspecFileSystem(FileSystem):
    """Shows what an `fsspec.AbstractFileSystem` has below `root`.

    `known_s`: for how many seconds attributes and listings are taken to be what they were; what is
    changed through the mount is seen at once. There are no links, permissions or owners.
    """

    def __init__(
        self, fs: Any, root: str = "", *, known_s: float = 1.0, readonly: bool = False
    ) -> None:
        protocol = fs.protocol if isinstance(fs.protocol, str) else fs.protocol[0]
        self.name = f"fsspec.{protocol}"
        self.fs = fs
        self.readonly = readonly
        self.known_ns = int(known_s * 1e9)
        self.last_inode = 0
        self._root = root.rstrip("/")

    async def call(self, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Calls something of fsspec's in a thread; its errors become OSErrors with an errno."""
        try:
            return await to_thread(lambda: fn(*args, **options))
        except NotImplementedError:
            raise refuse(errno.EROFS) from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise refuse(_number_of(error)) from error

    async def root(self) -> Node:
        return _Directory(self, None, self._root)


def _number_of(error: OSError) -> int:
    """The errno that fsspec, which often leaves it out, has meant."""
    numbers: dict[type[OSError], int] = {
        FileNotFoundError: errno.ENOENT,
        FileExistsError: errno.EEXIST,
        NotADirectoryError: errno.ENOTDIR,
        IsADirectoryError: errno.EISDIR,
        PermissionError: errno.EACCES,
        TimeoutError: errno.ETIMEDOUT,
    }
    return next((number for kind, number in numbers.items() if isinstance(error, kind)), errno.EIO)


def _time(info: dict[str, Any]) -> int:
    """When it was changed, ns, as far as that can be told; 0 if not."""
    for key in ("mtime", "modified", "LastModified", "last_modified", "created"):
        value = info.get(key)
        if isinstance(value, (int, float)):
            return int(value * 1e9)
        if value is not None and hasattr(value, "timestamp"):
            return int(value.timestamp() * 1e9)
    return 0


class _Node(Node):
    def __init__(self, system: FsspecFileSystem, directory: _Directory | None, path: str) -> None:
        self.system = system
        self.directory = directory
        self.path = path
        """fsspec's."""
        system.last_inode += 1
        self.inode = system.last_inode

    def moved(self, directory: _Directory, path: str) -> None:
        """It has another name now."""
        self.directory = directory
        self.path = path


class _File(_Node):
    def __init__(
        self, system: FsspecFileSystem, directory: _Directory, path: str, info: dict[str, Any]
    ) -> None:
        super().__init__(system, directory, path)
        self.info = info
        self.content: bytearray | None = None
        """While it is written: all of it."""
        self.writers = 0
        self.unsaved = False
        self.gone = False
        """Its name was taken away: what is written is stored nowhere."""
        self.busy = Lock("content")

    async def attributes(self) -> Attributes:
        size = len(self.content) if self.content is not None else self.info.get("size")
        return Attributes(stat.S_IFREG | 0o644, self.inode, size or 0, _time(self.info))

    async def open(self, flags: int) -> Node:
        if flags & os.O_ACCMODE == os.O_RDONLY and self.content is None:
            return _Reader(self, await self.system.call(self.system.fs.open, self.path, "rb"))
        async with self.busy:
            if self.content is None:
                # What is to be thrown away need not be fetched.
                fetch = not flags & os.O_TRUNC
                cat = self.system.fs.cat_file
                self.content = bytearray(await self.system.call(cat, self.path) if fetch else b"")
        self.writers += 1
        return _Writer(self)

    async def save(self) -> None:
        """Stores what was written."""
        async with self.busy:
            while self.unsaved and not self.gone:
                self.unsaved = False
                assert self.content is not None
                data = bytes(self.content)
                try:
                    await self.system.call(self.system.fs.pipe_file, self.path, data)
                    self.info = await self.system.call(self.system.fs.info, self.path)
                except BaseException:
                    self.unsaved = True
                    raise


class _Open(Node):
    """An open file."""

    def __init__(self, node: _File) -> None:
        self._node = node

    async def attributes(self) -> Attributes:
        return await self._node.attributes()


class _Reader(_Open):
    """Reads through fsspec's file. One that is being written by others is read from memory."""

    def __init__(self, node: _File, file: Any) -> None:
        super().__init__(node)
        self._file = file
        self._ahead = ReadAhead(self._fetch)

    async def read_into(self, offset: int, view: memoryview) -> int:
        if self._node.content is not None:
            return copy_into(view, memoryview(self._node.content)[offset : offset + len(view)])
        return await self._ahead.read_into(offset, view)

    async def _fetch(self, offset: int, size: int) -> bytes:
        data: bytes = await self._node.system.call(self._read, offset, size)
        return data

    def _read(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        parts = []
        while size and (part := self._file.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    async def close(self) -> None:
        await self._ahead.close()
        await self._node.system.call(self._file.close)


class _Writer(_Open):
    """Reads and writes the content in memory."""

    async def read_into(self, offset: int, view: memoryview) -> int:
        content = self._content()
        with memoryview(content) as data, data[offset : offset + len(view)] as part:
            return copy_into(view, part)

    def _content(self) -> bytearray:
        content = self._node.content
        assert content is not None
        return content

    async def write(self, offset: int, data: memoryview) -> int:
        end = offset + len(data)
        if end > len(self._content()):
            self._resize(end)
        self._content()[offset:end] = data
        self._node.unsaved = True
        return len(data)

    async def truncate(self, size: int) -> None:
        self._resize(size)
        self._node.unsaved = True

    def _resize(self, size: int) -> None:
        content = self._content()
        try:
            if size < len(content):
                del content[size:]
            else:
                content.extend(bytes(size - len(content)))
        except (MemoryError, OverflowError):
            raise refuse(errno.ENOSPC) from None

    async def flush(self) -> None:
        await self._node.save()

    async def sync(self, data_only: bool) -> None:
        await self._node.save()

    async def close(self) -> None:
        node = self._node
        try:
            await node.save()
        finally:
            node.writers -= 1
            if not node.writers:
                # What could not be stored is lost, as its writers were told.
                node.content = None
                node.unsaved = False


class _Directory(_Node):
    kind = stat.S_IFDIR

    def __init__(self, system: FsspecFileSystem, directory: _Directory | None, path: str) -> None:
        super().__init__(system, directory, path)
        self.names: dict[str, tuple[int, _File | _Directory]] = {}
        """What has been looked up, and when."""

    def moved(self, directory: _Directory, path: str) -> None:
        super().moved(directory, path)
        for name, (_, node) in self.names.items():
            node.moved(self, f"{path}/{name}")

    async def attributes(self) -> Attributes:
        found = Attributes(stat.S_IFDIR | 0o755, self.inode)
        found.links = 2
        return found

    async def lookup(self, name: str) -> _File | _Directory:
        known = self.names.get(name)
        if known is not None and (
            now() - known[0] < self.system.known_ns
            or (isinstance(known[1], _File) and known[1].writers)
        ):
            return known[1]
        try:
            info = await self.system.call(self.system.fs.info, self._path_of(name))
        except FileNotFoundError:
            self._forget(name)
            raise
        return self._node(name, info)

    def _path_of(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name

    def _node(self, name: str, info: dict[str, Any]) -> _File | _Directory:
        known = self.names.get(name)
        node = known[1] if known is not None else None
        if info["type"] == "directory":
            if not isinstance(node, _Directory):
                node = _Directory(self.system, self, self._path_of(name))
        elif isinstance(node, _File):
            node.info = info
        else:
            node = _File(self.system, self, self._path_of(name), info)
        # A listing may leave the size out: then the next look-up asks for it.
        whole = info["type"] == "directory" or info.get("size") is not None
        self.names[name] = now() if whole else -self.system.known_ns, node
        return node

    def _forget(self, name: str) -> None:
        known = self.names.pop(name, None)
        if known is not None and isinstance(known[1], _File):
            known[1].gone = True

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        listed = await self.system.call(self.system.fs.ls, self.path, detail=True, refresh=True)
        found = []
        for info in listed:
            name = info["name"].rstrip("/").rpartition("/")[2]
            if name and name not in (".", ".."):
                node = self._node(name, info)
                found.append((name, node.kind, node.inode))
        return found

    async def create(self, name: str, mode: int) -> Node:
        fs, path = self.system.fs, self._path_of(name)
        await self.system.call(fs.pipe_file, path, b"")
        return self._node(name, {"type": "file", "size": 0, "mtime": now() / 1e9})

    async def make_directory(self, name: str, mode: int) -> Node:
        await self.system.call(self.system.fs.mkdir, self._path_of(name), create_parents=False)
        return self._node(name, {"type": "directory"})

    async def unlink(self, name: str) -> None:
        await self.system.call(self.system.fs.rm_file, self._path_of(name))
        self._forget(name)

    async def remove_directory(self, name: str) -> None:
        path = self._path_of(name)
        if await self.system.call(self.system.fs.ls, path, detail=False, refresh=True):
            raise refuse(errno.ENOTEMPTY)
        await self.system.call(self.system.fs.rmdir, path)
        self._forget(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        assert isinstance(directory, _Directory)
        node = await self.lookup(name)
        old, new = node.path, directory._path_of(new_name)
        if isinstance(node, _File):
            await node.save()
            await self._move_file(old, new)
        else:
            try:
                if await self.system.call(self.system.fs.ls, new, detail=False, refresh=True):
                    raise refuse(errno.ENOTEMPTY)
                await self.system.call(self.system.fs.rmdir, new)
            except FileNotFoundError:
                pass  # nothing is in its place
            await self._move_tree(old, new)
        directory._forget(new_name)
        self.names.pop(name, None)
        node.moved(directory, new)
        directory.names[new_name] = now(), node

    # fsspec's own mv() takes names for patterns: "*" would move everything.

    async def _move_file(self, old: str, new: str) -> None:
        await self.system.call(self.system.fs.cp_file, old, new)
        await self.system.call(self.system.fs.rm_file, old)

    async def _move_tree(self, old: str, new: str) -> None:
        await self.system.call(self.system.fs.mkdir, new, create_parents=False)
        for info in await self.system.call(self.system.fs.ls, old, detail=True, refresh=True):
            inner = info["name"].rstrip("/")
            to = f"{new}/{inner.rpartition('/')[2]}"
            if info["type"] == "directory":
                await self._move_tree(inner, to)
            else:
                await self._move_file(inner, to)
        # In some stores a directory is gone with the last file in it.
        with contextlib.suppress(FileNotFoundError):
            await self.system.call(self.system.fs.rmdir, old)
