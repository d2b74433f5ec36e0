"""Gives a context its environment: JavaScript that is read when it is asked for."""

from __future__ import annotations

from os.path import dirname

from ovum.services.js.engine import Ref, undefined
from ovum.services.js.env.catalogue import PARTS
from ovum.services.js.objects import JSFunction, JSObject
from ovum.services.js.plain import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.context import Context

_HERE = dirname(__file__)
_HEAD = "(function (exports, require, module, binding) { "


def file_name(module: str) -> str:
    """The file of a module: `internal/url` is url.js, `fs/promises` fs_promises.js."""
    name = module.removeprefix("internal/") if module.startswith("internal/") else f"node_{module}"
    return name.replace("/", "_").replace(":", "_") + ".js"


def _source(name: str) -> str:
    return read_file(f"{_HERE}/{name}").decode("utf-8")


class Environment:
    """What a context has of the environment."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bindings: dict[str, dict[str, Any]] = {}
        self._compiled: list[str] = []
        boot = context.evaluate(_source("boot.js"), "node:internal/boot")
        made = boot(self._compile, self._binding)
        self._load: JSFunction = made["load"]
        self._globals: JSFunction = made["globals"]

    def _compile(self, module: str) -> JSFunction:
        self._compiled.append(module)
        source = _source(file_name(module))
        # The head stands in the first line, so that lines of stacks are those of the file.
        function: JSFunction = self._context.evaluate(f"{_HEAD}{source}\n}})", f"node:{module}")
        return function

    def _binding(self, name: str) -> dict[str, Any]:
        found = self._bindings.get(name)
        if found is None:
            # `importlib` would be imported for this alone.
            module = __import__(f"ovum.services.js.env.{name}", fromlist=("bind",))
            found = self._bindings[name] = module.bind(self._context)
        return found

    def load(self, module: str) -> JSObject:
        """What a module of the environment exports, as it is: not converted."""
        engine = self._context.engine
        name = engine.string(module)
        try:
            return JSObject(
                self._context, Ref(engine, engine.call(self._load.ref.value, undefined(), [name]))
            )
        finally:
            engine.dropped.append(name)

    def _factory(self, module: str) -> Callable[[Context], JSObject]:
        return lambda context: self.load(module)

    def inspect(self, value: Any, *, colors: bool = False) -> str:
        """A value as console.log shows it."""
        return str(self.load("internal/inspect").get("inspect")(value, {"colors": colors}))

    def loaded(self) -> list[str]:
        """The modules that have been loaded, in order."""
        return list(self._compiled)

    def add(self, part: str) -> None:
        """Makes a part's globals and modules known."""
        wanted = PARTS[part]
        self._globals("\n".join(f"{name} {place}" for name, place in wanted.globals.items()))
        for module in wanted.modules:
            self._context.add_builtin(module, self._factory(module))


def install_part(context: Context, part: str) -> None:
    """See `ovum.services.js.env.install`."""
    found = context.parts
    if found is None:
        found = context.parts = Environment(context)
        context.inspect = found.inspect
    found.add(part)
