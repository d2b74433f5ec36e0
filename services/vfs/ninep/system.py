"""The file system on 9P2000.L: nodes are fids, and which file is which is what qids say.

The other side changes things as it likes, so every name is walked and every stat() is asked anew.
"""

from __future__ import annotations

import errno
import stat
from _weakref import ref

from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.ninep.client import session_of
from ovum.services.vfs.ninep.directory import RemoteDirectory
from ovum.services.vfs.ninep.file import RemoteFile, RemoteLink, RemoteNode, RemoteOther
from ovum.services.vfs.node import FileSystem, Node, Statistics, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.vfs.ninep.channel import Channel
    from ovum.services.vfs.ninep.client import Client, Fid, Qid

_CLASSES: dict[int, type[RemoteNode]] = {
    stat.S_IFREG: RemoteFile,
    stat.S_IFDIR: RemoteDirectory,
    stat.S_IFLNK: RemoteLink,
}


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
        self._top: RemoteDirectory | None = None
        self._nodes: dict[int, ref[RemoteNode]] = {}
        """The nodes in use, by the path of their qid."""
        self._sweep = 256

    async def root(self) -> Node:
        self.client = await session_of(self._channel)
        fid, qid = await self.client.attach(self._folder, self._uid)
        if not qid[0] & p.QT_DIRECTORY:
            raise refuse(errno.ENOTDIR)
        self._top = RemoteDirectory(self, fid, qid)
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

    def known(self, qid: Qid) -> RemoteNode | None:
        """The node that there is for a qid."""
        held = self._nodes.get(qid[2])
        node = held() if held is not None else None
        if node is None or (node.gone and not node.links):
            return None  # the number is another file's by now
        same_kind = (qid[0] & p.QT_DIRECTORY != 0) == (node.kind == stat.S_IFDIR) and (
            qid[0] & p.QT_LINK != 0
        ) == (node.kind == stat.S_IFLNK)
        return node if same_kind else None

    def make(self, kind: int, fid: Fid, qid: Qid) -> RemoteNode:
        """A node for a qid that has none, of a kind."""
        node = (_CLASSES.get(kind) or RemoteOther)(self, fid, qid)
        node.kind = kind
        if len(self._nodes) > self._sweep:
            self._nodes = {path: held for path, held in self._nodes.items() if held() is not None}
            self._sweep = 2 * len(self._nodes) + 256
        self._nodes[qid[2]] = ref(node)
        return node
