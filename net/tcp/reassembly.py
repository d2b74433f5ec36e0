"""What has come before what it follows: ranges of bytes, until the gap is filled.

Bounded by the window, which ends what is stored, and in number: a peer that sends single bytes
makes the rest be dropped, and sends it again.
"""

from __future__ import annotations

from bisect import bisect_right

PIECES = 1024
RANGES = 64
OVERHEAD = 96
"""What a piece takes besides its bytes: a peer may send single ones."""


class Reassembly:
    """Pieces that do not overlap, sorted; and the ranges that they make up, the newest first."""

    __slots__ = ("data", "ranges", "size", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.data: list[bytes] = []
        self.size = 0
        """What it takes: bytes in all."""
        self.ranges: list[tuple[int, int]] = []
        """For SACK (RFC 2018, 4): (left, right)."""

    def insert(self, seq: int, data: bytes) -> bool:
        """Stores what is new of data. False: there are too many pieces, nothing is stored."""
        starts = self.starts
        if len(starts) >= PIECES or len(self.ranges) >= RANGES:
            return False
        end = seq + len(data)
        at = bisect_right(starts, seq)
        begin = seq
        if at:
            covered = starts[at - 1] + len(self.data[at - 1])
            if covered > begin:
                begin = covered
        while begin < end:
            if at < len(starts):
                stop = starts[at]
                after = stop + len(self.data[at])
            else:
                stop = after = end
            if begin < stop:
                last = stop if stop < end else end
                starts.insert(at, begin)
                self.data.insert(at, data[begin - seq : last - seq])
                self.size += last - begin + OVERHEAD
                at += 1
            begin = after
            at += 1
        self._join(seq, end)
        return True

    def _join(self, left: int, right: int) -> None:
        """Puts a range first, with all that it touches."""
        others = []
        for low, high in self.ranges:
            if low <= right and left <= high:
                left = min(left, low)
                right = max(right, high)
            else:
                others.append((low, high))
        self.ranges = [(left, right), *others]

    def covers(self, seq: int, end: int) -> bool:
        """Whether all of it is there already."""
        return any(low <= seq and end <= high for low, high in self.ranges)

    def take(self, rcv_nxt: int) -> list[bytes]:
        """Removes and returns what follows rcv_nxt without a gap."""
        taken: list[bytes] = []
        starts = self.starts
        count = 0
        while count < len(starts) and starts[count] <= rcv_nxt:
            data = self.data[count]
            self.size -= len(data) + OVERHEAD
            skip = rcv_nxt - starts[count]
            if skip < len(data):
                taken.append(data[skip:] if skip else data)
                rcv_nxt = starts[count] + len(data)
            count += 1
        if count:
            del starts[:count]
            del self.data[:count]
        if self.ranges:
            self.ranges = [r for r in self.ranges if r[1] > rcv_nxt]
        return taken
