"""What every operation that waits promises: it is a checkpoint, and cancelled it has not happened.

One list of operations; each test runs over all of them.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


@dataclass
class Case:
    """An operation, when nothing lets it go on."""

    wait: Callable[[], Coroutine[Any, Any, Any]]
    """Has to wait."""
    intact: Callable[[], bool]
    """Whether all is as if the operation had never been."""


def channel_receive() -> Case:
    channel = tasks.Channel[int]()
    return Case(channel.receive, lambda: channel.statistics().receivers_waiting == 0)


def channel_send() -> Case:
    channel = tasks.Channel[int](1)
    channel.send_nowait(0)
    return Case(
        lambda: channel.send(1),
        lambda: channel.statistics().senders_waiting == 0 and channel.statistics().buffered == 1,
    )


def event_wait() -> Case:
    event = tasks.Event()
    return Case(event.wait, lambda: not event.parking)


def semaphore_acquire() -> Case:
    semaphore = tasks.Semaphore(0)
    return Case(semaphore.acquire, lambda: not semaphore.parking and semaphore.permits == 0)


def lock_acquire() -> Case:
    lock = tasks.Lock()

    async def wait() -> None:
        async with tasks.Group() as group:
            held = tasks.Event()

            async def hold() -> None:
                async with lock:
                    held.set()
                    await tasks.sleep_forever()

            group.start(hold)
            await held.wait()
            await lock.acquire()

    return Case(wait, lambda: not lock.locked() and not lock.parking)


def condition_wait() -> Case:
    condition = tasks.Condition()

    async def wait() -> None:
        async with condition:
            try:
                await condition.wait()
            finally:
                assert condition.lock.owner is tasks.current_task()

    return Case(wait, lambda: not condition.lock.locked())


def sleep() -> Case:
    return Case(lambda: tasks.sleep(100), _no_deadlines)


def sleep_until() -> Case:
    return Case(lambda: tasks.sleep_until(tasks.now() + 10**12), _no_deadlines)


def _no_deadlines() -> bool:
    return tasks.current_scheduler().deadlines.next() is None


def select() -> Case:
    channel = tasks.Channel[int]()
    return Case(
        lambda: tasks.select(tasks.Receive(channel), tasks.Send(channel, 1), tasks.After(100)),
        lambda: (
            _no_deadlines()
            and channel.statistics().receivers_waiting == 0
            and channel.statistics().senders_waiting == 0
        ),
    )


def task_wait() -> Case:
    other = tasks.current_scheduler().spawn(tasks.sleep_forever)
    return Case(other.wait, lambda: not other.joiners and not other.done)


def group_end() -> Case:
    ended: list[bool] = []

    async def child() -> None:
        try:
            await tasks.sleep_forever()
        finally:
            ended.append(True)

    async def wait() -> None:
        async with tasks.Group() as group:
            group.start(child)

    return Case(wait, lambda: ended == [True])


def thread_channel_receive() -> Case:
    channel = tasks.ThreadChannel[int]()
    return Case(channel.receive, lambda: not channel._receivers)


def thread_channel_send() -> Case:
    channel = tasks.ThreadChannel[int]()
    return Case(lambda: channel.send(1), lambda: not channel._senders and len(channel) == 0)


CASES = [
    *(channel_receive, channel_send, event_wait, semaphore_acquire, lock_acquire, condition_wait),
    *(sleep, sleep_until, select, task_wait, group_end),
    *(thread_channel_receive, thread_channel_send),
]


@pytest.fixture(params=CASES, ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Callable[[], Case]:
    made: Callable[[], Case] = request.param
    return made


def test_a_cancelled_wait_has_not_happened(make: Callable[[], Case], seed: int) -> None:
    async def main() -> None:
        case = make()
        async with tasks.Group() as group:
            task = group.start(case.wait)
            await testing.settle()
            assert task.state == "waiting"
            task.cancel()
            await tasks.select(tasks.Ended(task))
            assert task.state == "cancelled"
        assert case.intact()

    testing.run(main, seed=seed)


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


def test_what_is_cancelled_already_does_not_begin(make: Callable[[], Case]) -> None:
    async def main() -> None:
        case = make()
        with tasks.CancelScope() as scope:
            scope.cancel()
            await case.wait()
        assert scope.cancelled_caught
        if make is not group_end:
            assert case.intact()

    testing.run(main)


def test_a_shield_keeps_a_cancellation_out(make: Callable[[], Case]) -> None:
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

    testing.run(main)


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
