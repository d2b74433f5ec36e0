"""Where an image's bytes come from: memory, or a file, wherever that is."""

from __future__ import annotations

import errno
import os

from ovum.services.tasks import to_thread
from ovum.services.vfs.node import refuse
from ovum.services.vfs.vfs import FIRST_DEVICE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Source(Protocol):
        """Bytes that do not change."""

        size: int

        async def read(self, offset: int, size: int) -> bytes | memoryview:
            """That many bytes from offset on. Raises OSError(EIO) where there are fewer."""

        def close(self) -> None:
            """They are not needed any more."""


class BytesSource:
    """Bytes in memory."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data).cast("B")
        self.size = len(self._data)

    async def read(self, offset: int, size: int) -> memoryview:
        if offset < 0 or offset + size > self.size:
            raise refuse(errno.EIO)
        return self._data[offset : offset + size]

    def close(self) -> None:
        self._data.release()


class FileSource:
    """A file. What another file system serves is read in threads: here it would be waited for by
    the one who has to serve it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        info = os.fstat(self._fd)
        self.size = info.st_size
        self._direct = info.st_dev < FIRST_DEVICE

    async def read(self, offset: int, size: int) -> bytes:
        data: bytes
        if self._direct:
            data = os.pread(self._fd, size, offset)
        else:
            data = await to_thread(os.pread, self._fd, size, offset)
        if len(data) != size:
            raise refuse(errno.EIO)
        return data

    def close(self) -> None:
        os.close(self._fd)


def open_source(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Source:
    """The source for a path or for bytes. Raises OSError."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return BytesSource(source)
    return FileSource(source)
