"""Files, links and other things of a server: a fid each, and what it was last said to be.

Two things are known here only, as servers look most things up by a name that they remember:
- A file that has lost its name (`gone`) keeps the attributes that it had, with what is written to
  it, so that a temporary file that is unlinked at once is one.
- A request that names a file by a path has just walked it. One that names it by a descriptor asks
  first whether the fid still means the same file, before it changes anything but content.
"""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.log import WARNING, log
from ovum.services.tasks import CancelScope, current_task
from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.node import Attributes, Node, now, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.tasks import Task
    from ovum.services.vfs.ninep.client import Client, Fid, Qid
    from ovum.services.vfs.ninep.directory import RemoteDirectory
    from ovum.services.vfs.ninep.system import NinePFileSystem

_BILLION = 1_000_000_000


class RemoteNode(Node):
    """Something that the server has."""

    def __init__(self, system: NinePFileSystem, fid: Fid, qid: Qid) -> None:
        self.system = system
        self.client = system.client
        self.fid = fid
        """Not open. Whenever the name is walked it is another one."""
        _, self.version, self.path = qid
        self.place: tuple[RemoteDirectory, str] | None = None
        """The directory and the name by which the fid knows it."""
        self.gone = False
        """Whether that name is gone."""
        self.opened: list[OpenRemote] = []
        self.told: Attributes | None = None
        """What was answered last."""
        self._walked: Task[Any] | None = None
        """The task that has walked to it last: for its request the fid is right."""
        self._fresh = False
        """Whether that task has asked for the attributes, and not used them."""

    @property
    def links(self) -> int:
        """How many names it has, as far as is known."""
        return self.told.links if self.told is not None else 1

    def walked(
        self, place: tuple[RemoteDirectory, str], fid: Fid, qid: Qid, known: Attributes | None
    ) -> None:
        """Its name was looked up."""
        self.fid = fid
        self.place = place
        self.version = qid[1]
        self.gone = False
        self._walked = current_task()
        self._fresh = known is not None
        if known is not None:
            self.told = known

    def lost(self, place: tuple[RemoteDirectory, str] | None) -> None:
        """A name of it was taken away."""
        if self.place == place:
            self.gone = True
        if self.told is not None:
            links = 0 if self.kind == stat.S_IFDIR else self.told.links - 1
            self.told.links = max(0, links)
            self.told.changed = now()

    async def attributes(self) -> Attributes:
        if self._fresh and self._walked is current_task():
            self._fresh = False
            assert self.told is not None
            return self.told
        return await self.ask()

    async def ask(self) -> Attributes:
        """The attributes as they are now."""
        if not self.gone:
            try:
                found, path = await get_attributes(self.client, self.fid)
                if path == self.path:
                    self.told = found
                    return found
            except FileNotFoundError:
                if self.told is None:
                    raise
            self.lost(self.place)  # the other side has removed it, or put another in its place
        if self.told is None:
            raise refuse(errno.ENOENT)
        return self.told

    def ended(self) -> None:
        """It is not used any more."""
        self.fid = self.fid.gone()
        self.place = None

    async def check(self) -> None:
        """Before something is changed by its fid: raises OSError(ESTALE) if it means another."""
        if not self.gone and self._walked is not current_task():
            await self.ask()
        if self.gone:
            raise refuse(errno.ESTALE)

    async def set_attributes(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        accessed: int | None = None,
        modified: int | None = None,
    ) -> None:
        await self.check()
        valid = 0
        for bit, value in (
            (p.SET_MODE, mode),
            (p.SET_UID, uid),
            (p.SET_GID, gid),
            (p.SET_ACCESSED | p.SET_ACCESSED_TO, accessed),
            (p.SET_MODIFIED | p.SET_MODIFIED_TO, modified),
        ):
            if value is not None:
                valid |= bit
        self._fresh = False
        await self._set(valid, mode or 0, uid or 0, gid or 0, 0, accessed or 0, modified or 0)

    async def _set(
        self, valid: int, mode: int, uid: int, gid: int, size: int, accessed: int, modified: int
    ) -> None:
        times = [part & (1 << 64) - 1 for t in (accessed, modified) for part in divmod(t, _BILLION)]
        await self.client.call(p.TSETATTR, self.fid, valid, mode, uid, gid, size, *times)

    async def set_size(self, size: int) -> None:
        """Makes a file that has a name as long as that."""
        self._fresh = False
        await self._set(p.SET_SIZE, 0, 0, 0, size, 0, 0)


