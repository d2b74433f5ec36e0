"""The sysroot: Debian's CPython and its libraries, unpacked into the cache folder.

It is made once and then only read. Which packages is in pyhost/sysroot.toml; their versions are
those of the day it was made, until somebody asks for a refresh.
"""

import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from ovum.apt import Apt, AptError, deb_version, debian_mirror, unpack
from ovum.paths import REPO, cache_dir
from ovum.progress import Progress

RECIPE = REPO / "pyhost" / "sysroot.toml"
TRIPLET = "x86_64-linux-gnu"
LAYOUT = 2
"""Raised when this file lays a sysroot out differently, so that older ones are not taken."""

STAMP = "sysroot.json"


class SysrootError(Exception):
    """The sysroot cannot be made; the message says what the user can do."""


@dataclasses.dataclass(frozen=True)
class Sysroot:
    """An unpacked Debian with one CPython in it."""

    root: Path
    """What `/` is to the programs in it."""
    digest: str
    """Names the exact content: recipe and package versions."""
    python_version: str
    """Major and minor version, as in `3.13`."""
    packages: dict[str, str]
    """Version of every package in it."""

    @property
    def interpreter(self) -> Path:
        """Debian's own Python."""
        return self.root / "usr" / "bin" / f"python{self.python_version}"

    def python(self, *args: str, preload: Path | None = None) -> list[str]:
        """The command that runs this sysroot's own Python on the host; needs `python_env`.

        It is handed to the sysroot's own dynamic linker, since the host's is older, which loads
        `preload` before the other libraries.
        """
        return [
            str(self.root / "lib64" / "ld-linux-x86-64.so.2"),
            "--library-path",
            str(self.root / "usr" / "lib" / TRIPLET),
            *(() if preload is None else ("--preload", str(preload))),
            # Otherwise argv[0], from which Python names sys.executable, would be the linker's.
            "--argv0",
            str(self.interpreter),
            str(self.interpreter),
            *args,
        ]

    def python_env(self) -> dict[str, str]:
        """The environment for `python`: this process's, without what would lead Python astray."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LD_")) and key != "VIRTUAL_ENV"
        }
        return {
            **kept,
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
        }


def _key(recipe: bytes) -> str:
    return hashlib.sha256(b"%d\n" % LAYOUT + recipe).hexdigest()[:16]


def _load(folder: Path) -> Sysroot | None:
    """The finished sysroot in this folder, if there is one."""
    try:
        stamp = json.loads((folder / STAMP).read_bytes())
    except FileNotFoundError:
        return None
    return Sysroot(
        root=folder / "root",
        digest=stamp["digest"],
        python_version=stamp["python_version"],
        packages=stamp["packages"],
    )


def ensure_sysroot(progress: Progress, *, refresh: bool = False) -> Sysroot:
    """The sysroot of this checkout's recipe; makes it if it is not in the cache.

    A sysroot in the cache is taken as it is, without network. `refresh` makes it again from
    today's packages. Raises SysrootError when it cannot be made.
    """
    recipe = RECIPE.read_bytes()
    base = cache_dir() / "sysroot"
    folder = base / _key(recipe)
    found = _load(folder)
    if found is not None and not refresh:
        return found
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not refresh:
            # Another process may have made it while this one waited for the lock.
            found = _load(folder)
            if found is not None:
                return found
        try:
            with tempfile.TemporaryDirectory(dir=base, prefix="new-") as work:
                _make(Path(work), tomllib.loads(recipe.decode()), _key(recipe), progress)
                _replace(folder, Path(work) / "result", Path(work) / "old")
        except AptError as error:
            raise SysrootError(str(error)) from error
        except OSError as error:
            raise SysrootError(f"cannot make the sysroot in {base}: {error}") from error
    made = _load(folder)
    assert made is not None
    return made


def _replace(folder: Path, new: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    new.rename(folder)


def _make(work: Path, recipe: dict[str, Any], key: str, progress: Progress) -> None:
    """Makes `work/result`: root and, last, the stamp that says that all is there."""
    names = sorted(name for group in recipe["packages"].values() for name in group)
    result = work / "result"
    apt = Apt(work / "apt", recipe["suite"], debian_mirror())
    with progress.step("reading Debian's package lists"):
        apt.update()
    with progress.step(f"downloading {len(names)} Debian packages"):
        debs = apt.download(names, work / "debs")
        packages = dict(deb_version(deb) for deb in debs)
    with progress.step("unpacking the sysroot"):
        root = result / "root"
        root.mkdir(parents=True)
        for deb in debs:
            unpack(deb, root)
        _merge_usr(root)
        _certificates(root)
    listing = "".join(f"{name}={version}\n" for name, version in sorted(packages.items()))
    stamp = {
        "digest": hashlib.sha256(f"{key}\n{listing}".encode()).hexdigest(),
        "python_version": recipe["python"],
        "packages": packages,
    }
    (result / STAMP).write_text(json.dumps(stamp, indent=1))


def _merge_usr(root: Path) -> None:
    """/bin, /lib, … become links into /usr, as an installed Debian has them."""
    for name in ("bin", "lib", "lib64", "sbin"):
        top, merged = root / name, root / "usr" / name
        merged.mkdir(parents=True, exist_ok=True)
        if top.is_dir() and not top.is_symlink():
            shutil.copytree(top, merged, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(top)
        if not top.is_symlink():
            top.symlink_to(f"usr/{name}")


def _certificates(root: Path) -> None:
    """What the scripts of ca-certificates make at installation: one file of all authorities."""
    bundle = root / "etc" / "ssl" / "certs" / "ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    parts = sorted((root / "usr" / "share" / "ca-certificates").rglob("*.crt"))
    bundle.write_text("".join(part.read_text().rstrip("\n") + "\n" for part in parts))
    # The one file that OpenSSL reads by itself, without the hashed names that c_rehash makes.
    default = root / "usr" / "lib" / "ssl" / "cert.pem"
    if not default.is_symlink():
        default.parent.mkdir(parents=True, exist_ok=True)
        default.symlink_to("/etc/ssl/certs/ca-certificates.crt")
