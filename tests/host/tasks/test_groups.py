"""Groups and scopes: what fails, what is cancelled, what is waited for."""

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


async def fail(error: BaseException, seconds: float = 0) -> None:
    await tasks.sleep(seconds)
    raise error


def test_a_group_waits_for_its_tasks(seed: int) -> None:
    done: list[int] = []

    async def work(number: int) -> int:
        await tasks.sleep(number)
        done.append(number)
        return number

    async def main() -> list[int]:
        async with tasks.Group() as group:
            started = [group.start(work, number) for number in (3, 1, 2)]
        return [await task.wait() for task in started]

    assert testing.run(main, seed=seed) == [3, 1, 2]
    assert done == [1, 2, 3]


def test_the_first_failure_cancels_the_siblings(seed: int) -> None:
    ended: list[str] = []

    async def sleep_long() -> None:
        try:
            await tasks.sleep(1000)
        except tasks.Cancelled:
            ended.append("sleeper")
            raise

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with tasks.Group("workers") as group:
                group.start(sleep_long)
                group.start(fail, LookupError("first"), 1)
                try:
                    await tasks.sleep_forever()
                finally:
                    ended.append("block")
        assert [str(error) for error in caught.value.exceptions] == ["first"]
        assert "workers" in str(caught.value)
        assert tasks.now() == 1_000_000_000

    testing.run(main, seed=seed)
    assert sorted(ended) == ["block", "sleeper"]


def test_everything_that_failed_surfaces(seed: int) -> None:
    async def fails_at_its_end() -> None:
        try:
            await tasks.sleep_forever()
        finally:
            raise ValueError("in cleaning up")

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with tasks.Group() as group:
                group.start(fails_at_its_end)
                await tasks.checkpoint()
                raise LookupError("in the block")
        assert sorted(map(repr, caught.value.exceptions)) == [
            "LookupError('in the block')",
            "ValueError('in cleaning up')",
        ]

    testing.run(main, seed=seed)


def test_groups_nest() -> None:
    async def inner() -> None:
        async with tasks.Group() as group:
            group.start(fail, KeyError("deep"), 1)
            group.start(tasks.sleep_forever)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with tasks.Group() as group:
                group.start(inner)
                group.start(tasks.sleep_forever)
        assert caught.group_contains(KeyError, depth=2)

    testing.run(main)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_leaves_bare(kind: type[BaseException]) -> None:
    async def main() -> None:
        async with tasks.Group() as group:
            group.start(fail, kind("end"))
            group.start(tasks.sleep_forever)

    with pytest.raises(kind):
        testing.run(main)


def test_a_cancelled_group_ends_without_an_error() -> None:
    async def main() -> str:
        async with tasks.Group() as group:
            group.start(tasks.sleep_forever)
            group.cancel()
        return "went on"

    assert testing.run(main) == "went on"


def test_a_task_cancelled_alone_does_not_disturb_its_group() -> None:
    async def main() -> None:
        async with tasks.Group() as group:
            other = group.start(tasks.sleep, 1)
            task = group.start(tasks.sleep_forever)
            await tasks.checkpoint()
            task.cancel()
            with pytest.raises(tasks.TaskCancelled):
                await task.wait()
            await other.wait()
        assert other.state == "done"

    testing.run(main)


def test_no_task_can_be_started_in_a_group_that_has_ended() -> None:
    async def main() -> None:
        async with tasks.Group() as group:
            pass
        with pytest.raises(RuntimeError, match="not open"):
            group.start(tasks.sleep, 1)
        async with tasks.Group() as group:
            with pytest.raises(TypeError, match="async function"):
                group.start(print, "x")  # type: ignore[arg-type]

    testing.run(main)


# Scopes


def test_timeouts_nest() -> None:
    async def main() -> None:
        with tasks.move_on_after(10) as outer:
            with pytest.raises(TimeoutError), tasks.timeout(1), tasks.move_on_after(5) as inner:
                await tasks.sleep_forever()
            assert not inner.cancelled_caught
            assert tasks.now() == 1_000_000_000
            await tasks.sleep_forever()
        assert outer.cancelled_caught
        assert tasks.now() == 10_000_000_000

    testing.run(main)


def test_the_outer_of_two_that_are_due_gets_the_cancellation() -> None:
    async def main() -> None:
        with tasks.move_on_after(1) as outer:
            with tasks.move_on_after(1) as inner:
                await tasks.sleep_forever()
            raise AssertionError("the outer scope is cancelled as well")
        assert outer.cancelled_caught
        assert not inner.cancelled_caught

    testing.run(main)


def test_a_deadline_can_be_moved() -> None:
    async def main() -> None:
        with tasks.move_on_after(1) as scope:
            await tasks.sleep(0.5)
            assert scope.deadline is not None
            scope.deadline += 4_000_000_000
            await tasks.sleep_forever()
        assert tasks.now() == 5_000_000_000
        with tasks.move_on_after(1) as scope:
            scope.deadline = None
            await tasks.sleep(60)
        assert not scope.cancelled_caught

    testing.run(main)


def test_a_shield_can_be_lifted() -> None:
    async def main() -> None:
        shield = tasks.CancelScope(shield=True)
        seen: list[str] = []

        async def work() -> None:
            with shield:
                await tasks.sleep(1)
                seen.append("shielded")
                shield.shield = False
                await tasks.sleep(1)
                seen.append("not shielded")

        async with tasks.Group() as group:
            group.start(work)
            await tasks.checkpoint()
            group.cancel()
        assert seen == ["shielded"]

    testing.run(main)


def test_cancelled_is_raised_at_every_checkpoint() -> None:
    async def main() -> None:
        count = 0
        with tasks.CancelScope() as scope:
            scope.cancel()
            for _ in range(5):
                try:
                    await tasks.checkpoint()
                except tasks.Cancelled:
                    count += 1
            await tasks.checkpoint()
        assert count == 5
        assert scope.cancelled_caught

    testing.run(main)


def test_no_timeout_is_not_a_number() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="NaN"):
            tasks.timeout(float("nan"))
        with tasks.timeout(float("inf")):
            await tasks.sleep(1e6)

    testing.run(main)


def test_scopes_are_left_in_order() -> None:
    async def main() -> None:
        outer, inner = tasks.CancelScope(), tasks.CancelScope()
        outer.__enter__()
        inner.__enter__()
        with pytest.raises(RuntimeError, match="a scope inside it"):
            outer.__exit__(None, None, None)
        inner.__exit__(None, None, None)
        outer.__exit__(None, None, None)
        with pytest.raises(RuntimeError, match="once only"), inner:
            pass

    testing.run(main)


def test_nobody_who_waits_for_ever_goes_unnoticed() -> None:
    async def main() -> None:
        await tasks.Event("that nobody sets").wait()

    with pytest.raises(tasks.Deadlock, match="that nobody sets"):
        testing.run(main)


def test_an_exception_that_was_waited_for_is_in_the_group_once() -> None:
    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with tasks.Group() as group:
                await group.start(fail, LookupError("one")).wait()
        assert len(caught.value.exceptions) == 1

    testing.run(main)


def test_only_async_functions_can_be_run() -> None:
    coroutine = fail(LookupError())
    with pytest.raises(TypeError, match="async function"):
        testing.run(print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not callable"):
        testing.run(coroutine)  # type: ignore[arg-type]
    coroutine.close()
    # The thread is free for another scheduler.
    testing.run(tasks.sleep, 1)