async def get_attributes(client: Client, fid: Fid) -> tuple[Attributes, int]:
    """What the server says of a fid, and the path of its qid. Raises OSError."""
    (_, _, _, path, mode, uid, gid, links, rdev, size, _, blocks, *times) = await client.call(
        p.TGETATTR, fid, p.GETATTR_BASIC
    )
    if size >> 63 or blocks >> 63 or any(times[k] >= _BILLION for k in (1, 3, 5)):
        raise p.ProtocolError(f"these are no attributes: {size} bytes, {blocks} blocks, {times}")
    found = Attributes(mode, path, size)
    found.uid, found.gid, found.links, found.blocks = uid, gid, links, blocks
    if rdev:
        found.device = os.major(rdev) << 8 | os.minor(rdev)
    # Seconds before 1970 are negative numbers of 64 bits.
    found.accessed, found.modified, found.changed = (
        (times[k] - (times[k] >> 63 << 64)) * _BILLION + times[k + 1] for k in (0, 2, 4)
    )
    return found, path


class RemoteOther(RemoteNode):
    """A device, a FIFO or a socket: it can be named, and is not opened."""

    async def open(self, flags: int) -> Node:
        # A device's number means one of this machine's, and those that it has the kernel serves.
        raise refuse(errno.ENXIO)


class RemoteLink(RemoteNode):
    kind = stat.S_IFLNK

    async def read_link(self) -> str:
        (target,) = await self.client.call(p.TREADLINK, self.fid)
        if b"\0" in target or len(target) >= 4096:
            raise p.ProtocolError(f"a link leads to {target[:80]!r}")
        return os.fsdecode(target)


class Openable(RemoteNode):
    """A file or a directory."""

    created: tuple[Fid, int] | None = None
    """An open fid that the first to open it gets."""

    async def open(self, flags: int) -> Node:
        if self.created is not None:
            fid, unit = self.created
            self.created = None
        else:
            fid = await self.client.clone(self.fid)
            wanted = flags & os.O_ACCMODE | os.O_NOFOLLOW
            if self.kind == stat.S_IFDIR:
                wanted = os.O_RDONLY | os.O_DIRECTORY
            qid, unit = await self.client.open(fid, wanted)
            if qid[2] != self.path:
                raise refuse(errno.ESTALE)
        opened = OpenRemote(self, fid, unit)
        self.opened.append(opened)
        return opened


class RemoteFile(Openable):
    end: int | None = None
    """The end of a file without a name that was truncated: nobody could tell the server of it."""

    async def resize(self, size: int, opened: OpenRemote) -> None:
        """Makes it as long as that, through an open file."""
        if not self.gone:
            await self.check_or_go()
        if not self.gone:
            await self.set_size(size)
            return
        # What is behind the end may be seen again when the file grows: it has to be zeros.
        known = await self.ask()
        if known.links:
            raise refuse(errno.ESTALE)
        start, stop = (size, known.size) if size < known.size else (size - 1, size)
        if size != known.size:
            zeros = memoryview(bytes(min(65536, stop - start)))
            while start < stop:
                start += await self.client.write(
                    opened.fid, start, zeros[: stop - start], opened.unit
                )
        self.end = known.size = size
        known.modified = known.changed = now()

    async def check_or_go(self) -> None:
        """Finds out whether it still has its name."""
        if self._walked is not current_task():
            await self.ask()

    def ended(self) -> None:
        super().ended()
        self.created = None


class OpenRemote(Node):
    """An open file or directory: a fid of its own, that has it open."""

    def __init__(self, node: RemoteNode, fid: Fid, unit: int) -> None:
        self.node = node
        self.kind = node.kind
        self.fid: Fid = fid
        self.unit = unit
        """Bytes to move at a time."""

    async def attributes(self) -> Attributes:
        return await self.node.attributes()

    async def close(self) -> None:
        self.node.opened.remove(self)
        # By the time close() returns, the server has closed it too. What it says of that changes
        # nothing: the fid is gone (clunk(5)), and of what was written sync() tells.
        with CancelScope(shield=True):
            try:
                await self.node.client.close(self.fid)
            except OSError as error:
                log(WARNING, f"9P: a file was not closed well: {error}")

    async def read_into(self, offset: int, view: memoryview) -> int:
        node = self.node
        if isinstance(node, RemoteFile) and node.end is not None:
            size = max(0, min(len(view), node.end - offset))
            with view[:size] as rest:
                return await node.client.read(self.fid, offset, rest, self.unit)
        return await node.client.read(self.fid, offset, view, self.unit)

    async def write(self, offset: int, data: memoryview) -> int:
        node = self.node
        size = await node.client.write(self.fid, offset, data, self.unit)
        if node.gone:
            known = await node.ask()
            known.size = max(known.size, offset + size)
            known.blocks = (known.size + 511) // 512
            known.modified = known.changed = now()
            if isinstance(node, RemoteFile) and node.end is not None:
                node.end = max(node.end, offset + size)
        return size

    async def truncate(self, size: int) -> None:
        if not isinstance(self.node, RemoteFile):
            raise refuse(errno.EINVAL)
        await self.node.resize(size, self)

    async def sync(self, data_only: bool) -> None:
        await self.node.client.call(p.TFSYNC, self.fid, int(data_only))
