"""The files that a JavaScript program takes from a folder that is not taken whole: those it names.

By words, as `require("./x")` and `import … from "./x"` are written; `--add` puts in what is named
otherwise.
"""

import os
import re
from pathlib import Path

from ovum.services.js.resolve import NotFound, Resolver
from ovum.tree import SourceFile, source_file

_NAMED = re.compile(
    r"""(?:\brequire\s*\(\s*|\bimport\s*\(\s*|\bfrom\s*|\bimport\s*)(["'])([^"'\n]+)\1"""
)


def named_files(entry: Path) -> list[SourceFile]:
    """The program's file and all in its folder that these name, relative to that folder."""
    folder = entry.parent.resolve()
    resolver = Resolver()
    found: dict[Path, None] = {}
    waiting = [entry.resolve()]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_relative_to(folder):
            continue
        found[path] = None
        for above in path.parents:
            if above.is_relative_to(folder) and (above / "package.json").is_file():
                found[above / "package.json"] = None
        if path.suffix != ".json":
            waiting += _named(path, resolver)
    return [
        source_file(os.path.relpath(path, folder), path)
        for path in sorted(found)
    ]  # fmt: skip


def _named(path: Path, resolver: Resolver) -> list[Path]:
    files = []
    for match in _NAMED.finditer(path.read_text("utf-8", "replace")):
        for imported in (False, True):
            try:
                name = resolver.find(match[2], str(path.parent), imported=imported)
            except (NotFound, OSError):
                # Built in, or missing: the program will tell.
                continue
            files.append(Path(name))
    return files
