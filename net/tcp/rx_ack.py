"""The acknowledgement of a segment that has come (RFC 9293, 3.10.7.4, fifth check)."""

from __future__ import annotations

from ovum.net.tcp import lifecycle, persist, rack, recovery, rtt, scoreboard
from ovum.net.tcp.scoreboard import REPEATED, SACKED
from ovum.net.tcp.seq import MASK, before, unwrap
from ovum.net.tcp.states import CLOSING, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, SYN_RECEIVED
from ovum.net.tcp.tcb import NEVER
from ovum.net.tcp.tx import MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.net.tcp.connection import Connection
    from ovum.net.wire.tcp import Segment

CONFIRM_INTERVAL: Final = 5_000_000_000


def fifth_check_ack(c: Connection, now: int, seg: Segment, seq: int, length: int) -> bool:
    """Takes the acknowledgement, SACK blocks and window. False: the segment is to be dropped, or
    the connection is over."""
    ack = unwrap(seg.ack, c.snd_una)
    if c.state == SYN_RECEIVED and not _finishes_handshake(c, now, seg, seq, ack):
        return False
    if ack > c.snd_nxt:
        c.host.counters.count("tcp_ack_of_unsent")
        lifecycle.challenge(c, now)
        return False
    if ack < c.snd_una - c.max_wnd:
        # RFC 5961, 5.2: MAX.SND.WND is all that an honest acknowledgement can be late.
        c.host.counters.count("tcp_ack_too_old")
        lifecycle.challenge(c, now)
        return False
    options = seg.options
    una = c.snd_una
    flight = c.snd_nxt - una
    window_changed = _update_window(c, seg, seq, ack)
    sacked_before = c.sacked_out
    echo = -1
    if options is not None and options.timestamp is not None:
        echo = options.timestamp[1]
    delivered = 0
    if ack > una:
        delivered = advance(c, now, ack, echo)
    dsack = False
    new_sacks = False
    if c.sack_on and options is not None and options.sack:
        records, dsack = scoreboard.update(c, options.sack, ack)
        if records or dsack:
            r = recovery.of(c)
            for record in records:
                new_sacks = True
                delivered += record.end - record.seq
                rack.delivered(c, r, now, record, record.flags, echo)
            if dsack:
                c.host.counters.count("tcp_dsack_received")
                rack.on_dsack(c, r)
    acked = c.snd_una - una
    # RFC 5681, 2: the definition of a duplicate.
    duplicate = not (acked or length or window_changed) and bool(c.sent) and ack == una
    if c.tlp_end:
        recovery.after_probe(c, now, ack, flight, dsack, duplicate and not options_sack(seg))
    _after(c, now, acked, delivered, flight, duplicate, new_sacks or sacked_before != c.sacked_out)
    if acked and c.fin_seq >= 0 and c.snd_una > c.fin_seq:
        return _fin_acknowledged(c, now)
    return True


def options_sack(seg: Segment) -> bool:
    """Whether a segment has SACK blocks."""
    return seg.options is not None and bool(seg.options.sack)


def _finishes_handshake(c: Connection, now: int, seg: Segment, seq: int, ack: int) -> bool:
    """SYN-RECEIVED of a simultaneous open."""
    if not c.iss < ack <= c.snd_nxt:
        c.host.counters.count("tcp_ack_unacceptable")
        c.host.send_reset(c.path, c.ports, seg.ack, -1)
        return False
    c.snd_wl1 = seq - 1
    c.ack_now = len(seg.payload) > 0
    advance(c, now, c.iss + 1, -1)
    from ovum.net.tcp import rx  # which imports this module

    rx.establish(c, now)
    return True


