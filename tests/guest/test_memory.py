"""The sizes of memory at which a machine works."""

from pathlib import Path

import pytest

from . import machine
from .conftest import HELLO

LARGEST_MINIMUM = 40
LARGEST_MINIMUM_STRIPPED = 24
STEP = 4
WALK_END = 256

SAMPLE = 6
"""Without --full, every so many-th size, and the edges."""


def _runs(image: Path, size: int, *, name: str = "microvm") -> bool:
    result = machine.run("--machine", name, "--memory", f"{size}M", image)
    return (result.status, result.out) == (0, f"{HELLO}\n")


def _smallest(image: Path, limit: int) -> int:
    """The smallest size that works, looked for downwards from a size that must."""
    size = limit
    while size > STEP and _runs(image, size - STEP):
        size -= STEP
    return size


def test_hello_world_runs_in_40_mib(hello_elf: Path) -> None:
    assert _runs(hello_elf, LARGEST_MINIMUM)


def test_hello_world_stripped_runs_in_24_mib(small_elf: Path) -> None:
    assert _runs(small_elf, LARGEST_MINIMUM_STRIPPED)


@pytest.mark.timeout(900)
def test_every_size_from_the_smallest_to_256_mib_works(hello_elf: Path, full: bool) -> None:
    sizes = list(range(_smallest(hello_elf, LARGEST_MINIMUM), WALK_END + 1, STEP))
    if not full:
        sizes = sorted({*sizes[:3], *sizes[::SAMPLE], *sizes[-2:]})
    assert [size for size in sizes if not _runs(hello_elf, size)] == []


@pytest.mark.parametrize("name", ["microvm", "pc", "q35"])
def test_three_gib_work_on_every_machine(name: str, hello_elf: Path) -> None:
    assert _runs(hello_elf, 3072, name=name)


def test_memory_above_four_gib_is_used() -> None:
    source = "import os; print(os.sysconf('SC_PHYS_PAGES') * 4096 >> 20)"
    for name in ("microvm", "q35"):
        found = int(machine.code(source, "--machine", name, "--memory", "5G").expect().out)
        assert 4900 <= found <= 5120


@pytest.mark.parametrize("size", [4, 16, 32])
def test_a_machine_that_is_too_small_says_so(size: int, hello_elf: Path) -> None:
    result = machine.run("--memory", f"{size}M", hello_elf, limit_s=30)
    assert result.status != 0
    assert result.err.strip()


def test_all_memory_can_be_used_at_once() -> None:
    source = (
        "import os\n"
        "free = os.sysconf('SC_AVPHYS_PAGES') * 4096\n"
        "pieces = []\n"
        "try:\n"
        "    while True:\n"
        "        pieces.append(os.urandom(16) * (1 << 16))\n"
        "except MemoryError:\n"
        "    used = len(pieces) << 20\n"
        "del pieces[:4]  # room for what follows\n"
        "good = all(piece == piece[:16] * (1 << 16) for piece in pieces)\n"
        "del pieces\n"
        "print(good, used * 100 // free)"
    )
    good, percent = machine.code(source, "--memory", "128M").expect().out.split()
    assert good == "True"
    assert 75 <= int(percent) <= 100


FILLED = """\
import ctypes, errno, os, shutil, threading
from pathlib import Path

precious, filler = Path("/tmp/precious"), Path("/tmp/filler")
precious.write_bytes(b"precious" * 1000)
before = shutil.disk_usage("/tmp").free
for piece in (1 << 20, 1 << 12, 1):
    try:
        with filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(piece))
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
assert before - (4 << 20) < filler.stat().st_size <= before, (before, filler.stat())
assert shutil.disk_usage("/tmp").free < 1 << 20

# What still works then: threads, much of the C stack, importing, memory for objects.
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def nest(depth):
    def again(a, b):
        if depth:
            nest(depth - 1)
        return 0
    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(2, 1), 2, 4, compare(again))
nest(100)
import decimal, email.message, sqlite3
done = []
thread = threading.Thread(target=lambda: done.append(bytearray(1 << 20)))
thread.start()
thread.join()
assert done

assert precious.read_bytes() == b"precious" * 1000
try:
    precious.with_name("another").write_bytes(b"x")
except OSError as error:
    assert error.errno == errno.ENOSPC, error
filler.unlink()
Path("/tmp/another").write_bytes(b"x" * (1 << 20))
assert abs(shutil.disk_usage("/tmp").free - before) < 8 << 20
print("all is well")
"""


@pytest.mark.parametrize("size", ["64M", "256M"])
def test_full_memory_is_no_space_for_files_and_the_program_goes_on(size: str) -> None:
    assert machine.code(FILLED, "--memory", size).expect().out == "all is well\n"


EXHAUSTED = """\
import gc, mmap, os

def free():
    gc.collect()
    return os.sysconf("SC_AVPHYS_PAGES") * 4096

def arrays():
    pieces = []
    while True:
        pieces.append(bytearray(1 << 20))

def mappings():
    pieces = []
    while True:
        pieces.append(mmap.mmap(-1, 1 << 18))

def objects():
    chain = []
    while True:
        chain = [chain, bytes(1000)]

ways = [arrays, mappings, objects, arrays] * 25
# What the allocators of Python and the C library keep for themselves is kept from here on.
for way in ways[:12]:
    try:
        way()
    except (MemoryError, OSError):
        pass
before = free()
failures = 0
for way in ways:
    try:
        way()
    except MemoryError:
        failures += 1
    except OSError as error:
        assert error.errno == 12, error
        failures += 1
lost = before - free()
print(failures, lost < 1 << 20, lost)
"""


def test_a_hundred_memory_errors_cost_nothing() -> None:
    words = machine.code(EXHAUSTED, "--memory", "40M", limit_s=250).expect().out.split()
    assert words[:2] == ["100", "True"], words
