"""The virtual file system: file systems in Python, mounted where every program finds them.

The chapter is docs/vfs.md. `mount`, `umount` and `mounts` can be called from any thread.
"""

from __future__ import annotations

from ovum.services.vfs.memory import MemoryFileSystem as MemoryFileSystem
from ovum.services.vfs.node import Attributes as Attributes
from ovum.services.vfs.node import Directory as Directory
from ovum.services.vfs.node import FileSystem as FileSystem
from ovum.services.vfs.node import Link as Link
from ovum.services.vfs.node import Node as Node
from ovum.services.vfs.node import Statistics as Statistics
from ovum.services.vfs.node import refuse as refuse


def mount(path: str, system: FileSystem, *, readonly: bool = False) -> None:
    """Mounts a file system at a directory (absolute path), which it hides.

    Raises OSError: ENOENT, ENOTDIR; EBUSY where something is mounted already; EPERM outside a
    machine of ovum's.
    """
    from ovum.services.main import call, services

    call(lambda: services().vfs.mount(path, system, readonly=readonly))


def umount(path: str, *, lazy: bool = False) -> None:
    """Ends a mount; what it hid is there again.

    Raises OSError: EINVAL where nothing is mounted; EBUSY while files in it are open, a working
    directory is in it or something is mounted below. lazy: it is gone from the tree at once, and
    ends when nobody uses it any more.
    """
    from ovum.services.main import call, services

    call(lambda: services().vfs.umount(path, lazy=lazy))


def mounts() -> list[tuple[str, str, str]]:
    """Path, type and options of every mount, in order of mounting."""
    from ovum.services.main import call, services

    async def read() -> list[tuple[str, str, str]]:
        return services().vfs.mounts()

    found: list[tuple[str, str, str]] = call(read)
    return found
