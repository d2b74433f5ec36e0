"""What can be seen of tasks, and what is reported."""

import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import instrument, testing
from ovum.services.tasks.epoll import EpollBackend
from ovum.services.tasks.watchdog import SlowStep, watchdog
from tests.host.tasks import conftest


def test_a_task_tells_what_it_does() -> None:
    async def wait_deep(channel: tasks.Channel[int]) -> None:
        await channel.receive()

    async def main() -> None:
        channel = tasks.Channel[int](name="work")
        async with tasks.Group() as group:
            task = group.start(wait_deep, channel, name="worker")
            assert (task.name, task.state, task.waits_for) == ("worker", "ready", None)
            await testing.settle()
            assert (task.state, task.waits_for) == ("waiting", "receive on channel 'work'")
            assert [frame.name for frame in instrument.stack(task)] == [
                *("wait_deep", "receive", "park"),
            ]
            found = tasks.current_scheduler().tasks()
            assert found == [tasks.current_task(), task]
            text = tasks.current_scheduler().dump()
            assert "task 'worker': waits to receive on channel 'work'" in text
            assert "await channel.receive()" in text
            channel.close()
            with pytest.raises(tasks.EndOfChannel):
                await task.wait()
            assert task.state == "failed"
            raise RuntimeError("the block's own")

    with pytest.raises(ExceptionGroup):
        testing.run(main)


def test_times_are_counted() -> None:
    async def main() -> None:
        async def work() -> None:
            testing.spin(12)
            await tasks.checkpoint()
            testing.spin(12)

        async with tasks.Group() as group:
            busy, idle = group.start(work), group.start(tasks.sleep, 0.01)
        assert busy.cpu_ns >= 24_000_000
        assert idle.cpu_ns < 12_000_000

    tasks.run(main)


def test_who_keeps_all_others_waiting_is_reported() -> None:
    async def main() -> None:
        async def slow() -> None:
            tick(60)
            await tasks.sleep(0.001)

        async with tasks.Group() as group:
            group.start(slow)

    reports, scheduler = run_with_ticks(main)
    (report,) = reports
    assert report.name.endswith("slow")
    assert (report.running, report.spent_ns) == (False, 60_000_000)
    assert [frame.f_code.co_name for frame, _ in report.stack] == ["slow", "sleep", "park"]
    assert scheduler.slow_count == 1


class TickingBackend(testing.VirtualBackend):
    """A clock that goes only when it is told to, also while a task runs."""


ticking: list[TickingBackend] = []


def tick(milliseconds: int) -> None:
    """Time passes while a task runs."""
    ticking[-1].time_ns += milliseconds * 1_000_000


def run_with_ticks(
    main: Callable[[], Coroutine[Any, Any, None]],
) -> tuple[list[SlowStep], tasks.Scheduler]:
    """Runs over such a clock; returns what was reported, and the scheduler."""
    reports: list[SlowStep] = []
    backend = TickingBackend()
    scheduler = tasks.Scheduler(backend, on_slow=reports.append)
    backend.scheduler = scheduler
    ticking.append(backend)
    scheduler.run(main)
    return reports, scheduler


def test_a_report_that_fails_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        tick(60)
        await tasks.checkpoint()
        return "done"

    def report(step: SlowStep) -> None:
        raise OSError("too many open files")

    backend = TickingBackend()
    scheduler = backend.scheduler = tasks.Scheduler(backend, on_slow=report)
    ticking.append(backend)
    assert scheduler.run(main) == "done"
    assert "too many open files" in caplog.text


@pytest.mark.parametrize(("milliseconds", "count"), [(45, 0), (50, 0), (51, 1)])
def test_the_limit_is_50_ms(milliseconds: int, count: int) -> None:
    async def main() -> None:
        tick(milliseconds)
        await tasks.checkpoint()

        async def served() -> None:
            tick(milliseconds)

        tasks.current_scheduler().call_soon(
            lambda: tasks.current_scheduler().spawn_now(served(), "served")
        )
        await tasks.checkpoint()
        await tasks.checkpoint()

    reports, scheduler = run_with_ticks(main)
    names = [report.name.rpartition(".")[2] for report in reports]
    assert names == ["main", "served"] * count
    assert scheduler.slow_count == len(reports)


# What still runs


def run_watched(
    main: Callable[[], Coroutine[Any, Any, None]],
    on_slow: Callable[[SlowStep], None],
) -> tasks.Scheduler:
    backend = EpollBackend()
    try:
        scheduler = tasks.Scheduler(backend, on_slow=on_slow, slow_ns=1_000_000)
        scheduler.watchdog = watchdog
        scheduler.run(main)
        return scheduler
    finally:
        backend.close()


