"""Calls that make names, take them away and change them.

They hold the lock of the directory, so that what was found in it is still so when it is changed:
of two that make a name, one finds the other's. Looking up takes no lock (`tree.look_up`).
"""

from __future__ import annotations

import errno
import stat

from ovum.services.vfs.calls import Calls, name_of
from ovum.services.vfs.node import refuse
from ovum.services.vfs.operations import NOFOLLOW
from ovum.services.vfs.tree import doubt, forget, made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any

    from ovum.services.events import Request
    from ovum.services.vfs.node import Node
    from ovum.services.vfs.tree import Entry, Mount, Place

_NO_REPLACE = 1
"""RENAME_NOREPLACE."""


class NameCalls(Calls):
    """MKDIR, MKNOD, SYMLINK, LINK, UNLINK, RMDIR, RENAME, and the O_CREAT of OPEN."""

    async def _make(
        self,
        place: Place,
        make: Callable[[Node, str], Coroutine[Any, Any, Node]],
        *,
        directory: bool = False,
    ) -> Entry:
        async with place.directory.changing:
            await place.renew()
            above = self._new(place, directory=directory)
            return made(above, place.name, await make(above.node, place.name))

    async def _create(self, place: Place, mode: int) -> Entry | None:
        """A new file, or None if somebody else was quicker."""
        try:
            return await self._make(place, lambda node, name: node.create(name, mode))
        except FileExistsError:
            if place.entry is None:
                raise
            return None

    async def _mkdir(self, request: Request) -> None:
        mode = stat.S_IMODE(request.a)
        await self._make(
            await self._place(request),
            lambda node, name: node.make_directory(name, mode),
            directory=True,
        )
        request.complete(0)

    async def _mknod(self, request: Request) -> None:
        mode, device = request.a, request.b
        await self._make(
            await self._place(request), lambda node, name: node.make_node(name, mode, device)
        )
        request.complete(0)

    async def _symlink(self, request: Request) -> None:
        target = name_of(request.path2)
        await self._make(
            await self._place(request), lambda node, name: node.make_link(name, target)
        )
        request.complete(0)

    async def _link(self, request: Request) -> None:
        entry = await self._entry(request, 0 if request.a else NOFOLLOW)
        place = await self._second(request)
        self._new(place)
        if place.directory.mount is not entry.mount:
            raise refuse(errno.EXDEV)
        if entry.node.kind == stat.S_IFDIR:
            raise refuse(errno.EPERM)

        async def link(node: Node, name: str) -> Node:
            await node.link(name, entry.node)
            return entry.node

        await self._make(place, link)
        request.complete(0)

    async def _unlink(self, request: Request) -> None:
        place = await self._place(request)
        if not place.name:
            raise refuse(errno.EISDIR)
        async with place.directory.changing:
            await place.renew()
            entry = place.found()
            if entry.node.kind == stat.S_IFDIR:
                raise refuse(errno.EISDIR)
            self._writable(entry.mount)
            with _Doubtful((place.directory, place.name)):
                await place.directory.node.unlink(place.name)
            forget(place.directory, place.name)
        request.complete(0)

    async def _rmdir(self, request: Request) -> None:
        place = await self._place(request)
        if not place.name:
            last = name_of(request.path).rstrip("/").rpartition("/")[2]
            raise refuse({".": errno.EINVAL, "..": errno.ENOTEMPTY}.get(last, errno.EBUSY))
        async with place.directory.changing:
            await place.renew()
            entry = place.found()
            if entry.node.kind != stat.S_IFDIR:
                raise refuse(errno.ENOTDIR)
            if entry.mount is not place.directory.mount:
                raise refuse(errno.EBUSY)
            self._writable(entry.mount)
            # Nothing may be made in it between the look whether it is empty and its end.
            async with entry.changing:
                with _Doubtful((place.directory, place.name)):
                    await place.directory.node.remove_directory(place.name)
                forget(place.directory, place.name)
        request.complete(0)

    async def _rename(self, request: Request) -> None:
        old = await self._place(request)
        new = await self._second(request)
        if not old.name or not new.name:
            raise refuse(errno.EBUSY)
        source, directory = old.directory, new.directory
        if source.mount is not directory.mount:
            old.found()
            raise refuse(errno.EXDEV)
        if source is directory:
            async with source.changing:
                await self._move(old, new, request.a)
        else:
            async with source.mount.renaming:
                first, second = _in_order(source, directory)
                async with first.changing, second.changing:
                    await self._move(old, new, request.a)
        request.complete(0)

    async def _move(self, old: Place, new: Place, flags: int) -> None:
        """Renames; both directories are locked."""
        await old.renew()
        await new.renew()
        entry = old.found()
        target = new.entry
        source, directory = old.directory, new.directory
        mount = source.mount
        if entry.mount is not mount or (target is not None and target.mount is not mount):
            raise refuse(errno.EBUSY)
        if directory.removed:
            raise refuse(errno.ENOENT)
        self._writable(mount)
        is_directory = entry.node.kind == stat.S_IFDIR
        if target is not None and flags & _NO_REPLACE:
            raise refuse(errno.EEXIST)
        if new.slash and not is_directory:
            raise refuse(errno.ENOTDIR)
        if is_directory and _is_inside(directory, entry):
            raise refuse(errno.EINVAL)
        if target is not None and _is_inside(source, target):
            raise refuse(errno.ENOTEMPTY)
        if target is not None and target.node is entry.node:
            return  # two names of one file: nothing happens (POSIX)
        if is_directory and self._has_mount_below(mount, entry):
            raise refuse(errno.EBUSY)  # the mount table has its path
        if target is None:
            await self._give_name(old, new, entry)
            return
        target_is_directory = target.node.kind == stat.S_IFDIR
        if is_directory and not target_is_directory:
            raise refuse(errno.ENOTDIR)
        if target_is_directory and not is_directory:
            raise refuse(errno.EISDIR)
        if target_is_directory:
            async with target.changing:  # as _rmdir
                await self._give_name(old, new, entry)
        else:
            await self._give_name(old, new, entry)

    async def _give_name(self, old: Place, new: Place, entry: Entry) -> None:
        source, directory = old.directory, new.directory
        with _Doubtful((source, old.name), (directory, new.name)):
            await source.node.rename(old.name, directory.node, new.name)
        forget(directory, new.name)
        source.changes += 1
        source.children.pop(old.name, None)
        entry.parent = directory
        entry.name = new.name
        directory.children[new.name] = entry

    def _has_mount_below(self, mount: Mount, entry: Entry) -> bool:
        return any(
            other.at is not None and other.at.mount is mount and _is_inside(other.at, entry)
            for other in self.vfs.table.values()
        )


class _Doubtful:
    """What is known of names is dropped if their change is broken off: it may have happened."""

    def __init__(self, *names: tuple[Entry, str]) -> None:
        self._names = names

    def __enter__(self) -> None:
        """Nothing has happened yet."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, OSError):
            for directory, name in self._names:
                doubt(directory, name)


def _in_order(one: Entry, other: Entry) -> tuple[Entry, Entry]:
    """Two directories in the order in which they are locked: the outer one first, as in _rmdir."""
    if _is_inside(one, other):
        return other, one
    if _is_inside(other, one) or id(one) < id(other):
        return one, other
    return other, one


def _is_inside(entry: Entry | None, above: Entry) -> bool:
    while entry is not None and entry is not above:
        entry = entry.parent
    return entry is above
