"""System tasks that run at once: what serves system calls."""

import contextvars
import threading
from queue import SimpleQueue
from time import monotonic_ns
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


async def value(number: int) -> int:
    return number


def test_what_does_not_wait_is_done_when_it_returns() -> None:
    seen = []

    async def call() -> None:
        seen.append(1)

    async def main() -> None:
        scheduler = tasks.current_scheduler()
        assert scheduler.spawn_now(call()) is None
        assert seen == [1]
        assert scheduler.tasks() == [tasks.current_task()]

    testing.run(main)


def test_what_waits_goes_on_as_a_task() -> None:
    parking = tasks.Parking("see interrupt 11")

    async def call() -> Any:
        return await parking.park()

    async def main() -> None:
        task = tasks.current_scheduler().spawn_now(call(), name="read")
        assert task is not None
        assert (task.name, task.state, task.waits_for) == ("read", "waiting", "see interrupt 11")
        parking.wake_one(7)
        assert await task.wait() == 7
        assert task.state == "done"

    testing.run(main)


def test_the_caller_goes_on_as_itself() -> None:
    async def call() -> str:
        return tasks.current_task().name

    async def main() -> None:
        me = tasks.current_task()
        tasks.current_scheduler().spawn_now(call(), name="inner")
        assert tasks.current_task() is me
        assert tasks.current_scheduler().tasks() == [me]

    testing.run(main)


def test_it_may_use_scopes_and_groups_in_its_first_step() -> None:
    async def call() -> None:
        with tasks.move_on_after(2) as scope:
            async with tasks.Group() as group:
                group.start(tasks.sleep_forever)
        assert scope.cancelled_caught
        assert tasks.now() == 2_000_000_000

    async def main() -> None:
        task = tasks.current_scheduler().spawn_now(call())
        assert task is not None
        await task.wait()

    testing.run(main)


def test_its_exception_is_reported_and_leaves_nothing() -> None:
    crashes = []

    async def call() -> None:
        raise ValueError("broken")

    async def main() -> None:
        scheduler = tasks.current_scheduler()
        assert scheduler.spawn_now(call()) is None
        assert scheduler.tasks() == [tasks.current_task()]
        assert scheduler.crash_count == 1

    testing.run(main, on_crash=lambda task, error: crashes.append((task.name, error)))
    ((name, error),) = crashes
    assert "call" in name
    assert isinstance(error, ValueError)


def test_a_test_does_not_overlook_a_failed_system_task() -> None:
    async def call() -> None:
        raise ValueError("broken")

    async def main() -> None:
        tasks.current_scheduler().spawn_now(call())

    with pytest.raises(testing.SystemTaskFailed):
        testing.run(main)


def test_it_can_be_cancelled() -> None:
    async def main() -> None:
        task = tasks.current_scheduler().spawn_now(tasks.sleep_forever())
        assert task is not None
        task.cancel()
        with pytest.raises(tasks.TaskCancelled):
            await task.wait()
        assert task.state == "cancelled"

    testing.run(main)


class QueueBackend:
    """Events from a thread, as a kernel would deliver them."""

    def __init__(self) -> None:
        self.events: SimpleQueue[Any] = SimpleQueue()
        self.polls = 0

    def now(self) -> int:
        return monotonic_ns()

    def wake(self) -> None:
        self.events.put(lambda: None)

    def wait(self, deadline: int | None) -> None:
        if deadline is None:
            self.events.get()()
        else:
            self.polls += 1
        while not self.events.empty():
            self.events.get()()


def test_a_backend_of_events_drives_a_scheduler_in_a_thread() -> None:
    backend = QueueBackend()
    scheduler = tasks.Scheduler(backend)
    interrupt = tasks.Parking("see an interrupt")
    stop = tasks.Event()
    done: SimpleQueue[str] = SimpleQueue()

    async def serve(number: int) -> None:
        try:
            done.put(f"{number}: {await interrupt.park()}" if number % 2 else f"{number}")
        except tasks.Cancelled:
            done.put(f"{number}: cancelled")
            raise

    pending: dict[int, tasks.Task[Any] | None] = {}

    def request(number: int) -> None:
        pending[number] = scheduler.spawn_now(serve(number))

    def cancel(number: int) -> None:
        task = pending[number]
        assert task is not None
        task.cancel()

    thread = threading.Thread(target=scheduler.run, args=(stop.wait,))
    thread.start()
    for number in range(4):
        backend.events.put(lambda number=number: request(number))
    backend.events.put(lambda: cancel(3))
    backend.events.put(lambda: interrupt.wake_all("woken"))
    assert {done.get(timeout=20) for _ in range(4)} == {"0", "2", "1: woken", "3: cancelled"}
    scheduler.call_soon(stop.set)
    thread.join(20)
    assert not thread.is_alive()


def test_events_are_delivered_while_tasks_keep_the_scheduler_busy() -> None:
    backend = QueueBackend()
    scheduler = tasks.Scheduler(backend)
    seen: list[int] = []

    async def main() -> None:
        backend.events.put(lambda: seen.append(1))
        while not seen:
            await tasks.checkpoint()

    scheduler.run(main)
    assert backend.polls > 0


def test_it_may_cancel_its_caller() -> None:
    async def main() -> None:
        channel = tasks.Channel[int](100)
        with tasks.CancelScope() as scope:

            async def call() -> None:
                scope.cancel()

            tasks.current_scheduler().spawn_now(call())
            await channel.send(1)
        assert scope.cancelled_caught
        assert channel.statistics().buffered == 0

    testing.run(main)


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")


def test_it_shares_no_context_with_the_task_that_calls_it() -> None:
    seen: list[str] = []

    async def call() -> None:
        seen.append(variable.get())
        token = variable.set("the call's")
        await tasks.checkpoint()
        seen.append(variable.get())
        variable.reset(token)

    async def main() -> None:
        variable.set("main's")
        task = tasks.current_scheduler().spawn_now(call())
        assert variable.get() == "main's"
        assert task is not None
        await task.wait()

    testing.run(main)
    assert seen == ["nobody's", "the call's"]


def test_it_may_be_called_from_its_own_first_step() -> None:
    order: list[str] = []

    async def inner() -> None:
        order.append(tasks.current_task().name)

    async def outer() -> None:
        tasks.current_scheduler().spawn_now(inner(), "inner")
        order.append(tasks.current_task().name)

    async def main() -> None:
        scheduler = tasks.current_scheduler()
        scheduler.call_soon(lambda: scheduler.spawn_now(outer(), "outer"))
        await testing.settle()
        assert scheduler.tasks() == [tasks.current_task()]

    testing.run(main)
    assert order == ["inner", "outer"]
