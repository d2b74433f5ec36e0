"""Threads: futexes, pre-emption, and that what belongs to a thread stays with it."""

import concurrent.futures
import ctypes
import queue
import random
import threading
import time
from _thread import allocate_lock

from .registry import check, libc, native, no_memory_lost

CPUID_AVX = 1 << 28
ROUNDS = 300_000


def _run_together(*targets: threading.Thread) -> None:
    for thread in targets:
        thread.start()
    for thread in targets:
        thread.join()


@check
def threads_exchange_messages_through_queues() -> None:
    there: queue.Queue[int | None] = queue.Queue()
    back: queue.Queue[int] = queue.Queue()

    def answer() -> None:
        while (number := there.get()) is not None:
            back.put(number + 1)

    thread = threading.Thread(target=answer)
    thread.start()
    for number in range(1000):
        there.put(number)
        assert back.get(timeout=30) == number + 1
    there.put(None)
    thread.join()


@check
def many_consumers_get_each_item_once() -> None:
    items: queue.Queue[int | None] = queue.Queue(maxsize=10)
    taken: list[int] = []

    def take() -> None:
        while (item := items.get()) is not None:
            taken.append(item)

    consumers = [threading.Thread(target=take) for _ in range(8)]
    for thread in consumers:
        thread.start()
    for item in range(2000):
        items.put(item)
    for _ in consumers:
        items.put(None)
    for thread in consumers:
        thread.join()
    assert sorted(taken) == list(range(2000))


@check
def two_hundred_threads_meet_at_a_barrier() -> None:
    barrier = threading.Barrier(201, timeout=60)
    threads = [threading.Thread(target=barrier.wait) for _ in range(200)]
    for thread in threads:
        thread.start()
    barrier.wait()
    for thread in threads:
        thread.join()


@check
def a_thousand_threads_leave_no_memory_behind() -> None:
    def start_and_join(count: int) -> None:
        for _ in range(count):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()

    start_and_join(20)
    with no_memory_lost(256 * 1024):
        start_and_join(1000)


@check
def an_event_wakes_all_that_wait() -> None:
    event = threading.Event()
    woken = threading.Semaphore(0)

    def wait() -> None:
        assert event.wait(60)
        woken.release()

    threads = [threading.Thread(target=wait) for _ in range(50)]
    for thread in threads:
        thread.start()
    event.set()
    for _ in threads:
        assert woken.acquire(timeout=60)
    for thread in threads:
        thread.join()


@check
def a_condition_passes_a_turn_around() -> None:
    turns: list[int] = []
    condition = threading.Condition()

    def take_turns(number: int) -> None:
        for _ in range(50):
            with condition:
                assert condition.wait_for(lambda: len(turns) % 4 == number, timeout=60)
                turns.append(number)
                condition.notify_all()

    _run_together(*(threading.Thread(target=take_turns, args=(n,)) for n in range(4)))
    assert turns == [0, 1, 2, 3] * 50


