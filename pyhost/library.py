"""Imports the rarer modules of the library from one packed file; frozen, and imported first.

The file (written by ovum/stdlib.py) is the length of its head in eight bytes, the head (an index:
offset, size and whether it is a bundle by each module's source path; and deflate's dictionary),
marshalled, and the modules, each its marshalled code deflated. It is on sys.path like a zip file;
zipimport does the same job, but reads a list of contents with Python code at every start and opens
the file's headers for every module.

A bundle is modules of ours that are needed together (ovum/bundles.py). The first import of one runs
them all, in an order in which each finds what it imports: most of what an import of a small module
costs is the import system's own work. A bundle imports nothing but what is in it, in bundles that
import nothing of it, or in the library, so that its lock is always the last one to be taken.
"""

import gc
import marshal
import sys
import zlib
from _frozen_importlib import ModuleSpec
from _thread import RLock

# Only builtin modules above: this one runs at every start. What the annotations name is not loaded.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, ModuleType

PACK = f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/stdlib.pack"

_head: tuple[dict[str, tuple[int, int, bool]], bytes] = {}, b""
"""The index, and what all modules were deflated with."""

_run: set[int] = set()
"""The offsets of the bundles that have been run."""

_running = RLock()
"""Held by the thread that runs a bundle; its modules import modules of others."""


def _read_index() -> dict[str, tuple[int, int, bool]]:
    global _head
    if not _head[0]:
        with open(PACK, "rb", buffering=0) as file:
            size = int.from_bytes(file.read(8), "little")
            _head = marshal.loads(file.read(size))
    return _head[0]


def _inflate(offset: int, size: int) -> bytes:
    with open(PACK, "rb", buffering=0) as file:
        file.seek(offset)
        return zlib.decompressobj(zdict=_head[1]).decompress(file.read(size))


def _members(data: bytes) -> "Iterator[tuple[str, memoryview]]":
    """What is in a bundle: the names of the modules, and their marshalled code."""
    names: tuple[tuple[str, int], ...] = marshal.loads(data)
    view = memoryview(data)
    for name, offset in names:
        yield name, view[offset:]


def _run_bundle(offset: int, size: int) -> None:
    with _running:
        if offset in _run:
            return
        _run.add(offset)
        collecting = gc.isenabled()
        gc.disable()
        try:
            for name, code in _members(_inflate(offset, size)):
                if name not in sys.modules:
                    _run_member(name, code)
        finally:
            if collecting:
                gc.enable()


def _run_member(name: str, code: memoryview) -> None:
    """Makes a module as the import system does. It is in sys.modules once it is complete."""
    parent, _, last = name.rpartition(".")
    folder = PACK + "/" + parent.replace(".", "/") if parent else PACK
    finder = sys.path_importer_cache.get(folder)
    if not isinstance(finder, PackedLibrary):
        finder = sys.path_importer_cache[folder] = PackedLibrary(folder)
    spec = finder.spec(name)
    module = type(sys)(name)
    module.__spec__ = spec
    module.__loader__ = spec.loader
    module.__file__ = spec.origin
    module.__package__ = parent
    if spec.submodule_search_locations is not None:
        module.__package__ = name
        module.__path__ = spec.submodule_search_locations
        # Before its code: that may give the name of a module to what it has from there.
        for child, other in list(sys.modules.items()):
            if child.rpartition(".")[0] == name:
                setattr(module, child.rpartition(".")[2], other)
    exec(marshal.loads(code), module.__dict__)
    sys.modules[name] = module
    if parent in sys.modules:
        setattr(sys.modules[parent], last, module)


class _Run:
    """The loader that the import system gets for a module which its bundle has run."""

    def __init__(self, module: "ModuleType") -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> "ModuleType":
        """It is there."""
        return self._module

    def exec_module(self, module: "ModuleType") -> None:
        """It has its own spec again, whose loader can tell more."""
        module.__spec__ = self._spec


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
        place = self._index.get(self._source(name))
        if place is None:
            return None
        if place[2] and place[0] not in _run:
            _run_bundle(place[0], place[1])
            module = sys.modules.get(name)
            if module is not None:
                # The import system asks a module that is there for its spec, whatever it got here.
                module.__spec__ = ModuleSpec(name, _Run(module))  # type: ignore[arg-type]
                return module.__spec__
        return self.spec(name)

    def spec(self, name: str) -> ModuleSpec:
        """The spec of a module that is here."""
        source = self._source(name)
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
            if source in ("ovum/__init__.py", "ovum/services/__init__.py"):
                # Parts of ours that not every image has are files (ovum/runners.py).
                folder = source.rpartition("/")[0]
                spec.submodule_search_locations.append(f"{PACK.rpartition('/')[0]}/{folder}")
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
        offset, size, bundled = self._index[source]
        data = _inflate(offset, size)
        if bundled:
            path = source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            return marshal.loads(dict(_members(data))[path])  # type: ignore[no-any-return]
        return marshal.loads(data)  # type: ignore[no-any-return]

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
