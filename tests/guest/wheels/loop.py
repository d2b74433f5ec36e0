"""What asyncio promises of its event loop, for the loop of asyncio and for uvloop's alike.

Everything runs over what the machine has without a network: pairs of sockets, pipes and signals.
"""

import asyncio
import concurrent.futures
import contextvars
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine

LONG = 20.0
"""More than anything here takes: whoever waits so long waits in vain."""


async def many_tasks() -> object:
    """Two thousand tasks, a lock, a semaphore and a queue between them."""
    lock, gate, queue = asyncio.Lock(), asyncio.Semaphore(10), asyncio.Queue[int](maxsize=5)
    inside = [0, 0]
    total = 0

    async def task(number: int) -> int:
        nonlocal total
        async with gate:
            inside[0] += 1
            inside[1] = max(inside)
            await asyncio.sleep(0)
            inside[0] -= 1
        async with lock:
            before = total
            await asyncio.sleep(0)
            total = before + number
        return number * 2

    async def produce() -> None:
        for number in range(300):
            await queue.put(number)
        await queue.put(-1)

    results = await asyncio.gather(*map(task, range(2000)))
    producer, got = asyncio.create_task(produce()), 0
    while (number := await queue.get()) >= 0:
        got += number
    await producer
    return sum(results), total, inside, got


async def timers() -> object:
    """Callbacks come, never early; a cancelled one does not."""
    loop = asyncio.get_running_loop()
    order: list[int] = []
    early: list[int] = []
    done = loop.create_future()

    def note(number: int, due: float) -> None:
        order.append(number)
        # uvloop counts whole milliseconds.
        if loop.time() < due - 0.0015:
            early.append(number)
        if len(order) == 19:
            done.set_result(None)

    now = loop.time()
    handles = {}
    for number in (*range(10, 20), *range(10)):
        due = now + 0.004 * (number + 1)
        handles[number] = loop.call_at(due, note, number, due)
    handles[5].cancel()
    await asyncio.wait_for(done, LONG)
    started = time.monotonic()
    await asyncio.gather(*(asyncio.sleep(0.05) for _ in range(500)))
    return sorted(order), early, time.monotonic() - started >= 0.049


async def timeouts() -> object:
    """Time limits cancel what they surround; a shielded task goes on; an outer limit wins."""
    seen: list[str] = []

    async def stubborn() -> str:
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return "never"

    try:
        await asyncio.wait_for(stubborn(), 0.01)
    except TimeoutError:
        seen.append("wait_for")
    try:
        async with asyncio.timeout(0.01):
            async with asyncio.timeout(LONG):
                await stubborn()
    except TimeoutError:
        seen.append("timeout")
    gate = asyncio.Event()
    inner = asyncio.create_task(gate.wait())
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.01)
    except TimeoutError:
        gate.set()
        seen.append(f"shielded {await inner}")
    first = asyncio.create_task(asyncio.sleep(0.001, "first"))
    late = asyncio.create_task(stubborn())
    done, pending = await asyncio.wait({first, late}, return_when=asyncio.FIRST_COMPLETED)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    return seen, [one.result() for one in done], len(pending), late.cancelled()


async def groups() -> object:
    """One failure in a group cancels the others and comes out with what else failed."""
    seen: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            seen.append("cleaned up")

    async def fails() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("one")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(waits())
            group.create_task(fails())
    except* ValueError as error:
        seen.append(repr(error.exceptions))
    return seen


async def threads() -> object:
    """Work on threads, and threads that wake the loop."""
    loop = asyncio.get_running_loop()
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="none")
    name.set("set")
    values = await asyncio.gather(*(asyncio.to_thread(lambda n=n: (n * n, name.get()))
                                    for n in range(30)))  # fmt: skip
    woken = asyncio.Event()
    counts = [0]

    def count() -> None:
        counts[0] += 1
        if counts[0] == 800:
            woken.set()

    def wake() -> None:
        for _ in range(200):
            loop.call_soon_threadsafe(count)

    wakers = [threading.Thread(target=wake) for _ in range(4)]
    for one in wakers:
        one.start()
    await asyncio.wait_for(woken.wait(), LONG)
    for one in wakers:
        one.join()
    # The loop has nothing else to do: only the wake-up ends its wait.
    lone = loop.create_future()
    timer = threading.Timer(0.02, loop.call_soon_threadsafe, (lone.set_result, "woken"))
    timer.start()
    said = await asyncio.wait_for(lone, LONG)
    timer.join()

    def ask() -> int:
        async def answer() -> int:
            await asyncio.sleep(0.001)
            return 42

        return asyncio.run_coroutine_threadsafe(answer(), loop).result(LONG)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        asked = await asyncio.gather(*(loop.run_in_executor(pool, ask) for _ in range(6)))
    try:
        await asyncio.to_thread(int, "x")
    except ValueError as error:
        said += f", {error}"
    return sum(value for value, _ in values), {text for _, text in values}, counts, said, asked


