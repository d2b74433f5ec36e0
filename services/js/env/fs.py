"""Files for JavaScript: each function is a system call or a few, with node's errors."""

from __future__ import annotations

import errno
import os
import shutil
import stat

from ovum.services.js.env.system_errors import checked, system_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.services.js.context import Context

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "link"),
    (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "character"),
    (stat.S_ISBLK, "block"),
)


def kind_of(mode: int) -> str:
    """What a mode says a file is."""
    return next((name for test, name in _KINDS if test(mode)), "unknown")


def _told(found: os.stat_result) -> list[Any]:
    times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    return [
        *(found.st_dev, found.st_ino, found.st_mode, found.st_nlink, found.st_uid, found.st_gid),
        *(found.st_rdev, found.st_size, found.st_blksize, found.st_blocks),
        *(time / 1e6 for time in times),
        kind_of(found.st_mode),
    ]


def _read_all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _read_file(path: str, flags: int) -> bytes:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise system_error(error, "open", path) from error
    try:
        return _read_all(descriptor)
    except OSError as error:
        raise system_error(error, "read") from error
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_file(path: str | int, data: bytes, flags: int, mode: int) -> None:
    if isinstance(path, int):
        _write_all(path, data)
        return
    descriptor = os.open(path, flags | os.O_CLOEXEC, mode)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int, position: int) -> bytes:
    return os.read(descriptor, size) if position < 0 else os.pread(descriptor, size, position)


def _write(descriptor: int, data: bytes, position: int) -> int:
    return os.write(descriptor, data) if position < 0 else os.pwrite(descriptor, data, position)


def _entries(path: str) -> list[list[str]]:
    with os.scandir(path) as found:
        listed = [
            [entry.name, kind_of(entry.stat(follow_symlinks=False).st_mode)] for entry in found
        ]
    # In whatever order the file system has them; a fixed one serves programs better.
    return sorted(listed)


def _make(path: str, recursive: bool, mode: int) -> str | None:
    if not recursive:
        os.mkdir(path, mode)
        return None
    missing = []
    folder = path.rstrip("/")
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for made in reversed(missing):
        os.mkdir(made, mode)
    return missing[-1] if missing else None


def _remove(path: str, recursive: bool, force: bool) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError as error:
        if force:
            return
        raise system_error(error, "lstat", path) from error
    if not stat.S_ISDIR(mode):
        os.unlink(path)
    elif recursive:
        shutil.rmtree(path)
    else:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)


def _copy(source: str, target: str, exclusive: bool) -> None:
    if exclusive and os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    if os.path.isdir(source):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), source)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _access(path: str, mode: int) -> None:
    if not os.access(path, mode):
        # That which stat raises, if it is not there at all.
        os.stat(path)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def _real(path: str) -> str:
    return os.path.realpath(path, strict=True)


def _truncate(path: str | int, length: int) -> None:
    os.truncate(path, length)


def _make_temporary(prefix: str) -> str:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    while True:
        name = prefix + "".join(letters[byte % len(letters)] for byte in os.urandom(6))
        try:
            os.mkdir(name, 0o700)
        except FileExistsError:
            # Chance has given one that is there.
            continue
        return name


def _utimes(path: str | int, accessed: float, modified: float) -> None:
    os.utime(path, (accessed, modified))


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    return {
        "access": checked("access", _access),
        "chmod": checked("chmod", os.chmod),
        "chown": checked("chown", os.chown),
        "close": checked("close", os.close, paths=0),
        "copy": checked("copyfile", _copy, paths=2),
        "entries": checked("scandir", _entries),
        "exists": os.path.exists,
        "fstat": checked("fstat", lambda number: _told(os.fstat(number)), paths=0),
        "fsync": checked("fsync", os.fsync, paths=0),
        "link": checked("link", os.link, paths=2),
        "lstat": checked("lstat", lambda path: _told(os.lstat(path))),
        "make": checked("mkdir", _make),
        "makeTemporary": checked("mkdtemp", _make_temporary),
        "open": checked(
            "open", lambda path, flags, mode: os.open(path, flags | os.O_CLOEXEC, mode)
        ),
        "read": checked("read", _read, paths=0),
        "readFile": _read_file,
        "readFileByNumber": checked("read", _read_all, paths=0),
        "readLink": checked("readlink", os.readlink),
        "real": checked("realpath", _real),
        "remove": checked("rm", _remove),
        "removeFolder": checked("rmdir", os.rmdir),
        "rename": checked("rename", os.rename, paths=2),
        "stat": checked("stat", lambda path: _told(os.stat(path))),
        "symlink": checked("symlink", os.symlink, paths=2),
        "truncate": checked("open", _truncate),
        "truncateByNumber": checked("ftruncate", _truncate, paths=0),
        "unlink": checked("unlink", os.unlink),
        "utimes": checked("utime", _utimes),
        "write": checked("write", _write, paths=0),
        "writeFile": checked("open", _write_file),
        "writeFileByNumber": checked("write", _write_file, paths=0),
    }
