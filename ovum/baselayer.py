"""The base layer: one archive with everything an image has besides its program."""

import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ovum.layers import Store, digest, signature
from ovum.paths import OWN_PARTS, REPO
from ovum.runners import PARTS

if TYPE_CHECKING:
    from ovum.cpio import Entry
    from ovum.progress import Progress
    from ovum.sysroot import Sysroot

STORE = Store("base", ".cpio", keep=6)

_RECIPE = (
    *("baselayer.py", "bundles.py", "cpio.py", "reach.py", "rootfs.py", "stdlib.py", "strip.py"),
    "tzif.py",
)


def recipe_digest() -> str:
    """Names the code that makes base layers, so that a changed ovum makes them anew."""
    here = Path(__file__).parent
    sources = list(here.glob("insysroot/*.py"))
    sources += [here / name for name in _RECIPE]
    sources += (REPO / "pyhost" / "replaced").rglob("*.py")
    optional = {str(REPO / part.folder) for part in PARTS.values()}
    names = [str(path) for path in sources]
    for part in OWN_PARTS:
        names += _python_files(str(REPO / part), optional)
    state = hashlib.sha256()
    for name in sorted(names):
        state.update(Path(name).read_bytes())
    return state.hexdigest()


def _python_files(folder: str, left_out: Collection[str]) -> Iterator[str]:
    """Those below a folder. Not by pathlib: this is part of every start."""
    for entry in os.scandir(folder):
        if entry.name.endswith(".py"):
            yield entry.path
        elif entry.is_dir() and entry.path not in left_out:
            yield from _python_files(entry.path, left_out)


def ensure_base(sysroot: "Sysroot", pyhost: Path, progress: "Progress") -> Path:
    """The archive with the whole useful standard library."""
    key = digest("base", sysroot.digest, signature(pyhost), recipe_digest())
    found = STORE.find(key)
    if found is not None:
        return found

    def make(out: Path, work: Path) -> None:
        # Only needed the one time that the layer is made.
        from ovum.cpio import write_archive

        with out.open("wb") as file:
            write_archive(file, _entries(sysroot, pyhost, work))

    with progress.step("making the base layer of images"):
        return STORE.ensure(key, make)


def _entries(sysroot: "Sysroot", pyhost: Path, work: Path) -> "Iterator[Entry]":
    from ovum import rootfs, stdlib
    from ovum.cpio import regular

    extensions = stdlib.extension_files(sysroot)
    yield from rootfs.skeleton()
    yield from rootfs.native_entries(sysroot, pyhost, extensions, work)
    yield from rootfs.data_entries(sysroot)
    yield from rootfs.terminal_entries(sysroot)
    yield from rootfs.licence_entries(sysroot)
    for path in extensions:
        yield regular(f"{stdlib.DYNLOAD}/{path.name}", path)
    yield from stdlib.library_entries(sysroot, work, stdlib.is_plain, lambda name: True)
