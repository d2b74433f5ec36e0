"""Signals: timers, handlers, masks, and what they interrupt."""

import contextlib
import faulthandler
import os
import select
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from .registry import check


@contextlib.contextmanager
def _caught(*numbers: int) -> Iterator[list[int]]:
    got: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        got.append(number)

    previous = {number: signal.signal(number, note) for number in numbers}
    try:
        yield got
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@check
def a_signal_reaches_its_handler() -> None:
    with _caught(signal.SIGUSR1, signal.SIGUSR2) as got:
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR2)
        assert got == [signal.SIGUSR1, signal.SIGUSR2], got


@check
def sigint_is_a_keyboard_interrupt() -> None:
    ways: list[Callable[[], None]] = [
        lambda: signal.raise_signal(signal.SIGINT),
        lambda: os.kill(os.getpid(), signal.SIGINT),
    ]
    for raise_it in ways:
        try:
            raise_it()
        except KeyboardInterrupt:
            continue
        raise AssertionError("no KeyboardInterrupt")


@check
def a_timer_interrupts_a_busy_loop() -> None:
    for timer, number in (
        (signal.ITIMER_REAL, signal.SIGALRM),
        (signal.ITIMER_VIRTUAL, signal.SIGVTALRM),
        (signal.ITIMER_PROF, signal.SIGPROF),
    ):
        with _caught(number) as got:
            signal.setitimer(timer, 0.05)
            until = time.monotonic() + 60
            while not got and time.monotonic() < until:
                pass
            assert got == [number], number


@check
def a_timer_repeats_until_it_is_stopped() -> None:
    with _caught(signal.SIGALRM) as got:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        until = time.monotonic() + 60
        while len(got) < 5 and time.monotonic() < until:
            signal.pause()
        assert signal.setitimer(signal.ITIMER_REAL, 0)[1] == 0.01
        seen = len(got)
        time.sleep(0.05)
        assert len(got) <= seen + 1


@check
def a_sleep_goes_on_after_a_handler() -> None:
    with _caught(signal.SIGALRM) as got:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        started = time.monotonic()
        time.sleep(0.2)
        assert got == [signal.SIGALRM]
        assert time.monotonic() - started >= 0.2


@check
def an_exception_in_a_handler_ends_what_waits() -> None:
    class AlarmError(Exception):
        pass

    def ring(number: int, frame: FrameType | None) -> None:
        raise AlarmError

    reading, writing = os.pipe()
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    waits: dict[str, Callable[[], object]] = {
        "sleep": lambda: time.sleep(60),
        "read": lambda: os.read(reading, 1),
        "poll": lambda: poll.poll(60_000),
        "lock": lambda: threading.Event().wait(60),
    }
    previous = signal.signal(signal.SIGALRM, ring)
    for name, wait in waits.items():
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        started = time.monotonic()
        try:
            wait()
        except AlarmError:
            assert time.monotonic() - started < 30, name
            continue
        raise AssertionError(f"{name} was not interrupted")
    signal.signal(signal.SIGALRM, previous)
    os.close(reading)
    os.close(writing)


@check
def a_blocked_signal_waits() -> None:
    with _caught(signal.SIGUSR1) as got:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        os.kill(os.getpid(), signal.SIGUSR1)
        assert signal.sigpending() == {signal.SIGUSR1}
        assert got == []
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        assert got == [signal.SIGUSR1]


@check
def a_signal_can_be_waited_for() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    main = threading.main_thread().ident
    assert main is not None
    thread = threading.Thread(target=lambda: signal.pthread_kill(main, signal.SIGUSR1))
    thread.start()
    info = signal.sigtimedwait([signal.SIGUSR1], 60)
    thread.join()
    assert info is not None
    assert info.si_signo == signal.SIGUSR1
    assert signal.sigtimedwait([signal.SIGUSR1], 0.01) is None
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


@check
def an_ignored_signal_does_nothing() -> None:
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, previous)


@check
def a_signal_writes_to_the_wake_up_descriptor() -> None:
    reading, writing = os.pipe2(os.O_NONBLOCK)
    with _caught(signal.SIGUSR1):
        previous = signal.set_wakeup_fd(writing)
        signal.raise_signal(signal.SIGUSR1)
        signal.set_wakeup_fd(previous)
    assert os.read(reading, 10) == bytes([signal.SIGUSR1])
    os.close(reading)
    os.close(writing)


@check
def signals_do_not_hurt_what_they_interrupt() -> None:
    """Many handlers in the middle of floating point and large integers."""
    with _caught(signal.SIGALRM) as got:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        expected = sum(1.5**n / 3 for n in range(100))
        until = time.monotonic() + 60
        while len(got) < 50 and time.monotonic() < until:
            assert sum(1.5**n / 3 for n in range(100)) == expected
            assert pow(3, 5000, 10**50 + 1) == pow(3, 5000) % (10**50 + 1)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(got) >= 50


@check
def faulthandler_dumps_all_threads() -> None:
    assert faulthandler.is_enabled()
    event = threading.Event()

    def wait_for_the_dump() -> None:
        event.wait(60)

    thread = threading.Thread(target=wait_for_the_dump)
    thread.start()
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        text = file.read()
    event.set()
    thread.join()
    assert "wait_for_the_dump" in text, text
    assert "faulthandler_dumps_all_threads" in text, text


@check
def faulthandler_dumps_after_a_timeout() -> None:
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback_later(0.05, file=file)
        time.sleep(0.3)
        faulthandler.cancel_dump_traceback_later()
        file.seek(0)
        text = file.read()
    assert "Timeout" in text, text
    assert "faulthandler_dumps_after_a_timeout" in text, text
