"""Runs the specification's tests: one store for each file, one verdict for each assertion."""

import json
import lzma
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ovum import wasm

DATA: Final = Path(__file__).with_name("core.json.xz")
EXPECTED: Final = Path(__file__).with_name("expected.json")
"""How many commands pass in all, and the numbers of those that do not, by file."""

Files = dict[str, list[Any]]

_SIZES: Final = {"i32": 32, "i64": 64, "f32": 32, "f64": 64, "v128": 128}
_QUIET: Final = {32: 0x7FC00000, 64: 0x7FF8000000000000}
"""The canonical NaN; an arithmetic one has these bits among others."""

_CONFUSING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206c]")
"""Characters that wasmtime takes in a text only by number, for what they do to its look."""

LIMITS: Final = wasm.Limits(interrupt=False)


class _External:
    """An externref, by its number."""

    def __init__(self, number: int) -> None:
        self.number = number


def load() -> Files:
    """All files: lists of commands, as convert.py makes them."""
    files: Files = json.loads(lzma.decompress(DATA.read_bytes()))
    return files


class Script:
    """One file that is run."""

    def __init__(self) -> None:
        self._store = store = wasm.Store(LIMITS)
        self._instances: dict[str, wasm.Instance | None] = {}
        self._externals: dict[int, _External] = {}

        def nothing(*_: object) -> None:
            return None

        names = ("", "_i32", "_i64", "_f32", "_f64", "_i32_f32", "_f64_f64")
        self._registered: dict[str, Any] = {
            "spectest": {
                **{f"print{name}": nothing for name in names},
                **{
                    f"global_{kind}": wasm.Global.new(store, kind, value)
                    for kind, value in (("i32", 666), ("i64", 666), ("f32", 666.6), ("f64", 666.6))
                },
                "table": wasm.Table.new(store, 10, 20),
                "memory": wasm.Memory.new(store, 1, 2),
            }
        }

    def failures(self, commands: Sequence[Any]) -> dict[int, str]:
        """What is wrong with which of the commands, by their numbers."""
        return {number: wrong for number, wrong in self.run(commands) if wrong is not None}

    def run(self, commands: Sequence[Any]) -> Iterator[tuple[int, str | None]]:
        """Runs the commands; for each, its number and what is wrong, or None."""
        for number, command in enumerate(commands):
            try:
                yield number, getattr(self, f"_{command[0]}")(*command[1:])
            except Exception as error:
                yield number, f"{type(error).__name__}: {error}"

    def _module(self, name: str, text: str) -> None:
        # What comes after a module that failed must not take the one before for it.
        self._instances[name] = None
        self._instances[name] = self._instantiated(text)

    def _same(self, name: str, other: str) -> None:
        self._instances[name] = self._instances[other]

    def _register(self, name: str, module: str) -> None:
        instance = self._of(name)
        self._registered[module] = {export: instance[export] for export in instance}

    def _do(self, action: Any) -> None:
        self._act(action)

    def _return(self, action: Any, expected: list[Any]) -> str | None:
        results = self._act(action)
        if len(results) == len(expected) and all(map(self._fits, results, expected)):
            return None
        return f"{action[1:3]} gave {results}, not {expected}"

    def _trap(self, action: Any, message: str) -> str | None:
        return self._fails(action, wasm.Trap)

    def _exhaustion(self, action: Any, message: str) -> str | None:
        try:
            self._act(action)
        except wasm.Trap as trap:
            return None if trap.kind == "stack overflow" else trap.kind
        return "it did not use up the stack"

    def _exception(self, action: Any, message: str) -> str | None:
        return self._fails(action, wasm.WasmError)

    def _unlinkable(self, action: Any, message: str) -> str | None:
        return self._fails(action, wasm.LinkError)

    def _invalid(self, action: Any, message: str) -> str | None:
        return self._refuses(action[1])

    def _malformed(self, action: Any, message: str) -> str | None:
        return self._refuses(action[1])

    def _refuses(self, text: str) -> str | None:
        try:
            wasm.Module(text, limits=LIMITS)
        except wasm.WasmError:
            return None
        return "it was accepted"

    def _fails(self, action: Any, error: type[Exception]) -> str | None:
        try:
            self._act(action)
        except error:
            return None
        return f"{action[1]} did not fail"

    def _instantiated(self, text: str) -> wasm.Instance:
        text = _CONFUSING.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
        return wasm.Module(text, limits=LIMITS).instantiate(self._registered, store=self._store)

    def _of(self, name: str) -> Any:
        if name[0] != "$":
            return self._registered[name]
        instance = self._instances[name]
        if instance is None:
            raise LookupError(f"the module of {name} failed")
        return instance

    def _act(self, action: Any) -> list[Any]:
        """The results: a type with bits each, or a reference."""
        if action[0] == "instantiate":
            self._instantiated(action[1])
            return []
        item = self._of(action[1])[action[2]]
        if action[0] == "get":
            return [self._described(item.type.content, item.value)]
        params, results = item.type.params, item.type.results
        if _SIZES.keys() >= {*params, *results}:
            patterns = [
                bits % (1 << _SIZES[name])
                for name, (_, bits) in zip(params, action[3], strict=True)
            ]
            return [[name, bits] for name, bits in zip(results, item.bits(*patterns), strict=True)]
        found = item(*map(self._argument, action[3]))
        found = found if isinstance(found, tuple) else (found,) if results else ()
        return [self._described(name, one) for name, one in zip(results, found, strict=True)]

    def _argument(self, value: Any) -> Any:
        if value[0] == "null":
            return None
        if value[0] == "externref":
            return self._externals.setdefault(value[1], _External(value[1]))
        if value[0] in ("f32", "f64"):
            size = "I" if value[0] == "f32" else "Q"
            return struct.unpack(size.replace("I", "f").replace("Q", "d"),
                                 struct.pack(size, value[1]))[0]  # fmt: skip
        return value[1]

    def _described(self, name: str, value: Any) -> Any:
        if name in ("i32", "i64"):
            return [name, value]
        if name == "v128":
            return [name, int.from_bytes(value, "little")]
        if name in ("f32", "f64"):
            code, size = ("f", "I") if name == "f32" else ("d", "Q")
            return [name, struct.unpack(size, struct.pack(code, value))[0]]
        return value

    def _fits(self, result: Any, expected: Any) -> bool:
        kind, *rest = expected
        if kind == "either":
            return any(self._fits(result, one) for one in rest)
        if kind == "null":
            return result is None
        if kind in ("ExternRefResult", "externref"):
            return isinstance(result, _External) and bool(result.number == rest[0])
        if kind == "RefWithType":
            return isinstance(result, wasm.Function) is bool(rest[0] == "funcref")
        if not isinstance(result, list):
            return False
        name, bits = result
        if kind == "lanes":
            size = 128 // (len(rest) - 1)
            lanes = [bits >> size * index & (1 << size) - 1 for index in range(len(rest) - 1)]
            pairs = zip(lanes, rest[1:], strict=True)
            return all(self._fits([f"f{size}", lane], one) for lane, one in pairs)
        size = _SIZES[name]
        if kind == "canonical_nan":
            return bool(bits & ~(1 << size - 1) == _QUIET[size])
        if kind == "arithmetic_nan":
            return bool(bits & _QUIET[size] == _QUIET[size])
        return bool(kind == name and (bits - rest[0]) % (1 << size) == 0)
