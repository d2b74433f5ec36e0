"""The base layer of a stripped image: what one program can reach, and nothing else of it.

The program's own files and its packages stay whole, since what they read at run time is in no
import statement. What is left out is the standard library's, and the native libraries that only
left-out extension modules need.
"""

import json
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum import reach, rootfs, stdlib
from ovum.baselayer import recipe_digest
from ovum.cpio import Entry, read_archive, regular, write_archive
from ovum.layers import Store, digest, signature
from ovum.runners import PARTS, modules_of

if TYPE_CHECKING:
    from ovum.application import Program
    from ovum.options import Options
    from ovum.progress import Progress
    from ovum.sysroot import Sysroot

STORE: Final = Store("stripped", ".cpio", keep=12)
REPORTS: Final = Store("stripped-reports", ".json", keep=12)
DROPPED: Final = "ovum/dropped"
"""The names of the modules that are left out, one a line: the guest's error message needs them."""

_SHOWN: Final = 12


class StripError(Exception):
    """What the user wants included is not there."""


def ensure_stripped(
    sysroot: "Sysroot",
    pyhost: Path,
    program: "Program",
    layers: Sequence[Path],
    options: "Options",
    progress: "Progress",
) -> Path:
    """The base layer for this program, whose own layers are the given ones."""
    started = (program.entry and program.entry.name, program.module, program.code, program.alone)
    key = digest(
        *("stripped", sysroot.digest, signature(pyhost), recipe_digest(), started),
        *([str(layer) for layer in layers], sorted(options.includes)),
    )
    path = STORE.find(key)
    is_new = path is None
    if path is None:

        def make(out: Path, work: Path) -> None:
            for layer in layers:
                _unpack(layer, work / "stage")
            found = _reach(sysroot, program, work / "stage", options.includes)
            kept = _Kept(sysroot, found, program.interactive)
            with out.open("wb") as file:
                write_archive(file, kept.entries(pyhost, work))
            sizes = json.dumps(kept.sizes())
            REPORTS.ensure(key, lambda report, _: _write(report, sizes))

        with progress.step("finding what the program can reach"):
            path = STORE.ensure(key, make)
    report = REPORTS.find(key)
    if report is not None and (is_new or options.verbose):
        _tell(json.loads(report.read_bytes()), options.verbose, progress)
    return path


def _write(out: Path, text: str) -> None:
    out.write_text(text)


def _unpack(layer: Path, stage: Path) -> None:
    """The files of an archive in which imports are looked for."""
    for entry, _ in read_archive(layer.read_bytes()):
        if stat.S_ISREG(entry.mode) and not entry.name.endswith(".pyc"):
            path = stage / entry.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.content if isinstance(entry.content, bytes) else b"")


def _reach(
    sysroot: "Sysroot", program: "Program", stage: Path, includes: Sequence[str]
) -> reach.Reached:
    modules = [*reach.START_UP, *includes]
    scripts = []
    if program.interactive:
        modules += reach.PROMPT
    if any(stage.rglob("*.so*")):
        # Compiled code may make sockets by itself.
        modules += reach.NETWORK
    if program.module is not None:
        modules += [*reach.MODULE_RUN, program.module, f"{program.module}.__main__"]
    app = stage / rootfs.APP
    if program.kind is not None:
        modules += [*reach.MODULE_RUN, program.kind.module, f"{program.kind.module}.__main__"]
        if program.kind.part is not None:
            modules += modules_of(PARTS[program.kind.part])
    elif program.entry is not None:
        scripts = [app / program.entry.name]
        if program.alone:
            with zipfile.ZipFile(program.entry) as archive:
                app = stage / "zip"
                archive.extractall(app)
            scripts = [app / "__main__.py"]
        if scripts[0].name == "__main__.py":
            modules += [*reach.MODULE_RUN, "zipimport"]
    library, dynload = sysroot.root / stdlib.LIBRARY, sysroot.root / stdlib.DYNLOAD
    path = [app, library, dynload, stage / stdlib.SITE_PACKAGES]
    code = [] if program.code is None else [program.code]
    found = reach.reached(sysroot, path, scripts=scripts, code=code, modules=modules)
    for name in includes:
        if name not in found.modules:
            raise StripError(f"--include {name}: there is no such module")
    codecs = reach.encodings_named(found.strings)
    if codecs:
        found = reach.reached(
            sysroot, path, scripts=scripts, code=code, modules=[*modules, *codecs]
        )
    return found


class _Kept:
    """What of the standard library stays, and what goes."""

    def __init__(self, sysroot: "Sysroot", reached: reach.Reached, interactive: bool) -> None:
        self._sysroot = sysroot
        self._reached = reached
        self._interactive = interactive
        files = {file for file in reached.modules.values() if file is not None}
        self._library = stdlib.module_files(sysroot)
        self._modules = {name for name, path in self._library.items() if path in files}
        everything = stdlib.extension_files(sysroot)
        self._extensions = [path for path in everything if path in files]
        self._dropped_extensions = [path for path in everything if path not in files]

    def entries(self, pyhost: Path, work: Path) -> Iterator[Entry]:
        """The layer."""
        sysroot = self._sysroot
        modules = self._reached.modules
        yield from rootfs.skeleton()
        yield from rootfs.native_entries(sysroot, pyhost, self._extensions, work)
        yield from rootfs.data_entries(
            sysroot, certificates="_ssl" in modules, zones="zoneinfo" in modules
        )
        if self._interactive or not modules.keys().isdisjoint({"_curses", "readline"}):
            yield from rootfs.terminal_entries(sysroot)
        yield from rootfs.licence_entries(sysroot)
        for path in self._extensions:
            yield regular(f"{stdlib.DYNLOAD}/{path.name}", path)
        yield from stdlib.library_entries(
            sysroot, work, lambda name: True, self._modules.__contains__
        )
        names = "".join(f"{name}\n" for name in sorted(self._dropped_modules()))
        yield regular(DROPPED, names.encode())

    def _dropped_modules(self) -> Iterator[str]:
        for name in self._library.keys() - self._modules:
            yield name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in self._dropped_extensions:
            yield path.name.split(".")[0]

    def sizes(self) -> dict[str, int]:
        """What goes, by top-level module, native library or kind of data, with its size."""
        sizes: dict[str, int] = {}
        for name in self._library.keys() - self._modules:
            top = name.split("/")[0].removesuffix(".py")
            sizes[top] = sizes.get(top, 0) + self._library[name].stat().st_size
        for path in self._dropped_extensions:
            sizes[path.name.split(".")[0]] = path.stat().st_size
        index = rootfs.library_index(self._sysroot)
        kept, _ = index.closure([self._sysroot.interpreter, *self._extensions])
        gone, _ = index.closure(self._dropped_extensions)
        for path in gone:
            if path not in kept:
                sizes[path.name] = path.stat().st_size
        return sizes


def _tell(sizes: dict[str, int], verbose: bool, progress: "Progress") -> None:
    """One line, and with -v the largest of what was left out."""
    ranked = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    total = sum(sizes.values()) / (1 << 20)
    progress.note(f"--strip left out {len(ranked)} modules and libraries, {total:.1f} MiB")
    if verbose:
        for name, size in ranked[:_SHOWN]:
            progress.note(f"{size / 1024:8.0f} KiB  {name}")
        rest = sum(size for _, size in ranked[_SHOWN:])
        progress.note(f"{rest / 1024:8.0f} KiB  {max(0, len(ranked) - _SHOWN)} others")
