"""Calls and values across the border of a context, below what `Context` offers to programs."""

from __future__ import annotations

from os.path import dirname

from _quickjs import JSException

from ovum.services.js import library
from ovum.services.js.engine import Engine, Ref, Thrown, undefined
from ovum.services.js.errors import JSError, LimitError, MemoryLimit, StackLimit, TimeLimit
from ovum.services.js.library import Value
from ovum.services.js.limits import Interrupts
from ovum.services.js.objects import JSObject
from ovum.services.js.rejections import Rejections
from ovum.services.js.values import Values, called

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from ovum.services.js.loop import Loop

_COROUTINE = 0x80
"""CO_COROUTINE: what `async def` makes."""

_HELPERS = (
    *(
        "slot",
        "describe",
        "kind",
        "expose",
        "wrap",
        "makeError",
        "errorParts",
        "textOf",
        "side",
        "back",
        "wrapped",
    ),
    *("unbox", "buffer", "bigint", "get", "set", "hidden", "has", "remove", "keys", "construct"),
    *("date", "view", "then", "promise", "global"),
)
"""What core.js returns."""

_HERE = dirname(__file__)


class Crossing:
    """An engine with what carries calls, values and errors between it and Python."""

    loop: Loop

    def __init__(self, stack_limit: int) -> None:
        self.engine = engine = Engine()
        # Not while the context is being made.
        self._draining = True
        self._memory_limited = False
        engine.raw.set_max_stack_size(stack_limit)
        self.limits = Interrupts(engine)
        self.values = Values(self)
        self._load_core()
        self.rejections = Rejections(self)

    def begin(self, time_limit: float | None, memory_limit: int | None) -> None:
        """The context is made: from here on limits count, and the jobs of promises run."""
        self.limits.time_limit = time_limit
        if memory_limit is not None:
            self.engine.raw.set_memory_limit(memory_limit)
            self._memory_limited = True
        self._draining = False

    def _load_core(self) -> None:
        engine = self.engine
        make = self._script(f"{_HERE}/core.js", "ovum:core")
        core = engine.call(make, undefined(), [])
        self._helpers = engine.members(core, _HELPERS)
        # No id is a number below 0.
        engine.held.update({~place: each for place, each in enumerate(self._helpers.values())})
        self._slot = self._helpers["slot"]
        engine.dropped += [make, core]

    def part(self, path: str, name: str, *arguments: Any) -> Any:
        """Runs a JavaScript file whose value is a function, calls that, and returns its result.

        So a part of the environment gets what is private to it.
        """
        with Entry(self):
            return self.values.to_python(self._script(path, name))(*arguments)

    def _script(self, path: str, name: str) -> Value:
        engine = self.engine
        return engine.run(engine.part(path, name))

    def entered(self) -> Entry:
        """`with` this, errors become Python's, and the jobs of promises run at the end."""
        return Entry(self)

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

    def call_function(
        self, function: JSObject, this: Any, arguments: tuple[Any, ...], *, keep: bool = False
    ) -> Any:
        """Calls a function with converted arguments."""
        return self._call(function.ref.value, this, arguments, keep=keep)

    def _call(
        self, function: Value, this: Any, arguments: tuple[Any, ...], *, keep: bool = False
    ) -> Any:
        engine, to_js = self.engine, self.values.to_js
        with Entry(self):
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
        with Entry(self):
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
        with Entry(self):
            return self.values.object_to_python(ref)  # type: ignore[no-any-return]

    def as_python(self, error: BaseException) -> BaseException:
        """The exception for what the engine's calls raise."""
        return self.converted(error) if isinstance(error, Thrown) else error

    def run_jobs(self) -> None:
        """Runs the jobs of promises that are pending."""
        try:
            self.engine.jobs()
        except JSException as error:
            raise self.ended_by() or _from_text(str(error)) from None

    def ended_by(self) -> BaseException | None:
        """What has ended the outermost entry from outside, if anything has."""
        if self.limits.pending is not None:
            return self.limits.pending
        if self.limits.out_of_time:
            return TimeLimit("TimeLimit", f"more than {self.limits.time_limit:g} s of time")
        return None

    def converted(self, thrown: Thrown) -> BaseException:
        """The exception for what an entry has thrown."""
        ended = self.ended_by()
        if ended is not None:
            return ended
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


class Entry:
    """One entry to JavaScript: errors become Python's; the outermost has the jobs run."""

    __slots__ = ("_context", "_outermost")

    def __init__(self, context: Crossing) -> None:
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
        found = error
        try:
            if isinstance(error, Thrown):
                found = context.converted(error)
            elif error is None and self._outermost:
                context.drain()
        except Thrown as thrown:
            found = context.converted(thrown)
        except BaseException as raised:
            found = raised
        finally:
            context.engine.entries -= 1
            if self._outermost:
                context.limits.end()
        if self._outermost:
            # What ends a module's evaluation comes as the rejection of its promise.
            found = context.ended_by() or found
        if found is not None and found is not error:
            raise found from found.__cause__


def _from_text(text: str) -> JSError:
    # The wheel has only the text of an error that ends a job.
    first, _, stack = text.partition("\n")
    name, _, message = first.partition(": ")
    return _kind(name, message)(name, message, stack)


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
