"""Components (the component model, WASI 0.2), as far as the wheel's own module takes them.

Values are the wheel's: ints, floats, str, lists, tuples, objects with a record's fields as
attributes, None or a value for an option, `wasmtime.component.Variant` where cases could be mixed
up.
"""

import ctypes

from ovum.wasm.binary import is_component
from ovum.wasm.engine import engine_for
from ovum.wasm.errors import LinkError, WasmError, error_of
from ovum.wasm.limits import DEFAULT, Limits
from ovum.wasm.module import Source, read_source
from ovum.wasm.store import Store
from ovum.wasm.wasi import Wasi

try:
    import wasmtime
    from wasmtime import _ffi, component
except ImportError as error:
    from ovum.wasm.capi import WheelMissingError

    raise WheelMissingError("ovum.wasm needs the package wasmtime: pip install wasmtime") from error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

RUN = "wasi:cli/run@0.2."
"""The interface that a command exports."""


class _Engine(wasmtime.Engine):
    """An engine of ours in the wheel's clothes."""

    def __init__(self, address: int) -> None:
        self._set_ptr(ctypes.cast(address, ctypes.POINTER(_ffi.wasm_engine_t)))

    def _delete(self, ptr: "Any") -> None:
        """It stays ours."""


class Component:
    """A compiled component; source and limits as for Module. Raises WasmError."""

    def __init__(self, source: Source, *, limits: Limits = DEFAULT) -> None:
        binary = read_source(source)
        if not is_component(binary):
            raise WasmError("this is a module: ovum.wasm.Module takes it")
        self.limits = limits
        self._engine = _Engine(engine_for(limits).address)
        self._compiled = _raising(lambda: component.Component(self._engine, binary))

    @property
    def exports(self) -> list[str]:
        """The names of what it gives."""
        return list(self._compiled.type.exports(self._engine))

    @property
    def imports(self) -> list[str]:
        """The names of what it wants."""
        return list(self._compiled.type.imports(self._engine))

    def instantiate(
        self,
        imports: "Mapping[str, Any] | None" = None,
        *,
        wasi: Wasi | None = None,
        limits: Limits | None = None,
    ) -> "ComponentInstance":
        """A new instance.

        imports: functions of Python's by name, or for an interface a mapping of such.
        wasi: its surroundings; without, WASI's interfaces are not there.
        Raises LinkError, Trap, WasmError.
        """
        store = Store(limits or self.limits)
        linker = component.Linker(self._engine)
        if wasi is not None:
            linker.add_wasip2()
            wasi.enter(store)
        with linker.root() as root:
            for name, given in (imports or {}).items():
                if callable(given):
                    root.add_func(name, _host(store, given))
                else:
                    with root.add_instance(name) as interface:
                        for inner, function in given.items():
                            interface.add_func(inner, _host(store, function))
        context = _context(store)
        with _Entered(store):
            try:
                raw = _finished(store, lambda: linker.instantiate(context, self._compiled))
            except WasmError as failure:
                if type(failure) is WasmError and "matching implementation" in str(failure):
                    raise LinkError(str(failure)) from None
                raise
        return ComponentInstance(store, raw, self.exports)


def _context(store: Store) -> wasmtime.StoreContext:
    address = ctypes.cast(store.context, ctypes.POINTER(_ffi.wasmtime_context_t))
    return wasmtime.StoreContext(address)


class _Entered:
    """A call into a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> None:
        self._store.enter()

    def __exit__(self, *_: object) -> None:
        self._store.leave()


def _host(store: Store, function: "Callable[..., Any]") -> "Callable[..., Any]":
    """The function as one of the linker's; whatever it raises goes on to the caller."""
    store.calls_python = True

    def called(_: object, *arguments: "Any") -> "Any":
        guard = store.guard
        try:
            if guard is not None:
                guard.handle()
                guard.outside += 1
            try:
                return function(*arguments)
            finally:
                if guard is not None:
                    guard.outside -= 1
        except BaseException as error:
            store.raised = error
            raise wasmtime.WasmtimeError("an exception in Python") from error

    return called


def _finished(store: Store, call: "Callable[[], Any]") -> "Any":
    """Makes a call into a store; raises errors of ours."""
    try:
        result = call()
    except wasmtime.WasmtimeError as error:
        store.finish(ctypes.cast(error._consume(), ctypes.c_void_p).value)
        raise
    store.finish(None)
    return result


def _raising(call: "Callable[[], Any]") -> "Any":
    try:
        return call()
    except wasmtime.WasmtimeError as error:
        address = ctypes.cast(error._consume(), ctypes.c_void_p).value
        raise error_of(address or 0) from None


class ComponentInstance:
    """A running component: functions by name, interfaces as mappings of functions."""

    def __init__(self, store: Store, raw: "Any", exports: list[str]) -> None:
        self.store = store
        self._raw = raw
        self._exports = exports

    def __iter__(self) -> "Iterator[str]":
        return iter(self._exports)

    def __getitem__(self, name: str) -> "ComponentFunction | Interface":
        """The function or interface of this name. Raises KeyError."""
        context = _context(self.store)
        index = self._raw.get_export_index(context, name)
        if index is None:
            raise KeyError(name)
        function = self._raw.get_func(context, index)
        if function is None:
            return Interface(self.store, self._raw, index)
        return ComponentFunction(self.store, function, name)

    def call(self, name: str, *arguments: "Any") -> "Any":
        """Calls the function of this name. Raises KeyError if it is none."""
        function = self[name]
        if not isinstance(function, ComponentFunction):
            raise KeyError(name)
        return function(*arguments)


class Interface:
    """The functions of an exported interface."""

    def __init__(self, store: Store, raw: "Any", index: "Any") -> None:
        self._store = store
        self._raw = raw
        self._index = index

    def __getitem__(self, name: str) -> "ComponentFunction":
        """Its function of this name. Raises KeyError."""
        context = _context(self._store)
        index = self._raw.get_export_index(context, name, self._index)
        function = None if index is None else self._raw.get_func(context, index)
        if function is None:
            raise KeyError(name)
        return ComponentFunction(self._store, function, name)


class ComponentFunction:
    """A function of a component's."""

    def __init__(self, store: Store, raw: "Any", name: str) -> None:
        self._store = store
        self._raw = raw
        self.name = name

    def __call__(self, *arguments: "Any") -> "Any":
        """Calls it. Raises Trap, what a function of Python's raised, TypeError."""
        store, context = self._store, _context(self._store)
        with _Entered(store):
            result = _finished(store, lambda: self._raw(context, *arguments))
            _finished(store, lambda: self._raw.post_return(context))
        return result


def run_command(binary: bytes, wasi: Wasi, limits: Limits) -> int:
    """Runs a command of WASI 0.2; gives its exit status."""
    from ovum.wasm.errors import Exit

    compiled = Component(binary, limits=limits)
    name = next((one for one in compiled.exports if one.startswith(RUN)), None)
    if name is None:
        raise WasmError(f"this component is no command: it exports no {RUN}x")
    interface = compiled.instantiate(wasi=wasi)[name]
    assert isinstance(interface, Interface)
    try:
        result = interface["run"]()
    except Exit as end:
        return end.status
    return 1 if isinstance(result, component.Variant) and result.tag == "err" else 0
