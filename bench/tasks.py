"""Measures the task library beside asyncio, trio and curio: `python -m bench.tasks`.

All libraries run in this interpreter, in turns, so that a busy machine slows all alike; what is
printed are the medians of the rounds. trio and curio take part if they are installed
(`pip install -e '.[bench]'`).
"""

import argparse
import asyncio
import gc
import statistics
import sys
import tracemalloc
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter
from types import ModuleType
from typing import Any, Final

from bench import results
from ovum.services import tasks
from ovum.services.tasks.epoll import EpollBackend
from ovum.services.tasks.loop import Scheduler

SWITCHES: Final = 100_000
VALUES: Final = 50_000
MANY: Final = 100_000
CALLS: Final = 200_000
PARKED: Final = 2_000

Main = Callable[[], Coroutine[Any, Any, Any]]
Benchmark = Callable[[], float]
"""Returns how long one run took, in seconds."""


def timed(run: Callable[[Main], Any], main: Main) -> float:
    """The seconds that the measured part of `main` takes: it returns them, or the whole counts."""
    gc.collect()
    before = perf_counter()
    inside = run(main)
    whole = perf_counter() - before
    return whole if inside is None else float(inside)


# Switching: two tasks that let each other run.


async def switch_ovum() -> None:
    async def turns() -> None:
        for _ in range(SWITCHES // 2):
            await tasks.checkpoint()

    async with tasks.Group() as group:
        group.start(turns)
        group.start(turns)


async def switch_asyncio() -> None:
    async def turns() -> None:
        for _ in range(SWITCHES // 2):
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(turns())
        group.create_task(turns())


def switch_trio(trio: Any) -> Main:
    async def main() -> None:
        async def turns() -> None:
            for _ in range(SWITCHES // 2):
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns)
            nursery.start_soon(turns)

    return main


def switch_curio(curio: Any) -> Main:
    async def main() -> None:
        async def turns() -> None:
            for _ in range(SWITCHES // 2):
                await curio.sleep(0)

        async with curio.TaskGroup() as group:
            await group.spawn(turns)
            await group.spawn(turns)

    return main


# Channels: values from one task to another.


def channel_ovum(capacity: int) -> Main:
    async def main() -> None:
        channel = tasks.Channel[int](capacity)

        async def send() -> None:
            for number in range(VALUES):
                await channel.send(number)

        async with tasks.Group() as group:
            group.start(send)
            for _ in range(VALUES):
                await channel.receive()

    return main


def channel_asyncio(capacity: int) -> Main:
    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(capacity)

        async def send() -> None:
            for number in range(VALUES):
                await queue.put(number)

        async with asyncio.TaskGroup() as group:
            group.create_task(send())
            for _ in range(VALUES):
                await queue.get()

    return main


def channel_trio(trio: Any, capacity: int) -> Main:
    async def main() -> None:
        sending, receiving = trio.open_memory_channel(capacity)

        async def send() -> None:
            for number in range(VALUES):
                await sending.send(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            for _ in range(VALUES):
                await receiving.receive()

    return main


def channel_curio(curio: Any, capacity: int) -> Main:
    async def main() -> None:
        queue = curio.Queue(capacity)

        async def send() -> None:
            for number in range(VALUES):
                await queue.put(number)

        async with curio.TaskGroup() as group:
            await group.spawn(send)
            for _ in range(VALUES):
                await queue.get()

    return main


# Many tasks: started and waited for, and all sleeping at once.


async def nothing() -> None:
    pass


async def spawn_ovum() -> None:
    async with tasks.Group() as group:
        for _ in range(MANY):
            group.start(nothing)


async def spawn_asyncio() -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(MANY):
            group.create_task(nothing())


def spawn_trio(trio: Any) -> Main:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(MANY):
                nursery.start_soon(nothing)

    return main


def spawn_curio(curio: Any) -> Main:
    async def main() -> None:
        async with curio.TaskGroup() as group:
            for _ in range(MANY):
                await group.spawn(nothing)

    return main


def nap(number: int) -> float:
    """Some thousand different deadlines, close to each other: no library gets to idle."""
    return 0.0001 * (number % 1000 + 1)


async def sleep_ovum() -> None:
    async with tasks.Group() as group:
        for number in range(MANY):
            group.start(tasks.sleep, nap(number))


async def sleep_asyncio() -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(MANY):
            group.create_task(asyncio.sleep(nap(number)))


def sleep_trio(trio: Any) -> Main:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(MANY):
                nursery.start_soon(trio.sleep, nap(number))

    return main


def sleep_curio(curio: Any) -> Main:
    async def main() -> None:
        async with curio.TaskGroup() as group:
            for number in range(MANY):
                await group.spawn(curio.sleep, nap(number))

    return main


# What only this library has.


async def spawn_now_ovum() -> float:
    """As a backend does it, between two tasks: inside of a task it takes a context for itself."""
    scheduler = tasks.current_scheduler()
    taken: list[float] = []

    def serve() -> None:
        spawn_now = scheduler.spawn_now
        before = perf_counter()
        for _ in range(CALLS):
            spawn_now(nothing())
        taken.append(perf_counter() - before)

    scheduler.call_soon(serve)
    while not taken:
        await tasks.checkpoint()
    return taken[0]


async def bare_send() -> float:
    before = perf_counter()
    for _ in range(CALLS):
        try:
            nothing().send(None)
        except StopIteration:
            pass
    return perf_counter() - before


async def traced(start: Callable[[], Any], settle: Main, count: int) -> float:
    """Bytes that each of `count` things which `start` makes takes, once they have settled."""
    kept = [start() for _ in range(10)]
    await settle()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(count):
            kept.append(start())
        await settle()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / count
    finally:
        tracemalloc.stop()


async def memory_parked() -> float:
    """Bytes of a task that waits on an event, beyond its coroutine and the ones it awaits."""
    event = tasks.Event()
    async with tasks.Group() as group:
        whole = await traced(lambda: group.start(event.wait), tasks.checkpoint, PARKED)
        group.cancel()
    task_sizes: list[int] = []
    parking = tasks.Event()
    async with tasks.Group() as group:
        task = group.start(parking.wait)
        await tasks.checkpoint()
        awaited: Any = task.coro
        while awaited is not None:
            task_sizes.append(sys.getsizeof(awaited))
            inner = "cr_await" if hasattr(awaited, "cr_await") else "gi_yieldfrom"
            awaited = getattr(awaited, inner)
        group.cancel()
    return whole - sum(task_sizes)


def run_ovum(main: Main) -> Any:
    backend = EpollBackend()
    try:
        # Tasks that measure do hold up the others; that need not be told.
        return Scheduler(backend, slow_ns=1 << 62).run(main)
    finally:
        backend.close()


def run_curio(curio: Any, main: Main) -> Any:
    # curio.run keeps a kernel of this thread for the next call.
    kernel = curio.Kernel()
    try:
        return kernel.run(main)
    finally:
        kernel.run(shutdown=True)


def library(name: str) -> ModuleType | None:
    """The module, if it is installed."""
    return import_module(name) if find_spec(name) else None


def benchmarks() -> dict[str, dict[str, Benchmark]]:
    """By name and library."""

    def ovum(main: Main) -> Benchmark:
        return lambda: timed(run_ovum, main)

    def aio(main: Main) -> Benchmark:
        return lambda: timed(lambda main: asyncio.run(main()), main)

    found: dict[str, dict[str, Benchmark]] = {
        "switch": {"ovum": ovum(switch_ovum), "asyncio": aio(switch_asyncio)},
        "spawn 100,000": {"ovum": ovum(spawn_ovum), "asyncio": aio(spawn_asyncio)},
        "sleep 100,000": {"ovum": ovum(sleep_ovum), "asyncio": aio(sleep_asyncio)},
    }
    capacities = {"channel 0": 0, "channel 1": 1, "channel 100": 100}
    for name, capacity in capacities.items():
        # asyncio's and curio's queues have no rendezvous: the nearest is a single place.
        single = max(capacity, 1)
        found[name] = {
            "ovum": ovum(channel_ovum(capacity)),
            "asyncio": aio(channel_asyncio(single)),
        }
    if (trio := library("trio")) is not None:

        def on_trio(main: Main, trio: Any = trio) -> Benchmark:
            return lambda: timed(trio.run, main)

        found["switch"]["trio"] = on_trio(switch_trio(trio))
        found["spawn 100,000"]["trio"] = on_trio(spawn_trio(trio))
        found["sleep 100,000"]["trio"] = on_trio(sleep_trio(trio))
        for name, capacity in capacities.items():
            found[name]["trio"] = on_trio(channel_trio(trio, capacity))
    if (curio := library("curio")) is not None:

        def on_curio(main: Main, curio: Any = curio) -> Benchmark:
            return lambda: timed(lambda main: run_curio(curio, main), main)

        found["switch"]["curio"] = on_curio(switch_curio(curio))
        found["spawn 100,000"]["curio"] = on_curio(spawn_curio(curio))
        found["sleep 100,000"]["curio"] = on_curio(sleep_curio(curio))
        for name, capacity in capacities.items():
            found[name]["curio"] = on_curio(channel_curio(curio, max(capacity, 1)))
    found["spawn_now"] = {
        "ovum": ovum(spawn_now_ovum),
        "coro.send": ovum(bare_send),
    }
    return found


COUNTS: Final = {
    "switch": SWITCHES,
    "channel 0": VALUES,
    "channel 1": VALUES,
    "channel 100": VALUES,
    "spawn 100,000": MANY,
    "sleep 100,000": MANY,
    "spawn_now": CALLS,
}
LIBRARIES: Final = ("ovum", "asyncio", "trio", "curio", "coro.send")


def measure(rounds: int, names: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    """Microseconds for each operation: the median of the rounds, in which all take turns."""
    chosen = {name: of for name, of in benchmarks().items() if not names or name in names}
    taken: dict[str, dict[str, list[float]]] = {
        name: {which: [] for which in of} for name, of in chosen.items()
    }
    for _ in range(rounds):
        for name, of in chosen.items():
            for which, run in of.items():
                taken[name][which].append(run() / COUNTS[name] * 1e6)
    return {
        name: {which: statistics.median(values) for which, values in of.items()}
        for name, of in taken.items()
    }


def measure_all(rounds: int, names: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    """The times of all, and the memory of a parked task."""
    parked = run_ovum(memory_parked)
    return {**measure(rounds, names), "parked task, bytes": {"ovum": parked}}


def report(figures: dict[str, dict[str, float]]) -> str:
    """A table."""
    rows = [
        (name, *(f"{of[which]:.3f}" if which in of else "" for which in LIBRARIES))
        for name, of in figures.items()
        if name in COUNTS
    ]
    parked = figures["parked task, bytes"]["ovum"]
    return (
        results.table(("tasks: µs for each", *LIBRARIES), rows)
        + f"\n\nbytes of a parked task beyond its coroutines: {parked:.0f} (goal: at most 2048)"
    )


def main() -> int:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(prog="bench.tasks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(COUNTS)}")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(report(measure_all(options.rounds, options.names)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
