"""The backend for an application's thread: descriptors over epoll, and the processor's clock."""

from __future__ import annotations

import os
import select
from errno import EBADF
from time import monotonic_ns

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Closed
from ovum.services.tasks.parking import Parking
from ovum.services.tasks.traps import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class HasDescriptor(Protocol):
        """Such as a socket or a file."""

        def fileno(self) -> int: ...


_READ = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLPRI
_WRITE = select.EPOLLOUT
_BOTH = select.EPOLLERR | select.EPOLLHUP
"""Reported whether asked for or not; they end both kinds of waiting."""


_LONGEST_S = 86400.0
"""One wait; the scheduler waits again. epoll counts milliseconds in 32 bits: 24 days."""


class _WakeUp:
    """An eventfd that is open as long as anybody holds this: a thread that is about to write to it
    never writes to whatever got its number since. A lock would not do: signal handlers write too.
    """

    __slots__ = ("_close", "descriptor")

    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._close = os.close  # there is no `os` at the end of the interpreter

    def __del__(self) -> None:
        self._close(self.descriptor)


class _Interest:
    """Who waits for one descriptor."""

    __slots__ = ("readers", "writers")

    def __init__(self, descriptor: int) -> None:
        self.readers = Parking(f"read from descriptor {descriptor}")
        self.writers = Parking(f"write to descriptor {descriptor}")

    def events(self) -> int:
        return (_READ if self.readers else 0) | (_WRITE if self.writers else 0)


class EpollBackend:
    """Waits for descriptors; a task for each direction of each, or several.

    A descriptor is registered with EPOLLONESHOT while somebody waits for it, so one that stays
    ready costs nothing while nobody asks. Timeouts are rounded up to a millisecond by epoll.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        wake_up = _WakeUp()
        self._epoll.register(wake_up.descriptor, select.EPOLLIN)
        self._event = wake_up.descriptor
        self._wake_up: _WakeUp | None = wake_up
        self._interests: dict[int, _Interest] = {}
        # An attribute, so that reading the clock is one call of a C function.
        self.now = monotonic_ns

    def wait(self, deadline: int | None) -> None:
        """Waits for descriptors, a wake-up or the deadline."""
        if deadline is None:
            seconds = -1.0
        else:
            seconds = min(max(0.0, (deadline - monotonic_ns()) / 1e9), _LONGEST_S)
        for descriptor, events in self._epoll.poll(seconds):
            if descriptor == self._event:
                os.eventfd_read(descriptor)
                continue
            interest = self._interests.get(descriptor)
            if interest is None:
                # Closed while a duplicate of it is open, which keeps it here.
                continue
            if events & (_READ | _BOTH):
                interest.readers.wake_all()
            if events & (_WRITE | _BOTH):
                interest.writers.wake_all()
            try:
                self._arm(descriptor, interest)
            except OSError:
                # Closed as well. Who still waits finds out.
                interest.readers.wake_all()
                interest.writers.wake_all()
                self._forget(descriptor, interest)

    def wake(self) -> None:
        """Ends a `wait`, from any thread, also when it is closed meanwhile."""
        wake_up = self._wake_up
        if wake_up is not None:
            os.eventfd_write(wake_up.descriptor, 1)

    def close(self) -> None:
        """Gives back what it holds."""
        self._epoll.close()
        self._wake_up = None

    async def wait_readable(self, descriptor: int | HasDescriptor) -> None:
        """See the function of this name."""
        await self._wait(_number(descriptor), writing=False)

    async def wait_writable(self, descriptor: int | HasDescriptor) -> None:
        """See the function of this name."""
        await self._wait(_number(descriptor), writing=True)

    async def _wait(self, descriptor: int, *, writing: bool) -> None:
        interest = self._interests.get(descriptor)
        if interest is None:
            interest = self._interests[descriptor] = _Interest(descriptor)
        parking = interest.writers if writing else interest.readers
        try:
            self._arm(descriptor, interest, _WRITE if writing else _READ)
        except OSError as error:
            # Others wait for it if it was closed and its number is in use again.
            if not interest.readers and not interest.writers:
                del self._interests[descriptor]
            if not isinstance(error, PermissionError):
                raise
            # epoll_ctl(2), EPERM: files and directories are always ready.
            await checkpoint()
            return
        try:
            await parking.park()
        finally:
            # A cancelled wait leaves an event armed, which would come once, for nobody.
            if not interest.readers and not interest.writers:
                self._forget(descriptor, interest)

    def _arm(self, descriptor: int, interest: _Interest, more: int = 0) -> None:
        events = interest.events() | more
        if not events:
            return
        events |= select.EPOLLONESHOT
        try:
            self._epoll.modify(descriptor, events)
        except FileNotFoundError:
            self._epoll.register(descriptor, events)

    def _forget(self, descriptor: int, interest: _Interest) -> None:
        if self._interests.get(descriptor) is interest:
            del self._interests[descriptor]
            try:
                self._epoll.unregister(descriptor)
            except (OSError, ValueError):
                # Closed meanwhile: epoll has forgotten it by itself.
                return

    def notify_closing(self, descriptor: int | HasDescriptor) -> None:
        """See the function of this name."""
        descriptor = _number(descriptor)
        interest = self._interests.get(descriptor)
        if interest is None:
            return
        for parking in (interest.readers, interest.writers):
            while (waiter := parking.pop()) is not None:
                waiter.fail(Closed(f"descriptor {descriptor} was closed"))
        self._forget(descriptor, interest)


def _number(descriptor: int | HasDescriptor) -> int:
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    if number < 0:
        raise OSError(EBADF, os.strerror(EBADF))
    return number


def _backend() -> EpollBackend:
    backend = here.scheduler.backend
    if not isinstance(backend, EpollBackend):
        raise RuntimeError(f"{here.scheduler!r} does not wait for descriptors")
    return backend


async def wait_readable(descriptor: int | HasDescriptor) -> None:
    """Waits until reading from the descriptor would not block, or would fail.

    `descriptor`: a number, or what has one (`fileno()`), such as a socket.
    Raises OSError when it cannot be waited for, `Closed` after `notify_closing`. Checkpoint: yes.
    It may return without a reason: read without blocking, and wait again if that fails.
    """
    await _backend().wait_readable(descriptor)


async def wait_writable(descriptor: int | HasDescriptor) -> None:
    """Waits until writing to the descriptor would not block, or would fail; see `wait_readable`."""
    await _backend().wait_writable(descriptor)


def notify_closing(descriptor: int | HasDescriptor) -> None:
    """To be called before a descriptor is closed that tasks may wait for: they get `Closed`."""
    _backend().notify_closing(descriptor)
