"""Values between Python and JavaScript.

JavaScript                     Python
undefined, null                None (which becomes null; what a function returns, undefined)
boolean                        bool
number                         int if it is whole and exact, else float
bigint                         int (which becomes a bigint from 2**53 on)
string                         str
ArrayBuffer, its views         bytes (which becomes an ArrayBuffer)
array                          list, and from tuples and sets
plain object                   dict
Date                           datetime with UTC
function                       JSFunction; Python's own functions come back as they were
promise                        JSPromise
other objects, symbols         JSObject
an opaque object               any other Python object, with `Context.opaque`

Data is copied. What contains itself raises TypeError.
"""

from __future__ import annotations

from ctypes import byref, c_size_t, string_at

from ovum.services.js import library
from ovum.services.js.engine import (
    SAFE,
    Ref,
    boolean,
    integer,
    null,
    number,
    undefined,
)
from ovum.services.js.errors import UNDEFINED, BigInt, JSError, JSThrow, Undefined
from ovum.services.js.library import Value
from ovum.services.js.objects import JSFunction, JSObject, JSPromise
from ovum.services.js.plain import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.crossing import Crossing

_WRITABLE = 7
"""JS_PROP_C_W_E: a property as assignment makes it."""


class Values:
    """The conversions of one context."""

    def __init__(self, context: Crossing) -> None:
        self._context = context
        self._engine = context.engine
        self._back: Any = None

    # To Python.

    def to_python(self, value: Value) -> Any:
        """Converts a value and gives up the reference to it."""
        tag = value.tag
        if tag == library.TAG_INT:
            return value.int32
        if tag == library.TAG_FLOAT64:
            return from_float(value.float64)
        if tag == library.TAG_BOOL:
            return value.int32 != 0
        if tag in (library.TAG_NULL, library.TAG_UNDEFINED):
            return None
        if tag == library.TAG_SHORT_BIG_INT:
            return int(self._engine.text(value))
        ref = Ref(self._engine, value)
        if tag in (library.TAG_STRING, library.TAG_STRING_ROPE):
            return self._engine.text(value)
        if tag == library.TAG_BIG_INT:
            return int(self._engine.text(value))
        return self.object_to_python(ref)

    def from_wheel(self, value: Any) -> Any:
        """Converts what the wheel passes to a function."""
        kind = type(value)
        if kind is float:
            return from_float(value)
        if kind in (int, str, bool) or value is None:
            return value
        return self.object_to_python(Ref(self._engine, self._engine.duplicate(value)))

    def kept(self, value: Value) -> Any:
        """The same, but every object stays one, also those that are plain data."""
        tag = value.tag
        if tag == library.TAG_UNDEFINED:
            return UNDEFINED
        if tag in (library.TAG_BIG_INT, library.TAG_SHORT_BIG_INT):
            return BigInt(self.to_python(value))
        if tag not in (library.TAG_OBJECT, library.TAG_SYMBOL):
            return self.to_python(value)
        ref = Ref(self._engine, value)
        code = self._context.helper_text("kind", value)
        return {"F": JSFunction, "P": JSPromise}.get(code, JSObject)(self._context, ref)

    def kept_from_wheel(self, value: Any) -> Any:
        """The same for what the wheel passes to a function; undefined is None."""
        if type(value) in (float, int, str, bool) or value is None:
            return self.from_wheel(value)
        return self.kept(self._engine.duplicate(value))

    def object_to_python(self, ref: Ref) -> Any:
        """Converts an object."""
        context = self._context
        described: str = context.helper_text("describe", ref.value)
        code = described[0]
        if code == "J":
            return loads(described[1:])
        if code == "F":
            return JSFunction(context, ref)
        if code == "K":
            side = _Side(context)
            return side.decoded(loads(described[1:]))
        if code == "B":
            return self._bytes(ref.value)
        if code == "V":
            offset, size = map(int, described[1:].split())
            buffer = Ref(self._engine, context.helper_value("buffer", [ref.value]))
            return self._bytes(buffer.value)[offset : offset + size]
        if code == "P":
            return JSPromise(context, ref)
        if code == "S":
            return self.to_python(context.helper_value("unbox", [ref.value]))
        if code == "M":
            return self.own(ref)
        if code == "D":
            return _date(described[1:])
        return JSObject(context, ref)

    def own(self, ref: Ref) -> Any:
        """The object of Python's that a value stands for."""
        self._context.helper_value("back", [ref.value])
        found, self._back = self._back, None
        if isinstance(found, BaseException):
            return JSObject(self._context, ref)
        return found

    def own_error(self, ref: Ref) -> BaseException | None:
        """The exception that an error stands for, if it does."""
        if self._context.helper_text("describe", ref.value) != "M":
            return None
        self._context.helper_value("back", [ref.value])
        found, self._back = self._back, None
        return found if isinstance(found, BaseException) else None

    def _bytes(self, value: Value) -> bytes:
        size = c_size_t()
        at = library.bytes_of(self._engine.context, byref(size), value)
        if not at and size.value == 0:
            # Nothing, or a detached buffer, which has left an exception.
            library.free(self._engine.context, library.exception(self._engine.context))
            return b""
        return string_at(at, size.value)

    # To JavaScript.

    def to_js(self, value: Any) -> Value:
        """Converts a value; the reference is the caller's.

        Raises TypeError when JavaScript has nothing like it.
        """
        kind = type(value)
        if kind is str:
            return self._engine.string(value)
        if kind is bool:
            return boolean(value)
        if kind is int:
            return self._int(value)
        if kind is float:
            return number(value)
        if value is None:
            return null()
        if isinstance(value, JSObject):
            if value.context is not self._context:
                raise ValueError("an object of another context")
            copy: Value = library.duplicate(self._engine.context, value.ref.value)
            return copy
        return self._other(value)

    def _int(self, value: int) -> Value:
        if -0x80000000 <= value <= 0x7FFFFFFF:
            return integer(value)
        if -SAFE <= value <= SAFE:
            return number(float(value))
        return self._bigint(value)

    def _bigint(self, value: int) -> Value:
        text = self._engine.string(str(value))
        try:
            return self._context.helper_value("bigint", [text])
        finally:
            self._engine.dropped.append(text)

    def _other(self, value: Any) -> Value:
        engine = self._engine
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._array(value)
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            data = bytes(value)
            return engine.made(library.new_bytes(engine.context, data, len(data)))
        if isinstance(value, BigInt):
            return self._bigint(value)
        if isinstance(value, Undefined):
            return undefined()
        if isinstance(value, str):
            return engine.string(str(value))
        if isinstance(value, int):
            return self._int(int(value))
        if isinstance(value, float):
            return number(float(value))
        if isinstance(value, BaseException):
            return self.error(value)
        if callable(value):
            return self._context.function_value(value)
        if hasattr(value, "timestamp"):
            return self._context.helper_value("date", [number(value.timestamp() * 1000)])
        raise TypeError(f"JavaScript has nothing like {type(value).__name__}; see Context.opaque")

    def _array(self, items: Any) -> Value:
        engine = self._engine
        array = engine.made(library.new_array(engine.context))
        try:
            for index, item in enumerate(items):
                if library.set_item(engine.context, array, index, self.to_js(item), _WRITABLE) < 0:
                    raise engine.thrown()
        except BaseException:
            engine.dropped.append(array)
            raise
        return array

    def _object(self, items: dict[Any, Any]) -> Value:
        engine = self._engine
        made = engine.made(library.new_object(engine.context))
        try:
            for key, item in items.items():
                name = str(key).encode("utf-8", "surrogatepass")
                if b"\0" in name:
                    raise ValueError("a key with a character 0")
                value = self.to_js(item)
                if library.set_name(engine.context, made, name, value, _WRITABLE) < 0:
                    raise engine.thrown()
        except BaseException:
            engine.dropped.append(made)
            raise
        return made

    def back_to(self, value: Any) -> Value:
        """A function of JavaScript's that hands `value` to `own`."""

        def back() -> None:
            self._back = value

        return self._engine.function("back", back)

    def error(self, error: BaseException) -> Value:
        """What to throw in JavaScript for an exception."""
        if isinstance(error, JSError) and error.value is not None:
            return self.to_js(error.value)
        name, message, properties = type(error).__name__, str(error), {}
        if isinstance(error, JSThrow):
            name, message, properties = error.name, error.message, error.properties
        elif isinstance(error, OSError) and error.errno is not None:
            properties = _os_properties(error)
        trace = "" if isinstance(error, JSThrow) else _trace(error)
        arguments = [name, message, trace, properties]
        values = [self.to_js(argument) for argument in arguments]
        values.append(self.back_to(error))
        try:
            return self._context.helper_value("makeError", values)
        finally:
            self._engine.dropped.extend(values)


