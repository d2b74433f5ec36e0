"""tasks.run: descriptors, real time, Ctrl-C."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from ovum.services import tasks
from ovum.services.tasks.epoll import EpollBackend
from ovum.services.tasks.scope import seconds_to_ns


def test_readers_and_writers_of_a_pipe() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    received = bytearray()

    async def read() -> None:
        while True:
            try:
                data = os.read(reading, 65536)
            except BlockingIOError:
                await tasks.wait_readable(reading)
                continue
            if not data:
                return
            received.extend(data)

    async def write() -> None:
        left = memoryview(bytes(range(256)) * 4000)
        while left:
            try:
                left = left[os.write(writing, left) :]
            except BlockingIOError:
                await tasks.wait_writable(writing)
        tasks.notify_closing(writing)
        os.close(writing)

    async def main() -> None:
        async with tasks.Group() as group:
            group.start(read)
            group.start(write)

    tasks.run(main)
    os.close(reading)
    assert received == bytes(range(256)) * 4000


def test_several_tasks_wait_for_one_descriptor() -> None:
    one, other = socket.socketpair()

    async def main() -> None:
        with one, other:
            async with tasks.Group() as group:
                first = group.start(tasks.wait_readable, one.fileno())
                second = group.start(tasks.wait_readable, one.fileno())
                writable = group.start(tasks.wait_writable, one.fileno())
                await writable.wait()
                assert not first.done
                first.cancel()
                await tasks.sleep(0.001)
                other.send(b"x")
                await second.wait()

    tasks.run(main)


def test_closing_is_told_to_those_who_wait() -> None:
    reading, writing = os.pipe()

    async def main() -> None:
        async with tasks.Group() as group:
            task = group.start(tasks.wait_readable, reading)
            await tasks.sleep(0.001)
            tasks.notify_closing(reading)
            os.close(reading)
            with pytest.raises(tasks.Closed, match=f"descriptor {reading} was closed"):
                await task.wait()
            raise LookupError

    with pytest.raises(ExceptionGroup):
        tasks.run(main)
    os.close(writing)


def test_files_are_always_ready_and_nonsense_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        with (tmp_path / "file").open("w") as file:
            await tasks.wait_writable(file.fileno())
        with pytest.raises(OSError):
            await tasks.wait_readable(1 << 20)

    tasks.run(main)


def test_an_idle_scheduler_sleeps() -> None:
    async def main() -> float:
        before = time.process_time()
        await tasks.sleep(0.2)
        return time.process_time() - before

    assert tasks.run(main) < 0.05


def test_sleeps_are_not_too_short() -> None:
    async def main() -> None:
        for seconds in (0.0001, 0.001, 0.01):
            before = time.monotonic()
            await tasks.sleep(seconds)
            assert time.monotonic() - before >= seconds

    tasks.run(main)


def test_ctrl_c_is_raised_in_the_main_task() -> None:
    cleaned: list[str] = []

    async def main() -> None:
        async with tasks.Group() as group:
            group.start(tasks.sleep_forever)
            try:
                signal.raise_signal(signal.SIGINT)
                await tasks.sleep_forever()
            except KeyboardInterrupt:
                cleaned.append("main")
                raise

    with pytest.raises(KeyboardInterrupt):
        tasks.run(main)
    assert cleaned == ["main"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_scheduler_for_each_thread() -> None:
    async def main(number: int) -> int:
        await tasks.sleep(0.001)
        return number

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda n=number: results.append(tasks.run(main, n)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))


def test_one_scheduler_at_a_time() -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match="running in this thread already"):
            tasks.run(tasks.sleep, 0)

    tasks.run(main)


@pytest.mark.parametrize("seconds", [30 * 86400, 1e20, float("inf")])
def test_the_longest_times(seconds: float) -> None:
    async def main() -> None:
        with tasks.timeout(seconds):
            await tasks.to_thread(time.monotonic)
        async with tasks.Group() as group:
            task = group.start(tasks.sleep, seconds)
            await tasks.to_thread(time.monotonic)
            assert task.state == "waiting"
            group.cancel()

    tasks.run(main)
    assert seconds_to_ns(seconds) == -seconds_to_ns(-seconds) <= 1 << 62


def test_what_has_a_descriptor_can_be_waited_for() -> None:
    one, other = socket.socketpair()

    async def main() -> None:
        with one, other:
            await tasks.wait_writable(one)
            other.send(b"x")
            await tasks.wait_readable(one)
            async with tasks.Group() as group:
                one.recv(1)
                task = group.start(tasks.wait_readable, one)
                await tasks.sleep(0)
                tasks.notify_closing(one)
                with pytest.raises(tasks.Closed):
                    await task.wait()
                raise LookupError

    with pytest.raises(ExceptionGroup):
        tasks.run(main)


def test_what_is_closed_already() -> None:
    one, other = socket.socketpair()
    one.close()
    other.close()

    async def main() -> None:
        for descriptor in (one, -1):
            with pytest.raises(OSError, match="Bad file descriptor"):
                await tasks.wait_readable(descriptor)
        backend = tasks.current_scheduler().backend
        assert isinstance(backend, EpollBackend)
        assert not backend._interests

    tasks.run(main)


def test_a_descriptor_that_a_duplicate_keeps_open() -> None:
    """Nobody waits for it any more, and still it is told of."""
    reading, writing = os.pipe()
    more_reading, more_writing = os.pipe()

    async def main() -> None:
        async with tasks.Group() as group:
            task = group.start(tasks.wait_readable, reading)
            await tasks.sleep(0)
            await tasks.sleep(0)
            duplicate = os.dup(reading)
            os.close(reading)
            task.cancel()
            await tasks.select(tasks.Ended(task))
            os.write(writing, b"x")
            os.write(more_writing, b"x")
            await tasks.wait_readable(more_reading)
        for descriptor in (duplicate, writing, more_reading, more_writing):
            os.close(descriptor)

    tasks.run(main)


def test_who_waits_for_the_other_direction_of_what_was_closed() -> None:
    one, other = socket.socketpair()
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            one.send(b"x" * 65536)

    async def main() -> None:
        async with tasks.Group() as group:
            number = one.fileno()
            group.start(tasks.wait_readable, number)
            group.start(tasks.wait_writable, number)
            await tasks.sleep(0)
            await tasks.sleep(0)
            duplicate = one.dup()
            one.close()
            other.send(b"y")
        # Both have been woken: it is for them to find out.
        duplicate.close()

    tasks.run(main)
    other.close()


def test_a_wake_up_that_comes_too_late_writes_nowhere(tmp_path: Path) -> None:
    """A thread is about to write when the backend is closed, and the number is used again."""
    backend = EpollBackend()
    wake_up = backend._wake_up
    assert wake_up is not None
    number = wake_up.descriptor
    backend.close()
    # The thread has it still: its number cannot be another's.
    with (tmp_path / "innocent").open("wb") as file:
        assert file.fileno() != number
        os.eventfd_write(number, 1)
    backend.wake()
    del wake_up
    with pytest.raises(OSError):
        os.fstat(number)
