"""Channels between threads: order, signals, crashes, selects."""

import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing

FILES = ("threadchannel.py", "threadparty.py")


class InterruptedBySignalError(Exception):
    """What a signal's handler raises."""


def interrupted_at(point: int, operation: Callable[[], Any]) -> bool:
    """Runs an operation and raises in it where a signal's handler might: when calls begin and
    return. Returns whether it has as many such points."""
    left = point

    def raise_there(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        if event in ("call", "c_return") and frame.f_code.co_filename.endswith(FILES):
            left -= 1
            if left == 0:
                raise InterruptedBySignalError

    sys.setprofile(raise_there)
    try:
        operation()
    except InterruptedBySignalError:
        return True
    finally:
        sys.setprofile(None)
    return False


@contextmanager
def in_a_thread(function: Callable[..., Any], *args: Any) -> Iterator[list[Any]]:
    """Runs a function in a thread beside the block; gives the list in which its result will be."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(function(*args)), daemon=True)
    thread.start()
    yield results
    thread.join(10)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], Any]) -> None:
    """Waits for another thread to get that far."""
    ticks = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        ticks.wait(0.001)
    raise AssertionError("it has not come that far")


def waiting(channel: tasks.ThreadChannel[Any], number: int) -> bool:
    """Whether that many wait on the channel."""
    return len(channel._senders) + len(channel._receivers) == number


# Signals


def test_a_signal_leaves_a_channel_usable() -> None:
    """Wherever its handler raises, the lock is free and nobody is queued who does not wait."""

    def round_trip(channel: tasks.ThreadChannel[int]) -> None:
        channel.put(2)
        assert channel.get() in (1, 2)
        with pytest.raises(TimeoutError):
            channel.put(3, timeout=0)
            channel.put(4, timeout=0)
        channel.get()
        channel.get(timeout=0)

    point = 1
    while True:
        channel = tasks.ThreadChannel[int](2)
        channel.put(1)
        again = interrupted_at(point, partial(round_trip, channel))
        assert not channel._lock.locked()
        assert not channel._senders
        assert not channel._receivers
        if not again:
            break
        point += 1
    assert point > 20


@pytest.mark.parametrize("capacity", [0, 1])
def test_a_signal_does_not_leave_the_other_side_waiting(capacity: int) -> None:
    point = 1
    again = True
    while again:
        channel = tasks.ThreadChannel[int](capacity)
        with in_a_thread(channel.get, 10) as received:
            wait_until(partial(bool, channel._receivers))
            again = interrupted_at(point, partial(channel.put, 1))
            if channel._receivers:
                channel.put(2)
        assert received in ([1], [2])
        for number in range(capacity):
            channel.put(number)
        with in_a_thread(channel.put, 7, 10):
            wait_until(partial(bool, channel._senders))
            got: list[int] = []
            interrupted_at(point, lambda: got.append(channel.get()))  # noqa: B023
            while channel._senders:
                got.append(channel.get())
        assert not channel._lock.locked()
        point += 1
    assert point > 3


@pytest.mark.parametrize("end", ["send", "receive"])
def test_a_signal_while_a_channel_is_closed(end: str) -> None:
    def wait(channel: tasks.ThreadChannel[int]) -> str:
        try:
            channel.put(1, timeout=10) if end == "send" else channel.get(timeout=10)
        except (tasks.Closed, tasks.EndOfChannel) as error:
            return type(error).__name__
        return "?"

    point = 1
    again = True
    while again:
        channel = tasks.ThreadChannel[int]()
        with in_a_thread(wait, channel) as results:
            wait_until(partial(waiting, channel, 1))
            again = interrupted_at(point, channel.close)
            channel.close()
        assert results == ["Closed" if end == "send" else "EndOfChannel"]
        point += 1
    assert point > 3


# Schedulers that have crashed


async def _crash_while_receiving(channel: tasks.ThreadChannel[str]) -> None:
    def explode() -> None:
        raise OSError("crash")

    async with tasks.Group() as group:
        group.start(channel.receive)
        await tasks.sleep(0)
        await tasks.sleep(0)
        assert channel.statistics().receivers_waiting == 1
        tasks.current_scheduler().call_soon(explode)
        await tasks.sleep_forever()


@pytest.mark.parametrize("collected", [False, True])
def test_a_crashed_receiver_gets_nothing(collected: bool) -> None:
    channel = tasks.ThreadChannel[str](1)
    kept: list[BaseException] = []
    try:
        tasks.run(_crash_while_receiving, channel)
    except tasks.SchedulerCrash as crash:
        kept.append(crash)
    if collected:
        kept.clear()
        gc.collect()
    channel.put("precious", timeout=0.1)
    assert channel.get(timeout=0.1) == "precious"


def test_a_value_under_way_to_a_scheduler_that_crashes_is_put_back() -> None:
    channel = tasks.ThreadChannel[str]()

    async def main() -> None:
        def explode() -> None:
            # By a thread: in this one the receiver would be woken at once.
            thread = threading.Thread(target=channel.put, args=("precious",))
            thread.start()
            thread.join()
            raise OSError("crash")

        async with tasks.Group() as group:
            group.start(channel.receive)
            await testing.settle()
            tasks.current_scheduler().call_soon(explode)
            await tasks.sleep_forever()

    with pytest.raises(tasks.SchedulerCrash):
        testing.run(main)
    assert channel.get(timeout=0.1) == "precious"


# Order


def test_who_waits_is_served_in_order() -> None:
    channel = tasks.ThreadChannel[int](1)
    served: list[int] = []

    async def receive(who: int) -> None:
        assert await channel.receive() == who
        served.append(who)

    async def main() -> None:
        async with tasks.Group() as group:
            for who in range(5):
                group.start(receive, who)
            await testing.settle()
            for number in range(5):
                await channel.send(number)
        senders = [0, 1, 2, 3, 4]
        async with tasks.Group() as group:
            for number in senders:
                group.start(channel.send, number)
            await testing.settle()
            assert channel.statistics().buffered == 1
            assert channel.statistics().senders_waiting == 4
            assert [await channel.receive() for _ in senders] == senders

    testing.run(main)
    assert served == [0, 1, 2, 3, 4]


def test_threads_that_wait_are_served_in_order() -> None:
    channel = tasks.ThreadChannel[int]()
    got: dict[int, int] = {}

    def get(who: int) -> None:
        got[who] = channel.get(timeout=10)

    threads = [threading.Thread(target=get, args=(who,)) for who in range(4)]
    for number, thread in enumerate(threads, 1):
        thread.start()
        wait_until(partial(waiting, channel, number))
    for number in range(4):
        channel.put(number, timeout=10)
    for thread in threads:
        thread.join(10)
    assert got == {0: 0, 1: 1, 2: 2, 3: 3}


def test_receivers_share_fairly() -> None:
    channel = tasks.ThreadChannel[int]()
    shares: Counter[int] = Counter()

    async def receive(who: int) -> None:
        async for _ in channel:
            shares[who] += 1

    async def main() -> None:
        async with tasks.Group() as group:
            for who in range(4):
                group.start(receive, who)
            for number in range(400):
                await channel.send(number)
            channel.close()

    testing.run(main)
    assert shares.total() == 400
    assert min(shares.values()) >= 80


def test_what_does_not_wait_and_what_is_told() -> None:
    channel = tasks.ThreadChannel[int](1)
    channel.send_nowait(1)
    with pytest.raises(tasks.WouldBlock, match="is full"):
        channel.send_nowait(2)
    statistics = channel.statistics()
    assert (statistics.buffered, statistics.capacity, statistics.closed) == (1, 1, False)
    assert channel.receive_nowait() == 1
    with pytest.raises(tasks.WouldBlock, match="is empty"):
        channel.receive_nowait()
    channel.close()
    channel.close()
    assert channel.closed
    assert channel.statistics().closed


# Branches of selects


def test_a_select_receives_from_a_thread() -> None:
    channel, other = tasks.ThreadChannel[int](), tasks.Channel[int]()

    async def main() -> list[int]:
        got = []
        receive = tasks.Receive(channel)
        for _ in range(200):
            branch, value = await tasks.select(receive, tasks.Receive(other), tasks.After(10))
            assert branch is receive
            got.append(value)
        assert other.statistics().receivers_waiting == 0
        return got

    def put() -> None:
        for number in range(200):
            channel.put(number, timeout=10)

    with in_a_thread(put):
        assert tasks.run(main) == list(range(200))
    assert not channel.receivers.queue


def test_a_select_sends_to_a_thread() -> None:
    channel = tasks.ThreadChannel[int]()

    async def main() -> None:
        for number in range(200):
            send = tasks.Send(channel, number)
            branch, _ = await tasks.select(send, tasks.After(10))
            assert branch is send
        channel.close()

    with in_a_thread(lambda: list(channel)) as results:
        tasks.run(main)
    assert results == [list(range(200))]
    assert not channel.senders.queue


def test_a_select_that_is_cancelled_leaves_the_channel() -> None:
    channel = tasks.ThreadChannel[int]()

    async def main() -> None:
        async with tasks.Group() as group:
            task = group.start(tasks.select, tasks.Receive(channel), tasks.Send(channel, 1))
            await testing.settle()
            assert task.waits_for == f"receive on {channel!r}, or send on {channel!r}"
            assert channel.receivers.queue
            assert channel.senders.queue
            task.cancel()
            await testing.settle()
        assert not channel.receivers.queue
        assert not channel.senders.queue
        with pytest.raises(tasks.WouldBlock):
            channel.send_nowait(1)
        with pytest.raises(tasks.WouldBlock):
            channel.receive_nowait()

    testing.run(main)


def test_a_select_hears_that_a_channel_is_closed() -> None:
    channel = tasks.ThreadChannel[int]()

    async def main() -> None:
        async with tasks.Group() as group:
            receiving = group.start(tasks.select, tasks.Receive(channel))
            sending = group.start(tasks.select, tasks.Send(channel, 1))
            await testing.settle()
            channel.close()
            with pytest.raises(tasks.EndOfChannel):
                await receiving.wait()
            with pytest.raises(tasks.Closed):
                await sending.wait()

    with pytest.raises(ExceptionGroup):
        testing.run(main)


def test_selects_in_several_threads_lose_nothing() -> None:
    channel = tasks.ThreadChannel[int](2)
    received: list[int] = []
    sent: list[int] = []

    async def receive() -> None:
        other = tasks.ThreadChannel[int]()
        while True:
            with tasks.move_on_after(0.0005):
                try:
                    _, value = await tasks.select(tasks.Receive(channel), tasks.Receive(other))
                except tasks.EndOfChannel:
                    return
                received.append(value)

    async def receive_beside_others() -> None:
        async with tasks.Group() as group:
            for _ in range(3):
                group.start(receive)

    async def send(base: int) -> None:
        for number in range(base, base + 200):
            with tasks.move_on_after(0.0005):
                await tasks.select(tasks.Send(channel, number))
                sent.append(number)

    receivers = [threading.Thread(target=tasks.run, args=(receive_beside_others,)) for _ in "12"]
    senders = [threading.Thread(target=tasks.run, args=(send, base)) for base in (0, 1000)]
    for thread in receivers + senders:
        thread.start()
    for thread in senders:
        thread.join(20)
    channel.close()
    for thread in receivers:
        thread.join(20)
        assert not thread.is_alive()
    assert len(sent) > 20
    assert sorted(received) == sorted(sent)
