"""What the development tasks run: linters, type checker and the two halves of the tests.

Everything writes straight to the terminal, so that a long run shows where it is.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ovum.paths import REPO

CHECKED = ("ovum", "pyhost", "bench", "tests", "tasks.py")
"""What the type checker reads."""


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
    """The tests in tests/host (no QEMU) or tests/guest; arguments are pytest's."""
    python("-m", "pytest", REPO / "tests" / half, *arguments)
