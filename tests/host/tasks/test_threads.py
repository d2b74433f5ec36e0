"""The doors between threads and schedulers."""

import contextvars
import functools
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


@contextmanager
def scheduler_in_a_thread() -> Iterator[tasks.Scheduler]:
    """A scheduler that runs in another thread for the length of the block."""
    started = threading.Event()
    found: list[Any] = []

    async def main() -> None:
        end = tasks.Event()
        found.extend((tasks.current_scheduler(), end))
        started.set()
        await end.wait()

    thread = threading.Thread(target=tasks.run, args=(main,))
    thread.start()
    assert started.wait(10)
    scheduler, end = found
    try:
        yield scheduler
    finally:
        scheduler.call_soon(end.set)
        thread.join(10)
        assert not thread.is_alive()


async def twice(number: int) -> int:
    await tasks.sleep(0.001)
    return number * 2


async def fail(text: str) -> None:
    raise LookupError(text)


def test_a_call_returns_or_raises_what_the_function_does() -> None:
    with scheduler_in_a_thread() as scheduler:
        assert tasks.from_thread(scheduler, twice, 21) == 42
        with pytest.raises(LookupError, match="no such thing"):
            tasks.from_thread(scheduler, fail, "no such thing")
        assert tasks.from_thread(scheduler, twice, 4, timeout=10) == 8


def test_a_call_that_takes_too_long_is_cancelled() -> None:
    seen: list[str] = []

    async def wait() -> None:
        try:
            await tasks.sleep_forever()
        except tasks.Cancelled:
            seen.append("cancelled")
            raise

    with scheduler_in_a_thread() as scheduler:
        with pytest.raises(TimeoutError):
            tasks.from_thread(scheduler, wait, timeout=0.01)
        assert seen == ["cancelled"]


def test_the_scheduler_cannot_wait_for_itself() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="this very thread"):
            tasks.from_thread(tasks.current_scheduler(), twice, 1)

    tasks.run(main)


def test_calls_end_with_the_scheduler() -> None:
    with scheduler_in_a_thread() as scheduler:
        results: list[BaseException] = []

        def call() -> None:
            try:
                tasks.from_thread(scheduler, tasks.sleep_forever)
            except BaseException as error:
                results.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        while not scheduler.calls_from_threads:
            tasks.from_thread(scheduler, twice, 1)
    thread.join(10)
    assert [type(error) for error in results] == [tasks.TaskCancelled]
    with pytest.raises(tasks.SchedulerEnded):
        tasks.from_thread(scheduler, twice, 1)
    with pytest.raises(tasks.SchedulerEnded):
        scheduler.call_soon(print)


def test_a_signal_ends_the_wait_and_the_call() -> None:
    ended = threading.Event()

    async def wait() -> None:
        # To that thread: a lock is not given up because another one was told.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await tasks.sleep_forever()
        finally:
            ended.set()

    with scheduler_in_a_thread() as scheduler:
        with pytest.raises(KeyboardInterrupt):
            tasks.from_thread(scheduler, wait)
        assert ended.wait(10)


