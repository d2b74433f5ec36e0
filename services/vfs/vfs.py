"""The mounts of a machine, and the open files in them."""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.vfs import operations as op
from ovum.services.vfs.node import FileSystem, refuse
from ovum.services.vfs.tree import Entry, Mount, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.services.vfs.node import Node


FIRST_DEVICE = 64
"""Below are the kernel's own devices."""


class OpenFile:
    """What a handle of the kernel's stands for."""

    __slots__ = ("entry", "file", "flags", "listing", "lock", "mount")

    def __init__(self, mount: Mount, entry: Entry, file: Node, flags: int) -> None:
        self.mount = mount
        self.entry = entry
        self.file = file
        """What reads and writes go to."""
        self.flags = flags
        self.listing: list[tuple[str, int, int]] = []
        """A directory's entries, as they were when its listing began."""
        self.lock = 0
        """What flock() gave it: 0, LOCK_SH or LOCK_EX."""


class Vfs:
    """The mount table, and what is open.

    mount_in_kernel(path, number) has the kernel send what is below a directory of its own tree
    here; number 0 ends that. Raises OSError(EXDEV) for a directory that is within a mount.
    """

    def __init__(self, mount_in_kernel: Callable[[bytes, int], None]) -> None:
        self._mount_in_kernel = mount_in_kernel
        self.by_number: dict[int, Mount] = {}
        self.table: dict[str, Mount] = {}
        """Every mount by its path, in order of mounting."""
        self.files: dict[int, OpenFile] = {}
        self.devices: dict[int, Node] = {}
        """Devices whose drivers are tasks, by their numbers (major << 8 | minor)."""
        self._last_number = op.MOUNT_DEVICES
        self._no_mount = Mount("/dev", FileSystem(), op.MOUNT_DEVICES, False)
        """What open devices are said to be in."""
        self._last_handle = 0

    # Mounts

    def adopt(self, path: str, system: FileSystem, top: Node, number: int) -> None:
        """Takes over what the kernel has had sent here from the beginning."""
        mount = Mount(path, system, number, False)
        mount.device = FIRST_DEVICE + number
        mount.root = Entry(mount, None, "", top)
        self.by_number[number] = self.table[path] = mount

    async def mount(self, path: str, system: FileSystem, *, readonly: bool = False) -> Mount:
        """Mounts a file system at a directory (absolute path), which it hides.

        Raises OSError: ENOENT, ENOTDIR; EBUSY where something is mounted already.
        """
        path = os.path.normpath(path)
        if not path.startswith("/"):
            raise ValueError(f"the path of a mount must be absolute, not {path!r}")
        if path in self.table:
            raise refuse(errno.EBUSY)
        over = self._mount_over(path)
        self._last_number += 1
        mount = Mount(path, system, 0 if over else self._last_number, readonly or system.readonly)
        mount.device = FIRST_DEVICE + self._last_number
        at = None
        if over is not None:
            place = await resolve(over.root, path[len(over.path) :], follow=True)
            at = place.found()
            if at.node.kind != stat.S_IFDIR:
                raise refuse(errno.ENOTDIR)
        mount.root = Entry(mount, None, "", await system.root())
        if at is not None:
            mount.at = at
            at.covered = mount
            at.mount.known.clear()
        else:
            self.by_number[mount.number] = mount
            try:
                self._mount_in_kernel(os.fsencode(path), mount.number)
            except OSError:
                del self.by_number[mount.number]
                raise
        self.table[path] = mount
        return mount

    def _mount_over(self, path: str) -> Mount | None:
        """The mount in which a path is: the one with the longest path that it begins with."""
        best = None
        for where, mount in self.table.items():
            inside = path.startswith(where + "/") or where == "/"
            if inside and (best is None or len(where) > len(best.path)):
                best = mount
        return best

    def serves(self, path: str) -> bool:
        """Whether an absolute path is in a mount."""
        return path in self.table or self._mount_over(path) is not None

    async def umount(self, path: str, *, lazy: bool = False) -> None:
        """Ends a mount; what it hid is there again.

        Raises OSError: EINVAL where nothing is mounted; EBUSY while files in it are open, a working
        directory is in it or something is mounted below. lazy: it is gone from the tree at once,
        and ends when nobody uses it any more.
        """
        path = os.path.normpath(path)
        mount = self.table.get(path)
        if mount is None:
            raise refuse(errno.EINVAL)
        inside = path.rstrip("/") + "/"
        below = [other for other in self.table if other.startswith(inside) and other != path]
        if below and lazy:
            for other in sorted(below, key=len, reverse=True):
                await self.umount(other, lazy=True)
        elif below or (mount.files and not lazy):
            raise refuse(errno.EBUSY)
        if mount.at is not None:
            mount.at.covered = None
        else:
            self._mount_in_kernel(os.fsencode(path), 0)
            del self.by_number[mount.number]
        del self.table[path]
        if not mount.files:
            await self._ended(mount)

    async def _ended(self, mount: Mount) -> None:
        """Nobody will use it any more."""
        if not mount.ended:
            mount.ended = True
            await mount.system.sync()
            await mount.system.unmounted()

    def mounts(self) -> list[tuple[str, str, str]]:
        """Path, type and options of every mount, in order of mounting."""
        return [
            (mount.path, mount.system.name, "ro" if mount.readonly else "rw")
            for mount in self.table.values()
        ]

    async def end(self) -> None:
        """Has everything written, and unmounts everything. For the end of the machine."""
        for mount in list(self.table.values()):
            await mount.system.sync()
        for path in sorted(self.table, key=len, reverse=True):
            mount = self.table[path]
            await self.umount(path, lazy=True)
            if mount.files:
                await self._ended(mount)

    def path_of(self, entry: Entry, *, below: bool = False) -> str:
        """The absolute path of an entry; with `below` from where the kernel's tree ends.

        Raises FileNotFoundError if it is gone.
        """
        path = entry.path()
        mount = entry.mount
        while mount.at is not None:
            path = mount.at.path().rstrip("/") + path
            mount = mount.at.mount
        if not below:
            path = mount.path.rstrip("/") + path
        return path.rstrip("/") or "/"

    # Open files

    def add_device(self, node: Node, file: Node, flags: int) -> int:
        """A handle for an open device."""
        entry = Entry(self._no_mount, None, "", node)
        return self.add_file(self._no_mount, entry, file, flags)

    def add_file(self, mount: Mount, entry: Entry, file: Node, flags: int) -> int:
        """A handle for an open file."""
        self._last_handle += 1
        self.files[self._last_handle] = OpenFile(mount, entry, file, flags)
        mount.files += 1
        return self._last_handle

    async def drop_file(self, handle: int) -> OpenFile:
        """The kernel does not use a handle any more."""
        opened = self.files.pop(handle)
        mount = opened.mount
        mount.files -= 1
        if not opened.flags & os.O_PATH:
            await opened.file.close()
        gone = mount is not self._no_mount and self.table.get(mount.path) is not mount
        if not mount.files and gone:
            await self._ended(mount)
        return opened
