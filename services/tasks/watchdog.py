"""Steps that take too long: who keeps all other tasks waiting, and where.

A step is reported once: while it runs, by a thread, with the stack of where it is. The thread looks
at the schedulers every 50 ms while one of them is awake, and waits for a lock, without a timer,
while all are asleep. A scheduler tells it nothing: which task runs, and for how long it had run
before, tell one step from another. A step that keeps the GIL, or that ends before it has been seen
for long enough, is reported by its scheduler when it has ended.
"""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from os import getpid
from sys import _current_frames
from time import monotonic_ns, sleep

from ovum.services.tasks.instrument import frames, log_failed
from ovum.services.tasks.task import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ovum.services.tasks.loop import Scheduler

    Step = tuple[Any, int, str | None]
    """A step of a task: its coroutine, for how long it had run before, and its name."""


class SlowStep:
    """A task that runs, or ran, for too long without a checkpoint."""

    __slots__ = ("name", "running", "spent_ns", "stack")

    def __init__(
        self, step: Step, spent_ns: int, stack: list[tuple[FrameType, int]], *, running: bool
    ) -> None:
        coro, _, name = step
        self.name = name_of(coro) if name is None else name
        """The task's name."""
        self.spent_ns = spent_ns
        """How long it ran; if it still runs, for how long that has been seen."""
        self.running = running
        """Whether it still runs: `stack` is where. Or else, what the task awaits now."""
        self.stack = stack
        """Frames, each with the line where it was, the outermost first; none of a task that has
        ended."""


class _Watched:
    """What is known of a scheduler."""

    __slots__ = ("reported", "since", "step")

    def __init__(self) -> None:
        self.step: Step | None = None
        """What it was doing at the last look, and since when that has been seen."""
        self.since = 0
        self.reported: Step | None = None
        """The last step that was."""


class Watchdog:
    """The thread that looks at schedulers: one for all, started when it is needed first."""

    def __init__(self) -> None:
        self.resting = False
        """It waits to be roused: all schedulers are asleep."""
        self._watched: dict[Scheduler, _Watched] = {}
        self._roused = allocate_lock()
        self._roused.acquire()
        self._reporting = allocate_lock()
        self._process = 0
        """Where the thread is: a process that was forked has none."""

    def watch(self, scheduler: Scheduler) -> None:
        """Watches a scheduler that runs, until its end; not at all if no thread can be had."""
        if scheduler in self._watched:
            return
        scheduler.watchdog = self
        self._watched[scheduler] = _Watched()
        if self._process != getpid():
            self._process = getpid()
            try:
                start_new_thread(self._main, ())
            except RuntimeError:
                self._process = 0
        self.rouse()

    def forget(self, scheduler: Scheduler) -> None:
        """It has ended."""
        self._watched.pop(scheduler, None)

    def rouse(self) -> None:
        """A scheduler has woken up. Only needed if this is `resting`."""
        self.resting = False
        try:
            self._roused.release()
        except RuntimeError:
            # It is roused already.
            return

    def report_ended(self, scheduler: Scheduler, step: Step, spent_ns: int) -> None:
        """For a scheduler that is watched: reports a step that has ended."""
        slow_step = SlowStep(step, spent_ns, list(frames(step[0])), running=False)
        self._report(scheduler, self._watched[scheduler], step, slow_step)

    def _main(self) -> None:
        while True:
            if not self._look():
                self.resting = True
                # Who woke up before it could see that has not roused anybody.
                if not self._look():
                    self._roused.acquire()
                self.resting = False
            sleep(min((each.slow_ns for each in list(self._watched)), default=0) / 1e9)

    def _look(self) -> bool:
        """Reports what has run for too long. Returns whether a scheduler is awake."""
        awake = False
        now = monotonic_ns()
        for scheduler, watched in list(self._watched.items()):
            step = _step(scheduler)
            awake = awake or step is not None or not scheduler.asleep
            if step is None or step != watched.step:
                watched.step, watched.since = step, now
            elif now - watched.since >= scheduler.slow_ns and watched.reported != step:
                self._report_running(scheduler, watched, step, now - watched.since)
        return awake

    def _report_running(
        self, scheduler: Scheduler, watched: _Watched, step: Step, spent_ns: int
    ) -> None:
        frame = _current_frames().get(scheduler.thread_ident or 0)
        stack = []
        while frame is not None and frame.f_globals.get("__name__") != "ovum.services.tasks.loop":
            stack.append((frame, frame.f_lineno))
            frame = frame.f_back
        # If it has gone on meanwhile, this is another step's stack, and it reports that one itself.
        if _step(scheduler) == step:
            slow_step = SlowStep(step, spent_ns, stack[::-1], running=True)
            try:
                self._report(scheduler, watched, step, slow_step)
            except Exception as error:
                log_failed("the report of a slow task", error)

    def _report(
        self, scheduler: Scheduler, watched: _Watched, step: Step, slow_step: SlowStep
    ) -> None:
        with self._reporting:
            if watched.reported == step:
                return
            watched.reported = step
            scheduler.slow_count += 1
        scheduler.on_slow(slow_step)


watchdog = Watchdog()


def _step(scheduler: Scheduler) -> Step | None:
    """What runs there just now; None between two steps."""
    task = scheduler.running_task
    if task is not None:
        return task.coro, task.cpu_ns, task.name
    coro, name = scheduler.unborn, scheduler.unborn_name
    return None if coro is None else (coro, 0, name)
