"""WebAssembly: run commands, embed modules. docs/webassembly.md is the guide.

    from ovum import wasm
    status = wasm.run("prog.wasm", ["a"], dirs={"/data": "/srv/data"})
    add = wasm.Module("add.wat").instantiate().add

The compiler is the package `wasmtime` from PyPI. Everything here runs on any Linux, too.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovum.wasm.command import Dir as Dir
    from ovum.wasm.command import run as run
    from ovum.wasm.component import Component as Component
    from ovum.wasm.errors import Exit as Exit
    from ovum.wasm.errors import Frame as Frame
    from ovum.wasm.errors import LinkError as LinkError
    from ovum.wasm.errors import Trap as Trap
    from ovum.wasm.errors import WasmError as WasmError
    from ovum.wasm.instance import Function as Function
    from ovum.wasm.instance import Global as Global
    from ovum.wasm.instance import Instance as Instance
    from ovum.wasm.instance import Memory as Memory
    from ovum.wasm.instance import Table as Table
    from ovum.wasm.limits import Limits as Limits
    from ovum.wasm.module import Module as Module
    from ovum.wasm.store import Store as Store
    from ovum.wasm.wasi import Wasi as Wasi

_PLACES = {
    "Dir": "command",
    "run": "command",
    "Component": "component",
    "Exit": "errors",
    "Frame": "errors",
    "LinkError": "errors",
    "Trap": "errors",
    "WasmError": "errors",
    "Function": "instance",
    "Global": "instance",
    "Instance": "instance",
    "Memory": "instance",
    "Table": "instance",
    "Limits": "limits",
    "Module": "module",
    "Store": "store",
    "Wasi": "wasi",
}
"""Where each public name is; a program that runs a command needs half of the modules."""

__all__ = sorted(_PLACES)


def __getattr__(name: str) -> "Any":
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{place}"), name)
    globals()[name] = value
    return value
