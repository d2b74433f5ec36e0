"""NewReno's window (RFC 5681, RFC 6582); recovery itself is in recovery.py."""

from __future__ import annotations

from ovum.net.tcp.cc.base import CongestionControl, initial_window, slow_start


class Reno(CongestionControl):
    """Halves at a loss, then one mss for each round trip."""

    __slots__ = ("acked",)

    def __init__(self, mss: int) -> None:
        CongestionControl.__init__(self, "reno", mss)
        self.acked = 0
        """Bytes since cwnd grew (RFC 3465)."""

    def on_ack(self, now: int, acked: int, rtt: int) -> None:
        """See base."""
        if self.cwnd < self.ssthresh:
            self.cwnd, acked = slow_start(self.cwnd, self.ssthresh, acked)
            if not acked:
                return
        self.acked += acked
        if self.acked >= self.cwnd:
            self.acked -= self.cwnd
            self.cwnd += self.mss

    def on_loss(self, now: int, flight_size: int) -> None:
        """See base; RFC 5681, equation 4."""
        self.ssthresh = max(flight_size // 2, 2 * self.mss)
        self.acked = 0

    def on_rto(self, now: int, flight_size: int, first: bool) -> None:
        """See base; the loss window is 1 (RFC 5681, 3.1)."""
        if first:
            self.on_loss(now, flight_size)
        self.cwnd = self.mss

    def on_idle(self, now: int, idle: int) -> None:
        """See base; RFC 5681, 4.1."""
        self.cwnd = min(self.cwnd, initial_window(self.mss))
