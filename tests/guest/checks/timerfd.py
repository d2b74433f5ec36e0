"""Timer descriptors through the C library: a host's Python may be too old to have them."""

import ctypes
import time

from .registry import libc


class _TimeSpec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _ITimerSpec(ctypes.Structure):
    _fields_ = (("interval", _TimeSpec), ("first", _TimeSpec))


def _timespec(seconds: float) -> _TimeSpec:
    whole = int(seconds)
    return _TimeSpec(whole, round((seconds - whole) * 1e9))


def timerfd(first: float, interval: float) -> int:
    """A descriptor of the monotonic clock, armed."""
    fd: int = libc().timerfd_create(time.CLOCK_MONOTONIC, 0)
    assert fd >= 0, ctypes.get_errno()
    setting = _ITimerSpec(_timespec(interval), _timespec(first))
    assert libc().timerfd_settime(fd, 0, ctypes.byref(setting), None) == 0, ctypes.get_errno()
    return fd
