"""A store: what instances live in, with their limits; and the way between it and Python."""

import ctypes
import itertools
import struct
import threading
import weakref
from ctypes import byref, c_uint64, c_void_p

from ovum.wasm import capi, values
from ovum.wasm.capi import Extern, Func, Value, lib
from ovum.wasm.engine import engine_for
from ovum.wasm.errors import (
    INTERRUPT,
    TIMEOUT,
    Trap,
    WasmError,
    backtrace,
    check,
    error_of,
    frames_of_error,
    trap_of,
)
from ovum.wasm.limits import DEFAULT, Limits
from ovum.wasm.watch import Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.wasm.binary import FuncType
    from ovum.wasm.instance import Function

NOT_FREED = capi.Finalizer()

_stores: "dict[int, weakref.ref[Store]]" = {}
_numbers = itertools.count(1)


class Store:
    """Where instances live that may share memories, tables, globals and functions.

    One thread at a time is in a store; others wait. It is freed when nothing of it is referenced.
    """

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self.limits = limits
        self.engine = engine_for(limits)
        self._number = next(_numbers)
        self.address: int = lib.wasmtime_store_new(self.engine.address, None, NOT_FREED)
        self._free = lib.wasmtime_store_delete
        self.context: int = lib.wasmtime_store_context(self.address)
        self.hosts: list[Host] = []
        self.guard: Guard | None = None
        self.raised: BaseException | None = None
        """What a function of Python's raised, on its way through the module's code."""
        self.trap = c_void_p()
        self.calls_python = False
        """Whether code here can call Python: no handler of a signal may raise on the way."""
        self.plain = True
        """Whether the C API may be asked for the type of any function here."""
        self.functions: dict[int, Function] = {}
        self._objects: dict[int, object] = {}
        self._lock = threading.RLock()
        self._depth = 0
        _stores[self._number] = weakref.ref(self)
        if limits.fuel is not None:
            self.fuel = limits.fuel
        if limits.memory is not None or limits.table is not None:
            memory = -1 if limits.memory is None else limits.memory
            table = -1 if limits.table is None else limits.table
            lib.wasmtime_store_limiter(self.address, memory, table, -1, -1, -1)
        if limits.interrupt:
            lib.wasmtime_store_epoch_deadline_callback(
                self.address, _ticked, self._number, NOT_FREED
            )

    # When the interpreter ends, the module's own names may be gone before the last store.
    def __del__(self, stores: "dict[int, weakref.ref[Store]]" = _stores) -> None:
        if stores.pop(getattr(self, "_number", 0), None) is not None:
            self._free(self.address)

    @property
    def fuel(self) -> int:
        """What is left. Raises WasmError if the limits have no fuel."""
        left = c_uint64()
        check(lib.wasmtime_context_get_fuel(self.context, byref(left)))
        return left.value

    @fuel.setter
    def fuel(self, amount: int) -> None:
        check(lib.wasmtime_context_set_fuel(self.context, amount))

    def collect(self) -> None:
        """Lets go of objects that no externref of the store means any more."""
        lib.wasmtime_context_gc(self.context)

    def interrupt(self) -> None:
        """Ends the code that runs now, with a Trap of kind "interrupt"; from any thread."""
        guard = self.guard
        if guard is not None:
            guard.stopped = True
            self.engine.tick()

    def enter(self) -> None:
        """Begins a call into the store; `leave` must follow."""
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1 and (self.limits.interrupt or self.calls_python):
            guard = Guard(self.engine, self.limits.timeout)
            guard.enter()
            self.guard = guard
            if self.limits.interrupt:
                lib.wasmtime_context_set_epoch_deadline(self.context, 1)

    def leave(self) -> None:
        """Ends a call into the store; handlers of signals may run, and raise."""
        self._depth -= 1
        guard = self.guard if self._depth == 0 else None
        if guard is not None:
            self.guard = None
        self._lock.release()
        if guard is not None:
            guard.leave()

    def finish(self, error: int | None) -> None:
        """Raises what a call into the store ended with, if that is no success."""
        trap, self.trap.value = self.trap.value, None
        raised, self.raised = self.raised, None
        if error is None and trap is None:
            if raised is not None:
                raise raised
            return
        if raised is None:
            raise trap_of(trap) if trap is not None else error_of(error or 0)
        if trap is not None:
            frames = trap_of(trap).frames
        else:
            frames = frames_of_error(error or 0)
            lib.wasmtime_error_delete(error)
        if isinstance(raised, Trap) and not raised.frames:
            raised.frames = frames
        elif frames:
            raised.add_note("\n".join(("in WebAssembly, innermost first:", *backtrace(frames))))
        raise raised

    def ticked(self) -> None:
        """Looks what the code is to stop for: a signal's handler may raise."""
        guard = self.guard
        if guard is not None:
            guard.handle()
            if guard.stopped:
                guard.stopped = False
                raise Trap(INTERRUPT, "interrupted", ())
            if guard.expired:
                raise Trap(TIMEOUT, "out of time", ())

    def define(self, function: "Callable[..., Any]", type_: "FuncType", functype: int) -> Extern:
        """A function of Python's as one of the store's; `functype` is the C API's word for it."""
        host = Host(self, function, type_)
        self.hosts.append(host)
        self.calls_python = True
        env = self._number << 32 | len(self.hosts) - 1
        item = Extern(kind=capi.FUNC)
        raw = byref(item.of.func)
        if host.unpack is not None and host.pack_into is not None:
            lib.wasmtime_func_new_unchecked(self.context, functype, _called, env, NOT_FREED, raw)
        else:
            lib.wasmtime_func_new(self.context, functype, _called_with_references, env,
                                  NOT_FREED, raw)  # fmt: skip
        return item

    def function(self, raw: Func) -> "Function":
        """The function that a reference means."""
        from ovum.wasm.instance import Function, type_of

        found = self.functions.get(raw.private)
        if found is None:
            copy = Func(raw.store, raw.private)
            found = Function(self, copy, type_of(self, copy) if self.plain else None)
        return found

    def new_reference(self, value: object, into: Value) -> None:
        """Makes an externref that means this object."""
        number = next(_numbers)
        self._objects[number] = value
        env = self._number << 32 | number & 0xFFFFFFFF
        into.kind = capi.KIND_CODES["externref"]
        if not lib.wasmtime_externref_new(self.context, env, _freed, byref(into.of.extern)):
            raise WasmError("no room for another externref")

    def referenced(self, value: Value) -> object:
        """The object that an externref means."""
        env = lib.wasmtime_externref_data(self.context, byref(value.of.extern))
        if env is None:
            raise WasmError("this externref means no object of Python's")
        return self._objects[env & 0xFFFFFFFF]

    def forget(self, number: int) -> None:
        """An object's last externref is gone."""
        self._objects.pop(number, None)


