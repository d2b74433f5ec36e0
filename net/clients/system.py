"""What the network's configuration changes in a machine: two files, its name, its clock, its log.

Every file is replaced by another at once: a program that reads it meanwhile reads either.
"""

from __future__ import annotations

import os
import time

from ovum.net.clients.texts import MARK, WAITING
from ovum.services.log import INFO, WARNING, log


class MachineSystem:
    """The machine that this runs in. `root` is for tests."""

    def __init__(self, root: str = "") -> None:
        self._root = root
        self._failed: set[str] = set()

    def write_resolv_conf(self, text: str) -> None:
        """See machine.System."""
        self._write(f"{self._root}/etc/resolv.conf", text)

    def write_hosts(self, text: str) -> None:
        """See machine.System."""
        self._write(f"{self._root}/etc/hosts", text)

    def _write(self, path: str, text: str) -> None:
        try:
            if not _is_ours(path):
                return
            fresh = f"{path}.ovum"
            with open(fresh, "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(text)
            os.replace(fresh, path)  # noqa: PTH105
        except OSError as error:
            # A full disk, or a file system of the program's at /etc.
            if path not in self._failed:
                self._failed.add(path)
                self.note(f"network: {path} stays as it is: {error}", bad=True)

    def set_hostname(self, name: str) -> None:
        """See machine.System."""
        import _socket

        _socket.sethostname(name)

    def wall_ns(self) -> int:
        """See machine.System."""
        return time.time_ns()

    def move_clock(self, by_ns: int) -> None:
        """See machine.System."""
        time.clock_settime_ns(time.CLOCK_REALTIME, time.time_ns() + by_ns)

    def note(self, text: str, bad: bool = False) -> None:
        """See machine.System."""
        log(WARNING if bad else INFO, text)


def _is_ours(path: str) -> bool:
    """Whether a file is as ovum has put it there; one that is not there is nobody's."""
    if os.path.islink(path):  # noqa: PTH114
        return os.readlink(path) == WAITING  # noqa: PTH115
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.readline() == MARK
    except FileNotFoundError:
        return True
