"""Reads and writes the disk /dev/vda, in ovum and on Linux alike, and prints the figures as JSON.

On Linux past the page cache (O_DIRECT), as it is in ovum anyway; memory is on page boundaries, and
the same at every call.
"""

import json
import mmap
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable

MIB = 1 << 20
SMALL = 4096
SPAN_S = 2.0
"""How long each figure is measured for."""


def open_disk() -> int:
    """A descriptor of the disk, whose driver is there then."""
    try:
        from ovum.drivers import manager
    except ImportError:
        subprocess.run(["/bin/busybox", "insmod", "/mod/virtio_blk.ko"], check=True)
        deadline = time.monotonic() + 10
        while not os.path.exists("/dev/vda") and time.monotonic() < deadline:
            time.sleep(0.02)
        return os.open("/dev/vda", os.O_RDWR | os.O_DIRECT)
    manager.start()
    return os.open("/dev/vda", os.O_RDWR)


def per_second(work: Callable[[int], object]) -> float:
    """How often work(0), work(1), … is done in a second."""
    for k in range(8):
        work(k)
    count = 0
    begun = time.monotonic()
    while (spent := time.monotonic() - begun) < SPAN_S:
        work(count)
        count += 1
    return count / spent


def threads_per_second(fd: int, size: int, depth: int) -> float:
    """4 KiB reads at random places, by so many threads at a time."""
    counts = [0] * depth
    end = threading.Event()

    def read(which: int) -> None:
        chance = random.Random(which)
        memory = [mmap.mmap(-1, SMALL)]
        memory[0][0] = 1
        while not end.is_set():
            os.preadv(fd, memory, chance.randrange(size // SMALL) * SMALL)
            counts[which] += 1

    threads = [threading.Thread(target=read, args=(which,)) for which in range(depth)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    before, begun = sum(counts), time.monotonic()
    time.sleep(SPAN_S)
    done, spent = sum(counts) - before, time.monotonic() - begun
    end.set()
    for thread in threads:
        thread.join()
    return done / spent


def main() -> None:
    fd = open_disk()
    size = os.lseek(fd, 0, os.SEEK_END)
    large = mmap.mmap(-1, MIB)
    large[:] = bytes(range(256)) * (MIB // 256)
    small = mmap.mmap(-1, SMALL)
    small[0] = 1
    places = random.Random(1).choices(range(size // SMALL), k=1024)
    pieces = size // MIB
    found = {
        "read MiB/s": per_second(lambda k: os.preadv(fd, [large], k % pieces * MIB)),
        "write MiB/s": per_second(lambda k: os.pwritev(fd, [large], k % pieces * MIB)),
        "4 KiB reads/s, depth 1": per_second(
            lambda k: os.preadv(fd, [small], places[k & 1023] * SMALL)
        ),
        "4 KiB reads/s, depth 16": threads_per_second(fd, size, 16),
    }
    print("FIGURES " + json.dumps(found), flush=True)


main()
