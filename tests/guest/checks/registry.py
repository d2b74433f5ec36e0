"""The list of all checks, and what several of them need."""

import contextlib
import ctypes
import errno
import fcntl
import functools
import gc
import os
from collections.abc import Callable, Iterator
from typing import Final

CHECKS: Final[dict[str, Callable[[], None]]] = {}

NATIVE_LIBRARY: Final = "/opt/native.so"
"""Where the host puts what it makes of native.c."""

PAGE: Final = 4096


def check(function: Callable[[], None]) -> Callable[[], None]:
    """Registers a check; its name says what is true when it passes."""
    assert function.__name__ not in CHECKS, function.__name__
    CHECKS[function.__name__] = function
    return function


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library, with errno kept for `ctypes.get_errno`."""
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def native() -> ctypes.CDLL:
    """What native.c offers. Its functions run without the GIL."""
    library = ctypes.CDLL(NATIVE_LIBRARY)
    counting = ("wrong_ymm", "wrong_xmm", "wrong_rounding", "wrong_red_zone", "exchange_16_bytes")
    for name in counting:
        getattr(library, name).restype = ctypes.c_uint64
    return library


def free_bytes() -> int:
    """Memory that the kernel could still give, by sysinfo(2)."""
    return os.sysconf("SC_AVPHYS_PAGES") * PAGE


def open_descriptors() -> set[int]:
    """The numbers that are open files."""
    found = set()
    for fd in range(1024):
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_GETFD)
            found.add(fd)
    return found


@contextlib.contextmanager
def no_memory_lost(tolerance: int) -> Iterator[None]:
    """Fails if there is less free memory after the block than before, by more than this.

    Python's own allocator keeps some of what it was given; what the block does should have been
    done once before.
    """
    gc.collect()
    before = free_bytes()
    yield
    gc.collect()
    lost = before - free_bytes()
    assert lost <= tolerance, f"{lost} bytes are gone"


@contextlib.contextmanager
def refused(*numbers: int) -> Iterator[None]:
    """Fails unless the block raises OSError with one of these numbers and a readable message."""
    try:
        yield
    except OSError as error:
        names = [errno.errorcode[number] for number in numbers]
        assert error.errno in numbers, f"{error!r}, not {' or '.join(names)}"
        assert error.strerror and "Unknown" not in error.strerror, error
    else:
        raise AssertionError("no error")
