"""Loss recovery: when it begins and ends, and how much may be sent meanwhile.

With SACK, losses are found by RACK (rack.py) and, until the network is seen to reorder, by counting
as in RFC 6675. Without, by the third duplicate (RFC 5681, RFC 6582): each is taken as one mss that
has left the network, so that pipe does what inflating cwnd would, and limited transmit (RFC 3042)
is no case of its own. In recovery cwnd follows proportional rate reduction (RFC 6937, SSRB).

NextSeg (RFC 6675, 4): rules 1 and 2; what rules 3 and 4 are for is done by RACK's tail probe. No
detection of spurious timeouts (RFC 5682), no undo.
"""

from __future__ import annotations

from ovum.net.tcp import rack, scoreboard
from ovum.net.tcp.scoreboard import LOST, SACKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

OPEN, RECOVERY, LOSS = 0, 1, 2
"""Phases: nothing is lost; fast recovery; after a timeout."""


class Recovery:
    """What a connection that has seen a loss, or what may be one, remembers of it."""

    __slots__ = (
        "fack", "flight_size", "force", "phase", "point", "prr_delivered", "prr_out", "rack_end",
        "rack_rtt", "rack_ts", "reo_mult", "reo_persist", "reo_round", "reordering",
        "tlp_is_retransmission",
    )  # fmt: skip

    def __init__(self) -> None:
        self.phase = OPEN
        self.point = 0
        """RecoveryPoint: what had been sent when it began."""
        self.force = False
        """One segment goes whatever cwnd says: the first retransmission (RFC 6675, 5, 4.3)."""
        self.flight_size = 0
        """RecoverFS (RFC 6937, 3)."""
        self.prr_delivered = 0
        self.prr_out = 0
        self.rack_ts = 0
        """RACK.xmit_ts, .end_seq, .rtt: of the segment delivered that was sent last."""
        self.rack_end = 0
        self.rack_rtt = 0
        self.fack = 0
        """The highest number that is known to have arrived."""
        self.reordering = False
        self.reo_mult = 1
        self.reo_persist = 0
        self.reo_round = 0
        """What had been sent at the last D-SACK that counted: one counts for each round trip."""
        self.tlp_is_retransmission = False


def of(c: Connection) -> Recovery:
    """The connection's; from now on it has one."""
    if c.recovery is None:
        c.recovery = Recovery()
    return c.recovery


def on_smaller_mss(c: Connection) -> bool:
    """The path's MTU is lower: what is out and too large is sent again in smaller segments, which
    is no congestion (RFC 1191, 6.5; Linux, tcp_simple_retransmit). Whether there is any."""
    for record in c.sent:
        if record.end - record.seq > c.mss and not record.flags & SACKED:
            scoreboard.mark_lost(c, record)
    if not c.lost_out:
        return False
    r = of(c)
    if r.phase == OPEN:
        r.phase = LOSS
        r.point = c.snd_nxt
    r.force = True
    return True


def is_open(c: Connection) -> bool:
    """Whether nothing is going on: the fast path is allowed."""
    r = c.recovery
    return (
        (r is None or r.phase == OPEN)
        and not c.sacked_out
        and not c.lost_out
        and not c.tlp_end
        and not c.dupacks
    )


def after_ack(c: Connection, now: int, acked: int, delivered: int, duplicate: bool) -> None:
    """An acknowledgement has been entered: finds losses, and sets cwnd.

    acked: by how much snd_una moved; delivered: bytes newly known to have arrived.
    """
    r = of(c)
    if acked and r.phase != OPEN and c.snd_una >= r.point:
        _leave(c)
    if c.sack_on:
        rack.detect(c, now)
        if not r.reordering and c.sacked_out:
            scoreboard.mark_lost_by_count(c)
    else:
        delivered = _without_sack(c, acked, delivered, duplicate)
    if r.phase == OPEN:
        if c.lost_out:
            _enter(c, now)
        else:
            return
    if r.phase == RECOVERY:
        _reduce_rate(c, delivered)


