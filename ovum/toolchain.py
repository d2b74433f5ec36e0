"""Builds the two C parts, the kernel and the embedding, when their sources changed.

Whether they did is decided here, by comparing times of files: starting make and a compiler only
to hear that nothing is to be done would cost more than all the rest of a start.
"""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ovum.paths import REPO, build_dir
from ovum.progress import Progress
from ovum.sysroot import Sysroot

TOOLS = {"make": "make", "gcc": "gcc", "ld": "binutils"}
"""Programs that a build needs, and the Debian packages they come from."""

SOURCE_SUFFIXES = (".c", ".h", ".S", ".ld", ".lds", ".py")


class BuildError(Exception):
    """A build failed; the message holds all that the compiler said."""


def sources_of(folder: Path) -> list[Path]:
    """The files in a source folder that its output depends on."""
    return [
        Path(parent) / name
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(SOURCE_SUFFIXES) or name == "Makefile"
    ]


def is_current(output: Path, sources: Iterable[Path], settings: str) -> bool:
    """Whether the output is newer than every source and was built from the same ones.

    `settings` stands for what is not in files: the arguments of make. The list of sources is
    compared too, because a file that was removed changes nothing's time.
    """
    sources = list(sources)
    try:
        built = output.stat().st_mtime_ns
        if _stamp(output).read_text() != _stamp_text(sources, settings):
            return False
        return all(source.stat().st_mtime_ns <= built for source in sources)
    except FileNotFoundError:
        return False


def ensure_kernel(progress: Progress) -> Path:
    """The kernel's ELF file, built if its sources changed."""
    build = build_dir() / "kernel"
    return _ensure(progress, "kernel", "microkernel", build / "kernel.elf", {"BUILD": str(build)})


def ensure_pyhost(progress: Progress, sysroot: Sysroot) -> Path:
    """The library that the interpreter of an image runs under, built if its sources changed.

    Beside it is the same library with symbols, named `pyhost.debug.so`.
    """
    build = build_dir() / "pyhost"
    variables = {
        "BUILD": str(build),
        "SYSROOT": str(sysroot.root),
        "VERSION": sysroot.python_version,
    }
    return _ensure(progress, "embedding", "pyhost", build / "pyhost.so", variables, sysroot.digest)


def _ensure(
    progress: Progress,
    name: str,
    folder: str,
    output: Path,
    variables: Mapping[str, str],
    digest: str = "",
) -> Path:
    source_folder = REPO / folder
    settings = "\n".join([digest, *(f"{key}={value}" for key, value in variables.items())])
    if is_current(output, sources_of(source_folder), settings):
        return output
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise BuildError(f"{tool} is missing: install the Debian package {package}.")
    output.parent.mkdir(parents=True, exist_ok=True)
    # Two commands started at once must not write the same objects.
    with (output.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sources = sources_of(source_folder)
        if is_current(output, sources, settings):
            return output
        if _stamp(output).exists() and not _same_settings(output, settings):
            _forget_objects(output.parent)
        started = time.time_ns()
        with progress.step(f"building the {name}"):
            _make(source_folder, variables)
        if not output.is_file():
            raise BuildError(f"make -C {folder} succeeded without making {output}")
        # A source that was edited while make ran may or may not be in it: it counts as newer.
        os.utime(output, ns=(started, started))
        _stamp(output).write_text(_stamp_text(sources, settings))
    return output


def _stamp(output: Path) -> Path:
    return output.with_name(output.name + ".stamp")


def _stamp_text(sources: Iterable[Path], settings: str) -> str:
    return settings + "\n\n" + "\n".join(sorted(map(str, sources)))


def _same_settings(output: Path, settings: str) -> bool:
    return _stamp(output).read_text().startswith(settings + "\n\n")


def _forget_objects(build: Path) -> None:
    """make knows nothing of its variables' old values: without objects it cannot go wrong."""
    for path in build.iterdir():
        if path.name == "lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _make(folder: Path, variables: Mapping[str, str]) -> None:
    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "--silent",
            f"--jobs={os.cpu_count() or 1}",
            f"--directory={folder}",
            *(f"{key}={value}" for key, value in variables.items()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # A make that started us must not hand its own flags and job server down.
        env={key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS")},
    )
    if done.returncode:
        raise BuildError(f"building {folder.name} failed:\n{done.stdout.rstrip()}")
