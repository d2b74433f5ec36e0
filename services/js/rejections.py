"""Promises that were rejected, and nobody has said what is to happen then."""

from __future__ import annotations

from ovum.services.js import library
from ovum.services.js.engine import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.js.crossing import Crossing
    from ovum.services.js.library import Value


class Rejections:
    """Told by the engine of promises that are rejected without a handler, or get one later."""

    def __init__(self, context: Crossing) -> None:
        self._engine = context.engine
        self._waiting: dict[int, tuple[Ref, Ref]] = {}
        self.handled: list[Ref] = []
        """Promises that got a handler after they had been reported."""
        self._tracker = library.REJECTION(self._told)
        library.set_rejection(self._engine.runtime, self._tracker, None)

    def _told(
        self, context: int, promise: Value, reason: Value, is_handled: bool, opaque: int
    ) -> None:
        before = self._engine.outside()
        try:
            place = promise.pointer
            if not is_handled:
                self._waiting[place] = (self._held(promise), self._held(reason))
            elif self._waiting.pop(place, None) is None:
                self.handled.append(self._held(promise))
        finally:
            self._engine.inside(before)

    def _held(self, value: Value) -> Ref:
        return Ref(self._engine, library.duplicate(self._engine.context, value))

    def take(self) -> list[tuple[Ref, Ref]]:
        """Promise and reason of each that is still without a handler; they are forgotten here."""
        if not self._waiting:
            return []
        found = list(self._waiting.values())
        self._waiting.clear()
        return found
