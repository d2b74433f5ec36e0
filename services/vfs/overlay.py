"""A writable layer over a file system that is not changed.

What is changed is copied up first; what is taken away of the lower layer is marked in the upper one
as OCI images do it: an empty file `.wh.NAME` hides a name, `.wh..wh..opq` in a directory all that
the lower layer has there (OCI image specification, layer.md, "Whiteouts"). The upper layer can
therefore be kept and laid over the lower one again.
"""

from __future__ import annotations

import errno
import stat

from ovum.services.tasks import CancelScope
from ovum.services.vfs.copyup import (
    COPY,
    HIDES,
    LayeredFile,
    LayeredLink,
    LayeredNode,
    LayeredOther,
    find,
)
from ovum.services.vfs.memory import MemoryFileSystem
from ovum.services.vfs.node import Attributes, FileSystem, Node, Statistics, refuse
from ovum.services.vfs.tree import is_same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_OPAQUE = ".wh..wh..opq"


class OverlayFileSystem(FileSystem):
    """Shows `upper` over `lower`; all changes go to `upper` (by default: memory).

    Names that begin with `.wh.` are its own and cannot be used (EINVAL).
    """

    name = "overlay"

    def __init__(self, lower: FileSystem, upper: FileSystem | None = None) -> None:
        self.lower = lower
        self.upper = MemoryFileSystem() if upper is None else upper
        self.stable = self.lower.stable and self.upper.stable
        self.last_inode = 0

    async def root(self) -> Node:
        upper, lower = await self.upper.root(), await self.lower.root()
        return Directory(self, None, "", upper, lower)

    async def statistics(self) -> Statistics:
        return await self.upper.statistics()

    async def sync(self) -> None:
        await self.upper.sync()

    async def unmounted(self) -> None:
        try:
            await self.upper.unmounted()
        finally:
            await self.lower.unmounted()


def _check(name: str) -> None:
    if name.startswith(HIDES):
        raise refuse(errno.EINVAL)


