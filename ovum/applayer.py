"""The archive of one program: its files, with bytecode beside every Python file."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ovum.layers import Store, digest

if TYPE_CHECKING:
    from ovum.cpio import Entry
    from ovum.sysroot import Sysroot
    from ovum.tree import SourceFile

STORE: Final = Store("applications", ".cpio", keep=64)
_LAYOUT: Final = 1
"""Raised when the same files make a different archive."""

CACHE_TAG: Final = "cpython-313"


def pyc_name(source: str) -> str:
    """Where Python looks for the bytecode of a source file (PEP 3147)."""
    path = PurePosixPath(source)
    return str(path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc")


def ensure_application(sysroot: "Sysroot", files: list["SourceFile"]) -> Path:
    """The archive of these files, which are named by their path in the image."""
    shape = [(file.name, str(file.path), file.size, file.mtime_ns) for file in files]

    key = digest("application", _LAYOUT, sysroot.digest, sorted(shape))

    def make(out: Path, work: Path) -> None:
        from ovum.cpio import write_archive

        with out.open("wb") as archive:
            write_archive(archive, source_entries(sysroot, files, work))

    return STORE.ensure(key, make)


def source_entries(
    sysroot: "Sysroot",
    files: Iterable["SourceFile"],
    work: Path,
    wanted: Callable[[str], bool] = lambda name: True,
) -> Iterator["Entry"]:
    """The files as entries, and the bytecode of those that are Python; `work` takes the latter.

    `wanted` says by a file's name whether its bytecode goes in.
    """
    from ovum.bytecode import Unit, compile_units
    from ovum.cpio import regular

    units = {}
    for number, file in enumerate(files):
        mtime = max(0, min(file.mtime_ns // 1_000_000_000, 0xFFFFFFFF))
        yield regular(file.name, file.path, file.permissions(), mtime)
        if file.name.endswith(".py") and wanted(file.name):
            units[file.name] = Unit(file.path, work / f"{number}.pyc", "/" + file.name)
    # A file that does not compile is the program's business: importing it tells, as elsewhere.
    broken = {failure.shown for failure in compile_units(sysroot, list(units.values()))}
    for name, unit in units.items():
        if unit.shown not in broken:
            yield regular(pyc_name(name), unit.output)
