"""Runs under the sysroot's Python: which modules a program can reach, without running any of it.

Standard input is one JSON object:

    path      folders to search, in order
    scripts   files that run as __main__
    code      sources that run as __main__
    modules   names of modules to begin with
    implied   for each module, the modules that it needs without an import statement saying so
    within    follow only modules in this folder, or null for all

Standard output is one, too: `modules` (each name with its file, null without one), `missing` (each
name that was not found with who wanted it) and `strings` (short literals in scripts and code).
"""

import ast
import importlib.machinery
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_IMPORT_FUNCTIONS = {"import_module", "__import__", "find_spec"}
_CALLS_THAT_IMPORT = {"breakpoint": "pdb", "help": "pydoc"}
_FROZEN_ONLY = {"_frozen_importlib", "_frozen_importlib_external"}
_LONGEST_STRING = 24


@dataclass(frozen=True)
class Wanted:
    """One import: absolute name of the module, and the names taken from it."""

    module: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Where a module is; `locations` are a package's folders."""

    file: str | None
    locations: tuple[str, ...]
    source: bool


class Finder:
    """Finds modules as the import system would, on a path of its own."""

    def __init__(self, path: list[str], within: str | None) -> None:
        self._path = path
        self._within = within
        self._known: dict[str, Found | None] = {}

    def find(self, name: str) -> Found | None:
        """The module, or None. Parents are looked up, never imported."""
        if name not in self._known:
            self._known[name] = self._look(name)
        return self._known[name]

    def _look(self, name: str) -> Found | None:
        if name in sys.builtin_module_names or name in _FROZEN_ONLY or name == "_kernel":
            return Found(None, (), False) if self._within is None else None
        parent, _, _ = name.rpartition(".")
        search = self._path
        if parent:
            package = self.find(parent)
            if package is None or not package.locations:
                return None
            search = list(package.locations)
        spec = importlib.machinery.PathFinder.find_spec(name, search)
        if spec is None:
            return None
        locations = tuple(spec.submodule_search_locations or ())
        file = spec.origin if spec.has_location else None
        inside = file or next(iter(locations), "")
        if self._within is not None and not inside.startswith(self._within + os.sep):
            return None
        return Found(file, locations, bool(file and file.endswith(".py")))


class Imports(ast.NodeVisitor):
    """Collects the imports of one file, wherever in it they are."""

    def __init__(self, finder: Finder, package: str, main: bool) -> None:
        self.wanted: list[Wanted] = []
        self.strings: set[str] = set()
        self._finder = finder
        self._package = package
        self._main = main

    def visit_Import(self, node: ast.Import) -> None:
        self.wanted += [Wanted(alias.name) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = self._absolute(node.module or "", node.level)
        if module:
            self.wanted.append(Wanted(module, tuple(alias.name for alias in node.names)))

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = getattr(function, "attr", None) or getattr(function, "id", None)
        if name in _IMPORT_FUNCTIONS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                level = len(first.value) - len(first.value.lstrip("."))
                self.wanted.append(Wanted(self._absolute(first.value.lstrip("."), level)))
        elif isinstance(function, ast.Name) and function.id in _CALLS_THAT_IMPORT:
            self.wanted.append(Wanted(_CALLS_THAT_IMPORT[function.id]))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) <= _LONGEST_STRING:
            self.strings.add(node.value)

    def visit_If(self, node: ast.If) -> None:
        test = ast.unparse(node.test)
        never = test.split(".")[-1] == "TYPE_CHECKING" or test in (
            "sys.platform == 'win32'",
            "os.name == 'nt'",
            "sys.platform == 'darwin'",
        )
        if test == "__name__ == '__main__'" and not self._main:
            never = True
        for statement in node.orelse if never else [*node.body, *node.orelse]:
            self.visit(statement)
        self.visit(node.test)

    def visit_Try(self, node: ast.Try) -> None:
        """What stands in for a module is not reached where the module itself is there."""
        before = len(self.wanted)
        for statement in node.body:
            self.visit(statement)
        tried = self.wanted[before:]
        there = bool(tried) and all(self._finder.find(wanted.module) for wanted in tried)
        for handler in node.handlers:
            if not (there and _catches_import_error(handler)):
                self.visit(handler)
        for statement in [*node.orelse, *node.finalbody]:
            self.visit(statement)

    def _absolute(self, module: str, level: int) -> str:
        if not level:
            return module
        base = self._package.split(".")[: len(self._package.split(".")) - level + 1]
        return ".".join([*base, *([module] if module else [])])


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(one) for one in caught if one is not None}
    return bool(names) and names <= {"ImportError", "ModuleNotFoundError", "AttributeError"}


