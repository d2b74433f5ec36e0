"""Asynchronous generators that are left before they have ended: somebody has to close them.

Python tells of them through `sys.set_asyncgen_hooks`, which a scheduler sets while it runs.
Imported when the first one is iterated.
"""

from __future__ import annotations

import sys
from weakref import WeakSet

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import SchedulerEnded
from ovum.services.tasks.task import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import FrameType
    from typing import Any

    from ovum.services.tasks.loop import Scheduler

    Generator = AsyncGenerator[Any, Any]


class Generators:
    """The asynchronous generators that the tasks of a scheduler iterate."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._begun: WeakSet[Generator] = WeakSet()

    def begun(self, generator: Generator) -> None:
        """It is iterated for the first time."""
        self._begun.add(generator)

    def dropped(self, generator: Generator) -> None:
        """Nobody has it any more, and it has not ended.

        Left by `break`, it begins to close before its task goes on, which is then out of the scopes
        in it. The garbage collector calls this in whatever thread, in the middle of anything; if it
        is this package's, closing has to wait.
        """
        scheduler = self._scheduler
        if here.scheduler is scheduler and _is_step_of_others(scheduler, sys._getframe(2)):
            scheduler.spawn_now(_close(generator), _name(generator))
            return
        try:
            self._scheduler.call_soon(self._start_closing, generator)
        except SchedulerEnded:
            _close_at_once(generator)

    def close_all(self) -> bool:
        """Has all closed that are left at the end of the scheduler. False: there is none."""
        left = list(self._begun)
        self._begun.clear()
        for generator in left:
            self._start_closing(generator)
        return bool(left)

    def _start_closing(self, generator: Generator) -> None:
        if self._scheduler.ended:
            _close_at_once(generator)
        else:
            self._scheduler.spawn(_close, generator, name=_name(generator))


def _is_step_of_others(scheduler: Scheduler, frame: FrameType) -> bool:
    return scheduler.in_step and not frame.f_globals.get("__name__", "").startswith(
        "ovum.services.tasks."
    )


def _name(generator: Generator) -> str:
    return f"close {name_of(generator)}"


async def _close(generator: Generator) -> None:
    await generator.aclose()


def _close_at_once(generator: Generator) -> None:
    """Without a scheduler: what it would await on its way is cut off."""
    closing = _close(generator)
    try:
        closing.send(None)
    except StopIteration:
        return
    closing.close()
