"""CUBIC (RFC 9438), in integers: bytes and milliseconds."""

from __future__ import annotations

from ovum.net.tcp.cc.base import CongestionControl, initial_window, slow_start

MS = 1_000_000


def cube_root(value: int) -> int:
    """The largest integer whose cube is not more than value: Newton's steps from above."""
    if value <= 0:
        return 0
    root = 1 << (value.bit_length() + 2) // 3
    while True:
        better = (2 * root + value // (root * root)) // 3
        if better >= root:
            return root
        root = better


class Cubic(CongestionControl):
    """W(t) = C * (t - K)^3 + W_max; C = 0.4, beta = 0.7 (RFC 9438, 4)."""

    __slots__ = (
        "credit", "cwnd_prior", "epoch_start", "k", "origin", "w_est", "w_max",
    )  # fmt: skip

    def __init__(self, mss: int) -> None:
        CongestionControl.__init__(self, "cubic", mss)
        self.w_max = 0
        self.cwnd_prior = 0
        """cwnd when it was last reduced."""
        self.epoch_start = -1
        """When this congestion avoidance began; -1: it has not."""
        self.k = 0
        """ms from there until W_max is reached again."""
        self.origin = 0
        self.w_est = 0
        """What Reno would have (4.3)."""
        self.credit = 0
        """Growth by less than a byte, times cwnd."""

    def on_ack(self, now: int, acked: int, rtt: int) -> None:
        """See base."""
        if self.cwnd < self.ssthresh:
            self.cwnd, acked = slow_start(self.cwnd, self.ssthresh, acked)
            if not acked:
                return
        if self.epoch_start < 0:
            self._begin(now)
        cwnd = self.cwnd
        # 4.3: alpha is 3 * (1 - beta) / (1 + beta) = 9/17 until the window is what it was.
        if self.w_est < self.cwnd_prior:
            self.w_est += 9 * acked * self.mss // (17 * cwnd)
        else:
            self.w_est += acked * self.mss // cwnd
        distance = (now - self.epoch_start) // MS - self.k
        if self._window_at(distance) < self.w_est:
            if self.w_est > cwnd:
                self.cwnd = self.w_est
            return
        # 4.4 and 4.5: where W will be in a round trip, but not more than half as much again.
        target = min(self._window_at(distance + rtt // MS), cwnd + cwnd // 2)
        if target > cwnd:
            self.credit += (target - cwnd) * acked
            self.cwnd = cwnd + self.credit // cwnd
            self.credit %= cwnd

    def _begin(self, now: int) -> None:
        self.epoch_start = now
        self.credit = 0
        self.w_est = self.cwnd
        if self.cwnd < self.w_max:
            # K in ms: the cube root of (W_max - cwnd) / C seconds, in segments.
            self.k = cube_root((self.w_max - self.cwnd) * 2_500_000_000 // self.mss)
            self.origin = self.w_max
        else:
            self.k = 0
            self.origin = self.cwnd

    def _window_at(self, distance: int) -> int:
        """W at a time in ms from K; 4.2."""
        return self.origin + 4 * self.mss * distance**3 // 10_000_000_000

    def on_loss(self, now: int, flight_size: int) -> None:
        """See base; with fast convergence (4.6, 4.7)."""
        cwnd = self.cwnd
        self.cwnd_prior = cwnd
        self.w_max = cwnd * 17 // 20 if cwnd < self.w_max else cwnd
        self.ssthresh = max(flight_size * 7 // 10, 2 * self.mss)
        self.epoch_start = -1

    def on_rto(self, now: int, flight_size: int, first: bool) -> None:
        """See base; 4.8."""
        if first:
            self.on_loss(now, flight_size)
        self.epoch_start = -1
        self.cwnd = self.mss

    def on_idle(self, now: int, idle: int) -> None:
        """See base: silence is no growth (4.2, RFC 5681, 4.1)."""
        self.cwnd = min(self.cwnd, initial_window(self.mss))
        if self.epoch_start >= 0:
            self.epoch_start += idle
