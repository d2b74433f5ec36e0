"""RACK-TLP (RFC 8985): losses by time, and probes for lost tails.

A segment is lost when one that was sent sufficiently later has arrived. `Recovery` has RACK's
variables; TLP's are in the Tcb (tlp_at, tlp_end).
"""

from __future__ import annotations

from ovum.net.tcp import scoreboard
from ovum.net.tcp.scoreboard import LOST, REPEATED, RETRANSMITTED, SACKED
from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.recovery import Recovery
    from ovum.net.tcp.scoreboard import Sent

MAX_ACK_DELAY: Final = 200_000_000
"""TLP.max_ack_delay: how long a peer may wait with the acknowledgement of a lone segment."""

MIN_PTO: Final = 10_000_000
"""Not in the RFC: a timer costs as much as a segment, and a round trip here is mostly waiting."""

PERSIST = 16
"""Recoveries that a widened reordering window outlives (6.2, step 4)."""

MS: Final = 1_000_000
MASK: Final = 0xFFFFFFFF


def delivered(c: Connection, r: Recovery, now: int, record: Sent, flags: int, echo: int) -> None:
    """A record is newly known to have arrived (6.2, steps 2 and 3). flags: as they were before;
    echo: TSecr, -1: none."""
    rtt = now - record.xmit_ts
    if flags & REPEATED:
        # Which of the two was it? Not the second, if that would have been too quick.
        if echo >= 0 and (echo - (record.xmit_ts // MS + c.ts_offset)) & MASK > MASK >> 1:
            return
        if rtt < c.min_rtt:
            return
    elif record.end < r.fack:
        r.reordering = True
    r.fack = max(r.fack, record.end)
    if (record.xmit_ts, record.end) > (r.rack_ts, r.rack_end):
        r.rack_ts = record.xmit_ts
        r.rack_end = record.end
        r.rack_rtt = rtt


def on_dsack(c: Connection, r: Recovery) -> None:
    """Something was repeated needlessly: the window grows, once each round trip (step 4)."""
    if c.snd_una >= r.reo_round:
        r.reo_round = c.snd_nxt
        r.reo_mult = min(r.reo_mult + 1, 255)
        r.reo_persist = PERSIST


def reo_wnd(c: Connection) -> int:
    """RACK.reo_wnd: how much later than what has arrived something may still come."""
    r = c.recovery
    if r is None:
        return 0
    if not r.reordering and (r.phase or c.sacked_out >= scoreboard.DUP_THRESH * c.mss):
        return 0
    return min(r.reo_mult * (c.min_rtt >> 2), c.srtt)


def end_of_recovery(r: Recovery) -> None:
    """A recovery has ended: a widened window is not for ever."""
    if r.reo_persist:
        r.reo_persist -= 1
        if not r.reo_persist:
            r.reo_mult = 1


def detect(c: Connection, now: int) -> None:
    """Marks what is lost by now, and arms the timer for what will be (step 5)."""
    c.rack_at = NEVER
    r = c.recovery
    if r is None or not r.rack_ts:
        return
    window = r.rack_rtt + reo_wnd(c)
    rack_ts = r.rack_ts
    wait = 0
    for record in c.sent:
        flags = record.flags
        xmit_ts = record.xmit_ts
        if xmit_ts > rack_ts or (xmit_ts == rack_ts and record.end >= r.rack_end):
            if not flags & REPEATED:
                # What is behind it was sent later still.
                break
            continue
        if flags & SACKED or flags & (LOST | RETRANSMITTED) == LOST:
            continue
        left = xmit_ts + window - now
        if left <= 0:
            scoreboard.mark_lost(c, record)
        elif left > wait:
            wait = left
    if wait:
        c.rack_at = now + wait
        if c.rack_at < c.wake_at:
            c.host.wake(c, c.rack_at)


def arm_probe(c: Connection, now: int) -> None:
    """Sets the timer of a tail probe, if one is in order (7.2)."""
    r = c.recovery
    if not c.sack_on or c.sacked_out or c.tlp_end or (r is not None and r.phase):
        c.tlp_at = NEVER
        return
    if c.srtt:
        pto = 2 * c.srtt
        if c.snd_nxt - c.snd_una <= c.mss:
            pto += MAX_ACK_DELAY
        elif pto < MIN_PTO:
            pto = MIN_PTO
    else:
        pto = 1_000_000_000
    at = now + pto
    if at >= c.rto_at:
        c.tlp_at = NEVER
        return
    c.tlp_at = at
    if at < c.wake_at:
        c.host.wake(c, at)
