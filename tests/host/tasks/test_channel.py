"""Channels: order, capacity, fairness, closing."""

import random
from collections import Counter

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_values_arrive_once_each_and_in_order(capacity: int, seed: int) -> None:
    received: list[tuple[int, int]] = []

    async def send(channel: tasks.Channel[tuple[int, int]], who: int) -> None:
        for number in range(50):
            await channel.send((who, number))
            if number % 7 == who:
                await tasks.checkpoint()

    async def receive(channel: tasks.Channel[tuple[int, int]]) -> None:
        async for value in channel:
            received.append(value)

    async def main() -> None:
        channel = tasks.Channel[tuple[int, int]](capacity)
        async with tasks.Group() as receivers:
            receivers.start(receive, channel)
            async with tasks.Group() as senders:
                for who in range(3):
                    senders.start(send, channel, who)
            channel.close()

    testing.run(main, seed=seed)
    assert len(received) == 150
    for who in range(3):
        assert [number for sender, number in received if sender == who] == list(range(50))


def test_many_receivers_share_all_values_fairly(seed: int) -> None:
    shares: Counter[int] = Counter()

    async def receive(channel: tasks.Channel[int], who: int) -> None:
        async for _ in channel:
            shares[who] += 1

    async def main() -> None:
        channel = tasks.Channel[int]()
        async with tasks.Group() as group:
            for who in range(4):
                group.start(receive, channel, who)
            for number in range(400):
                await channel.send(number)
            channel.close()

    testing.run(main, seed=seed)
    assert shares.total() == 400
    assert min(shares.values()) >= 90


def test_a_rendezvous_ends_when_the_value_is_received() -> None:
    async def main() -> None:
        channel = tasks.Channel[int]()
        async with tasks.Group() as group:
            sender = group.start(channel.send, 1)
            await testing.settle()
            assert sender.waits_for is not None
            assert sender.waits_for.startswith("send on channel ")
            assert channel.statistics().senders_waiting == 1
            assert await channel.receive() == 1
            await sender.wait()

    testing.run(main)


def test_nowait_refuses_instead_of_waiting() -> None:
    async def main() -> None:
        channel = tasks.Channel[int](2, name="pair")
        with pytest.raises(tasks.WouldBlock, match="channel 'pair' is empty"):
            channel.receive_nowait()
        channel.send_nowait(1)
        channel.send_nowait(2)
        with pytest.raises(tasks.WouldBlock, match="channel 'pair' is full"):
            channel.send_nowait(3)
        assert channel.statistics().buffered == channel.statistics().capacity == 2
        assert [channel.receive_nowait(), channel.receive_nowait()] == [1, 2]

    testing.run(main)


def test_nowait_serves_those_who_wait() -> None:
    async def main() -> None:
        channel = tasks.Channel[int]()
        async with tasks.Group() as group:
            receiver = group.start(channel.receive)
            await testing.settle()
            channel.send_nowait(5)
            assert await receiver.wait() == 5
            sender = group.start(channel.send, 6)
            await testing.settle()
            assert channel.receive_nowait() == 6
            await sender.wait()

    testing.run(main)


def test_closing_drains_and_then_ends() -> None:
    async def main() -> None:
        channel = tasks.Channel[int](3)
        for number in range(3):
            await channel.send(number)
        channel.close()
        channel.close()
        assert channel.closed
        with pytest.raises(tasks.Closed):
            await channel.send(9)
        with pytest.raises(tasks.Closed):
            channel.send_nowait(9)
        assert [value async for value in channel] == [0, 1, 2]
        with pytest.raises(tasks.EndOfChannel) as caught:
            await channel.receive()
        assert caught.value.channel is channel
        with pytest.raises(tasks.EndOfChannel):
            channel.receive_nowait()

    testing.run(main)


def test_closing_tells_all_who_wait(seed: int) -> None:
    async def main() -> None:
        full, empty = tasks.Channel[int](), tasks.Channel[int]()

        async def send() -> str:
            try:
                await full.send(1)
            except tasks.Closed:
                return "closed"
            return "sent"

        async def receive() -> str:
            try:
                await empty.receive()
            except tasks.EndOfChannel:
                return "ended"
            return "received"

        async with tasks.Group() as group:
            waiting = [group.start(fn) for fn in (send, receive, send, receive)]
            await testing.settle()
            full.close()
            empty.close()
            results = [await task.wait() for task in waiting]
        assert results == ["closed", "ended", "closed", "ended"]

    testing.run(main, seed=seed)


def test_a_cancelled_sender_has_not_sent(seed: int) -> None:
    async def main() -> None:
        channel = tasks.Channel[int]()
        async with tasks.Group() as group:
            senders = [group.start(channel.send, number) for number in range(20)]
            await testing.settle()
            gone = random.Random(seed).sample(range(20), 12)
            for number in gone:
                senders[number].cancel()
            left = channel.statistics().senders_waiting
            assert left == 8
            received = {await channel.receive() for _ in range(left)}
            assert received == set(range(20)) - set(gone)
            with pytest.raises(tasks.WouldBlock):
                channel.receive_nowait()

    testing.run(main, seed=seed)


def test_a_value_handed_over_is_not_lost_to_a_cancellation_that_comes_later() -> None:
    async def main() -> None:
        channel = tasks.Channel[int]()
        got: list[int] = []

        async def receive() -> None:
            got.append(await channel.receive())

        async with tasks.Group() as group:
            receiver = group.start(receive)
            await testing.settle()
            channel.send_nowait(1)
            receiver.cancel()
        assert got == [1]

    testing.run(main)


def test_a_task_that_never_waits_lets_others_run() -> None:
    async def main() -> None:
        channel = tasks.Channel[int](1000)
        steps = 0

        async def count() -> None:
            nonlocal steps
            while True:
                steps += 1
                await tasks.checkpoint()

        async with tasks.Group() as group:
            group.start(count)
            for number in range(500):
                await channel.send(number)
            group.cancel()
        assert steps >= 10

    testing.run(main)


def test_a_capacity_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        tasks.Channel[int](-1)


@pytest.mark.parametrize("capacity", [0, 2])
def test_who_waits_is_served_in_the_order_of_coming(capacity: int) -> None:
    async def main() -> None:
        channel = tasks.Channel[int](capacity)
        async with tasks.Group() as group:
            receivers = [group.start(channel.receive) for _ in range(6)]
            await testing.settle()
            receivers.pop(3).cancel()
            for number in range(5):
                channel.send_nowait(number)
            assert [await task.wait() for task in receivers] == [0, 1, 2, 3, 4]
            senders = [group.start(channel.send, number) for number in range(6 + capacity)]
            await testing.settle()
            senders[4 + capacity].cancel()
            await testing.settle()
            left = [number for number in range(6 + capacity) if number != 4 + capacity]
            for count, number in enumerate(left, 1):
                assert channel.receive_nowait() == number
                await testing.settle()
                done = [task.state == "done" for task in senders]
                assert done.count(True) == min(count + capacity, len(left))

    testing.run(main)


def test_whether_a_channel_is_closed() -> None:
    channel = tasks.Channel[int](1)
    states = [channel.closed]
    channel.send_nowait(1)
    channel.close()
    states += [channel.closed, channel.statistics().closed]
    assert channel.receive_nowait() == 1
    assert [*states, channel.closed] == [False, True, True, True]
