"""The services thread: calls from threads, interrupts, the interpreter in time, dying services."""

import contextlib
import errno
import os
import resource
import threading
import time

from ovum.services import tasks
from ovum.services.log import INFO, dmesg, log
from ovum.services.tasks import Event, current_task, sleep, workers

from .registry import check, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    import _kernel

    from ovum.services.irq import Irq
    from ovum.services.main import call, services

PIT_COMMAND, PIT_CHANNEL_0 = 0x43, 0x40
ONE_SHOT = 0x30
TIMER_LINE = 0


def _start_timer(ticks: int) -> None:
    """An interrupt from the 8254 after so many ticks of 1.193182 MHz (its datasheet, mode 0)."""
    _kernel.out8(PIT_COMMAND, ONE_SHOT)
    _kernel.out8(PIT_CHANNEL_0, ticks & 0xFF)
    _kernel.out8(PIT_CHANNEL_0, ticks >> 8)


async def _delays(count: int) -> list[int]:
    """How long after an interrupt the task that waits for it runs, ns, in order of length."""
    irq = Irq(TIMER_LINE)
    delays = []
    try:
        for _ in range(count):
            _start_timer(5000)
            came = await irq.wait()
            delays.append(time.monotonic_ns() - came.first_ns)
    finally:
        irq.close()
    return sorted(delays)


@check
def an_interrupt_is_a_branch_of_a_select() -> None:
    async def wait() -> list[str]:
        irq = Irq(TIMER_LINE)
        order: list[str] = []
        try:
            for seconds in (10, 0.05):
                if not order:
                    _start_timer(3000)
                timer = tasks.After(seconds)
                branch, came = await tasks.select(timer, irq)
                order.append("timer" if branch is timer else f"interrupts: {came.count}")
        finally:
            irq.close()
        return order

    order = call(wait)
    assert order == ["interrupts: 1", "timer"], order


@check
def tasks_run_in_a_thread_of_the_program() -> None:
    """Over epoll, with threads and the services thread on the other side of channels."""
    channel = tasks.ThreadChannel[int](2)

    async def produce() -> None:
        for number in range(100):
            await channel.send(number)
        channel.close()

    async def read(descriptor: int) -> bytes:
        await tasks.wait_readable(descriptor)
        return os.read(descriptor, 100)

    async def main() -> tuple[int, bytes]:
        reading, writing = os.pipe2(os.O_NONBLOCK)
        total = 0
        async with tasks.Group() as group:
            task = group.start(read, reading)
            services().scheduler.call_soon(services().services.start, "producer", produce)
            async for number in channel:
                total += number
            await tasks.to_thread(os.write, writing, b"through a pipe")
            text = await task.wait()
        os.close(reading)
        os.close(writing)
        return total, text

    workers.IDLE_S = 0.01
    assert tasks.run(main) == (4950, b"through a pipe")
    for thread in threading.enumerate():
        if thread.name == "ovum worker":
            thread.join()


@check
def a_thread_can_have_a_task_run_and_wait_for_it() -> None:
    async def where(number: int) -> tuple[int, int]:
        await sleep(0.01)
        return threading.get_native_id(), number + 1

    thread, result = call(where, 41)
    assert result == 42
    assert thread != threading.get_native_id()
    lines = _kernel.inspect("threads").splitlines()
    [line] = [line for line in lines if line.startswith(f"{thread} ")]
    assert line.split()[2] == "0" and line.endswith(" services"), line


@check
def services_have_descriptors_when_the_program_has_none() -> None:
    async def open_null() -> None:
        os.close(os.open("/dev/null", os.O_RDONLY))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with refused(errno.EMFILE):
            os.open("/dev/null", os.O_RDONLY)
        call(open_null)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@check
def what_a_call_raises_reaches_the_thread() -> None:
    async def fail() -> None:
        raise LookupError("no such thing")

    try:
        call(fail)
    except LookupError as error:
        assert str(error) == "no such thing"
    else:
        raise AssertionError("no error")


@check
def a_task_gets_the_interrupts_that_it_waits_for() -> None:
    async def three() -> list[tuple[int, int]]:
        irq = Irq(TIMER_LINE)
        came = []
        try:
            for _ in range(3):
                before = time.monotonic_ns()
                _start_timer(12000)
                got = await irq.wait()
                came.append((got.count, got.first_ns - before))
            assert irq.total == 3
        finally:
            irq.close()
        return came

    for count, after in call(three):
        assert count == 1
        # 12,000 ticks are 10 ms; the emulated chip keeps time by the host.
        assert 8_000_000 < after < 1_000_000_000, after


