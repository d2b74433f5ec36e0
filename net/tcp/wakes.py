"""When endpoints are to be polled: one heap for all of a host's timers.

An endpoint has one entry that counts, at its `wake_at`, which is not after the first of its own
deadlines. A deadline that moves away leaves the entry where it is: it comes early once. So setting
a timer is one comparison, mostly. Entries that do not count any more are dropped when they come up,
or are swept out when they are more than half.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.tcb import Endpoint


class Wakes:
    """The heap, and the table that says which endpoints there are."""

    def __init__(self) -> None:
        self.table: dict[bytes, Endpoint] = {}
        """By the addresses and ports of what comes for them."""
        self._heap: list[tuple[int, int, Endpoint]] = []
        self._pushed = 0
        self._stale = 0

    def poll(self, now: int) -> None:
        """Does what is due."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, endpoint = heappop(heap)
            if endpoint.wake_at != at:
                if self._stale:
                    self._stale -= 1
                continue
            endpoint.wake_at = NEVER
            endpoint.on_timer(now)
            deadline = endpoint.next_deadline()
            if deadline < endpoint.wake_at and self.table.get(endpoint.key) is endpoint:
                self.wake(endpoint, deadline if deadline > now else now + 1)

    def next_deadline(self) -> int | None:
        """When poll is to be called; there may be nothing to do then."""
        heap = self._heap
        while heap and heap[0][2].wake_at != heap[0][0]:
            heappop(heap)
            if self._stale:
                self._stale -= 1
        return heap[0][0] if heap else None

    def wake(self, endpoint: Endpoint, at: int) -> None:
        """Has the endpoint polled at a time that is before its wake_at."""
        if endpoint.wake_at != NEVER:
            self._count_stale()
        endpoint.wake_at = at
        self._pushed += 1
        heappush(self._heap, (at, self._pushed, endpoint))

    def _sweep(self) -> None:
        """Drops entries of the heap that nobody waits for, and what they keep alive."""
        heap = self._heap
        heap[:] = [entry for entry in heap if entry[2].wake_at == entry[0]]
        heapify(heap)
        self._stale = 0

    def sleep(self, endpoint: Endpoint) -> None:
        """It is not to be polled any more."""
        if endpoint.wake_at != NEVER:
            endpoint.wake_at = NEVER
            self._count_stale()

    def _count_stale(self) -> None:
        self._stale += 1
        if self._stale > 64 and self._stale > len(self._heap) >> 1:
            self._sweep()
