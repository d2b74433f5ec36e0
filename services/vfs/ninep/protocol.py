"""The messages of 9P2000.L as data: their numbers, their fields, and both directions of packing.

What a message has is written as in the protocol's description (diod's protocol.md, which extends
intro(5) of Plan 9): `fid[4] name[s]` is a number of 4 bytes and a text. All numbers are
little-endian. A message is size[4] type[1] tag[2] and its fields; data of a read, a write or a
listing follows behind the fields.
"""

from __future__ import annotations

import errno
from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = b"9P2000.L"
NO_TAG = 0xFFFF
"""The tag of Tversion (version(5))."""
NO_FID = 0xFFFFFFFF
"""No file for authentication (attach(5))."""
IO_HEADER = 24
"""Bytes of a message that msize leaves for what is around the data of a read or a write."""
HEADER = 7
DATA_HEADER = 11
"""Where the data of Rread and Rreaddir begins; as long is Rlerror."""

QT_DIRECTORY = 0x80
QT_LINK = 0x02
"""Bits of the type of a qid."""

GETATTR_BASIC = 0x7FF
"""All that stat() tells."""

SET_MODE, SET_UID, SET_GID, SET_SIZE, SET_ACCESSED, SET_MODIFIED = 1, 2, 4, 8, 0x10, 0x20
SET_ACCESSED_TO, SET_MODIFIED_TO = 0x80, 0x100
"""Which fields of Tsetattr are meant."""

REMOVE_DIRECTORY = 0x200
"""A flag of Tunlinkat: AT_REMOVEDIR."""

LOCK_READ, LOCK_WRITE, UNLOCK = range(3)
LOCK_SUCCESS, LOCK_BLOCKED, LOCK_ERROR, LOCK_GRACE = range(4)