def compute_until(event: threading.Event) -> None:
    while not event.is_set():
        pass


@pytest.mark.parametrize("way", ["task", "spawn_now", "nested"])
def test_a_step_that_does_not_end_is_reported_once_with_where_it_is(way: str) -> None:
    reported = threading.Event()
    reports: list[SlowStep] = []

    def report(step: SlowStep) -> None:
        if step.name == "busy":
            reports.append(step)
            reported.set()

    async def busy() -> None:
        # Ends only when it has been reported.
        compute_until(reported)
        testing.spin(5)

    async def main() -> None:
        scheduler = tasks.current_scheduler()
        if way == "task":
            await scheduler.spawn(busy, name="busy").wait()
        elif way == "nested":
            scheduler.spawn_now(busy(), "busy")
        else:
            scheduler.call_soon(lambda: scheduler.spawn_now(busy(), "busy"))
            await tasks.checkpoint()
            await tasks.checkpoint()

    run_watched(main, report)
    (step,) = reports
    assert step.running
    assert step.spent_ns >= 1_000_000
    names = [frame.f_code.co_name for frame, _ in step.stack]
    assert names[:2] == ["busy", "compute_until"]


def test_nobody_looks_at_schedulers_that_are_asleep() -> None:
    """The watchdog waits without a timer then, and is roused when there is something to do."""

    async def main() -> None:
        for _ in range(3):
            await tasks.to_thread(_wait_until, lambda: watchdog.resting)
            compute_until(reported)
            reported.clear()

    reported = threading.Event()
    run_watched(main, lambda step: reported.set())


def _wait_until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError("it has not come that far")


def test_a_report_that_fails_does_not_end_the_watchdog(caplog: pytest.LogCaptureFixture) -> None:
    def report(step: SlowStep) -> None:
        raise LookupError("no such log")

    async def main() -> None:
        for count in (1, 2):
            while len(caplog.records) < count:
                pass
            await tasks.checkpoint()

    run_watched(main, report)
    assert caplog.text.count("no such log") >= 2


def test_what_tasks_run_logs_of_a_slow_task(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        while not caplog.records:
            pass

    tasks.run(main)
    assert "has run for" in caplog.text
    assert "without a checkpoint, and is here:" in caplog.text
    assert "while not caplog.records" in caplog.text


def test_any_thread_may_look() -> None:
    texts: list[str] = []

    async def main() -> None:
        scheduler = tasks.current_scheduler()
        thread = threading.Thread(target=lambda: texts.append(scheduler.dump()))
        thread.start()
        thread.join()

    tasks.run(main)
    assert texts[0].startswith("task ")


def test_a_system_task_that_fails_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise LookupError("of a system task")

    async def main() -> None:
        tasks.current_scheduler().spawn(fail, name="daemon")
        await tasks.sleep(0.001)

    tasks.run(main)
    assert "system task 'daemon' failed" in caplog.text
    assert "of a system task" in caplog.text
    with pytest.raises(testing.SystemTaskFailed):
        testing.run(main)


def test_a_crash_of_the_scheduler_itself_shows_all_tasks() -> None:
    async def main() -> None:
        def explode() -> None:
            raise OSError("no more machine")

        tasks.current_scheduler().call_soon(explode)
        await tasks.sleep_forever()

    with pytest.raises(tasks.SchedulerCrash, match="sleep_forever") as caught:
        testing.run(main)
    assert isinstance(caught.value.__cause__, OSError)


def test_outside_of_a_scheduler_it_is_told_what_to_do() -> None:
    with pytest.raises(tasks.NotInTask, match=r"tasks\.run\(\)"):
        tasks.current_task()
    with pytest.raises(tasks.NotInTask):
        tasks.sleep(1).send(None)


def test_one_seed_can_be_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[int]] = []

    class Function:
        """What pytest gives of a test."""

        fixturenames = ("seed",)

        def parametrize(self, name: str, values: Iterable[int]) -> None:
            assert name == "seed"
            found.append(list(values))

    monkeypatch.delenv("OVUM_TASKS_SEED", raising=False)
    conftest.pytest_generate_tests(Function())  # type: ignore[arg-type]
    monkeypatch.setenv("OVUM_TASKS_SEED", "4711")
    conftest.pytest_generate_tests(Function())  # type: ignore[arg-type]
    assert found == [list(range(conftest.SEEDS)), [4711]]
