"""The backend for an application's thread: descriptors over epoll, and the processor's clock."""

from __future__ import annotations

import os
import select
from time import monotonic_ns

from ovum.services.tasks.current import here
from ovum.services.tasks.errors import Closed
from ovum.services.tasks.parking import Parking
from ovum.services.tasks.traps import checkpoint

_READ = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLPRI
_WRITE = select.EPOLLOUT
_BOTH = select.EPOLLERR | select.EPOLLHUP
"""Reported whether asked for or not; they end both kinds of waiting."""


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
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._event, select.EPOLLIN)
        self._interests: dict[int, _Interest] = {}
        # An attribute, so that reading the clock is one call of a C function.
        self.now = monotonic_ns

    def wait(self, deadline: int | None) -> None:
        """Waits for descriptors, a wake-up or the deadline."""
        seconds = -1.0 if deadline is None else max(0.0, (deadline - monotonic_ns()) / 1e9)
        for descriptor, events in self._epoll.poll(seconds):
            if descriptor == self._event:
                os.eventfd_read(descriptor)
                continue
            interest = self._interests[descriptor]
            if events & (_READ | _BOTH):
                interest.readers.wake_all()
            if events & (_WRITE | _BOTH):
                interest.writers.wake_all()
            self._arm(descriptor, interest)

    def wake(self) -> None:
        """Ends a `wait`, from any thread."""
        os.eventfd_write(self._event, 1)

    def close(self) -> None:
        """Gives back what it holds."""
        self._epoll.close()
        os.close(self._event)

    async def wait_readable(self, descriptor: int) -> None:
        """See the function of this name."""
        await self._wait(descriptor, writing=False)

    async def wait_writable(self, descriptor: int) -> None:
        """See the function of this name."""
        await self._wait(descriptor, writing=True)

    async def _wait(self, descriptor: int, *, writing: bool) -> None:
        interest = self._interests.get(descriptor)
        if interest is None:
            interest = self._interests[descriptor] = _Interest(descriptor)
        parking = interest.writers if writing else interest.readers
        try:
            self._arm(descriptor, interest, _WRITE if writing else _READ)
        except PermissionError:
            # epoll_ctl(2), EPERM: files and directories are always ready.
            del self._interests[descriptor]
            await checkpoint()
            return
        except OSError:
            del self._interests[descriptor]
            raise
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
            except (FileNotFoundError, OSError):
                # Closed meanwhile: epoll has forgotten it by itself.
                return

    def notify_closing(self, descriptor: int) -> None:
        """See the function of this name."""
        interest = self._interests.get(descriptor)
        if interest is None:
            return
        for parking in (interest.readers, interest.writers):
            while (waiter := parking.pop()) is not None:
                waiter.fail(Closed(f"descriptor {descriptor} was closed"))
        self._forget(descriptor, interest)


def _backend() -> EpollBackend:
    backend = here.scheduler.backend
    if not isinstance(backend, EpollBackend):
        raise RuntimeError(f"{here.scheduler!r} does not wait for descriptors")
    return backend


async def wait_readable(descriptor: int) -> None:
    """Waits until reading from the descriptor would not block, or would fail.

    Raises OSError when it cannot be waited for, `Closed` after `notify_closing`. Checkpoint: yes.
    It may return without a reason: read without blocking, and wait again if that fails.
    """
    await _backend().wait_readable(descriptor)


async def wait_writable(descriptor: int) -> None:
    """Waits until writing to the descriptor would not block, or would fail; see `wait_readable`."""
    await _backend().wait_writable(descriptor)


def notify_closing(descriptor: int) -> None:
    """To be called before a descriptor is closed that tasks may wait for: they get `Closed`."""
    _backend().notify_closing(descriptor)
