"""The file system at /proc."""

from __future__ import annotations

from ovum.services.proc.machine import machine_nodes
from ovum.services.proc.network import network_folder
from ovum.services.proc.nodes import Folder, Text
from ovum.services.proc.process import process_folder
from ovum.services.vfs.node import FileSystem, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.services.vfs.vfs import Vfs


class ProcFileSystem(FileSystem):
    """/proc. `inspect`, `cpuid`: `_kernel`'s. `own`: what /proc/ovum has, by its names."""

    name = "proc"

    def __init__(
        self,
        vfs: Vfs,
        inspect: Callable[[str], str],
        cpuid: Callable[[int, int], tuple[int, int, int, int]],
        own: dict[str, Node],
    ) -> None:
        mounts: dict[str, Node] = {
            "mounts": Text(lambda: mounts_text(vfs)),
            "mountinfo": Text(lambda: mountinfo_text(vfs)),
            "net": network_folder(inspect),
        }
        self.top = Folder(
            {
                "1": process_folder(inspect, vfs, mounts),
                "filesystems": Text(lambda: filesystems_text(vfs)),
                "ovum": Folder(own),
                **machine_nodes(inspect, cpuid),
            }
        )

    async def root(self) -> Node:
        return self.top


def _all_mounts(vfs: Vfs) -> list[tuple[str, str, str]]:
    return [("/", "rootfs", "rw"), *vfs.mounts()]


def _escaped(path: str) -> str:
    """As getmntent(3) reads it."""
    for character in ("\\", " ", "\t", "\n"):
        path = path.replace(character, f"\\{ord(character):03o}")
    return path


def mounts_text(vfs: Vfs) -> str:
    """/proc/mounts."""
    return "".join(
        f"{kind} {_escaped(path)} {kind} {options} 0 0\n"
        for path, kind, options in _all_mounts(vfs)
    )


def mountinfo_text(vfs: Vfs) -> str:
    """/proc/self/mountinfo (proc_pid_mountinfo(5))."""
    return "".join(
        f"{number} {0 if number == 1 else 1} 0:{number} / {_escaped(path)} {options} - "
        f"{kind} {kind} {options}\n"
        for number, (path, kind, options) in enumerate(_all_mounts(vfs), 1)
    )


def filesystems_text(vfs: Vfs) -> str:
    """The types that are in use."""
    kinds = dict.fromkeys(kind for _, kind, _ in _all_mounts(vfs))
    return "".join(f"nodev\t{kind}\n" for kind in kinds)
