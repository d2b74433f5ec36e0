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
