"""What happens at which time: a heap of deadlines."""

from __future__ import annotations

from _heapq import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ovum.services.tasks.parking import Waiter

    class Timed(Protocol):
        """What can have a deadline. `ticket` is the entry that counts, 0 for none."""

        ticket: int

        def expire(self) -> None:
            """The deadline has passed; called once, from the scheduler."""


class Deadlines:
    """Entries (deadline in nanoseconds, ticket, target), the earliest first.

    A ticket makes entries unique and equal deadlines first-in-first-out. An entry whose ticket its
    target no longer holds is dead; dead entries are dropped when they come up, or all at once when
    they are the most.
    """

    __slots__ = ("_dead", "_last_ticket", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Timed]] = []
        self._last_ticket = 0
        self._dead = 0

    def add(self, deadline: int, target: Timed) -> None:
        """Has `target.expire()` called when the time is `deadline`."""
        self._last_ticket = target.ticket = ticket = self._last_ticket + 1
        heappush(self.heap, (deadline, ticket, target))

    def discard(self, target: Timed) -> None:
        """Takes the target's deadline away, if it has one."""
        if not target.ticket:
            return
        target.ticket = 0
        self._dead += 1
        heap = self.heap
        # Rebuilding costs what the dropped entries cost to add: constant for each of them.
        if self._dead > 64 and self._dead * 2 > len(heap):
            heap[:] = [entry for entry in heap if entry[2].ticket == entry[1]]
            heapify(heap)
            self._dead = 0

    def next(self) -> int | None:
        """The earliest deadline, or None."""
        heap = self.heap
        while heap:
            deadline, ticket, target = heap[0]
            if target.ticket == ticket:
                return deadline
            heappop(heap)
            self._dead -= 1
        return None

    def expire(self, now: int) -> None:
        """Expires everything that is due at `now`."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            _, ticket, target = heappop(heap)
            if target.ticket == ticket:
                target.ticket = 0
                target.expire()
            else:
                self._dead -= 1

    def abort(self, waiter: Waiter) -> bool:
        """A sleep is cancelled."""
        self.discard(waiter)
        return True

    def describe(self, waiter: Waiter) -> str:
        """What a sleeping task waits for: its waiter carries its deadline."""
        return f"sleep until {waiter.value / 1e9:.6f} s"
