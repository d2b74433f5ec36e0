"""A writable layer over a file system that is not changed.

What is changed is copied up first; what is taken away of the lower layer is marked in the upper one
as OCI images do it: an empty file `.wh.NAME` hides a name, `.wh..wh..opq` in a directory all that
the lower layer has there (OCI image specification, layer.md, "Whiteouts"). The upper layer can
therefore be kept and laid over the lower one again.
"""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.tasks import Lock
from ovum.services.vfs.memory import MemoryFileSystem
from ovum.services.vfs.node import Attributes, FileSystem, Node, Statistics, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_HIDES = ".wh."
_OPAQUE = ".wh..wh..opq"
_PIECE = 65536


class OverlayFileSystem(FileSystem):
    """Shows `upper` over `lower`; all changes go to `upper` (by default: memory).

    Names that begin with `.wh.` are its own and cannot be used (EINVAL).
    """

    name = "overlay"

    def __init__(self, lower: FileSystem, upper: FileSystem | None = None) -> None:
        self.lower = lower
        self.upper = MemoryFileSystem() if upper is None else upper
        self.stable = self.lower.stable and self.upper.stable
        self.changing = Lock("an overlay's layers")
        """Held while something is copied up: it must be so once only."""
        self.last_inode = 0

    async def root(self) -> Node:
        upper, lower = await self.upper.root(), await self.lower.root()
        return _Directory(self, None, "", upper, lower)

    async def statistics(self) -> Statistics:
        return await self.upper.statistics()

    async def sync(self) -> None:
        await self.upper.sync()

    async def unmounted(self) -> None:
        await self.upper.unmounted()
        await self.lower.unmounted()


class _Node(Node):
    """A name in the overlay: what the upper layer has, or else the lower one."""

    def __init__(
        self,
        system: OverlayFileSystem,
        directory: _Directory | None,
        name: str,
        upper: Node | None,
        lower: Node | None,
    ) -> None:
        self.system = system
        self.directory = directory
        self.name = name
        self.upper = upper
        self.lower = lower
        system.last_inode += 1
        self.inode = system.last_inode
        """Its own: it stays the same when the node is copied up."""

    @property
    def real(self) -> Node:
        """What is shown."""
        node = self.upper or self.lower
        assert node is not None
        return node

    async def attributes(self) -> Attributes:
        found = await self.real.attributes()
        told = Attributes(found.mode, self.inode, found.size)
        told.links, told.uid, told.gid = found.links, found.uid, found.gid
        if self.directory is None and self.upper is None:
            told.links = 0  # below it still has its name
        told.device, told.blocks = found.device, found.blocks
        told.accessed, told.modified = found.accessed, found.modified
        told.changed = found.changed
        return told

    async def set_attributes(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        accessed: int | None = None,
        modified: int | None = None,
    ) -> None:
        upper = await self.copy_up()
        await upper.set_attributes(
            mode=mode, uid=uid, gid=gid, accessed=accessed, modified=modified
        )

    async def copy_up(self) -> Node:
        """What the upper layer has of it, put there if it was not."""
        if self.upper is not None:
            return self.upper
        if self.directory is None:
            raise refuse(errno.ENOENT)
        above = await self.directory.copy_up()
        async with self.system.changing:
            if self.upper is None:
                assert self.lower is not None
                info = await self.lower.attributes()
                made = await self._copy_into(above, self.lower, info)
                await made.set_attributes(
                    uid=info.uid, gid=info.gid, accessed=info.accessed, modified=info.modified
                )
                self.upper = made
        return self.upper

    async def _copy_into(self, above: Node, lower: Node, info: Attributes) -> Node:
        raise NotImplementedError


class _File(_Node):
    async def _copy_into(self, above: Node, lower: Node, info: Attributes) -> Node:
        made = await above.create(self.name, stat.S_IMODE(info.mode))
        source = await lower.open(os.O_RDONLY)
        target = await made.open(os.O_WRONLY)
        try:
            offset, piece = 0, memoryview(bytearray(_PIECE))
            while size := await source.read_into(offset, piece):
                view = piece[:size]
                while view:
                    written = await target.write(offset, view)
                    offset += written
                    view = view[written:]
        except BaseException:
            await above.unlink(self.name)
            raise
        finally:
            await source.close()
            await target.close()
        return made

    async def open(self, flags: int) -> Node:
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            await self.copy_up()
        return _OpenFile(self, flags, await self.real.open(flags))


