"""Directories that do not change, as images have them."""

from __future__ import annotations

import errno
import stat

from ovum.services.vfs.node import Attributes, Directory, FileSystem, Link, Node, Statistics, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class StaticNode(Node):
    """A node whose attributes are known."""

    def __init__(self, info: Attributes) -> None:
        self.info = info

    async def attributes(self) -> Attributes:
        return self.info


class StaticDirectory(StaticNode, Directory):
    """A directory whose names are known."""

    def __init__(self, info: Attributes) -> None:
        super().__init__(info)
        self.names: dict[str, StaticNode] = {}

    async def lookup(self, name: str) -> Node:
        node = self.names.get(name)
        if node is None:
            raise refuse(errno.ENOENT)
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        return [(name, node.kind, node.info.inode) for name, node in self.names.items()]


class StaticLink(StaticNode, Link):
    """A symbolic link whose target is known."""

    def __init__(self, info: Attributes, target: str) -> None:
        super().__init__(info)
        self._target = target

    async def read_link(self) -> str:
        return self._target


class StaticFileSystem(FileSystem):
    """A tree that was put together once, and is only read."""

    readonly = True
    stable = True

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.top = StaticDirectory(self.attributes(stat.S_IFDIR | 0o755))

    def attributes(self, mode: int, size: int = 0, when: int = 0) -> Attributes:
        """Attributes of a new node; times in ns."""
        self.files += 1
        self.bytes += size
        info = Attributes(mode, self.files, size, when)
        if stat.S_ISDIR(mode):
            info.links = 2
        return info

    def directory_of(self, names: list[str]) -> StaticDirectory:
        """The directory of this path, made where it is missing, in place of files too."""
        directory = self.top
        for name in names:
            inner = directory.names.get(name)
            if not isinstance(inner, StaticDirectory):
                inner = StaticDirectory(self.attributes(stat.S_IFDIR | 0o755))
                directory.names[name] = inner
                directory.info.links += 1
            directory = inner
        return directory

    async def root(self) -> Node:
        return self.top

    async def statistics(self) -> Statistics:
        found = Statistics()
        found.blocks = (self.bytes + found.block_size - 1) // found.block_size
        found.files = self.files
        return found
