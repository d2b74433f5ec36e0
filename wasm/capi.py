"""The part of wasmtime's C API that is used here, declared when it is first called.

The wheel's own Python module declares all of it on import, which takes most of a second in an
emulated machine, and cannot pass vectors. It is needed for components alone (component.py).
Pointers to opaque things are plain addresses. Names and types: wasmtime's wasm.h and wasmtime/*.h.
"""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int64, c_size_t, c_uint8, c_uint64, c_void_p
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

FUNC, GLOBAL, TABLE, MEMORY = 0, 1, 2, 3
"""Kinds of wasmtime_extern_t."""

KIND_CODES: "Final" = {
    "i32": 0,
    "i64": 1,
    "f32": 2,
    "f64": 3,
    "v128": 4,
    "funcref": 5,
    "externref": 6,
}
KIND_NAMES: "Final" = {code: name for name, code in KIND_CODES.items()}


class Func(ctypes.Structure):
    """wasmtime_func_t."""

    _fields_ = (("store", c_uint64), ("private", c_void_p))


class Indexed(ctypes.Structure):
    """wasmtime_memory_t, wasmtime_table_t and wasmtime_global_t: 24 bytes that are wasmtime's."""

    _fields_ = (("store", c_uint64), ("private1", c_uint64), ("private2", c_uint64))


class Item(ctypes.Union):
    """wasmtime_extern_union_t."""

    _fields_ = (("func", Func), ("indexed", Indexed))


class Extern(ctypes.Structure):
    """wasmtime_extern_t."""

    _fields_ = (("kind", c_uint8), ("of", Item))


class Instance(ctypes.Structure):
    """wasmtime_instance_t."""

    _fields_ = (("store", c_uint64), ("private", c_size_t))


class ExternRef(ctypes.Structure):
    """wasmtime_externref_t; it is null where the store is 0."""

    _fields_ = (("store", c_uint64), ("private1", c_uint64), ("private2", c_void_p))


class ValueUnion(ctypes.Union):
    """wasmtime_valunion_t."""

    _fields_ = (("func", Func), ("extern", ExternRef), ("bits", ctypes.c_char * 24))


class Value(ctypes.Structure):
    """wasmtime_val_t."""

    _fields_ = (("kind", c_uint8), ("of", ValueUnion))


