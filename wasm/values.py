"""Values between Python and a module.

i32 and i64 are ints, signed as they come back, signed or not as they are given; f32 and f64 floats;
v128 16 bytes, least significant first; funcref a function or None; externref any object or None.
"""

import ctypes
import struct
from ctypes import byref, memmove

from ovum.wasm.capi import KIND_CODES, KIND_NAMES, Value, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Final

    from ovum.wasm.store import Store

_SLOTS: "Final" = {"i32": "i12x", "i64": "q8x", "f32": "f12x", "f64": "d8x", "v128": "16s"}
"""A value in the 16 bytes of wasmtime_val_raw_t, for struct."""

BITS: "Final" = {"i32": 32, "i64": 64, "f32": 32, "f64": 64, "v128": 128}

_PLAIN: "Final" = {name: struct.Struct(f"<{code}") for name, code in _SLOTS.items()}


def layout(types: "Sequence[str]") -> struct.Struct | None:
    """How these are laid out one after another; None if references are among them."""
    if not _SLOTS.keys() >= set(types):
        return None
    return struct.Struct("<" + "".join(_SLOTS[name] for name in types))


def packer(types: "Sequence[str]") -> "Callable[..., None] | None":
    """What packs values as `layout` says: (buffer, offset, *values); None as there.

    It raises struct.error for values that only `pack` takes, or nobody.
    """
    laid_out = layout(types)
    if laid_out is None or "v128" not in types:
        return None if laid_out is None else laid_out.pack_into

    # struct would take any bytes for a vector, and cut or fill them.
    def pack_into(buffer: "ctypes.Array[ctypes.c_char]", _: int, *given: "Any") -> None:
        if len(given) != len(types):
            raise struct.error
        data = pack(types, given)
        memmove(buffer, data, len(data))

    return pack_into


def pack(types: "Sequence[str]", values: "Sequence[Any]") -> bytes:
    """What `layout` would pack, with the values converted. Raises TypeError and OverflowError."""
    return b"".join(_packed(name, value) for name, value in zip(types, values, strict=True))


def _packed(name: str, value: "Any") -> bytes:
    if name in ("i32", "i64"):
        if not isinstance(value, int):
            raise TypeError(f"{name} wants an int, not {type(value).__name__}")
        bits = int(name[1:])
        if not -(1 << bits - 1) <= value < 1 << bits:
            raise OverflowError(f"{value} is no {name}")
        # Unsigned numbers mean the same bits.
        value -= (value >> bits - 1 & 1 if value > 0 else 0) << bits
        return _PLAIN[name].pack(value)
    if name == "v128":
        if not isinstance(value, bytes | bytearray | memoryview) or len(value) != 16:
            raise TypeError("v128 wants 16 bytes")
        return _PLAIN[name].pack(bytes(value))
    if not isinstance(value, int | float):
        raise TypeError(f"{name} wants a float, not {type(value).__name__}")
    try:
        return _PLAIN[name].pack(value)
    except OverflowError:
        return _PLAIN[name].pack(float("inf") if value > 0 else float("-inf"))


def to_value(store: "Store", name: str, value: "Any", into: Value) -> None:
    """Fills in a wasmtime_val_t. A reference in it is to be unrooted by the caller."""
    from ovum.wasm.instance import Function

    into.kind = KIND_CODES[name]
    if name == "externref":
        if value is None:
            into.of.extern.store = 0
        else:
            store.new_reference(value, into)
    elif name == "funcref":
        if value is None:
            into.of.func.store = 0
        elif isinstance(value, Function) and value.store is store:
            into.of.func = value.raw
        else:
            raise TypeError(f"funcref wants a function of the same store, not {value!r}")
    else:
        memmove(byref(into.of), _packed(name, value), 16)


def from_value(store: "Store", value: Value) -> "Any":
    """What is in a wasmtime_val_t."""
    name = KIND_NAMES.get(value.kind)
    if name == "externref":
        return store.referenced(value) if value.of.extern.store else None
    if name == "funcref":
        return store.function(value.of.func) if value.of.func.store else None
    if name is None:
        raise TypeError("this type of reference has no form in Python")
    return _PLAIN[name].unpack(ctypes.string_at(byref(value.of), 16))[0]


def unroot(values: "Iterable[Value]") -> None:
    """Lets go of the references in these."""
    for value in values:
        if KIND_NAMES.get(value.kind) == "externref":
            lib.wasmtime_val_unroot(byref(value))
