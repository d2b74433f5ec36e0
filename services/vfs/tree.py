"""The tree of names: mounts, and in each of them what has been looked up."""

from __future__ import annotations

import errno
import stat

from ovum.services.tasks import Lock, Parking
from ovum.services.vfs.node import Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.vfs.node import FileSystem

LINKS = 40
"""Symbolic links that one path may lead through."""

NAME_MAX = 255
"""Bytes of one component."""


class Entry:
    """A name in a directory, and what it is the name of.

    Entries that are in use (open, a working directory) stay whatever happens to the name, so that
    the way up from them is known.
    """

    __slots__ = (
        *("_changing", "changes", "children", "covered", "mount", "name", "node", "parent"),
    )

    def __init__(self, mount: Mount, parent: Entry | None, name: str, node: Node) -> None:
        self.mount = mount
        self.parent = parent
        """The directory it is in; None for the root of a mount, and when the name is gone."""
        self.name = name
        self.node = node
        self.children: dict[str, Entry] = {}
        """What has been looked up in it."""
        self.covered: Mount | None = None
        """What is mounted here."""
        self.changes = 0
        """How often names in it were made, taken away or given to something else: a look-up that
        was on its way meanwhile may bring what is not true any more."""
        self._changing: Lock | None = None

    @property
    def changing(self) -> Lock:
        """Held by who changes names in it. Of a directory and one in it, the outer one is first."""
        if self._changing is None:
            self._changing = Lock("a directory's names")
        return self._changing

    @property
    def removed(self) -> bool:
        """Whether its name is gone."""
        return self.parent is None and self is not self.mount.root

    def path(self) -> str:
        """From the root of its mount, "/" at least. Raises FileNotFoundError if it is gone."""
        names: list[str] = []
        entry = self
        while entry.parent is not None:
            names.append(entry.name)
            entry = entry.parent
        if entry.removed:
            raise refuse(errno.ENOENT)
        return "/" + "/".join(reversed(names))


class Mount:
    """A file system somewhere in the tree."""

    __slots__ = (
        *("_renaming", "at", "closed", "closing", "device", "ended", "gone", "known", "number"),
        *("path", "readonly", "root", "system", "uses"),
    )

    def __init__(self, path: str, system: FileSystem, number: int, readonly: bool) -> None:
        self.path = path
        """Where it is, absolute."""
        self.system = system
        self.number = number
        """What the kernel knows it by; 0 for one within another mount."""
        self.device = 0
        """st_dev of everything in it."""
        self.gone = False
        """Whether it is out of the tree: it ends when nobody uses it any more."""
        self.ended = False
        self.readonly = readonly
        self.at: Entry | None = None
        """The directory of another mount that it covers."""
        self.root: Entry
        self.known: dict[bytes, Entry] = {}
        """What paths from the root have led to, by themselves and without links; empty after every
        change of a name. Only where names change through us alone."""
        self.uses = 0
        """Open files and working directories in it, and calls that are in it at the moment."""
        self.closing = 0
        """Uses that are about to end: open files whose close() is on its way."""
        self.closed = Parking("see a file closed")
        """Who waits for such an end."""
        self._renaming: Lock | None = None

    @property
    def renaming(self) -> Lock:
        """Held while something moves from one directory to another: which directory is in which
        must not change meanwhile. Before any directory's `changing`."""
        if self._renaming is None:
            self._renaming = Lock("what is in which directory")
        return self._renaming


class Redirect(Exception):  # noqa: N818
    """The path leads out of what services serve: the kernel goes on with this one."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.second = False
        """Whether it is in place of the call's second path."""


class Place:
    """Where a path leads: a directory, a name in it, and the entry of that name if it is there."""

    __slots__ = ("_changes", "directory", "entry", "name", "slash")

    def __init__(self, directory: Entry, name: str, entry: Entry | None, slash: bool) -> None:
        self.directory = directory
        self.name = name
        """Empty when the path ends in ".", ".." or at a root: there is no name to change."""
        self.entry = entry
        self.slash = slash
        """Whether the path ended in a slash: a directory is meant."""
        self._changes = directory.changes

    async def renew(self) -> None:
        """Looks the name up again if it may lead elsewhere by now.

        For who holds the directory's lock, and may have waited for it.
        """
        directory = self.directory
        if self.name and self._changes != directory.changes:
            entry = await look_up(directory, self.name)
            self.entry = entry and uncovered(entry)
            self._changes = directory.changes

    def found(self) -> Entry:
        """What is there. Raises FileNotFoundError, NotADirectoryError."""
        if self.entry is None:
            raise refuse(errno.ENOENT)
        if self.slash and self.entry.node.kind != stat.S_IFDIR:
            raise refuse(errno.ENOTDIR)
        return self.entry


def _up(entry: Entry, rest: str) -> Entry:
    """The directory above. Raises Redirect above the mount that the kernel knows."""
    if entry.parent is not None:
        return entry.parent
    mount = entry.mount
    if entry is not mount.root:
        raise refuse(errno.ENOENT)
    if mount.at is None:
        raise Redirect(rest or ".")
    return _up(mount.at, rest)


def uncovered(entry: Entry) -> Entry:
    """The root of what is mounted over an entry, or the entry."""
    while entry.covered is not None:
        entry = entry.covered.root
    return entry