def test_calls_of_many_threads() -> None:
    results: list[int] = []
    with scheduler_in_a_thread() as scheduler:

        def call(base: int) -> None:
            for number in range(base, base + 50):
                results.append(tasks.from_thread(scheduler, twice, number))

        threads = [threading.Thread(target=call, args=(50 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == [2 * number for number in range(200)]


# Channels between threads

SIDES = [(side, other) for side in ("thread", "task") for other in ("thread", "task")]


def _in_thread(of: str, plain: Callable[[], None], main: Callable[[], Any]) -> threading.Thread:
    if of == "thread":
        return threading.Thread(target=plain)
    return threading.Thread(target=tasks.run, args=(main,))


@pytest.mark.parametrize("capacity", [0, 1, 10])
@pytest.mark.parametrize(("sending", "receiving"), SIDES)
def test_values_between_threads(capacity: int, sending: str, receiving: str) -> None:
    channel = tasks.ThreadChannel[int](capacity)
    received: list[int] = []

    def put() -> None:
        for number in range(300):
            channel.put(number, timeout=10)
        channel.close()

    async def send() -> None:
        for number in range(300):
            await channel.send(number)
        channel.close()

    async def receive() -> None:
        async for value in channel:
            received.append(value)

    threads = [
        _in_thread(sending, put, send),
        _in_thread(receiving, lambda: received.extend(channel), receive),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert received == list(range(300))


def test_a_timeout_leaves_nothing_behind() -> None:
    channel = tasks.ThreadChannel[int]()
    with pytest.raises(TimeoutError, match="receive on channel"):
        channel.get(timeout=0.001)
    with pytest.raises(TimeoutError, match="send on channel"):
        channel.put(1, timeout=0)
    assert len(channel) == 0

    async def main() -> None:
        with tasks.move_on_after(0.001) as scope:
            await channel.receive()
        assert scope.cancelled_caught
        with tasks.move_on_after(0.001) as scope:
            await channel.send(2)
        assert scope.cancelled_caught
        async with tasks.Group() as group:
            task = group.start(channel.receive)
            await channel.send(3)
            assert await task.wait() == 3

    tasks.run(main)


def test_closing_a_channel_between_threads() -> None:
    channel = tasks.ThreadChannel[int](1)
    channel.put(1)
    results: list[object] = []

    def put() -> None:
        try:
            channel.put(2)
        except tasks.Closed as error:
            results.append(error)

    thread = threading.Thread(target=put)
    thread.start()
    while not channel._senders:
        time.sleep(0)
    channel.close()
    thread.join(10)
    assert len(results) == 1
    assert channel.get() == 1
    with pytest.raises(tasks.EndOfChannel):
        channel.get()
    with pytest.raises(tasks.Closed):
        channel.put(1)


def test_nothing_is_lost_when_receivers_are_cancelled() -> None:
    channel = tasks.ThreadChannel[int](2)
    received: list[int] = []

    async def receive() -> None:
        while True:
            with tasks.move_on_after(0.0003):
                try:
                    received.append(await channel.receive())
                except tasks.EndOfChannel:
                    return

    async def main() -> None:
        async with tasks.Group() as group:
            for _ in range(5):
                group.start(receive)

    thread = threading.Thread(target=tasks.run, args=(main,))
    thread.start()
    for number in range(1000):
        channel.put(number, timeout=10)
    channel.close()
    thread.join(20)
    assert sorted(received) == list(range(1000))


def test_a_value_that_came_with_a_signal_is_put_back() -> None:
    channel = tasks.ThreadChannel[int]()

    def handler(number: int, frame: object) -> None:
        sender.start()
        sender.join(10)  # the value is handed over while the handler still runs
        raise InterruptedError

    sender = threading.Thread(target=channel.put, args=(7,))
    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(InterruptedError):
            channel.get()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert channel.get(timeout=10) == 7


def test_a_call_of_what_has_no_name() -> None:
    class Callable:
        async def __call__(self) -> str:
            return "called"

    with scheduler_in_a_thread() as scheduler:
        assert tasks.from_thread(scheduler, functools.partial(twice, 2)) == 4
        assert tasks.from_thread(scheduler, functools.partial(twice, 3), timeout=10) == 6
        assert tasks.from_thread(scheduler, Callable()) == "called"
        with pytest.raises(TypeError):
            tasks.from_thread(scheduler, functools.partial(len, "x"))  # type: ignore[arg-type]


def test_a_call_has_the_context_of_its_caller_and_no_other() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    async def change() -> str:
        before = variable.get()
        variable.set("by a call")
        await tasks.checkpoint()
        return f"{before}, {variable.get()}"

    async def look() -> str:
        return variable.get()

    with scheduler_in_a_thread() as scheduler:
        assert tasks.from_thread(scheduler, change) == "unset, by a call"
        assert tasks.from_thread(scheduler, look) == "unset"
        variable.set("by the caller")
        assert tasks.from_thread(scheduler, look) == "by the caller"
        assert tasks.from_thread(scheduler, change) == "by the caller, by a call"
        assert variable.get() == "by the caller"


def test_the_last_calls_cannot_change_the_result(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        return "result"

    scheduler = testing.make_scheduler()

    def late() -> None:
        raise LookupError("in a last call")

    real = scheduler._make_last_calls

    def make_last_calls() -> None:
        scheduler.call_soon(late)
        scheduler.call_soon(made.append, 1)
        real()

    made: list[int] = []
    scheduler._make_last_calls = make_last_calls  # type: ignore[method-assign]
    assert scheduler.run(main) == "result"
    assert made == [1]
    assert "in a last call" in caplog.text
