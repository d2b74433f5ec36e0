"""Asynchronous generators: left by `break`, closed, forgotten; with groups and scopes in them."""

import gc
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing

Run = Callable[..., Any]


@pytest.fixture(params=[testing.run, tasks.run], ids=["virtual", "epoll"])
def run(request: pytest.FixtureRequest) -> Run:
    made: Run = request.param
    return made


def test_what_is_left_by_break_is_closed(run: Run) -> None:
    log: list[str] = []

    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            log.append("begins")
            await tasks.sleep(0.001)
            log.append("ends")

    async def main() -> None:
        async for _ in numbers():
            break
        assert log == ["begins"]
        await tasks.sleep(0.01)
        assert log == ["begins", "ends"]

    run(main)


@pytest.mark.parametrize("children", [0, 2])
@pytest.mark.parametrize("way", ["break", "aclose"])
def test_a_group_in_a_generator(run: Run, children: int, way: str) -> None:
    log: list[str] = []

    async def child() -> None:
        try:
            await tasks.sleep_forever()
        finally:
            log.append("child ended")

    async def numbers() -> AsyncGenerator[int]:
        async with tasks.Group() as group:
            for _ in range(children):
                group.start(child)
            await testing.settle()
            yield 1
        raise AssertionError("it is closed at the yield")

    async def main() -> None:
        scope = tasks.current_task().scope
        with tasks.move_on_after(10):
            if way == "aclose":
                async with aclosing(numbers()) as generator:
                    async for _ in generator:
                        break
                assert log == ["child ended"] * children
            else:
                async for _ in numbers():
                    break
        assert tasks.current_task().scope is scope
        await testing.settle()
        assert log == ["child ended"] * children
        assert tasks.current_scheduler().tasks() == [tasks.current_task()]
        # Nothing of the group's cancellation is left here.
        await tasks.checkpoint()

    run(main)


def test_scopes_entered_since_are_not_disturbed() -> None:
    """A generator that is closed later than the scopes around its use were entered."""

    async def numbers() -> AsyncGenerator[int]:
        with tasks.move_on_after(5):
            yield 1

    async def main() -> None:
        generator = numbers()
        assert await anext(generator) == 1

        async def close() -> None:
            await generator.aclose()

        outer = tasks.current_task().scope.parent
        with tasks.move_on_after(1) as inner:
            closing = tasks.current_scheduler().spawn(close)
            await closing.wait()
            assert inner.parent is outer
            await tasks.sleep_forever()
        assert inner.cancelled_caught
        assert tasks.current_task().scope is outer
        assert tasks.now() == 1_000_000_000
        await tasks.sleep(10)

    testing.run(main)


def test_errors_of_closing_are_reported() -> None:
    crashes: list[str] = []

    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            await tasks.checkpoint()
            raise LookupError("in cleaning up")

    async def main() -> None:
        async for _ in numbers():
            break
        await testing.settle()

    testing.run(main, on_crash=lambda task, error: crashes.append(f"{task.name}: {error}"))
    (crash,) = crashes
    assert crash.startswith("close ")
    assert crash.endswith("numbers: in cleaning up")


def test_what_is_left_at_the_end_is_closed(run: Run) -> None:
    log: list[str] = []
    kept: list[AsyncGenerator[int]] = []

    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            log.append("closed")
            try:
                await tasks.checkpoint()
            except tasks.Cancelled:
                log.append("cancelled")
                raise

    async def main() -> None:
        kept.append(numbers())
        await anext(kept[0])

    run(main)
    assert log == ["closed", "cancelled"]


def test_the_garbage_collector_drops_it_in_another_thread() -> None:
    log: list[bool] = []

    async def numbers(cycle: list[Any]) -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            log.append(tasks.current_task().name.startswith("close "))

    async def main() -> None:
        cycle: list[Any] = []
        cycle.append(numbers(cycle))
        await anext(cycle[0])
        del cycle
        gc.disable()
        try:
            await tasks.to_thread(gc.collect)
        finally:
            gc.enable()
        await testing.settle()
        assert log == [True]

    tasks.run(main)


def test_the_hooks_are_the_schedulers_only_while_it_runs() -> None:
    before = sys.get_asyncgen_hooks()
    testing.run(testing.settle)
    assert sys.get_asyncgen_hooks() == before
