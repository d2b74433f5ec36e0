"""What several host tests need: the sysroot and the interpreter, made once."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ovum.progress import Progress
from ovum.sysroot import Sysroot, ensure_sysroot
from ovum.toolchain import ensure_pyhost

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def sysroot() -> Sysroot:
    return ensure_sysroot(Progress())


@pytest.fixture(scope="session")
def pyhost(sysroot: Sysroot) -> Path:
    return ensure_pyhost(Progress(), sysroot)


def runner(sysroot: Sysroot, preload: Path | None) -> Run:
    def run(
        *args: str, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            sysroot.python(*args, preload=preload),
            env={**sysroot.python_env(), **variables},
            input=stdin,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture(scope="session")
def ours(sysroot: Sysroot, pyhost: Path) -> Run:
    """Runs the interpreter under pyhost on this Linux."""
    return runner(sysroot, pyhost)


@pytest.fixture(scope="session")
def debians(sysroot: Sysroot) -> Run:
    """Runs Debian's own python3 on this Linux."""
    return runner(sysroot, None)
