"""Which names a CommonJS module exports, read off its source without running it.

As node's cjs-module-lexer does: what is written in the ways that people and compilers write it is
found. What is not is still there as the default export.
"""

from __future__ import annotations

import re
from os.path import dirname
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.resolve import Resolver

_EXPORTS = r"(?<![.\w$])(?:module\s*\.\s*)?exports"
_NAME = r"[A-Za-z_$][\w$]*"
_MEMBER = re.compile(rf"{_EXPORTS}\s*(?:\.\s*({_NAME})|\[\s*(['\"])([^'\"]+)\2\s*\])\s*=(?!=)")
_DEFINED = re.compile(rf"defineProperty\s*\(\s*{_EXPORTS}\s*,\s*(['\"])([^'\"]+)\1")
_WHOLE = re.compile(r"(?<![.\w$])module\s*\.\s*exports\s*=\s*\{")
_AGAIN = re.compile(
    r"(?:module\s*\.\s*exports\s*=\s*|__exportStar\s*\(\s*|__export\s*\(\s*|\.\.\.\s*)"
    r"require\s*\(\s*(['\"])([^'\"]+)\1\s*\)"
)
_KEY = re.compile(rf"\s*(?:get\s+|async\s+)?(?:({_NAME})|(['\"])([^'\"]+)\2)\s*([,:}}(])")
_SPREAD = re.compile(r"\s*\.\.\.\s*require\s*\([^)]*\)\s*,?")
_VALUE = re.compile(rf"\s*(?:{_NAME}(?:\.{_NAME})*|[\d.]+|'[^'\\\n]*'|\"[^\"\\\n]*\")\s*,")
"""Of a key: what surely ends at the comma."""

_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\\'\"`/])//[^\n]*", re.DOTALL)


def exported_names(path: str, resolver: Resolver) -> list[str]:
    """The names that the file exports, those of files that it passes on included."""
    names: dict[str, None] = {}
    _collect(path, resolver, names, set())
    return list(names)


def _collect(path: str, resolver: Resolver, names: dict[str, None], seen: set[str]) -> None:
    if path in seen or path.endswith(".json"):
        return
    seen.add(path)
    source = _COMMENT.sub(" ", Path(path).read_text("utf-8", "replace"))
    for match in _MEMBER.finditer(source):
        names[match[1] or match[3]] = None
    for match in _DEFINED.finditer(source):
        names[match[2]] = None
    for match in _WHOLE.finditer(source):
        names.update(dict.fromkeys(_keys(source, match.end())))
    for match in _AGAIN.finditer(source):
        from ovum.services.js.resolve import NotFound

        try:
            found = resolver.find(match[2], dirname(path), imported=False)
        except NotFound:
            # Running the module will say so.
            continue
        _collect(found, resolver, names, seen)


def _keys(source: str, at: int) -> list[str]:
    """The keys of an object literal up to the first whose value is not plain."""
    found: list[str] = []
    while True:
        spread = _SPREAD.match(source, at)
        if spread is not None:
            at = spread.end()
            continue
        match = _KEY.match(source, at)
        if match is None:
            return found
        found.append(match[1] or match[3])
        if match[4] == ",":
            at = match.end()
        elif match[4] == ":":
            value = _VALUE.match(source, match.end())
            if value is None:
                return found
            at = value.end()
        else:
            return found
