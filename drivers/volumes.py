"""Folders of the host's in the machine's tree: shared by QEMU with a tag, mounted by it.

    from ovum.drivers.volumes import mount_host

    mount_host("share", "/host")  # qemu … -virtfs local,path=…,mount_tag=share,security_model=none

`ovum run --volume` puts words of the form ovum.volume=TAG:/path[:ro] on the kernel's command line,
in which "%20" stands for a space, as in an address. They are mounted before the program begins.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = "ovum.volume="


def mount_host(tag: str, path: str, *, readonly: bool = False) -> None:
    """Mounts the shared folder of this tag at a path, which is made if it is not there.

    From any thread of a program. Raises OSError: ENODEV without such a device, and what the device
    and `vfs.mount` raise.
    """
    import errno

    from ovum.drivers import manager
    from ovum.services import vfs
    from ovum.services.vfs.ninep import NinePFileSystem

    manager.start()
    for driver in manager.find("9p"):
        if driver.tag == tag:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103 (pathlib is large)
            vfs.mount(path, NinePFileSystem(driver, readonly=readonly))
            return
    raise OSError(errno.ENODEV, f"the host shares no folder with the tag {tag!r}")


def volumes_of(command_line: str) -> Iterator[tuple[str, str, bool]]:
    """Tag, path and whether it is read-only, of each volume that a command line names.

    Words behind "--" are the program's own. Raises ValueError.
    """
    for word in command_line.split():
        if word == "--":
            return
        if word.startswith(WORD):
            tag, _, rest = word[len(WORD) :].partition(":")
            path, _, flag = rest.partition(":")
            yield tag, _unquoted(path), flag == "ro"


def _unquoted(text: str) -> str:
    first, *rest = text.encode("utf-8", "surrogateescape").split(b"%")
    for part in rest:
        if len(part) < 2:
            raise ValueError(f"{text!r} is quoted wrongly")
        first += bytes.fromhex(part[:2].decode("ascii")) + part[2:]
    return os.fsdecode(first)


def mount_volumes() -> None:
    """Mounts what the kernel's command line names; called before the program begins.

    What cannot be mounted is told on standard error: its path is then not there.
    """
    import _kernel

    try:
        volumes = list(volumes_of(_kernel.boot_info()["command_line"]))
    except ValueError as error:
        print(f"ovum: no volumes: {error}", file=sys.stderr)
        return
    for tag, path, readonly in volumes:
        try:
            mount_host(tag, path, readonly=readonly)
        except OSError as error:
            print(f"ovum: the volume at {path} is missing: {error}", file=sys.stderr)
