"""`Context`: a JavaScript engine of its own, with values, functions, modules and a loop."""

from __future__ import annotations

import json
from pathlib import Path

from _quickjs import JSException

from ovum.services.js import library
from ovum.services.js.engine import Engine, Ref, Thrown, undefined
from ovum.services.js.errors import (
    JSError,
    JSThrow,
    LimitError,
    MemoryLimit,
    StackLimit,
    TimeLimit,
)
from ovum.services.js.library import Value
from ovum.services.js.limits import Interrupts
from ovum.services.js.loop import Loop
from ovum.services.js.modules import Modules
from ovum.services.js.objects import JSFunction, JSObject, JSPromise
from ovum.services.js.rejections import Rejections
from ovum.services.js.values import Values, called

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from ovum.services.js.env.loader import Environment

STACK = 1 << 20
"""How much of the thread's stack, 8 MiB, JavaScript may use."""

_COROUTINE = 0x80
"""CO_COROUTINE: what `async def` makes."""

_HELPERS = (
    *("slot", "describe", "expose", "wrap", "makeError", "errorParts", "textOf", "side", "back"),
    *("unbox", "buffer", "bigint", "get", "set", "hidden", "has", "remove", "keys", "construct"),
    *("date", "view", "then", "promise", "global"),
)
"""What core.js returns."""

_HERE = Path(__file__).parent


