"""The mounts of a machine, and the open files in them."""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.log import ERROR, log, log_error
from ovum.services.tasks import Cancelled, CancelScope, Event, Group, move_on_after
from ovum.services.vfs import operations as op
from ovum.services.vfs.node import Directory, FileSystem, refuse
from ovum.services.vfs.tree import LINKS, Entry, Mount, Redirect, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.services.devices import Device
    from ovum.services.events import Request
    from ovum.services.vfs.content import Turn
    from ovum.services.vfs.node import Node


FIRST_DEVICE = 64
"""Below are the kernel's own devices."""

PATIENCE_S = 1.0
"""At the end of the machine: how long a file system that has written everything waits for the
others, which may be storing in it."""


class OpenFile:
    """What a handle of the kernel's stands for."""

    __slots__ = ("entry", "file", "flags", "key", "listing", "lock", "mount", "turn")

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
        self.key: object = None
        """What it has in common with all that is open on the same file, once that was needed."""
        self.turn: Turn | None = None
        """Whose turn it is to write, of those; once it has been written to."""


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
        self._unended: dict[Mount, None] = {}
        """Those, and what is out of the tree and still in use."""
        self.files: dict[int, OpenFile] = {}
        self.direct: dict[int, Callable[[Request], bool]] = {}
        """By handle what takes calls on open devices without a task; see `Node.direct`."""
        self.devices: dict[int, Device] = {}
        """Devices whose drivers are tasks, by their numbers (major << 8 | minor)."""
        self._last_number = op.MOUNT_NETWORK
        self._no_mount = Mount("/dev", FileSystem(), op.MOUNT_DEVICES, False)
        """What open devices are said to be in."""
        self._no_mount.root = Entry(self._no_mount, None, "", Directory())
        self._last_handle = 0
        self.caller = 0
        """The thread whose call opens a file at the moment: it runs, though it waits for us."""

    # Mounts

    def adopt(self, path: str, system: FileSystem, top: Node, number: int) -> None:
        """Takes over what the kernel has had sent here from the beginning."""
        mount = Mount(path, system, number, False)
        mount.device = FIRST_DEVICE + number
        mount.root = Entry(mount, None, "", top)
        self.by_number[number] = self.table[path] = mount
        self._unended[mount] = None

    async def mount(self, path: str, system: FileSystem, *, readonly: bool = False) -> Mount:
        """Mounts a file system at a directory (absolute path), which it hides.

        Symbolic links in the path are followed. Raises OSError: ENOENT, ENOTDIR, ELOOP; EBUSY where
        something is mounted already, and for a file system that is mounted already.
        """
        path, at = await self._locate(path)
        if at is not None and at.node.kind != stat.S_IFDIR:
            raise refuse(errno.ENOTDIR)
        self._check_free(path, at, system)
        top = await system.root()
        self._check_free(path, at, system)  # somebody else may have been quicker
        self._last_number += 1
        mount = Mount(path, system, 0 if at else self._last_number, readonly or system.readonly)
        mount.device = FIRST_DEVICE + self._last_number
        mount.root = Entry(mount, None, "", top)
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
        self._unended[mount] = None
        return mount

    def _check_free(self, path: str, at: Entry | None, system: FileSystem) -> None:
        if path in self.table or (at is not None and (at.covered or at is at.mount.root)):
            raise refuse(errno.EBUSY)
        if any(mount.system is system for mount in self._unended):
            raise refuse(errno.EBUSY)  # changes through one would not be seen in the other
        if at is not None and (at.removed or at.mount.gone):
            raise refuse(errno.ENOENT)

    async def _locate(self, path: str) -> tuple[str, Entry | None]:
        """Where an absolute path leads: its path without links; the entry if it is in a mount."""
        if not path.startswith("/"):
            raise ValueError(f"the path of a mount must be absolute, not {path!r}")
        for _ in range(LINKS):
            mount, rest = self._walk_kernel(path)
            if mount is None:
                return rest, None
            try:
                entry = (await resolve(mount.root, rest, follow=True)).found()
            except Redirect as redirect:
                path = redirect.path
                if not path.startswith("/"):
                    path = f"{mount.path.rpartition('/')[0]}/{path}"
                continue
            return self.path_of(entry), entry
        raise refuse(errno.ELOOP)

    def _walk_kernel(self, path: str) -> tuple[Mount | None, str]:
        """Follows a path through the kernel's tree: to a mount, and the rest of the path there; or
        to its end."""
        at, links = "", 0
        left = path.split("/")[::-1]
        while True:
            mount = self.table.get(at or "/")
            if mount is not None:
                return mount, "/".join(left[::-1])
            if not left:
                return None, at or "/"
            name = left.pop()
            if name == "..":
                at = at.rpartition("/")[0]
            elif name not in ("", "."):
                inner = f"{at}/{name}"
                target = None if inner in self.table else _link_target(inner)
                if target is None:
                    at = inner
                    continue
                links += 1
                if links > LINKS:
                    raise refuse(errno.ELOOP)
                if target.startswith("/"):
                    at = ""
                left += target.split("/")[::-1]

    async def umount(self, path: str, *, lazy: bool = False) -> None:
        """Ends a mount; what it hid is there again.

        Raises OSError: EINVAL where nothing is mounted; EBUSY while files in it are open, a working
        directory is in it, a call is in it or something is mounted below. lazy: it is gone from the
        tree at once, and ends when nobody uses it any more.
        """
        mount = self.table.get(path)
        if mount is None:
            path, entry = await self._locate(path)
            mount = self.table.get(path)
            if mount is None or (entry is not None and entry is not mount.root):
                raise refuse(errno.EINVAL)
        while not lazy and mount.closing and mount.closing == mount.uses:
            await mount.closed.park()  # for the program, these files are closed
        if self.table.get(path) is not mount:
            raise refuse(errno.EINVAL)
        inside = path.rstrip("/") + "/"
        below = [other for other in self.table if other.startswith(inside) and other != path]
        if not lazy and (below or mount.uses):
            raise refuse(errno.EBUSY)
        for other in sorted(below, key=len, reverse=True):
            await self.umount(other, lazy=True)
        self._detach(mount)
        if not mount.uses:
            await self._end(mount)

    def _detach(self, mount: Mount) -> None:
        """Takes a mount out of the tree."""
        if mount.gone:
            return
        if mount.at is not None:
            mount.at.covered = None
        else:
            self._mount_in_kernel(os.fsencode(mount.path), 0)
            del self.by_number[mount.number]
        mount.gone = True
        del self.table[mount.path]

    async def _end(self, mount: Mount) -> None:
        """Nobody will use it any more. Raises what its last sync() does."""
        if mount.ended:
            return
        mount.ended = True
        try:
            await mount.system.sync()
        finally:
            del self._unended[mount]
            with CancelScope(shield=True):
                await mount.system.unmounted()

    async def ended(self, mount: Mount) -> None:
        """The last use of a mount that is out of the tree has ended. What goes wrong is logged."""
        try:
            with CancelScope(shield=True):
                await self._end(mount)
        except Exception as error:
            log_error(f"file system {mount.system.name} at {mount.path}: its end failed:", error)

    async def leave(self, mount: Mount) -> None:
        """A use of a mount has ended."""
        mount.uses -= 1
        mount.closed.wake_all()
        if mount.gone and not mount.uses:
            await self.ended(mount)

    def mounts(self) -> list[tuple[str, str, str]]:
        """Path, type and options of every mount, in order of mounting."""
        return [
            (mount.path, mount.system.name, "ro" if mount.readonly else "rw")
            for mount in self.table.values()
        ]

    def serves(self, path: str) -> bool:
        """Whether an absolute path is in a mount."""
        return self._mount_of(path) is not None

    def _mount_of(self, path: str) -> Mount | None:
        """The mount in which a path without links is: the one with the longest path."""
        best = None
        for where, mount in self.table.items():
            inside = path.startswith(where.rstrip("/") + "/") or path == where
            if inside and (best is None or len(where) > len(best.path)):
                best = mount
        return best

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

    def place_of(self, number: int, handle: int, path: str) -> tuple[str, Mount | None]:
        """For messages: which mount a call is about, and the path in it."""
        if handle in self.files:
            opened = self.files[handle]
            try:
                where = self.path_of(opened.entry)
            except OSError:
                return path, opened.mount  # its name is gone
            if opened.mount is self._no_mount:
                return path, opened.mount
        else:
            mount = self.by_number.get(number)
            if mount is None:
                return path, None
            where = mount.path
        where = f"{where.rstrip('/')}/{path}".rstrip("/") or "/"
        best = self._mount_of(where)
        return (where[len(best.path) :].lstrip("/"), best) if best else (path, None)

    # Writing everything

    async def sync(self) -> None:
        """Has everything written that was. Raises what the first that fails does, after all."""
        failed: list[Exception] = []

        async def sync(mount: Mount) -> None:
            try:
                await mount.system.sync()
            except Exception as error:
                failed.append(error)

        async with Group("sync") as group:
            for mount in self.table.values():
                group.start(sync, mount)
        if failed:
            raise failed[0]

    async def end(self) -> None:
        """Has everything written, and unmounts everything. For the end of the machine.

        No file system keeps another one from it, whatever it does.
        """
        mounts = list(self._unended)
        unwritten = dict.fromkeys(mounts)
        written = Event("everything is written")

        async def finish(mount: Mount) -> None:
            where = f"file system {mount.system.name} at {mount.path}"
            waiting = False
            try:
                try:
                    await self._write(mount, where)
                finally:
                    del unwritten[mount]
                    if not unwritten:
                        written.set()
                waiting = True
                with move_on_after(PATIENCE_S):
                    await written.wait()
                waiting = False
                if not mount.ended:
                    mount.ended = True
                    del self._unended[mount]
                    await mount.system.unmounted()
                self._detach(mount)
            except Cancelled:
                if not waiting:
                    log(ERROR, f"{where} is not through with its end")
                raise
            except BaseException as error:
                log_error(f"{where}: its end failed:", error)

        async with Group("the end of file systems") as group:
            for mount in mounts:
                group.start(finish, mount, name=f"end of {mount.path}")

    async def _write(self, mount: Mount, where: str) -> None:
        """Closes what is open in a mount, and synchronizes it."""
        for handle in [k for k, opened in self.files.items() if opened.mount is mount]:
            opened = self.files.pop(handle, None)
            if opened is None or opened.flags & os.O_PATH:
                continue
            for step in (opened.file.flush, opened.file.close):
                try:
                    await step()
                except Cancelled:
                    raise
                except BaseException as error:
                    log_error(f"{where}: an open file cannot be closed:", error)
        try:
            await mount.system.sync()
        except Cancelled:
            raise
        except BaseException as error:
            log_error(f"{where}: sync failed:", error)

    # Open files

    def add_device(self, device: Device, file: Node, flags: int) -> int:
        """A handle for an open device."""
        entry = Entry(self._no_mount, self._no_mount.root, device.name, device)
        handle = self.add_file(self._no_mount, entry, file, flags)
        if file.direct is not None and not flags & os.O_PATH:
            self.direct[handle] = file.direct
        return handle

    def add_file(self, mount: Mount, entry: Entry, file: Node, flags: int) -> int:
        """A handle for an open file."""
        self._last_handle += 1
        self.files[self._last_handle] = OpenFile(mount, entry, file, flags)
        mount.uses += 1
        return self._last_handle

    async def drop_file(self, handle: int) -> None:
        """The kernel does not use a handle any more."""
        opened = self.files.pop(handle)
        self.direct.pop(handle, None)
        mount = opened.mount
        mount.closing += 1
        try:
            if not opened.flags & os.O_PATH:
                await opened.file.close()
        finally:
            mount.closing -= 1
            await self.leave(mount)


def _link_target(path: str) -> str | None:
    """Where a symbolic link of the kernel's tree leads; None for what is none."""
    try:
        return os.readlink(path)  # noqa: PTH115  # pathlib is not needed for anything else
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return None
