"""The windows of cubic and reno, with plain loops of calls."""

from __future__ import annotations

import itertools

import pytest

from ovum.net.tcp.cc.base import UNLIMITED, initial_window, make
from ovum.net.tcp.cc.cubic import Cubic, cube_root
from ovum.net.tcp.cc.reno import Reno

MSS = 1000
RTT = 100_000_000


def test_the_cube_root_is_exact() -> None:
    for root in range(1, 300):
        for value in (root**3, root**3 + 1, (root + 1) ** 3 - 1):
            assert cube_root(value) == root
    for root in (10**6, 12345678, 2**40 + 7):
        assert cube_root(root**3 - 1) == root - 1
        assert cube_root(root**3) == root


@pytest.mark.parametrize(
    ("mss", "window"), [(536, 5360), (1460, 14600), (1500, 14600), (9000, 18000)]
)
def test_the_initial_window(mss: int, window: int) -> None:
    assert initial_window(mss) == window


@pytest.mark.parametrize("name", ["cubic", "reno"])
def test_slow_start_doubles_in_a_round_trip(name: str) -> None:
    cc = make(name, MSS)
    cwnd = cc.cwnd
    for _ in range(cwnd // MSS):
        cc.on_ack(0, MSS, RTT)
    assert cc.cwnd == 2 * cwnd


def test_an_unknown_name_is_none() -> None:
    with pytest.raises(KeyError):
        make("bbr", MSS)


def test_reno_grows_by_one_segment_in_a_round_trip() -> None:
    cc = Reno(MSS)
    cc.ssthresh = cc.cwnd
    for _ in range(cc.cwnd // MSS):
        cc.on_ack(0, MSS, RTT)
    assert cc.cwnd == 11 * MSS


def test_reno_stops_slow_start_at_ssthresh() -> None:
    cc = Reno(MSS)
    cc.ssthresh = 12 * MSS
    cc.on_ack(0, 10 * MSS, RTT)
    assert cc.cwnd == 12 * MSS


def test_reno_halves_what_was_out() -> None:
    cc = Reno(MSS)
    cc.cwnd = 40 * MSS
    cc.on_loss(0, 30 * MSS)
    assert cc.ssthresh == 15 * MSS
    cc.on_loss(0, MSS)
    assert cc.ssthresh == 2 * MSS


@pytest.mark.parametrize("name", ["cubic", "reno"])
def test_a_timeout_leaves_one_segment_and_counts_once(name: str) -> None:
    cc = make(name, MSS)
    cc.on_rto(0, 20 * MSS, True)
    assert cc.cwnd == MSS
    ssthresh = cc.ssthresh
    assert ssthresh in (10 * MSS, 14 * MSS)
    cc.on_rto(0, MSS, False)
    assert cc.ssthresh == ssthresh


@pytest.mark.parametrize("name", ["cubic", "reno"])
def test_silence_leaves_the_initial_window(name: str) -> None:
    cc = make(name, MSS)
    cc.cwnd = 100 * MSS
    cc.on_idle(0, 10 * RTT)
    assert cc.cwnd == 10 * MSS
    assert cc.ssthresh == UNLIMITED


def grow(cc: Cubic, now: int, seconds: float, rtt: int = RTT) -> int:
    """A full window is acknowledged each round trip."""
    end = now + round(seconds * 1e9)
    while now < end:
        for _ in range(max(cc.cwnd // MSS, 1)):
            cc.on_ack(now, MSS, rtt)
        now += rtt
    return now


def after_loss(cwnd: int) -> Cubic:
    """Cubic in congestion avoidance, after a loss with this window."""
    cc = Cubic(MSS)
    cc.cwnd = cwnd
    cc.on_loss(0, cwnd)
    cc.cwnd = cc.ssthresh
    return cc


def test_cubic_reduces_to_0_7_and_is_back_after_k() -> None:
    cc = after_loss(1000 * MSS)
    assert cc.ssthresh == 700 * MSS
    now = grow(cc, 0, 0.1)
    # K is the cube root of 1000 * 0.3 / 0.4: 9.086 s.
    assert cc.k == 9085
    now = grow(cc, now, 8.9)
    assert 985 * MSS < cc.cwnd < 1003 * MSS


def test_cubic_is_concave_then_convex() -> None:
    cc = after_loss(1000 * MSS)
    now = 0
    sizes = []
    for _ in range(18):
        now = grow(cc, now, 1)
        sizes.append(cc.cwnd)
    steps = [b - a for a, b in itertools.pairwise(sizes)]
    assert steps[0] > steps[4] > steps[6]
    assert steps[-1] > steps[-3] > steps[-5]


def test_cubic_converges_fast_when_the_peak_sinks() -> None:
    cc = after_loss(1000 * MSS)
    cc.on_loss(0, cc.cwnd)
    assert cc.w_max == 700 * MSS * 17 // 20


def test_cubic_is_not_slower_than_reno_on_short_ways() -> None:
    rtt = 5_000_000
    cc = after_loss(20 * MSS)
    reno = Reno(MSS)
    reno.cwnd = reno.ssthresh = 14 * MSS
    now = 0
    for _ in range(100):
        for _ in range(cc.cwnd // MSS):
            cc.on_ack(now, MSS, rtt)
        now += rtt
    # 9/17 of a segment in a round trip, until the old window; then a whole one.
    assert cc.cwnd > 60 * MSS


def test_cubic_does_not_count_silence_as_time() -> None:
    cc = after_loss(1000 * MSS)
    now = grow(cc, 0, 1)
    cwnd = cc.cwnd
    start = cc.epoch_start
    cc.on_idle(now, 60_000_000_000)
    cc.cwnd = cwnd
    assert cc.epoch_start == start + 60_000_000_000
    grow(cc, now + 60_000_000_000, 0.2)
    assert cc.cwnd < cwnd * 11 // 10
