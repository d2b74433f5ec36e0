"""The operations that wait, each in a state in which it has to; for test_cancelling.py."""

import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing
from ovum.services.tasks.epoll import EpollBackend


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


def channel_iterated() -> Case:
    channel = tasks.Channel[int]()
    return Case(lambda: channel.__anext__(), lambda: channel.statistics().receivers_waiting == 0)


def thread_channel_iterated() -> Case:
    channel = tasks.ThreadChannel[int]()
    return Case(lambda: channel.__anext__(), lambda: not channel._receivers)


def select_of_all_kinds() -> Case:
    lock, semaphore, event = tasks.Lock(), tasks.Semaphore(0), tasks.Event()
    between = tasks.ThreadChannel[int]()
    other = tasks.current_scheduler().spawn(tasks.sleep_forever)

    async def hold() -> None:
        async with lock:
            await tasks.sleep_forever()

    holder = tasks.current_scheduler().spawn(hold)

    async def wait() -> None:
        while not lock.locked():
            await tasks.checkpoint()
        await tasks.select(
            *(tasks.Acquire(lock), tasks.Acquire(semaphore), tasks.Ended(other)),
            *(tasks.Until(tasks.now() + 10**12), tasks.Wait(event)),
            *(tasks.Receive(between), tasks.Send(between, 1)),
        )

    return Case(
        wait,
        lambda: (
            _no_deadlines()
            and lock.owner in (holder, None)
            and not any(queue.queue for queue in (lock.parking, semaphore.parking, event.parking))
            and not any((other.joiners, between.receivers.queue, between.senders.queue))
        ),
    )


def irq_wait() -> Case:
    bound: dict[int, Any] = {}
    machine = SimpleNamespace(events=SimpleNamespace(interrupts=bound))
    stand_ins = {
        "_kernel": SimpleNamespace(irq_bind=lambda line: None, irq_acknowledge=lambda line: None),
        "ovum.services.main": SimpleNamespace(services=lambda: machine),
    }
    with patch.dict(sys.modules, stand_ins):
        from ovum.services.irq import Irq

        irq = Irq(5)

    def intact() -> bool:
        # The next interrupt is nobody's yet, and whole.
        bound[5](3, 77)
        arrived = irq.attempt()
        return (arrived.count, arrived.first_ns) == (3, 77)

    return Case(irq.wait, intact)


def _descriptor(wait: Callable[[int], Coroutine[Any, Any, None]], number: int) -> Case:
    backend = tasks.current_scheduler().backend
    assert isinstance(backend, EpollBackend)
    return Case(lambda: wait(number), lambda: number not in backend._interests)


def readable() -> Case:
    return _descriptor(tasks.wait_readable, _pipe()[0])


def writable() -> Case:
    full = _pipe()[1]
    with pytest.raises(BlockingIOError):
        while True:
            os.write(full, bytes(65536))
    return _descriptor(tasks.wait_writable, full)


def _pipe() -> tuple[int, int]:
    """Two descriptors that are closed at the end of the scheduler."""
    reading, writing = os.pipe2(os.O_NONBLOCK)

    async def close() -> None:
        try:
            await tasks.sleep_forever()
        finally:
            os.close(reading)
            os.close(writing)

    tasks.current_scheduler().spawn_now(close())
    return reading, writing


VIRTUAL = [
    *(channel_receive, channel_send, event_wait, semaphore_acquire, lock_acquire, condition_wait),
    *(sleep, sleep_until, select, select_of_all_kinds, task_wait, group_end),
    *(channel_iterated, thread_channel_iterated, irq_wait),
    *(thread_channel_receive, thread_channel_send),
]
DESCRIPTORS = [readable, writable]
CASES = [
    *(pytest.param(make, testing.run, id=make.__name__) for make in VIRTUAL),
    *(pytest.param(make, tasks.run, id=f"{make.__name__}-epoll") for make in VIRTUAL + DESCRIPTORS),
]
"""Operations, and what they are run over: the clock that jumps, and epoll."""

Run = Callable[..., Any]