async def pairs() -> object:
    """Streams over pairs of sockets: more than their buffers hold, both ways, and the end."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    payload = bytes(range(256)) * 2000

    async def serve() -> int:
        far_reader, far_writer = await asyncio.open_connection(sock=theirs)
        received = 0
        while data := await far_reader.read(10_000):
            received += len(data)
            far_writer.write(data.swapcase())
            await far_writer.drain()
        far_writer.close()
        await far_writer.wait_closed()
        return received

    server = asyncio.create_task(serve())

    async def send() -> None:
        for start in range(0, len(payload), 50_000):
            writer.write(payload[start : start + 50_000])
            await writer.drain()
        writer.write_eof()

    sender = asyncio.create_task(send())
    echoed = await asyncio.wait_for(reader.read(), LONG)
    await sender
    writer.close()
    await writer.wait_closed()

    loop = asyncio.get_running_loop()
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    receiving = asyncio.create_task(loop.sock_recv(right, 100))
    await asyncio.sleep(0)
    await loop.sock_sendall(left, b"direct")
    direct = await asyncio.wait_for(receiving, LONG)
    ready = loop.create_future()
    loop.add_reader(right, lambda: ready.done() or ready.set_result(right.recv(9)))
    left.send(b"readable")
    noticed = await asyncio.wait_for(ready, LONG)
    loop.remove_reader(right)
    left.close()
    ended = await asyncio.wait_for(loop.sock_recv(right, 1), LONG)
    right.close()
    return await server, echoed == payload.swapcase(), direct, noticed, ended


class Collector(asyncio.Protocol):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(exc)


async def pipes() -> object:
    """Transports over both ends of pipes, with more than a pipe holds."""
    loop = asyncio.get_running_loop()
    read_end, write_end = os.pipe()
    source, collector = await loop.connect_read_pipe(Collector, os.fdopen(read_end, "rb", 0))
    sink, _ = await loop.connect_write_pipe(Collector, os.fdopen(write_end, "wb", 0))
    for number in range(40):
        sink.write(b"%07d\n" % number * 1000)
    sink.close()
    lost = await asyncio.wait_for(collector.over, LONG)
    source.close()
    lines = bytes(collector.data).split()
    return lost, len(collector.data), len(set(lines)), lines == sorted(lines)


async def signals() -> object:
    """Handlers run in the loop, whichever thread the signal came from."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []
    arrived = asyncio.Event()

    def note(text: str) -> None:
        seen.append(text)
        arrived.set()

    for number in (signal.SIGUSR1, signal.SIGTERM):
        loop.add_signal_handler(number, note, number.name)
    for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR1):
        sender = threading.Timer(0.01, os.kill, (os.getpid(), number))
        sender.start()
        await asyncio.wait_for(arrived.wait(), LONG)
        arrived.clear()
        sender.join()
    removed = [loop.remove_signal_handler(one) for one in (signal.SIGUSR1, signal.SIGINT)]
    loop.remove_signal_handler(signal.SIGTERM)
    return seen, removed


async def generators() -> object:
    """Asynchronous generators are closed when the loop ends what iterates over them."""
    closed: list[int] = []

    async def count() -> "asyncio.AsyncGenerator[int]":  # type: ignore[name-defined]
        try:
            for number in range(100):
                yield number
                await asyncio.sleep(0)
        finally:
            closed.append(1)

    total = 0
    async for number in count():
        total += number
        if number == 10:
            break
    await asyncio.sleep(0.001)
    return total, [number async for number in count()][-1], len(closed) >= 1


def run_all(run: Callable[[Coroutine[object, object, object]], object]) -> None:
    """Prints what each of the above gives under this way of running."""
    for part in (many_tasks, timers, timeouts, groups, threads, pairs, pipes, signals, generators):
        print(part.__name__, run(part()))

    async def interrupted() -> None:
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.sleep(LONG)
        finally:
            print("interrupted: cleaned up")

    try:
        run(interrupted())
    except KeyboardInterrupt:
        print("KeyboardInterrupt")
