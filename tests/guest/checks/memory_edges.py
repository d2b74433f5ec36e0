"""Where memory ends: full files, vast reservations, mappings cut into pieces."""

import ctypes
import errno
import mmap
import os
import tempfile
from pathlib import Path
from typing import Final

from .registry import PAGE, check, free_bytes, libc, no_memory_lost, refused

TIB: Final = 1 << 40
MAP_NORESERVE, MAP_FIXED_NOREPLACE = 0x4000, 0x100000
FAILED: Final = ctypes.c_void_p(-1).value


def _mmap(address: int, size: int, protection: int, flags: int) -> int:
    """mmap(2) of anonymous private memory; minus errno if it is refused."""
    function = libc().mmap
    function.restype = ctypes.c_void_p
    flags |= mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    place = function(
        ctypes.c_void_p(address), ctypes.c_size_t(size), protection, flags, -1, ctypes.c_long(0)
    )
    return -ctypes.get_errno() if place == FAILED else int(place or 0)


def _munmap(address: int, size: int) -> None:
    assert libc().munmap(ctypes.c_void_p(address), ctypes.c_size_t(size)) == 0


def _mprotect(address: int, size: int, protection: int) -> None:
    arguments = ctypes.c_void_p(address), ctypes.c_size_t(size), protection
    assert libc().mprotect(*arguments) == 0, ctypes.get_errno()


def _regions_in(address: int, size: int) -> int:
    """How many lines of /proc/self/maps lie in a range."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sum(address <= int(line.split("-")[0], 16) < address + size for line in lines)


@check
def a_full_disk_is_enospc_and_nothing_is_lost() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "kept")
        content = os.urandom(500_000)
        kept.write_bytes(content)
        piece = bytes(1 << 20)

        def fill_and_remove() -> None:
            with refused(errno.ENOSPC), Path(folder, "filler").open("wb", 0) as file:
                while file.write(piece):
                    pass
            assert Path(folder, "filler").stat().st_size >= 4 << 20
            assert kept.read_bytes() == content
            Path(folder, "filler").unlink()

        fill_and_remove()
        with no_memory_lost(1 << 20):
            for _ in range(3):
                fill_and_remove()
        Path(folder, "again").write_bytes(piece * 4)
        assert kept.read_bytes() == content


@check
def reservations_may_be_vast() -> None:
    with no_memory_lost(64 * 1024):
        for size in (32 << 30, TIB * 7 // 5 & -PAGE):
            place = _mmap(0, size, 0, MAP_NORESERVE)
            assert place > 0, place
            for part in (0, size // 3 & -PAGE, size - PAGE):
                _mprotect(place + part, PAGE, mmap.PROT_READ | mmap.PROT_WRITE)
                ctypes.memset(place + part, 1, PAGE)
            _munmap(place, size)


@check
def a_fixed_place_is_taken_or_refused() -> None:
    place = _mmap(0, 16 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, 0)
    ctypes.memset(place, 7, 16 * PAGE)
    middle, flags = place + 4 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE
    assert _mmap(middle, PAGE, flags, MAP_FIXED_NOREPLACE) == -errno.EEXIST
    assert ctypes.string_at(middle, 1) == b"\x07"
    assert _mmap(middle, PAGE, flags, 0x10) == middle
    assert ctypes.string_at(middle - 1, 2) == b"\x07\x00"
    _munmap(middle, PAGE)
    assert _mmap(middle, PAGE, flags, MAP_FIXED_NOREPLACE) == middle
    _munmap(place, 16 * PAGE)


@check
def regions_split_and_merge() -> None:
    size = 64 * PAGE
    place = _mmap(0, size + 2 * PAGE, 0, 0) + PAGE  # with neighbours that never match
    _mprotect(place, size, mmap.PROT_READ | mmap.PROT_WRITE)
    before = _regions_in(place, size)
    for page in range(1, 64, 2):
        _mprotect(place + page * PAGE, PAGE, mmap.PROT_READ)
    assert _regions_in(place, size) == 64
    for page in range(1, 64, 2):
        _mprotect(place + page * PAGE, PAGE, mmap.PROT_READ | mmap.PROT_WRITE)
    assert _regions_in(place, size) == before == 1
    _munmap(place - PAGE, size + 2 * PAGE)


@check
def memory_that_is_given_up_is_free_again() -> None:
    for advice in (mmap.MADV_DONTNEED, mmap.MADV_FREE):
        with mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE) as memory:
            before = free_bytes()
            for at in range(0, len(memory), PAGE):
                memory[at] = 1
            assert before - free_bytes() >= 15 << 20
            memory.madvise(advice)
            assert before - free_bytes() <= 64 * 1024, advice
