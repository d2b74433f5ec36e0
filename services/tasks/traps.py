"""How a task stops running: the only two places of the package that yield.

What is yielded goes to the scheduler (`loop.py`), which knows exactly these two requests.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from types import coroutine
    from typing import Any

    from ovum.services.tasks.parking import Waiter


else:

    def coroutine(function):  # noqa: ANN001, ANN201
        """types.coroutine, without importing types: sets CO_ITERABLE_COROUTINE."""
        code = function.__code__
        function.__code__ = code.replace(co_flags=code.co_flags | 0x100)
        return function


class Reschedule:
    """The request to run again after all others that are ready."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "RESCHEDULE"


RESCHEDULE = Reschedule()


@coroutine
def park(waiter: Waiter) -> Generator[Waiter, Any, Any]:
    """Waits until `waiter` is woken, and returns the value it is woken with.

    The caller has put the waiter where somebody will find it. Checkpoint: yes. Cancelled, the wait
    is aborted through `waiter.lot` first.
    """
    return (yield waiter)


@coroutine
def checkpoint() -> Generator[Reschedule, None, None]:
    """Lets all other ready tasks run, then goes on. Checkpoint: yes."""
    yield RESCHEDULE
