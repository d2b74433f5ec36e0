"""Files whose size or content changes under a mapping, seals, and locks on files."""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
from pathlib import Path

from .registry import PAGE, check, libc, refused

F_ADD_SEALS, F_GET_SEALS = 1033, 1034
SEAL, SHRINK, GROW, WRITE = 1, 2, 4, 8


def _peek(address: int) -> int:
    """A byte of memory, or -1 if it is not there (the kernel's EFAULT, no signal)."""
    reader, writer = os.pipe()
    try:
        if libc().write(writer, ctypes.c_void_p(address), ctypes.c_size_t(1)) != 1:
            assert ctypes.get_errno() == errno.EFAULT
            return -1
        return os.read(reader, 1)[0]
    finally:
        os.close(reader)
        os.close(writer)


@check
def a_truncated_file_is_gone_from_its_mappings() -> None:
    path = Path("/tmp/truncated")
    path.write_bytes(b"x" * (4 * PAGE))
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), 4 * PAGE)
        private = mmap.mmap(file.fileno(), 4 * PAGE, mmap.MAP_PRIVATE)
        private[3 * PAGE] = ord("y")
        starts = [ctypes.addressof(ctypes.c_char.from_buffer(m)) for m in (shared, private)]
        for start in starts:
            assert _peek(start + PAGE) == _peek(start + PAGE + 1) == ord("x")
        os.ftruncate(file.fileno(), PAGE + 10)
        for start in starts:
            assert _peek(start) == _peek(start + PAGE + 9) == ord("x")
            assert _peek(start + PAGE + 10) == 0
            assert _peek(start + 2 * PAGE) == _peek(start + 3 * PAGE) == -1
        os.ftruncate(file.fileno(), 4 * PAGE)
        for start in starts:
            assert _peek(start + 3 * PAGE) == 0
        os.pwrite(file.fileno(), b"z", 3 * PAGE)
        assert [_peek(start + 3 * PAGE) for start in starts] == [ord("z")] * 2
    path.unlink()


@check
def a_hole_punched_into_a_file_is_seen_in_its_mapping() -> None:
    path = Path("/tmp/punched")
    path.write_bytes(b"x" * (4 * PAGE))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        assert memory[PAGE] == memory[2 * PAGE] == ord("x")
        keep_size_punch_hole = 3
        assert libc().fallocate(file.fileno(), keep_size_punch_hole, PAGE, 2 * PAGE) == 0
        assert memory[PAGE - 1 : PAGE + 1] == b"x\0"
        assert memory[3 * PAGE - 1 : 3 * PAGE + 1] == b"\0x"
        memory[PAGE] = ord("n")
        assert os.pread(file.fileno(), 1, PAGE) == b"n"
    path.unlink()


@check
def seals_forbid_what_they_name() -> None:
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.write(fd, b"content")
    assert fcntl.fcntl(fd, F_GET_SEALS) == 0
    fcntl.fcntl(fd, F_ADD_SEALS, SHRINK)
    os.ftruncate(fd, 100)
    with refused(errno.EPERM):
        os.ftruncate(fd, 99)
    fcntl.fcntl(fd, F_ADD_SEALS, GROW)
    with refused(errno.EPERM):
        os.ftruncate(fd, 101)
    with refused(errno.EPERM):
        os.pwrite(fd, b"ab", 99)
    os.pwrite(fd, b"a", 99)
    with mmap.mmap(fd, 100), refused(errno.EBUSY):
        fcntl.fcntl(fd, F_ADD_SEALS, WRITE)
    fcntl.fcntl(fd, F_ADD_SEALS, WRITE | SEAL)
    with refused(errno.EPERM):
        os.pwrite(fd, b"b", 0)
    with refused(errno.EPERM):
        mmap.mmap(fd, 100)
    libc().mmap.restype = ctypes.c_void_p
    address = libc().mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, fd, ctypes.c_long(0))
    view = ctypes.c_void_p(address)
    assert libc().mprotect(view, PAGE, mmap.PROT_READ | mmap.PROT_WRITE) == -1
    assert ctypes.get_errno() == errno.EACCES
    assert libc().munmap(view, PAGE) == 0
    with mmap.mmap(fd, 100, mmap.MAP_PRIVATE) as copy:
        copy[0] = ord("b")
    with refused(errno.EPERM):
        fcntl.fcntl(fd, F_ADD_SEALS, WRITE)
    assert fcntl.fcntl(fd, F_GET_SEALS) == SEAL | SHRINK | GROW | WRITE
    assert os.pread(fd, 7, 0) == b"content"
    os.close(fd)
    fd = os.memfd_create("plain", 0)
    with refused(errno.EPERM):
        fcntl.fcntl(fd, F_ADD_SEALS, WRITE)
    os.close(fd)


@check
def record_locks_ask_for_the_right_to_read_or_write() -> None:
    path = Path("/tmp/locked")
    path.touch()
    with path.open("rb") as reader, path.open("wb") as writer:
        fcntl.lockf(reader, fcntl.LOCK_SH)
        fcntl.lockf(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with refused(errno.EBADF):
            fcntl.lockf(reader, fcntl.LOCK_EX)
        with refused(errno.EBADF):
            fcntl.lockf(writer, fcntl.LOCK_SH)
        asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
        answer = fcntl.fcntl(writer, fcntl.F_GETLK, asked)
        assert struct.unpack("hhqqi", answer)[0] == fcntl.F_UNLCK
    path.unlink()


@check
def flock_excludes_other_open_files() -> None:
    path = Path("/tmp/flocked")
    path.touch()
    with path.open() as one, path.open() as two, path.open() as three:
        fcntl.flock(one, fcntl.LOCK_SH)
        fcntl.flock(two, fcntl.LOCK_SH)
        with refused(errno.EAGAIN):
            fcntl.flock(three, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(one, fcntl.LOCK_UN)
        two.close()
        fcntl.flock(three, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with refused(errno.EAGAIN):
            fcntl.flock(one, fcntl.LOCK_SH | fcntl.LOCK_NB)
    path.unlink()