class _OpenFile(Node):
    """An open file. It goes over to the copy when there is one, so that all readers see changes."""

    def __init__(self, node: _File, flags: int, file: Node) -> None:
        self._node = node
        self._flags = flags
        self._of = node.real
        self._file = file

    async def _now(self) -> Node:
        if self._of is not self._node.real:
            file = await self._node.real.open(self._flags & ~os.O_TRUNC)
            old, self._file, self._of = self._file, file, self._node.real
            await old.close()
        return self._file

    async def attributes(self) -> Attributes:
        return await self._node.attributes()

    async def close(self) -> None:
        await self._file.close()

    async def read_into(self, offset: int, view: memoryview) -> int:
        return await (await self._now()).read_into(offset, view)

    async def write(self, offset: int, data: memoryview) -> int:
        return await (await self._now()).write(offset, data)

    async def truncate(self, size: int) -> None:
        await (await self._now()).truncate(size)

    async def flush(self) -> None:
        await (await self._now()).flush()

    async def sync(self, data_only: bool) -> None:
        await (await self._now()).sync(data_only)

    async def control(self, command: int, argument: int) -> int:
        return await (await self._now()).control(command, argument)


class _Link(_Node):
    kind = stat.S_IFLNK

    async def _copy_into(self, above: Node, lower: Node, info: Attributes) -> Node:
        return await above.make_link(self.name, await lower.read_link())

    async def read_link(self) -> str:
        return await self.real.read_link()


class _Other(_Node):
    """A device, a FIFO or a socket."""

    async def _copy_into(self, above: Node, lower: Node, info: Attributes) -> Node:
        return await above.make_node(self.name, info.mode, info.device)


def _check(name: str) -> None:
    if name.startswith(_HIDES):
        raise refuse(errno.EINVAL)


