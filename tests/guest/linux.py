"""Runs Python on this Linux with the interpreter and the very packages that images have."""

import fcntl
import mmap
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ovum.cpio import read_archive
from ovum.paths import cache_dir
from ovum.progress import Progress
from ovum.stdlib import SITE_PACKAGES
from ovum.sysroot import ensure_sysroot
from ovum.wheels import ensure_packages


def python(requirements: Path, *words: str, cwd: Path, limit_s: float) -> str:
    """What these arguments of `python3` print, with the packages of a requirements file."""
    argv, environ = command(requirements, *words)
    done = subprocess.run(
        argv,
        env=environ,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=limit_s,
    )
    return done.stdout


def command(requirements: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """The command that `python` runs, and its environment."""
    sysroot = ensure_sysroot(Progress())
    archive = ensure_packages(sysroot, [requirements], [], Progress())
    environ = {**sysroot.python_env(), "PYTHONPATH": str(_unpacked(archive) / SITE_PACKAGES)}
    return sysroot.python(*words), environ


def _unpacked(archive: Path) -> Path:
    """A folder with the files of a layer of packages; kept as long as the layer is."""
    base = cache_dir() / "unpacked"
    base.mkdir(exist_ok=True)
    folder = base / archive.stem
    with (base / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for other in base.iterdir():
                if other.is_dir() and not archive.with_stem(other.name).exists():
                    shutil.rmtree(other)
            with tempfile.TemporaryDirectory(dir=base, prefix="new-") as work:
                _unpack(archive, Path(work) / "result")
                (Path(work) / "result").rename(folder)
    return folder


def _unpack(archive: Path, into: Path) -> None:
    with (
        archive.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        memoryview(data) as view,
    ):
        for entry, _ in read_archive(view):
            path = into / entry.name
            if stat.S_ISDIR(entry.mode):
                path.mkdir(parents=True, exist_ok=True)
            elif isinstance(entry.content, bytes):
                path.write_bytes(entry.content)
                # Bytecode belongs to a source of exactly this time.
                os.utime(path, (entry.mtime, entry.mtime))


def lines(output: str, mark: str) -> Sequence[str]:
    """The lines that begin with this word, without it."""
    return [line[len(mark) + 1 :] for line in output.splitlines() if line.startswith(f"{mark} ")]
