"""What a module gives when it is instantiated: functions, memories, tables, globals."""

import ctypes
import struct
from ctypes import byref, c_uint64, c_void_p

from ovum.wasm import capi, values
from ovum.wasm.binary import Export, Extent, FuncType, GlobalType
from ovum.wasm.capi import Bytes, Extern, Func, Indexed, Value, lib
from ovum.wasm.errors import WasmError, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ovum.wasm.store import Store

PAGE = 65536


class Function:
    """A function of a store. Calling it gives None, its result, or a tuple of its results."""

    __slots__ = ("_buffer", "_count", "_pack_into", "_unpack", "name", "raw", "store", "type")

    def __init__(self, store: "Store", raw: Func, type_: FuncType | None, name: str = "") -> None:
        self.store = store
        self.raw = raw
        self.type = type_
        self.name = name
        self._pack_into = self._unpack = None
        self._count = 0
        if type_ is not None:
            given = values.layout(type_.results)
            if given is not None:
                self._pack_into = values.packer(type_.params)
                self._unpack = given.unpack_from
            self._count = max(len(type_.params), len(type_.results))
        self._buffer = ctypes.create_string_buffer(16 * self._count)

    def __repr__(self) -> str:
        return f"<function {self.name or hex(self.raw.private)}: {self.type}>"

    def __call__(self, *arguments: "Any") -> "Any":
        """Calls it. Raises Trap, what a function of Python's raised, TypeError, OverflowError."""
        store = self.store
        store.enter()
        try:
            if self._pack_into is None or self._unpack is None:
                results = self._call_with_references(arguments)
            else:
                try:
                    self._pack_into(self._buffer, 0, *arguments)
                except (struct.error, OverflowError):
                    self._fill(arguments)
                store.finish(
                    lib.wasmtime_func_call_unchecked(
                        *(store.context, byref(self.raw), self._buffer, self._count),
                        byref(store.trap),
                    )
                )
                results = self._unpack(self._buffer)
        finally:
            store.leave()
        if len(results) == 1:
            return results[0]
        return results or None

    def bits(self, *patterns: int) -> "tuple[int, ...]":
        """Calls it with the bits of its arguments, and gives those of its results.

        For what a float of Python's does not keep, as the kind of a NaN. No references.
        """
        type_ = self._known(patterns)
        if self._pack_into is None:
            raise TypeError(f"{self!r} takes or gives references")
        area = ctypes.create_string_buffer(
            b"".join(pattern.to_bytes(16, "little") for pattern in patterns), 16 * self._count
        )
        store = self.store
        store.enter()
        try:
            store.finish(
                lib.wasmtime_func_call_unchecked(
                    *(store.context, byref(self.raw), area, self._count), byref(store.trap)
                )
            )
        finally:
            store.leave()
        sizes = ((1 << values.BITS[name]) - 1 for name in type_.results)
        return tuple(
            int.from_bytes(area.raw[16 * index : 16 * index + 16], "little") & mask
            for index, mask in enumerate(sizes)
        )

    def _known(self, arguments: "Sequence[Any]") -> FuncType:
        if self.type is None:
            raise WasmError(f"{self!r} takes or gives what has no form in Python")
        if len(arguments) != len(self.type.params):
            wanted = len(self.type.params)
            raise TypeError(f"{self!r} takes {wanted} arguments, not {len(arguments)}")
        return self.type

    def _fill(self, arguments: "Sequence[Any]") -> None:
        data = values.pack(self._known(arguments).params, arguments)
        ctypes.memmove(self._buffer, data, len(data))

    def _call_with_references(self, arguments: "Sequence[Any]") -> "tuple[Any, ...]":
        store, type_ = self.store, self._known(arguments)
        unknown = {*type_.params, *type_.results} - capi.KIND_CODES.keys()
        if unknown:
            raise WasmError(f"{self!r}: {', '.join(unknown)} has no form in Python")
        taken = (Value * len(type_.params))()
        given = (Value * len(type_.results))()
        try:
            for name, value, into in zip(type_.params, arguments, taken, strict=True):
                values.to_value(store, name, value, into)
            store.finish(
                lib.wasmtime_func_call(
                    *(store.context, byref(self.raw), taken, len(taken), given, len(given)),
                    byref(store.trap),
                )
            )
            return tuple(values.from_value(store, value) for value in given)
        finally:
            values.unroot(taken)
            values.unroot(given)

    def extern(self) -> Extern:
        """What the C API takes for an import."""
        item = Extern(kind=capi.FUNC)
        item.of.func = self.raw
        return item