@check
def spinning_python_threads_both_make_progress() -> None:
    counts = [0, 0]
    stop = False

    def spin(index: int) -> None:
        while not stop:
            counts[index] += 1

    threads = [threading.Thread(target=spin, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    stop = True
    for thread in threads:
        thread.join()
    assert min(counts) > max(counts) / 20, counts


@check
def spinning_native_threads_are_preempted() -> None:
    """Neither gives the processor away, and neither holds the GIL."""
    counters = [ctypes.c_uint64(0) for _ in range(3)]
    stop = ctypes.c_uint8(0)
    threads = [
        threading.Thread(target=native().spin, args=(ctypes.byref(counter), ctypes.byref(stop)))
        for counter in counters
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    first = [counter.value for counter in counters]
    time.sleep(0.3)
    second = [counter.value for counter in counters]
    stop.value = 1
    for thread in threads:
        thread.join()
    assert all(b > a > 0 for a, b in zip(first, second, strict=True)), (first, second)


@check
def a_spinning_native_thread_does_not_delay_a_sleeper_for_long() -> None:
    counter, stop = ctypes.c_uint64(0), ctypes.c_uint8(0)
    thread = threading.Thread(
        target=native().spin, args=(ctypes.byref(counter), ctypes.byref(stop))
    )
    thread.start()
    late = []
    for _ in range(10):
        started = time.monotonic()
        time.sleep(0.01)
        late.append(time.monotonic() - started - 0.01)
    stop.value = 1
    thread.join()
    assert min(late) < 0.02, late


def _wrong_in_threads(name: str, threads: int, *, seed: int) -> list[int]:
    generator = random.Random(seed)
    wrong: list[int] = []

    def work(patterns: bytes) -> None:
        wrong.append(getattr(native(), name)(patterns, ctypes.c_uint64(ROUNDS)))

    _run_together(
        *(
            threading.Thread(target=work, args=(generator.randbytes(16 * 32),))
            for _ in range(threads)
        )
    )
    return wrong


@check
def sse_registers_survive_preemption() -> None:
    wrong = _wrong_in_threads("wrong_xmm", 4, seed=1)
    assert wrong == [0] * 4, wrong


@check
def avx_registers_survive_preemption_where_there_are_any() -> None:
    # On the host there is no such module.
    import _kernel

    if not _kernel.cpuid(1)[2] & CPUID_AVX:
        # Without AVX the kernel must not have switched it on either, and SSE is all there is.
        assert not _kernel.cpuid(1)[2] & 1 << 27, "OSXSAVE without AVX"
        return
    wrong = _wrong_in_threads("wrong_ymm", 4, seed=2)
    assert wrong == [0] * 4, wrong


@check
def floating_point_control_words_belong_to_a_thread() -> None:
    wrong: list[int] = []

    def work(rounding: int) -> None:
        wrong.append(native().wrong_rounding(rounding, ctypes.c_uint64(ROUNDS * 4)))

    _run_together(*(threading.Thread(target=work, args=(n,)) for n in range(4)))
    assert wrong == [0] * 4, wrong


@check
def nothing_writes_to_the_red_zone() -> None:
    wrong: list[int] = []

    def work() -> None:
        wrong.append(native().wrong_red_zone(ctypes.c_uint64(ROUNDS * 4)))

    _run_together(*(threading.Thread(target=work) for _ in range(3)))
    assert wrong == [0] * 3, wrong


@check
def interrupts_after_a_16_byte_exchange_do_no_harm() -> None:
    done = threading.Event()

    def interrupt_often() -> None:
        while not done.wait(0.0002):
            pass

    ticker = threading.Thread(target=interrupt_often)
    ticker.start()
    try:
        # With wrong flags the next instruction would trap (SIGTRAP), or a copy run backwards.
        assert native().exchange_16_bytes(ctypes.c_uint64(ROUNDS * 10)) == 0
    finally:
        done.set()
        ticker.join()


@check
def floating_point_results_survive_switches() -> None:
    def work() -> None:
        for _ in range(300):
            values = [1.1 ** (n % 50) for n in range(50)]
            assert sum(values) == expected

    expected = sum([1.1 ** (n % 50) for n in range(50)])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(8)]:
            done.result()


@check
def thread_local_storage_belongs_to_a_thread() -> None:
    local = threading.local()
    seen: list[int] = []
    barrier = threading.Barrier(20, timeout=60)

    def work(number: int) -> None:
        local.number = number
        barrier.wait()
        seen.append(local.number)

    _run_together(*(threading.Thread(target=work, args=(n,)) for n in range(20)))
    assert sorted(seen) == list(range(20))


@check
def errno_belongs_to_a_thread() -> None:
    barrier = threading.Barrier(2, timeout=60)
    found: dict[str, int] = {}

    def fail(name: str, fd: int) -> None:
        # EBADF here, EFAULT there; the other's error must not be seen.
        libc().syscall(1, fd, ctypes.c_void_p(16), 1)
        barrier.wait()
        found[name] = ctypes.get_errno()

    _run_together(
        threading.Thread(target=fail, args=("bad descriptor", 999)),
        threading.Thread(target=fail, args=("bad pointer", 1)),
    )
    assert found == {"bad descriptor": 9, "bad pointer": 14}, found


@check
def threads_have_identities_of_their_own() -> None:
    found: list[int] = []
    barrier = threading.Barrier(10, timeout=60)

    def work() -> None:
        barrier.wait()
        found.append(threading.get_native_id())

    _run_together(*(threading.Thread(target=work) for _ in range(10)))
    assert len(set(found)) == 10, found
    assert threading.main_thread().native_id not in found


@check
def a_large_thread_stack_is_usable() -> None:
    done: list[int] = []

    def recurse(depth: int) -> int:
        return depth and recurse(depth - 1) + 1

    previous = threading.stack_size(16 << 20)
    try:
        _run_together(threading.Thread(target=lambda: done.append(recurse(800))))
    finally:
        threading.stack_size(previous)
    assert done == [800]


@check
def an_exception_in_a_thread_ends_only_that_thread() -> None:
    reports: list[str] = []
    previous = threading.excepthook
    threading.excepthook = lambda args: reports.append(repr(args.exc_value))
    try:
        _run_together(threading.Thread(target=lambda: 1 // 0))
    finally:
        threading.excepthook = previous
    assert reports == ["ZeroDivisionError('integer division or modulo by zero')"], reports


@check
def low_level_locks_block_and_wake() -> None:
    lock = allocate_lock()
    lock.acquire()
    order: list[str] = []

    def release() -> None:
        order.append("released")
        lock.release()

    thread = threading.Thread(target=release)
    thread.start()
    assert lock.acquire(timeout=60)
    order.append("acquired")
    thread.join()
    assert order == ["released", "acquired"]
