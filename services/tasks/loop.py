"""The scheduler: ready tasks, deadlines, and a backend for everything else.

It knows nothing of channels, locks or descriptors: those park and wake (`parking.py`). It does no
I/O: the backend does. A crash in here is never delivered to tasks (`SchedulerCrash`).
"""

from __future__ import annotations

import sys
from _collections import deque
from _contextvars import copy_context

from ovum.services.tasks.calls import Doors
from ovum.services.tasks.current import OUTSIDE, here
from ovum.services.tasks.deadlines import Deadlines
from ovum.services.tasks.errors import Cancelled, NotInTask, SchedulerCrash
from ovum.services.tasks.parking import Waiter
from ovum.services.tasks.scope import CancelScope
from ovum.services.tasks.task import Task
from ovum.services.tasks.traps import RESCHEDULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from contextvars import Context
    from typing import Any, TypeVar

    from ovum.services.tasks.backend import Backend, Shuffler
    from ovum.services.tasks.generators import Generators
    from ovum.services.tasks.group import Group
    from ovum.services.tasks.watchdog import SlowStep, Watchdog

    T = TypeVar("T")


CREDIT = 32
"""Operations that need not wait which a task may do before it has to let others run.

Measured: at 1, as in trio, a channel operation costs twice as much; beyond 32 nothing is gained.
"""

BATCH = 64
"""Steps between two looks at the deadlines, and at most between two looks at the backend."""

POLL_NS = 100_000
"""How old the last look at the backend's events may become while tasks are ready."""

SLOW_NS = 50_000_000
"""A task that runs for longer without a checkpoint is reported."""


