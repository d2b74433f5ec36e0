"""Services as tasks with a name: started, watched, started again, ended."""

from __future__ import annotations

from ovum.services.log import ERROR, INFO, WARNING, log, log_error
from ovum.services.tasks import Cancelled, Event, TaskCancelled, move_on_after, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from ovum.services.tasks import Scheduler, Task

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
"""Between the death of a service and its next start; each time twice as long."""

STEADY_S = 60.0
"""A service that ran this long has recovered: its next pause is the first again."""


class Services:
    """The services of one scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.running: dict[str, Task[None]] = {}
        self._lasting: set[Task[None]] = set()
        self.died: dict[str, BaseException] = {}
        """Services that are gone, with what they died of."""
        self._at_end: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._ending: Event | None = None

    def start(
        self,
        name: str,
        function: Callable[..., Coroutine[Any, Any, None]],
        *args: Any,
        restart: bool = False,
        lasting: bool = False,
    ) -> Task[None]:
        """Starts function(*args) as a service.

        When it raises, that is logged with its stack; with restart it is then started again, after
        a pause that grows. lasting: file systems need it to be ended themselves, so that it ends
        after them. Raises ValueError for a name that is taken.
        """
        if name in self.running:
            raise ValueError(f"service {name!r} is running already")
        self.died.pop(name, None)
        task = self.scheduler.spawn(self._supervise, name, function, args, restart, name=name)
        self.running[name] = task
        if lasting:
            self._lasting.add(task)
        return task

    async def _supervise(
        self,
        name: str,
        function: Callable[..., Coroutine[Any, Any, None]],
        args: tuple[Any, ...],
        restart: bool,
    ) -> None:
        pause = FIRST_PAUSE_S
        try:
            while True:
                begun = self.scheduler.now()
                try:
                    await function(*args)
                    return
                except Cancelled:
                    raise
                except BaseException as error:
                    log_error(f"service {name!r} died:", error)
                    if not restart:
                        self.died[name] = error
                        return
                if self.scheduler.now() - begun > STEADY_S * 1e9:
                    pause = FIRST_PAUSE_S
                log(WARNING, f"service {name!r} starts again in {pause:g} s")
                await sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        finally:
            self._lasting.discard(self.running.pop(name))

    def text(self) -> str:
        """A line for each service: its name, and how it is."""
        lines = [f"{name}: {task.waits_for or task.state}" for name, task in self.running.items()]
        lines += [f"{name}: died: {error!r}" for name, error in self.died.items()]
        return "".join(f"{line}\n" for line in lines)

    def at_end(self, name: str, function: Callable[[], Awaitable[None]]) -> None:
        """Has something done when the machine ends: the last one registered comes first."""
        self._at_end.append((name, function))

    async def end(self, seconds: float, keep: Task[None] | None = None) -> None:
        """Ends the services but for `keep`, does what is to be done at the end, then ends those
        that last.

        What is not through after this many seconds, all together, is named in the log and left.
        Each step has half of what is left, so that one that hangs leaves the others their time; the
        last function of `at_end`, which writes what there is to be written, has all of it.
        """
        begun = self.scheduler.now()
        if self._ending is not None:
            # Somebody else is at it: the power button, while the program ends by itself.
            with move_on_after(seconds):
                await self._ending.wait()
            return
        self._ending = Event()

        def left() -> float:
            return seconds - (self.scheduler.now() - begun) / 1e9

        try:
            tasks = [task for task in self.running.values() if task is not keep]
            await _end_services([task for task in tasks if task not in self._lasting], left() / 2)
            while self._at_end:
                name, function = self._at_end.pop()
                await _do(name, function, left() / 2 if self._at_end else left())
            await _end_services([task for task in tasks if not task.done], left())
        finally:
            self._ending.set()
        log(INFO, f"services ended in {(self.scheduler.now() - begun) / 1e6:.1f} ms")


async def _do(name: str, function: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Does something of the end, as long as it may take; what it raises keeps nobody from his."""
    with move_on_after(seconds) as scope:
        try:
            await function()
        except Cancelled:
            raise
        except BaseException as error:
            log_error(f"end of the machine: {name} failed", error)
    if scope.cancelled_caught:
        log(ERROR, f"end of the machine: {name} is not through after {seconds:.2g} s")


async def _end_services(tasks: list[Task[None]], seconds: float) -> None:
    """Cancels services, and waits until they have cleaned up."""
    for task in tasks:
        task.cancel()
    with move_on_after(seconds):
        for task in tasks:
            try:
                await task.wait()
            except TaskCancelled:
                pass
            except Cancelled:
                raise
            except BaseException as error:
                log_error(f"end of the machine: service {task.name!r} failed", error)
    for task in tasks:
        if not task.done:
            log(ERROR, f"end of the machine: service {task.name!r} has not ended")
