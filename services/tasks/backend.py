"""What a scheduler needs from the world. For type checkers: nothing imports it at run time."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any, Protocol


class Backend(Protocol):
    """The world outside of a scheduler: time, and events."""

    def now(self) -> int:
        """The monotonic time in nanoseconds."""

    def wait(self, deadline: int | None) -> None:
        """Blocks until the deadline, a `wake()`, or events of its own, whichever is first.

        None is no deadline; one in the past (0) only polls. Events are delivered by calling
        `Scheduler.spawn_now`, `Waiter.wake`, `Event.set` and the like before it returns.
        """

    def wake(self) -> None:
        """Makes a `wait` that is running, or the next one, return. Any thread may call it, and
        signal handlers."""


class Shuffler(Protocol):
    """Such as random.Random: puts a list into another order, in place."""

    def shuffle(self, x: MutableSequence[Any]) -> None: ...
