"""Faults of the processor as signals: what Linux tells a handler, and that it can repair them."""

import ctypes
import mmap
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from .registry import PAGE, check, libc, native

READ, WRITE, EXECUTE, DIVIDE, ILLEGAL, BREAKPOINT, PRIVILEGE, X87_DIVIDE = range(8)
UNMAPPED: Final = 0x1000_0000_0000
SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR, ILL_ILLOPN, FPE_INTDIV, FPE_FLTDIV = 1, 2, 2, 2, 1, 3
SI_KERNEL: Final = 0x80
SA_ONSTACK, SA_NODEFER = 0x0800_0000, 0x4000_0000
SS_ONSTACK: Final = 1
# Of a page fault's error code (SDM 3A, 4.7): present, write, from the program, fetch.
P, W, U, I = 1, 2, 4, 16  # noqa: E741


class Seen(ctypes.Structure):
    """What the handler in faults.c noted; `struct seen` there."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            *("calls", "number", "code", "address", "trap", "error", "cr2", "at", "expected_at"),
            *("local", "stack_flags", "mask_inside", "changing_stack"),
        )
    ]


def _provoke(kind: int, number: int, address: int = 0, *, flags: int = 0, nested: int = 0) -> Seen:
    """Has this fault happen, and repaired; what the handler saw."""
    seen = Seen()
    arguments = map(ctypes.c_uint64, (kind, number, flags, address, nested))
    assert native().provoke(*arguments, ctypes.byref(seen)) == 1, "the repair was lost"
    assert seen.number == number
    return seen


def _expect(seen: Seen, **fields: int) -> None:
    found = {name: getattr(seen, name) for name in fields}
    assert found == fields, {name: hex(value) for name, value in found.items()}


@contextmanager
def _page(protection: int) -> Iterator[int]:
    """The address of a page that has been touched and may now only be used like this."""
    memory = mmap.mmap(-1, PAGE)
    memory[0] = 1
    byte = ctypes.c_char.from_buffer(memory)
    start = ctypes.addressof(byte)
    libc().mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert libc().mprotect(start, PAGE, protection) == 0
    yield start
    del byte
    memory.close()


@check
def a_fault_tells_where_and_why() -> None:
    for kind, error in ((READ, U), (WRITE, U | W)):
        seen = _provoke(kind, signal.SIGSEGV, UNMAPPED + 5)
        _expect(seen, code=SEGV_MAPERR, address=UNMAPPED + 5, cr2=UNMAPPED + 5, trap=14)
        _expect(seen, error=error, at=seen.expected_at)
    with _page(mmap.PROT_READ) as page:
        seen = _provoke(WRITE, signal.SIGSEGV, page + 9)
        _expect(seen, code=SEGV_ACCERR, address=page + 9, trap=14, error=P | W | U)
        _expect(seen, at=seen.expected_at)
        seen = _provoke(EXECUTE, signal.SIGSEGV, page)
        _expect(seen, code=SEGV_ACCERR, address=page, trap=14, error=P | U | I, at=page)
    with _page(0) as page:
        _expect(_provoke(READ, signal.SIGSEGV, page), code=SEGV_ACCERR, address=page, error=U)
    _expect(_provoke(EXECUTE, signal.SIGSEGV, UNMAPPED), code=SEGV_MAPERR, error=U | I)
    _expect(_provoke(PRIVILEGE, signal.SIGSEGV), code=SI_KERNEL, address=0, trap=13)


@check
def a_fault_past_the_end_of_a_file_is_sigbus() -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(2 * PAGE)
        memory = mmap.mmap(file.fileno(), 2 * PAGE)
        byte = ctypes.c_char.from_buffer(memory)
        beyond = ctypes.addressof(byte) + PAGE
        os.ftruncate(file.fileno(), PAGE)
        seen = _provoke(READ, signal.SIGBUS, beyond)
        _expect(seen, code=BUS_ADRERR, address=beyond, trap=14)
        del byte
        memory.close()


@check
def other_exceptions_have_their_signals() -> None:
    seen = _provoke(DIVIDE, signal.SIGFPE)
    _expect(seen, code=FPE_INTDIV, address=seen.expected_at, at=seen.expected_at, trap=0)
    seen = _provoke(ILLEGAL, signal.SIGILL)
    _expect(seen, code=ILL_ILLOPN, address=seen.expected_at, at=seen.expected_at, trap=6)
    seen = _provoke(BREAKPOINT, signal.SIGTRAP)
    _expect(seen, code=SI_KERNEL, address=0, at=seen.expected_at, trap=3)
    seen = _provoke(X87_DIVIDE, signal.SIGFPE)
    _expect(seen, code=FPE_FLTDIV, at=seen.expected_at, trap=16)


class _Stack(ctypes.Structure):
    """stack_t."""

    _fields_ = [
        ("start", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("size", ctypes.c_uint64),
    ]


@contextmanager
def _alternate_stack() -> Iterator[range]:
    memory = ctypes.create_string_buffer(64 * 1024)
    before = _Stack()
    mine = _Stack(ctypes.addressof(memory), 0, len(memory))
    assert libc().sigaltstack(ctypes.byref(mine), ctypes.byref(before)) == 0
    try:
        yield range(mine.start, mine.start + mine.size)
    finally:
        # Handlers of later checks would run on memory that is somebody else's by then.
        changed = libc().sigaltstack(ctypes.byref(before), ctypes.byref(mine))
    assert changed == 0
    # What the handlers did must not have changed it.
    assert (mine.start, mine.flags) == (ctypes.addressof(memory), 0)


@check
def a_handler_may_have_a_stack_of_its_own() -> None:
    with _alternate_stack() as stack:
        for nested in (0, 5):
            seen = _provoke(READ, signal.SIGSEGV, UNMAPPED, flags=SA_ONSTACK, nested=nested)
            _expect(seen, calls=1 + nested, stack_flags=SS_ONSTACK, address=UNMAPPED)
            assert seen.local in stack
            # EPERM: nobody may pull away the stack he stands on.
            _expect(seen, changing_stack=-1 & (1 << 64) - 1)
        seen = _provoke(READ, signal.SIGSEGV, UNMAPPED)
        _expect(seen, stack_flags=0)
        assert seen.local not in stack


@check
def a_signal_is_blocked_while_it_is_handled() -> None:
    bit = 1 << signal.SIGILL - 1
    assert _provoke(ILLEGAL, signal.SIGILL).mask_inside & bit
    assert not _provoke(ILLEGAL, signal.SIGILL, flags=SA_NODEFER).mask_inside & bit
    assert signal.SIGILL not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
