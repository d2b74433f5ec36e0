"""What can be seen of tasks, and what is reported."""

import threading
from typing import Any

import pytest

from ovum.services import tasks
from ovum.services.tasks import instrument, testing


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
    reports: list[tuple[str, int, str]] = []

    def report(task: tasks.Task[Any], spent: int) -> None:
        reports.append((task.name, spent, instrument.format_task(task)))

    async def main() -> None:
        async def slow() -> None:
            testing.spin(15)
            await tasks.sleep(0.001)

        async with tasks.Group() as group:
            group.start(slow)
            group.start(tasks.sleep, 0.001)

    from ovum.services.tasks.epoll import EpollBackend

    backend = EpollBackend()
    try:
        scheduler = tasks.Scheduler(backend, on_slow=report, slow_ns=10_000_000)
        scheduler.run(main)
    finally:
        backend.close()
    named = [report for report in reports if report[0].endswith("slow")]
    assert len(named) == 1
    assert named[0][1] >= 10_000_000
    assert "await tasks.sleep(0.001)" in named[0][2]
    assert scheduler.slow_count == len(reports)


def test_the_limit_is_50_ms(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        testing.spin(55)

    tasks.run(main)
    assert "ran for" in caplog.text
    assert "without a checkpoint" in caplog.text


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
