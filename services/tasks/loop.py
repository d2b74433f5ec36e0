"""The scheduler: ready tasks, deadlines, and a backend for everything else.

It knows nothing of channels, locks or descriptors: those park and wake (`parking.py`). It does no
I/O: the backend does. A crash in here is never delivered to tasks (`SchedulerCrash`).
"""

from __future__ import annotations

from _collections import deque
from _contextvars import copy_context

from ovum.services.tasks.current import OUTSIDE, here
from ovum.services.tasks.deadlines import Deadlines
from ovum.services.tasks.errors import Cancelled, NotInTask, SchedulerCrash, SchedulerEnded
from ovum.services.tasks.parking import Waiter
from ovum.services.tasks.scope import CancelScope
from ovum.services.tasks.task import Task
from ovum.services.tasks.traps import RESCHEDULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, MutableSequence
    from typing import Any, Protocol, TypeVar

    from ovum.services.tasks.entry import ThreadCall
    from ovum.services.tasks.group import Group

    T = TypeVar("T")

    class Backend(Protocol):
        """What a scheduler needs from the world."""

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


class Scheduler:
    """Runs tasks in one thread, over one backend.

    `backend`: see `Backend`. `name`: for messages.
    `on_slow(task, nanoseconds)`: called after a task ran for more than `slow_ns` in one go.
    `on_crash(task, error)`: called when a system task ended with an exception; nobody else hears of
    it. Both log by default.
    `shuffler`: puts each batch of ready tasks into another order, for tests.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        name: str = "tasks",
        on_slow: Callable[[Task[Any], int], None] | None = None,
        on_crash: Callable[[Task[Any], BaseException], None] | None = None,
        slow_ns: int = SLOW_NS,
        shuffler: Shuffler | None = None,
    ) -> None:
        self.backend = backend
        self.name = name
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
        self.crash_count = 0
        """How many system tasks have ended with an exception."""
        self.on_slow = on_slow or _log_slow
        self.on_crash = on_crash or _log_crash
        self.thread_ident: int | None = None
        """The thread that runs the scheduler (`threading.get_ident()`), while it runs."""
        self.guests = 0
        """Calls in other threads that will come back through `call_soon` (`to_thread`)."""
        self.dice = 0
        """The state of the chance by which `select` chooses."""
        self.ended = False
        """Whether `run` is over, or about to be: no call of another thread begins any more."""
        self.calls_from_threads: dict[ThreadCall, None] = {}
        """The calls of other threads that have begun and not ended (an ordered set)."""
        self._shuffler = shuffler
        # A coroutine in its first step by spawn_now, which is no task yet, and its name.
        self._unborn: Coroutine[Any, Any, Any] | None = None
        self._unborn_name: str | None = None
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._asleep = False
        self._main: Task[Any] | None = None
        self._stop = False
        self._interrupted = False

    def __repr__(self) -> str:
        return f"<scheduler {self.name!r}>"

    # Starting

    def run(self, fn: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
        """Runs `fn(*args)` as the main task, in this thread, until it is done; returns its result.

        What it raises is raised here. System tasks are cancelled then, and waited for.
        Raises RuntimeError when a scheduler runs in this thread already, `SchedulerCrash` when the
        scheduler or its backend fails.
        """
        if here.scheduler is not OUTSIDE:
            raise RuntimeError(f"{here.scheduler!r} is running in this thread already")
        if self._main is not None:
            raise RuntimeError(f"{self!r} has run already")
        # Not at the top: only who runs a scheduler needs it.
        from _thread import get_ident

        here.scheduler = self
        self.thread_ident = get_ident()
        try:
            main: Task[T] = self.spawn(fn, *args)
            self._main = main
            self._loop()
            self.root.cancel()
            self._stop = not self.root.tasks
            self._loop()
        except (KeyboardInterrupt, SchedulerCrash):
            raise
        except BaseException as error:
            raise SchedulerCrash(self._dump()) from error
        finally:
            self._end()
        if main.error is not None:
            raise main.error
        result: T = main.value
        return result

    def _end(self) -> None:
        """The last calls of other threads are made, so that nobody waits for ever."""
        self.ended = True
        here.scheduler = OUTSIDE
        self.thread_ident = None
        self._make_calls()
        for call in list(self.calls_from_threads):
            call.refuse()

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
        self, coro: Coroutine[Any, Any, Any], name: str | None = None
    ) -> Task[Any] | None:
        """Starts a system task and runs it at once, up to where it first stops.

        Returns the task, or None when it has ended already: then nothing of it is left, and it has
        cost little more than `coro.send(None)`. What it raises goes to `on_crash`. It runs in the
        scheduler's own context (contextvars), without a copy. Only from the scheduler's thread:
        from the backend inside `wait`, from tasks, or from functions given to `call_soon`.
        """
        outer = (self.running_task, self._unborn, self._unborn_name, self.credit)
        self.running_task = None
        self._unborn = coro
        self._unborn_name = name
        self.credit = 0 if self.root.effective else CREDIT
        before = self.now()
        try:
            try:
                trap = coro.send(None)
            except StopIteration as stop:
                spent = self.now() - before
                if spent > self.slow_ns:
                    self._slow(self.current_task(), spent)
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
                self._slow(task, spent)
            return task
        finally:
            self.running_task, self._unborn, self._unborn_name, self.credit = outer

    def current_task(self) -> Task[Any]:
        """The task that is running. Raises `NotInTask` when none is."""
        task: Task[Any] | None = self.running_task
        if task is None:
            if self._unborn is None:
                raise NotInTask("no task is running: this is the scheduler's own code")
            task = Task(self, self._unborn, self._unborn_name, self.root, None, None)
            self.running_task = task
        return task

    # From other threads and from signal handlers

    def call_soon(self, fn: Callable[..., object], *args: Any) -> None:
        """Has `fn(*args)` called in the scheduler's thread, between two tasks, in the calls'
        order.

        The door for other threads, and for signal handlers. `fn` must not raise: that crashes the
        scheduler. Raises `SchedulerEnded`.
        """
        call = (fn, args)
        self._calls.append(call)
        if self.ended:
            # Its last calls may have been made before this one was there.
            try:
                self._calls.remove(call)
            except ValueError:
                return
            raise SchedulerEnded(f"{self!r} has ended")
        # The scheduler says that it is asleep before it looks at the calls for the last time: one
        # of the two sides sees the other.
        if self._asleep:
            self.backend.wake()

    def interrupt_main(self) -> bool:
        """Raises KeyboardInterrupt in the main task, where it waits or at its next checkpoint.

        For a handler of SIGINT. False when an earlier one has not been raised yet.
        """
        if self._interrupted:
            return False
        self._interrupted = True
        if self._asleep:
            self.backend.wake()
        return True

    def _interrupt_main(self) -> None:
        """Tried between the steps until it can be done: a wait can be ended, and a checkpoint
        raise, but what has been woken has got its value and goes on."""
        main = self._main
        if main is None or main.done:
            return
        if main.waiter is RESCHEDULE:
            main.error = KeyboardInterrupt()
        elif not main.interrupt(KeyboardInterrupt()):
            return
        self._interrupted = False

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
                self._asleep = True
                if not self._calls and not self._interrupted:
                    wait(deadline)
                self._asleep = False
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
                self._slow(task, spent)
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

    def _make_calls(self) -> None:
        calls = self._calls
        for _ in range(len(calls)):
            fn, args = calls.popleft()
            fn(*args)

    def system_task_done(self, task: Task[Any], error: BaseException | None) -> None:
        """A task without a group has ended, maybe with an exception."""
        if task is self._main or error is None or isinstance(error, Cancelled):
            return
        if isinstance(error, KeyboardInterrupt) and self._main is not None:
            self.interrupt_main()
            return
        self.crash_count += 1
        self.on_crash(task, error)

    def _slow(self, task: Task[Any], spent: int) -> None:
        self.slow_count += 1
        self.on_slow(task, spent)

    # Looking

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


def _log_slow(task: Task[Any], spent: int) -> None:
    from ovum.services.tasks.instrument import log_slow

    log_slow(task, spent)


def _log_crash(task: Task[Any], error: BaseException) -> None:
    from ovum.services.tasks.instrument import log_crash

    log_crash(task, error)
