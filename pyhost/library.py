"""Imports the rarer modules of the library from one packed file; frozen, and imported first.

The file (written by ovum/stdlib.py) is the length of its head in eight bytes, the head (an index,
offset and size by each module's source path, and deflate's dictionary), marshalled, and the
modules, each its marshalled code deflated. It is on sys.path like a zip file; zipimport does the
same job, but reads a list of contents with Python code at every start and opens the file's headers
for every module.
"""

import marshal
import sys
import zlib
from _frozen_importlib import ModuleSpec

# Only builtin modules above: this one runs at every start. What the annotations name is not loaded.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType

PACK = f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/stdlib.pack"

_head: tuple[dict[str, tuple[int, int]], bytes] = {}, b""
"""The index, and what all modules were deflated with."""


def _read_index() -> dict[str, tuple[int, int]]:
    global _head
    if not _head[0]:
        with open(PACK, "rb", buffering=0) as file:
            size = int.from_bytes(file.read(8), "little")
            _head = marshal.loads(file.read(size))
    return _head[0]


class PackedLibrary:
    """The finder of one folder in the packed library, and the loader of what it finds there.

    A path entry finder in the words of the language reference, section 5.5.
    """

    def __init__(self, path: str) -> None:
        if path != PACK and not path.startswith(PACK + "/"):
            raise ImportError("not in the packed library", path=path)
        self._folder = path[len(PACK) + 1 :]
        self._index = _read_index()

    def _source(self, name: str) -> str:
        base = f"{self._folder}/" if self._folder else ""
        last = name.rpartition(".")[2]
        package = f"{base}{last}/__init__.py"
        return package if package in self._index else f"{base}{last}.py"

    def find_spec(self, name: str, target: "ModuleType | None" = None) -> ModuleSpec | None:
        """The module's spec, or None if it is not in this folder."""
        source = self._source(name)
        if source not in self._index:
            return None
        package = source.endswith("/__init__.py")
        spec = ModuleSpec(
            name,
            self,  # type: ignore[arg-type]  # a loader in all but its base class
            origin=f"{PACK}/{source}",
            is_package=package,
        )
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [f"{PACK}/{source.removesuffix('/__init__.py')}"]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """The default is right."""

    def exec_module(self, module: "ModuleType") -> None:
        """Runs the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name: str) -> "CodeType":
        """A module's code object; ImportError if it is not here."""
        source = self._source(name)
        if source not in self._index:
            raise ImportError(f"no module {name!r} in the packed library", name=name)
        offset, size = self._index[source]
        with open(PACK, "rb", buffering=0) as file:
            file.seek(offset)
            inflate = zlib.decompressobj(zdict=_head[1])
            code: CodeType = marshal.loads(inflate.decompress(file.read(size)))
        return code

    def get_source(self, name: str) -> None:
        """There is none."""

    def get_filename(self, name: str) -> str:
        """What `__file__` is."""
        return f"{PACK}/{self._source(name)}"

    def is_package(self, name: str) -> bool:
        """Whether it has submodules."""
        return self._source(name).endswith("/__init__.py")

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Name, and whether it is a package, of all that is here: what pkgutil asks for."""
        base = f"{self._folder}/" if self._folder else ""
        for source in sorted(self._index):
            rest = source.removeprefix(base).removesuffix(".py").split("/")
            if not source.startswith(base) or rest[0] == "__init__":
                continue
            if len(rest) == 1 or (len(rest) == 2 and rest[1] == "__init__"):
                yield prefix + rest[0], len(rest) == 2


class _RarerCodecs:
    """A finder that is asked last: the frozen package `encodings` has one folder, by rule."""

    @staticmethod
    def find_spec(
        name: str, path: object = None, target: "ModuleType | None" = None
    ) -> ModuleSpec | None:
        """The spec of a codec in the packed library."""
        if not name.startswith("encodings."):
            return None
        return PackedLibrary(f"{PACK}/encodings").find_spec(name)


if PACK in sys.path:
    sys.path_hooks.insert(0, PackedLibrary)
    sys.meta_path.append(_RarerCodecs)
