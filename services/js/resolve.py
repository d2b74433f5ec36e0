"""Which file a module's name means: Node's rules, of packages too.

https://nodejs.org/api/modules.html#all-together and /api/esm.html#resolution-algorithm. Names of
files are absolute paths; nothing is run here.
"""

from __future__ import annotations

import os
from os.path import dirname, isdir, isfile, join, normpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

EXTENSIONS = (".js", ".json", ".cjs", ".mjs")
"""Tried in this order behind a name without one, by `require`."""

REQUIRE = frozenset(("node", "require", "module-sync", "default"))
IMPORT = frozenset(("node", "import", "module-sync", "default"))


class NotFound(Exception):
    """There is no such module. `code` is Node's."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Resolver:
    """Finds modules. It remembers the packages it has read."""

    def __init__(self) -> None:
        self._packages: dict[str, dict[str, Any] | None] = {}

    def find(self, name: str, folder: str, *, imported: bool, asker: str = "") -> str:
        """The file that `name` means in a file of this folder.

        `imported`: by the rules of `import`, not of `require`. Raises NotFound.
        """
        conditions = IMPORT if imported else REQUIRE
        if name.startswith("file://"):
            from urllib.parse import unquote

            name = unquote(name.removeprefix("file://"))
        if name[:1] == "/" or name in (".", "..") or name.startswith(("./", "../")):
            path = normpath(join(folder, name))
            found = self._exact(path) if imported else self._as_file(path, name)
            if found is None and imported and name.endswith(("/", ".")):
                found = None
        elif name.startswith("#"):
            found = self._from_imports(name, folder, conditions)
        else:
            found = self._from_packages(name, folder, conditions, imported=imported)
        if found is None:
            raise _missing(name, asker, imported=imported)
        return os.path.realpath(found)

    def package(self, folder: str) -> dict[str, Any] | None:
        """The package.json of this very folder."""
        if folder not in self._packages:
            path = join(folder, "package.json")
            content: dict[str, Any] | None = None
            if isfile(path):
                # Only here: programs without a package are not to wait for it.
                import json

                with open(path, encoding="utf-8") as file:
                    try:
                        read = json.load(file)
                    except ValueError as error:
                        raise NotFound(
                            f"Invalid package config {path}. {error}", "ERR_INVALID_PACKAGE_CONFIG"
                        ) from error
                content = read if isinstance(read, dict) else {}
            self._packages[folder] = content
        return self._packages[folder]

    def scope(self, folder: str) -> tuple[str, dict[str, Any]]:
        """The package that files of this folder belong to: its folder and package.json."""
        for place in _upwards(folder):
            if place.endswith("/node_modules"):
                break
            found = self.package(place)
            if found is not None:
                return place, found
        return folder, {}

    def is_module(self, path: str) -> bool | None:
        """Whether a file is an ES module; None if its name and package do not say."""
        if path.endswith(".mjs"):
            return True
        if path.endswith((".cjs", ".json")):
            return False
        kind = self.scope(dirname(path))[1].get("type")
        return {"module": True, "commonjs": False}.get(kind) if isinstance(kind, str) else None

    def main_of(self, folder: str) -> str | None:
        """The file that a folder means by itself."""
        package = self.package(folder) or {}
        main = package.get("main")
        if isinstance(main, str):
            found = self._file(normpath(join(folder, main))) or self._index(
                normpath(join(folder, main))
            )
            if found is not None:
                return found
        return self._index(folder)

    def _exact(self, path: str) -> str | None:
        return path if isfile(path) else None

    def _as_file(self, path: str, name: str) -> str | None:
        if not name.endswith(("/", "/.", "/..")) and name not in (".", ".."):
            found = self._file(path)
            if found is not None:
                return found
        return self.main_of(path) if isdir(path) else None

    def _file(self, path: str) -> str | None:
        if isfile(path):
            return path
        return next((path + end for end in EXTENSIONS if isfile(path + end)), None)

    def _index(self, folder: str) -> str | None:
        path = join(folder, "index")
        return next((path + end for end in EXTENSIONS if isfile(path + end)), None)

    def _from_packages(
        self, name: str, folder: str, conditions: frozenset[str], *, imported: bool
    ) -> str | None:
        parts = name.split("/")
        count = 2 if name.startswith("@") else 1
        package, rest = "/".join(parts[:count]), "/".join(parts[count:])
        own, content = self.scope(folder)
        if content.get("name") == package and content.get("exports") is not None:
            return self._exported(own, content["exports"], rest, conditions, name)
        for place in _upwards(folder):
            if place.endswith("/node_modules"):
                continue
            at = join(place, "node_modules", package)
            if not isdir(at):
                if not rest and not imported and not name.startswith("@"):
                    found = self._file(at)
                    if found is not None:
                        return found
                continue
            exports = (self.package(at) or {}).get("exports")
            if exports is not None:
                return self._exported(at, exports, rest, conditions, name)
            if not rest:
                found = self.main_of(at)
            else:
                path = normpath(join(at, rest))
                found = self._exact(path) if imported else self._as_file(path, rest)
            if found is not None:
                return found
        return None

    def _exported(
        self, folder: str, exports: Any, rest: str, conditions: frozenset[str], name: str
    ) -> str:
        key = f"./{rest}" if rest else "."
        table = exports if _has_paths(exports) else {".": exports}
        found = self._matched(table, key, folder, conditions)
        if found is None:
            raise NotFound(
                f"Package subpath '{key}' is not defined by \"exports\" in {folder}/package.json",
                "ERR_PACKAGE_PATH_NOT_EXPORTED",
            )
        if not isfile(found):
            raise NotFound(f"Cannot find module '{found}'", "MODULE_NOT_FOUND")
        return found

    def _from_imports(self, name: str, folder: str, conditions: frozenset[str]) -> str | None:
        own, content = self.scope(folder)
        table = content.get("imports")
        found = self._matched(table, name, own, conditions) if isinstance(table, dict) else None
        if found is None:
            raise NotFound(
                f'Package import specifier "{name}" is not defined in package {own}/package.json',
                "ERR_PACKAGE_IMPORT_NOT_DEFINED",
            )
        return found

    def _matched(
        self, table: dict[str, Any], key: str, folder: str, conditions: frozenset[str]
    ) -> str | None:
        if key in table and "*" not in key:
            return self._target(table[key], "", folder, conditions)
        best: tuple[int, int, str, str] | None = None
        for pattern in table:
            before, star, after = pattern.partition("*")
            if not star or not key.startswith(before) or key == before:
                continue
            if key.endswith(after) and len(key) >= len(pattern):
                match = key[len(before) : len(key) - len(after)]
                rank = (len(before), len(pattern), pattern, match)
                best = rank if best is None or rank[:2] > best[:2] else best
        if best is None:
            return None
        return self._target(table[best[2]], best[3], folder, conditions)

    def _target(
        self, target: Any, match: str, folder: str, conditions: frozenset[str]
    ) -> str | None:
        if isinstance(target, str):
            if target.startswith("./"):
                inside = target[2:].replace("*", match)
                if ".." in inside.split("/") or "node_modules" in inside.split("/"):
                    raise NotFound(f"Invalid target {target}", "ERR_INVALID_PACKAGE_TARGET")
                return normpath(join(folder, inside))
            return self._from_packages(
                target.replace("*", match), folder, conditions, imported="import" in conditions
            )
        if isinstance(target, dict):
            for condition, inner in target.items():
                if condition in conditions:
                    found = self._target(inner, match, folder, conditions)
                    if found is not None:
                        return found
        if isinstance(target, list):
            for inner in target:
                found = self._target(inner, match, folder, conditions)
                if found is not None:
                    return found
        return None


def _has_paths(exports: Any) -> bool:
    return isinstance(exports, dict) and any(key.startswith(".") for key in exports)


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = dirname(folder)
        if above == folder:
            return
        folder = above


def _missing(name: str, asker: str, *, imported: bool) -> NotFound:
    if imported:
        kind = "module" if name[:1] in "./" else "package"
        by = f" imported from {asker}" if asker else ""
        return NotFound(f"Cannot find {kind} '{name}'{by}", "ERR_MODULE_NOT_FOUND")
    by = f"\nRequire stack:\n- {asker}" if asker else ""
    return NotFound(f"Cannot find module '{name}'{by}", "MODULE_NOT_FOUND")
