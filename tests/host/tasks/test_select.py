"""select: one of several, exactly one, and none starves."""

import random
from collections import Counter
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


def test_what_is_ready_is_done_at_once() -> None:
    async def main() -> None:
        full, event, lock = tasks.Channel[int](1), tasks.Event(), tasks.Lock()
        full.send_nowait(3)
        empty = tasks.Channel[int]()
        receive, wait, acquire = tasks.Receive(full), tasks.Wait(event), tasks.Acquire(lock)
        assert await tasks.select(receive, tasks.Receive(empty)) == (receive, 3)
        event.set()
        assert await tasks.select(wait, tasks.After(1)) == (wait, None)
        assert await tasks.select(tasks.Receive(empty), acquire) == (acquire, None)
        assert lock.owner is tasks.current_task()
        send = tasks.Send(full, 4)
        assert await tasks.select(send, tasks.Receive(empty)) == (send, None)
        assert full.receive_nowait() == 4

    testing.run(main)


def test_the_first_that_comes_is_done_and_no_other() -> None:
    async def main() -> None:
        one, two, out = tasks.Channel[int](), tasks.Channel[int](), tasks.Channel[int]()
        event = tasks.Event()
        receive = tasks.Receive(two)
        async with tasks.Group() as group:
            task = group.start(
                tasks.select,
                *(tasks.Receive(one), receive, tasks.Send(out, 9), tasks.Wait(event)),
                tasks.After(5),
            )
            await testing.settle()
            assert task.waits_for is not None
            assert task.waits_for.count(", or ") == 4
            two.send_nowait(7)
            # All others have left their queues already.
            with pytest.raises(tasks.WouldBlock):
                one.send_nowait(1)
            with pytest.raises(tasks.WouldBlock):
                out.receive_nowait()
            event.set()
            assert await task.wait() == (receive, 7)
        assert tasks.now() == 0

    testing.run(main)


def test_times() -> None:
    async def main() -> None:
        empty = tasks.Channel[int]()
        after, until = tasks.After(2), tasks.Until(3_000_000_000)
        assert (await tasks.select(tasks.Receive(empty), after))[0] is after
        assert tasks.now() == 2_000_000_000
        # The time of a branch is its own: in a loop it comes but once.
        assert (await tasks.select(tasks.Receive(empty), until))[0] is until
        assert tasks.now() == 3_000_000_000
        assert (await tasks.select(tasks.Receive(empty), after))[0] is after
        assert tasks.now() == 3_000_000_000
        assert not tasks.current_scheduler().deadlines.heap

    testing.run(main)


def test_the_end_of_a_task() -> None:
    async def fail() -> None:
        await tasks.sleep(1)
        raise ValueError("it failed")

    async def main() -> None:
        with pytest.raises(ExceptionGroup):
            async with tasks.Group() as group:
                ended = tasks.Ended(group.start(fail))
                with tasks.CancelScope(shield=True):
                    branch, task = await tasks.select(ended, tasks.After(2))
                assert branch is ended
                assert task.state == "failed"

    testing.run(main)


def test_what_a_branch_raises_is_raised() -> None:
    async def main() -> None:
        channel, other = tasks.Channel[int](), tasks.Channel[int]()
        async with tasks.Group() as group:

            async def close() -> None:
                channel.close()

            group.start(close)
            with pytest.raises(tasks.EndOfChannel) as caught:
                await tasks.select(tasks.Receive(other), tasks.Receive(channel))
            assert caught.value.channel is channel
        with pytest.raises(tasks.Closed):
            await tasks.select(tasks.Send(channel, 1))
        assert other.statistics().receivers_waiting == 0
        with pytest.raises(ValueError, match="needs a branch"):
            await tasks.select()

    testing.run(main)


