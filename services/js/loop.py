"""The event loop of a context: timers, immediates, jobs, and Python's tasks, in one main task.

All JavaScript runs in the task that `run_async` is: what other tasks want to have called there,
they `post`. A turn of the loop is as node's: what was posted, timers that are due, a look at
descriptors, immediates; behind every callback come ticks and the jobs of promises.
"""

from __future__ import annotations

from _collections import deque
from os.path import dirname

from ovum.services import tasks
from ovum.services.js.engine import undefined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.objects import JSFunction, JSObject

    Post = tuple[Callable[..., Any], tuple[Any, ...]]

_NEVER = 1 << 62
"""Nanoseconds."""

_PARTS = ("nextTick", "tick", "state", "now", "timer", "turn", "immediate", "putBack")


class Held:
    """What `Loop.held` returns."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        self._loop.hold()

    def __exit__(self, *error: object) -> None:
        self._loop.release()


class Loop:
    """The loop of one context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._posted: deque[Post] = deque()
        self._starting: list[tuple[Callable[..., Coroutine[Any, Any, Any]], tuple[Any, ...]]] = []
        self._group: tasks.Group | None = None
        self._scheduler: tasks.Scheduler | None = None
        self._wake: tasks.Event | None = None
        self._holds = 0
        self._ticks = False
        self.running = False
        self.on_uncaught: Callable[[BaseException, str, Any], bool] | None = None
        """Called with an exception that nothing has caught, where it is from ("uncaughtException"
        or "unhandledRejection") and the promise, if it is a promise's. If it returns False or is
        None, the exception ends the loop."""
        self.on_idle: Callable[[], None] | None = None
        """Called when nothing is left to wait for; if there is something then, the loop goes on."""
        made = context.part(f"{dirname(__file__)}/loop.js", "ovum:loop", self._raise_ticks)
        self._js: dict[str, JSFunction] = {name: made[name] for name in _PARTS}
        self.next_tick: JSFunction = self._js["nextTick"]
        """`process.nextTick`: has a function called before anything else of the loop."""

    def close(self) -> None:
        """Lets go of everything."""
        self._js.clear()
        self._posted.clear()
        self._starting.clear()

    # For parts of the environment.

    def post(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Has a function of Python's or JavaScript's called in the loop, after what runs now.

        Only from the loop's own thread; what it raises is uncaught.
        """
        self._posted.append((function, arguments))
        if self._wake is not None:
            self._wake.set()

    def post_from_thread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """The same from any thread, while the loop runs. Raises tasks.SchedulerEnded."""
        if self._scheduler is None:
            raise tasks.SchedulerEnded("the loop does not run")
        self._scheduler.call_soon(self.post, function, *arguments)

    def hold(self) -> None:
        """Keeps the loop from ending until `release`; as often as it is called."""
        self._holds += 1

    def release(self) -> None:
        """Takes one `hold` back."""
        self._holds -= 1
        if self._wake is not None:
            self._wake.set()

    def held(self) -> Held:
        """A block in which the loop does not end."""
        return Held(self)

    def start(
        self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any, hold: bool = True
    ) -> None:
        """Runs `async function(*arguments)` as a task beside the loop, from when that runs.

        `hold`: the loop does not end before it. It is cancelled when the loop ends. What it raises
        is uncaught.
        """
        if hold:
            self.hold()
        name = getattr(function, "__name__", "task")
        if self._group is None:
            self._starting.append((self._task, (function, arguments, hold)))
        else:
            self._group.start(self._task, function, arguments, hold, name=name)

    async def _task(
        self, function: Callable[..., Coroutine[Any, Any, Any]], arguments: Any, hold: bool
    ) -> None:
        try:
            await function(*arguments)
        except Exception as error:
            self.post(_raise, error)
        finally:
            if hold:
                self.release()

    def started_by(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """What the wheel is to call for an `async` function: it returns at once."""
        context = self._context

        def call(resolve: Any, reject: Any, *arguments: Any) -> None:
            try:
                convert = context.values.from_wheel
                converted = [convert(argument) for argument in arguments]
                self.start(self._settle, convert(resolve), convert(reject), function, converted)
            except BaseException as error:
                context.hand_over_error(error)

        return call

    async def _settle(
        self,
        resolve: JSFunction,
        reject: JSFunction,
        function: Callable[..., Coroutine[Any, Any, Any]],
        arguments: list[Any],
    ) -> None:
        try:
            value = await function(*arguments)
        except Exception as error:
            self.post(reject, error)
        else:
            self.post(self._fulfil, resolve, reject, value)

    def _fulfil(self, resolve: JSFunction, reject: JSFunction, value: Any) -> None:
        if value is None:
            resolve()
            return
        try:
            resolve(value)
        except TypeError as error:
            # JavaScript has nothing like it.
            reject(error)

    # Errors.

    def uncaught(
        self,
        error: BaseException,
        origin: str = "uncaughtException",
        promise: JSObject | None = None,
    ) -> None:
        """Does with an exception what is to be done if nothing has caught it, or raises it."""
        if self.on_uncaught is None or not isinstance(error, Exception):
            raise error
        if not self.on_uncaught(error, origin, promise):
            raise error

    # Jobs.

    def _raise_ticks(self) -> None:
        self._ticks = True

    def drain(self) -> None:
        """Runs ticks and the jobs of promises until there are none."""
        context = self._context
        while True:
            # As node: all ticks come before the jobs of promises, which may make new ones.
            if self._ticks:
                self._run_ticks()
            context.run_jobs()
            if self._ticks:
                continue
            unhandled = context.rejections.take()
            if not unhandled:
                return
            for promise, reason in unhandled:
                error = context.rejection(reason)
                self.uncaught(error, "unhandledRejection", context.wrapped(promise))

    def _run_ticks(self) -> None:
        self._ticks = False
        tick = self._js["tick"].ref.value
        context = self._context
        more = True
        while more:
            try:
                more = context.engine.call(tick, undefined(), []).int32 != 0
            except BaseException as error:
                # The others are to run as well.
                self._ticks = True
                self.uncaught(context.as_python(error))

    # Running.

    def run(self) -> None:
        """Runs until nothing is left to wait for, in a scheduler of its own."""
        from ovum.services.tasks.epoll import EpollBackend

        backend = EpollBackend()
        try:
            # A program that computes for a while is no mistake to be reported.
            scheduler = tasks.Scheduler(backend, slow_ns=_NEVER)
            restore = self._handle_interrupts(scheduler)
            try:
                scheduler.run(self.run_async)
            finally:
                restore()
        finally:
            backend.close()

    def _handle_interrupts(self, scheduler: tasks.Scheduler) -> Callable[[], None]:
        """Has Ctrl-C end JavaScript that runs, and the loop where it waits."""
        import _signal as signal
        import threading

        if (
            threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        ):
            return lambda: None

        def handler(number: int, frame: FrameType | None) -> None:
            if self._context.engine.depth:
                self._context.interrupt()
            elif not scheduler.interrupt_main():
                signal.default_int_handler(number, frame)

        signal.signal(signal.SIGINT, handler)

        def restore() -> None:
            if signal.getsignal(signal.SIGINT) is handler:
                signal.signal(signal.SIGINT, signal.default_int_handler)

        return restore

    async def run_async(self) -> None:
        """Runs until nothing is left to wait for, in the scheduler that runs here.

        Raises what nothing has caught: JSError, SystemExit.
        """
        if self.running:
            raise RuntimeError("the loop runs already")
        if self._context.closed:
            raise RuntimeError("the context is closed")
        failure: BaseException | None = None
        self.running = True
        try:
            async with tasks.Group("js") as group:
                self._group, self._wake = group, tasks.Event("something for JavaScript to do")
                self._scheduler = tasks.current_scheduler()
                for function, arguments in self._starting:
                    group.start(function, *arguments)
                self._starting.clear()
                try:
                    await self._turns(self._wake)
                except tasks.Cancelled:
                    raise
                except BaseException as error:
                    failure = error
                group.cancel()
        finally:
            self._group = self._wake = self._scheduler = None
            self.running = False
        if failure is not None:
            raise failure

    async def _turns(self, wake: tasks.Event) -> None:
        js = self._js
        while True:
            wake.clear()
            self._run_posted()
            self._run_timers()
            await tasks.checkpoint()
            self._run_posted()
            self._run_immediates()
            if self._posted:
                continue
            state = js["state"]()
            if state < 0 and not self._holds:
                if self.on_idle is not None:
                    self.on_idle()
                if not self._posted and not self._holds and js["state"]() < 0:
                    return
                continue
            wait = state if state >= 0 else -2 - state if state <= -2 else None
            if wait == 0 or wake.is_set():
                continue
            if wait is None or wait == float("inf"):
                await wake.wait()
            else:
                with tasks.move_on_after(wait / 1000):
                    await wake.wait()

    def _run_posted(self) -> None:
        for _ in range(len(self._posted)):
            function, arguments = self._posted.popleft()
            self.guarded(function, *arguments)

    def _run_timers(self) -> None:
        if self._js["state"]() in (-1, float("inf")):
            return
        limit = self._js["now"]()
        while self.guarded(self._js["timer"], limit):
            pass

    def _run_immediates(self) -> None:
        for _ in range(self._js["turn"]()):
            self.guarded(self._js["immediate"])

    def guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function; what it raises is uncaught. True then."""
        try:
            return function(*arguments)
        except Exception as error:
            self.uncaught(error)
            return True


def _raise(error: BaseException) -> None:
    raise error