class _Side:
    """Puts back what JSON could not have."""

    def __init__(self, context: Crossing) -> None:
        self._context = context
        self._values: dict[int, Any] = {}

    def decoded(self, tree: Any) -> Any:
        # All of them first: converting one of them may describe another value.
        self._collect(tree)
        values = {
            place: self._context.values.to_python(value) for place, value in self._values.items()
        }
        self._values = values
        return self._put(tree)

    def _collect(self, tree: Any) -> None:
        if isinstance(tree, list):
            for item in tree:
                self._collect(item)
        elif isinstance(tree, dict):
            place = tree.get("$")
            if place is not None:
                self._values[place] = self._context.helper_value("side", [integer(place)])
                return
            for item in tree.get("$$", tree).values():
                self._collect(item)

    def _put(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self._put(item) for item in tree]
        if isinstance(tree, dict):
            place = tree.get("$")
            if place is not None:
                return self._values[place]
            return {key: self._put(item) for key, item in tree.get("$$", tree).items()}
        return tree


def from_float(value: float) -> int | float:
    """A number as Python has it: whole ones as int, but not -0 and those that are not exact."""
    if -SAFE <= value <= SAFE and value == int(value) and (value or str(value)[0] != "-"):
        return int(value)
    return value


def _date(text: str) -> Any:
    from datetime import UTC, datetime, timedelta

    if text == "NaN":
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(text))


def _os_properties(error: OSError) -> dict[str, Any]:
    from errno import errorcode

    assert error.errno is not None
    found: dict[str, Any] = {"errno": -error.errno}
    code = errorcode.get(error.errno)
    if code is not None:
        found["code"] = code
    if error.filename is not None:
        found["path"] = str(error.filename)
    return found


def _trace(error: BaseException) -> str:
    from traceback import format_exception

    return "".join(format_exception(error)).rstrip("\n")


def called(
    context: Crossing, function: Callable[..., Any], *, keep: bool = False
) -> Callable[..., Any]:
    """What the wheel is to call for a Python function: it never raises."""
    values = context.values
    convert = values.kept_from_wheel if keep else values.from_wheel

    def call(*arguments: Any) -> Any:
        try:
            result = function(*[convert(argument) for argument in arguments])
            kind = type(result)
            if result is None or kind is bool:
                return result
            if kind is int and -0x80000000 <= result <= 0x7FFFFFFF:
                return result
            if kind is float:
                return result
            if kind is str and result.isascii():
                return result
            context.hand_over(values.to_js(result))
        except BaseException as error:
            context.hand_over_error(error)
        return None

    return call


__all__ = ("UNDEFINED", "Values", "called", "from_float")