class Bytes(ctypes.Structure):
    """wasm_byte_vec_t, and any other vector of the API."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))


UncheckedCallback = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)
Callback = ctypes.CFUNCTYPE(
    c_void_p, c_void_p, c_void_p, POINTER(Value), c_size_t, POINTER(Value), c_size_t
)
Finalizer = ctypes.CFUNCTYPE(None, c_void_p)
EpochCallback = ctypes.CFUNCTYPE(c_size_t, c_void_p, c_void_p, POINTER(c_uint64), POINTER(c_uint8))
Output = ctypes.CFUNCTYPE(ctypes.c_ssize_t, c_void_p, c_void_p, c_size_t)

_CODES: "Final[dict[str, Any]]" = {
    "p": c_void_p,
    "s": c_char_p,
    "n": c_size_t,
    "u": c_uint64,
    "l": c_int64,
    "b": ctypes.c_bool,
    "c": c_uint8,
    "i": ctypes.c_int,
    "v": None,
    "U": UncheckedCallback,
    "C": Callback,
    "F": Finalizer,
    "E": EpochCallback,
    "O": Output,
    "w": ctypes.c_uint32,
}

_TABLE: "Final" = """
wasm_config_new p
wasm_config_delete v p
wasm_engine_new_with_config p p
wasm_engine_delete v p
wasmtime_config_consume_fuel_set v pb
wasmtime_config_epoch_interruption_set v pb
wasmtime_config_max_wasm_stack_set v pn
wasmtime_config_target_set p ps
wasmtime_config_cranelift_flag_enable v ps
wasmtime_config_parallel_compilation_set v pb
wasmtime_config_memory_init_cow_set v pb
wasmtime_config_memory_reservation_set v pu
wasmtime_config_memory_guard_size_set v pu
wasmtime_config_wasm_exceptions_set v pb
wasmtime_config_wasm_gc_set v pb
wasmtime_config_wasm_function_references_set v pb
wasmtime_config_wasm_memory64_set v pb
wasmtime_config_wasm_multi_memory_set v pb
wasmtime_config_wasm_relaxed_simd_set v pb
wasmtime_config_wasm_tail_call_set v pb
wasmtime_config_wasm_threads_set v pb
wasmtime_engine_increment_epoch v p
wasmtime_wat2wasm p snp
wasmtime_module_new p psnp
wasmtime_module_delete v p
wasmtime_module_imports v pp
wasmtime_module_serialize p pp
wasmtime_module_deserialize_file p psp
wasmtime_module_validate p psn
wasm_byte_vec_delete v p
wasm_byte_vec_new v pns
wasm_importtype_vec_delete v p
wasm_importtype_type p p
wasm_externtype_as_functype_const p p
wasm_frame_vec_delete v p
wasmtime_store_new p ppF
wasmtime_store_delete v p
wasmtime_store_context p p
wasmtime_store_limiter v plllll
wasmtime_store_epoch_deadline_callback v pEpF
wasmtime_context_set_epoch_deadline v pu
wasmtime_context_set_fuel p pu
wasmtime_context_get_fuel p pp
wasmtime_context_set_wasi p pp
wasmtime_context_gc v p
wasmtime_linker_new p p
wasmtime_linker_delete v p
wasmtime_linker_define p ppsnsnp
wasmtime_linker_define_wasi p p
wasmtime_linker_instantiate p ppppp
wasmtime_instance_new p pppnpp
wasmtime_instance_export_get b ppsnp
wasmtime_func_new_unchecked v ppUpFp
wasmtime_func_new v ppCpFp
wasmtime_func_call p pppnpnp
wasmtime_func_call_unchecked p pppnp
wasmtime_func_type p pp
wasm_functype_delete v p
wasm_functype_params p p
wasm_functype_results p p
wasm_valtype_kind c p
wasm_valtype_new p c
wasmtime_memory_data p pp
wasmtime_memory_data_size n pp
wasmtime_memory_size u pp
wasmtime_memory_grow p ppup
wasmtime_memory_new p ppp
wasmtime_memorytype_new p ububbcp
wasm_memorytype_delete v p
wasmtime_table_new p pppp
wasmtime_table_get b ppup
wasmtime_table_set p ppup
wasmtime_table_size u pp
wasmtime_table_grow p ppupp
wasm_tabletype_new p pp
wasm_tabletype_delete v p
wasm_globaltype_new p pc
wasm_globaltype_delete v p
wasmtime_global_new p pppp
wasmtime_global_get v ppp
wasmtime_global_set p ppp
wasmtime_externref_new b ppFp
wasmtime_externref_data p pp
wasmtime_val_unroot v p
wasmtime_trap_new p sn
wasmtime_trap_code b pp
wasm_trap_delete v p
wasm_trap_trace v pp
wasm_trap_message v pp
wasmtime_error_delete v p
wasmtime_error_new p s
wasmtime_error_message v pp
wasmtime_error_exit_status b pp
wasmtime_error_wasm_trace v pp
wasmtime_frame_func_name p p
wasmtime_frame_module_name p p
wasm_frame_func_index w p
wasm_frame_module_offset n p
wasi_config_new p
wasi_config_set_argv b pnp
wasi_config_set_env b pnpp
wasi_config_inherit_stdin v p
wasi_config_inherit_stdout v p
wasi_config_inherit_stderr v p
wasi_config_set_stdin_bytes v pp
wasi_config_set_stdin_file b ps
wasi_config_set_stdout_custom v pOpF
wasi_config_set_stderr_custom v pOpF
wasi_config_preopen_dir b pssb
wasi_config_delete v p
"""
"""Name, result and arguments of each function, by the letters of _CODES."""


class WheelMissingError(ImportError):
    """The wheel `wasmtime` is not there."""


class _Library:
    """The functions of the wheel's library as attributes."""

    def __init__(self) -> None:
        rows = (line.split() for line in _TABLE.strip().splitlines())
        self._rows = {row[0]: (row[1], row[2] if len(row) > 2 else "") for row in rows}
        self._dll: ctypes.CDLL | None = None

    def __getattr__(self, name: str) -> "Callable[..., Any]":
        row = self._rows.get(name)
        if row is None:
            raise AttributeError(name)
        if self._dll is None:
            self._dll = ctypes.CDLL(library_path())
        function = getattr(self._dll, name)
        function.restype = _CODES[row[0]]
        function.argtypes = [_CODES[code] for code in row[1]]
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]


def library_path() -> str:
    """Where the wheel's library is. Raises WheelMissingError."""
    # find_spec, not import: the package's own module is what takes the time.
    spec = PathFinder.find_spec("wasmtime")
    if spec is None or not spec.submodule_search_locations:
        raise WheelMissingError("ovum.wasm needs the package wasmtime: pip install wasmtime")
    return f"{spec.submodule_search_locations[0]}/linux-x86_64/_libwasmtime.so"


lib: "Final" = _Library()


def taken(vector: Bytes) -> bytes:
    """The bytes of a vector that the caller owns, which is freed."""
    data = ctypes.string_at(vector.data, vector.size) if vector.size else b""
    lib.wasm_byte_vec_delete(byref(vector))
    return data