def _without_sack(c: Connection, acked: int, delivered: int, duplicate: bool) -> int:
    r = of(c)
    mss = c.mss
    if acked:
        if r.phase == RECOVERY:
            # A partial acknowledgement (RFC 6582, 3.2): what follows it is lost, too. What the
            # duplicates stood for is among what is acknowledged now.
            c.sacked_out = max(c.sacked_out - max(acked - mss, 0), 0)
            delivered = min(delivered, mss)
            _mark_head(c)
        else:
            c.sacked_out = 0
        c.dupacks = 0
    elif duplicate:
        c.dupacks += 1
        flight = c.snd_nxt - c.snd_una
        room = flight - c.lost_out - c.sacked_out - (mss if not c.lost_out else 0)
        delivered = max(min(mss, room), 0)
        c.sacked_out += delivered
        if (
            c.dupacks == scoreboard.DUP_THRESH
            and r.phase == OPEN
            # Not again for what a timeout has repeated (RFC 6582, 3.2, step 1 and section 4).
            and (not r.point or c.snd_una > r.point)
        ):
            _mark_head(c)
    return delivered


def _mark_head(c: Connection) -> None:
    """The oldest segment is lost."""
    if not c.sent or c.sent[0].flags & LOST:
        return
    head = c.sent[0]
    if head.end - head.seq > c.mss:
        scoreboard.split(c, 0, head.seq + c.mss)
    scoreboard.mark_lost(c, head)
    limit = c.snd_nxt - c.snd_una - c.lost_out
    c.sacked_out = min(c.sacked_out, limit)


def _enter(c: Connection, now: int) -> None:
    r = of(c)
    flight = c.snd_nxt - c.snd_una
    c.cc.on_loss(now, flight)
    r.phase = RECOVERY
    r.point = c.snd_nxt
    r.flight_size = flight
    r.prr_delivered = r.prr_out = 0
    r.force = True
    _end_probe(c)
    c.host.counters.count("tcp_fast_recovery")


def _reduce_rate(c: Connection, delivered: int) -> None:
    """Proportional rate reduction (RFC 6937, 3.1)."""
    r = of(c)
    r.prr_delivered += delivered
    pipe = scoreboard.pipe(c)
    ssthresh = c.cc.ssthresh
    if pipe > ssthresh:
        count = -(-r.prr_delivered * ssthresh // max(r.flight_size, 1)) - r.prr_out
    else:
        limit = max(r.prr_delivered - r.prr_out, delivered) + c.mss
        count = min(ssthresh - pipe, limit)
    c.cc.cwnd = max(pipe + max(count, 0), c.mss)


def _leave(c: Connection) -> None:
    r = of(c)
    if r.phase == RECOVERY:
        c.cc.cwnd = max(min(c.cc.ssthresh, scoreboard.pipe(c) + 10 * c.mss), 2 * c.mss)
    rack.end_of_recovery(r)
    r.phase = OPEN
    r.force = False
    c.dupacks = 0
    if not c.sack_on:
        c.sacked_out = 0


def on_rto(c: Connection, now: int) -> None:
    """The retransmission timer has expired (RFC 5681, 3.1; RFC 8985, 6.3)."""
    r = of(c)
    if c.sent[0].flags & SACKED:
        # The peer has dropped what it had: nothing of the scoreboard holds (RFC 2018, 8).
        scoreboard.renege(c)
    if not c.sack_on:
        c.sacked_out = 0
    limit = now - r.rack_rtt - rack.reo_wnd(c) if c.sack_on and r.rack_rtt else now
    first = True
    for record in c.sent:
        if record.flags & SACKED:
            continue
        if first or record.xmit_ts <= limit:
            scoreboard.mark_lost(c, record)
        first = False
    c.cc.on_rto(now, c.snd_nxt - c.snd_una, c.backoff == 0 and r.phase != LOSS)
    r.phase = LOSS
    r.point = c.snd_nxt
    r.force = False
    c.dupacks = 0
    _end_probe(c)


def _end_probe(c: Connection) -> None:
    c.tlp_end = 0


def after_probe(
    c: Connection, now: int, ack: int, flight: int, dsack: bool, duplicate: bool
) -> None:
    """What an acknowledgement says of the tail probe (RFC 8985, 7.4.2)."""
    end = c.tlp_end
    if ack < end:
        return
    r = of(c)
    if not r.tlp_is_retransmission or dsack:
        c.tlp_end = 0
    elif ack > end:
        # The probe has filled a gap that nobody else noticed: congestion all the same.
        c.tlp_end = 0
        c.cc.on_loss(now, flight)
        c.cc.cwnd = c.cc.ssthresh
    elif duplicate:
        c.tlp_end = 0
