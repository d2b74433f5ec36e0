"""flock(): advisory locks between open files."""

from __future__ import annotations

import errno

from ovum.services.tasks import Parking
from ovum.services.vfs.node import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.services.vfs.vfs import OpenFile

SHARED = 1
EXCLUSIVE = 2
NONBLOCKING = 4
UNLOCK = 8


class _Lock:
    """Who has one file locked, and who waits for it, in order."""

    __slots__ = ("holders", "waiting")

    def __init__(self) -> None:
        self.holders: dict[OpenFile, None] = {}
        self.waiting = Parking("lock a file")

    def free_for(self, opened: OpenFile, wanted: int) -> bool:
        """Whether an open file can have it: what it has itself is no hindrance."""
        return all(
            holder is opened or (wanted == SHARED and holder.lock == SHARED)
            for holder in self.holders
        )


class Locks:
    """The locks of all files, by whatever identifies a file."""

    def __init__(self) -> None:
        self._locks: dict[object, _Lock] = {}

    async def flock(self, key: object, opened: OpenFile, operation: int) -> None:
        """What flock(2) does. Raises OSError: EWOULDBLOCK, EINVAL.

        Cancelled while it waits, the file has no lock: changing one gives the old one up first, as
        on Linux.
        """
        wanted = operation & ~NONBLOCKING
        if wanted not in (SHARED, EXCLUSIVE, UNLOCK):
            raise refuse(errno.EINVAL)
        if opened.lock == wanted:
            return
        self.release(key, opened)
        if wanted == UNLOCK:
            return
        lock = self._locks.setdefault(key, _Lock())
        if not lock.waiting and lock.free_for(opened, wanted):
            lock.holders[opened] = None
            opened.lock = wanted
        elif operation & NONBLOCKING:
            raise refuse(errno.EWOULDBLOCK)
        else:
            try:
                await lock.waiting.park((opened, wanted))
            except BaseException:
                self._pass_on(key, lock)  # who is behind may have waited for this one only
                raise

    def release(self, key: object, opened: OpenFile) -> None:
        """Gives up what an open file holds, and wakes who can have it."""
        lock = self._locks.get(key)
        if lock is None or not opened.lock:
            return
        opened.lock = 0
        del lock.holders[opened]
        self._pass_on(key, lock)

    def _pass_on(self, key: object, lock: _Lock) -> None:
        while (waiter := lock.waiting.pop()) is not None:
            opened, wanted = waiter.value
            if not lock.free_for(opened, wanted):
                lock.waiting.queue.appendleft(waiter)
                break
            lock.holders[opened] = None
            opened.lock = wanted
            waiter.wake()
        if not lock.holders and not lock.waiting:
            self._locks.pop(key, None)