class Context:
    """JavaScript with globals, limits and an event loop of its own.

    `time_limit`: seconds of processor time that one entry, with the promise jobs behind it, may
    take. `memory_limit`: bytes for all of its values. `stack_limit`: bytes of stack. Each is None
    for none but the last, whose default is 1 MiB.
    `environment`: the parts of `ovum.services.js.env` to install; None for all, () for the bare
    language with timers and modules.

    One thread at a time may use it. `close` (or `with`) gives its memory back at once.
    """

    def __init__(
        self,
        *,
        time_limit: float | None = None,
        memory_limit: int | None = None,
        stack_limit: int = STACK,
        environment: tuple[str, ...] | None = (),
        argv: tuple[str, ...] = (),
    ) -> None:
        self.json = json
        self.argv = argv
        """The program's own words, its path first."""
        self.parts: Environment | None = None
        """What programs find around them, if they do."""
        self.exit_status = 0
        """What a program that ends by itself returns: `process.exitCode`."""
        self.on_exit: Callable[[int], int] | None = None
        """Called with the exit status when a program ends; returns the one that counts."""
        self.inspect: Callable[..., str] = self._shown
        """`inspect(value, colors=False)`: a value as the console shows it, with colours or not."""
        self.engine = engine = Engine()
        self._helpers: dict[str, Value] = {}
        self._failure: BaseException | None = None
        # Not while the context is being made.
        self._draining = True
        self._memory_limited = False
        engine.raw.set_max_stack_size(stack_limit)
        self.limits = Interrupts(engine)
        self.values = Values(self)
        self._load_core()
        self.rejections = Rejections(self)
        self.modules = Modules(self)
        self.loop = Loop(self)
        from ovum.services.js import env

        for part in env.parts() if environment is None else environment:
            env.install(self, part)
        self._memory_limited = memory_limit is not None
        self._draining = False
        self.limits.time_limit = time_limit
        if memory_limit is not None:
            engine.raw.set_memory_limit(memory_limit)

    def _load_core(self) -> None:
        engine = self.engine
        make = self._script(_HERE / "core.js", "ovum:core")
        core = engine.call(make, undefined(), [])
        self._helpers = engine.members(core, _HELPERS)
        self._slot = self._helpers["slot"]
        engine.dropped += [make, core]

    def part(self, path: Path, name: str, *arguments: Any) -> Any:
        """Runs a JavaScript file whose value is a function, calls that, and returns its result.

        So a part of the environment gets what is private to it.
        """
        with _Entry(self):
            return self.values.to_python(self._script(path, name))(*arguments)

    def _script(self, path: Path, name: str) -> Value:
        engine = self.engine
        return engine.run(engine.compile(path.read_bytes(), name, library.EVAL_GLOBAL))

    # Life.

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self.engine.closed

    def close(self) -> None:
        """Ends the context: what it holds is given back, its objects are of no more use.

        Raises RuntimeError while it runs.
        """
        if self.engine.depth:
            raise RuntimeError("the context runs")
        if not self.engine.closed:
            self.loop.close()
            self._helpers.clear()
            self.engine.close()

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Programs.

    def evaluate(
        self, source: str, filename: str = "<input>", *, line: int = 1, keep: bool = False
    ) -> Any:
        """Runs source as a script and returns the value of its last statement.

        `filename` and `line`, the number of its first line, are for stacks; imports are relative to
        the file. `keep`: an object stays a JSObject, also if it is plain data. The jobs of promises
        run too. Raises JSError and its kinds.
        """
        with _Entry(self):
            compiled = self.engine.compile(_utf8(source), filename, library.EVAL_GLOBAL, line)
            result = self.engine.run(compiled)
            return self.values.kept(result) if keep else self.values.to_python(result)

    def evaluate_async(self, source: str, filename: str = "<input>", *, line: int = 1) -> Any:
        """The same for source that may use `await` outside of functions.

        Returns a JSPromise for an object whose `value` is the value of the last statement.
        """
        with _Entry(self):
            flags = library.EVAL_GLOBAL | library.EVAL_ASYNC
            compiled = self.engine.compile(_utf8(source), filename, flags, line)
            return self.values.to_python(self.engine.run(compiled))

    def check_syntax(self, source: str, filename: str = "<input>", *, wait: bool = False) -> None:
        """Raises JSError, a SyntaxError, if the source is no script; runs nothing.

        `wait`: whether `await` may stand outside of functions.
        """
        with _Entry(self):
            flags = library.EVAL_ASYNC if wait else 0
            self.engine.dropped.append(self.engine.compile(_utf8(source), filename, flags))

    def import_module(self, path: str) -> Any:
        """Imports an ES module by its path or name: a JSPromise for its namespace."""
        return self.modules.import_module(path)

    def require(self, path: str) -> Any:
        """What a CommonJS, JSON or built-in module exports."""
        return self.modules.require(path)

    def add_builtin(self, name: str, factory: Callable[[Context], Any]) -> None:
        """Makes `factory(context)` the module that `require(name)`, `require("node:NAME")` and
        `import` find. It is called once, when the module is first asked for; what it returns is
        converted: a dict of functions, or a JSObject.
        """
        self.modules.builtins[name] = factory

    def run(self) -> None:
        """Runs the loop until nothing is left to wait for. Raises what nobody has caught."""
        self.loop.run()

    async def run_async(self) -> None:
        """The same, as a task of a scheduler that runs already."""
        await self.loop.run_async()

    def interrupt(self, error: BaseException | None = None) -> None:
        """Ends what runs in this context, with KeyboardInterrupt or the error given.

        Any thread and any handler of a signal may call it. It does nothing to a context at rest.
        """
        self.limits.interrupt(KeyboardInterrupt() if error is None else error)

    # Values.

    def get_global(self, name: str) -> Any:
        """A global, converted; None if there is none."""
        return self.global_object.get(name)

    def set_global(self, name: str, value: Any) -> None:
        """Sets a global, which programs can replace but do not see in `for … in`."""
        self.helper("hidden", self.global_object, name, value)

    @property
    def global_object(self) -> JSObject:
        """`globalThis`."""
        value = library.duplicate(self.engine.context, self._helpers["global"])
        return JSObject(self, Ref(self.engine, value))

    def when_settled(
        self,
        promise: JSPromise,
        fulfilled: Callable[[Any], None],
        rejected: Callable[[Any], None],
    ) -> None:
        """Has one of two functions called with what becomes of a promise; objects stay objects."""
        functions = [
            JSFunction(self, Ref(self.engine, self.function_value(function, keep=True)))
            for function in (fulfilled, rejected)
        ]
        self.helper("then", promise, *functions)

    def raw_function(self, function: Callable[..., Any]) -> JSFunction:
        """A function that gets and returns the wheel's own values. It must not raise.

        For what has to look at an object without its noticing.
        """
        return JSFunction(self, Ref(self.engine, self.engine.function("ovum:raw", function)))

    def function(
        self, function: Callable[..., Any], name: str | None = None, *, method: bool = False
    ) -> JSFunction:
        """A function of JavaScript's that calls a Python function.

        One that is `async def` returns a promise there, and runs as a task of the loop. `method`:
        it gets `this` as its first argument. What it raises is thrown; see `JSThrow`.
        """
        value = self.function_value(function, name, method=method)
        return JSFunction(self, Ref(self.engine, value))

    def opaque(self, thing: Any) -> JSObject:
        """An object that JavaScript can only pass on: where Python gets it, it is `thing` again."""
        values = [self.values.back_to(thing), self.values.to_js(type(thing).__name__)]
        try:
            return JSObject(self, Ref(self.engine, self.helper_value("wrap", values)))
        finally:
            self.engine.dropped.extend(values)

    def promise(self) -> tuple[Any, Callable[[Any], None], Callable[[BaseException], None]]:
        """A new promise, and what fulfils and what rejects it."""
        promise, resolve, reject = self.helper("promise")
        return promise, resolve, reject

    # Memory.

    def memory(self) -> dict[str, int]:
        """How many bytes and objects the context has, as QuickJS counts them."""
        found: dict[str, int] = self.engine.raw.memory()
        return found

    def collect(self) -> None:
        """Collects JavaScript's garbage that contains itself."""
        with _Entry(self):
            self.engine.collect()

    # For the other modules of this package.

    def entered(self) -> _Entry:
        """`with` this, errors become Python's, and the jobs of promises run at the end."""
        return _Entry(self)

    def helper(self, name: str, *arguments: Any, keep: bool = False) -> Any:
        """Calls a function of core.js."""
        return self._call(self._helpers[name], None, arguments, keep=keep)

    def helper_value(self, name: str, arguments: list[Value]) -> Value:
        """The same without conversions, and no entry of its own. Raises Thrown."""
        return self.engine.call(self._helpers[name], undefined(), arguments)

    def helper_text(self, name: str, argument: Value) -> str:
        """The same for a text about one value."""
        value = self.engine.call(self._helpers[name], undefined(), [argument])
        try:
            return self.engine.text(value)
        finally:
            self.engine.dropped.append(value)

    def call_function(self, function: JSObject, this: Any, arguments: tuple[Any, ...]) -> Any:
        """Calls a function with converted arguments."""
        return self._call(function.ref.value, this, arguments)

    def _call(
        self, function: Value, this: Any, arguments: tuple[Any, ...], *, keep: bool = False
    ) -> Any:
        engine, to_js = self.engine, self.values.to_js
        with _Entry(self):
            values = [to_js(argument) for argument in arguments]
            subject = undefined() if this is None else to_js(this)
            try:
                result = engine.call(function, subject, values)
            finally:
                engine.dropped += values
                engine.dropped.append(subject)
            return self.values.kept(result) if keep else self.values.to_python(result)

    def function_value(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        *,
        method: bool = False,
        keep: bool = False,
    ) -> Value:
        """`function`, as a value. `keep`: its arguments that are objects stay such."""
        kind = "method" if method else "plain"
        raw = called(self, function, keep=keep)
        if _is_async(function):
            kind, raw = "async", self.loop.started_by(function)
        if name is None:
            name = getattr(function, "__name__", "python")
        engine = self.engine
        values = [
            engine.function("ovum:function", raw),
            *(engine.string(name), engine.string(kind)),
            self.values.back_to(function),
        ]
        try:
            return self.helper_value("expose", values)
        finally:
            engine.dropped += values

    def hand_over(self, value: Value, *, thrown: bool = False) -> None:
        """Has the function that is being called return this, or throw it."""
        engine = self.engine
        library.set_item(engine.context, self._slot, 0, value, 7)
        if thrown:
            library.set_item(engine.context, self._slot, 1, undefined(), 7)

    def hand_over_error(self, error: BaseException) -> None:
        """Has the function that is being called throw an exception of Python's.

        What is no Exception, as SystemExit, and limits cannot be caught by JavaScript.
        """
        final = not isinstance(error, Exception) or isinstance(error, LimitError)
        try:
            if final:
                self.limits.interrupt(error)
                value = self.values.error(RuntimeError("ended"))
                library.set_uncatchable(self.engine.context, value)
            elif isinstance(error, Thrown):
                value = library.duplicate(self.engine.context, error.ref.value)
            else:
                value = self.values.error(error)
        except Thrown as thrown:
            # There is no room left for an error.
            value = library.duplicate(self.engine.context, thrown.ref.value)
        self.hand_over(value, thrown=True)

    def error_of(self, value: Any) -> BaseException:
        """What to raise for something that JavaScript has thrown, as it was converted."""
        if isinstance(value, JSObject):
            return self._error(value.ref)
        return JSError("Uncaught", str(value), "", value)

    def _error(self, ref: Ref) -> JSError:
        if ref.value.tag == library.TAG_NULL and self._memory_limited:
            # There was no room left for an error.
            return MemoryLimit("InternalError", "out of memory")
        own = None
        with _Entry(self):
            if ref.value.tag == library.TAG_OBJECT:
                own = self.values.own_error(ref)
            parts = self.values.to_python(self.helper_value("errorParts", [ref.value]))
            if ref.value.tag == library.TAG_OBJECT:
                value: Any = JSObject(self, ref)
            else:
                copy = library.duplicate(self.engine.context, ref.value)
                value = self.values.to_python(copy)
        name, message, stack = parts
        kind = _kind(name, message)
        error = kind(name, message, stack, value)
        error.__cause__ = own
        return error

    def rejection(self, reason: Ref) -> BaseException:
        """The exception for what a promise was rejected with."""
        error = self._error(reason)
        error.origin = "unhandledRejection"
        return error

    def _shown(self, value: Any, *, colors: bool = False) -> str:
        if isinstance(value, JSObject) and self.is_error(value):
            name, message, stack = self.helper("errorParts", value)
            return str(JSError(name, message, stack))
        shown: str = self.helper("textOf", value)
        return shown

    def is_error(self, value: JSObject) -> bool:
        """Whether a value is one of JavaScript's errors."""
        return library.is_error(value.ref.value)  # type: ignore[no-any-return]

    def wrapped(self, ref: Ref) -> JSObject:
        """An object in Python's hands."""
        with _Entry(self):
            return self.values.object_to_python(ref)  # type: ignore[no-any-return]

    def as_python(self, error: BaseException) -> BaseException:
        """The exception for what the engine's calls raise."""
        return self.converted(error) if isinstance(error, Thrown) else error

    def run_jobs(self) -> None:
        """Runs the jobs of promises that are pending."""
        try:
            self.engine.jobs()
        except JSException as error:
            raise self._ended(str(error)) from None

    def _ended(self, text: str) -> BaseException:
        # The wheel has only the text of an error that ends a job.
        if self.limits.pending is not None:
            return self.limits.pending
        if self.limits.out_of_time:
            return self._time_limit()
        first, _, stack = text.partition("\n")
        name, _, message = first.partition(": ")
        return _kind(name, message)(name, message, stack)

    def _time_limit(self) -> TimeLimit:
        return TimeLimit("TimeLimit", f"more than {self.limits.time_limit:g} s of time")

    def converted(self, thrown: Thrown) -> BaseException:
        """The exception for what an entry has thrown."""
        if self.limits.pending is not None:
            return self.limits.pending
        if self.limits.out_of_time:
            return self._time_limit()
        try:
            return self._error(thrown.ref)
        except Thrown:
            return MemoryLimit("InternalError", "out of memory")

    def drain(self) -> None:
        """Runs the jobs of promises until there are none, at the end of an entry."""
        if self._draining:
            return
        self._draining = True
        try:
            self.loop.drain()
        finally:
            self._draining = False


class _Entry:
    """One entry to JavaScript: errors become Python's; the outermost has the jobs run."""

    __slots__ = ("_context", "_outermost")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        engine = self._context.engine
        if engine.closed:
            raise RuntimeError("the context is closed")
        self._outermost = engine.entries == 0
        engine.entries += 1
        if self._outermost:
            self._context.limits.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context = self._context
        try:
            if isinstance(error, Thrown):
                found = context.converted(error)
                raise found from found.__cause__
            if self._outermost and error is None:
                context.drain()
                if context.limits.pending is not None:
                    raise context.limits.pending
        except Thrown as thrown:
            found = context.converted(thrown)
            raise found from found.__cause__
        finally:
            context.engine.entries -= 1
            if self._outermost:
                context.limits.end()


def _is_async(function: Any) -> bool:
    """As inspect.iscoroutinefunction, which takes long to import."""
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)


def _kind(name: str, message: str) -> type[JSError]:
    if name == "InternalError" and message == "out of memory":
        return MemoryLimit
    if name == "RangeError" and message == "Maximum call stack size exceeded":
        return StackLimit
    return JSError


def _utf8(source: str) -> bytes:
    return source.encode("utf-8", "surrogatepass")


__all__ = ("Context", "JSError", "JSThrow")