def type_of(store: "Store", raw: Func) -> FuncType:
    """A function's type by the C API, which knows simple ones."""
    address = lib.wasmtime_func_type(store.context, byref(raw))
    sides = []
    for vector in (lib.wasm_functype_params(address), lib.wasm_functype_results(address)):
        listed = Bytes.from_address(vector)
        kinds = (c_void_p * listed.size).from_address(listed.data) if listed.size else ()
        sides.append(tuple(_TYPES[lib.wasm_valtype_kind(kind)] for kind in kinds))
    lib.wasm_functype_delete(address)
    return FuncType(*sides)


_TYPES = {0: "i32", 1: "i64", 2: "f32", 3: "f64", 128: "externref", 129: "funcref"}
"""wasm_valkind_t, which is not wasmtime_valkind_t."""
_CODES = {name: code for code, name in _TYPES.items()}


class _Shared:
    """Something of a store that the C API names by 24 bytes."""

    KIND = 0

    def __init__(self, store: "Store", raw: Indexed, type_: "Any") -> None:
        self.store = store
        self.raw = raw
        self.type = type_

    def extern(self) -> Extern:
        """What the C API takes for an import."""
        item = Extern(kind=self.KIND)
        item.of.indexed = self.raw
        return item


class Memory(_Shared):
    """A linear memory: `memory[at:end]` reads and writes bytes, `data` is a view of all of it."""

    KIND = capi.MEMORY

    @classmethod
    def new(cls, store: "Store", minimum: int, maximum: int | None = None) -> "Memory":
        """A memory of this many pages of 64 KiB, for a module to import. Raises WasmError."""
        type_, raw = c_void_p(), Indexed()
        check(lib.wasmtime_memorytype_new(minimum, maximum is not None, maximum or 0, False, False,
                                          16, byref(type_)))  # fmt: skip
        error = lib.wasmtime_memory_new(store.context, type_, byref(raw))
        lib.wasm_memorytype_delete(type_)
        check(error)
        return cls(store, raw, Extent(minimum, maximum))

    def __len__(self) -> int:
        return lib.wasmtime_memory_data_size(self.store.context, byref(self.raw))  # type: ignore[no-any-return]

    @property
    def pages(self) -> int:
        """Its size in pages of 64 KiB."""
        return lib.wasmtime_memory_size(self.store.context, byref(self.raw))  # type: ignore[no-any-return]

    @property
    def data(self) -> memoryview:
        """All bytes, to read and write in place.

        A view keeps its size when the memory grows: take another one then.
        """
        area = ctypes.c_uint8 * len(self)
        address = lib.wasmtime_memory_data(self.store.context, byref(self.raw))
        view = area.from_address(address or ctypes.addressof(_NOTHING))
        # The memory goes with its store, so what the view is of holds that.
        view.store = self.store  # type: ignore[attr-defined]
        return memoryview(view).cast("B")

    def __getitem__(self, where: "int | slice") -> "int | bytes":
        found = self.data[where]
        return found if isinstance(found, int) else bytes(found)

    def __setitem__(self, where: "int | slice", value: "Any") -> None:
        self.data[where] = value

    def read(self, at: int, count: int) -> bytes:
        """This many bytes. Raises IndexError if the memory ends before."""
        if at < 0 or count < 0 or at + count > len(self):
            raise IndexError(f"{count} bytes at {at}: the memory has {len(self)}")
        return bytes(self.data[at : at + count])

    def write(self, at: int, data: bytes | bytearray | memoryview) -> None:
        """Writes bytes. Raises IndexError if the memory ends before."""
        count = len(data)
        if at < 0 or at + count > len(self):
            raise IndexError(f"{count} bytes at {at}: the memory has {len(self)}")
        self.data[at : at + count] = data

    def text(self, at: int) -> str:
        """The UTF-8 text that ends with a zero byte, as C has it. Raises IndexError."""
        view = self.data[at:]
        end, step = 0, 256
        while end < len(view):
            piece = bytes(view[end : end + step])
            if 0 in piece:
                return bytes(view[: end + piece.index(0)]).decode()
            end += step
        raise IndexError(f"no zero byte behind {at}")

    def grow(self, pages: int) -> int:
        """Adds pages; gives how many there were. Raises WasmError where a limit says no."""
        before = c_uint64()
        check(lib.wasmtime_memory_grow(self.store.context, byref(self.raw), pages, byref(before)))
        return before.value


_NOTHING = ctypes.c_uint8()
"""Where a view of no bytes is."""


