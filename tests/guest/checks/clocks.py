"""Time: sleeping, the clocks and how they agree."""

import os
import threading
import time

from .registry import check


@check
def no_sleep_ends_early() -> None:
    for seconds in (0.0, 1e-9, 1e-6, 1e-4, 0.001, 0.0033, 0.01, 0.05, 0.1):
        started = time.monotonic_ns()
        time.sleep(seconds)
        took = time.monotonic_ns() - started
        assert took >= seconds * 1e9, f"{took} ns for a sleep of {seconds} s"


@check
def sleeping_is_accurate() -> None:
    late = []
    for _ in range(20):
        started = time.monotonic()
        time.sleep(0.01)
        late.append(time.monotonic() - started - 0.01)
    # The least delay is the kernel's; the others are a busy host's as well.
    assert min(late) < 0.002, late


@check
def a_lock_waits_as_long_as_its_timeout_says() -> None:
    lock = threading.Lock()
    lock.acquire()
    late = []
    for _ in range(10):
        started = time.monotonic()
        assert not lock.acquire(timeout=0.02)
        late.append(time.monotonic() - started - 0.02)
    lock.release()
    assert min(late) >= 0, late
    assert min(late) < 0.005, late


@check
def the_monotonic_clock_never_goes_back() -> None:
    last = time.monotonic_ns()
    for _ in range(100_000):
        now = time.monotonic_ns()
        assert now >= last, (last, now)
        last = now


@check
def the_clocks_run_at_the_same_rate() -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time_ns()
    time.sleep(0.3)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.time_ns()
    monotonic, wall = after[0] - before[0], after[1] - before[1]
    assert abs(monotonic - wall) < 50_000_000, (monotonic, wall)


@check
def a_sleeping_thread_uses_no_processor_time() -> None:
    before = time.thread_time()
    time.sleep(0.3)
    used = time.thread_time() - before
    assert used < 0.1, used
    started, wall = time.thread_time(), time.monotonic()
    while time.monotonic() - wall < 0.1:
        pass
    assert time.thread_time() - started > 0.02


@check
def processor_time_adds_up() -> None:
    before = os.times()
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        pass
    after = os.times()
    used = after.user + after.system - before.user - before.system
    assert 0.05 < used < 5, used


@check
def clock_resolution_is_a_nanosecond() -> None:
    assert time.get_clock_info("monotonic").resolution <= 1e-6
    assert time.clock_getres(time.CLOCK_REALTIME) <= 1e-6
