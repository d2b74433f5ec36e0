"""Timers of the stack: a heap of times and functions. Nothing here reads a clock."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Timer:
    """Calls a function once, at a time. Set anew as often as one likes."""

    __slots__ = ("_timers", "action", "at")

    def __init__(self, timers: Timers, action: Callable[[int], None]) -> None:
        self._timers = timers
        self.action = action
        self.at = 0
        """When it is due; 0: it is not set."""

    def set(self, at: int) -> None:
        """Due at this time, and no longer at another."""
        if at <= 0:
            at = 1
        if at != self.at:
            self.at = at
            self._timers.push(at, self)

    def set_earlier(self, at: int) -> None:
        """Due at this time, unless it is due before."""
        if not self.at or at < self.at:
            self.set(at)

    def cancel(self) -> None:
        """Not due any more."""
        if self.at:
            self.at = 0
            self._timers.dead += 1


class Timers:
    """All timers of a stack."""

    __slots__ = ("_heap", "_order", "dead")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = 0
        self.dead = 0
        """About how many entries of the heap are of no use any more."""

    def new(self, action: Callable[[int], None]) -> Timer:
        """A timer that is not set."""
        return Timer(self, action)

    @property
    def size(self) -> int:
        """Entries, also those of no use any more."""
        return len(self._heap)

    def push(self, at: int, timer: Timer) -> None:
        """For Timer: enters a time. Setting anew leaves the former entry in the heap."""
        if self.dead > 64 and self.dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].at == entry[0]]
            heapify(self._heap)
            self.dead = 0
        self._order += 1
        self.dead += 1
        heappush(self._heap, (at, self._order, timer))

    def next_deadline(self) -> int | None:
        """When `run` has something to do; None: never."""
        heap = self._heap
        while heap:
            at, _, timer = heap[0]
            if timer.at == at:
                return at
            heappop(heap)
        return None

    def run(self, now: int) -> None:
        """Calls what is due, in order of time."""
        heap = self._heap
        due: list[tuple[int, int, Timer]] = []
        while heap and heap[0][0] <= now:
            due.append(heappop(heap))
        # What an action sets for this very time waits for the next call: no endless loop.
        for at, _, timer in due:
            if timer.at == at:
                timer.at = 0
                timer.action(now)