@check
def interrupts_that_nobody_waited_for_are_counted() -> None:
    async def late() -> int:
        irq = Irq(TIMER_LINE)
        try:
            for _ in range(2):
                _start_timer(1000)
                await sleep(0.02)
            count = (await irq.wait()).count
        finally:
            irq.close()
        return count

    assert call(late) == 2


@check
def a_line_has_one_owner() -> None:
    async def twice() -> None:
        irq = Irq(TIMER_LINE)
        try:
            with refused(16):
                Irq(TIMER_LINE)
        finally:
            irq.close()

    call(twice)
    with refused(16):
        _kernel.irq_bind(4)  # the serial port
    with refused(22):
        _kernel.irq_acknowledge(TIMER_LINE)


@check
def services_get_the_interpreter_from_threads_that_compute() -> None:
    stop = False

    def spin() -> None:
        while not stop:
            pass

    threads = [threading.Thread(target=spin) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        delays = call(_delays, 100)
    finally:
        stop = True
        for thread in threads:
            thread.join()
    # The switch interval is 5 ms, and two threads pass the lock between them. The median: the host
    # may stop the machine at any time.
    assert delays[50] < 1_000_000, delays


@check
def an_idle_machine_is_not_woken() -> None:
    call(sleep, 0)
    before = _statistic("idle_count")
    time.sleep(0.5)
    woken = _statistic("idle_count") - before
    assert woken <= 3, f"{woken} times"


def _statistic(name: str) -> int:
    lines = _kernel.inspect("statistics").splitlines()
    return int(dict(line.split() for line in lines)[name])


@check
def a_service_that_dies_is_started_again_after_a_pause_that_grows() -> None:
    starts: list[int] = []

    async def dies() -> None:
        starts.append(time.monotonic_ns())
        if len(starts) < 3:
            raise RuntimeError(f"death {len(starts)}")

    async def watch() -> None:
        task = services().services.start("mortal", dies, restart=True)
        await task.wait()

    call(watch)
    assert len(starts) == 3
    first, second = starts[1] - starts[0], starts[2] - starts[1]
    assert first >= 100_000_000 and second >= 200_000_000, (first, second)
    messages = dmesg()
    assert "service 'mortal' died:" in messages
    assert "RuntimeError: death 2" in messages


@check
def a_service_that_dies_for_good_is_reported() -> None:
    async def dies() -> None:
        raise RuntimeError("once and for all")

    async def watch() -> str:
        task = services().services.start("frail", dies)
        await task.wait()
        return str(services().services.died["frail"])

    assert call(watch) == "once and for all"
    assert "RuntimeError: once and for all" in dmesg()


@check
def a_task_that_holds_up_the_others_is_reported() -> None:
    async def hog() -> None:
        end = time.monotonic() + 0.1
        while time.monotonic() < end:
            pass
        await sleep(0)

    before = services().scheduler.slow_count
    call(hog)
    assert services().scheduler.slow_count == before + 1
    assert "held up all others for 1" in dmesg()


@check
def messages_are_kept_in_order() -> None:
    for number in range(3):
        log(INFO, f"message {number}\nof two lines")
    lines = dmesg().splitlines()
    texts = [line.partition("] ")[2] for line in lines[-6:]]
    assert texts == [text for k in range(3) for text in (f"message {k}", "of two lines")]
    assert all(line.startswith("<3>[") for line in lines[-6:])


@check
def old_messages_make_room_for_new_ones() -> None:
    for number in range(600):
        log(INFO, f"a message that is of some length, number {number}")
    text = dmesg()
    assert 15_000 < len(text) <= 16_384
    assert text.startswith("<3>[")
    assert text.endswith("number 599\n")


@check
def tasks_can_be_listed() -> None:
    async def main() -> list[tuple[str, str, str | None]]:
        event = Event("never")

        async def wait_for_it() -> None:
            await event.wait()

        task = current_task().scheduler.spawn(wait_for_it, name="patient")
        await sleep(0.01)
        found = [(t.name, t.state, t.waits_for) for t in current_task().scheduler.tasks()]
        task.cancel()
        return found

    assert ("patient", "waiting", "see event 'never'") in call(main)
