"""Makes core.json.xz: the WebAssembly specification's tests, as Debian's source of mozjs has them.

`python -m tests.host.wasm.spec.convert FOLDER`, where FOLDER is js/src/jit-test/tests/wasm/spec of
the source package mozjs128 (`apt-get source mozjs128`, in Debian 13). There each .wast file of
https://github.com/WebAssembly/spec (Apache License 2.0) is a script of calls with constant values;
here it becomes a list of commands, which runner.py runs.
"""

import json
import lzma
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

OUTPUT: Final = Path(__file__).with_name("core.json.xz")

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<text>`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>[-+]?(?:0x[0-9a-fA-F]+|Infinity|NaN|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)n?)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<sign>=>|[()\[\],;=.{}])""",
    re.VERBOSE | re.DOTALL,
)

_CONDITION: Final = re.compile(r"if \(!(\w+)\(\)\) \{(.*?)\n\s*\}", re.DOTALL)
"""x86-64 writes nothing of a store that is out of bounds; and all later features are there."""

_LANES: Final = {"i8x16": "16B", "i16x8": "8H", "i32x4": "4I", "i64x2": "2Q"}
_FLOATS: Final = {"f32x4": "4f", "f64x2": "2d"}


class _Reader:
    """A recursive descent through the few forms of JavaScript that these scripts have."""

    def __init__(self, source: str) -> None:
        self._tokens = list(_tokens(source))
        self._at = 0

    def statements(self) -> Iterator[Any]:
        while self._at < len(self._tokens):
            if self._next(";"):
                continue
            if self._next("let") or self._tokens[self._at + 1][1] == "=":
                name = self._take()[1]
                self._expect("=")
                yield ["let", name, self.expression()]
            else:
                yield self.expression()

    def expression(self) -> Any:
        kind, token = self._take()
        if kind == "text":
            return ["text", _unquoted(token)]
        if kind == "number":
            return ["number", token]
        if token == "(":
            self._expect(")")
            self._expect("=>")
            return self.expression()
        if token == "[":
            return ["list", *self._rest("]")]
        if token == "new":
            token = self._take()[1]
        if self._next("("):
            return [token, *self._rest(")")]
        return ["name", token]

    def _rest(self, end: str) -> list[Any]:
        found = []
        while not self._next(end):
            found.append(self.expression())
            self._next(",")
        return found

    def _take(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, token: str) -> bool:
        found = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if found[1] != token or found[0] == "text":
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._next(token):
            raise ValueError(f"{token} expected, not {self._tokens[self._at - 1 : self._at + 4]}")


def _fulfilled(found: re.Match[str]) -> str:
    return found[2] if found[1].startswith("partialOobWrite") else ""


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise ValueError(f"not understood: {source[at : at + 60]!r}")
        at = found.end()
        if found.lastgroup is not None:
            yield found.lastgroup, found[0]


def _unquoted(token: str) -> str:
    escapes = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
    return re.sub(
        r"\\(?:u\{?([0-9a-fA-F]+)\}?|x([0-9a-fA-F]{2})|(.))",
        lambda found: (
            chr(int(found[1] or found[2], 16))
            if found[1] or found[2]
            else escapes.get(found[3], found[3])
        ),
        token[1:-1],
        flags=re.DOTALL,
    )


def _number(token: str) -> float | int:
    if token[-1] == "n":
        return int(token[:-1], 0)
    if "Infinity" in token or "NaN" in token:
        return float(token.replace("Infinity", "inf"))
    return int(token, 0) if re.fullmatch(r"[-+]?(0x[0-9a-fA-F]+|[0-9]+)", token) else float(token)


def _plain(form: Any) -> float | int:
    assert form[0] == "number", form
    # -0 is a float's.
    return -0.0 if form[1] == "-0" else _number(form[1])


def _bits(kind: str, number: float) -> int:
    code, bits = ("f", "I") if kind == "f32" else ("d", "Q")
    try:
        packed = struct.pack(f"<{code}", number)
    except OverflowError:
        packed = struct.pack(f"<{code}", float("inf") if number > 0 else float("-inf"))
    found: int = struct.unpack(f"<{bits}", packed)[0]
    return found


def _value(form: Any) -> Any:
    """An argument or a result: its type and its bits, or what it has to be like."""
    head, *rest = form
    if head == "number":
        return ["i64" if form[1][-1] == "n" else "i32", int(_plain(form))]
    if head == "name":
        return [rest[0]]
    if head == "text":
        return [rest[0]]
    if head == "value":
        kind = rest[0][1]
        if kind in ("f32", "f64"):
            return [kind, _bits(kind, float(_plain(rest[1])))]
        return [kind, int(_plain(rest[1]))] if rest[1][0] == "number" else ["null"]
    if head == "bytes":
        data = bytes(int(_plain(one)) for one in rest[1][1:])
        return [rest[0][1], int.from_bytes(data, "little")]
    if head in _LANES:
        numbers = [int(_plain(one)) for one in rest[0][1:]]
        size = 128 // len(numbers)
        packed = struct.pack(f"<{_LANES[head]}", *(one % (1 << size) for one in numbers))
        return ["v128", int.from_bytes(packed, "little")]
    if head in _FLOATS:
        lanes = [_bits(head[:3], float(_plain(one))) for one in rest[0][1:]]
        size = 128 // len(lanes)
        return ["v128", sum(bits << size * index for index, bits in enumerate(lanes))]
    if head in ("F32x4Pattern", "F64x2Pattern"):
        return ["lanes", head[0].lower() + head[1:3], *map(_value, rest)]
    if head == "either":
        return ["either", *map(_value, rest)]
    if head in ("externref", "hostref", "ExternRefResult", "HostRefResult"):
        return [head, int(_plain(rest[0]))]
    if head == "RefWithType":
        return ["RefWithType", rest[0][1]]
    raise ValueError(f"not understood: {form}")


def _action(form: Any) -> Any:
    head, *rest = form
    if head == "instantiate":
        return ["instantiate", rest[0][1]]
    if head == "invoke":
        return ["invoke", rest[0][1], rest[1][1], [_value(one) for one in rest[2][1:]]]
    if head == "get":
        return ["get", rest[0][1], rest[1][1]]
    raise ValueError(f"not understood: {form}")


def _command(form: Any) -> Any:
    head, *rest = form
    if head == "let":
        if rest[1][0] == "name":
            return ["same", rest[0], rest[1][1]]
        return ["module", rest[0], rest[1][1][1]]
    if head == "register":
        return ["register", rest[0][1], rest[1][1]]
    if head == "assert_return":
        expected = rest[1][1:] if len(rest) > 1 and rest[1][0] == "list" else rest[1:]
        return ["return", _action(rest[0]), [_value(one) for one in expected]]
    if head.startswith("assert_"):
        message = rest[1][1] if len(rest) > 1 else ""
        return [head.removeprefix("assert_"), _action(rest[0]), message]
    return ["do", _action(form)]


def main(folder: Path) -> None:
    """Converts every script below the folder."""
    files = {}
    for path in sorted(folder.rglob("*.wast.js")):
        name = f"{path.parent.name}/{path.name.removesuffix('.wast.js')}"
        files[name] = [
            _command(form)
            for form in _Reader(_CONDITION.sub(_fulfilled, path.read_text())).statements()
        ]
    data = json.dumps(files, separators=(",", ":")).encode()
    OUTPUT.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    count = sum(len(commands) for commands in files.values())
    print(f"{len(files)} files, {count} commands, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
