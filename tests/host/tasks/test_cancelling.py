"""What every operation that waits promises: it is a checkpoint, and cancelled it has not happened.

One list of operations; each test runs over all of them.
"""

import gc
import tracemalloc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing
from tests.host.tasks.operations import CASES, DESCRIPTORS, VIRTUAL, Case, Run, group_end


@pytest.mark.parametrize(("make", "run"), CASES)
def test_a_cancelled_wait_has_not_happened(make: Callable[[], Case], run: Run) -> None:
    run(_cancel_while_it_waits, make)


@pytest.mark.parametrize("make", VIRTUAL)
def test_so_it_is_in_any_order(make: Callable[[], Case], seed: int) -> None:
    testing.run(_cancel_while_it_waits, make, seed=seed)


async def _cancel_while_it_waits(make: Callable[[], Case]) -> None:
    case = make()
    async with tasks.Group() as group:
        task = group.start(case.wait)
        await testing.settle()
        assert task.state == "waiting"
        task.cancel()
        await tasks.select(tasks.Ended(task))
        assert task.state == "cancelled"
    await testing.settle()
    assert case.intact()


@pytest.mark.parametrize("make", VIRTUAL + DESCRIPTORS)
def test_a_deadline_ends_the_wait(make: Callable[[], Case]) -> None:
    async def main() -> None:
        case = make()
        begun = tasks.now()
        with tasks.move_on_after(0.002) as scope:
            await case.wait()
        assert scope.cancelled_caught
        assert tasks.now() - begun >= 2_000_000
        assert case.intact()

    # In real time: a clock that jumps stands still while other threads might call.
    tasks.run(main)


@pytest.mark.parametrize(("make", "run"), CASES)
def test_what_is_cancelled_already_does_not_begin(make: Callable[[], Case], run: Run) -> None:
    async def main() -> None:
        case = make()
        with tasks.CancelScope() as scope:
            scope.cancel()
            await case.wait()
        assert scope.cancelled_caught
        if make is not group_end:
            assert case.intact()

    run(main)


@pytest.mark.parametrize(("make", "run"), CASES)
def test_a_shield_keeps_a_cancellation_out(make: Callable[[], Case], run: Run) -> None:
    async def main() -> None:
        case = make()
        inner = tasks.CancelScope(shield=True)

        async def shielded() -> None:
            with inner:
                await case.wait()

        async with tasks.Group() as group:
            task = group.start(shielded)
            await testing.settle()
            group.cancel()
            await_others = tasks.CancelScope(shield=True)
            with await_others:
                await testing.settle()
                assert task.state == "waiting"
                inner.cancel()
                await testing.settle()
            assert task.done
        assert case.intact()

    run(main)


OPEN: list[tuple[str, Callable[[], Callable[[], Coroutine[Any, Any, Any]]]]] = []
"""Operations that need not wait."""


def _open(make: Callable[[], Callable[[], Coroutine[Any, Any, Any]]]) -> Any:
    OPEN.append((make.__name__, make))
    return make


@_open
def receives_what_is_there() -> Callable[[], Coroutine[Any, Any, Any]]:
    channel = tasks.Channel[int](1000)
    for number in range(1000):
        channel.send_nowait(number)
    return channel.receive


@_open
def sends_where_there_is_room() -> Callable[[], Coroutine[Any, Any, Any]]:
    channel = tasks.Channel[int](1000)
    return lambda: channel.send(1)


@_open
def waits_for_what_has_been() -> Callable[[], Coroutine[Any, Any, Any]]:
    event = tasks.Event()
    event.set()
    return event.wait


@_open
def acquires_what_is_free() -> Callable[[], Coroutine[Any, Any, Any]]:
    return tasks.Semaphore(1000).acquire


@_open
def selects_what_is_ready() -> Callable[[], Coroutine[Any, Any, Any]]:
    event = tasks.Event()
    event.set()
    return lambda: tasks.select(tasks.Wait(event), tasks.After(1))


@_open
def receives_what_is_there_from_a_thread() -> Callable[[], Coroutine[Any, Any, Any]]:
    channel = tasks.ThreadChannel[int](1000)
    for number in range(1000):
        channel.put(number)
    return channel.receive


@_open
def acquires_a_free_lock() -> Callable[[], Coroutine[Any, Any, Any]]:
    lock = tasks.Lock()

    async def acquire() -> None:
        await lock.acquire()
        lock.release()

    return acquire


