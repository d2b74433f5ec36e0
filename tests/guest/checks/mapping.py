"""Memory mappings: shared and private ones, protection, and code made at run time."""

import ctypes
import errno
import mmap
import os
import sys
import tempfile
from pathlib import Path

from .registry import PAGE, check, libc, no_memory_lost, refused

RETURN_42 = bytes.fromhex("b82a000000c3")  # mov eax, 42; ret


@check
def new_memory_is_zero() -> None:
    with mmap.mmap(-1, 8 << 20) as memory:
        assert memory[:] == bytes(8 << 20)
        memory[123_456] = 1
    with mmap.mmap(-1, 8 << 20) as memory:
        assert memory[123_456] == 0


@check
def memory_is_given_when_it_is_touched() -> None:
    free = os.sysconf("SC_AVPHYS_PAGES")
    with mmap.mmap(-1, 32 << 20) as memory:
        for at in range(0, len(memory), PAGE):
            memory[at] = 1
        assert free - os.sysconf("SC_AVPHYS_PAGES") >= (30 << 20) // PAGE
    assert abs(free - os.sysconf("SC_AVPHYS_PAGES")) <= 64


@check
def a_shared_mapping_is_the_file() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a" * (3 * PAGE))
        file.flush()
        with mmap.mmap(file.fileno(), 0) as first, mmap.mmap(file.fileno(), 0) as second:
            first[PAGE - 2 : PAGE + 2] = b"wxyz"
            assert second[PAGE - 2 : PAGE + 2] == b"wxyz"
            assert os.pread(file.fileno(), 4, PAGE - 2) == b"wxyz"
            os.pwrite(file.fileno(), b"back", 2 * PAGE)
            assert first[2 * PAGE : 2 * PAGE + 4] == b"back"
            first.flush()


@check
def a_private_mapping_is_a_copy_once_written() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a" * (2 * PAGE))
        file.flush()
        with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as private:
            os.pwrite(file.fileno(), b"seen", 0)
            assert private[:4] == b"seen"
            private[1:3] = b"XX"
            assert private[:4] == b"sXXn"
            assert os.pread(file.fileno(), 4, 0) == b"seen"
        with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as private:
            assert private[:4] == b"seen"


@check
def a_read_only_mapping_shows_a_file_of_the_image() -> None:
    with Path(sys.executable).open("rb") as file:
        content = file.read()
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert mapped[:] == content
            try:
                mapped[0] = 1
            except TypeError:
                return
    raise AssertionError("a read-only mapping was written")


@check
def a_shared_mapping_of_a_file_open_for_reading_stays_read_only() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(PAGE)
        descriptor = os.open(file.name, os.O_RDONLY)
        library = libc()
        library.mmap.restype = ctypes.c_void_p
        where = ctypes.c_void_p(
            library.mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, ctypes.c_long(0))
        )
        os.close(descriptor)
        assert library.mprotect(where, PAGE, mmap.PROT_READ | mmap.PROT_WRITE) == -1
        assert ctypes.get_errno() == errno.EACCES
        assert library.munmap(where, PAGE) == 0


@check
def copies_of_a_private_mapping_come_back() -> None:
    def copy_and_drop() -> None:
        with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE) as private:
            for at in range(0, len(private), PAGE):
                private[at] = 1

    with tempfile.TemporaryFile() as file:
        file.write(bytes(4 << 20))
        file.flush()
        copy_and_drop()
        with no_memory_lost(128 * 1024):
            for _ in range(10):
                copy_and_drop()


@check
def a_mapping_can_grow_and_move() -> None:
    with mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE) as memory:
        memory[:5] = b"hello"
        memory.resize(64 * PAGE)
        assert memory[:5] == b"hello"
        assert memory[-1] == 0
        memory[-1] = 1
        memory.resize(PAGE)
        assert memory[:5] == b"hello"


@check
def a_file_mapping_has_an_offset() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(bytes([n]) * PAGE for n in range(4)))
        file.flush()
        with mmap.mmap(file.fileno(), PAGE, offset=2 * PAGE) as mapped:
            assert mapped[:] == b"\x02" * PAGE


@check
def memory_given_up_is_zero_again() -> None:
    with mmap.mmap(-1, 16 * PAGE, flags=mmap.MAP_PRIVATE) as memory:
        memory[:] = b"x" * len(memory)
        memory.madvise(mmap.MADV_DONTNEED, 4 * PAGE, 4 * PAGE)
        assert memory[4 * PAGE : 8 * PAGE] == bytes(4 * PAGE)
        assert memory[: 4 * PAGE] == b"x" * (4 * PAGE)


@check
def a_huge_reservation_costs_nothing() -> None:
    none, private, anonymous, no_reserve = 0, 2, 0x20, 0x4000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = 64 << 30
    address = libc.mmap(None, size, none, private | anonymous | no_reserve, -1, 0)
    assert address not in (None, ctypes.c_void_p(-1).value), ctypes.get_errno()
    middle = address + size // 2
    assert libc.mprotect(middle, PAGE, mmap.PROT_READ | mmap.PROT_WRITE) == 0
    ctypes.memset(middle, 0x55, PAGE)
    assert ctypes.string_at(middle, 2) == b"UU"
    assert libc.munmap(address, size) == 0


@check
def more_memory_than_there_is_cannot_be_mapped() -> None:
    with refused(errno.ENOMEM):
        mmap.mmap(-1, 1 << 40)


@check
def code_made_at_run_time_runs() -> None:
    prot = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    memory = mmap.mmap(-1, PAGE, prot=prot)
    memory[: len(RETURN_42)] = RETURN_42
    byte = ctypes.c_char.from_buffer(memory)
    assert ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(byte))() == 42
    del byte
    memory.close()


@check
def a_shared_memory_object_is_shared() -> None:
    from multiprocessing import shared_memory

    # Tracking would start a process.
    first = shared_memory.SharedMemory(create=True, size=10_000, track=False)  # type: ignore[call-arg]
    second = shared_memory.SharedMemory(first.name, track=False)  # type: ignore[call-arg]
    assert first.buf is not None
    assert second.buf is not None
    first.buf[9_999] = 7
    assert second.buf[9_999] == 7
    second.close()
    first.close()
    first.unlink()
