"""The file system on 9P2000.L: nodes are fids, and which file is which is what qids say.

The other side changes things as it likes, so every name is walked and every stat() is asked anew.
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
from _weakref import ref

from ovum.services.log import WARNING, log
from ovum.services.tasks import CancelScope, current_task
from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.ninep.client import session_of
from ovum.services.vfs.node import Attributes, FileSystem, Node, Statistics, now, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovum.services.tasks import Task
    from ovum.services.vfs.ninep.channel import Channel
    from ovum.services.vfs.ninep.client import Client, Fid, Qid

_BILLION = 1_000_000_000
_TRIES = 4
"""How often a name may have become another file between two questions about it."""


class NinePFileSystem(FileSystem):
    """What a server offers over a channel. folder: which of its trees. uid: whose files are made.

    Mounting it raises OSError: EPROTONOSUPPORT, EIO, and what the server answers to Tattach.
    """

    name = "9p"

    def __init__(
        self, channel: Channel, *, folder: str = "", uid: int = 0, readonly: bool = False
    ) -> None:
        self.readonly = readonly
        self._channel = channel
        self._folder = folder
        self._uid = uid
        self.client: Client
        self._top: _Directory | None = None
        self._nodes: dict[int, ref[_Node]] = {}
        """The nodes in use, by the path of their qid."""
        self._sweep = 256

    async def root(self) -> Node:
        self.client = await session_of(self._channel)
        fid, qid = await self.client.attach(self._folder, self._uid)
        if not qid[0] & p.QT_DIRECTORY:
            raise refuse(errno.ENOTDIR)
        self._top = _Directory(self, fid, qid)
        self._nodes[qid[2]] = ref(self._top)
        return self._top

    async def unmounted(self) -> None:
        # Nodes refer to each other, and would be collected at some time only.
        for held in self._nodes.values():
            node = held()
            if node is not None:
                node.ended()
        self._nodes.clear()
        self._top = None
        self.client.clunk_dropped()

    async def statistics(self) -> Statistics:
        assert self._top is not None
        told = await self.client.call(p.TSTATFS, self._top.fid)
        found = Statistics()
        _, found.block_size, found.blocks, _, found.free = told[:5]
        found.files, found.free_files, _, found.longest_name = told[5:]
        return found

    def known(self, qid: Qid) -> _Node | None:
        """The node that there is for a qid."""
        held = self._nodes.get(qid[2])
        node = held() if held is not None else None
        if node is None or (node.gone and not node.links):
            return None  # the number is another file's by now
        same_kind = (qid[0] & p.QT_DIRECTORY != 0) == (node.kind == stat.S_IFDIR) and (
            qid[0] & p.QT_LINK != 0
        ) == (node.kind == stat.S_IFLNK)
        return node if same_kind else None

    def make(self, kind: int, fid: Fid, qid: Qid) -> _Node:
        """A node for a qid that has none, of a kind."""
        node = (_CLASSES.get(kind) or _Other)(self, fid, qid)
        node.kind = kind
        if len(self._nodes) > self._sweep:
            self._nodes = {path: held for path, held in self._nodes.items() if held() is not None}
            self._sweep = 2 * len(self._nodes) + 256
        self._nodes[qid[2]] = ref(node)
        return node


class _Node(Node):
    """Something that the server has."""

    def __init__(self, system: NinePFileSystem, fid: Fid, qid: Qid) -> None:
        self.system = system
        self.client = system.client
        self.fid = fid
        """Not open. Whenever the name is walked it is another one."""
        _, self.version, self.path = qid
        self.place: tuple[_Directory, str] | None = None
        """The directory and the name by which the fid knows it."""
        self.gone = False
        """Whether that name is gone."""
        self.opened: list[_OpenFile] = []
        self._known: Attributes | None = None
        """What was answered last."""
        self._walked: Task[Any] | None = None
        """The task that has walked to it last: for its request the fid is right."""
        self._fresh = False
        """Whether that task has asked for the attributes, and not used them."""

    @property
    def links(self) -> int:
        """How many names it has, as far as is known."""
        return self._known.links if self._known is not None else 1

    def walked(
        self, place: tuple[_Directory, str], fid: Fid, qid: Qid, known: Attributes | None
    ) -> None:
        """Its name was looked up."""
        self.fid = fid
        self.place = place
        self.version = qid[1]
        self.gone = False
        self._walked = current_task()
        self._fresh = known is not None
        if known is not None:
            self._known = known

    def lost(self, place: tuple[_Directory, str] | None) -> None:
        """A name of it was taken away."""
        if self.place == place:
            self.gone = True
        if self._known is not None:
            links = 0 if self.kind == stat.S_IFDIR else self._known.links - 1
            self._known.links = max(0, links)
            self._known.changed = now()

    async def attributes(self) -> Attributes:
        if self._fresh and self._walked is current_task():
            self._fresh = False
            assert self._known is not None
            return self._known
        return await self.ask()

    async def ask(self) -> Attributes:
        """The attributes as they are now."""
        if not self.gone:
            try:
                found, path = await get_attributes(self.client, self.fid)
                if path == self.path:
                    self._known = found
                    return found
            except FileNotFoundError:
                if self._known is None:
                    raise
            self.lost(self.place)  # the other side has removed it, or put another in its place
        if self._known is None:
            raise refuse(errno.ENOENT)
        return self._known

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


class _Other(_Node):
    """A device, a FIFO or a socket: it can be named, and is not opened."""

    async def open(self, flags: int) -> Node:
        # A device's number means one of this machine's, and those that it has the kernel serves.
        raise refuse(errno.ENXIO)


class _Link(_Node):
    kind = stat.S_IFLNK

    async def read_link(self) -> str:
        (target,) = await self.client.call(p.TREADLINK, self.fid)
        if b"\0" in target or len(target) >= 4096:
            raise p.ProtocolError(f"a link leads to {target[:80]!r}")
        return os.fsdecode(target)


class _Openable(_Node):
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
        opened = _OpenFile(self, fid, unit)
        self.opened.append(opened)
        return opened


class _File(_Openable):
    end: int | None = None
    """The end of a file without a name that was truncated: nobody could tell the server of it."""

    async def resize(self, size: int, opened: _OpenFile) -> None:
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


class _OpenFile(Node):
    """An open file or directory: a fid of its own, that has it open."""

    def __init__(self, node: _Node, fid: Fid, unit: int) -> None:
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
        if isinstance(node, _File) and node.end is not None:
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
            if isinstance(node, _File) and node.end is not None:
                node.end = max(node.end, offset + size)
        return size

    async def truncate(self, size: int) -> None:
        if not isinstance(self.node, _File):
            raise refuse(errno.EINVAL)
        await self.node.resize(size, self)

    async def sync(self, data_only: bool) -> None:
        await self.node.client.call(p.TFSYNC, self.fid, int(data_only))


class _Directory(_Openable):
    kind = stat.S_IFDIR

    def __init__(self, system: NinePFileSystem, fid: Fid, qid: Qid) -> None:
        super().__init__(system, fid, qid)
        self.names: dict[str, _Node] = {}
        """What has been looked up and may be in use."""

    def ended(self) -> None:
        super().ended()
        self.names.clear()

    async def lookup(self, name: str) -> _Node:
        for _ in range(_TRIES):
            try:
                fid, qid = await self.client.walk(self.fid, name)
                node = await self._met(name, fid, qid)
            except FileNotFoundError:
                self._forget(name)
                raise
            if node is not None:
                return node
        raise refuse(errno.ESTALE)

    async def _met(self, name: str, fid: Fid, qid: Qid) -> _Node | None:
        """The node of a name that was walked to; None if it has become another's meanwhile."""
        node = self.system.known(qid)
        known = None
        # Of a directory, a link and a file that has not changed it is known what they are.
        if node is None or (node.version != qid[1] and not qid[0]):
            known, path = await get_attributes(self.client, fid)
            if path != qid[2]:
                return None
            kind = stat.S_IFMT(known.mode)
            node = self.system.known(qid)
            if node is None or node.kind != kind:
                node = self.system.make(kind, fid, qid)
        node.walked((self, name), fid, qid, known)
        self._named(name, node)
        return node

    def _named(self, name: str, node: _Node) -> None:
        old = self.names.get(name)
        if old is not None and old is not node:
            old.lost((self, name))
        self.names[name] = node

    def _forget(self, name: str) -> None:
        node = self.names.pop(name, None)
        if node is not None:
            node.lost((self, name))

    async def _made(self, name: str, kind: int, made: Qid) -> _Node:
        """The node of what was made just now."""
        fid, qid = await self.client.walk(self.fid, name)
        if qid[2] != made[2] or self.system.known(qid) is not None:
            return await self.lookup(name)
        node = self.system.make(kind, fid, qid)
        node.walked((self, name), fid, qid, None)
        self._named(name, node)
        return node

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        fid = await self.client.clone(self.fid)
        await self.client.open(fid, os.O_RDONLY | os.O_DIRECTORY)
        return await self.client.list(fid)

    async def create(self, name: str, mode: int) -> Node:
        opened = await self.client.clone(self.fid)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        qid, unit = await self.client.create(opened, name, flags, stat.S_IMODE(mode))
        node = await self._made(name, stat.S_IFREG, qid)
        if isinstance(node, _File) and node.path == qid[2]:
            # Who makes a file may write to it, whatever its permissions are (open(2)).
            node.created = opened, unit
        return node

    async def make_directory(self, name: str, mode: int) -> Node:
        qid = await self.client.call(p.TMKDIR, self.fid, os.fsencode(name), mode, 0)
        return await self._made(name, stat.S_IFDIR, _qid(qid))

    async def make_link(self, name: str, target: str) -> Node:
        names = os.fsencode(name), os.fsencode(target)
        qid = await self.client.call(p.TSYMLINK, self.fid, *names, 0)
        return await self._made(name, stat.S_IFLNK, _qid(qid))

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        numbers = device >> 8, device & 0xFF
        raw = os.fsencode(name)
        qid = await self.client.call(p.TMKNOD, self.fid, raw, mode, *numbers, 0)
        return await self._made(name, stat.S_IFMT(mode) or stat.S_IFREG, _qid(qid))

    async def link(self, name: str, node: Node) -> None:
        assert isinstance(node, _Node)
        await node.check()
        await self.client.call(p.TLINK, self.fid, node.fid, os.fsencode(name))
        self._named(name, node)

    async def unlink(self, name: str) -> None:
        await self._before_loss(self.names.get(name))
        await self.client.call(p.TUNLINKAT, self.fid, os.fsencode(name), 0)
        self._forget(name)

    async def remove_directory(self, name: str) -> None:
        await self._before_loss(self.names.get(name))
        await self.client.call(p.TUNLINKAT, self.fid, os.fsencode(name), p.REMOVE_DIRECTORY)
        self._forget(name)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        assert isinstance(directory, _Directory)
        await self._before_loss(directory.names.get(new_name))
        await self.client.call(
            *(p.TRENAMEAT, self.fid, os.fsencode(name)),
            *(directory.fid, os.fsencode(new_name)),
        )
        node = self.names.pop(name, None)
        if node is None:
            directory._forget(new_name)
            return
        directory._named(new_name, node)
        if node.place == (self, name):
            node.place = directory, new_name

    @staticmethod
    async def _before_loss(node: _Node | None) -> None:
        """Asks for the attributes that nobody will tell any more, if somebody may want them."""
        if node is not None and (node.opened or node._known is None):
            await node.ask()


_CLASSES: dict[int, type[_Node]] = {
    stat.S_IFREG: _File,
    stat.S_IFDIR: _Directory,
    stat.S_IFLNK: _Link,
}


def _qid(values: tuple[Any, ...]) -> Qid:
    return values[0], values[1], values[2]