def test_cancelled_it_has_done_nothing() -> None:
    async def main() -> None:
        empty, out = tasks.Channel[int](), tasks.Channel[int]()
        with tasks.move_on_after(1) as scope:
            await tasks.select(tasks.Receive(empty), tasks.Send(out, 1), tasks.After(9))
        assert scope.cancelled_caught
        assert empty.statistics().receivers_waiting == out.statistics().senders_waiting == 0
        assert tasks.current_scheduler().deadlines.next() is None
        with tasks.CancelScope() as cancelled:
            cancelled.cancel()
            empty = tasks.Channel[int](1)
            empty.send_nowait(1)
            await tasks.select(tasks.Receive(empty))
        assert empty.receive_nowait() == 1

    testing.run(main)


def test_no_ready_branch_starves() -> None:
    async def main() -> None:
        channels = [tasks.Channel[int](1) for _ in range(5)]
        for channel in channels:
            channel.send_nowait(0)
        branches = [tasks.Receive(channel) for channel in channels]
        chosen: Counter[Any] = Counter()
        for _ in range(1000):
            branch, _ = await tasks.select(*branches)
            chosen[branch] += 1
            assert isinstance(branch, tasks.Receive)
            branch.channel.send_nowait(0)
        assert len(chosen) == 5
        assert min(chosen.values()) > 100

    testing.run(main)


def test_selects_meet_each_other(seed: int) -> None:
    """Senders and receivers that all select, and are cancelled at times: every value that was
    sent is received exactly once."""
    dice = random.Random(seed)
    sent: list[int] = []
    received: list[int] = []

    async def send(channels: list[tasks.Channel[int]], base: int) -> None:
        for number in range(base, base + 100):
            with tasks.move_on_after(dice.choice([0, 0.5, 100])):
                await tasks.select(*(tasks.Send(channel, number) for channel in channels))
                sent.append(number)

    async def receive(channels: list[tasks.Channel[int]]) -> None:
        timer = tasks.After(1e6)
        while True:
            with tasks.move_on_after(dice.choice([0, 0.5, 100])):
                branch, value = await tasks.select(
                    *(tasks.Receive(channel) for channel in channels), timer
                )
                if branch is timer:
                    return
                received.append(value)
            await tasks.sleep(dice.choice([0, 0.25]))

    async def main() -> None:
        channels = [tasks.Channel[int](capacity) for capacity in (0, 0, 2)]
        async with tasks.Group() as receivers:
            for _ in range(4):
                receivers.start(receive, channels)
            async with tasks.Group() as senders:
                for base in range(0, 500, 100):
                    senders.start(send, dice.sample(channels, 2), base)
            await tasks.sleep(1000)
            receivers.cancel()

    testing.run(main, seed=seed)
    assert len(sent) > 100
    assert sorted(received) == sorted(sent)


