"""Runs a program with modules that mypyc has compiled: `compiled_modules.py FILE PROGRAM …`.

FILE is what mypyc calls a group: one extension module that has the functions which initialise all
the others. What is not in it is imported as ever.
"""

import ctypes
import importlib.util
import runpy
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from types import ModuleType
from typing import Any

GROUP = "ovumnet__mypyc"


class Compiled:
    """Finds and loads the modules of a group (importlib.abc.MetaPathFinder and Loader)."""

    def __init__(self, path: str) -> None:
        spec = importlib.util.spec_from_file_location(
            GROUP, path, loader=ExtensionFileLoader(GROUP, path)
        )
        assert spec is not None
        self._path = path
        self._group = importlib.util.module_from_spec(spec)
        self._functions: dict[str, Any] = {}
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
        for attribute, capsule in vars(self._group).items():
            if attribute.startswith("init_"):
                name = attribute.removeprefix("init_").replace("___", ".")
                at = pointer(capsule, f"{GROUP}.{attribute}".encode())
                self._functions[name] = ctypes.PYFUNCTYPE(ctypes.py_object)(at)

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module in the group."""
        if name not in self._functions:
            return None
        return ModuleSpec(name, self, origin=self._path)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module, which its function has made and run."""
        module = self._functions[spec.name]()
        assert isinstance(module, ModuleType)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has been run."""


if __name__ == "__main__":
    sys.meta_path.insert(0, Compiled(sys.argv[1]))
    del sys.argv[:2]
    sys.path[0] = sys.argv[0].rpartition("/")[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
