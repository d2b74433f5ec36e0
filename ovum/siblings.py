"""The files that a program takes from a folder that is not taken whole: those it imports.

What was found is remembered with the state of each file, so that an unchanged program is not
analysed again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ovum.layers import Store, digest, signature
from ovum.tree import SourceFile, source_file

if TYPE_CHECKING:
    from ovum.application import Program
    from ovum.sysroot import Sysroot

STORE: Final = Store("imports", ".json", keep=256)


def imported_files(sysroot: "Sysroot", program: "Program") -> list[SourceFile]:
    """The files in the program's folder that it imports, named relative to that folder."""
    if program.folder is None:
        return []
    folder = program.folder.resolve()
    entry = None if program.entry is None else signature(program.entry)
    key = digest("imports", sysroot.digest, str(folder), entry, program.code, program.module)
    kept = STORE.find(key)
    if kept is not None:
        known = json.loads(kept.read_bytes())
        if not _is_current(known, folder):
            kept.unlink()

    def make(out: Path, _: Path) -> None:
        out.write_text(json.dumps(_analyse(sysroot, program, folder)))

    known = json.loads(STORE.ensure(key, make).read_bytes())
    return [source_file(name, folder / name) for name in known["files"]]


def _is_current(known: Mapping[str, Any], folder: Path) -> bool:
    """Whether every file is as it was, and nothing that was missing has come."""
    try:
        for name, state in known["files"].items():
            if list(signature(folder / name)) != state:
                return False
    except FileNotFoundError:
        return False
    return not any(_exists(folder / name) for name in known["missing"])


def _exists(place: Path) -> bool:
    return place.is_dir() or place.with_name(place.name + ".py").exists()


def _analyse(sysroot: "Sysroot", program: "Program", folder: Path) -> dict[str, Any]:
    from ovum.reach import reached

    found = reached(
        sysroot,
        [folder],
        scripts=[] if program.entry is None else [program.entry],
        code=[] if program.code is None else [program.code],
        modules=[] if program.module is None else [program.module, f"{program.module}.__main__"],
        within=folder,
    )
    files = {str(file.relative_to(folder)) for file in found.modules.values() if file is not None}
    if program.entry is not None:
        files.add(program.entry.name)
    missing = {name.replace(".", "/") for name in found.missing}
    return {
        "files": {name: signature(folder / name) for name in sorted(files)},
        "missing": sorted(name for name in missing if not _exists(folder / name)),
    }