def child_of(directory: Entry, name: str, node: Node) -> Entry:
    """The entry of a name that has been looked up."""
    entry = directory.children.get(name)
    if entry is None or entry.node is not node:
        if entry is not None:
            entry.parent = None
        directory.mount.known.clear()
        entry = directory.children[name] = Entry(directory.mount, directory, name, node)
    return entry


async def look_up(directory: Entry, name: str) -> Entry | None:
    """The entry of a name, looked up unless that is known to be of no use."""
    entry = directory.children.get(name)
    if entry is not None and directory.mount.system.stable:
        return entry
    if len(name) > NAME_MAX // 4 and len(name.encode("utf-8", "surrogateescape")) > NAME_MAX:
        raise refuse(errno.ENAMETOOLONG)
    changes = directory.changes
    node: Node | None
    try:
        node = await directory.node.lookup(name)
        if node is None:
            raise TypeError(f"lookup() has given no node for {name!r}")
    except FileNotFoundError:
        node = None
    entry = directory.children.get(name)
    same = False
    if entry is not None and node is not None and entry.node is not node:
        same = await is_same(entry.node, node)
    if directory.changes != changes:
        # What came back may be what was there before. Once more, while nothing can change: who
        # holds the lock already does not come here, as nobody else changes anything.
        async with directory.changing:
            return await look_up(directory, name)
    if node is None:
        _detach(directory, name)
        return None
    if same and entry is not None:
        entry.node = node
        return entry
    return child_of(directory, name, node)


async def is_same(one: Node, other: Node) -> bool:
    """Whether two nodes stand for the same: some file systems make a new one each time."""
    if one.kind != other.kind:
        return False
    try:
        return (await one.attributes()).inode == (await other.attributes()).inode
    except OSError:
        return False


def made(directory: Entry, name: str, node: Node) -> Entry:
    """The entry of a name that has been made."""
    directory.changes += 1
    return child_of(directory, name, node)


def forget(directory: Entry, name: str) -> None:
    """The name is gone: who uses its entry has no way up from it any more."""
    directory.changes += 1
    _detach(directory, name)


def doubt(directory: Entry, name: str) -> None:
    """A change of the name was broken off: what it leads to has to be looked up."""
    directory.changes += 1
    directory.mount.known.clear()
    directory.children.pop(name, None)


def _detach(directory: Entry, name: str) -> None:
    directory.mount.known.clear()
    entry = directory.children.pop(name, None)
    if entry is not None:
        entry.parent = None


KNOWN = 4096
"""Paths that one mount remembers."""


def resolve_known(mount: Mount, path: bytes) -> Entry | None:
    """What a path from a mount's root leads to, if it is plain and has been looked up before."""
    entry = mount.known.get(path)
    if entry is not None or not mount.system.stable:
        return entry
    entry = mount.root
    for name in path.decode("utf-8", "surrogateescape").split("/"):
        child = entry.children.get(name)
        if child is None or child.node.kind == stat.S_IFLNK or child.covered is not None:
            return None
        entry = child
    if len(mount.known) >= KNOWN:
        mount.known.clear()
    mount.known[path] = entry
    return entry


async def resolve(
    base: Entry,
    path: str,
    *,
    follow: bool,
    name_only: bool = False,
    visited: list[Mount] | None = None,
) -> Place:
    """Follows a path from a directory (POSIX.1-2017, 4.13).

    Its last component may be missing: then the place has no entry. follow: a symbolic link that is
    the last component is followed. name_only: it is not even if a slash follows, for calls that
    make or take away the name itself. Mounts that it leads into are marked as used, and added to
    `visited`. Raises OSError, Redirect.
    """
    directory = base
    links = 0
    while True:
        name, slash, rest = path.lstrip("/").partition("/")
        rest = rest.lstrip("/")
        if directory.node.kind != stat.S_IFDIR:
            raise refuse(errno.ENOTDIR)
        if not name or name == ".":
            if not rest:
                return Place(directory, "", directory, bool(slash))
            path = rest
            continue
        if name == "..":
            directory = _up(directory, rest)
            if not rest:
                return Place(directory, "", directory, bool(slash))
            path = rest
            continue
        entry = await look_up(directory, name)
        if entry is None:
            if rest:
                raise refuse(errno.ENOENT)
            return Place(directory, name, None, bool(slash))
        if entry.node.kind == stat.S_IFLNK and (rest or (slash and not name_only) or follow):
            links += 1
            if links > LINKS:
                raise refuse(errno.ELOOP)
            there = await entry.node.follow()
            if there is not None:
                if isinstance(there, Node):
                    found = Entry(directory.mount, directory, name, there)
                else:
                    found = there
                    _visit(found.mount, visited)
                if not rest:
                    return Place(directory, name, found, bool(slash))
                directory, path = found, rest
                continue
            target = await entry.node.read_link()
            if not target:
                raise refuse(errno.ENOENT)
            path = f"{target}/{rest}" if rest else target + slash
            if target.startswith("/"):
                raise Redirect(path)
            continue
        if entry.covered is not None:
            entry = uncovered(entry)
            _visit(entry.mount, visited)
        if not rest:
            return Place(directory, name, entry, bool(slash))
        directory = entry
        path = rest


def _visit(mount: Mount, visited: list[Mount] | None) -> None:
    if visited is not None:
        visited.append(mount)
        mount.uses += 1
