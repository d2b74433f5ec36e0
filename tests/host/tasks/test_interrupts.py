"""Ctrl-C: where it is raised, when it cannot be, and that nobody is held up by it."""

import os
import signal
import threading

import pytest

from ovum.services import tasks
from ovum.services.tasks import testing
from tests.host.tasks.test_threads import scheduler_in_a_thread


def interrupt() -> None:
    """Ctrl-C, from whatever thread."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def test_ctrl_c_that_has_to_wait_holds_up_nobody() -> None:
    reading, writing = os.pipe()
    told = threading.Event()
    seen: list[bool] = []

    async def other() -> None:
        await tasks.wait_readable(reading)
        told.set()

    def block() -> bool:
        interrupt()
        os.write(writing, b"x")
        return told.wait(10)

    async def main() -> None:
        async with tasks.Group() as group:
            group.start(other)
            # Cannot be ended, and ends when the other task has got its event.
            seen.append(await tasks.to_thread(block))
            await tasks.checkpoint()
            seen.append(False)

    with pytest.raises(KeyboardInterrupt):
        tasks.run(main)
    assert seen == [True]
    os.close(reading)
    os.close(writing)


def test_ctrl_c_in_the_last_step_of_the_main_task() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tasks.run(main)


def test_ctrl_c_after_the_main_task() -> None:
    reading, writing = os.pipe()
    cleaned: list[str] = []

    async def service() -> None:
        try:
            await tasks.sleep_forever()
        finally:
            with tasks.CancelScope(shield=True):
                signal.raise_signal(signal.SIGINT)
                await tasks.to_thread(os.write, writing, b"x")
                await tasks.wait_readable(reading)
                cleaned.append("service")

    async def main() -> None:
        tasks.current_scheduler().spawn(service)
        await tasks.checkpoint()

    with pytest.raises(KeyboardInterrupt):
        tasks.run(main)
    assert cleaned == ["service"]
    os.close(reading)
    os.close(writing)


def test_what_the_main_task_raised_is_the_cause() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        raise LookupError("of main")

    with pytest.raises(KeyboardInterrupt) as caught:
        tasks.run(main)
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("notified", [False, True])
def test_a_condition_holds_its_lock_after_ctrl_c(notified: bool) -> None:
    """Also if Ctrl-C comes while it waits to get the lock back."""
    held: list[bool] = []

    async def main() -> None:
        condition = tasks.Condition()

        async def other() -> None:
            async with condition:
                if notified:
                    condition.notify()
                tasks.current_scheduler().interrupt_main()
                await testing.settle()

        async with tasks.Group() as group, condition:
            group.start(other)
            try:
                await condition.wait()
            finally:
                held.append(condition.lock.owner is tasks.current_task())

    with pytest.raises(KeyboardInterrupt):
        testing.run(main)
    assert held == [True]


def test_calls_that_never_end_do_not_keep_events_away() -> None:
    reading, writing = os.pipe()

    async def main() -> bool:
        scheduler = tasks.current_scheduler()
        stop = False

        def again() -> None:
            if not stop:
                scheduler.call_soon(again)

        again()
        os.write(writing, b"x")
        with tasks.move_on_after(10) as scope:
            await tasks.wait_readable(reading)
        stop = True
        return scope.cancelled_caught

    assert not tasks.run(main)
    os.close(reading)
    os.close(writing)


class AlarmError(Exception):
    """What a signal's handler raises."""


def test_whatever_a_signal_raises_cancels_the_call_of_a_thread() -> None:
    ended = threading.Event()

    async def wait() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        try:
            await tasks.sleep_forever()
        finally:
            ended.set()

    def handler(number: int, frame: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with scheduler_in_a_thread() as scheduler:
            with pytest.raises(AlarmError):
                tasks.from_thread(scheduler, wait)
            assert ended.wait(10)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_the_end_of_the_scheduler_does_not_hide_ctrl_c() -> None:
    found: list[tasks.Scheduler] = []
    started = threading.Event()

    async def main() -> None:
        end = tasks.Event()

        def handler(number: int, frame: object) -> None:
            found[0].call_soon(end.set)
            thread.join(10)
            raise KeyboardInterrupt

        handlers.append(handler)
        found.append(tasks.current_scheduler())
        started.set()
        await end.wait()

    async def wait() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
        await tasks.sleep_forever()

    handlers: list[signal.Handlers | object] = []
    thread = threading.Thread(target=tasks.run, args=(main,))
    thread.start()
    assert started.wait(10)
    before = signal.signal(signal.SIGALRM, handlers[0])  # type: ignore[arg-type]
    try:
        with pytest.raises(KeyboardInterrupt):
            tasks.from_thread(found[0], wait)
    finally:
        signal.signal(signal.SIGALRM, before)
