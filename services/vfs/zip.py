"""Zip archives as file systems (PKWARE's APPNOTE.TXT 6.3.10), read in place."""

from __future__ import annotations

import bz2
import errno
import io
import stat
import time
import zipfile
import zlib

from ovum.services.log import WARNING, log
from ovum.services.tasks import Lock, checkpoint
from ovum.services.vfs.node import Node, refuse
from ovum.services.vfs.source import open_source
from ovum.services.vfs.static import StaticDirectory, StaticFileSystem, StaticLink, StaticNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from ovum.services.vfs.node import Attributes
    from ovum.services.vfs.source import Source

_PIECE = 65536
"""Bytes that are unpacked between two checkpoints, so that nobody waits for a large file."""

_LOCAL_HEADER = 30
"""Bytes of a local file header before its name (APPNOTE 4.3.7)."""

_ENCRYPTED = 1
"""General purpose bit 0 (APPNOTE 4.4.4)."""

_PATH_MAX = 4096
"""Bytes that the target of a symbolic link may have, its end included."""


class ZipFileSystem(StaticFileSystem):
    """What is in a zip archive: a path, or its bytes.

    Entries may be stored, deflated or bzip2; permissions, symbolic links and times are kept. Raises
    OSError, and zipfile.BadZipFile for what is no archive.
    """

    name = "zip"

    def __init__(self, archive: str | os.PathLike[str] | bytes | bytearray | memoryview) -> None:
        super().__init__()
        self.source: Source = open_source(archive)
        if isinstance(archive, (bytes, bytearray, memoryview)):
            archive = io.BytesIO(archive)  # type: ignore[assignment]  # it shares what is bytes
        try:
            with zipfile.ZipFile(archive) as listing:  # type: ignore[arg-type]
                for entry in listing.infolist():
                    self._add(entry, listing)
        except BaseException:
            self.source.close()
            raise

    def _add(self, entry: zipfile.ZipInfo, listing: zipfile.ZipFile) -> None:
        names = [name for name in entry.filename.split("/") if name not in ("", ".")]
        if ".." in names or not names:
            log(WARNING, f"zip: {entry.filename!r} is left out: it would not be in the archive")
            return
        mode = entry.external_attr >> 16
        when = time.mktime((*entry.date_time, 0, 0, -1))
        if entry.is_dir():
            info = self.directory_of(names).info
            info.mode = stat.S_IFDIR | (stat.S_IMODE(mode) or 0o755)
            info.accessed = info.modified = info.changed = int(when * 1e9)
            return
        directory = self.directory_of(names[:-1])
        if isinstance(directory.names.get(names[-1]), StaticDirectory):
            log(WARNING, f"zip: the file {entry.filename!r} is left out: it is a directory, too")
            return
        target = None
        if stat.S_ISLNK(mode):
            target = _target_of(entry, listing)
            if target is None:
                log(WARNING, f"zip: the link {entry.filename!r} is left out: it cannot be read")
                return
        kind = stat.S_IFREG if target is None else stat.S_IFLNK
        info = self.attributes(
            kind | (stat.S_IMODE(mode) or 0o644), entry.file_size, int(when * 1e9)
        )
        directory.names[names[-1]] = (
            _File(info, entry, self.source) if target is None else StaticLink(info, target)
        )

    async def unmounted(self) -> None:
        self.source.close()


def _target_of(entry: zipfile.ZipInfo, listing: zipfile.ZipFile) -> str | None:
    """The path that a symbolic link holds; None if it is damaged, encrypted or too long."""
    try:
        with listing.open(entry) as packed:
            # No more than a path may have, whatever there is: it is unpacked into memory.
            target = packed.read(_PATH_MAX)
            if len(target) >= _PATH_MAX or packed.read(1):
                return None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        return None  # RuntimeError: encrypted, or packed in a way that zipfile does not know
    return target.decode("utf-8", "surrogateescape")