class Directory(LayeredNode):
    kind = stat.S_IFDIR

    def __init__(
        self,
        system: OverlayFileSystem,
        directory: Directory | None,
        name: str,
        upper: Node | None,
        lower: Node | None,
    ) -> None:
        super().__init__(system, directory, name, upper, lower)
        self.names: dict[str, LayeredNode] = {}
        """What has been looked up."""
        self.arrivals = 0
        """How many copies have got their names here: a look-up meanwhile may not have seen them."""
        self._hidden: set[str] | None = None
        """Names of the lower layer that are hidden; None while that is not known."""

    async def _make(self, above: Node, name: str, lower: Node, info: Attributes) -> Node:
        return await above.make_directory(name, stat.S_IMODE(info.mode))

    async def _unmake(self, above: Node) -> None:
        await above.remove_directory(self.name)

    async def hidden(self) -> set[str]:
        """The names of the lower layer that are taken away."""
        if self._hidden is None:
            found = [] if self.upper is None else await self.upper.entries()
            marks = {name for name, _, _ in found if name.startswith(HIDES)}
            if self._hidden is None:  # nobody else was quicker
                if _OPAQUE in marks:
                    self.lower = None
                self._hidden = {mark[len(HIDES) :] for mark in marks if not mark.startswith(COPY)}
        return self._hidden

    async def lookup(self, name: str) -> LayeredNode:
        if name.startswith(HIDES):
            raise refuse(errno.ENOENT)
        while True:
            known = self.names.get(name)
            if known is not None and known.arriving:
                return known
            arrivals = self.arrivals
            upper, lower = await self._layers(name)
            known = self.names.get(name)
            if known is not None and known.arriving:
                return known
            if arrivals == self.arrivals:
                break
        real = upper or lower
        if real is None:
            self.names.pop(name, None)
            raise refuse(errno.ENOENT)
        if known is not None and known.real is real:
            return known
        if (
            known is not None
            and (known.upper is None) == (upper is None)
            and await is_same(known.real, real)
        ):
            if arrivals == self.arrivals:
                # A layer's newest node for it. What was hidden in a directory stays so.
                known.upper = upper
                known.lower = lower if known.lower is not None else None
            return known
        node = self.names[name] = self._node(name, upper, lower)
        return node

    async def _layers(self, name: str) -> tuple[Node | None, Node | None]:
        """What the layers have of a name."""
        hidden = await self.hidden()
        upper = await find(self.upper, name)
        # A directory is both layers' together; anything else hides what is below.
        if name in hidden or (upper is not None and upper.kind != stat.S_IFDIR):
            return upper, None
        lower = await find(self.lower, name)
        if upper is not None and lower is not None and lower.kind != stat.S_IFDIR:
            lower = None
        return upper, lower

    def _node(self, name: str, upper: Node | None, lower: Node | None) -> LayeredNode:
        real = upper or lower
        assert real is not None
        if real.kind == stat.S_IFDIR:
            return Directory(self.system, self, name, upper, lower)
        kinds = {stat.S_IFREG: LayeredFile, stat.S_IFLNK: LayeredLink}
        node = kinds.get(real.kind, LayeredOther)(self.system, self, name, upper, lower)
        if isinstance(node, LayeredOther):
            node.kind = real.kind
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        hidden = await self.hidden()
        found: dict[str, int] = {}
        for layer, without in ((self.upper, frozenset[str]()), (self.lower, hidden)):
            if layer is not None:
                for name, kind, _ in await layer.entries():
                    # The lower layer may be the upper one of another overlay, with its marks.
                    if name not in without and not name.startswith(HIDES):
                        found.setdefault(name, kind)
        told = []
        for name, kind in found.items():
            try:
                node = self.names.get(name) or await self.lookup(name)
            except FileNotFoundError:
                continue  # it has gone meanwhile
            told.append((name, kind, node.inode))
        return told

    # Changes

    async def _is_below(self, name: str) -> bool:
        """Whether the lower layer has the name."""
        await self.hidden()
        return await find(self.lower, name) is not None

    async def _hide(self, name: str) -> None:
        """What is below must not come up when the upper layer loses the name."""
        hidden = await self.hidden()
        if name not in hidden:
            assert self.upper is not None
            await self.upper.create(HIDES + name, 0o600)
            hidden.add(name)

    async def _show(self, name: str) -> None:
        """The upper layer has the name anew: no mark is needed."""
        hidden = await self.hidden()
        if name in hidden:
            assert self.upper is not None
            await self.upper.unlink(HIDES + name)
            hidden.discard(name)

    async def _made(self, name: str, upper: Node) -> Node:
        await self._show(name)
        node = self._node(name, upper, None)
        self.names[name] = node
        return node

    async def create(self, name: str, mode: int) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).create(name, mode))

    async def make_directory(self, name: str, mode: int) -> Node:
        _check(name)
        above = await self.copy_up()
        below = await self._is_below(name)
        made = await above.make_directory(name, mode)
        if below:
            try:
                await made.create(_OPAQUE, 0o600)
            except BaseException:
                # It would show what was removed before.
                with CancelScope(shield=True):
                    await above.remove_directory(name)
                raise
        return await self._made(name, made)

    async def make_link(self, name: str, target: str) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).make_link(name, target))

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        _check(name)
        return await self._made(name, await (await self.copy_up()).make_node(name, mode, device))

    async def link(self, name: str, node: Node) -> None:
        _check(name)
        assert isinstance(node, LayeredNode)
        target = await node.copy_up()
        await (await self.copy_up()).link(name, target)
        await self._show(name)
        self.names[name] = node

    async def unlink(self, name: str) -> None:
        await self._take_away(await self.lookup(name), name)

    async def remove_directory(self, name: str) -> None:
        node = await self.lookup(name)
        assert isinstance(node, Directory)
        if list(await node.entries()):
            raise refuse(errno.ENOTEMPTY)
        await self._take_away(node, name)

    async def _take_away(self, node: LayeredNode, name: str) -> None:
        below = await self._is_below(name)
        if below:
            await self.copy_up()
        async with node.changing:  # a copy that is on its way would come back
            if below:
                await self._hide(name)
            if node.upper is not None:
                assert self.upper is not None
                if isinstance(node, Directory):
                    await node.drop_marks()
                    await self.upper.remove_directory(name)
                else:
                    await self.upper.unlink(name)
            self._forget(name)

    def _forget(self, name: str) -> None:
        node = self.names.pop(name, None)
        if node is not None and node.directory is self and node.name == name:
            node.directory = None

    async def drop_marks(self) -> None:
        """Empties the upper layer's directory of its marks: it is about to be removed."""
        assert self.upper is not None
        for name, _, _ in list(await self.upper.entries()):
            await self.upper.unlink(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        _check(new_name)
        assert isinstance(directory, Directory)
        node = await self.lookup(name)
        target: LayeredNode | None
        try:
            target = await directory.lookup(new_name)
        except FileNotFoundError:
            target = None
        if isinstance(target, Directory) and list(await target.entries()):
            raise refuse(errno.ENOTEMPTY)
        above, new_above = await self.copy_up(), await directory.copy_up()
        async with node.changing:
            # All that can fail comes before what cannot be taken back.
            upper = await node.copy_up_locked()
            if isinstance(node, Directory):
                await node.copy_all_up()
                if await directory._is_below(new_name) and _OPAQUE[len(HIDES) :] not in (
                    await node.hidden()
                ):
                    await upper.create(_OPAQUE, 0o600)
            if await self._is_below(name):
                await self._hide(name)
            if target is None:
                await self._move(above, name, directory, new_above, new_name, node)
            else:
                async with target.changing:
                    if isinstance(target, Directory) and target.upper is not None:
                        await target.drop_marks()
                    await self._move(above, name, directory, new_above, new_name, node)

    async def _move(
        self,
        above: Node,
        name: str,
        directory: Directory,
        new_above: Node,
        new_name: str,
        node: LayeredNode,
    ) -> None:
        with CancelScope(shield=True):
            await above.rename(name, new_above, new_name)
            directory._forget(new_name)
            self.names.pop(name, None)
            directory.names[new_name] = node
            node.directory, node.name = directory, new_name
            await directory._show(new_name)

    async def copy_all_up(self) -> None:
        """Copies everything in it: what is renamed has nothing below it any more."""
        for name, _, _ in await self.entries():
            node = await self.lookup(name)
            await node.copy_up()
            if isinstance(node, Directory):
                await node.copy_all_up()
        self.lower = None
