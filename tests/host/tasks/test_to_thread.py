"""to_thread: functions that block, beside the tasks."""

import contextvars
import functools
import threading
import time
import weakref
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing


def test_to_thread() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")

    def blocks(number: int) -> tuple[int, int, int]:
        time.sleep(0.001)
        return number, variable.get(), threading.get_ident()

    async def main() -> None:
        variable.set(5)
        number, seen, thread = await tasks.to_thread(blocks, 3)
        assert (number, seen) == (3, 5)
        assert thread != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await tasks.to_thread(lambda: 1 // 0)

    tasks.run(main)
    testing.run(main)


def test_others_run_while_a_thread_works() -> None:
    gate = threading.Event()

    async def main() -> None:
        async with tasks.Group() as group:
            waiting = [group.start(tasks.to_thread, gate.wait, 10) for _ in range(40)]
            await tasks.sleep(0.01)
            assert waiting[0].waits_for == "get the result of Event.wait from a thread"
            gate.set()
            assert [await task.wait() for task in waiting] == [True] * 40

    tasks.run(main)


@pytest.mark.parametrize("abandon", [False, True])
def test_a_cancelled_call_of_a_thread(abandon: bool) -> None:
    gate = threading.Event()
    ended = threading.Event()

    def block() -> str:
        gate.wait(10)
        ended.set()
        return "result"

    async def main() -> None:
        got: list[str] = []

        async def call() -> None:
            got.append(await tasks.to_thread(block, abandon=abandon))
            await tasks.checkpoint()
            got.append("went on")

        async with tasks.Group() as group:
            task = group.start(call)
            await tasks.sleep(0.01)
            task.cancel()
            if abandon:
                await tasks.select(tasks.Ended(task))
            gate.set()
        assert ended.wait(10)
        assert got == ([] if abandon else ["result"])
        assert task.state == "cancelled"

    tasks.run(main)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A pool of two threads."""
    from ovum.services.tasks import workers

    monkeypatch.setattr(workers, "WORKERS", 2)
    monkeypatch.setattr(workers, "_workers", workers._Workers())
    return workers


@pytest.mark.parametrize("abandon", [False, True])
def test_a_call_that_no_thread_has_begun_is_never_made(workers: Any, abandon: bool) -> None:
    gate = threading.Event()
    made: list[int] = []

    async def main() -> None:
        async with tasks.Group() as group:
            busy = [group.start(tasks.to_thread, gate.wait, 10) for _ in range(2)]
            await testing.settle()
            call = functools.partial(tasks.to_thread, made.append, 1, abandon=abandon)
            task = group.start(call, name="queued")
            await testing.settle()
            guests = tasks.current_scheduler().guests
            task.cancel()
            await testing.settle()
            assert task.state == "cancelled"
            assert tasks.current_scheduler().guests == guests - 1
            gate.set()
            assert [await each.wait() for each in busy] == [True, True]
        await tasks.to_thread(made.append, 2)
        assert made == [2]

    tasks.run(main)


def test_a_thread_that_cannot_be_started(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            for _ in range(3):
                with pytest.raises(RuntimeError, match="start new thread"):
                    await tasks.to_thread(made.append, 1)
        assert tasks.current_scheduler().guests == 0
        await tasks.to_thread(made.append, 2)
        assert made == [2]

    tasks.run(main)


def test_an_idle_thread_keeps_nothing_alive(workers: Any) -> None:
    class Big:
        pass

    async def main() -> None:
        big = Big()
        gone = threading.Event()
        weakref.finalize(big, gone.set)
        await tasks.to_thread(lambda big: None, big)
        del big
        assert await tasks.to_thread(gone.wait, 10)

    tasks.run(main)