@_open
def waits_for_a_task_that_is_done() -> Callable[[], Coroutine[Any, Any, Any]]:
    async def nothing() -> None:
        pass

    task = tasks.current_scheduler().spawn(nothing)

    async def wait() -> None:
        # Waits the first time only.
        await task.wait()

    return wait


@_open
def iterates_what_is_there() -> Callable[[], Coroutine[Any, Any, Any]]:
    channel = tasks.Channel[int](1000)
    for number in range(1000):
        channel.send_nowait(number)
    return lambda: channel.__anext__()


@_open
def calls_a_thread() -> Callable[[], Coroutine[Any, Any, Any]]:
    return lambda: tasks.to_thread(int)


@_open
def sleeps_not_at_all() -> Callable[[], Coroutine[Any, Any, Any]]:
    return lambda: tasks.sleep(0)


@_open
def thread_channel_with_room() -> Callable[[], Coroutine[Any, Any, Any]]:
    channel = tasks.ThreadChannel[int](1000)
    return lambda: channel.send(1)


@pytest.mark.parametrize(("name", "operation"), OPEN)
def test_what_need_not_wait_is_a_checkpoint_too(
    name: str, operation: Callable[[], Callable[[], Coroutine[Any, Any, Any]]]
) -> None:
    """It raises when cancelled, and lets others run after a number of times."""

    async def main() -> None:
        operate = operation()
        with tasks.CancelScope() as scope:
            scope.cancel()
            await operate()
            raise AssertionError(f"{name} is no checkpoint")
        assert scope.cancelled_caught
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await tasks.checkpoint()

        async with tasks.Group() as group:
            group.start(count)
            for _ in range(200):
                await operate()
            group.cancel()
        assert turns >= 5

    testing.run(main)


async def _woken_and_cancelled(
    wait: Callable[[], Coroutine[Any, Any, Any]], wake: Callable[[], object]
) -> tuple[list[Any], tasks.Task[None]]:
    """Both before the task runs again: what it waited for comes first."""
    results: list[Any] = []

    async def operate() -> None:
        results.append(await wait())
        await tasks.checkpoint()
        results.append("went on")

    async with tasks.Group() as group:
        task = group.start(operate)
        await testing.settle()
        assert task.state == "waiting"
        wake()
        task.cancel()
    return results, task


@pytest.mark.parametrize("kind", ["send", "receive", "semaphore", "lock", "thread channel"])
def test_what_was_done_before_the_cancellation_has_happened(kind: str) -> None:
    async def main() -> None:
        channel, between = tasks.Channel[int](), tasks.ThreadChannel[int]()
        semaphore, lock = tasks.Semaphore(0), tasks.Lock()
        got: list[int] = []
        if kind == "lock":
            await lock.acquire()
        wait, wake, result = {
            "send": (lambda: channel.send(7), lambda: got.append(channel.receive_nowait()), None),
            "receive": (channel.receive, lambda: channel.send_nowait(7), 7),
            "semaphore": (semaphore.acquire, semaphore.release, None),
            "lock": (lock.acquire, lock.release, None),
            "thread channel": (between.receive, lambda: between.put(7, timeout=0), 7),
        }[kind]
        results, task = await _woken_and_cancelled(wait, wake)
        assert results == [result]
        assert task.state == "cancelled"
        assert got == ([7] if kind == "send" else [])
        assert semaphore.permits == 0
        assert lock.owner is (task if kind == "lock" else None)

    testing.run(main)


@pytest.mark.parametrize("kind", ["event", "channel", "thread channel", "select", "sleep"])
def test_a_task_that_waits_takes_little_memory(kind: str) -> None:
    """2 KiB at most, with the coroutines that it awaits."""
    count = 500

    async def main() -> float:
        event, channel = tasks.Event(), tasks.Channel[int]()
        between = tasks.ThreadChannel[int]()
        wait: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "event": event.wait,
            "channel": channel.receive,
            "thread channel": between.receive,
            "select": lambda: tasks.select(tasks.Receive(channel), tasks.Wait(event)),
            "sleep": lambda: tasks.sleep(100),
        }
        async with tasks.Group() as group:
            group.start(wait[kind])
            await testing.settle()
            gc.collect()
            tracemalloc.start()
            try:
                for _ in range(count):
                    group.start(wait[kind])
                await testing.settle()
                gc.collect()
                taken = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
                group.cancel()
        return taken / count

    assert 100 < testing.run(main) <= 2048
