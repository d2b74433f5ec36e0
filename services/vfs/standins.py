"""What stands in for the kernel where there is none: its requests, and how they come."""

from __future__ import annotations

import errno
import os
import time
from _thread import allocate_lock
from queue import Empty, SimpleQueue

from ovum.services.vfs.node import refuse
from ovum.services.vfs.operations import MOUNT_NETWORK

ROOT = MOUNT_NETWORK + 1
"""The number of the first mount."""


class HostRequest:
    """Stands in for `_kernel.Request`."""

    __slots__ = (
        *("a", "b", "base", "base2", "buffer", "c", "done", "extra", "mount", "mount2", "number"),
        *("operation", "path", "path2", "redirected", "result", "second", "thread"),
    )

    def __init__(self, operation: int, number: int) -> None:
        self.operation = operation
        self.number = number
        self.mount = self.mount2 = ROOT
        self.base = self.base2 = 0
        self.a = self.b = self.c = 0
        self.path = self.path2 = b""
        self.buffer: memoryview | None = None
        self.thread = 1
        self.result = 0
        self.extra = 0
        self.redirected: bytes | None = None
        self.second = False
        self.done = allocate_lock()
        self.done.acquire()

    def complete(self, result: int, extra: int = 0) -> None:
        """Answers the call. Raises ValueError when it was answered before."""
        if not self.done.locked():
            raise ValueError("the request is completed already")
        self.result = result
        self.extra = extra
        if self.buffer is not None:
            self.buffer.release()
        self.done.release()

    def abandon(self) -> None:
        """Answers with EIO, whatever still uses the buffer; nothing if it was answered before."""
        if self.done.locked():
            self.result = -errno.EIO
            self.done.release()

    def redirect(self, path: bytes, second: bool = False) -> None:
        """Has the call start again with another path."""
        self.redirected = path
        self.second = second
        self.complete(0)


class HostKernel:
    """What `KernelEvents` needs of `_kernel`: requests come through a queue."""

    EVENT_CANCEL = 2
    EVENT_INTERRUPT = 3
    EVENT_POWER_BUTTON = 4
    EVENT_LOG = 5
    EVENT_SCREEN = 6
    EVENT_SOCKETS = 7

    def __init__(self) -> None:
        self.events: SimpleQueue[HostRequest | tuple[int, ...] | None] = SimpleQueue()

    def wait(self, deadline: int | None, in_flight: int = 0) -> list[HostRequest | tuple[int, ...]]:
        """Blocks until the deadline (ns), an event or wake()."""
        try:
            if deadline is None:
                event = self.events.get()
            elif deadline <= 0:
                event = self.events.get_nowait()
            else:
                left = max(0, deadline - time.monotonic_ns()) / 1e9
                event = self.events.get(timeout=left)
        except Empty:
            return []
        return [] if event is None else [event]

    def wake(self) -> None:
        """Makes wait() return."""
        self.events.put(None)


class Descriptor:
    """An open file, as the kernel keeps it."""

    def __init__(self, handle: int, kind: int, flags: int) -> None:
        self.handle = handle
        self.kind = kind
        self.flags = flags
        self.position = 0

    def check(self, writing: bool) -> None:
        """Raises OSError(EBADF) for what the file was not opened for."""
        mode = self.flags & os.O_ACCMODE
        if self.flags & os.O_PATH or mode == (os.O_RDONLY if writing else os.O_WRONLY):
            raise refuse(errno.EBADF)
