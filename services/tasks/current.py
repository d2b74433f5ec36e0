"""Which scheduler runs in this thread: the only state of the package that is nobody's own."""

from __future__ import annotations

# The C type behind threading.local. Importing threading costs 2 ms here, and ten times that in an
# emulated guest, at a time when nothing else may need it.
from _thread import _local

from ovum.services.tasks.errors import NotInTask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ovum.services.tasks.loop import Scheduler
    from ovum.services.tasks.task import Task


class Outside:
    """What stands for a scheduler where there is none: using it says so."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        raise NotInTask("no scheduler is running in this thread; start one with tasks.run()")


OUTSIDE = Outside()


class Here(_local):
    """Each thread sees its own `scheduler`."""

    scheduler: Any = OUTSIDE


here = Here()


def current_scheduler() -> Scheduler:
    """The scheduler that runs in this thread.

    Raises `NotInTask` when there is none.
    """
    scheduler: Scheduler | Outside = here.scheduler
    if isinstance(scheduler, Outside):
        raise NotInTask("no scheduler is running in this thread; start one with tasks.run()")
    return scheduler


def current_task() -> Task[Any]:
    """The task that is running. Raises `NotInTask` outside of tasks."""
    return current_scheduler().current_task()
