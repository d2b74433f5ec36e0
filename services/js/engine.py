"""One engine: a QuickJS runtime with its context, entered and left from Python.

What runs JavaScript goes through `enter` and `leave`: they say who runs it, keep the stack's limit
where the outermost entry has put it, and make the wheel's calls back to Python work. All other
calls want the engine at rest, or are made from inside such a call back.
"""

from __future__ import annotations

from _thread import get_ident
from ctypes import byref, c_size_t, string_at

import _quickjs

from ovum.services.js import library
from ovum.services.js.library import (
    TAG_BOOL,
    TAG_EXCEPTION,
    TAG_FLOAT64,
    TAG_INT,
    TAG_NULL,
    TAG_UNDEFINED,
    THREAD_STATE_AT,
    VALUE_AT,
    Value,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_parts: dict[str, bytes] = {}
"""Bytecode by the paths of files."""

SAFE = (1 << 53) - 1
"""The largest whole number that JavaScript's numbers have exactly."""


class Thrown(Exception):
    """JavaScript threw `ref`."""

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref


class Ref:
    """A value of an engine's that Python holds on to."""

    __slots__ = ("engine", "value")

    def __init__(self, engine: Engine, value: Value) -> None:
        """Takes over the reference that `value` is."""
        self.engine = engine
        self.value = value
        engine.held[id(self)] = value

    def __del__(self) -> None:
        # Any thread may be the one that drops it, and JavaScript may be running: not here.
        value = self.engine.held.pop(id(self), None)
        if value is not None:
            self.engine.dropped.append(value)


_COLLECT_EVERY = 32


class _Count:
    """How many engines there are, and were when Python's garbage was last collected."""

    alive = 0
    collected = 0


class Engine:
    """A runtime and its context."""

    closed = True
    """Whether there is none (any more)."""

    def __init__(self) -> None:
        _make_room()
        _Count.alive += 1
        self.raw = _quickjs.Context()
        at = id(self.raw)
        self.runtime = library.word_at(at + library.RUNTIME_AT)
        self.context = library.word_at(at + library.CONTEXT_AT)
        self._state = c_size_t.from_address(at + THREAD_STATE_AT)
        self.depth = 0
        """How many entries there are, one in another."""
        self.entries = 0
        """The same for those of `Context`."""
        self.closed = False
        self.dropped: list[Value] = []
        """References to be given up when the engine is entered next."""
        self.held: dict[int, Value] = {}
        """Those that Python has, by the ids of their `Ref`s or as somebody likes."""
        self._thread = 0

    def close(self) -> None:
        """Gives everything back. Nothing may be called afterwards."""
        if self.closed:
            return
        self.closed = True
        _Count.alive -= 1
        # What still has a reference would not be freed with the rest.
        self.dropped += self.held.values()
        self.held.clear()
        self.sweep()
        self._state = c_size_t()
        self.raw = None

    def __del__(self) -> None:
        # Nobody has it, so that nothing of it runs, in whatever thread this is.
        self.close()

    def enter(self) -> int:
        """To be called before JavaScript runs; what it returns is for `leave`.

        Raises RuntimeError when the engine is closed or runs in another thread.
        """
        if self.closed:
            raise RuntimeError("the context is closed")
        thread = get_ident()
        if self.depth == 0:
            self._thread = thread
            library.update_stack_top(self.runtime)
        elif self._thread != thread:
            raise RuntimeError("the context runs in another thread")
        if self.dropped:
            self.sweep()
        self.depth += 1
        before = self._state.value
        self._state.value = library.thread_state()
        return before

    def leave(self, before: int) -> None:
        """To be called when JavaScript has run."""
        self._state.value = before
        self.depth -= 1

    def outside(self) -> int:
        """To be called first in what the engine itself calls; the result is for `inside`.

        The GIL is held there, which the wheel has to be told.
        """
        before = self._state.value
        self._state.value = 0
        return before

    def inside(self, before: int) -> None:
        """To be called last there."""
        self._state.value = before

    def sweep(self) -> None:
        """Frees what Python has dropped."""
        dropped = self.dropped
        while dropped:
            library.free(self.context, dropped.pop())

    # Running.

    def call(self, function: Value, this: Value, arguments: list[Value]) -> Value:
        """Calls a function. The arguments stay the caller's. Raises Thrown."""
        count = len(arguments)
        packed = (Value * count)(*arguments)
        before = self.enter()
        try:
            result: Value = library.call(self.context, function, this, count, packed)
        finally:
            self.leave(before)
        if result.tag == TAG_EXCEPTION:
            raise self.thrown()
        return result

    def compile(self, source: bytes, filename: str, flags: int, line: int = 1) -> Value:
        """Compiles source that is UTF-8. Raises Thrown, a SyntaxError."""
        name = filename.encode("utf-8", "surrogateescape")
        options = library.EvalOptions(1, flags | library.EVAL_COMPILE_ONLY, name, line)
        result: Value = library.compile_source(self.context, source, len(source), byref(options))
        if result.tag == TAG_EXCEPTION:
            raise self.thrown()
        return result

    def part(self, path: str, name: str) -> Value:
        """A file of ours as `compile` returns it; compiled once in a process."""
        code = _parts.get(path)
        if code is not None:
            return self.made(library.read_object(self.context, code, len(code), library.BYTECODE))
        with open(path, "rb") as file:
            compiled = self.compile(file.read(), name, library.EVAL_GLOBAL)
        size = c_size_t()
        at = library.write_object(self.context, byref(size), compiled, library.BYTECODE)
        if at:
            _parts[path] = string_at(at, size.value)
            library.free_memory(self.context, at)
        return compiled

    def run(self, compiled: Value) -> Value:
        """Runs what `compile` has returned, which is used up. Raises Thrown."""
        before = self.enter()
        try:
            result: Value = library.run_function(self.context, compiled)
        finally:
            self.leave(before)
        if result.tag == TAG_EXCEPTION:
            raise self.thrown()
        return result

    def thrown(self) -> Thrown:
        """What was thrown last, taken out of the engine."""
        value = library.exception(self.context)
        library.clear_uncatchable(self.context, value)
        return Thrown(Ref(self, value))

    def jobs(self) -> None:
        """Runs the pending jobs of promises. Raises JSException of the wheel's: one was ended."""
        before = self.enter()
        # The wheel's function does this itself, with the state as it is outside.
        self._state.value = 0
        run = self.raw.execute_pending_job
        try:
            while run():
                pass
        finally:
            self.leave(before)

    def collect(self) -> None:
        """Runs the engine's garbage collector."""
        before = self.enter()
        try:
            library.collect(self.runtime)
        finally:
            self.leave(before)

    # Values.

    def function(self, name: str, function: Callable[..., Any]) -> Value:
        """A function of JavaScript's that calls a Python function which must not raise."""
        self.raw.add_callable(name, function)
        value = self.duplicate(self.raw.get(name))
        library.remove_global(self.context, name.encode())
        return value

    def members(self, value: Value, names: tuple[str, ...]) -> dict[str, Value]:
        """Properties of an object of ours, which has no getters."""
        return {name: library.get_name(self.context, value, name.encode()) for name in names}

    def duplicate(self, found: Any) -> Value:
        """The value of an object of the wheel's, as a reference of its own."""
        value: Value = Value.from_address(id(found) + VALUE_AT)
        copy: Value = library.duplicate(self.context, value)
        return copy

    def text(self, value: Value) -> str:
        """The text of a string or a bigint. Raises Thrown."""
        size = c_size_t()
        at = library.text_of(self.context, byref(size), value, False)
        if not at:
            raise self.thrown()
        try:
            data = string_at(at, size.value)
        finally:
            library.free_text(self.context, at)
        return data.decode("utf-8", "surrogatepass")

    def string(self, text: str) -> Value:
        """A string."""
        data = text.encode("utf-8", "surrogatepass")
        return self.made(library.new_string(self.context, data, len(data)))

    def made(self, value: Value) -> Value:
        """The same value, unless making it has failed. Raises Thrown."""
        if value.tag == TAG_EXCEPTION:
            raise self.thrown()
        return value


def _make_room() -> None:
    """Collects Python's garbage once it may hold many engines.

    A context that is dropped and not closed contains itself, by what its functions refer to; and
    its memory is none that Python's collector knows of.
    """
    if _Count.alive >= _Count.collected + _COLLECT_EVERY:
        import gc

        gc.collect()
        _Count.collected = _Count.alive


def undefined() -> Value:
    """The value undefined."""
    return Value(tag=TAG_UNDEFINED)


def null() -> Value:
    """The value null."""
    return Value(tag=TAG_NULL)


def boolean(value: bool) -> Value:
    """A boolean."""
    return Value(int32=int(value), tag=TAG_BOOL)


def integer(value: int) -> Value:
    """A number that has 32 bits."""
    return Value(int32=value, tag=TAG_INT)


def number(value: float) -> Value:
    """A number."""
    return Value(float64=value, tag=TAG_FLOAT64)
