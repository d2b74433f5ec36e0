"""Packages from PyPI in an image: one layer per set of requirements.

pip runs under the sysroot's Python, not the host's, so that it sees the machine the packages are
for: conditions such as `python_version >= "3.12"` and the choice among wheels come out right
without being told. A set of requirements that has been resolved once stays as it is and needs no
network again.
"""

import contextlib
import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.insysroot import environ
from ovum.layers import Store, digest, signature
from ovum.paths import cache_dir

if TYPE_CHECKING:
    from ovum.cpio import Entry
    from ovum.progress import Progress
    from ovum.sysroot import Sysroot

STORE: Final = Store("packages", ".cpio", keep=24)
_LAYOUT: Final = 2
"""Raised when the same packages make a different archive."""

_INCLUDED = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]\s*(\S+)", re.MULTILINE)
_NOT_FOUND = re.compile(r"No matching distribution found for (.+)")
_NO_NETWORK: Final = (
    *("NewConnectionError", "Temporary failure in name resolution", "Connection refused"),
    *("Network is unreachable", "ConnectTimeoutError", "ReadTimeoutError"),
)


class WheelError(Exception):
    """The packages cannot be had; the message says why, in pip's words and ours."""


def ensure_packages(
    sysroot: "Sysroot",
    requirements: Sequence[Path],
    packages: Sequence[str],
    progress: "Progress",
) -> Path:
    """The archive with what these requirement files and names ask for, installed."""
    texts = [text for path in requirements for text in _requirement_texts(path, set())]
    local = [signature(Path(name)) for name in packages if Path(name).is_file()]
    key = digest("packages", _LAYOUT, sysroot.digest, texts, sorted(packages), local)
    found = STORE.find(key)
    if found is not None:
        return found

    def make(out: Path, work: Path) -> None:
        from ovum.cpio import write_archive

        site = work / "site"
        _install(sysroot, requirements, packages, site)
        with out.open("wb") as archive:
            write_archive(archive, _entries(sysroot, site, work))

    named = [*packages, *(path.name for path in requirements)]
    with progress.step(f"installing {', '.join(named)}"):
        return STORE.ensure(key, make)


def _requirement_texts(path: Path, seen: set[Path]) -> Iterator[str]:
    """What is in a requirements file and in the files that it includes."""
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise WheelError(f"there is no requirements file {path}") from error
    yield text
    for included in _INCLUDED.findall(text):
        yield from _requirement_texts(path.parent / included, seen)


def _install(
    sysroot: "Sysroot",
    requirements: Sequence[Path],
    packages: Sequence[str],
    site: Path,
) -> None:
    wanted = [word for path in requirements for word in ("-r", str(path))]
    command = sysroot.python("-S", "-m", "pip", "install", "--quiet", "--no-input", "--no-compile")
    # A source package would have to be built here, for there; --target leaves the host alone.
    command += ["--only-binary=:all:", "--target", str(site), "--no-warn-script-location"]
    command += ["--disable-pip-version-check", "--root-user-action=ignore", *wanted, *packages]
    done = subprocess.run(
        command,
        env={**environ(sysroot), "PYTHONPATH": str(_pip_alone().resolve())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise WheelError(_explain(done.stdout))
    site.mkdir(exist_ok=True)


def _pip_alone() -> Path:
    """A folder with this environment's pip and nothing else of it.

    The same one each time: pip is large, and its bytecode is kept by its path.
    """
    spec = importlib.util.find_spec("pip")
    if spec is None or not spec.submodule_search_locations:
        raise WheelError(
            "pip is missing in ovum's environment: run `python3 -m ensurepip`, or install the "
            "Debian package python3-pip"
        )
    pip = spec.submodule_search_locations[0]
    folder = cache_dir() / "pip" / digest(pip)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "pip").symlink_to(pip)
    return folder


def _explain(output: str) -> str:
    """pip's complaint with what it means here."""
    complaints = [line for line in output.splitlines() if line.startswith("ERROR:")]
    text = "\n  ".join(complaints or output.splitlines()[-5:])
    if any(sign in output for sign in _NO_NETWORK):
        return f"pip cannot reach the package index; is the network up?\n  {text}"
    missing = _NOT_FOUND.search(output)
    if missing:
        return (
            f"there is no wheel of {missing[1].strip()} for CPython 3.13 on Linux x86-64 "
            "(manylinux), or no such package or version. An image takes wheels only.\n  " + text
        )
    if "ResolutionImpossible" in output:
        return f"the requirements contradict each other:\n  {text}"
    return f"pip failed:\n  {text}"


def _entries(sysroot: "Sysroot", site: Path, work: Path) -> "Iterator[Entry]":
    from ovum.applayer import source_entries
    from ovum.cpio import regular
    from ovum.elf import is_elf
    from ovum.rootfs import IN_EVERY_IMAGE, LIBRARIES, library_index
    from ovum.stdlib import SITE_PACKAGES
    from ovum.tree import source_file

    files = []
    native = []
    for folder, subfolders, names in os.walk(site):
        at = Path(folder)
        # Commands for a shell, which an image has not, and bytecode that pip made.
        subfolders[:] = [
            name for name in subfolders if name != "__pycache__" and (at, name) != (site, "bin")
        ]
        for name in names:
            path = at / name
            files.append(source_file(f"{SITE_PACKAGES}/{path.relative_to(site)}", path))
            if ".so" in name and is_elf(path):
                native.append(path)
    # Packages' own tests are half of the code of some, and hardly ever run: they stay as source.
    yield from source_entries(
        sysroot,
        sorted(files, key=lambda file: file.name),
        work / "pyc",
        lambda name: "/tests/" not in name,
    )
    # Libraries of the system that wheels expect and the base layer may not have, libstdc++ for
    # one. What is found in neither place is in the wheel itself, or an import error in the guest.
    needed, _ = library_index(sysroot).closure(native)
    for path in needed:
        if path.name not in IN_EVERY_IMAGE:
            yield regular(f"{LIBRARIES}/{path.name}", path)
