"""A file system in memory."""

from __future__ import annotations

import errno
import stat

from ovum.services.vfs.copying import copy_into
from ovum.services.vfs.node import Attributes, FileSystem, Node, Statistics, now, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class MemoryFileSystem(FileSystem):
    """Everything is kept in Python objects, and gone with them.

    limit is how many bytes files may have together; past it is ENOSPC. None: what memory has.
    """

    name = "memory"
    stable = True

    def __init__(self, *, limit: int | None = None) -> None:
        self.limit = limit
        self.used = 0
        """Bytes of all files."""
        self.last_inode = 0
        self.files = 0
        self.top = _Directory(self, 0o755)
        self.top.info.links = 2

    async def root(self) -> Node:
        return self.top

    async def statistics(self) -> Statistics:
        found = Statistics()
        total = self.limit if self.limit is not None else 1 << 40
        found.blocks = total // found.block_size
        found.free = max(0, total - self.used) // found.block_size
        found.files = self.files
        found.free_files = 1 << 20
        return found

    def grow(self, size: int) -> None:
        """Accounts for so many bytes more (or less). Raises OSError(ENOSPC)."""
        if self.limit is not None and size > 0 and self.used + size > self.limit:
            raise refuse(errno.ENOSPC)
        self.used += size


class _Node(Node):
    """What all nodes here have."""

    def __init__(self, system: MemoryFileSystem, mode: int) -> None:
        system.last_inode += 1
        system.files += 1
        self.system = system
        self.info = Attributes(self.kind | mode, system.last_inode, 0, now())
        self.info.links = 0

    async def attributes(self) -> Attributes:
        return self.info

    async def set_attributes(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        accessed: int | None = None,
        modified: int | None = None,
    ) -> None:
        info = self.info
        if mode is not None:
            info.mode = self.kind | mode
        if uid is not None:
            info.uid = uid
        if gid is not None:
            info.gid = gid
        if accessed is not None:
            info.accessed = accessed
        if modified is not None:
            info.modified = modified
        info.changed = now()

    def touch(self) -> None:
        """Its content has changed."""
        self.info.modified = self.info.changed = now()

    def dropped(self) -> None:
        """A name of it is gone; so is its content with the last one, when nobody has it open."""
        self.info.links -= 1
        self.info.changed = now()
        if not self.info.links:
            self.system.files -= 1


class _File(_Node):
    def __init__(self, system: MemoryFileSystem, mode: int) -> None:
        super().__init__(system, mode)
        self.content = bytearray()
        self.opened = 0

    def dropped(self) -> None:
        super().dropped()
        self._free()

    def _free(self) -> None:
        if not self.info.links and not self.opened:
            self.system.grow(-len(self.content))
            self.content = bytearray()

    async def open(self, flags: int) -> Node:
        self.opened += 1
        return self

    async def close(self) -> None:
        self.opened -= 1
        self._free()

    async def read_into(self, offset: int, view: memoryview) -> int:
        if offset >= len(self.content):
            return 0
        with memoryview(self.content) as content, content[offset:] as rest:
            return copy_into(view, rest)

    async def write(self, offset: int, data: memoryview) -> int:
        end = offset + len(data)
        self._resize(max(end, len(self.content)))
        self.content[offset:end] = data
        self.touch()
        return len(data)

    async def truncate(self, size: int) -> None:
        self._resize(size)
        self.touch()

    def _resize(self, size: int) -> None:
        more = size - len(self.content)
        if more:
            self.system.grow(more)
            try:
                if more > 0:
                    self.content += bytes(more)
                else:
                    del self.content[size:]
            except (MemoryError, OverflowError):
                self.system.grow(-more)
                raise refuse(errno.ENOSPC) from None
            self.info.size = size
            self.info.blocks = (size + 511) // 512


class _Link(_Node):
    kind = stat.S_IFLNK

    def __init__(self, system: MemoryFileSystem, target: str) -> None:
        super().__init__(system, 0o777)
        self.target = target
        self.info.size = len(target.encode("utf-8", "surrogateescape"))

    async def read_link(self) -> str:
        return self.target


class _Device(_Node):
    def __init__(self, system: MemoryFileSystem, mode: int, device: int) -> None:
        self.kind = stat.S_IFMT(mode)
        super().__init__(system, stat.S_IMODE(mode))
        self.info.device = device

    async def open(self, flags: int) -> Node:
        raise refuse(errno.ENXIO)  # the server has found no driver


class _Directory(_Node):
    kind = stat.S_IFDIR

    def __init__(self, system: MemoryFileSystem, mode: int) -> None:
        super().__init__(system, mode)
        self.names: dict[str, _Node] = {}
        self.info.links = 1
        self.info.size = 4096

    async def lookup(self, name: str) -> Node:
        node = self.names.get(name)
        if node is None:
            raise refuse(errno.ENOENT)
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        return [(name, node.kind, node.info.inode) for name, node in self.names.items()]

    def _add(self, name: str, node: _Node) -> _Node:
        self.names[name] = node
        node.info.links += 1
        node.info.changed = now()
        if node.kind == stat.S_IFDIR:
            self.info.links += 1
        self.touch()
        return node

    def _remove(self, name: str) -> None:
        node = self.names.pop(name)
        if node.kind == stat.S_IFDIR:
            self.info.links -= 1
            node.info.links = 1
        node.dropped()
        self.touch()

    async def create(self, name: str, mode: int) -> Node:
        return self._add(name, _File(self.system, mode))

    async def make_directory(self, name: str, mode: int) -> Node:
        return self._add(name, _Directory(self.system, mode))

    async def make_link(self, name: str, target: str) -> Node:
        return self._add(name, _Link(self.system, target))

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        if stat.S_ISREG(mode):
            return await self.create(name, stat.S_IMODE(mode))
        return self._add(name, _Device(self.system, mode, device))

    async def link(self, name: str, node: Node) -> None:
        assert isinstance(node, _Node)
        self._add(name, node)

    async def unlink(self, name: str) -> None:
        self._remove(name)

    async def remove_directory(self, name: str) -> None:
        node = self.names[name]
        assert isinstance(node, _Directory)
        if node.names:
            raise refuse(errno.ENOTEMPTY)
        self._remove(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        assert isinstance(directory, _Directory)
        node = self.names[name]
        old = directory.names.get(new_name)
        if isinstance(old, _Directory) and old.names:
            raise refuse(errno.ENOTEMPTY)
        if old is not None:
            directory._remove(new_name)
        del self.names[name]
        directory.names[new_name] = node
        if node.kind == stat.S_IFDIR:
            self.info.links -= 1
            directory.info.links += 1
        node.info.changed = now()
        self.touch()
        directory.touch()