class Table(_Shared):
    """A table of references: functions, or any objects."""

    KIND = capi.TABLE

    @classmethod
    def new(
        cls, store: "Store", minimum: int, maximum: int | None = None, element: str = "funcref"
    ) -> "Table":
        """A table of empty places, for a module to import. Raises WasmError."""
        limits = (ctypes.c_uint32 * 2)(minimum, 0xFFFFFFFF if maximum is None else maximum)
        value, raw = Value(), Indexed()
        values.to_value(store, element, None, value)
        type_ = lib.wasm_tabletype_new(lib.wasm_valtype_new(_CODES[element]), byref(limits))
        error = lib.wasmtime_table_new(store.context, type_, byref(value), byref(raw))
        lib.wasm_tabletype_delete(type_)
        check(error)
        return cls(store, raw, Extent(minimum, maximum, element))

    def __len__(self) -> int:
        return lib.wasmtime_table_size(self.store.context, byref(self.raw))  # type: ignore[no-any-return]

    def __iter__(self) -> "Iterator[Any]":
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> "Any":
        value = Value()
        if index < 0 or not lib.wasmtime_table_get(
            self.store.context, byref(self.raw), index, byref(value)
        ):
            raise IndexError(f"place {index} of a table with {len(self)}")
        try:
            return values.from_value(self.store, value)
        finally:
            values.unroot((value,))

    def __setitem__(self, index: int, reference: "Any") -> None:
        if not 0 <= index < len(self):
            raise IndexError(f"place {index} of a table with {len(self)}")
        value = Value()
        values.to_value(self.store, self.type.element, reference, value)
        error = lib.wasmtime_table_set(self.store.context, byref(self.raw), index, byref(value))
        values.unroot((value,))
        check(error)

    def grow(self, count: int, reference: "Any" = None) -> int:
        """Adds places with this in them; gives how many there were. Raises WasmError."""
        value, before = Value(), c_uint64()
        values.to_value(self.store, self.type.element, reference, value)
        error = lib.wasmtime_table_grow(self.store.context, byref(self.raw), count, byref(value),
                                        byref(before))  # fmt: skip
        values.unroot((value,))
        check(error)
        return before.value


class Global(_Shared):
    """A global variable."""

    KIND = capi.GLOBAL

    @classmethod
    def new(cls, store: "Store", content: str, value: "Any", *, mutable: bool = False) -> "Global":
        """A variable for a module to import. Raises WasmError."""
        if content not in _CODES:
            raise WasmError(f"a global of type {content} cannot be made from outside")
        type_ = lib.wasm_globaltype_new(lib.wasm_valtype_new(_CODES[content]), int(mutable))
        first, raw = Value(), Indexed()
        values.to_value(store, content, value, first)
        error = lib.wasmtime_global_new(store.context, type_, byref(first), byref(raw))
        lib.wasm_globaltype_delete(type_)
        values.unroot((first,))
        check(error)
        return cls(store, raw, GlobalType(content, mutable))

    @property
    def value(self) -> "Any":
        """What it holds."""
        held = Value()
        lib.wasmtime_global_get(self.store.context, byref(self.raw), byref(held))
        try:
            return values.from_value(self.store, held)
        finally:
            values.unroot((held,))

    @value.setter
    def value(self, value: "Any") -> None:
        if not self.type.mutable:
            raise WasmError("this global is constant")
        held = Value()
        values.to_value(self.store, self.type.content, value, held)
        error = lib.wasmtime_global_set(self.store.context, byref(self.raw), byref(held))
        values.unroot((held,))
        check(error)


_CLASSES: "dict[str, type[_Shared]]" = {"memory": Memory, "table": Table, "global": Global}


class Instance:
    """One running copy of a module: its exports are items by name, and attributes.

    `store` and `raw` are its own: exports of these names are items only.
    """

    def __init__(self, store: "Store", raw: capi.Instance, exports: "Sequence[Export]") -> None:
        self.store = store
        self.raw = raw
        self._described = {export.name: export for export in exports}
        self._found: dict[str, Any] = {}

    def __iter__(self) -> "Iterator[str]":
        return iter(self._described)

    def __contains__(self, name: str) -> bool:
        return name in self._described

    def __getitem__(self, name: str) -> "Any":
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._get(self._described[name])
        return found

    def __getattr__(self, name: str) -> "Any":
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the module exports no {name}") from None

    def _get(self, export: Export) -> "Any":
        item, name = Extern(), export.name.encode()
        found = lib.wasmtime_instance_export_get(
            self.store.context, byref(self.raw), name, len(name), byref(item)
        )
        assert found, export
        if export.kind == "func":
            assert export.type is None or isinstance(export.type, FuncType)
            raw = Func(item.of.func.store, item.of.func.private)
            function = Function(self.store, raw, export.type, export.name)
            return self.store.functions.setdefault(raw.private, function)
        if export.kind not in _CLASSES or item.kind not in (1, 2, 3):
            raise WasmError(f"{export} has no form in Python")
        raw_item = Indexed.from_buffer_copy(item.of.indexed)
        return _CLASSES[export.kind](self.store, raw_item, export.type)
