"""/dev/kmsg: the kernel's log, a record for each read (Linux, ABI/testing/dev-kmsg).

A record is `priority,number,microseconds,-;text`. The number is the record's place in the log, in
bytes: it grows, but not by one.
"""

from __future__ import annotations

import errno
import os

from ovum.services.devices import Device
from ovum.services.tasks import Parking
from ovum.services.vfs.node import Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Kernel(Protocol):
        """The part of `_kernel` that is used."""

        def read_log(self, position: int = ..., /) -> tuple[bytes, int]: ...
        def log(self, level: int, text: str, /) -> None: ...


_PRIORITIES = {"1": 3, "2": 4, "3": 6, "4": 7}
"""syslog(3)'s priorities of the log's levels: err, warning, info, debug."""


class Kmsg(Device):
    """The device."""

    name = "kmsg"

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.followers = Parking("see a new message in the log")

    def grown(self) -> None:
        """The log has a message more."""
        self.followers.wake_all()

    async def open(self, flags: int) -> Node:
        return _Reader(self, bool(flags & os.O_NONBLOCK))


class _Reader(Node):
    """One opening: it begins at the oldest message."""

    def __init__(self, device: Kmsg, nonblocking: bool) -> None:
        self._device = device
        self._nonblocking = nonblocking
        self._records: list[bytes] = []
        self._position = 0
        self._offset = 0

    async def read(self, offset: int, size: int) -> bytes:
        if offset != self._offset and offset == 0:
            self._records.clear()
            self._position = self._offset = 0
        while not self._records:
            start = self._position
            text, end = self._device.kernel.read_log(start)
            if text:
                self._position = end
                self._take(text, end - len(text))
            elif self._nonblocking:
                raise refuse(errno.EAGAIN)
            else:
                await self._device.followers.park()
        if len(self._records[0]) > size:
            raise refuse(errno.EINVAL)
        record = self._records.pop(0)
        self._offset = offset + len(record)
        return record

    def _take(self, text: bytes, position: int) -> None:
        for line in text.removesuffix(b"\n").split(b"\n"):  # messages may have a \r in them
            line += b"\n"
            level, _, rest = line[1:].partition(b">[")
            seconds, _, message = rest.partition(b"] ")
            microseconds = int(seconds.replace(b".", b"").strip() or b"0")
            priority = _PRIORITIES.get(level.decode(), 6)
            head = f"{priority},{position},{microseconds},-;".encode()
            self._records.append(head + message)
            position += len(line)

    async def write(self, offset: int, data: memoryview) -> int:
        text = bytes(data).decode("utf-8", "replace").rstrip("\n")
        level = 3
        if text.startswith("<") and ">" in text[:6]:
            number, _, text = text[1:].partition(">")
            digits = number.isascii() and number.isdigit()
            priority = int(number) & 7 if digits else 6
            level = 1 if priority <= 3 else 2 if priority == 4 else 3 if priority <= 6 else 4
        self._device.kernel.log(level, text)
        return len(data)
