"""What the kernel tells the services thread, handed to those who wait for it.

`KernelEvents` is the backend of the services thread's scheduler: its only blocking call is
`_kernel.wait`, and everything that happens in the machine comes out of that.
"""

from __future__ import annotations

import time

from ovum.services.log import ERROR, WARNING, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Protocol

    from ovum.services.tasks import Scheduler, Task

    class Request(Protocol):
        """A system call that a task answers: `_kernel.Request`, or a stand-in on the host."""

        @property
        def number(self) -> int: ...
        @property
        def operation(self) -> int: ...
        @property
        def mount(self) -> int: ...
        @property
        def mount2(self) -> int: ...
        @property
        def base(self) -> int: ...
        @property
        def base2(self) -> int: ...
        @property
        def path(self) -> bytes: ...
        @property
        def path2(self) -> bytes: ...
        @property
        def a(self) -> int: ...
        @property
        def b(self) -> int: ...
        @property
        def c(self) -> int: ...
        @property
        def buffer(self) -> memoryview | None: ...
        @property
        def thread(self) -> int: ...

        def complete(self, result: int, extra: int = 0, /) -> None:
            """Answers the call: its result, 0 or more, or minus errno."""

        def abandon(self) -> None:
            """Answers with EIO even if something still uses the buffer."""

        def redirect(self, path: bytes, second: bool = False, /) -> None:
            """Has the call start again with another path."""

    class Kernel(Protocol):
        """The part of `_kernel` that the backend uses."""

        @property
        def EVENT_CANCEL(self) -> int: ...  # noqa: N802
        @property
        def EVENT_INTERRUPT(self) -> int: ...  # noqa: N802
        @property
        def EVENT_POWER_BUTTON(self) -> int: ...  # noqa: N802
        @property
        def EVENT_LOG(self) -> int: ...  # noqa: N802
        @property
        def EVENT_SCREEN(self) -> int: ...  # noqa: N802
        @property
        def EVENT_SOCKETS(self) -> int: ...  # noqa: N802

        def wait(
            self, deadline: int | None, in_flight: int = ..., /
        ) -> Sequence[Request | tuple[int, ...]]:
            """Blocks until the deadline (ns), an event or wake()."""

        def wake(self) -> None:
            """Makes wait() return. Any thread."""


IN_FLIGHT = 1024
"""Requests that tasks work on at a time; further callers wait in the kernel, in order."""


class KernelEvents:
    """Waits in the kernel; begins a task for every request, and passes on the other events.

    serve(request) completes the request whatever happens: with -EINTR when it is cancelled. A
    request that is dropped without an answer fails with EIO.
    """

    def __init__(
        self, kernel: Kernel, serve: Callable[[Request], Coroutine[object, object, None]]
    ) -> None:
        self._kernel = kernel
        self._serve = serve
        self._open: dict[int, Task[None]] = {}
        self._sweep = 64
        self.scheduler: Scheduler
        self.in_flight = IN_FLIGHT
        self.direct: dict[int, Callable[[Request], bool]] = {}
        """By handle of an open file what takes requests without a task, if it can."""
        self.interrupts: dict[int, Callable[[int, int], None]] = {}
        """For each line what to call with how many interrupts there were, and when the first."""
        self.power_button: Callable[[], None] | None = None
        self.log_grown: Callable[[], None] | None = None
        """What to call when the log has grown after somebody has read all of it."""
        self.screen_grown: Callable[[], None] | None = None
        """The same of what the console has shown."""
        self.sockets_changed: Callable[[], None] | None = None
        """What to call when there is something for `_kernel.sockets_changed()`."""
        self.served = 0
        """Requests that were taken from the kernel so far."""

    now = staticmethod(time.monotonic_ns)

    def wake(self) -> None:
        """Ends a wait, from any thread."""
        self._kernel.wake()

    def wait(self, deadline: int | None) -> None:
        """Blocks until the deadline (ns of `now`), a wake() or an event; begins what that asks."""
        try:
            events = self._kernel.wait(deadline, self.in_flight)
            # What it begins below runs inside of this wait.
            watchdog = self.scheduler.watchdog
            if watchdog is not None and watchdog.resting:
                watchdog.rouse()
            for event in events:
                if isinstance(event, tuple):
                    self._told(event)
                    continue
                self.served += 1
                if self.direct:
                    take = self.direct.get(event.base)
                    if take is not None and take(event):
                        continue
                task = self.scheduler.spawn_now(self._serve(event), "request")
                if task is not None:
                    self._keep(event.number, task)
        except MemoryError as error:
            # Requests that are dropped here fail with EIO; the service goes on.
            log(ERROR, f"services: no memory for what the kernel has told: {error}")

    def _keep(self, number: int, task: Task[None]) -> None:
        """Remembers who works on a request, in case its caller is interrupted."""
        if len(self._open) >= self._sweep:
            self._open = {n: t for n, t in self._open.items() if not t.done}
            self._sweep = 2 * len(self._open) + 64
        self._open[number] = task

    def _told(self, event: tuple[int, ...]) -> None:
        kernel = self._kernel
        if event[0] == kernel.EVENT_SOCKETS:
            if self.sockets_changed is not None:
                self.sockets_changed()
        elif event[0] == kernel.EVENT_CANCEL:
            task = self._open.get(event[1])
            if task is not None:
                task.cancel()
        elif event[0] == kernel.EVENT_INTERRUPT:
            _, line, count, first = event
            told = self.interrupts.get(line)
            if told is not None:
                told(count, first)
        elif event[0] == kernel.EVENT_POWER_BUTTON:
            if self.power_button is not None:
                self.power_button()
        elif event[0] == kernel.EVENT_LOG:
            if self.log_grown is not None:
                self.log_grown()
        elif event[0] == kernel.EVENT_SCREEN:
            if self.screen_grown is not None:
                self.screen_grown()
        else:
            log(WARNING, f"services: the kernel told of something unknown: {event}")
