"""`Context`: a JavaScript engine of its own, with values, functions, modules and a loop."""

from __future__ import annotations

from ovum.services.js import library
from ovum.services.js.crossing import Crossing, Entry
from ovum.services.js.engine import Ref
from ovum.services.js.errors import JSError, JSThrow
from ovum.services.js.loop import Loop
from ovum.services.js.modules import Modules
from ovum.services.js.objects import JSFunction, JSObject, JSPromise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from ovum.services.js.env.loader import Environment

STACK = 1 << 20
"""How much of the thread's stack, 8 MiB, JavaScript may use."""


class Context(Crossing):
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
        super().__init__(stack_limit)
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
        self.modules = Modules(self)
        self.loop = Loop(self)
        from ovum.services.js import env

        for part in env.parts() if environment is None else environment:
            env.install(self, part)
        self.begin(time_limit, memory_limit)

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
        with Entry(self):
            compiled = self.engine.compile(_utf8(source), filename, library.EVAL_GLOBAL, line)
            result = self.engine.run(compiled)
            return self.values.kept(result) if keep else self.values.to_python(result)

    def evaluate_async(self, source: str, filename: str = "<input>", *, line: int = 1) -> Any:
        """The same for source that may use `await` outside of functions.

        Returns a JSPromise for an object whose `value` is the value of the last statement.
        """
        with Entry(self):
            flags = library.EVAL_GLOBAL | library.EVAL_ASYNC
            compiled = self.engine.compile(_utf8(source), filename, flags, line)
            return self.values.to_python(self.engine.run(compiled))

    def check_syntax(self, source: str, filename: str = "<input>", *, wait: bool = False) -> None:
        """Raises JSError, a SyntaxError, if the source is no script; runs nothing.

        `wait`: whether `await` may stand outside of functions.
        """
        with Entry(self):
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
        with Entry(self):
            self.engine.collect()


def _utf8(source: str) -> bytes:
    return source.encode("utf-8", "surrogatepass")


__all__ = ("Context", "JSError", "JSThrow")
