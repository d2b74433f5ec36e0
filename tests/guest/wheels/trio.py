"""trio: nurseries, cancellation, time limits, threads, pairs of sockets, pipes, signals."""

import os
import signal
import socket
import threading

import trio
import trio.testing

LONG = 20.0


async def many() -> None:
    total = 0
    limit, lock = trio.CapacityLimiter(7), trio.Lock()

    async def task(number: int) -> None:
        nonlocal total
        async with limit:
            await trio.lowlevel.checkpoint()
        async with lock:
            before = total
            await trio.lowlevel.checkpoint()
            total = before + number

    async with trio.open_nursery() as nursery:
        for number in range(1500):
            nursery.start_soon(task, number)
    print("many", total)


async def channels() -> None:
    send, receive = trio.open_memory_channel[int](3)
    got: list[int] = []

    async def produce(out: trio.MemorySendChannel, start: int) -> None:
        async with out:
            for number in range(start, start + 100):
                await out.send(number)

    async with trio.open_nursery() as nursery, receive:
        async with send:
            for start in (0, 100, 200):
                nursery.start_soon(produce, send.clone(), start)
        async for number in receive:
            got.append(number)
    print("channels", len(got), sum(got))


async def cancelling() -> None:
    seen: list[str] = []

    async def waits(task_status: trio.TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        try:
            await trio.sleep(LONG)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.001)
            seen.append("cleaned up")

    with trio.move_on_after(0.01) as scope:
        await waits()
    seen.append(f"moved on {scope.cancelled_caught}")
    try:
        with trio.fail_after(0.01):
            await waits()
    except trio.TooSlowError:
        seen.append("too slow")
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(waits)
            await nursery.start(waits)
            raise ValueError("one")
    except* ValueError as group:
        seen.append(repr(group.exceptions))
    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(300):
            nursery.start_soon(trio.sleep, 0.01 + number / 10_000)
    seen.append(f"slept {trio.current_time() - started >= 0.039}")
    print("cancelling", seen)


async def threads() -> None:
    results: dict[int, int] = {}
    log: list[int] = []

    async def note(number: int) -> int:
        await trio.lowlevel.checkpoint()
        log.append(number)
        return number + 1

    def work(number: int) -> None:
        results[number] = trio.from_thread.run(note, number) + trio.from_thread.run_sync(abs, -5)

    async with trio.open_nursery() as nursery:
        for number in range(25):
            nursery.start_soon(trio.to_thread.run_sync, work, number)
    print("threads", sorted(results.items())[-1], sorted(log) == list(range(25)))
    # A thread that trio did not start wakes it from a wait without an end.
    token, woken = trio.lowlevel.current_trio_token(), trio.Event()
    timer = threading.Timer(0.02, token.run_sync_soon, (woken.set,))
    timer.start()
    with trio.fail_after(LONG):
        await woken.wait()
    timer.join()
    try:
        await trio.to_thread.run_sync(int, "x")
    except ValueError as error:
        print("threads", error)
    release = threading.Event()
    with trio.move_on_after(0.01) as scope:
        await trio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
    release.set()
    print("threads", scope.cancelled_caught)


async def pairs() -> None:
    left, right = (trio.SocketStream(trio.socket.from_stdlib_socket(one))
                   for one in socket.socketpair())  # fmt: skip
    payload = bytes(range(256)) * 2000
    received = bytearray()

    async def echo() -> None:
        async with right:
            async for data in right:
                await right.send_all(data.swapcase())

    async def send() -> None:
        await left.send_all(payload)
        await left.send_eof()

    with trio.fail_after(LONG):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            nursery.start_soon(send)
            async for data in left:
                received += data
    await left.aclose()
    print("pairs", len(received), bytes(received) == payload.swapcase())


async def pipes() -> None:
    read_end, write_end = os.pipe()
    received = bytearray()

    async def send() -> None:
        async with trio.lowlevel.FdStream(write_end) as sink:
            for number in range(40):
                await sink.send_all(b"%07d\n" % number * 1000)

    with trio.fail_after(LONG):
        async with trio.open_nursery() as nursery, trio.lowlevel.FdStream(read_end) as source:
            nursery.start_soon(send)
            async for data in source:
                received += data
    print("pipes", len(received), len(set(bytes(received).split())))


async def signals() -> None:
    seen: list[str] = []
    with trio.open_signal_receiver(signal.SIGUSR1, signal.SIGTERM) as arriving:
        for number in (signal.SIGUSR1, signal.SIGTERM):
            sender = threading.Timer(0.01, os.kill, (os.getpid(), number))
            sender.start()
            with trio.fail_after(LONG):
                seen.append(signal.Signals(await anext(arriving)).name)
            sender.join()
    print("signals", seen)


async def clock() -> None:
    """With a clock of its own, an hour is over when all tasks wait."""
    await trio.sleep(3600)
    print("clock", round(trio.current_time()))


async def interrupted() -> None:
    threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
    await trio.sleep(LONG)


for part in (many, channels, cancelling, threads, pairs, pipes, signals):
    trio.run(part)
trio.run(clock, clock=trio.testing.MockClock(autojump_threshold=0))
try:
    trio.run(interrupted)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
