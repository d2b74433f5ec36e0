"""Compilers by their settings, and compiled code in a cache."""

import os
from ctypes import byref, c_void_p

from ovum.wasm import capi
from ovum.wasm.capi import Bytes, lib
from ovum.wasm.errors import WasmError, check
from ovum.wasm.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

PREPARED: "Final" = "/usr/lib/ovum/wasm"
"""Where an image has code that was compiled when the image was made."""

_engines: "dict[tuple[bool, bool, int], Engine]" = {}

_CACHE_LAYOUT: "Final" = 1


class Engine:
    """One compiler with its settings. Code runs only in stores of the engine it was compiled by."""

    def __init__(
        self, fuel: bool, interrupt: bool, stack: int, features: "Sequence[str] | None" = None
    ) -> None:
        """Features: of the processor that the code is for; None is this one, with all it has."""
        config = lib.wasm_config_new()
        if features is not None:
            check(lib.wasmtime_config_target_set(config, b"x86_64-unknown-linux-gnu"))
            for feature in features:
                lib.wasmtime_config_cranelift_flag_enable(config, f"has_{feature}".encode())
        if fuel:
            lib.wasmtime_config_consume_fuel_set(config, True)
        if interrupt:
            lib.wasmtime_config_epoch_interruption_set(config, True)
        lib.wasmtime_config_max_wasm_stack_set(config, stack)
        # With one processor, threads are but one more thing to wait for.
        if len(os.sched_getaffinity(0)) == 1:
            lib.wasmtime_config_parallel_compilation_set(config, False)
        self.address: int = lib.wasm_engine_new_with_config(config)
        self.key = f"{int(fuel)}{int(interrupt)}-{stack}"

    def tick(self) -> None:
        """Makes running code look whether it is to stop."""
        lib.wasmtime_engine_increment_epoch(self.address)


def engine_for(limits: Limits) -> Engine:
    """The engine whose code can be limited so; there is one for each set of settings."""
    settings = (limits.fuel is not None, limits.interrupt, limits.stack)
    found = _engines.get(settings)
    if found is None:
        found = _engines.setdefault(settings, Engine(*settings))
    return found


def to_binary(source: "str | bytes") -> bytes:
    """The binary form of a module; text is taken for the text format. Raises WasmError."""
    data = source.encode() if isinstance(source, str) else bytes(source)
    if data[:4] == b"\0asm":
        return data
    binary = Bytes()
    check(lib.wasmtime_wat2wasm(data, len(data), byref(binary)))
    return capi.taken(binary)


def compile_module(engine: Engine, binary: bytes, cache: str | None) -> int:
    """The address of a compiled module, which is the caller's. Raises WasmError.

    cache: a folder where compiled code is kept, by the module's content. Whoever can write there
    decides what runs: the code in it is machine code.
    """
    if os.path.isdir(PREPARED):
        path = kept_path(engine, binary, PREPARED)
        if os.path.exists(path):
            try:
                return _loaded(engine, path)
            except WasmError:
                # It is for a processor that this one is not.
                return _compiled(engine, binary)
    if cache is None:
        return _compiled(engine, binary)
    path = kept_path(engine, binary, cache)
    if os.path.exists(path):
        return _loaded(engine, path)
    address = _compiled(engine, binary)
    _keep(address, path)
    return address


def prepare(engine: Engine, binary: bytes, folder: str) -> None:
    """Compiles a module and keeps it in the folder. Raises WasmError."""
    address = _compiled(engine, binary)
    _keep(address, kept_path(engine, binary, folder))
    lib.wasmtime_module_delete(address)


def kept_path(engine: Engine, binary: bytes, folder: str) -> str:
    """The file of a module's compiled code."""
    try:
        # Python's own, from 3.12 on: hashlib loads OpenSSL, which takes longer than all of this.
        from _sha2 import sha256
    except ImportError:
        from hashlib import sha256
    # Of the library its size: the code itself says for which version it is.
    size = os.stat(capi.library_path()).st_size
    name = sha256(f"{_CACHE_LAYOUT} {engine.key} {size} ".encode() + binary)
    return os.path.join(folder, f"{name.hexdigest()[:32]}.cwasm")


def _loaded(engine: Engine, path: str) -> int:
    module = c_void_p()
    check(lib.wasmtime_module_deserialize_file(engine.address, os.fsencode(path), byref(module)))
    assert module.value is not None
    return module.value


def _compiled(engine: Engine, binary: bytes) -> int:
    module = c_void_p()
    check(lib.wasmtime_module_new(engine.address, binary, len(binary), byref(module)))
    assert module.value is not None
    return module.value


def _keep(address: int, path: str) -> None:
    """Writes the compiled code; another that does the same at the same time does no harm."""
    packed = Bytes()
    check(lib.wasmtime_module_serialize(address, byref(packed)))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    scratch = f"{path}.{os.getpid()}"
    with open(scratch, "wb") as file:
        file.write(capi.taken(packed))
    os.replace(scratch, path)


def validate(binary: bytes, limits: Limits) -> None:
    """Raises WasmError, with the reason, if this is no valid module."""
    engine = engine_for(limits)
    check(lib.wasmtime_module_validate(engine.address, binary, len(binary)))
