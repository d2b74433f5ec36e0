"""Time against the host's, and what a guest costs that has nothing to do."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from . import machine

CLOCK = """\
import sys, time
for line in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
"""


@contextlib.contextmanager
def _clock(*words: str) -> Iterator[Callable[[], tuple[float, float, float]]]:
    """Asks a guest for its time: wall clock, monotonic clock, and the host's between."""
    argv = [*machine.OVUM, "run", "--timeout", "60", *words, "-c", CLOCK]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask() -> tuple[float, float, float]:
            stdin.write(b"\n")
            stdin.flush()
            wall, monotonic = map(float, stdout.readline().split())
            return wall, monotonic, time.time()

        ask()
        yield ask
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize("name", ["microvm", "q35"])
def test_the_wall_clock_is_the_hosts_within_two_seconds(name: str) -> None:
    with _clock("--machine", name) as ask:
        before = time.time()
        wall, _, after = ask()
    assert before - 2 <= wall <= after + 2


@pytest.mark.parametrize(
    "words", [(), ("--cpu", "qemu64"), ("--machine", "q35")], ids=["microvm", "qemu64", "q35"]
)
def test_the_clocks_run_at_the_hosts_rate(words: tuple[str, ...]) -> None:
    with _clock(*words) as ask:
        wall, monotonic, host = ask()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            later = ask()
    passed = later[2] - host
    # Half a second for what a busy host does between two questions.
    assert abs(later[0] - wall - passed) < 0.5
    assert abs(later[1] - monotonic - passed) < 0.5


def test_randomness_differs_between_boots() -> None:
    source = "import os, random; print(os.urandom(16).hex(), hash('x'), random.random())"
    for cpu in ("max", "qemu64"):
        first, second = (machine.code(source, "--cpu", cpu).expect().out.split() for _ in "ab")
        assert all(one != other for one, other in zip(first, second, strict=True)), (first, second)


@pytest.mark.parametrize("name", ["microvm", "pc"])
def test_a_sleeping_guest_uses_less_than_5_percent_of_a_core(name: str) -> None:
    source = (
        "import threading, time\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "time.sleep(0.5)\n"
        "print('asleep', flush=True)\n"
        "time.sleep(5)\n"
        "print('awake', flush=True)"
    )
    argv = [*machine.OVUM, "run", "--machine", name, "--timeout", "60", "-c", source]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asleep\n"
        pid = machine.find_child(process.pid, machine.QEMU)
        used, started = machine.processor_seconds(pid), time.monotonic()
        assert process.stdout.readline() == b"awake\n"
        used, passed = machine.processor_seconds(pid) - used, time.monotonic() - started
        assert process.wait() == 0
    assert passed > 4
    assert used < 0.05 * passed, f"{used} s of {passed} s"
