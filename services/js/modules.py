"""Modules: ES modules, CommonJS, JSON and those that are built in, from the file system.

The engine asks here what a name means and for the module itself. Those of other kinds
become ES modules: a few lines that export what `require` returns.
"""

from __future__ import annotations

import os
from os.path import dirname

from ovum.services.js import library
from ovum.services.js.engine import Ref, Thrown
from ovum.services.js.errors import JSError, JSThrow
from ovum.services.js.objects import JSObject
from ovum.services.js.plain import quoted, read_file
from ovum.services.js.resolve import NotFound, Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.library import Value

_PARTS = (
    *("file", "imported", "requireAt", "makeRequire", "keys", "meta", "getBuiltin", "Module"),
)
"""What modules.js returns."""

_WRAPPER = b"(function (exports, require, module, __filename, __dirname) {"
"""In front of a CommonJS module, on its first line."""


def _wrapped(source: bytes) -> bytes:
    if source.startswith(b"#!"):
        source = b"//" + source[2:]
    return _WRAPPER + source.removeprefix(b"\xef\xbb\xbf") + b"\n})"


class Modules:
    """The modules of one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._engine = context.engine
        self.resolver = Resolver()
        self.builtins: dict[str, Callable[[Context], Any]] = {}
        self._normalize = library.NORMALIZE(self._normalized)
        self._loader = library.LOADER(self._loaded)
        self._attributes = library.ATTRIBUTES(self._checked)
        library.set_loader(
            self._engine.runtime, self._normalize, self._loader, self._attributes, None
        )
        js = context.part(
            f"{dirname(__file__)}/modules.js",
            "ovum:modules",
            *(self._resolve, self._load, self.is_builtin, self._builtin, self._namespace),
        )
        self._js: dict[str, Any] = {
            name: js[name]
            for name in (
                "file",
                "imported",
                "requireAt",
                "keys",
                "meta",
                "getBuiltin",
                "Module",
                "makeRequire",
            )
        }
        self.builtins["module"] = lambda context: self._js["Module"]

    def close(self) -> None:
        """Lets go of everything."""
        self._js.clear()
        self.builtins.clear()

    # What users ask for.

    def import_module(self, name: str) -> Any:
        """A promise for the namespace of an ES module."""
        base = os.path.join(os.getcwd(), "[import]")
        make = self._context.evaluate("(name) => import(name)", base)
        return make(name)

    def require(self, name: str) -> Any:
        """What a module exports, asked for from the working folder."""
        return self._js["requireAt"](name, os.path.join(os.getcwd(), "[require]"))

    def require_in(self, folder: str) -> Any:
        """A `require` for what is not in a file, as if that were in this folder."""
        return self._js["makeRequire"](os.path.join(folder, "[require]"))

    def builtin(self, name: str) -> Any:
        """What a built-in module exports."""
        return self._js["getBuiltin"].kept(name)

    def run_main(self, path: str) -> Any:
        """Runs a file as a program: a promise for an ES module, else what it exports."""
        path = self._program(path)
        if self.kind(path) == "module":
            return self.import_module(path)
        return self._js["file"](path)

    def check(self, path: str) -> None:
        """Compiles a program and runs nothing. Raises JSError, a SyntaxError; OSError."""
        path = self._program(path)
        source = read_file(path)
        context = self._context
        with context.entered():
            if self.kind(path, source) == "module":
                self._engine.dropped.append(self._engine.compile(source, path, library.EVAL_MODULE))
            else:
                self._engine.dropped.append(self._engine.compile(_wrapped(source), path, 0))

    def _program(self, path: str) -> str:
        if os.path.isdir(path):
            found = self.resolver.main_of(path)
            if found is None:
                raise JSError(
                    "Error", f"Cannot find module '{path}': no main in package.json, no index.js"
                )
            path = found
        if not os.path.isfile(path):
            raise JSError("Error", f"Cannot find module '{path}'")
        return os.path.realpath(path)

    # What modules.js asks for.

    def is_builtin(self, name: str) -> bool:
        """Whether a name is that of a built-in module."""
        return name.removeprefix("node:") in self.builtins

    def _builtin(self, name: str) -> Any:
        factory = self.builtins.get(name.removeprefix("node:"))
        if factory is None:
            raise JSThrow(
                *("Error", f"No such built-in module: {name}"), code="ERR_UNKNOWN_BUILTIN_MODULE"
            )
        return factory(self._context)

    def _resolve(self, name: str, folder: str, asker: str) -> str:
        try:
            return self.resolver.find(name, folder, imported=False, asker=asker)
        except NotFound as error:
            raise JSThrow("Error", str(error), code=error.code) from error

    def _load(self, path: str) -> list[Any]:
        source = read_file(path)
        kind = self.kind(path, source)
        if kind == "json":
            return ["json", source.decode("utf-8-sig")]
        if kind == "module":
            return ["module", None]
        return ["commonjs", self.commonjs(source, path)]

    def kind(self, path: str, source: bytes | None = None) -> str:
        """What a file is: `json`, `module` or `commonjs`."""
        if path.endswith(".json"):
            return "json"
        known = self.resolver.is_module(path)
        if known is None:
            # As node does: what is no CommonJS by its syntax is a module.
            source = read_file(path) if source is None else source
            known = self._looks_like_module(source)
        return "module" if known else "commonjs"

    def _looks_like_module(self, source: bytes) -> bool:
        if b"import" not in source and b"export" not in source and b"await" not in source:
            return False
        engine = self._engine
        try:
            engine.dropped.append(engine.compile(_wrapped(source), "ovum:look", 0))
        except Thrown:
            return bool(library.detect_module(source, len(source)))
        return False

    def commonjs(self, source: bytes, path: str) -> Any:
        """The function that a CommonJS module is."""
        engine = self._engine
        self._context.helper("wrapped", path, len(_WRAPPER))
        compiled = engine.compile(_wrapped(source), path, library.EVAL_GLOBAL)
        return self._context.wrapped(Ref(engine, engine.run(compiled)))

    def _namespace(self, path: str) -> Any:
        raise JSThrow(
            *("Error", f"require() of ES Module {path} not supported: use import()"),
            code="ERR_REQUIRE_ESM",
        )

    # What the engine asks for.

    def _normalized(self, context: int, base: bytes, name: bytes, opaque: int) -> int | None:
        before = self._engine.outside()
        try:
            found = self._find(name.decode(), base.decode("utf-8", "surrogateescape"))
            data = found.encode("utf-8", "surrogateescape")
            made: int | None = library.duplicate_text(self._engine.context, data, len(data))
            return made
        except BaseException as error:
            self._throw(error)
            return None
        finally:
            self._engine.inside(before)

    def _find(self, name: str, base: str) -> str:
        if self.is_builtin(name):
            return "node:" + name.removeprefix("node:")
        if name.startswith("node:"):
            raise JSThrow(
                *("Error", f"No such built-in module: {name}"), code="ERR_UNKNOWN_BUILTIN_MODULE"
            )
        bare, query, rest = name.partition("?")
        folder = dirname(base) if base.startswith("/") else os.getcwd()
        try:
            found = self.resolver.find(bare, folder, imported=True, asker=base)
        except NotFound as error:
            raise JSThrow("Error", str(error), code=error.code) from error
        return found + query + rest

    def _loaded(self, context: int, name: bytes, opaque: int, attributes: Value) -> int | None:
        before = self._engine.outside()
        try:
            return self._module(name.decode("utf-8", "surrogateescape"))
        except BaseException as error:
            self._throw(error)
            return None
        finally:
            self._engine.inside(before)

    def _checked(self, context: int, opaque: int, attributes: Value) -> int:
        return 0

    def _throw(self, error: BaseException) -> None:
        engine, context = self._engine, self._context
        if isinstance(error, Thrown):
            value = library.duplicate(engine.context, error.ref.value)
        else:
            if not isinstance(error, Exception):
                context.limits.interrupt(error)
            value = context.values.error(error)
        library.throw(engine.context, value)

    def _module(self, name: str) -> int:
        if name.startswith("node:"):
            exports = self._js["getBuiltin"].kept(name)
            return self._synthetic(name, lambda: exports, self._js["keys"](exports))
        path = name.partition("?")[0]
        source = read_file(path)
        kind = self.kind(path, source)
        if kind == "json":
            return self._synthetic(name, lambda: self._js["imported"].kept(path, name), [])
        if kind == "commonjs":
            from ovum.services.js.lexer import exported_names

            names = exported_names(path, self.resolver)
            return self._synthetic(name, lambda: self._js["imported"].kept(path, name), names)
        if source.startswith(b"#!"):
            source = b"//" + source[2:]
        return self._compiled(source, name, self._meta(path))

    def _compiled(self, source: bytes, name: str, meta: dict[str, Any]) -> int:
        engine = self._engine
        value = engine.compile(source, name, library.EVAL_MODULE)
        module: int = value.pointer
        about = Ref(engine, engine.made(library.import_meta(engine.context, module)))
        self._js["meta"](JSObject(self._context, about), meta)
        # The engine has it by its name.
        library.free(engine.context, value)
        return module

    def _meta(self, path: str) -> dict[str, Any]:
        from urllib.request import pathname2url

        def resolve(name: str) -> str:
            found = self._find(name, path)
            return found if found.startswith("node:") else "file://" + pathname2url(found)

        return {
            "url": "file://" + pathname2url(path),
            "filename": path,
            "dirname": dirname(path),
            "resolve": resolve,
        }

    def _synthetic(self, name: str, load: Callable[[], Any], names: list[str]) -> int:
        lines = ["const exports = import.meta.load();", "export default exports;"]
        for number, each in enumerate(names):
            if each not in ("default", "module.exports"):
                name_there = quoted(each)
                lines.append(f"const v{number} = exports[{name_there}];")
                lines.append(f"export {{v{number} as {name_there}}};")
        source = "\n".join(lines).encode("utf-8", "surrogatepass")
        return self._compiled(source, name, {"load": load})
