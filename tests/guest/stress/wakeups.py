"""Nothing that waits is forgotten.

Locks, conditions and futexes, in C and in Python, with timeouts that race with wake-ups, signals at
the waiting threads, and threads that come and go meanwhile.
"""

import concurrent.futures
import ctypes
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

LIBRARY: Final = "/opt/wakeups.so"
PARTS: Final = {
    "producer": 2, "consumer": 2, "semaphores": 4, "barrier": 4, "futex": 4, "short threads": 1,
}  # fmt: skip
"""The parts of wakeups.c, by number, and how many threads each takes."""
NUMBER: Final = signal.SIGRTMIN + 3
STUCK_S: Final = 20.0
"""A thread without progress for so long hangs. Each makes some within a fraction of a second."""


class Players:
    """All threads, and what each has done."""

    def __init__(self) -> None:
        self.native = ctypes.CDLL(LIBRARY)
        self.names: list[str] = []
        self.threads: list[threading.Thread] = []
        self.progress = (ctypes.c_uint64 * 64)()
        self.stop = ctypes.c_uint8(0)

    def add(self, name: str, play: Callable[[Callable[[], None]], None]) -> None:
        """A thread; what it is given is to be called for each step."""
        slot = self._slot(name)

        def step() -> None:
            self.progress[slot] += 1

        self.threads.append(threading.Thread(target=play, args=(step,), name=name))

    def add_native(self, name: str, part: int, index: int) -> None:
        slot = self._slot(name)
        place = ctypes.byref(self.progress, slot * ctypes.sizeof(ctypes.c_uint64))
        arguments = (ctypes.c_uint64(part), ctypes.c_uint64(index), place, ctypes.byref(self.stop))
        self.threads.append(
            threading.Thread(target=self.native.take_part, args=arguments, name=name)
        )

    def _slot(self, name: str) -> int:
        self.names.append(name)
        return len(self.names) - 1

    def watch(self, seconds: float) -> None:
        """Lets them play for so long; ends the program if one of them stands still."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            before = list(self.progress)
            time.sleep(min(left, STUCK_S))
            if left >= STUCK_S:
                self._expect_progress(before)
        self._expect_progress([0] * len(self.progress))

    def end(self) -> None:
        """Waits for all of them."""
        self.stop.value = 1
        deadline = time.monotonic() + STUCK_S
        for thread in self.threads:
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():
                self._give_up([thread.name])

    def _expect_progress(self, before: list[int]) -> None:
        stuck = [
            name for slot, name in enumerate(self.names) if self.progress[slot] == before[slot]
        ]
        if stuck:
            self._give_up(stuck)

    def _give_up(self, stuck: list[str]) -> None:
        print("HANGS:", ", ".join(stuck), list(self.progress), flush=True)
        faulthandler.dump_traceback()
        os._exit(3)


def _add_conditions(players: Players) -> None:
    """Two threads wait for each other's turn."""
    condition = threading.Condition()
    turns = [0]

    def play(mine: int) -> Callable[[Callable[[], None]], None]:
        def loop(step: Callable[[], None]) -> None:
            while not players.stop.value:
                with condition:
                    condition.wait_for(lambda: turns[0] % 2 == mine or players.stop.value)
                    turns[0] += 1
                    condition.notify_all()
                step()

        return loop

    players.add("condition 0", play(0))
    players.add("condition 1", play(1))


def _add_queue(players: Players) -> None:
    """Two put, two get, there is hardly any room."""
    items: queue.Queue[int | None] = queue.Queue(maxsize=2)

    def put(step: Callable[[], None]) -> None:
        while not players.stop.value:
            items.put(1)
            step()
        items.put(None)

    def get(step: Callable[[], None]) -> None:
        while items.get() is not None:
            step()

    for name in ("putter 0", "putter 1"):
        players.add(name, put)
    for name in ("getter 0", "getter 1"):
        players.add(name, get)


def _add_hand_over(players: Players) -> None:
    """A semaphore and an event go back and forth."""
    semaphore, event, done = threading.Semaphore(0), threading.Event(), threading.Event()

    def release(step: Callable[[], None]) -> None:
        while not players.stop.value:
            event.clear()
            semaphore.release()
            event.wait()
            step()
        done.set()
        semaphore.release()

    def acquire(step: Callable[[], None]) -> None:
        while semaphore.acquire() and not done.is_set():
            event.set()
            step()

    players.add("release", release)
    players.add("acquire", acquire)


def _add_barrier(players: Players) -> None:
    barrier = threading.Barrier(3)

    def meet(step: Callable[[], None]) -> None:
        try:
            while True:
                barrier.wait()
                step()
                if players.stop.value:
                    barrier.abort()
        except threading.BrokenBarrierError:
            return

    for number in range(3):
        players.add(f"meeting {number}", meet)


def _add_pool(players: Players) -> None:
    def submit(step: Callable[[], None]) -> None:
        while not players.stop.value:
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                assert sorted(pool.map(abs, range(20))) == list(range(20))
            step()

    players.add("pool", submit)


def main(arguments: list[str]) -> None:
    """SECONDS."""
    players = Players()
    players.native.interrupt_all.restype = ctypes.c_uint64
    players.native.prepare()
    for part, (name, count) in enumerate(PARTS.items()):
        for index in range(count):
            players.add_native(f"{name} {index}", part, index)
    for add in (_add_conditions, _add_queue, _add_hand_over, _add_barrier, _add_pool):
        add(players)
    sys.setswitchinterval(0.0005)
    for thread in players.threads:
        thread.start()
    # Signals go to the threads that last; the handler is C's, not Python's.
    ids = (ctypes.c_uint64 * len(players.threads))(*(t.native_id or 0 for t in players.threads))
    quiet = ctypes.c_uint8(0)
    hits: list[int] = []

    def interrupt() -> None:
        hits.append(
            players.native.interrupt_all(
                ctypes.c_uint64(NUMBER), ids, ctypes.c_uint64(len(ids)), ctypes.byref(quiet)
            )
        )

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    players.watch(float(arguments[0]))
    quiet.value = 1
    interrupter.join()
    players.end()
    steps = dict(zip(players.names, players.progress, strict=False))
    requeued = players.native.times_requeued()
    print(f"{steps}, {requeued} requeued, {hits[0]} signals", flush=True)
    assert players.native.lost_items() == players.native.torn_reads() == 0
    assert requeued > 0
    assert hits[0] > 0
