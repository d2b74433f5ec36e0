"""Whom ICMP errors may be sent to, and how often (RFC 1122, 3.2.2; RFC 4443, 2.4)."""

from __future__ import annotations

from ovum.net.settings import SECOND
from ovum.net.wire import addr


class TokenBucket:
    """At most so many a second, in the long run, and at most so many at once."""

    __slots__ = ("_at", "_burst", "_cost", "_credit")

    def __init__(self, per_second: int, burst: int) -> None:
        self._cost = SECOND // max(1, per_second)
        self._burst = self._cost * burst
        self._credit = self._burst
        self._at = 0

    def take(self, now: int) -> bool:
        """Whether one more is allowed."""
        credit = min(self._burst, self._credit + now - self._at)
        self._at = now
        if credit < self._cost:
            self._credit = credit
            return False
        self._credit = credit - self._cost
        return True


def may_tell(src: bytes) -> bool:
    """Whether an error can be sent to whom a packet is from: a single host."""
    if addr.is_unspecified(src) or addr.is_multicast(src):
        return False
    if len(src) == 4:
        return not (addr.is_reserved4(src) or src == addr.BROADCAST4)
    return True
