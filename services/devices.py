"""Devices whose drivers are tasks: files in /dev that any program opens, reads and writes.

class Dice(devices.Device):
    async def read(self, offset: int, size: int) -> bytes:
        return bytes(random.randint(1, 6) for _ in range(size))

devices.register("dice", Dice())
"""

from __future__ import annotations

import errno
import os
import stat

from ovum.services.vfs.node import Attributes, Node, now, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.vfs.vfs import Vfs

MAJOR = 240
"""Major numbers from here on are for local use (Linux, admin-guide/devices.txt)."""

KMSG = 1 << 8 | 11
"""/dev/kmsg, which the kernel itself puts there."""


class Device(Node):
    """A device, of characters unless its `kind` is S_IFBLK. A driver is a subclass with `read` or
    `write`, and what else it needs.

    Reads and writes come with the offset that the program's file has; most devices have no use for
    it. What is kept for each opening is in what `open` returns.
    """

    kind: int = stat.S_IFCHR
    name = ""
    number = 0
    """Major << 8 | minor, once it is registered."""

    async def attributes(self) -> Attributes:
        info = Attributes(stat.S_IFCHR | 0o666, self.number, 0, now())
        info.device = self.number
        return info

    async def truncate(self, size: int) -> None:
        """Opening with O_TRUNC does nothing to a device."""


class Devices:
    """The devices that are registered."""

    def __init__(self, vfs: Vfs, folder: str = "/dev") -> None:
        self._vfs = vfs
        self._folder = folder
        self._names: dict[str, Device] = {}
        self._last = MAJOR << 8

    def add(self, name: str, device: Device, mode: int) -> None:
        """In the services thread: see `register`."""
        _check_name(name)
        if device.number:
            raise refuse(errno.EBUSY)
        self._last += 1
        path = f"{self._folder}/{name}"
        os.mknod(path, device.kind | mode, self._last)
        os.chmod(path, mode)  # noqa: PTH101  # whatever the umask is
        device.name, device.number = name, self._last
        self._vfs.devices[self._last] = device
        self._names[name] = device

    def remove(self, name: str) -> None:
        """In the services thread: see `unregister`."""
        device = self._names.pop(name, None)
        if device is None:
            raise refuse(errno.ENOENT)
        del self._vfs.devices[device.number]
        device.number = 0
        os.unlink(f"{self._folder}/{name}")  # noqa: PTH108

    def add_link(self, folder: str, name: str, device: str) -> None:
        """In the services thread: makes FOLDER/NAME, a link to a device of ours. Raises OSError."""
        _check_name(folder)
        _check_name(name)
        path = f"{self._folder}/{folder}"
        if not os.path.isdir(path):  # noqa: PTH112
            os.mkdir(path)  # noqa: PTH102
        os.symlink(f"../{device}", f"{path}/{name}")  # noqa: PTH211

    def remove_link(self, folder: str, name: str) -> None:
        """In the services thread: takes such a link away. Raises OSError."""
        os.unlink(f"{self._folder}/{folder}/{name}")  # noqa: PTH108


def _check_name(name: str) -> None:
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise refuse(errno.EINVAL)


def register(name: str, device: Device, *, mode: int = 0o666) -> None:
    """Makes /dev/NAME, which `device` serves. From any thread, drivers' own included.

    Raises OSError: EEXIST, EINVAL for what is no name, EBUSY for a device that has one.
    """
    from ovum.services.main import here_or_call

    here_or_call(lambda machine: machine.devices.add(name, device, mode))


def unregister(name: str) -> None:
    """Takes /dev/NAME away; what is open stays so. Raises OSError(ENOENT)."""
    from ovum.services.main import here_or_call

    here_or_call(lambda machine: machine.devices.remove(name))
