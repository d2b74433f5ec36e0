"""The priority of the services thread: who has it runs until it waits, whatever others do."""

import contextlib
import ctypes
import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from .registry import check, native, refused

HIGH = os.sched_param(10)
NORMAL = os.sched_param(0)


@contextlib.contextmanager
def _spinning() -> Iterator[ctypes.c_uint64]:
    """A counter that a thread without the GIL counts up as fast as it can."""
    counter, stop = ctypes.c_uint64(), ctypes.c_uint8()
    thread = threading.Thread(
        target=native().spin, args=(ctypes.byref(counter), ctypes.byref(stop))
    )
    thread.start()
    try:
        while not counter.value:
            time.sleep(0.001)
        yield counter
    finally:
        stop.value = 1
        thread.join()


T = TypeVar("T")


def _in_thread(function: Callable[[], T]) -> T:
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def _compute() -> float:
    """Seconds of a calculation without the GIL that is far longer than a slice of time."""
    started = time.monotonic()
    hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 20_000)
    return time.monotonic() - started


@check
def a_services_thread_is_not_preempted_by_others() -> None:
    with _spinning() as counter:

        def progress_of_the_other() -> int:
            before = counter.value
            assert _compute() > 0.02
            return counter.value - before

        def with_priority() -> int:
            os.sched_setscheduler(0, os.SCHED_RR, HIGH)
            return progress_of_the_other()

        assert _in_thread(progress_of_the_other) > 0
        assert _in_thread(with_priority) == 0


@check
def a_services_thread_runs_as_soon_as_it_wakes() -> None:
    def lateness() -> list[float]:
        os.sched_setscheduler(0, os.SCHED_RR, HIGH)
        late = []
        for _ in range(50):
            started = time.monotonic()
            time.sleep(0.002)
            late.append(time.monotonic() - started - 0.002)
        return sorted(late)

    with _spinning(), _spinning():
        late = _in_thread(lateness)
    assert late[0] >= 0, late
    # The host may stall the whole machine; who waits for the end of a slice is always late.
    assert late[len(late) // 4] < 0.002, late


@check
def the_priority_of_another_thread_can_be_set() -> None:
    with _spinning() as counter:
        other = next(
            thread.native_id
            for thread in threading.enumerate()
            if thread is not threading.current_thread()
        )
        assert other is not None
        assert os.sched_getscheduler(other) == os.SCHED_OTHER
        os.sched_setscheduler(other, os.SCHED_BATCH, NORMAL)
        assert os.sched_getscheduler(other) == os.SCHED_BATCH
        os.sched_setscheduler(0, os.SCHED_FIFO, HIGH)
        try:
            assert os.sched_getparam(0).sched_priority == 10
            before = counter.value
            _compute()
            assert counter.value == before
        finally:
            os.sched_setscheduler(0, os.SCHED_OTHER, NORMAL)
        assert os.sched_getparam(0).sched_priority == 0
        _compute()
        assert counter.value > before
    with refused(errno.EINVAL):
        os.sched_setscheduler(0, os.SCHED_RR, NORMAL)
    with refused(errno.EINVAL):
        os.sched_setscheduler(0, os.SCHED_OTHER, HIGH)
    with refused(errno.ESRCH):
        os.sched_setscheduler(999_999, os.SCHED_OTHER, NORMAL)


@check
def who_is_interrupted_with_the_interpreters_mutex_has_its_priority_back() -> None:
    """A thread that the services thread waits for has its priority meanwhile (pyhost/gil.c)."""
    from ovum.services.main import call

    stop = False

    def compute() -> None:
        number = 0
        while not stop:
            number += 1

    async def nothing() -> None:
        pass

    threads = [threading.Thread(target=compute) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            call(nothing)
        kept = [os.sched_getscheduler(thread.native_id or 0) for thread in threads]
    finally:
        stop = True
        for thread in threads:
            thread.join()
    assert kept == [os.SCHED_OTHER] * 3
