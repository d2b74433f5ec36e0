"""What the guest makes of the tests: boots, each for several modules."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ovum.paths import REPO
from ovum.stdlib import LIBRARY, REPLACED

from .compare import counted
from .execute import Interpreter, Job, run
from .left_out import LeftOut
from .records import Module
from .reference import INSIDE
from .suite import Suite

MEMORY: Final = "2G"
BASE_S: Final = 60.0
FACTOR: Final = 60.0
"""A test may take this much and so many times what the longest of its module took on Linux: the
processor is emulated."""
BATCH_S: Final = 15.0
BATCH: Final = 15
"""A boot runs so many modules, or what takes Linux so long."""


def build(suite: Suite, out: Path) -> Path:
    """Makes the image: the usual one with the whole library as source, and the tests."""
    image = out / "regrtest.elf"
    command = [sys.executable, "-m", "ovum", "build"]
    # As on Linux, see Suite.environ: the home is what tests of the command line look at first.
    command += ["--env=PYTHONHASHSEED=0", "--env=PYTHONHOME=/usr"]
    # The second addition goes on top: what an image has its own version of is not Debian's.
    command += [f"--add={folder}:/{LIBRARY}" for folder in (suite.library, REPLACED)]
    subprocess.run([*command, INSIDE, "-o", image], cwd=REPO, check=True)
    return image


def batches(names: Sequence[str], linux: Mapping[str, Module]) -> Iterator[list[str]]:
    """Divides the modules among boots, in their order."""
    batch: list[str] = []
    seconds = 0.0
    for name in names:
        takes = linux[name].seconds
        if batch and (len(batch) == BATCH or seconds + takes > BATCH_S):
            yield batch
            batch, seconds = [], 0.0
        batch.append(name)
        seconds += takes
    if batch:
        yield batch


def job(linux: Module, left_out: LeftOut, only: tuple[str, ...]) -> Job:
    """Has those tests run that the guest should pass."""
    longest = max((test.seconds for test in linux.tests.values()), default=0.0)
    skip = linux.tests.keys() - counted(linux, left_out)
    return Job(linux.name, BASE_S + FACTOR * longest, frozenset(skip), only)


def results(
    image: Path,
    names: Mapping[str, tuple[str, ...]],
    linux: Mapping[str, Module],
    left_out: LeftOut,
    log: Path,
) -> Iterator[Module]:
    """Runs these modules, or parts of them, and yields each when it is over."""
    command = [sys.executable, "-m", "ovum", "run", "--memory", MEMORY, image]
    interpreter = Interpreter(list(map(str, command)), None, refuse=False)
    for batch in batches(list(names), linux):
        jobs = [job(linux[name], left_out, names[name]) for name in batch]
        yield from run(interpreter, jobs, log)
