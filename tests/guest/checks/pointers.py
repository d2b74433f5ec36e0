"""Pointers that lead nowhere, handed to system calls: EFAULT, and the machine lives on.

The numbers of the calls are those of Linux on x86-64.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import socket
import sys
from collections.abc import Iterator

from .registry import PAGE, check, libc

NOWHERE = {
    "null": 0,
    "page zero": 0x10,
    "unmapped": 0x7000_0000_0000,
    "not canonical": 0x8000_0000_0000,
    "kernel's direct map": 0xFFFF_8000_0010_0000,
    "kernel's stacks": 0xFFFF_C000_0000_0000,
    "kernel's text": 0xFFFF_FFFF_8010_1000,
    "last byte": 0xFFFF_FFFF_FFFF_FFFF,
}

SIZE = 64


def _call(number: int, *arguments: int) -> int:
    """The result, or the error as a negative number."""
    ctypes.set_errno(0)
    # Every argument in full width: a variadic call passes plain ints as 32 bits.
    result: int = libc().syscall(
        ctypes.c_long(number), *(ctypes.c_ulong(argument & (1 << 64) - 1) for argument in arguments)
    )
    return -ctypes.get_errno() if result == -1 else result


def _expect_fault(number: int, *arguments: int, allowed: int = -errno.EFAULT) -> None:
    result = _call(number, *arguments)
    assert result in (-errno.EFAULT, allowed), (
        f"call {number}{tuple(map(hex, arguments))} gave {result}"
    )


@contextlib.contextmanager
def _pipe_with_data() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.write(writing, b"x" * SIZE)
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _last_bytes_of_memory(count: int) -> Iterator[int]:
    """The address of that many bytes before a page that is not mapped."""
    memory = mmap.mmap(-1, 2 * PAGE)
    byte = ctypes.c_char.from_buffer(memory)
    start = ctypes.addressof(byte)
    libc().munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    assert libc().munmap(start + PAGE, PAGE) == 0
    try:
        yield start + PAGE - count
    finally:
        del byte
        memory.close()


@check
def buffers_that_are_not_there() -> None:
    with _pipe_with_data() as (reading, writing):
        null = os.open("/dev/zero", os.O_RDWR)
        for address in NOWHERE.values():
            _expect_fault(0, reading, address, SIZE)  # read
            _expect_fault(0, null, address, SIZE)
            _expect_fault(1, writing, address, SIZE)  # write
            _expect_fault(318, address, SIZE, 0)  # getrandom
            _expect_fault(19, reading, address, 1)  # readv
            _expect_fault(20, writing, address, 1)  # writev
        assert os.read(reading, 1000) == b"x" * SIZE, "a refused read took something"
        os.close(null)


@check
def files_read_into_nowhere() -> None:
    fd = os.open(sys.executable, os.O_RDONLY)
    for address in NOWHERE.values():
        _expect_fault(0, fd, address, SIZE)
        _expect_fault(17, fd, address, SIZE, 0)  # pread64
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0
    os.close(fd)


@check
def paths_that_are_not_there() -> None:
    for address in NOWHERE.values():
        _expect_fault(2, address, 0)  # open
        _expect_fault(4, address, address)  # stat
        _expect_fault(83, address, 0o700)  # mkdir
        _expect_fault(82, address, address)  # rename
        _expect_fault(88, address, address)  # symlink
        _expect_fault(89, address, address, SIZE)  # readlink
        _expect_fault(257, -100, address, 0)  # openat
        _expect_fault(80, address)  # chdir


@check
def results_that_go_nowhere() -> None:
    with _pipe_with_data() as (reading, _):
        for name, address in NOWHERE.items():
            _expect_fault(5, reading, address)  # fstat
            _expect_fault(63, address)  # uname
            _expect_fault(99, address)  # sysinfo
            _expect_fault(79, address, SIZE)  # getcwd
            _expect_fault(22, address)  # pipe
            _expect_fault(98, 0, address)  # getrusage
            _expect_fault(228, 1, address)  # clock_gettime
            _expect_fault(204, 0, 8, address)  # sched_getaffinity
            _expect_fault(53, 1, 1, 0, address)  # socketpair
            if name != "null":  # where it means "not wanted"
                _expect_fault(96, address, 0)  # gettimeofday
                _expect_fault(13, 10, 0, address, 8)  # rt_sigaction
                _expect_fault(14, 0, 0, address, 8)  # rt_sigprocmask
                _expect_fault(131, 0, address)  # sigaltstack


@check
def socket_calls_with_pointers_to_nowhere() -> None:
    listener, plain = (_call(41, 1, 1, 0) for _ in range(2))
    left, right = socket.socketpair()
    with left, right, contextlib.ExitStack() as stack:
        for fd in (listener, plain):
            stack.callback(os.close, fd)
        name = ctypes.create_string_buffer(b"\1\0\0fault")
        assert _call(49, listener, ctypes.addressof(name), 8) == 0
        assert _call(50, listener, 5) == 0
        fd = left.fileno()
        for where, address in NOWHERE.items():
            _expect_fault(49, plain, address, 8)  # bind
            _expect_fault(42, plain, address, 8)  # connect
            _expect_fault(51, fd, address, address)  # getsockname
            _expect_fault(52, fd, address, address)  # getpeername
            _expect_fault(54, fd, 1, 2, address, 4)  # setsockopt
            _expect_fault(55, fd, 1, 3, address, address)  # getsockopt
            _expect_fault(44, fd, address, 8, 0, 0, 0)  # sendto
            _expect_fault(46, fd, address, 0)  # sendmsg
            _expect_fault(47, fd, address, 0)  # recvmsg
            _expect_fault(299, fd, address, 1, 0, 0)  # recvmmsg
            _expect_fault(307, fd, address, 1, 0)  # sendmmsg
            if where != "null":
                # The connection is closed then.
                client = _call(41, 1, 1, 0)
                assert _call(42, client, ctypes.addressof(name), 8) == 0
                _expect_fault(288, listener, address, address, 0)  # accept4
                os.close(client)


@check
def times_and_sets_that_are_not_there() -> None:
    with _pipe_with_data() as (reading, _):
        epoll = _call(291, 0)
        assert epoll >= 0
        for name, address in NOWHERE.items():
            _expect_fault(35, address, 0)  # nanosleep
            _expect_fault(7, address, 1, 0)  # poll
            _expect_fault(233, epoll, 1, reading, address)  # epoll_ctl
            # Nothing is ready, so nothing may be written: Linux does not look at the pointer.
            _expect_fault(232, epoll, address, 1, 0, allowed=0)  # epoll_wait
            if name != "null":
                _expect_fault(23, 1, address, 0, 0, 0)  # select
                _expect_fault(13, 10, address, 0, 8)  # rt_sigaction
                _expect_fault(131, address, 0)  # sigaltstack
                _expect_fault(38, 0, address, 0)  # setitimer
        os.close(epoll)


@check
def futexes_that_are_not_there() -> None:
    for name, address in NOWHERE.items():
        # An address that no 32-bit word can have is EINVAL on Linux, before anything else.
        allowed = -errno.EINVAL if name == "last byte" else -errno.EFAULT
        _expect_fault(202, address, 128, 0, 0, 0, 0, allowed=allowed)  # FUTEX_WAIT | PRIVATE


@check
def ranges_that_wrap_around() -> None:
    with _pipe_with_data() as (reading, writing):
        buffer = ctypes.create_string_buffer(SIZE)
        start = ctypes.addressof(buffer)
        for size in (1 << 63, (1 << 64) - 1, (1 << 64) - start, (1 << 64) - PAGE):
            # Linux also refuses the size itself, where it does not fit into ssize_t.
            _expect_fault(1, writing, start, size, allowed=-errno.EINVAL)
        assert os.read(reading, 1000) == b"x" * SIZE


@check
def buffers_that_end_too_early() -> None:
    with _pipe_with_data() as (reading, writing), _last_bytes_of_memory(8) as edge:
        for result in (_call(0, reading, edge, SIZE), _call(1, writing, edge, SIZE)):
            # As much as there was room for, or nothing and an error; never more, never a crash.
            assert result == -errno.EFAULT or 0 < result <= 8, result
        _expect_fault(5, reading, edge)  # fstat: 144 bytes
        assert _call(63, edge) == -errno.EFAULT  # uname
        ctypes.memmove(edge, b"/no/such", 8)
        _expect_fault(2, edge, 0)  # open: the path does not end


@check
def read_only_memory_is_not_written_by_calls() -> None:
    with _pipe_with_data() as (reading, _):
        memory = mmap.mmap(-1, PAGE)
        byte = ctypes.c_char.from_buffer(memory)
        start = ctypes.addressof(byte)
        libc().mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        assert libc().mprotect(start, PAGE, mmap.PROT_READ) == 0
        _expect_fault(0, reading, start, SIZE)
        _expect_fault(63, start)
        assert libc().mprotect(start, PAGE, mmap.PROT_READ | mmap.PROT_WRITE) == 0
        assert _call(0, reading, start, SIZE) == SIZE
        del byte
        memory.close()


@check
def unmapping_and_protecting_refuse_the_kernel() -> None:
    for address in (0xFFFF_8000_0010_0000, 0xFFFF_FFFF_8010_0000, 0x8000_0000_0000):
        assert _call(11, address, PAGE) == -errno.EINVAL  # munmap
        assert _call(10, address, PAGE, 7) in (-errno.ENOMEM, -errno.EINVAL)  # mprotect
        fixed = 0x10 | 0x20 | 0x02
        result = _call(9, address, PAGE, 3, fixed, -1, 0)  # mmap
        assert result in (-errno.ENOMEM, -errno.EINVAL), result


@check
def page_zero_cannot_be_mapped() -> None:
    fixed = 0x10 | 0x20 | 0x02
    assert _call(9, 0, PAGE, 3, fixed, -1, 0) in (-errno.EPERM, -errno.EINVAL)
