"""Runs under the sysroot's Python: which modules a program can reach, without running any of it.

Standard input is one JSON object:

    path      folders to search, in order
    scripts   files that run as __main__
    code      sources that run as __main__
    modules   names of modules to begin with
    library   the standard library's folder, whose modules are known not to run as programs
    implied   for each module, the modules that it needs without an import statement saying so
    ignored   for each module, the imports that serve only who names the imported module as well
    within    follow only modules in this folder, or null for all
    own       packages that are in no folder of `path`, with their folders

Standard output is one, too: `modules` (each name with its file, null without one), `because` (each
name with who wanted it first), `missing` (the same for names that were not found) and `strings`
(short literals in scripts and code).
"""

import ast
import json
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_IMPORT_FUNCTIONS = {"import_module", "__import__", "find_spec"}
_CALLS_THAT_IMPORT = {"breakpoint": "pdb", "help": "pydoc"}
_PROGRAM_FUNCTION = re.compile(r"main|_main|_test.*")
"""What runs when a module of the library is run as a program."""
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

    def __init__(self, path: list[str], within: str | None, own: dict[str, str]) -> None:
        self._path = path
        self._within = within
        self._own = own
        self._known: dict[str, Found | None] = {}

    def find(self, name: str) -> Found | None:
        """The module, or None. Parents are looked up, never imported."""
        if name not in self._known:
            self._known[name] = self._look(name)
        return self._known[name]

    def _look(self, name: str) -> Found | None:
        if name in sys.builtin_module_names or name in _FROZEN_ONLY or name == "_kernel":
            return Found(None, (), False) if self._within is None else None
        if name in self._own:
            folder = self._own[name]
            return Found(os.path.join(folder, "__init__.py"), (folder,), True)
        parent, _, _ = name.rpartition(".")
        search = self._path
        if parent:
            package = self.find(parent)
            if package is None or not package.locations:
                return None
            search = list(package.locations)
        found = _search(name, search)
        if found is not None and self._within is not None:
            inside = found.file or found.locations[0]
            if not inside.startswith(self._within + os.sep):
                return None
        return found


def _search(name: str, search: list[str]) -> Found | None:
    """Looks into the folders in order. Without a module in any, folders of its name are one."""
    portions: list[str] = []
    for entry in search:
        finder = pkgutil.get_importer(entry)
        spec = finder.find_spec(name) if finder is not None else None
        if spec is None:
            continue
        locations = tuple(spec.submodule_search_locations or ())
        if spec.loader is not None:
            file = spec.origin if spec.has_location else None
            return Found(file, locations, bool(file and file.endswith(".py")))
        portions += locations
    return Found(None, tuple(portions), False) if portions else None


class Imports(ast.NodeVisitor):
    """Collects the imports of one file, wherever in it they are."""

    def __init__(self, finder: Finder, package: str, main: bool, library: bool) -> None:
        self.wanted: list[Wanted] = []
        self.strings: set[str] = set()
        self._finder = finder
        self._package = package
        self._main = main
        self._library = library

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if self._main or not self._library or not _PROGRAM_FUNCTION.fullmatch(node.name):
            self.generic_visit(node)

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
        elif name in _CALLS_THAT_IMPORT and isinstance(function, ast.Name) and not self._library:
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

    def __init__(self, finder: Finder, request: dict[str, Any]) -> None:
        self.modules: dict[str, str | None] = {}
        self.because: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.strings: set[str] = set()
        self._finder = finder
        self._library: str = request["library"] + os.sep
        self._implied: dict[str, list[str]] = request["implied"]
        self._ignored: dict[str, list[str]] = request["ignored"]
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
        self.because[name] = by
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
                library = found.file.startswith(self._library)
                self.look_into(_read(found.file), package, main, name, library)
            elif found.file is not None and "site-packages" in found.file:
                # What an extension module imports is not written down anywhere, so all of its
                # package counts as reached.
                for other in _all_of(name.split(".")[0], self._finder):
                    self.add(Wanted(other), name)

    def look_into(
        self, source: bytes | str, package: str, main: bool, name: str, library: bool = False
    ) -> None:
        """Adds what a source imports; one that is not valid Python imports nothing."""
        try:
            tree = ast.parse(source)
        except SyntaxError:
            return
        imports = Imports(self._finder, package, main, library)
        imports.visit(tree)
        if main:
            self.strings |= imports.strings
        ignored = self._ignored.get(name, ())
        for wanted in imports.wanted:
            if wanted.module not in ignored:
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
    reach = Reach(Finder(request["path"], request["within"], request["own"]), request)
    for script in request["scripts"]:
        reach.look_into(_read(script), "", True, script)
    for code in request["code"]:
        reach.look_into(code, "", True, "-c")
    for module in request["modules"]:
        reach.add(Wanted(module), "the start")
    reach.follow()
    answer = {
        "modules": reach.modules,
        "because": reach.because,
        "missing": reach.missing,
        "strings": sorted(reach.strings),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
