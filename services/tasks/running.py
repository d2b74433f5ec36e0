"""Running tasks in an application's thread."""

from __future__ import annotations

from ovum.services.tasks.epoll import EpollBackend
from ovum.services.tasks.loop import Scheduler
from ovum.services.tasks.watchdog import watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType
    from typing import Any, TypeVar

    T = TypeVar("T")


def run(fn: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """Runs `fn(*args)` in a new scheduler over epoll, in this thread, and returns its result.

    Raises what it raises; RuntimeError when a scheduler runs here already.

    Ctrl-C (SIGINT, if its handler is Python's own and this is the main thread) raises
    KeyboardInterrupt in the main task, where it waits or at its next checkpoint; a second one
    before that, wherever the program is just then. When the main task ends before it comes to a
    checkpoint, KeyboardInterrupt is raised here.
    """
    backend = EpollBackend()
    try:
        scheduler = Scheduler(backend)
        scheduler.watchdog = watchdog
        restore = _handle_interrupts(scheduler)
        try:
            return scheduler.run(fn, *args)
        finally:
            restore()
    finally:
        backend.close()


def _handle_interrupts(scheduler: Scheduler) -> Callable[[], None]:
    """Has SIGINT interrupt the main task. Returns a function that takes this back."""
    # Not at the top: the services thread needs neither.
    import signal
    import threading

    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        return lambda: None

    def handler(number: int, frame: FrameType | None) -> None:
        if not scheduler.interrupt_main():
            signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, handler)

    def restore() -> None:
        if signal.getsignal(signal.SIGINT) is handler:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    return restore
