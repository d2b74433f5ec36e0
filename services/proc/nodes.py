"""What /proc is made of: texts of the moment at which they are opened, links, folders."""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.vfs.node import Attributes, Directory, Link, Node, now, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

_last_inode = 1


def _inode() -> int:
    global _last_inode
    _last_inode += 1
    return _last_inode


class Text(Node):
    """A file whose text is of the moment at which it is opened."""

    def __init__(self, make: Callable[[], str | bytes]) -> None:
        self._make = make
        self._inode = _inode()

    async def attributes(self) -> Attributes:
        return Attributes(stat.S_IFREG | 0o444, self._inode, 0, now())

    async def open(self, flags: int) -> Node:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise refuse(errno.EACCES)
        text = await self._text()
        if isinstance(text, str):
            text = text.encode("utf-8", "surrogateescape")  # paths in it may be any bytes
        return _Snapshot(self, text)

    async def _text(self) -> str | bytes:
        return self._make()


class SlowText(Text):
    """The same, of a text that may take its time: whoever opens it waits."""

    def __init__(self, make: Callable[[], Awaitable[str]]) -> None:
        super().__init__(str)
        self._make_slowly = make

    async def _text(self) -> str:
        return await self._make_slowly()


class _Snapshot(Node):
    def __init__(self, of: Text, text: bytes) -> None:
        self._of = of
        self._text = text

    async def attributes(self) -> Attributes:
        return await self._of.attributes()

    async def read(self, offset: int, size: int) -> bytes:
        return self._text[offset : offset + size]


class To(Link):
    """A symbolic link to where a function says, or to a path."""

    def __init__(self, target: str | Callable[[], str]) -> None:
        self._target = target
        self._inode = _inode()

    async def attributes(self) -> Attributes:
        return Attributes(stat.S_IFLNK | 0o777, self._inode, 0, now())

    async def read_link(self) -> str:
        return self._target if isinstance(self._target, str) else self._target()


class Folder(Directory):
    """A folder with these names."""

    def __init__(self, names: dict[str, Node]) -> None:
        self._names = names
        self._inode = _inode()

    async def attributes(self) -> Attributes:
        info = Attributes(stat.S_IFDIR | 0o555, self._inode, 0, now())
        info.links = 2
        return info

    async def lookup(self, name: str) -> Node:
        node = self._names.get(name)
        if node is None:
            raise refuse(errno.ENOENT)
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        return [
            (name, node.kind, (await node.attributes()).inode) for name, node in self._names.items()
        ]


class Numbered(Folder):
    """A folder with a name for each number that there is at the moment: descriptors, threads."""

    def __init__(self, numbers: Callable[[], Iterable[int]], make: Callable[[int], Node]) -> None:
        super().__init__({})
        self._numbers = numbers
        self._make = make

    def _refresh(self) -> None:
        there = {str(number): number for number in self._numbers()}
        for name in [name for name in self._names if name not in there]:
            del self._names[name]
        for name, number in there.items():
            if name not in self._names:
                self._names[name] = self._make(number)

    async def lookup(self, name: str) -> Node:
        self._refresh()
        return await super().lookup(name)

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        self._refresh()
        return await super().entries()
