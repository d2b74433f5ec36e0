"""What congestion control is to the rest: a window, and what changes it. Sizes are bytes."""

from __future__ import annotations


class CongestionControl:
    """Decides cwnd."""

    __slots__ = ("cwnd", "mss", "name", "ssthresh")

    def __init__(self, name: str, mss: int) -> None:
        self.name = name
        self.mss = mss
        self.cwnd = initial_window(mss)
        self.ssthresh = UNLIMITED

    def on_ack(self, now: int, acked: int, rtt: int) -> None:
        """acked new bytes were acknowledged, outside recovery, while cwnd was the limit."""
        raise NotImplementedError

    def on_loss(self, now: int, flight_size: int) -> None:
        """A loss was found: sets ssthresh; recovery then leads cwnd there."""
        raise NotImplementedError

    def on_rto(self, now: int, flight_size: int, first: bool) -> None:
        """The timer has expired; first: not for a segment that was repeated already."""
        raise NotImplementedError

    def on_idle(self, now: int, idle: int) -> None:
        """Sending begins again after more than a timeout of silence."""
        raise NotImplementedError


def initial_window(mss: int) -> int:
    """RFC 6928, 2."""
    return min(10 * mss, max(2 * mss, 14600))


UNLIMITED = 1 << 40
"""ssthresh at first: arbitrarily high (RFC 5681, 3.1)."""


def slow_start(cwnd: int, ssthresh: int, acked: int) -> tuple[int, int]:
    """cwnd grown by what was acknowledged, up to ssthresh; and what of it is left over.

    All of it is counted (RFC 3465 with L unlimited): acknowledgements come for 64 KiB at once.
    """
    grown = cwnd + acked
    if grown <= ssthresh:
        return grown, 0
    return ssthresh, grown - ssthresh


def make(name: str, mss: int) -> CongestionControl:
    """The algorithm of this name. Raises KeyError."""
    if name == "cubic":
        from ovum.net.tcp.cc.cubic import Cubic

        return Cubic(mss)
    if name == "reno":
        from ovum.net.tcp.cc.reno import Reno

        return Reno(mss)
    raise KeyError(name)


NAMES = ("cubic", "reno")
