"""Where resources end: memory, recursion, randomness."""

import ctypes
import gc
import json
import mmap
import os
import sys
from collections.abc import Callable

from .registry import check, free_bytes, no_memory_lost


def _fill_memory() -> int:
    """Allocates until MemoryError; how many MiB there were."""
    pieces: list[bytearray] = []
    try:
        while True:
            pieces.append(bytearray(1 << 20))
    except MemoryError:
        return len(pieces)


@check
def memory_error_comes_and_goes_many_times() -> None:
    first = _fill_memory()
    assert first >= 4, first
    with no_memory_lost(256 * 1024):
        for _ in range(10):
            assert _fill_memory() >= first - 1


@check
def one_allocation_larger_than_memory_is_a_memory_error() -> None:
    with no_memory_lost(64 * 1024):
        for size in (1 << 31, 1 << 40, 1 << 62):
            for _ in range(20):
                try:
                    bytearray(size)
                except MemoryError:
                    continue
                raise AssertionError(f"there are {size} bytes")


@check
def memory_error_in_small_objects_leaves_python_working() -> None:
    ballast = mmap.mmap(-1, max(free_bytes() - (12 << 20), 1 << 20))
    for at in range(0, len(ballast), 4096):
        ballast[at] = 1
    objects: list[object] = []
    try:
        while True:
            objects.append([objects, {}])
    except MemoryError:
        count = len(objects)
    objects.clear()
    ballast.close()
    gc.collect()
    assert count > 1000, count
    assert sum(json.loads(json.dumps(list(range(1000))))) == 499_500


@check
def endless_recursion_is_a_recursion_error() -> None:
    def recurse() -> None:
        recurse()

    for _ in range(10):
        try:
            recurse()
        except RecursionError as error:
            assert "recursion" in str(error)
            continue
        raise AssertionError("no error")


@check
def endless_recursion_through_c_is_a_recursion_error() -> None:
    class Endless:
        def __getattr__(self, name: str) -> object:
            return getattr(self, name + "x")

    nested: list[object] = []
    for _ in range(200_000):
        nested = [nested]
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        provocations: list[Callable[[], object]] = [
            lambda: Endless().name,
            lambda: repr(nested),
            lambda: json.dumps(nested),
        ]
        for provoke in provocations:
            try:
                provoke()
            except RecursionError:
                continue
            raise AssertionError("no error")
    finally:
        sys.setrecursionlimit(before)
        while nested:
            nested = nested[0]  # type: ignore[assignment]


@check
def random_bytes_are_not_repeated() -> None:
    samples = {os.urandom(16) for _ in range(1000)} | {os.getrandom(16) for _ in range(1000)}
    assert len(samples) == 2000
    bits = sum(byte.bit_count() for byte in os.urandom(100_000))
    # Half of 800,000, give or take seven standard deviations.
    assert abs(bits - 400_000) < 3_200, bits


@check
def hashes_of_text_are_seeded() -> None:
    assert sys.flags.hash_randomization == 1


@check
def usage_and_limits_can_be_asked() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 256 <= soft <= hard
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 1000
    assert os.cpu_count() == 1
    assert os.sysconf("SC_PAGE_SIZE") == 4096
    assert free_bytes() < os.sysconf("SC_PHYS_PAGES") * 4096


@check
def the_machine_says_what_it_is() -> None:
    name = os.uname()
    assert (name.sysname, name.machine) == ("Linux", "x86_64")
    assert "ovum" in name.release
    assert os.getpid() >= 1
    assert os.getuid() == 0
    assert ctypes.sizeof(ctypes.c_void_p) == 8
