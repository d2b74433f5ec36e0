"""Values between Python and JavaScript, both ways."""

import datetime
import math
from collections.abc import Iterator

import pytest

from ovum.services import js


@pytest.fixture(scope="module")
def context() -> Iterator[js.Context]:
    with js.Context() as made:
        yield made


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("4 / 2", 2),
        ("0.5", 0.5),
        ("2 ** 40", 1 << 40),
        ("2 ** 53", float(1 << 53)),
        ("1e300", 1e300),
        ("10n ** 30n", 10**30),
        ("5n", 5),
        ("true", True),
        ("null", None),
        ("undefined", None),
        ("'ä\\0\\ud800'", "ä\0\ud800"),
        ("'x'.repeat(3) + 'y'", "xxxy"),
        ("new String('abc')", "abc"),
        ("[1, [2.5, 'x'], {a: null}]", [1, [2.5, "x"], {"a": None}]),
        ("[undefined, -0, NaN].length", 3),
        ("({$: 1, b: {$$: [2n ** 60n]}})", {"$": 1, "b": {"$$": [1 << 60]}}),
        ("({toJSON: 1})", {"toJSON": 1}),
        ("new Uint8Array([1, 2, 255]).subarray(1)", b"\x02\xff"),
        ("new ArrayBuffer(2)", b"\0\0"),
        ("[new Uint16Array([258])]", [b"\x02\x01"]),
        ("new Date(1500)", datetime.datetime(1970, 1, 1, 0, 0, 1, 500000, tzinfo=datetime.UTC)),
    ],
)
def test_to_python(context: js.Context, source: str, value: object) -> None:
    result = context.evaluate(f"({source})")
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, "number 1"),
        (-(1 << 31), "number -2147483648"),
        (1 << 31, "number 2147483648"),
        ((1 << 53) - 1, "number 9007199254740991"),
        (1 << 53, "bigint 9007199254740992"),
        (js.BigInt(5), "bigint 5"),
        (0.5, "number 0.5"),
        (math.inf, "number Infinity"),
        (True, "boolean true"),
        (None, "object null"),
        (js.UNDEFINED, "undefined undefined"),
        ("ä\0", "string ä\0"),
        ([1, "x", [None]], "object 1,x,"),
        ((1, 2), "object 1,2"),
        (b"\x01", "object [object ArrayBuffer]"),
        ({"a": 1}, "object [object Object]"),
    ],
)
def test_to_javascript(context: js.Context, value: object, shown: str) -> None:
    assert context.evaluate("(x) => `${typeof x} ${x}`")(value) == shown


@pytest.mark.parametrize(
    "value",
    [0, -1, 1 << 31, -(1 << 60), 1.5, -0.0, "\ud800", "a\0b", b"", b"\0\xff", [], {}, [[{"": []}]],
     {"__proto__": 1, "ü": [True, False, None]}],
)  # fmt: skip
def test_there_and_back(context: js.Context, value: object) -> None:
    for way in ("(x) => x", "(x) => echo(x)", "(x) => echo([x])[0]"):
        context.set_global("echo", lambda x: x)
        result = context.evaluate(way)(value)
        assert result == value
        assert math.copysign(1, result) == -1 if value == 0.0 and type(value) is float else True


def test_functions_come_back_as_they_were(context: js.Context) -> None:
    def mine() -> None:
        pass

    thing = object()
    same = context.evaluate("(x) => x")
    assert same(mine) is mine
    assert same(context.opaque(thing)) is thing
    assert same([context.opaque(thing), mine]) == [thing, mine]


def test_objects(context: js.Context) -> None:
    made = context.evaluate("new (class Point { constructor() { this.x = 1 } twice() { "
                            "return 2 * this.x } })")  # fmt: skip
    assert isinstance(made, js.JSObject)
    made["x"] = 21
    assert made.call("twice") == 42
    assert made.keys() == ["x"]
    assert "twice" in made
    del made["x"]
    assert made["x"] is None


def test_a_method_gets_this(context: js.Context) -> None:
    context.set_global("named", context.function(lambda this: this["name"], method=True))
    assert context.evaluate("({name: 'egg', named}).named()") == "egg"


def test_what_contains_itself_is_refused(context: js.Context) -> None:
    with pytest.raises(js.JSError, match="contains itself"):
        context.evaluate("var a = []; a.push(a); a")


def test_what_javascript_has_not_is_refused(context: js.Context) -> None:
    with pytest.raises(TypeError, match="nothing like object"):
        context.set_global("x", object())
    with js.Context() as other, pytest.raises(ValueError, match="another context"):
        context.set_global("x", other.evaluate("() => 1"))