class Reach:
    """The modules reached so far, and those still to be looked into."""

    def __init__(self, finder: Finder, implied: dict[str, list[str]]) -> None:
        self.modules: dict[str, str | None] = {}
        self.missing: dict[str, str] = {}
        self.strings: set[str] = set()
        self._finder = finder
        self._implied = implied
        self._todo: list[str] = []

    def add(self, wanted: Wanted, by: str) -> None:
        """Reaches a module, the packages it is in, and the submodules among the names."""
        parts = wanted.module.split(".")
        for length in range(1, len(parts) + 1):
            if not self._reach(".".join(parts[:length]), by):
                return
        found = self._finder.find(wanted.module)
        for name in wanted.names:
            if name == "*":
                continue
            if found is None or not found.locations:
                break
            if self._finder.find(f"{wanted.module}.{name}"):
                self._reach(f"{wanted.module}.{name}", by)

    def _reach(self, name: str, by: str) -> bool:
        if name in self.modules:
            return True
        found = self._finder.find(name)
        if found is None:
            self.missing.setdefault(name, by)
            return False
        self.modules[name] = found.file
        self._todo.append(name)
        for other in self._implied.get(name, ()):
            self.add(Wanted(other), name)
        return True

    def follow(self) -> None:
        """Reaches everything that can be reached from what has been added."""
        while self._todo:
            name = self._todo.pop()
            found = self._finder.find(name)
            if found is None:
                continue
            if found.source and found.file is not None:
                package = name if found.locations else name.rpartition(".")[0]
                main = name == "__main__" or name.endswith(".__main__")
                self.look_into(_read(found.file), package, main, name)
            elif found.file is not None and "site-packages" in found.file:
                # What an extension module imports is not written down anywhere, so all of its
                # package counts as reached.
                for other in _all_of(name.split(".")[0], self._finder):
                    self.add(Wanted(other), name)

    def look_into(self, source: bytes | str, package: str, main: bool, name: str) -> None:
        """Adds what a source imports; one that is not valid Python imports nothing."""
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return
        imports = Imports(self._finder, package, main)
        imports.visit(tree)
        if main:
            self.strings |= imports.strings
        for wanted in imports.wanted:
            self.add(wanted, name)
            if "*" in wanted.names:
                for submodule in _all_names(self._finder.find(wanted.module)):
                    if self._finder.find(f"{wanted.module}.{submodule}"):
                        self.add(Wanted(f"{wanted.module}.{submodule}"), name)


def _read(file: str) -> bytes:
    with open(file, "rb") as stream:
        return stream.read()


def _all_names(found: Found | None) -> Iterable[str]:
    """The strings in the `__all__` of a package."""
    if found is None or not found.source or not found.locations or found.file is None:
        return []
    names = []
    for node in ast.walk(ast.parse(_read(found.file))):
        if isinstance(node, ast.Assign) and "__all__" in map(ast.unparse, node.targets):
            names += [
                one.value
                for one in ast.walk(node.value)
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
    return names


def _all_of(package: str, finder: Finder) -> Iterator[str]:
    """Every module in a package, except for its tests."""
    found = finder.find(package)
    for location in found.locations if found is not None else ():
        for folder, subfolders, files in os.walk(location):
            subfolders[:] = [name for name in subfolders if name not in ("tests", "test")]
            prefix = ".".join([package, *os.path.relpath(folder, location).split(os.sep)])
            prefix = prefix.removesuffix("..").removesuffix(".")
            for file in files:
                if file.endswith(".py"):
                    yield prefix if file == "__init__.py" else f"{prefix}.{file[:-3]}"


def main() -> None:
    """Answers the one request on standard input."""
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    reach = Reach(Finder(request["path"], request["within"]), request["implied"])
    for script in request["scripts"]:
        reach.look_into(_read(script), "", True, script)
    for code in request["code"]:
        reach.look_into(code, "", True, "-c")
    for module in request["modules"]:
        reach.add(Wanted(module), "the start")
    reach.follow()
    answer = {
        "modules": reach.modules,
        "missing": reach.missing,
        "strings": sorted(reach.strings),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
