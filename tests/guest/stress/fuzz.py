"""System calls at random, from several threads; afterwards everything must be as before.

The same seed gives each thread the same calls. How the threads interleave is the machine's choice.
"""

import contextlib
import ctypes
import faulthandler
import gc
import os
import queue
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

LIBRARY: Final = "/opt/fuzz.so"
FOLDER: Final = Path("/tmp/fuzz")
FIRST_FD: Final = 3
DESCRIPTORS: Final = 61
MOST_THREADS: Final = 8
WARM_UP: Final = 20_000
"""Calls before the memory is measured: they fill what the kernel and Python keep."""
STUCK_S: Final = 25.0
"""A thread that makes no call for so long hangs."""
TOLERANCE: Final = 512 * 1024
"""Memory of the kernel's that may stay in use. A leak grows with the calls, of which there are
millions."""
EVERY_SIGNAL: Final = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Fuzzer:
    """The C part, and what it needs around it."""

    def __init__(self, threads: int) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self._done = (ctypes.c_uint64 * MOST_THREADS).in_dll(self._library, "fuzz_done")
        self._last = (ctypes.c_uint64 * 8 * MOST_THREADS).in_dll(self._library, "fuzz_last")
        self._signals = ctypes.c_uint64.in_dll(self._library, "fuzz_signals")
        self._threads = threads
        self._stop = ctypes.c_uint8(0)

    def run(self, seed: int, calls: int) -> None:
        """Makes that many calls, and cleans up behind them."""
        wall = time.time() - time.monotonic()
        hostname, mask, limits = os.uname().nodename, os.umask(0o022), _limits()
        names = _all_names()
        FOLDER.mkdir()
        os.chdir(FOLDER)
        Path("link").symlink_to("d")
        Path("loop").symlink_to("loop")
        Path("d").mkdir()
        resource.setrlimit(resource.RLIMIT_NOFILE, (FIRST_FD + DESCRIPTORS, limits[7][1]))
        assert self._library.fuzz_prepare()
        self._library.fuzz_handle_signals()
        self._stop.value = 0
        self._make_calls(seed, calls)
        self._library.fuzz_settle()
        self._library.fuzz_release()
        os.closerange(FIRST_FD, 1024)
        for which, limit in limits.items():
            resource.setrlimit(which, limit)
        time.clock_settime(time.CLOCK_REALTIME, wall + time.monotonic())
        os.umask(mask)
        os.chdir("/")
        _remove_all_but(names)
        _libc().sethostname(hostname.encode(), len(hostname))
        while signal.sigtimedwait(EVERY_SIGNAL, 0):
            pass

    def _make_calls(self, seed: int, calls: int) -> None:
        for index in range(MOST_THREADS):
            self._done[index] = 0
        workers = [
            threading.Thread(
                target=self._library.fuzz_thread,
                args=(*map(ctypes.c_uint64, (seed, index, self._threads, calls // self._threads)),),
            )
            for index in range(self._threads)
        ]
        watchman = threading.Thread(
            target=self._library.fuzz_watchman, args=(ctypes.byref(self._stop),)
        )
        for thread in (watchman, *workers):
            thread.start()
        for worker in workers:
            self._join(worker, calls)
        self._stop.value = 1
        watchman.join()

    def _join(self, worker: threading.Thread, calls: int) -> None:
        while worker.is_alive():
            before = list(self._done)
            worker.join(STUCK_S)
            if not worker.is_alive():
                return
            stuck = [
                f"thread {index}, after {self._done[index]} calls, in {self._describe(index)}"
                for index in range(self._threads)
                if self._done[index] == before[index] < calls // self._threads
            ]
            if stuck:
                print("HANGS:", *stuck, sep="\n", flush=True)
                faulthandler.dump_traceback()
                os._exit(3)

    def _describe(self, index: int) -> str:
        number, *arguments, _ = self._last[index]
        return f"call {number}({', '.join(map(hex, arguments))})"

    def summary(self) -> str:
        """How many signals were handled, and what came of the calls."""
        made, good = (
            list((ctypes.c_uint64 * 512).in_dll(self._library, name))
            for name in ("fuzz_made", "fuzz_succeeded")
        )
        return (
            f"{self._signals.value} signals, {sum(good) * 100 // sum(made)} % of the calls "
            f"succeeded, of {sum(map(bool, good))} kinds"
        )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _limits() -> dict[int, tuple[int, int]]:
    return {which: resource.getrlimit(which) for which in range(16)}


def _all_names() -> set[Path]:
    """Everything in the file system, but for /proc: threads come and go by themselves."""
    found = set()
    for folder, folders, files in os.walk("/"):
        if folder == "/":
            folders.remove("proc")
        found |= {Path(folder, name) for name in (*folders, *files)}
    return found


def _remove_all_but(names: set[Path]) -> None:
    """Removes what the fuzzer made; what was there before it must still be."""
    assert not (missing := names - _all_names()), missing
    for path in sorted(_all_names() - names, reverse=True):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def _open_descriptors() -> list[int]:
    found = []
    for fd in range(1024):
        with contextlib.suppress(OSError):
            os.fstat(fd)
            found.append(fd)
    return found


def _put_hundred(items: queue.Queue[int]) -> None:
    for number in range(100):
        items.put(number)


def _still_works() -> None:
    """Files, pipes, threads, timers and signals after all that."""
    path = Path("/tmp/after")
    data = os.urandom(300_000)
    path.write_bytes(data)
    assert path.read_bytes() == data
    path.unlink()
    items: queue.Queue[int] = queue.Queue(maxsize=2)
    thread = threading.Thread(target=_put_hundred, args=(items,))
    thread.start()
    assert [items.get(timeout=30) for _ in range(100)] == list(range(100))
    thread.join()
    reading, writing = os.pipe()
    os.write(writing, b"x")
    assert os.read(reading, 2) == b"x"
    os.close(reading)
    os.close(writing)
    rung: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    started = time.monotonic()
    # Again and again: one signal may come between the look at `rung` and the pause.
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while not rung:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert 0.01 <= time.monotonic() - started < 30
    assert sum(1.1**n for n in range(100)) == 1.1**0 + sum(1.1**n for n in range(1, 100))


def _bytes_not_ours() -> int:
    """Memory that is neither free nor this program's own (of which Python keeps what it likes)."""
    gc.collect()
    page = os.sysconf("SC_PAGE_SIZE")
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * page
    return os.sysconf("SC_PHYS_PAGES") * page - os.sysconf("SC_AVPHYS_PAGES") * page - resident


def main(arguments: list[str]) -> None:
    """SEED CALLS [THREADS]: 0 as a seed means a new one."""
    seed, calls = int(arguments[0]), int(arguments[1])
    threads = int(arguments[2]) if len(arguments) > 2 else 4
    seed = seed or int.from_bytes(os.urandom(4))
    print(f"seed {seed}, {calls} calls, {threads} threads", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, EVERY_SIGNAL)
    fuzzer = Fuzzer(threads)
    fuzzer.run(seed + 1, WARM_UP)
    print(fuzzer.summary(), flush=True)
    before, descriptors = _bytes_not_ours(), _open_descriptors()
    started = time.monotonic()
    fuzzer.run(seed, calls)
    took = time.monotonic() - started
    lost = _bytes_not_ours() - before
    assert _open_descriptors() == descriptors, _open_descriptors()
    _still_works()
    print(f"{took:.1f} s, {fuzzer.summary()}, {lost} bytes more in use", flush=True)
    assert lost <= TOLERANCE, f"{lost} bytes are gone"
    assert threading.active_count() == 1


if __name__ == "__main__":
    main(sys.argv[1:])
