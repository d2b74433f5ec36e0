"""JavaScript's objects in Python's hands."""

from __future__ import annotations

from ovum.services.js import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from ovum.services.js.crossing import Crossing
    from ovum.services.js.engine import Ref


class JSObject:
    """An object that stays in its context: what is no plain data, such as a class's instance."""

    __slots__ = ("context", "ref")

    def __init__(self, context: Crossing, ref: Ref) -> None:
        self.context = context
        self.ref = ref

    def get(self, name: str | int, *, keep: bool = False) -> Any:
        """A property, converted; None if there is none. `keep`: data stays an object, too."""
        return self.context.helper("get", self, name, keep=keep)

    def set(self, name: str | int, value: Any) -> None:
        """Sets a property."""
        self.context.helper("set", self, name, value)

    def has(self, name: str | int) -> bool:
        """Whether there is such a property, here or in what it inherits from."""
        result: bool = self.context.helper("has", self, name)
        return result

    def keys(self) -> list[str]:
        """The names of its own enumerable properties."""
        result: list[str] = self.context.helper("keys", self)
        return result

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a method."""
        return self.get(name)(*arguments, this=self)

    def __getitem__(self, name: str | int) -> Any:
        return self.get(name)

    def __setitem__(self, name: str | int, value: Any) -> None:
        self.set(name, value)

    def __contains__(self, name: str | int) -> bool:
        return self.has(name)

    def __delitem__(self, name: str | int) -> None:
        self.context.helper("remove", self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __str__(self) -> str:
        result: str = self.context.helper("textOf", self)
        return result

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>" if not self.context.engine.closed else "<closed>"


class JSFunction(JSObject):
    """A function, or a class; calling it calls it."""

    __slots__ = ()

    def __call__(self, *arguments: Any, this: Any = None) -> Any:
        """Calls it. Raises JSError and its kinds, TypeError for what cannot be converted."""
        return self.context.call_function(self, this, arguments)

    def kept(self, *arguments: Any) -> Any:
        """Calls it; an object that it returns stays one, also if it is plain data."""
        return self.context.call_function(self, None, arguments, keep=True)

    def new(self, *arguments: Any) -> Any:
        """What `new` makes with it."""
        return self.context.helper("construct", self, list(arguments))


class JSPromise(JSObject):
    """A promise. `await` gives its value or raises its error, in a task of the context's loop."""

    __slots__ = ()

    @property
    def state(self) -> str:
        """`pending`, `fulfilled` or `rejected`."""
        found = library.promise_state(self.context.engine.context, self.ref.value)
        return ("pending", "fulfilled", "rejected")[found]

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        from ovum.services.tasks import Event

        settled = Event()
        result: list[Any] = []

        def fulfilled(value: Any = None) -> None:
            result.append((True, value))
            settled.set()

        def rejected(error: Any = None) -> None:
            result.append((False, error))
            settled.set()

        self.context.helper("then", self, fulfilled, rejected)
        await settled.wait()
        good, value = result[0]
        if good:
            return value
        raise self.context.error_of(value)
