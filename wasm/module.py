"""A compiled module: what it wants and gives, and how it becomes an instance."""

import os
from ctypes import byref, c_void_p

from ovum.wasm import capi
from ovum.wasm.binary import FuncType, Reader, is_component
from ovum.wasm.capi import Bytes, Extern, lib
from ovum.wasm.engine import compile_module, engine_for, to_binary
from ovum.wasm.errors import LinkError, WasmError, check
from ovum.wasm.instance import Function, Global, Instance, Memory, Table
from ovum.wasm.limits import DEFAULT, Limits
from ovum.wasm.store import Store
from ovum.wasm.wasi import MODULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ovum.wasm.binary import Export, Import
    from ovum.wasm.wasi import Wasi

Source = str | bytes | os.PathLike[str]


def read_source(source: Source) -> bytes:
    """The binary of a path, of bytes, or of text in the text format. Raises WasmError, OSError."""
    if isinstance(source, os.PathLike) or (isinstance(source, str) and "(" not in source):
        with open(source, "rb") as file:
            source = file.read()
    return to_binary(source)


class Module:
    """A compiled module.

    source: a path, the bytes of a module, or its text (what has a parenthesis in it is text).
    limits: what its instances may use, where they do not get other ones; whether there is fuel,
        and whether code can be interrupted, is compiled into it.
    cache: a folder where compiled code is kept; only for folders that nobody else writes to.
    Raises WasmError, with the reason, if this is no valid module.
    """

    def __init__(
        self, source: Source, *, limits: Limits = DEFAULT, cache: str | None = None
    ) -> None:
        self.binary = read_source(source)
        if is_component(self.binary):
            raise WasmError("this is a component: ovum.wasm.Component takes it")
        self.limits = limits
        self.engine = engine_for(limits)
        self._read: Reader | None = None
        self.address = compile_module(self.engine, self.binary, cache)
        self._free = lib.wasmtime_module_delete

    def __del__(self) -> None:
        if hasattr(self, "_free"):
            self._free(self.address)

    @property
    def _described(self) -> Reader:
        if self._read is None:
            self._read = Reader(self.binary)
        return self._read

    @property
    def imports(self) -> "list[Import]":
        """What it wants, in order."""
        return self._described.imports

    @property
    def exports(self) -> "list[Export]":
        """What it gives."""
        return self._described.exports

    def instantiate(
        self,
        imports: "Mapping[str, Mapping[str, Any] | Instance] | None" = None,
        *,
        wasi: "Wasi | None" = None,
        store: Store | None = None,
        limits: Limits | None = None,
    ) -> Instance:
        """A new instance; the module's start function runs.

        imports: by module and name; functions of Python's, or what other instances export.
        wasi: the surroundings of a WASI module; `_initialize` of a library is called.
        store: where it is to live; else where what it imports does, else in a new one.
        limits: of a new store; the module's by default.
        Raises LinkError, Trap, WasmError.
        """
        served = MODULES if wasi is not None else ()
        wanted = [one for one in self.imports if one.module not in served]
        given = [self._given(imports or {}, one) for one in wanted]
        if store is None:
            shared = (one.store for one in given if isinstance(one, _SHARED))
            store = next(shared, None) or Store(limits or self.limits)
        if store.engine is not self.engine:
            raise WasmError("the store has another kind of limits than the module was compiled for")
        items = self._externs(store, wanted, given)
        raw = capi.Instance()
        store.plain = store.plain and self._described.plain
        store.enter()
        try:
            if wasi is None:
                error = lib.wasmtime_instance_new(
                    *(store.context, self.address, (Extern * len(items))(*items), len(items)),
                    *(byref(raw), byref(store.trap)),
                )
            else:
                wasi.enter(store)
                error = self._link(store, wanted, items, raw)
            store.finish(error)
        except WasmError as failure:
            if type(failure) is WasmError and "incompatible import type" in str(failure):
                raise LinkError(str(failure)) from None
            raise
        finally:
            store.leave()
        instance = Instance(store, raw, self.exports)
        if wasi is not None and "_initialize" in instance:
            instance["_initialize"]()
        return instance

    def _link(
        self, store: Store, wanted: "Sequence[Import]", items: list[Extern], raw: capi.Instance
    ) -> int | None:
        """Instantiates with WASI; gives the C API's error."""
        linker = lib.wasmtime_linker_new(self.engine.address)
        try:
            check(lib.wasmtime_linker_define_wasi(linker))
            for one, item in zip(wanted, items, strict=True):
                module, name = one.module.encode(), one.name.encode()
                check(
                    lib.wasmtime_linker_define(
                        *(linker, store.context, module, len(module), name, len(name)),
                        byref(item),
                    )
                )
            error: int | None = lib.wasmtime_linker_instantiate(
                linker, store.context, self.address, byref(raw), byref(store.trap)
            )
            return error
        finally:
            lib.wasmtime_linker_delete(linker)

    def _given(
        self, imports: "Mapping[str, Mapping[str, Any] | Instance]", wanted: "Import"
    ) -> "Any":
        group = imports.get(wanted.module)
        if group is None or wanted.name not in group:
            raise LinkError(f"missing: {wanted!r}")
        return group[wanted.name]

    def _externs(
        self, store: Store, wanted: "Sequence[Import]", given: "Sequence[Any]"
    ) -> list[Extern]:
        if not given:
            return []
        vector, items = Bytes(), []
        pairs = {id(one): value for one, value in zip(wanted, given, strict=True)}
        lib.wasmtime_module_imports(self.address, byref(vector))
        addresses = (c_void_p * vector.size).from_address(vector.data)
        try:
            for described, address in zip(self.imports, addresses, strict=True):
                if id(described) not in pairs:
                    continue
                one = pairs[id(described)]
                if isinstance(one, _SHARED):
                    if one.store is not store:
                        raise LinkError(f"{described!r} is given something of another store")
                    items.append(one.extern())
                elif described.kind == "func" and callable(one):
                    assert isinstance(described.type, FuncType)
                    type_ = lib.wasm_importtype_type(address)
                    functype = lib.wasm_externtype_as_functype_const(type_)
                    items.append(store.define(one, described.type, functype))
                else:
                    raise LinkError(f"{described!r} is given {one!r}")
        finally:
            lib.wasm_importtype_vec_delete(byref(vector))
        return items


_SHARED = (Function, Memory, Table, Global)
