"""What is pending, what is dropped, and the signal of a broken pipe."""

import ctypes
import errno
import os
import signal
import socket

from .registry import check, libc, refused


@check
def real_time_signals_queue_and_others_do_not() -> None:
    plain, real_time = signal.SIGUSR1, signal.SIGRTMIN + 3
    signal.pthread_sigmask(signal.SIG_BLOCK, {plain, real_time})
    info = (ctypes.c_int * 32)()
    for value in range(5):
        info[6] = value
        for number in (plain, real_time):
            libc().syscall(129, os.getpid(), int(number), info)
    taken = []
    while (got := signal.sigtimedwait({plain, real_time}, 0)) is not None:
        taken.append(got.si_signo)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {plain, real_time})
    assert taken == [plain] + [real_time] * 5, taken


@check
def ignoring_a_signal_discards_it() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    os.kill(os.getpid(), signal.SIGUSR2)
    assert signal.sigpending() == {signal.SIGUSR2}
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    assert signal.sigpending() == set()
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})


@check
def writing_to_a_closed_socket_or_pipe_raises_sigpipe() -> None:
    caught: list[int] = []
    before = signal.signal(signal.SIGPIPE, lambda number, _: caught.append(number))
    try:
        left, right = socket.socketpair()
        right.close()
        with refused(errno.EPIPE):
            os.write(left.fileno(), b"x")
        with refused(errno.EPIPE):
            left.send(b"x")
        with refused(errno.EPIPE):
            left.send(b"x", socket.MSG_NOSIGNAL)
        left.close()
        reader, writer = os.pipe()
        os.close(reader)
        with refused(errno.EPIPE):
            os.write(writer, b"x")
        os.close(writer)
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert caught == [signal.SIGPIPE] * 3, caught
    assert before == signal.SIG_IGN, "CPython ignores it from the start"
