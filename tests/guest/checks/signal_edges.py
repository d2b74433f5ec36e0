"""Signals: alarms, waiting, sending to threads, one-shot handlers, timers at their fastest."""

import ctypes
import errno
import faulthandler
import os
import signal
import socket
import tempfile
import threading
import time

from .registry import check, libc

SA_RESETHAND = 0x80000000
SIGNAL_MASK_BYTES = 8
RT_SIGACTION = 13


class _SigAction(ctypes.Structure):
    """struct sigaction as the kernel has it (asm/signal.h)."""

    _fields_ = (
        ("handler", ctypes.c_uint64),
        ("flags", ctypes.c_uint64),
        ("restorer", ctypes.c_uint64),
        ("mask", ctypes.c_uint64),
    )


def _kernel_action(number: int, new: _SigAction | None = None) -> _SigAction:
    old = _SigAction()
    given = None if new is None else ctypes.byref(new)
    assert libc().syscall(RT_SIGACTION, number, given, ctypes.byref(old), SIGNAL_MASK_BYTES) == 0, (
        os.strerror(ctypes.get_errno())
    )
    return old


@check
def an_alarm_comes_once_and_can_be_taken_back() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: got.append(number))
    assert signal.alarm(1) == 0
    started = time.monotonic()
    assert signal.alarm(1) == 1
    signal.pause()
    assert got == [signal.SIGALRM]
    assert 0.999 <= time.monotonic() - started < 30
    signal.alarm(50)
    assert signal.alarm(0) == 50
    signal.signal(signal.SIGALRM, before)


@check
def sigtimedwait_ends_at_its_time_and_sigwaitinfo_tells_the_sender() -> None:
    numbers = {signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    started = time.monotonic()
    assert signal.sigtimedwait(numbers, 0.05) is None
    assert time.monotonic() - started >= 0.05
    os.kill(os.getpid(), signal.SIGUSR2)
    info = signal.sigwaitinfo(numbers)
    assert (info.si_signo, info.si_pid, info.si_uid) == (signal.SIGUSR2, os.getpid(), 0)
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    assert signal.sigpending() == {signal.SIGUSR1}
    assert signal.sigwait(numbers) == signal.SIGUSR1
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


@check
def a_signal_to_a_thread_is_that_threads() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.append(signal.sigwait({signal.SIGUSR1})))
    thread.start()
    assert thread.ident is not None
    signal.pthread_kill(thread.ident, signal.SIGUSR1)
    thread.join()
    assert taken == [signal.SIGUSR1]
    assert signal.sigpending() == set()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


@check
def a_one_shot_handler_is_gone_after_its_signal() -> None:
    before = signal.signal(signal.SIGURG, lambda *_: None)
    action = _kernel_action(signal.SIGURG)
    action.flags |= SA_RESETHAND
    _kernel_action(signal.SIGURG, action)
    os.kill(os.getpid(), signal.SIGURG)
    assert _kernel_action(signal.SIGURG).handler == 0
    signal.signal(signal.SIGURG, before)


@check
def interrupted_calls_restart_only_where_asked() -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    reader, writer = os.pipe()
    buffer = ctypes.create_string_buffer(1)
    signal.siginterrupt(signal.SIGALRM, True)
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    assert libc().read(reader, buffer, ctypes.c_size_t(1)) == -1
    assert ctypes.get_errno() == errno.EINTR
    signal.siginterrupt(signal.SIGALRM, False)
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    threading.Timer(0.15, os.write, (writer, b"x")).start()
    assert libc().read(reader, buffer, ctypes.c_size_t(1)) == 1
    signal.signal(signal.SIGALRM, before)
    for thread in threading.enumerate()[1:]:
        thread.join()
    os.close(reader)
    os.close(writer)


@check
def the_fastest_timer_leaves_time_for_the_program() -> None:
    got: list[int] = []
    for timer, number in (
        (signal.ITIMER_REAL, signal.SIGALRM),
        (signal.ITIMER_PROF, signal.SIGPROF),
    ):
        before = signal.signal(number, lambda number, _: got.append(number))
        signal.setitimer(timer, 1e-6, 1e-6)
        total = sum(range(200_000))
        signal.setitimer(timer, 0)
        assert total == 19_999_900_000
        assert got and got[-1] == number, number
        got.clear()
        signal.signal(number, before)


@check
def the_wake_up_descriptor_may_be_a_socket() -> None:
    left, right = socket.socketpair()
    left.setblocking(False)
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    old = signal.set_wakeup_fd(left.fileno())
    os.kill(os.getpid(), signal.SIGUSR1)
    assert right.recv(10) == bytes([signal.SIGUSR1])
    signal.set_wakeup_fd(old)
    signal.signal(signal.SIGUSR1, before)
    left.close()
    right.close()


@check
def faulthandler_dumps_on_a_registered_signal_and_again_and_again() -> None:
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.register(signal.SIGUSR1, file=file)
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        faulthandler.unregister(signal.SIGUSR1)
        faulthandler.dump_traceback_later(0.02, repeat=True, file=file)
        time.sleep(0.3)
        faulthandler.cancel_dump_traceback_later()
        file.seek(0)
        text = file.read()
    assert text.count("faulthandler_dumps_on_a_registered") >= 4, text
    assert text.count("Timeout (0:00:00.020000)!") >= 2, text
