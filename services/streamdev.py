"""Ports as files in /dev: streams of bytes, without positions."""

from __future__ import annotations

import errno
import os

from ovum.drivers.errors import DeviceError, DeviceGone
from ovum.services.devices import Device
from ovum.services.tasks import WouldBlock
from ovum.services.vfs.node import Node, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Stream(Protocol):
        """What is behind such a file, for example a `Port` of a virtio console."""

        async def open(self) -> None: ...
        async def close(self) -> None: ...
        async def read(self, size: int, *, wait: bool = True) -> bytes: ...
        async def write(self, data: memoryview, *, wait: bool = True) -> int: ...
        async def drain(self) -> None: ...


class StreamNode(Device):
    """The node of a stream. fsync() waits until the other end has taken everything."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    async def open(self, flags: int) -> Node:
        try:
            await self.stream.open()
        except DeviceError as error:
            raise _errno_of(error) from error
        return _OpenStream(self.stream, not flags & os.O_NONBLOCK)


class _OpenStream(Node):
    def __init__(self, stream: Stream, wait: bool) -> None:
        self._stream = stream
        self._wait = wait

    async def close(self) -> None:
        try:
            await self._stream.close()
        except DeviceError as error:
            raise _errno_of(error) from error

    async def read(self, offset: int, size: int) -> bytes:
        try:
            return await self._stream.read(size, wait=self._wait)
        except WouldBlock:
            raise refuse(errno.EAGAIN) from None
        except DeviceError as error:
            raise _errno_of(error) from error

    async def write(self, offset: int, data: memoryview) -> int:
        try:
            return await self._stream.write(data, wait=self._wait)
        except WouldBlock:
            raise refuse(errno.EAGAIN) from None
        except DeviceError as error:
            raise _errno_of(error) from error

    async def sync(self, data_only: bool) -> None:
        try:
            await self._stream.drain()
        except DeviceError as error:
            raise _errno_of(error) from error


def _errno_of(error: DeviceError) -> OSError:
    number = errno.ENODEV if isinstance(error, DeviceGone) else errno.EIO
    return OSError(number, str(error))
