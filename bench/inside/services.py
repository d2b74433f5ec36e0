"""In the machine: what services cost. Prints one line of JSON: figures by their names.

Needs line 0, the PIT's: the machine `pc` or `microvm`.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import _kernel

from ovum.services import tasks, vfs
from ovum.services.irq import Irq
from ovum.services.main import call

INTERRUPTS = 400
ROUNDS = 9
FILE_MIB = 64
PIECE = 262_144
VALUES = 5_000


async def interrupts(latencies: list[int]) -> None:
    """From the interrupt's handler to the task that waits, in ns: the PIT's channel 0, one shot."""
    irq = Irq(0)
    try:
        for _ in range(INTERRUPTS):
            # Intel 8254: channel 0, low and high byte, mode 0; 4096 ticks of 838 ns.
            _kernel.out8(0x43, 0x30)
            _kernel.out8(0x40, 0x00)
            _kernel.out8(0x40, 0x10)
            came = await irq.wait()
            latencies.append(time.monotonic_ns() - came.first_ns)
    finally:
        irq.close()


def measure_interrupts(spinning: int) -> dict[str, float]:
    """Median and 99th percentile in µs, while so many threads compute."""
    stop = False

    def spin() -> None:
        number = 0
        while not stop:
            number += 1

    threads = [threading.Thread(target=spin) for _ in range(spinning)]
    for thread in threads:
        thread.start()
    latencies: list[int] = []
    call(interrupts, latencies)
    stop = True
    for thread in threads:
        thread.join()
    latencies.sort()
    return {
        "p50": latencies[INTERRUPTS // 2] / 1e3,
        "p99": latencies[INTERRUPTS * 99 // 100] / 1e3,
    }


def best_of(function: Callable[[], object], count: int) -> float:
    """Seconds for one call: the best of the rounds."""
    best = 1e9
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(count):
            function()
        best = min(best, (time.perf_counter() - begun) / count)
    return best


def stat_us(path: str) -> float:
    """µs for a stat of a file that has been looked up before."""
    open(path, "w").close()
    taken = best_of(lambda: os.stat(path), 500) * 1e6
    os.unlink(path)
    return taken


def read_mib_s(path: str) -> float:
    """MiB for each second of sequential reads."""
    piece = os.urandom(1 << 20)
    with open(path, "wb", buffering=0) as file:
        for _ in range(FILE_MIB):
            file.write(piece)
    buffer = bytearray(PIECE)

    def read() -> None:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    read()
    taken = best_of(read, 1)
    os.unlink(path)
    return FILE_MIB / taken


def idle_wake_ups(seconds: float) -> int:
    """How often the machine has left its rest while nothing was asked for."""

    def count() -> int:
        lines = (line.split() for line in _kernel.inspect("statistics").splitlines())
        return int(dict(lines)["idle_count"])

    before = count()
    time.sleep(seconds)
    return count() - before - 1  # the end of this sleep


async def ovum_values() -> None:
    channel = tasks.Channel[int](1)

    async def send() -> None:
        for number in range(VALUES):
            await channel.send(number)

    async with tasks.Group() as group:
        group.start(send)
        for _ in range(VALUES):
            await channel.receive()


async def asyncio_values() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(1)

    async def send() -> None:
        for number in range(VALUES):
            await queue.put(number)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        for _ in range(VALUES):
            await queue.get()


def main() -> None:
    """Measures everything."""
    begun = time.perf_counter()
    vfs.mounts()
    found: dict[str, Any] = {"start ms": (time.perf_counter() - begun) * 1e3}
    os.makedirs("/mnt/memory")
    vfs.mount("/mnt/memory", vfs.MemoryFileSystem())
    found["interrupt, idle"] = measure_interrupts(0)
    found["interrupt, 1 thread computes"] = measure_interrupts(1)
    found["interrupt, 2 threads compute"] = measure_interrupts(2)
    found["stat us"] = {"ram": stat_us("/tmp/file"), "served": stat_us("/mnt/memory/file")}
    found["read MiB/s"] = {"ram": read_mib_s("/tmp/file"), "served": read_mib_s("/mnt/memory/file")}
    found["idle wake-ups in 3 s"] = idle_wake_ups(3)
    found["channel us"] = {
        "ovum": best_of(lambda: tasks.run(ovum_values), 1) / VALUES * 1e6,
        "asyncio": best_of(lambda: asyncio.run(asyncio_values()), 1) / VALUES * 1e6,
    }
    print(json.dumps(found))


main()