class ProtocolError(OSError):
    """The other side does not speak the protocol: whoever asked gets EIO."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EIO, f"9P: {text}")


_header = Struct("<IBH")
_length = Struct("<H")
_CODES = {"1": "B", "2": "H", "4": "I", "8": "Q", "q": "BIQ"}
_QID = Struct("<BIQ")


class Form:
    """The fields of a message. `name[s*]` and `qid[q*]` are lists, preceded by their length[2].

    A qid is three values where it stands alone (type, version, path), and a tuple in a list.
    """

    __slots__ = ("_counts", "_fixed", "_parts", "fields")

    def __init__(self, fields: str) -> None:
        self.fields = fields
        self._parts: list[Struct | str] = []
        """Structs of what has a fixed size, with "s", "s*" and "q*" between them."""
        codes = ""
        for field in fields.split():
            kind = field.partition("[")[2].rstrip("]")
            if kind in _CODES:
                codes += _CODES[kind]
                continue
            if codes:
                self._parts.append(Struct("<" + codes))
                codes = ""
            self._parts.append(kind)
        if codes:
            self._parts.append(Struct("<" + codes))
        self._counts = {
            part: len(part.unpack(bytes(part.size)))
            for part in self._parts
            if isinstance(part, Struct)
        }
        """How many values a struct has."""
        only = self._parts[0] if len(self._parts) == 1 else None
        self._fixed = only if isinstance(only, Struct) else None

    def pack(self, values: tuple[Any, ...]) -> bytes:
        """The fields with these values. Raises ProtocolError for texts that are too long."""
        if self._fixed is not None:
            return self._fixed.pack(*values)
        pieces: list[bytes] = []
        at = 0
        for part in self._parts:
            if isinstance(part, Struct):
                count = self._counts[part]
                pieces.append(part.pack(*values[at : at + count]))
                at += count
                continue
            value = values[at]
            at += 1
            if part == "s":
                pieces.append(_text(value))
                continue
            pieces.append(_length.pack(len(value)))
            for one in value:
                pieces.append(_text(one) if part == "s*" else _QID.pack(*one))
        return b"".join(pieces)

    def unpack(self, data: bytes, at: int = HEADER) -> tuple[Any, ...]:
        """The values of fields that fill all of data from `at` on. Raises ProtocolError."""
        if self._fixed is not None:
            if len(data) != at + self._fixed.size:
                raise ProtocolError(f"{len(data)} bytes are not {self.fields!r}")
            return self._fixed.unpack_from(data, at)
        values: list[Any] = []
        for part in self._parts:
            if isinstance(part, Struct):
                self._check(data, at + part.size)
                values += part.unpack_from(data, at)
                at += part.size
                continue
            self._check(data, at + 2)
            count: int = _length.unpack_from(data, at)[0]
            at += 2
            if part == "s":
                self._check(data, at + count)
                values.append(data[at : at + count])
                at += count
                continue
            found: list[Any] = []
            for _ in range(count):
                if part == "q*":
                    self._check(data, at + _QID.size)
                    found.append(_QID.unpack_from(data, at))
                    at += _QID.size
                else:
                    self._check(data, at + 2)
                    size: int = _length.unpack_from(data, at)[0]
                    self._check(data, at + 2 + size)
                    found.append(data[at + 2 : at + 2 + size])
                    at += 2 + size
            values.append(found)
        if at != len(data):
            raise ProtocolError(f"{len(data) - at} bytes are behind {self.fields!r}")
        return tuple(values)

    def _check(self, data: bytes, end: int) -> None:
        if end > len(data):
            raise ProtocolError(f"{len(data)} bytes are too few for {self.fields!r}")


def _text(value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise ProtocolError(f"a text of {len(value)} bytes does not fit into a message")
    return _length.pack(len(value)) + value


class Operation:
    """A request and its answer, whose number is the next. `name` is without T and R."""

    __slots__ = ("answer", "data", "name", "number", "request")

    def __init__(self, number: int, name: str, request: str, answer: str, data: str = "") -> None:
        self.number = number
        self.name = name
        self.request = Form(request)
        self.answer = Form(answer)
        self.data = data
        """Which of them has data behind its fields: "T", "R" or neither."""

    def __repr__(self) -> str:
        return f"T{self.name}"


def pack(number: int, tag: int, body: bytes, data: int = 0) -> bytes:
    """A message of this type; `data` is how many bytes will be sent behind it."""
    return _header.pack(HEADER + len(body) + data, number, tag) + body


def unpack_header(message: bytes | memoryview) -> tuple[int, int, int]:
    """Size, type and tag of a message. Raises ProtocolError if there are not as many bytes."""
    if len(message) < HEADER:
        raise ProtocolError(f"a message of {len(message)} bytes")
    return _header.unpack_from(message)


_RLERROR = 7
_error = Form("ecode[4]")


def unpack_answer(
    operation: Operation, tag: int, message: bytes, size: int
) -> tuple[tuple[Any, ...], int]:
    """The values of an answer, and how many bytes of data belong to it.

    `message` is its beginning: all but the data. `size`: bytes that were received, with the data.
    Raises the OSError that Rlerror tells, ProtocolError for all that is no answer.
    """
    told, number, its_tag = unpack_header(message)
    if told != size:
        raise ProtocolError(f"{size} bytes came for a message of {told}")
    if its_tag != tag:
        raise ProtocolError(f"{operation!r} with tag {tag} was answered with tag {its_tag}")
    if number == _RLERROR:
        (code,) = _error.unpack(message)
        raise error_of(code, operation)
    if number != operation.number + 1:
        raise ProtocolError(f"{operation!r} was answered with a message of type {number}")
    values = operation.answer.unpack(message)
    if operation.data != "R":
        return values, 0
    count: int = values[0]
    if DATA_HEADER + count != size:
        raise ProtocolError(f"{operation!r} was answered with {count} in {size} bytes")
    return values, count


def error_of(code: int, operation: Operation) -> OSError:
    """What an error code of the other side means: errno of Linux."""
    if code not in errno.errorcode:
        return ProtocolError(f"{operation!r} failed with error {code}, which does not exist")
    import os

    return OSError(code, os.strerror(code))


TSTATFS = Operation(
    8,
    "statfs",
    "fid[4]",
    "type[4] bsize[4] blocks[8] bfree[8] bavail[8] files[8] ffree[8] fsid[8] namelen[4]",
)
TLOPEN = Operation(12, "lopen", "fid[4] flags[4]", "qid[q] iounit[4]")
TLCREATE = Operation(14, "lcreate", "fid[4] name[s] flags[4] mode[4] gid[4]", "qid[q] iounit[4]")
TSYMLINK = Operation(16, "symlink", "fid[4] name[s] symtgt[s] gid[4]", "qid[q]")
TMKNOD = Operation(18, "mknod", "dfid[4] name[s] mode[4] major[4] minor[4] gid[4]", "qid[q]")
TREADLINK = Operation(22, "readlink", "fid[4]", "target[s]")
TGETATTR = Operation(
    24,
    "getattr",
    "fid[4] request_mask[8]",
    "valid[8] qid[q] mode[4] uid[4] gid[4] nlink[8] rdev[8] size[8] blksize[8] blocks[8] "
    "atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8] ctime_sec[8] ctime_nsec[8] "
    "btime_sec[8] btime_nsec[8] gen[8] data_version[8]",
)
TSETATTR = Operation(
    26,
    "setattr",
    "fid[4] valid[4] mode[4] uid[4] gid[4] size[8] "
    "atime_sec[8] atime_nsec[8] mtime_sec[8] mtime_nsec[8]",
    "",
)
TREADDIR = Operation(40, "readdir", "fid[4] offset[8] count[4]", "count[4]", "R")
TFSYNC = Operation(50, "fsync", "fid[4] datasync[4]", "")
TLOCK = Operation(
    52,
    "lock",
    "fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s]",
    "status[1]",
)
TGETLOCK = Operation(
    54,
    "getlock",
    "fid[4] type[1] start[8] length[8] proc_id[4] client_id[s]",
    "type[1] start[8] length[8] proc_id[4] client_id[s]",
)
TLINK = Operation(70, "link", "dfid[4] fid[4] name[s]", "")
TMKDIR = Operation(72, "mkdir", "dfid[4] name[s] mode[4] gid[4]", "qid[q]")
TRENAMEAT = Operation(74, "renameat", "olddirfid[4] oldname[s] newdirfid[4] newname[s]", "")
TUNLINKAT = Operation(76, "unlinkat", "dirfd[4] name[s] flags[4]", "")
TVERSION = Operation(100, "version", "msize[4] version[s]", "msize[4] version[s]")
TATTACH = Operation(104, "attach", "fid[4] afid[4] uname[s] aname[s] n_uname[4]", "qid[q]")
TFLUSH = Operation(108, "flush", "oldtag[2]", "")
TWALK = Operation(110, "walk", "fid[4] newfid[4] wname[s*]", "wqid[q*]")
TREAD = Operation(116, "read", "fid[4] offset[8] count[4]", "count[4]", "R")
TWRITE = Operation(118, "write", "fid[4] offset[8] count[4]", "count[4]", "T")
TCLUNK = Operation(120, "clunk", "fid[4]", "")
TREMOVE = Operation(122, "remove", "fid[4]", "")

OPERATIONS = {
    operation.number: operation
    for operation in list(globals().values())
    if isinstance(operation, Operation)
}
"""All of them by the number of the request."""

_entry = Struct("<BIQQB")


def unpack_entries(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """What Rreaddir's data lists: path of the qid, offset of what follows, type as in struct
    dirent, and name. Raises ProtocolError, for names that are none too."""
    found = []
    at = 0
    while at < len(data):
        if at + _entry.size + 2 > len(data):
            raise ProtocolError("a listing ends within an entry")
        _, _, path, offset, kind = _entry.unpack_from(data, at)
        at += _entry.size
        size: int = _length.unpack_from(data, at)[0]
        at += 2
        name = data[at : at + size]
        at += size
        if len(name) < size:
            raise ProtocolError("a listing ends within a name")
        if not name or b"/" in name or b"\0" in name:
            raise ProtocolError(f"a listing has the name {name!r}")
        found.append((path, offset, kind, name))
    return found


def pack_entry(qid: tuple[int, int, int], offset: int, kind: int, name: bytes) -> bytes:
    """One entry of a listing."""
    return _entry.pack(*qid, offset, kind) + _text(name)
