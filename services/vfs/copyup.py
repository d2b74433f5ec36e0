"""What is in an overlay, and how it gets from the lower layer to the upper one.

A file is copied under a name that nobody sees, and gets its own when it is whole: whoever looks
meanwhile sees the lower layer's, and a copy that is broken off has not happened.
"""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.tasks import CancelScope, Lock, checkpoint
from ovum.services.vfs.node import Attributes, Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.vfs.overlay import Directory, OverlayFileSystem

HIDES = ".wh."
"""Begins the names of marks: what follows is hidden."""
COPY = ".wh..wh.copy."
"""What is being copied up, before it is whole and gets its name. Nothing is hidden by these."""
_PIECE = 65536


class LayeredNode(Node):
    """A name in the overlay: what the upper layer has, or else the lower one."""

    def __init__(
        self,
        system: OverlayFileSystem,
        directory: Directory | None,
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
        self.changing = Lock("a name of an overlay")
        """Held while it is copied up, renamed or taken away."""
        self.arriving = False
        """Whether its copy is about to have its name in the upper layer."""

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
        if self.upper is None:
            if self.directory is None:
                raise refuse(errno.ENOENT)
            # First, and not while this one is locked: directories are locked from outside inwards.
            await self.directory.copy_up()
            async with self.changing:
                return await self.copy_up_locked()
        return self.upper

    async def copy_up_locked(self) -> Node:
        """The same, for who holds `changing`, with a directory that is in the upper layer."""
        if self.upper is None:
            directory, lower = self.directory, self.lower
            if directory is None:
                raise refuse(errno.ENOENT)
            assert directory.upper is not None and lower is not None
            await self._copy(directory, directory.upper, lower)
            assert self.upper is not None
        return self.upper

    async def _copy(self, directory: Directory, above: Node, lower: Node) -> None:
        """Copies what is no file: it is made with its name."""
        info = await lower.attributes()
        with CancelScope(shield=True):  # it is soon done
            self.arriving = True
            try:
                made = await self._make(above, self.name, lower, info)
                try:
                    await _keep_attributes(made, info)
                except BaseException:
                    await self._unmake(above)
                    raise
                self._arrived(directory, made)
            finally:
                self.arriving = False

    def _arrived(self, directory: Directory, made: Node) -> None:
        self.upper = made
        directory.arrivals += 1

    async def _make(self, above: Node, name: str, lower: Node, info: Attributes) -> Node:
        raise NotImplementedError

    async def _unmake(self, above: Node) -> None:
        await above.unlink(self.name)


async def _keep_attributes(made: Node, info: Attributes) -> None:
    """Gives a copy the owner and times of the original, as far as its file system has any."""
    try:
        await made.set_attributes(
            uid=info.uid, gid=info.gid, accessed=info.accessed, modified=info.modified
        )
    except OSError as error:
        if error.errno != errno.EPERM:
            raise


class LayeredFile(LayeredNode):
    async def _make(self, above: Node, name: str, lower: Node, info: Attributes) -> Node:
        mode = stat.S_IMODE(info.mode)
        try:
            return await above.create(name, mode)
        except FileExistsError:
            # An earlier machine was switched off while it copied.
            await above.unlink(name)
            return await above.create(name, mode)

    async def _copy(self, directory: Directory, above: Node, lower: Node) -> None:
        info = await lower.attributes()
        work = f"{COPY}{self.inode}"
        try:
            made = await self._make(above, work, lower, info)
            await _copy_content(lower, made)
            with CancelScope(shield=True):  # it is whole: now it gets its name
                await _keep_attributes(made, info)
                self.arriving = True
                await above.rename(work, above, self.name)
                self._arrived(directory, await above.lookup(self.name))
        except BaseException:
            with CancelScope(shield=True):
                if await find(above, work) is not None:
                    await above.unlink(work)
            raise
        finally:
            self.arriving = False

    async def open(self, flags: int) -> Node:
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            await self.copy_up()
        real = self.real
        return _OpenFile(self, flags, real, await real.open(flags))


async def _copy_content(lower: Node, made: Node) -> None:
    source = await lower.open(os.O_RDONLY)
    try:
        target = await made.open(os.O_WRONLY)
        try:
            offset, piece = 0, memoryview(bytearray(_PIECE))
            while size := await source.read_into(offset, piece):
                view = piece[:size]
                while view:
                    written = await target.write(offset, view)
                    if not 0 < written <= len(view):
                        raise refuse(errno.EIO)
                    offset += written
                    view = view[written:]
                await checkpoint()
            await target.flush()
        finally:
            with CancelScope(shield=True):
                await target.close()
    finally:
        with CancelScope(shield=True):
            await source.close()


class _OpenFile(Node):
    """An open file. It goes over to the copy when there is one, so that all readers see changes."""

    def __init__(self, node: LayeredFile, flags: int, of: Node, file: Node) -> None:
        self._node = node
        self._flags = flags
        self._of = of
        self._file = file
        self._left: list[Node] = []
        """What it has gone over from: others may still be reading in it."""
        self._turn = Lock("going over to a copy")

    async def _now(self) -> Node:
        if self._of is not self._node.real:
            async with self._turn:
                real = self._node.real
                if self._of is not real:
                    file = await real.open(self._flags & ~os.O_TRUNC)
                    self._left.append(self._file)
                    self._file, self._of = file, real
        return self._file

    async def attributes(self) -> Attributes:
        return await self._node.attributes()

    async def close(self) -> None:
        try:
            for file in self._left:
                await file.close()
        finally:
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


class LayeredLink(LayeredNode):
    kind = stat.S_IFLNK

    async def _make(self, above: Node, name: str, lower: Node, info: Attributes) -> Node:
        return await above.make_link(name, await lower.read_link())

    async def read_link(self) -> str:
        return await self.real.read_link()


class LayeredOther(LayeredNode):
    """A device, a FIFO or a socket."""

    async def _make(self, above: Node, name: str, lower: Node, info: Attributes) -> Node:
        return await above.make_node(name, info.mode, info.device)

    async def open(self, flags: int) -> Node:
        return await self.real.open(flags)


async def find(directory: Node | None, name: str) -> Node | None:
    if directory is None:
        return None
    try:
        return await directory.lookup(name)
    except FileNotFoundError:
        return None
