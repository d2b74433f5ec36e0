"""Directories of a server: every name is walked whenever it is used."""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.vfs.ninep import protocol as p
from ovum.services.vfs.ninep.file import Openable, RemoteFile, RemoteNode, get_attributes
from ovum.services.vfs.node import Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ovum.services.vfs.ninep.client import Fid, Qid
    from ovum.services.vfs.ninep.system import NinePFileSystem

_TRIES = 4
"""How often a name may have become another file between two questions about it."""


class RemoteDirectory(Openable):
    kind = stat.S_IFDIR

    def __init__(self, system: NinePFileSystem, fid: Fid, qid: Qid) -> None:
        super().__init__(system, fid, qid)
        self.names: dict[str, RemoteNode] = {}
        """What has been looked up and may be in use."""

    def ended(self) -> None:
        super().ended()
        self.names.clear()

    async def lookup(self, name: str) -> RemoteNode:
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

    async def _met(self, name: str, fid: Fid, qid: Qid) -> RemoteNode | None:
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

    def _named(self, name: str, node: RemoteNode) -> None:
        old = self.names.get(name)
        if old is not None and old is not node:
            old.lost((self, name))
        self.names[name] = node

    def _forget(self, name: str) -> None:
        node = self.names.pop(name, None)
        if node is not None:
            node.lost((self, name))

    async def _made(self, name: str, kind: int, made: Qid) -> RemoteNode:
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
        if isinstance(node, RemoteFile) and node.path == qid[2]:
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
        assert isinstance(node, RemoteNode)
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
        assert isinstance(directory, RemoteDirectory)
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
    async def _before_loss(node: RemoteNode | None) -> None:
        """Asks for the attributes that nobody will tell any more, if somebody may want them."""
        if node is not None and (node.opened or node.told is None):
            await node.ask()


def _qid(values: tuple[Any, ...]) -> Qid:
    return values[0], values[1], values[2]
