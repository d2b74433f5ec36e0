"""Decides which files of a program's folder go into its image.

The whole folder, because a program may open what lies beside it and import what it finds there,
but without what tools and version control leave in it. A folder that is plainly not one program's,
or that is too large, is not taken; the caller then takes only what the program imports.
"""

import dataclasses
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_FILES: Final = 4000
MAX_BYTES: Final = 64 << 20

_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
_BUILD_FOLDERS: Final = frozenset({"build", "dist", "target"})
_SKIPPED_SUFFIXES: Final = (".pyc", ".pyo", ".elf", ".egg-info", ".swp", "~")


@dataclasses.dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on the host and its place below the program's folder."""

    name: str
    path: Path
    size: int
    mtime_ns: int
    executable: bool

    def permissions(self) -> int:
        """What the file has in an image; there is only one user."""
        return 0o755 if self.executable else 0o644


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Why a folder is not taken as a whole."""

    reason: str


def source_file(name: str, path: Path) -> SourceFile:
    """One file, as it is now; links are followed."""
    return _source_file(name, path, path.stat())


def _source_file(name: str, path: Path, status: os.stat_result) -> SourceFile:
    executable = bool(status.st_mode & stat.S_IXUSR)
    return SourceFile(name, path, status.st_size, status.st_mtime_ns, executable)


def program_tree(folder: Path, *, node_modules: bool = False) -> list[SourceFile] | Refusal:
    """The files of a program's folder, by name, or the reason not to take them.

    node_modules: with the packages that a JavaScript program has there.
    """
    shared = _shared(folder)
    if shared is not None:
        return Refusal(shared)
    found: list[SourceFile] = []
    size = 0
    for file in _walk(folder, "", {folder.resolve()}, node_modules=node_modules):
        size += file.size
        if len(found) == MAX_FILES:
            return Refusal(f"has more than {MAX_FILES} files")
        if size > MAX_BYTES:
            return Refusal(f"has more than {MAX_BYTES >> 20} MiB")
        found.append(file)
    return sorted(found, key=lambda file: file.name)


def whole_tree(folder: Path) -> list[SourceFile]:
    """All files of a folder that the user named, whatever they are."""
    return sorted(
        _walk(folder, "", {folder.resolve()}, everything=True), key=lambda file: file.name
    )


def _shared(folder: Path) -> str | None:
    folder = folder.resolve()
    if folder == folder.parent:
        return "is the root of the file system"
    if folder == Path.home().resolve():
        return "is a home folder"
    if folder.stat().st_mode & stat.S_ISVTX:
        return "is a folder for everybody's files"
    return None


def _walk(
    folder: Path,
    prefix: str,
    above: set[Path],
    *,
    everything: bool = False,
    node_modules: bool = False,
) -> Iterator[SourceFile]:
    """Files before folders, so that the limits are met soon. `above` ends loops of links."""
    subfolders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            wanted = everything or (node_modules and entry.name == "node_modules")
            if not wanted and _skipped(entry):
                continue
            try:
                status = entry.stat()
            except FileNotFoundError:
                # A link to nowhere, or a file that was removed this moment.
                continue
            if stat.S_ISDIR(status.st_mode):
                subfolders.append(entry.name)
            elif stat.S_ISREG(status.st_mode):
                yield _source_file(prefix + entry.name, folder / entry.name, status)
    for name in subfolders:
        path = folder / name
        real = path.resolve()
        if real not in above:
            yield from _walk(
                path,
                f"{prefix}{name}/",
                above | {real},
                everything=everything,
                node_modules=node_modules,
            )


def _skipped(entry: "os.DirEntry[str]") -> bool:
    name = entry.name
    if name.startswith(".") or name.endswith(_SKIPPED_SUFFIXES):
        return True
    if not entry.is_dir():
        return False
    if name in _SKIPPED_FOLDERS:
        return True
    path = Path(entry.path)
    if name in _BUILD_FOLDERS:
        return not (path / "__init__.py").exists()
    # A virtual environment, by the file that makes it one.
    return (path / "pyvenv.cfg").exists()
