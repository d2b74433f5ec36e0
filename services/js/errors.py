"""What goes wrong in JavaScript, as Python exceptions."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class JSError(Exception):
    """An error that JavaScript has thrown.

    `name` and `message` are the error's own, `stack` its lines `    at function (file:line:column)`
    and `value` what was thrown, converted: an error is a `JSObject`, but anything can be thrown.
    Where a Python function has raised it, that exception is the `__cause__`.
    """

    def __init__(self, name: str, message: str, stack: str = "", value: Any = None) -> None:
        super().__init__(name, message)
        self.name = name
        self.message = message
        self.stack = stack
        self.value = value
        self.origin = "uncaughtException"
        """`unhandledRejection` if it is a promise's."""

    def __str__(self) -> str:
        first = f"{self.name}: {self.message}" if self.name and self.message else self.name
        first = first or self.message
        return f"{first}\n{self.stack}".rstrip()


class LimitError(JSError):
    """JavaScript was ended because it wanted more than its context allows."""


class TimeLimit(LimitError):
    """It ran for longer than `time_limit`."""


class MemoryLimit(LimitError):
    """It wanted more memory than `memory_limit`."""


class StackLimit(LimitError):
    """Its functions called each other too deeply for `stack_limit`."""


class JSThrow(Exception):
    """Raise this in a Python function to throw a certain error in JavaScript.

    `name` is the constructor's name (`TypeError`; another name makes an `Error` of that name),
    `properties` are set on the error, as `{"code": "ENOENT"}`.
    """

    def __init__(self, name: str, message: str, **properties: Any) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.properties = properties


class Undefined:
    """The type of `UNDEFINED`, the one value that JavaScript sees as undefined."""

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED = Undefined()


class BigInt(int):
    """A whole number that is to become a bigint in JavaScript, however small it is."""