class Scheduler(Doors):
    """Runs tasks in one thread, over one backend.

    `backend`: see `Backend`. `name`: for messages.
    `on_slow(slow_step)`: called when a task runs for more than `slow_ns` in one go, once: by the
    watchdog's thread while it does, if it watches this scheduler, or when it has stopped.
    `on_crash(task, error)`: called when a system task ended with an exception; nobody else hears of
    it. Both log by default.
    `shuffler`: puts each batch of ready tasks into another order, for tests.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        name: str = "tasks",
        on_slow: Callable[[SlowStep], None] | None = None,
        on_crash: Callable[[Task[Any], BaseException], None] | None = None,
        slow_ns: int = SLOW_NS,
        shuffler: Shuffler | None = None,
    ) -> None:
        super().__init__(backend, name)
        self.now: Callable[[], int] = backend.now
        self.root = CancelScope()
        """The scope around all tasks; cancelled when the main task has ended."""
        self.ready: deque[Task[Any]] = deque()
        self.deadlines = Deadlines()
        self.credit = 0
        """What is left of CREDIT in this step; 0 as well while the running task is cancelled, so
        that operations need to look at one number only."""
        self.running_task: Any = None
        self.slow_ns = slow_ns
        self.slow_count = 0
        """How often a task ran for more than `slow_ns` without a checkpoint."""
        self.watchdog: Watchdog | None = None
        """Who looks for steps that do not end; without one, `_slow` finds it."""
        self.crash_count = 0
        """How many system tasks have ended with an exception."""
        self.on_slow = on_slow or _log_slow
        self.on_crash = on_crash or _log_crash
        self.thread_ident: int | None = None
        """The thread that runs the scheduler (`threading.get_ident()`), while it runs."""
        self.guests = 0
        """Calls in other threads that will come back through `call_soon` (`to_thread`)."""
        self.dice = self.now() & 0xFFFF_FFFF
        """The state of the chance by which `select` chooses."""
        self._shuffler = shuffler
        # A coroutine in its first step by spawn_now, which is no task yet, and its name.
        self.unborn: Coroutine[Any, Any, Any] | None = None
        self.unborn_name: str | None = None
        self._context: Context = copy_context()
        self._generators: Generators | None = None
        self._stop = False

    # Starting

    def run(self, fn: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Runs `fn(*args)` as the main task, in this thread, until it is done; returns its result.

        What it raises is raised here. System tasks are cancelled then, and waited for.
        Raises TypeError when `fn` is no `async def` function, RuntimeError when a scheduler runs in
        this thread already, `SchedulerCrash` when the scheduler or its backend fails, and
        KeyboardInterrupt after all when Ctrl-C came too late for the main task.
        """
        if here.scheduler is not OUTSIDE:
            raise RuntimeError(f"{here.scheduler!r} is running in this thread already")
        if self.ended:
            raise RuntimeError(f"{self!r} has run already")
        # Not at the top: only who runs a scheduler needs it.
        from _thread import get_ident

        here.scheduler = self
        self.thread_ident = get_ident()
        self._context = copy_context()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._generator_begun, self._generator_dropped)
        try:
            if self.watchdog is not None:
                self.watchdog.watch(self)
            main: Task[T] = self.spawn(fn, *args)
            self._main = main
            try:
                self._loop()
                self._end_tasks()
            except (KeyboardInterrupt, SchedulerCrash):
                raise
            except BaseException as error:
                raise SchedulerCrash(self._dump()) from error
        finally:
            sys.set_asyncgen_hooks(*hooks)
            self.thread_ident = None
            if self.watchdog is not None:
                self.watchdog.forget(self)
            self._make_last_calls()
        if self._interrupted:
            raise KeyboardInterrupt from main.error
        if main.error is not None:
            raise main.error
        result: T = main.value
        return result

    def _end_tasks(self) -> None:
        """The main task has ended: so do the system tasks, then generators that nobody closes."""
        self.root.cancel()
        while True:
            self._make_calls()
            if not self.root.tasks and not (self._generators and self._generators.close_all()):
                return
            self._stop = False
            self._loop()

    def spawn(
        self, fn: Callable[..., Coroutine[Any, Any, T]], *args: Any, name: str | None = None
    ) -> Task[T]:
        """Starts `fn(*args)` as a system task: one that belongs to no group and is cancelled when
        the main task has ended. Only from the scheduler's thread."""
        return self.start(fn(*args), name, self.root, None)

    def start(
        self,
        coro: Coroutine[Any, Any, T],
        name: str | None,
        base: CancelScope,
        group: Group | None,
    ) -> Task[T]:
        """Makes a task that runs after all that are ready now, with a copy of the context."""
        task: Task[T] = Task(self, coro, name, base, group, copy_context())
        self.ready.append(task)
        return task

    def spawn_now(
        self,
        coro: Coroutine[Any, Any, Any],
        name: str | None = None,
        context: Context | None = None,
    ) -> Task[Any] | None:
        """Starts a system task and runs it at once, up to where it first stops.

        Returns the task, or None when it has ended already: then nothing of it is left. What it
        raises goes to `on_crash`. Only from the scheduler's thread: from the backend inside `wait`,
        from functions given to `call_soon`, or from tasks.

        It runs in `context` (contextvars), or in a copy of the one in which `run` was called. Not
        a copy, but that one, if no task calls this and no context is given: then a coroutine that
        does not stop costs little more than `coro.send(None)`.
        """
        # As in_step; a call of it would be a tenth of the time.
        outer: Task[Any] | None = self.running_task
        if context is not None or outer is not None or self.unborn is not None:
            return self._spawn_now_in(coro, name, context or self._context.copy())
        self.unborn = coro
        self.unborn_name = name
        self.credit = 0 if self.root.effective else CREDIT
        before = self.now()
        try:
            try:
                trap = coro.send(None)
            except StopIteration as stop:
                spent = self.now() - before
                if spent > self.slow_ns:
                    self._slow(coro, 0, name, spent)
                # A task only if somebody asked for it.
                if self.running_task is not None:
                    self.running_task.finish(stop.value, None)
                return None
            except BaseException as error:
                self.current_task().finish(None, error)
                return None
            task: Task[Any] = self.current_task()
            task.cpu_ns = spent = self.now() - before
            self._stopped(task, trap)
            if spent > self.slow_ns:
                self._slow(coro, 0, name, spent)
            return task
        finally:
            self.running_task = self.unborn = None

    def _spawn_now_in(
        self, coro: Coroutine[Any, Any, Any], name: str | None, context: Context
    ) -> Task[Any] | None:
        """As `spawn_now`, with a context, and inside of another task's step if there is one."""
        outer = (self.running_task, self.unborn, self.unborn_name, self.credit)
        task: Task[Any] = Task(self, coro, name, self.root, None, context)
        self.running_task = task
        self.unborn = None
        self.credit = 0 if self.root.effective else CREDIT
        before = self.now()
        try:
            try:
                trap = task.resume(None)
            except StopIteration as stop:
                task.finish(stop.value, None)
            except BaseException as error:
                task.finish(None, error)
            else:
                self._stopped(task, trap)
            task.cpu_ns = spent = self.now() - before
            if spent > self.slow_ns:
                self._slow(coro, 0, name, spent)
            return None if task.done else task
        finally:
            self.running_task, self.unborn, self.unborn_name, self.credit = outer
            # It may have cancelled its caller.
            if self.running_task is not None and self.running_task.scope.effective:
                self.credit = 0

    @property
    def in_step(self) -> bool:
        """Whether a task is running."""
        return self.running_task is not None or self.unborn is not None

    def current_task(self) -> Task[Any]:
        """The task that is running. Raises `NotInTask` when none is."""
        task: Task[Any] | None = self.running_task
        if task is None:
            if self.unborn is None:
                raise NotInTask("no task is running: this is the scheduler's own code")
            task = Task(self, self.unborn, self.unborn_name, self.root, None, None)
            self.running_task = task
        return task

    # Running

    def _loop(self) -> None:
        ready = self.ready
        deadlines = self.deadlines
        wait = self.backend.wait
        now = polled = self.now()
        steps = 0
        while not self._stop:
            if self._calls:
                self._make_calls()
                now = self.now()  # not the next task's time
            if self._interrupted:
                self._interrupt_main()
            if deadlines.heap and deadlines.heap[0][0] <= now:
                deadlines.expire(now)
            if not ready:
                deadline = deadlines.next()
                self.asleep = True
                # Whatever comes from here on wakes the backend.
                if self._interrupted:
                    self._interrupt_main()
                wait(0 if self._calls or ready else deadline)
                self.asleep = False
                if self.watchdog is not None and self.watchdog.resting:
                    self.watchdog.rouse()
                now = polled = self.now()
                steps = 0
                continue
            if now - polled >= POLL_NS or steps >= BATCH:
                wait(0)
                now = polled = self.now()
                steps = 0
            count = len(ready)
            if self._shuffler is not None:
                batch = list(ready)
                self._shuffler.shuffle(batch)
                ready.clear()
                ready.extend(batch)
            if count > BATCH:
                count = BATCH
            steps += count
            now = self._steps(count, now)

    def _steps(self, count: int, now: int) -> int:
        """Runs the first `count` ready tasks, each up to where it stops. Returns the time then."""
        ready = self.ready
        clock = self.now
        slow_ns = self.slow_ns
        for _ in range(count):
            task = ready.popleft()
            self.running_task = task
            if task.scope.effective:
                self.credit = 0
                if task.waiter is RESCHEDULE and task.error is None:
                    task.error = Cancelled()
            else:
                self.credit = CREDIT
            try:
                if task.error is None:
                    trap = task.resume(task.value)
                else:
                    error = task.error
                    task.error = None
                    trap = task.throw(error)
            except StopIteration as stop:
                task.finish(stop.value, None)
                if task is self._main or not self.root.tasks:
                    self._stop = True
            except BaseException as error:
                self._raised(task, error)
            else:
                if trap is RESCHEDULE:
                    task.waiter = RESCHEDULE
                    task.value = None
                    ready.append(task)
                else:
                    self._stopped(task, trap)
            # The only look at the clock: the end of a step is the beginning of the next.
            before = now
            now = clock()
            spent = now - before
            task.cpu_ns += spent
            if spent > slow_ns:
                self._slow(task.coro, task.cpu_ns - spent, task.name, spent)
        self.running_task = None
        return now

    def _raised(self, task: Task[Any], error: BaseException) -> None:
        task.finish(None, error)
        if task is self._main or not self.root.tasks:
            self._stop = True

    def _stopped(self, task: Task[Any], trap: Any) -> None:
        """The task has yielded `trap`, what it stops for."""
        if trap.__class__ is Waiter or isinstance(trap, Waiter):
            task.waiter = trap
            task.value = None
            trap.task = task
            if task.scope.effective:
                task.interrupt(Cancelled())
        elif trap is RESCHEDULE:
            task.waiter = RESCHEDULE
            task.value = None
            self.ready.append(task)
        else:
            task.waiter = None
            task.error = TypeError(f"a task awaited what belongs to another event loop: {trap!r}")
            self.ready.append(task)

    def system_task_done(self, task: Task[Any], error: BaseException | None) -> None:
        """A task without a group has ended, maybe with an exception."""
        if task is self._main or error is None or isinstance(error, Cancelled):
            return
        if isinstance(error, KeyboardInterrupt) and self._main is not None:
            self.interrupt_main()
            return
        self.crash_count += 1
        self.on_crash(task, error)

    def _generator_begun(self, generator: AsyncGenerator[Any, Any]) -> None:
        if self._generators is None:
            from ovum.services.tasks.generators import Generators

            self._generators = Generators(self)
        self._generators.begun(generator)

    def _generator_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        assert self._generators is not None
        self._generators.dropped(generator)

    # Looking

    def _slow(self, coro: Any, ran: int, name: str | None, spent: int) -> None:
        """A step was too long. There may be others, that do not end: they are watched from now on;
        a scheduler that never has any needs no thread for that."""
        try:
            from ovum.services.tasks.watchdog import watchdog

            watchdog.watch(self)
            watchdog.report_ended(self, (coro, ran, name), spent)
        except Exception as error:
            # Out of memory or descriptors, say: no reason to end all that run.
            from ovum.services.tasks.instrument import log_failed

            log_failed("the report of a slow task", error)

    def tasks(self) -> list[Task[Any]]:
        """All tasks, groups' tasks behind the task whose group it is. Any thread may ask."""
        # Imported when it is asked for: nothing that runs tasks needs it.
        from ovum.services.tasks.instrument import all_tasks

        return all_tasks(self)

    def dump(self) -> str:
        """A text about all tasks: state, what each waits for, and its stack. Any thread may ask."""
        from ovum.services.tasks.instrument import dump

        return dump(self)

    def _dump(self) -> str:
        try:
            return self.dump()
        except Exception as error:
            return f"(no list of the tasks: {error!r})"


def _log_slow(step: SlowStep) -> None:
    from ovum.services.tasks.instrument import log_slow

    log_slow(step)


def _log_crash(task: Task[Any], error: BaseException) -> None:
    from ovum.services.tasks.instrument import log_crash

    log_crash(task, error)
