"""Events, semaphores, locks, conditions: order, hand-over, misuse."""

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


def test_an_event_wakes_all(seed: int) -> None:
    async def main() -> None:
        event = tasks.Event("go")
        async with tasks.Group() as group:
            waiting = [group.start(event.wait) for _ in range(5)]
            await testing.settle()
            assert len(event.parking) == 5
            assert waiting[0].waits_for == "see event 'go'"
            event.set()
            event.clear()
        await testing.settle()
        assert not event.is_set()

    testing.run(main, seed=seed)


def test_a_lock_is_handed_over_in_order() -> None:
    order: list[int] = []

    async def main() -> None:
        lock = tasks.Lock("door")

        async def enter(number: int) -> None:
            async with lock:
                order.append(number)
                await tasks.checkpoint()

        async with tasks.Group() as group:
            for number in range(10):
                group.start(enter, number)
        assert not lock.locked()

    testing.run(main)
    assert order == list(range(10))


def test_only_one_task_is_inside_a_lock(seed: int) -> None:
    async def main() -> None:
        lock, inside, most = tasks.Lock(), 0, 0

        async def enter() -> None:
            nonlocal inside, most
            for _ in range(5):
                async with lock:
                    inside += 1
                    most = max(most, inside)
                    await tasks.checkpoint()
                    inside -= 1
                await tasks.checkpoint()

        async with tasks.Group() as group:
            for _ in range(6):
                group.start(enter)
        assert most == 1

    testing.run(main, seed=seed)


def test_misuse_of_a_lock_is_told() -> None:
    async def main() -> None:
        lock = tasks.Lock("door")
        with pytest.raises(RuntimeError, match="does not hold"):
            lock.release()
        async with lock:
            with pytest.raises(RuntimeError, match="holds lock 'door' already"):
                await lock.acquire()
            with pytest.raises(tasks.WouldBlock, match="is held by"):
                lock.acquire_nowait()

    testing.run(main)


def test_a_semaphore_counts(seed: int) -> None:
    async def main() -> None:
        semaphore, inside, most = tasks.Semaphore(3), 0, 0

        async def enter() -> None:
            nonlocal inside, most
            async with semaphore:
                inside += 1
                most = max(most, inside)
                await tasks.sleep(1)
                inside -= 1

        async with tasks.Group() as group:
            for _ in range(9):
                group.start(enter)
        assert (most, semaphore.permits) == (3, 3)
        assert tasks.now() == 3_000_000_000
        with pytest.raises(tasks.WouldBlock):
            tasks.Semaphore(0).acquire_nowait()

    testing.run(main, seed=seed)


def test_a_condition() -> None:
    async def main() -> None:
        condition = tasks.Condition()
        items: list[int] = []
        taken: list[int] = []

        async def take() -> None:
            async with condition:
                while not items:
                    await condition.wait()
                taken.append(items.pop())

        async with tasks.Group() as group:
            for _ in range(3):
                group.start(take)
            await testing.settle()
            async with condition:
                items.append(1)
                condition.notify()
            await testing.settle()
            assert taken == [1]
            async with condition:
                items.extend((2, 3))
                condition.notify_all()
        assert sorted(taken) == [1, 2, 3]
        with pytest.raises(RuntimeError, match="not held"):
            condition.notify()
        with pytest.raises(RuntimeError, match="not held"):
            await condition.wait()

    testing.run(main)


def test_permits_are_handed_over_in_order() -> None:
    order: list[int] = []

    async def main() -> None:
        semaphore = tasks.Semaphore(1)

        async def take(number: int) -> None:
            async with semaphore:
                order.append(number)
                await tasks.checkpoint()

        async with tasks.Group() as group:
            started = [group.start(take, number) for number in range(8)]
            await tasks.checkpoint()
            started[4].cancel()

    testing.run(main)
    assert order == [0, 1, 2, 3, 5, 6, 7]
