"""What the development tasks run: linters, type checker and the two halves of the tests.

Everything writes straight to the terminal, so that a long run shows where it is.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ovum.paths import REPO

CHECKED = ("ovum", "pyhost", "bench", "tests", "tasks.py")
"""What the type checker reads."""

MAX_WORKERS = 4
"""Each test with a machine may take 2 GiB."""


def run(*command: str | Path) -> None:
    """Runs a command in the checkout; ends this program with its status if that is not 0."""
    status = subprocess.run(command, cwd=REPO).returncode
    if status:
        raise SystemExit(status if status > 0 else 128 - status)


def python(*arguments: str | Path) -> None:
    """Runs this environment's Python in the checkout."""
    run(sys.executable, *arguments)


def lint() -> None:
    """Style and format of all Python."""
    python("-m", "ruff", "check")
    python("-m", "ruff", "format", "--check")


def types() -> None:
    """Types of everything on the host."""
    python("-m", "mypy", *CHECKED)


def tests(half: str, arguments: Sequence[str] = ()) -> None:
    """The tests in tests/host (no QEMU) or tests/guest; arguments are pytest's.

    As many at a time as there are processors: a test waits for one machine, which has one thread.
    tests/conftest.py says which stay together.
    """
    workers = min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    parallel = [f"--numprocesses={workers}", "--dist=loadfile", "--no-loadscope-reorder"]
    python("-m", "pytest", REPO / "tests" / half, *(parallel if workers > 1 else ()), *arguments)
