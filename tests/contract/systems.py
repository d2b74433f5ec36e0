"""The file systems that are held to the contract."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.directory import DirectoryFileSystem
from ovum.services.vfs.fsspec import FsspecFileSystem
from ovum.services.vfs.node import FileSystem
from ovum.services.vfs.overlay import OverlayFileSystem
from ovum.services.vfs.zip import ZipFileSystem

from .cases import TREE
from .execute import Runner
from .record import EVERYTHING, PLAIN


def archive() -> bytes:
    """A zip archive of the tree, in a folder `tree`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for kind, path, *content in TREE:
            entry = zipfile.ZipInfo(f"tree/{path}" + "/" * (kind == "directory"))
            mode = {"directory": 0o040755, "file": 0o100644, "link": 0o120777}[kind]
            entry.external_attr = mode << 16
            target.writestr(entry, content[0] if content else b"")
    return file.getvalue()


def directory() -> FileSystem:
    """A folder of the machine's own."""
    return DirectoryFileSystem(tempfile.mkdtemp())


def object_store() -> FileSystem:
    """fsspec's own file system in memory, emptied."""
    import fsspec  # a package: not everywhere

    store = fsspec.filesystem("memory")
    if store.exists("/tree"):
        store.rm("/tree", recursive=True)
    return FsspecFileSystem(store)


@dataclass
class System:
    """A file system under test."""

    make: Callable[[], FileSystem]
    features: frozenset[str] = EVERYTHING
    has_tree: bool = False
    """Whether it has the tree, in `tree`, from the beginning: then it is made anew when a case has
    changed it. The others begin empty."""
    readonly: bool = False


SYSTEMS: dict[str, System] = {
    "memory": System(MemoryFileSystem),
    "directory": System(directory),
    "overlay": System(lambda: OverlayFileSystem(MemoryFileSystem())),
    # Every case copies up what it changes.
    "overlay-on-zip": System(
        lambda: OverlayFileSystem(ZipFileSystem(archive())), EVERYTHING, has_tree=True
    ),
    "zip": System(lambda: ZipFileSystem(archive()), EVERYTHING, has_tree=True, readonly=True),
    "fsspec": System(object_store, PLAIN),
}


def shared() -> FileSystem:
    """The first folder that the host shares with the machine."""
    from ovum.drivers import manager
    from ovum.services.vfs.ninep import NinePFileSystem

    manager.start()
    return NinePFileSystem(manager.find("9p")[0])


OF_A_MACHINE = {"9p": System(shared)}
"""Those that need a device, which only a machine has that was started with one."""


def runner_on(
    system: System, calls: Any, mount: Callable[..., Any], umount: Callable[..., Any], where: str
) -> Runner:
    """Mounts a new file system at `where`, and makes a runner for it."""
    mount(where, system.make())
    base = f"{where.rstrip('/')}/tree"
    if not system.has_tree:
        calls.mkdir(base, 0o755)
        return Runner(calls, base, system.features)

    def renew() -> None:
        umount(where)
        mount(where, system.make())

    return Runner(calls, base, system.features, renew=renew, readonly=system.readonly)