class Host:
    """A function of Python's that modules can call."""

    __slots__ = ("_store", "area", "function", "pack_into", "type", "unpack")

    def __init__(self, store: Store, function: "Callable[..., Any]", type_: "FuncType") -> None:
        self.function = function
        self.type = type_
        taken = values.layout(type_.params)
        self.unpack = None if taken is None else taken.unpack_from
        self.pack_into = values.packer(type_.results)
        self.area = ctypes.c_char * (16 * max(len(type_.params), len(type_.results)))

    def results(self, result: "Any") -> "tuple[Any, ...]":
        """What the function gave, as one value for each result."""
        count = len(self.type.results)
        if count == 1:
            return (result,)
        found = tuple(result) if count else ()
        if len(found) != count:
            raise TypeError(f"{self.function!r} gave {len(found)} results, not {count}")
        return found


def _found(env: int) -> Store:
    store = _stores[env >> 32]()
    assert store is not None
    return store


def _failed(store: Store, error: BaseException) -> int:
    store.raised = error
    return lib.wasmtime_trap_new(b"an exception in Python", 22)  # type: ignore[no-any-return]


def _call(env: int, caller: int, slots: int, count: int) -> int | None:
    """Called by code of modules: a function whose values are plain."""
    store = _found(env)
    guard = store.guard
    try:
        host = store.hosts[env & 0xFFFFFFFF]
        if guard is not None:
            guard.handle()
            guard.outside += 1
        try:
            area = host.area.from_address(slots)
            given = host.results(host.function(*host.unpack(area)))  # type: ignore[misc]
        finally:
            if guard is not None:
                guard.outside -= 1
        try:
            host.pack_into(area, 0, *given)  # type: ignore[misc]
        except (struct.error, OverflowError):
            data = values.pack(host.type.results, given)
            ctypes.memmove(slots, data, len(data))
    except BaseException as error:
        return _failed(store, error)
    return None


def _call_with_references(
    env: int, caller: int, taken: "Any", taken_count: int, given: "Any", given_count: int
) -> int | None:
    """Called by code of modules: a function that takes or gives references."""
    store = _found(env)
    guard = store.guard
    try:
        host = store.hosts[env & 0xFFFFFFFF]
        if guard is not None:
            guard.handle()
            guard.outside += 1
        try:
            arguments = [values.from_value(store, taken[index]) for index in range(taken_count)]
            results = host.results(host.function(*arguments))
        finally:
            if guard is not None:
                guard.outside -= 1
        for index, (name, result) in enumerate(zip(host.type.results, results, strict=True)):
            values.to_value(store, name, result, given[index])
    except BaseException as error:
        return _failed(store, error)
    return None


def _tick(context: int, number: int, delta: "Any", kind: "Any") -> int:
    """Called by code of modules that sees a tick."""
    store = _found(number << 32)
    delta[0], kind[0] = 1, 0
    try:
        store.ticked()
    except BaseException as error:
        store.raised = error
        return lib.wasmtime_error_new(b"stopped")  # type: ignore[no-any-return]
    return 0


def _forget(env: int) -> None:
    """Called when nothing in a store means an object any more."""
    reference = _stores.get(env >> 32)
    store = reference() if reference is not None else None
    if store is not None:
        store.forget(env & 0xFFFFFFFF)


_called = capi.UncheckedCallback(_call)
_called_with_references = capi.Callback(_call_with_references)
_ticked = capi.EpochCallback(_tick)
_freed = capi.Finalizer(_forget)
