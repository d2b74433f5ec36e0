"""CPython's tests: fetched from Debian, and a copy of the standard library that contains them.

The package belongs to the sysroot's interpreter, version for version, but is no part of the
sysroot: it is 32 MiB that only these tests need.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

from ovum.apt import Apt, debian_mirror, unpack
from ovum.paths import cache_dir
from ovum.progress import Progress
from ovum.stdlib import LIBRARY
from ovum.sysroot import RECIPE, Sysroot

_LAYOUT: Final = 3
"""Raised when this file lays the folder out differently."""

_LIST: Final = """
import json
from test.libregrtest.findtests import findtests, split_test_packages
print(json.dumps(split_test_packages(findtests())))
"""


@dataclass(frozen=True, slots=True)
class Suite:
    """The library with its tests, and everything to run it on this Linux."""

    sysroot: Sysroot
    folder: Path

    @property
    def library(self) -> Path:
        """What is /usr/lib/python3.13 in the guest."""
        return self.folder / LIBRARY

    def python(self, *words: str | Path) -> list[str]:
        """The command that runs Debian's Python on this library; needs `environ`."""
        return self.sysroot.python(*map(str, words))

    def environ(self) -> dict[str, str]:
        """The variables for `python`, and nothing of the caller's that tests would see."""
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin",
            "PYTHONHASHSEED": "0",
            "PYTHONHOME": str(self.folder / "usr"),
            "TERM": "dumb",
        }

    def modules(self) -> list[str]:
        """The names of all test modules, as `python3 -m test` would take them."""
        done = subprocess.run(
            self.python("-c", _LIST), env=self.environ(), capture_output=True, check=True
        )
        names: list[str] = json.loads(done.stdout)
        return [name if name.startswith("test.") else f"test.{name}" for name in names]


def ensure_suite(sysroot: Sysroot, progress: Progress) -> Suite:
    """The suite of this sysroot's interpreter; fetches it if it is not in the cache."""
    base = cache_dir() / "regrtest"
    folder = base / hashlib.sha256(f"{_LAYOUT} {sysroot.digest}".encode()).hexdigest()[:16]
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=base, prefix="new-") as work:
                _make(Path(work), sysroot, progress)
                (Path(work) / "result").rename(folder)
    return Suite(sysroot, folder)


def _make(work: Path, sysroot: Sysroot, progress: Progress) -> None:
    version = sysroot.packages[f"python{sysroot.python_version}"]
    package = f"libpython{sysroot.python_version}-testsuite"
    suite = tomllib.loads(RECIPE.read_text())["suite"]
    apt = Apt(work / "apt", suite, debian_mirror())
    with progress.step("fetching CPython's tests"):
        apt.update()
        debs = apt.download([f"{package}={version}"], work / "debs")
        unpack(debs[0], work / "tests")
    library = work / "result" / LIBRARY
    shutil.copytree(
        *(sysroot.root / LIBRARY, library),
        symlinks=True,
        ignore=_useless,
        copy_function=_link,
    )
    shutil.copytree(work / "tests" / LIBRARY, library, symlinks=True, dirs_exist_ok=True)


def _useless(folder: str, names: list[str]) -> list[str]:
    """What no test looks at, above all the static library, and links to where nothing is."""
    return [
        name
        for name in names
        if name == "__pycache__"
        or name.endswith(".a")
        or (Path(folder, name).is_symlink() and not Path(folder, name).exists())
    ]


def _link(source: str, target: str) -> None:
    """A second name instead of a copy: neither file is ever written to."""
    os.link(source, target, follow_symlinks=False)


def choose(
    names: Sequence[str], modules: Sequence[str]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """The modules that these words name, each with the parts that are wanted (empty: all), and the
    words that name none.

    A word is a module with or without `test.`, the package of several, or a module's class or test.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    unknown = []
    for word in names:
        name = word if word.startswith("test.") else f"test.{word}"
        found = [one for one in modules if one == name or one.startswith(f"{name}.")]
        chosen.update(dict.fromkeys(found, ()))
        module = next((one for one in modules if name.startswith(f"{one}.")), None)
        if module is not None and chosen.get(module) != ():
            chosen[module] = (*chosen.get(module, ()), name)
        elif not found and module is None:
            unknown.append(word)
    return chosen, unknown