class _File(StaticNode):
    def __init__(self, info: Attributes, entry: zipfile.ZipInfo, source: Source) -> None:
        super().__init__(info)
        self.entry = entry
        self._source = source

    async def open(self, flags: int) -> Node:
        entry = self.entry
        if entry.flag_bits & _ENCRYPTED:
            raise refuse(errno.EACCES)
        # The name and the extra field may differ from the central directory's (APPNOTE 4.3.12).
        header = await self._source.read(entry.header_offset, _LOCAL_HEADER)
        if bytes(header[:4]) != b"PK\3\4":
            raise refuse(errno.EIO)
        name_size = int.from_bytes(header[26:28], "little")
        extra_size = int.from_bytes(header[28:30], "little")
        start = entry.header_offset + _LOCAL_HEADER + name_size + extra_size
        if entry.compress_type == zipfile.ZIP_STORED:
            return _Stored(self, self._source, start)
        if entry.compress_type in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
            return _Packed(self, self._source, start)
        raise refuse(errno.EOPNOTSUPP)


class _Stored(StaticNode):
    """An open file that is not compressed."""

    def __init__(self, file: _File, source: Source, start: int) -> None:
        super().__init__(file.info)
        self._source = source
        self._start = start

    async def read(self, offset: int, size: int) -> bytes | memoryview:
        size = min(size, self.info.size - offset)
        return await self._source.read(self._start + offset, size) if size > 0 else b""


class _Packed(StaticNode):
    """An open file that is compressed: unpacked as it is read, again from its start to go back."""

    def __init__(self, file: _File, source: Source, start: int) -> None:
        super().__init__(file.info)
        self._entry = file.entry
        self._source = source
        self._start = start
        self._turn = Lock("unpacking")
        """One read at a time: they share the decompressor, and wait for the archive."""
        self._rewind()

    def _rewind(self) -> None:
        deflated = self._entry.compress_type == zipfile.ZIP_DEFLATED
        # No zlib header: a raw stream, as APPNOTE 4.4.5 has it.
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if deflated else None
        self._bunzip = None if deflated else bz2.BZ2Decompressor()
        self._packed = 0
        """Bytes of the entry that the decompressor has got."""
        self._at = 0
        """Where `_ready` is in the file."""
        self._ready = b""
        self._crc = 0

    async def read(self, offset: int, size: int) -> bytes | memoryview:
        size = min(size, self.info.size - offset)
        if size <= 0:
            return b""
        parts: list[bytes] = []
        async with self._turn:
            if offset < self._at:
                self._rewind()
            while size:
                skip = offset - self._at
                if skip < len(self._ready):
                    part = self._ready[skip : skip + size]
                    parts.append(part)
                    offset += len(part)
                    size -= len(part)
                else:
                    await self._go_on()
        return b"".join(parts)

    async def _go_on(self) -> None:
        """Makes what comes next ready: not nothing. Cancelled, nothing has changed."""
        while True:
            await checkpoint()
            left = self._entry.compress_size - self._packed
            raw: bytes | memoryview = b""
            if self._wants_more() and left:
                raw = await self._source.read(self._start + self._packed, min(left, _PIECE))
            try:
                data = self._unpack(raw)
                if data:
                    self._take(data)
                    return
                if not raw and (self._wants_more() or not left):
                    raise refuse(errno.EIO)  # it ends before its size says
            except (zlib.error, OSError, EOFError, ValueError):
                self._rewind()
                raise refuse(errno.EIO) from None

    def _wants_more(self) -> bool:
        """Whether the decompressor has used all that it has got."""
        if self._inflate is not None:
            return not self._inflate.unconsumed_tail
        assert self._bunzip is not None
        return self._bunzip.needs_input

    def _unpack(self, raw: bytes | memoryview) -> bytes:
        """What the decompressor makes of these bytes, or of those it has still."""
        self._packed += len(raw)
        if self._inflate is not None:
            return self._inflate.decompress(raw or self._inflate.unconsumed_tail, _PIECE)
        assert self._bunzip is not None
        return self._bunzip.decompress(raw, _PIECE)

    def _take(self, data: bytes) -> None:
        """Raises OSError(EIO) when everything has been read and is not what was packed."""
        self._at += len(self._ready)
        self._ready = data
        self._crc = zlib.crc32(data, self._crc)
        end = self._at + len(data)
        if end > self.info.size or (end == self.info.size and self._crc != self._entry.CRC):
            raise refuse(errno.EIO)
