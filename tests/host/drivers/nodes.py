"""Stands in for /dev: what drivers have put there."""

import errno
import os

from ovum.services.devices import Device


class Nodes:
    """`services.devices.Devices` without a kernel."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.links: dict[str, str] = {}

    def add(self, name: str, device: Device, mode: int) -> None:
        if name in self.devices:
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
        self.devices[name] = device

    def remove(self, name: str) -> None:
        del self.devices[name]

    def add_link(self, folder: str, name: str, device: str) -> None:
        if not name or "/" in name:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.links[f"{folder}/{name}"] = device

    def remove_link(self, folder: str, name: str) -> None:
        del self.links[f"{folder}/{name}"]
