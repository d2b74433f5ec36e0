"""What a file system is made of: nodes, and what can be asked of them.

A file system is a class with a root; its files, directories and links are nodes. What it does not
write itself is refused with the errno that POSIX has for it.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from ovum.services.vfs.copying import copy_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ovum.services.events import Request
    from ovum.services.vfs.tree import Entry


def refuse(number: int) -> OSError:
    """An OSError of this errno, with its text."""
    return OSError(number, os.strerror(number))


class Attributes:
    """What stat() tells of a node. Times are nanoseconds since 1970."""

    __slots__ = (
        *("accessed", "blocks", "changed", "device", "gid", "inode", "links", "mode", "modified"),
        *("size", "uid"),
    )

    def __init__(self, mode: int, inode: int, size: int = 0, when: int = 0) -> None:
        self.mode = mode
        """Kind and permissions, as st_mode."""
        self.inode = inode
        self.size = size
        """Bytes."""
        self.links = 1
        self.uid = 0
        self.gid = 0
        self.device = 0
        """Of a device node: major << 8 | minor."""
        self.blocks = (size + 511) // 512
        """Of 512 bytes."""
        self.accessed = self.modified = self.changed = when


class Statistics:
    """What statvfs() tells of a file system; counts in blocks."""

    __slots__ = ("block_size", "blocks", "files", "free", "free_files", "longest_name")

    def __init__(self) -> None:
        self.block_size = 4096
        self.blocks = 0
        self.free = 0
        self.files = 0
        self.free_files = 0
        self.longest_name = 255


class Node:
    """A file, a directory, a symbolic link or a device.

    Methods are called with names of one component, never "." or "..", and with what the kind of
    node makes sense of: only a directory is asked for its entries. They raise OSError.
    """

    kind = stat.S_IFREG
    """S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK: never changes."""
    descriptor: int | None = None
    """Not None: opening it gives what this descriptor of the program is."""
    direct: Callable[[Request], bool] | None = None
    """Of an open device: what may take any call on it, at once and without a task of its own, and
    then completes it by itself; it returns whether it has. It must not raise."""

    async def attributes(self) -> Attributes:
        """What stat() tells."""
        raise refuse(errno.ENOSYS)

    async def set_attributes(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        accessed: int | None = None,
        modified: int | None = None,
    ) -> None:
        """Changes what is not None: permissions, owner, times (ns)."""
        raise refuse(errno.EPERM)

    # Directories

    async def lookup(self, name: str) -> Node:
        """The node of this name: the same one each time, or one with the same inode number.

        Raises FileNotFoundError.
        """
        raise refuse(errno.ENOENT)

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        """Name, kind and inode number of everything in it."""
        raise refuse(errno.ENOTDIR)

    async def create(self, name: str, mode: int) -> Node:
        """A new, empty regular file."""
        raise refuse(errno.EROFS)

    async def make_directory(self, name: str, mode: int) -> Node:
        """A new, empty directory."""
        raise refuse(errno.EROFS)

    async def make_link(self, name: str, target: str) -> Node:
        """A new symbolic link."""
        raise refuse(errno.EROFS)

    async def make_node(self, name: str, mode: int, device: int) -> Node:
        """A new device node, FIFO or socket."""
        raise refuse(errno.EPERM)

    async def link(self, name: str, node: Node) -> None:
        """Another name for a node of this file system."""
        raise refuse(errno.EPERM)

    async def unlink(self, name: str) -> None:
        """Takes the name of something that is no directory away."""
        raise refuse(errno.EROFS)

    async def remove_directory(self, name: str) -> None:
        """Takes an empty directory away. Raises OSError(ENOTEMPTY)."""
        raise refuse(errno.EROFS)

    async def rename(self, name: str, directory: Node, new_name: str) -> None:
        """Gives an entry another name in a directory of this file system, in place of what has it.

        What may take whose place has been checked, but for ENOTEMPTY.
        """
        raise refuse(errno.EROFS)

    # Links

    async def read_link(self) -> str:
        """The path that a symbolic link holds."""
        raise refuse(errno.EINVAL)

    async def follow(self) -> Node | Entry | None:
        """What a symbolic link leads to, if no path does; else None."""
        return None

    # Files

    async def open(self, flags: int) -> Node:
        """What reads and writes of one open file go to: the node itself, unless it keeps state."""
        return self

    async def close(self) -> None:
        """The open file is not used any more."""

    async def read_into(self, offset: int, view: memoryview) -> int:
        """Stores what the file has from offset on, as much as there is room for: how much it was.

        Less than the room only at the end of the file. The view is gone when this returns.
        """
        return copy_into(view, await self.read(offset, len(view)))

    async def read(self, offset: int, size: int) -> bytes | bytearray | memoryview:
        """What the file has from offset on, at most size bytes."""
        raise refuse(errno.EINVAL)

    async def write(self, offset: int, data: memoryview) -> int:
        """Stores data at offset, which may lie past the end: how much it was, not nothing."""
        raise refuse(errno.EROFS)

    async def truncate(self, size: int) -> None:
        """Makes the file as long as that; what is new reads as zeros."""
        raise refuse(errno.EROFS)

    async def flush(self) -> None:
        """An open file that was written is closed: errors of that are close()'s."""

    async def sync(self, data_only: bool) -> None:
        """Has what was written stay, whatever happens."""

    async def control(self, command: int, argument: int) -> int:
        """ioctl()."""
        raise refuse(errno.ENOTTY)

    async def control_at(self, command: int, argument: int, buffer: memoryview | None) -> int:
        """ioctl() with what `argument` points to, for the commands whose length the kernel knows:
        those of block devices."""
        return await self.control(command, argument)


class Directory(Node):
    """A node with entries."""

    kind = stat.S_IFDIR


class Link(Node):
    """A symbolic link."""

    kind = stat.S_IFLNK


class FileSystem:
    """A tree of nodes that can be mounted."""

    name = "python"
    """Its type, as /proc/mounts shows it."""
    stable = False
    """Whether names change through the mount only (or never), so that they need not be looked up
    again each time."""
    readonly = False
    """Whether every change is refused with EROFS."""

    async def root(self) -> Node:
        """The directory at the mount point."""
        raise refuse(errno.ENOSYS)

    async def statistics(self) -> Statistics:
        """What statvfs() tells."""
        return Statistics()

    async def sync(self) -> None:
        """Has everything that was written stay."""

    async def unmounted(self) -> None:
        """It is not used any more."""


now = time.time_ns
"""For times of nodes."""