class _Directory(_Node):
    kind = stat.S_IFDIR

    def __init__(
        self,
        system: OverlayFileSystem,
        directory: _Directory | None,
        name: str,
        upper: Node | None,
        lower: Node | None,
    ) -> None:
        super().__init__(system, directory, name, upper, lower)
        self.names: dict[str, _Node] = {}
        """What has been looked up."""
        self._hidden: set[str] | None = None
        """Names of the lower layer that are hidden; None while that is not known."""

    async def _copy_into(self, above: Node, lower: Node, info: Attributes) -> Node:
        return await above.make_directory(self.name, stat.S_IMODE(info.mode))

    async def hidden(self) -> set[str]:
        """The names of the lower layer that are taken away."""
        if self._hidden is None:
            found = [] if self.upper is None else await self.upper.entries()
            hidden = {name[len(_HIDES) :] for name, _, _ in found if name.startswith(_HIDES)}
            if _OPAQUE[len(_HIDES) :] in hidden:
                self.lower = None
            self._hidden = hidden
        return self._hidden

    async def lookup(self, name: str) -> _Node:
        if name.startswith(_HIDES):
            raise refuse(errno.ENOENT)
        hidden = await self.hidden()
        upper = await _find(self.upper, name)
        lower = None
        # A directory is both layers' together; anything else hides what is below.
        if name not in hidden and (upper is None or upper.kind == stat.S_IFDIR):
            lower = await _find(self.lower, name)
            if upper is not None and lower is not None and lower.kind != stat.S_IFDIR:
                lower = None
        if upper is None and lower is None:
            self.names.pop(name, None)
            raise refuse(errno.ENOENT)
        known = self.names.get(name)
        if known is not None and known.real is (upper or lower):
            return known
        node = self._make(name, upper, lower)
        self.names[name] = node
        return node

    def _make(self, name: str, upper: Node | None, lower: Node | None) -> _Node:
        real = upper or lower
        assert real is not None
        if real.kind == stat.S_IFDIR:
            return _Directory(self.system, self, name, upper, lower)
        kinds = {stat.S_IFREG: _File, stat.S_IFLNK: _Link}
        node = kinds.get(real.kind, _Other)(self.system, self, name, upper, lower)
        if isinstance(node, _Other):
            node.kind = real.kind
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        hidden = await self.hidden()
        found: dict[str, int] = {}
        if self.upper is not None:
            for name, kind, _ in await self.upper.entries():
                if not name.startswith(_HIDES):
                    found[name] = kind
        if self.lower is not None:
            for name, kind, _ in await self.lower.entries():
                if name not in hidden:
                    found.setdefault(name, kind)
        told = []
        for name, kind in found.items():
            node = self.names.get(name)
            told.append(
                (name, kind, node.inode if node is not None else (await self.lookup(name)).inode)
            )
        return told

    # Changes

    async def _is_below(self, name: str) -> bool:
        """Whether the lower layer has the name."""
        await self.hidden()
        return await _find(self.lower, name) is not None

    async def _hide(self, name: str) -> None:
        """The name is gone from the upper layer; what is below must not come up."""
        if not await self._is_below(name):
            return
        upper = await self.copy_up()
        hidden = await self.hidden()
        if name not in hidden:
            await upper.create(_HIDES + name, 0o600)
            hidden.add(name)

    async def _show(self, name: str, node: Node) -> None:
        """The upper layer has the name anew: no mark is needed, but in a directory for its own."""
        hidden = await self.hidden()
        if node.kind == stat.S_IFDIR and await self._is_below(name):
            await node.create(_OPAQUE, 0o600)
        if name in hidden:
            assert self.upper is not None
            await self.upper.unlink(_HIDES + name)
            hidden.discard(name)

    async def _made(self, name: str, upper: Node) -> Node:
        await self._show(name, upper)
        node = self._make(name, upper, None)
        self.names[name] = node
        return node

    async def create(self, name: str, mode: int) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).create(name, mode))

    async def make_directory(self, name: str, mode: int) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).make_directory(name, mode))

    async def make_link(self, name: str, target: str) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).make_link(name, target))

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).make_node(name, mode, device))

    async def link(self, name: str, node: Node) -> None:
        _check(name)
        assert isinstance(node, _Node)
        target = await node.copy_up()
        await (await self.copy_up()).link(name, target)
        await self._show(name, target)
        self.names[name] = node

    async def unlink(self, name: str) -> None:
        node = await self.lookup(name)
        await self._hide(name)
        if node.upper is not None:
            assert self.upper is not None
            await self.upper.unlink(name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        node = self.names.pop(name, None)
        if node is not None and node.directory is self and node.name == name:
            node.directory = None

    async def remove_directory(self, name: str) -> None:
        node = await self.lookup(name)
        assert isinstance(node, _Directory)
        if list(await node.entries()):
            raise refuse(errno.ENOTEMPTY)
        await self._hide(name)
        if node.upper is not None:
            assert self.upper is not None
            await node.drop_marks()
            await self.upper.remove_directory(name)
        self._forget(name)

    async def drop_marks(self) -> None:
        """Empties the upper layer's directory of its marks: it is about to be removed."""
        assert self.upper is not None
        for name, _, _ in list(await self.upper.entries()):
            await self.upper.unlink(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        _check(new_name)
        assert isinstance(directory, _Directory)
        node = await self.lookup(name)
        try:
            target = await directory.lookup(new_name)
        except FileNotFoundError:
            target = None
        if isinstance(target, _Directory):
            if list(await target.entries()):
                raise refuse(errno.ENOTEMPTY)
            if target.upper is not None:
                await target.drop_marks()
        upper = await node.copy_up()
        if isinstance(node, _Directory):
            await node.copy_all_up()
        above, new_above = await self.copy_up(), await directory.copy_up()
        await above.rename(name, new_above, new_name)
        directory._forget(new_name)
        await directory._show(new_name, upper)
        await self._hide(name)
        self.names.pop(name, None)
        directory.names[new_name] = node
        node.directory, node.name = directory, new_name

    async def copy_all_up(self) -> None:
        """Copies everything in it: what is renamed has nothing below it any more."""
        for name, _, _ in await self.entries():
            node = await self.lookup(name)
            await node.copy_up()
            if isinstance(node, _Directory):
                await node.copy_all_up()
        hidden = await self.hidden()
        self.lower = None
        assert self.upper is not None
        for name in hidden:
            await self.upper.unlink(_HIDES + name)
        hidden.clear()


async def _find(directory: Node | None, name: str) -> Node | None:
    if directory is None:
        return None
    try:
        return await directory.lookup(name)
    except FileNotFoundError:
        return None
