"""How threads end and how much stack they have; many of them at once; how exact their waits are."""

import ctypes
import statistics
import threading
import time
from collections.abc import Callable
from typing import Final

from .registry import check, native, no_memory_lost

STACKS_KIB: Final = (64, 256, 1024, 8 * 1024, 64 * 1024)


def _in_a_thread(function: Callable[[], object], stack_kib: int) -> None:
    previous = threading.stack_size(stack_kib * 1024)
    try:
        thread = threading.Thread(target=function)
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()


@check
def stacks_of_all_sizes_can_be_used() -> None:
    used: list[int] = []
    for kib in STACKS_KIB:
        # native.c takes about 600 bytes for each level: half of the stack.
        levels = ctypes.c_uint64(kib * 1024 // 1200)
        _in_a_thread(lambda levels=levels: used.append(native().exhaust_stack(levels)), kib)  # type: ignore[misc]
    assert len(used) == len(STACKS_KIB)


@check
def recursion_in_a_thread_ends_in_an_exception() -> None:
    caught: list[int] = []

    def recurse(depth: int) -> int:
        return recurse(depth + 1)

    def provoke() -> None:
        try:
            recurse(0)
        except RecursionError:
            caught.append(1)

    for kib in STACKS_KIB[1:]:
        _in_a_thread(provoke, kib)
    assert len(caught) == len(STACKS_KIB) - 1


@check
def five_hundred_threads_live_at_once() -> None:
    def live() -> None:
        barrier = threading.Barrier(501, timeout=120)
        threads = [threading.Thread(target=barrier.wait) for _ in range(500)]
        for thread in threads:
            thread.start()
        assert threading.active_count() == 501
        barrier.wait()
        for thread in threads:
            thread.join()

    live()
    with no_memory_lost(1 << 20):
        live()


@check
def waits_are_never_short_and_seldom_long() -> None:
    waits: dict[str, Callable[[float], object]] = {
        "sleep": time.sleep,
        "lock": lambda seconds: threading.Event().wait(seconds),
    }
    for name, wait in waits.items():
        late = []
        for number in range(100):
            seconds = 0.001 + number % 7 * 0.001
            started = time.monotonic_ns()
            wait(seconds)
            late.append((time.monotonic_ns() - started) / 1e9 - seconds)
        assert min(late) >= 0, f"{name}: {min(late)} s"
        # The machine below may stop for a while, so not all of them count.
        assert statistics.median(late) < 0.002, f"{name}: {sorted(late)}"


@check
def a_thread_can_be_cancelled_wherever_it_is() -> None:
    for spinning in (0, 1):
        for _ in range(5):
            assert native().cancel_a_thread(spinning) == 1, spinning