def _update_window(c: Connection, seg: Segment, seq: int, ack: int) -> bool:
    """SND.WND, of what is not older than what it came from last."""
    if ack < c.snd_una or not (c.snd_wl1 < seq or (c.snd_wl1 == seq and c.snd_wl2 <= ack)):
        return False
    c.snd_wl1 = seq
    c.snd_wl2 = ack
    window = seg.window << c.snd_shift
    if window == c.snd_wnd:
        return False
    c.snd_wnd = window
    if window > c.max_wnd:
        c.max_wnd = window
    return True


def advance(c: Connection, now: int, ack: int, echo: int) -> int:
    """Moves snd_una: what is acknowledged leaves the stream and the scoreboard. Returns how many
    bytes were not known to have arrived."""
    una = c.snd_una
    size = ack - una
    if una == c.iss:
        size -= 1
    if c.fin_seq >= 0 and ack > c.fin_seq:
        size -= 1
    r = c.recovery
    delivered = 0
    trip = -1
    repeated = -2
    done = 0
    sent = c.sent
    for record in sent:
        if record.seq >= ack:
            break
        part = (record.end if record.end < ack else ack) - record.seq
        flags = record.flags
        if flags:
            scoreboard.forget(c, record, part)
        if not flags & SACKED:
            delivered += part
            if flags & REPEATED:
                # Karn: which transmission was it? A timestamp tells, if it was the last.
                repeated = -1
                if echo >= 0 and not before(echo, (record.xmit_ts // MS + c.ts_offset) & MASK):
                    repeated = now - record.xmit_ts
            else:
                trip = now - record.xmit_ts
            if r is not None:
                rack.delivered(c, r, now, record, flags, echo)
        if record.end > ack:
            record.seq = ack
            break
        done += 1
    if done:
        del sent[:done]
    c.snd_una = ack
    if size > 0:
        c.stream.discard(size)
        c.bytes_out += size
    if repeated > -2:
        # What was not repeated has waited behind the gap that this has filled.
        trip = repeated
    if trip >= 0:
        rtt.sample(c, trip)
    c.backoff = 0
    c.stalled_at = 0
    if now >= c.confirm_at:
        confirm(c, now)
    # RFC 6298, 5.2 and 5.3.
    if sent:
        c.rto_at = now + c.rto
        if c.rto_at < c.wake_at:
            c.host.wake(c, c.rto_at)
        rack.arm_probe(c, now)
    else:
        c.rto_at = c.tlp_at = c.rack_at = NEVER
    return delivered


def confirm(c: Connection, now: int) -> None:
    """The neighbor is there: it has carried what is acknowledged (RFC 4861, 7.3.1)."""
    c.confirm_at = now + CONFIRM_INTERVAL
    c.host.ip.confirm(c.path)


def _after(
    c: Connection, now: int, acked: int, delivered: int, flight: int, duplicate: bool, sacks: bool
) -> None:
    """Congestion control, recovery and the persist timer."""
    r = c.recovery
    if acked and (r is None or r.phase != recovery.RECOVERY):
        grow(c, now, acked, flight)
    if duplicate or sacks or c.dupacks or c.sacked_out or c.lost_out or (r is not None and r.phase):
        recovery.after_ack(c, now, acked, delivered, duplicate)
    if c.persist_at != NEVER and c.snd_wnd:
        persist.stop(c)


def grow(c: Connection, now: int, acked: int, flight: int) -> None:
    """cwnd grows only if it was what held us back (RFC 9438, 5.8; RFC 7661)."""
    cc = c.cc
    if c.cwnd_limited or (cc.cwnd < cc.ssthresh and cc.cwnd < 2 * flight):
        cc.on_ack(now, acked, c.srtt)


def _fin_acknowledged(c: Connection, now: int) -> bool:
    state = c.state
    c.observer.finished(c)
    if state == FIN_WAIT_1:
        lifecycle.enter(c, FIN_WAIT_2, lifecycle.FIN_ACKED)
    elif state == CLOSING:
        lifecycle.time_wait(c, now)
        return False
    elif state == LAST_ACK:
        lifecycle.end(c, lifecycle.FIN_ACKED)
        return False
    return True