def test_the_same_seed_makes_the_same_run() -> None:
    async def main() -> list[int]:
        order: list[int] = []

        async def note(number: int) -> None:
            for _ in range(3):
                await tasks.checkpoint()
                order.append(number)

        async with tasks.Group() as group:
            for number in range(8):
                group.start(note, number)
        return order

    runs = [testing.run(main, seed=seed) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize("dead", range(4))
def test_two_branches_on_one_queue(dead: int) -> None:
    """Whichever waits before and after them is gone, none is left behind, and none too many."""

    async def main() -> None:
        channel, other = tasks.Channel[int](), tasks.Channel[int]()
        async with tasks.Group() as group:
            waiting = [group.start(channel.receive) for _ in range(4)]
            await testing.settle()
            waiting[dead].cancel()
            choice = group.start(
                tasks.select,
                *(tasks.Receive(channel), tasks.Receive(channel), tasks.Receive(other)),
            )
            waiting.append(group.start(channel.receive))
            await testing.settle()
            other.send_nowait(5)
            assert (await choice.wait())[1] == 5
            assert channel.statistics().receivers_waiting == 4
            for number in range(4):
                channel.send_nowait(number)
            with pytest.raises(tasks.WouldBlock):
                channel.send_nowait(9)
            del waiting[dead]
            assert [await task.wait() for task in waiting] == [0, 1, 2, 3]

    testing.run(main)


def test_one_of_two_branches_on_one_queue_is_done() -> None:
    async def main() -> None:
        channel = tasks.Channel[int]()
        async with tasks.Group() as group:
            choice = group.start(tasks.select, tasks.Receive(channel), tasks.Receive(channel))
            await testing.settle()
            channel.send_nowait(1)
            with pytest.raises(tasks.WouldBlock):
                channel.send_nowait(2)
            assert (await choice.wait())[1] == 1

    testing.run(main)


def test_a_branch_that_cannot_wait_leaves_no_other_waiting() -> None:
    class Broken(tasks.Branch):
        def attempt(self) -> None:
            raise tasks.WouldBlock

        def enlist(self, scheduler: tasks.Scheduler, arm: tasks.Waiter) -> None:
            raise OSError("no such device")

    async def main() -> None:
        channel = tasks.Channel[int]()
        receive = tasks.Receive(channel)
        for branches in ((receive, receive, Broken()), (receive, tasks.After(5), Broken())):
            with pytest.raises(OSError, match="no such device"):
                await tasks.select(*branches)
            assert channel.statistics().receivers_waiting == 0
            assert tasks.current_scheduler().deadlines.next() is None
            with pytest.raises(tasks.WouldBlock):
                channel.send_nowait(1)

    testing.run(main)


def test_a_select_does_not_wait_for_a_lock_of_its_own() -> None:
    async def main() -> None:
        lock = tasks.Lock()
        event = tasks.Event()
        async with lock:
            with pytest.raises(RuntimeError, match="already"):
                await tasks.select(tasks.Wait(event), tasks.Acquire(lock))
        assert not event.parking

    testing.run(main)


def test_what_came_before_the_cancellation_is_done() -> None:
    """Though its task has not run yet: the value is not lost, and the next checkpoint raises."""

    async def main() -> None:
        channel = tasks.Channel[int]()
        results: list[object] = []

        async def choose() -> None:
            receive = tasks.Receive(channel)
            results.append((await tasks.select(receive, tasks.After(5)))[1])
            await tasks.checkpoint()
            results.append("went on")

        async with tasks.Group() as group:
            task = group.start(choose)
            await testing.settle()
            channel.send_nowait(7)
            task.cancel()
        assert results == [7]
        assert task.state == "cancelled"

    testing.run(main)


def test_none_starves_whatever_its_kind() -> None:
    async def main() -> None:
        async with tasks.Group() as group:
            done = group.start(testing.settle)
        channel, out = tasks.Channel[int](1), tasks.Channel[int](1)
        event, semaphore = tasks.Event(), tasks.Semaphore(1)
        event.set()
        branches = (
            *(tasks.Receive(channel), tasks.Send(out, 1), tasks.Wait(event)),
            *(tasks.Acquire(semaphore), tasks.Until(0), tasks.Ended(done)),
        )
        chosen: Counter[Any] = Counter()
        for _ in range(1200):
            if not channel.statistics().buffered:
                channel.send_nowait(0)
            branch, _ = await tasks.select(*branches)
            chosen[branch] += 1
            if branch is branches[1]:
                out.receive_nowait()
            elif branch is branches[3]:
                semaphore.release()
        assert len(chosen) == 6
        assert min(chosen.values()) > 120

    testing.run(main)


def test_chance_depends_on_the_seed() -> None:
    async def main() -> list[int]:
        branches = [tasks.Until(0) for _ in range(4)]
        return [branches.index((await tasks.select(*branches))[0]) for _ in range(40)]  # type: ignore[arg-type]

    runs = [testing.run(main, seed=seed) for seed in (1, 1, 2_000_000)]
    assert runs[0] == runs[1] != runs[2]
