"""Segment arrival (RFC 9293, 3.10.7), one function per step. What is to be sent flush sends,
but for acknowledgements of which none may be left out (rx_data).

What a step finds decides whether the next one is taken: True is "go on". PAWS and RFC 5961 are
where RFC 7323 (5.3) and RFC 5961 put them.
"""

from __future__ import annotations

from errno import ECONNREFUSED, ECONNRESET, EPIPE

from ovum.net.tcp import keepalive, lifecycle, rtt, rx_ack, rx_data, tx
from ovum.net.tcp.cc.base import initial_window
from ovum.net.tcp.seq import MASK, START, before, unwrap
from ovum.net.tcp.states import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    SYN_RECEIVED,
    SYN_SENT,
)
from ovum.net.wire.tcp import ACK, FIN, RST, SYN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection
    from ovum.net.wire.tcp import Options, Segment

PAWS_IDLE = 24 * 24 * 3600 * 1_000_000_000
"""After 24 days timestamps have wrapped: what is remembered says nothing (RFC 7323, 5.5)."""

DUPLICATE_ACK_INTERVAL = 500_000_000
"""At most one answer to segments out of the window in this time, if they have no data: two ends
that disagree would else answer each other for ever (Linux, tcp_invalid_ratelimit)."""


def on_segment(c: Connection, now: int, seg: Segment) -> None:
    """Anything that the fast path does not take."""
    if c.state == SYN_SENT:
        _syn_sent(c, now, seg)
    elif c.state != CLOSED:
        _synchronized(c, now, seg)
    if c.state != CLOSED:
        lifecycle.set_predict(c)
        lifecycle.mark(c)


def _synchronized(c: Connection, now: int, seg: Segment) -> None:
    """3.10.7.4, for all states but LISTEN and SYN-SENT."""
    seq = unwrap(seg.seq, c.rcv_nxt)
    length = len(seg.payload)
    if seg.flags & (SYN | FIN):
        length += (seg.flags & SYN != 0) + (seg.flags & FIN != 0)
    if not _first_check_timestamp(c, now, seg, seq, length):
        return
    if not _first_check_sequence(c, now, seg, seq, length):
        return
    if seg.flags & RST:
        _second_check_reset(c, now, seq)
        return
    if seg.flags & SYN and not _fourth_check_syn(c, now, seg, seq):
        return
    if not seg.flags & ACK:
        c.host.counters.count("tcp_ack_missing")
        return
    c.heard_at = now
    c.keepalive_probes = 0
    _update_timestamp(c, seg, seq)
    if not rx_ack.fifth_check_ack(c, now, seg, seq, length):
        return
    # Sixth: URG. Urgent data is delivered in place, as with SO_OOBINLINE.
    if length:
        rx_data.seventh_text_and_fin(c, now, seg, seq)
    if c.state == FIN_WAIT_2 and c.orphan:
        lifecycle.leave_fin_wait(c, now)


def _first_check_timestamp(c: Connection, now: int, seg: Segment, seq: int, length: int) -> bool:
    """PAWS (RFC 7323, 5.3, R1): an old segment is answered and dropped; an RST never is old."""
    if not c.ts_on or seg.flags & RST:
        return True
    stamp = None if seg.options is None else seg.options.timestamp
    if stamp is None:
        # 3.2: SHOULD drop.
        c.host.counters.count("tcp_timestamp_missing")
        return False
    if before(stamp[0], c.ts_recent) and now - c.heard_at < PAWS_IDLE:
        c.host.counters.count("tcp_paws")
        _answer_unacceptable(c, now, seg, seq, length)
        return False
    return True


def acceptable(c: Connection, seq: int, length: int) -> bool:
    """The table of 3.10.7.4. An empty segment just behind the window is accepted, too: that is
    where a peer is that has filled it, and whose acknowledgements count (MUST-66)."""
    window = c.rcv_adv - c.rcv_nxt
    if not length:
        return c.rcv_nxt <= seq <= c.rcv_nxt + window
    if not window:
        return False
    return seq < c.rcv_nxt + window and seq + length > c.rcv_nxt


def _first_check_sequence(c: Connection, now: int, seg: Segment, seq: int, length: int) -> bool:
    """Whether any of it is in the window; otherwise it is answered, and dropped."""
    if acceptable(c, seq, length):
        return True
    if seq == c.rcv_nxt and c.rcv_adv == c.rcv_nxt and not seg.flags & (SYN | FIN):
        # A probe of our closed window: its byte is not for us, but its acknowledgement is.
        seg.payload = b""
        c.ack_now = True
        c.host.counters.count("tcp_window_closed")
        return True
    if seg.flags & RST:
        c.host.counters.count("tcp_reset_out_of_window")
        return False
    if _is_answer_to_simultaneous_open(c, seg, seq):
        return True
    c.host.counters.count("tcp_out_of_window")
    if length and seq + length <= c.rcv_nxt and c.sack_on and not seg.flags & SYN:
        end = seq + len(seg.payload)
        if seq < end:
            rx_data.report_twice(c, now, seq, end)
    _answer_unacceptable(c, now, seg, seq, length)
    return False


def _is_answer_to_simultaneous_open(c: Connection, seg: Segment, seq: int) -> bool:
    return (
        c.state == SYN_RECEIVED
        and seg.flags & (SYN | ACK) == SYN | ACK
        and seq == c.irs
        and seg.ack == c.snd_nxt & MASK
    )


def _answer_unacceptable(c: Connection, now: int, seg: Segment, seq: int, length: int) -> None:
    """An ACK with our numbers; to segments without data not too often."""
    if not len(seg.payload) and not seg.flags & (SYN | FIN):
        if seq == c.rcv_nxt - 1:
            # A keep-alive probe: always answered.
            c.ack_now = True
            return
        if c.limited_at and now - c.limited_at < DUPLICATE_ACK_INTERVAL:
            c.host.counters.count("tcp_answer_limited")
            return
        c.limited_at = now
    c.ack_now = True


def _second_check_reset(c: Connection, now: int, seq: int) -> None:
    """RFC 5961, 3.2: only the exact number resets, others in the window are asked back."""
    if seq != c.rcv_nxt:
        c.host.counters.count("tcp_reset_inexact")
        lifecycle.challenge(c, now)
        return
    c.host.counters.count("tcp_reset")
    if c.state in (CLOSING, LAST_ACK):
        lifecycle.end(c, lifecycle.RESET)
    elif c.state == SYN_RECEIVED:
        lifecycle.fail(c, ECONNREFUSED, lifecycle.RESET)
    elif c.state == CLOSE_WAIT:
        lifecycle.fail(c, EPIPE, lifecycle.RESET)
    else:
        lifecycle.fail(c, ECONNRESET, lifecycle.RESET)


def _fourth_check_syn(c: Connection, now: int, seg: Segment, seq: int) -> bool:
    """RFC 5961, 4.2: a SYN in a synchronised state is asked back, wherever it is."""
    if _is_answer_to_simultaneous_open(c, seg, seq):
        return True
    c.host.counters.count("tcp_syn_unexpected")
    lifecycle.challenge(c, now)
    return False


def _update_timestamp(c: Connection, seg: Segment, seq: int) -> None:
    """TS.Recent (RFC 7323, 4.3): of what is in order as far as we have acknowledged."""
    options = seg.options
    if c.ts_on and options is not None and options.timestamp is not None:
        value = options.timestamp[0]
        if seq <= c.last_ack_sent and not before(value, c.ts_recent):
            c.ts_recent = value


# SYN-SENT (3.10.7.3)


def _syn_sent(c: Connection, now: int, seg: Segment) -> None:
    flags = seg.flags
    if flags & ACK:
        # First: the only thing that it may acknowledge is our SYN, if that has been sent.
        if seg.ack != (c.iss + 1) & MASK or not c.sent:
            c.host.counters.count("tcp_ack_unacceptable")
            if not flags & RST:
                c.host.send_reset(c.path, c.ports, seg.ack, -1)
            return
        echo = _echo(seg.options)
        if echo >= 0 and c.host.settings.timestamps and not _echo_is_ours(c, now, echo):
            c.host.counters.count("tcp_echo_unacceptable")
            return
    # Second: a reset without the acknowledgement of our SYN may be anybody's.
    if flags & RST:
        if flags & ACK:
            c.host.counters.count("tcp_reset")
            lifecycle.fail(c, ECONNREFUSED, lifecycle.RESET)
        else:
            c.host.counters.count("tcp_reset_inexact")
        return
    # Fourth
    if not flags & SYN:
        c.host.counters.count("tcp_syn_missing")
        return
    c.heard_at = now
    c.irs = seg.seq + START
    c.rcv_nxt = c.irs + 1
    c.rcv_adv = c.rcv_nxt + min(c.rcv_limit, 65535)
    negotiate(c, seg.options)
    c.snd_wnd = c.max_wnd = seg.window
    c.snd_wl1 = c.irs
    c.grow_at = c.rcv_nxt + c.rcv_limit
    if flags & ACK:
        rx_ack.advance(c, now, c.iss + 1, _echo(seg.options))
        c.snd_wl2 = c.snd_una
        c.ack_now = True
        establish(c, now)
        if len(seg.payload) or flags & FIN:
            rx_data.seventh_text_and_fin(c, now, seg, c.irs)
    else:
        # Simultaneous open: our SYN goes again, with an acknowledgement.
        lifecycle.enter(c, SYN_RECEIVED, lifecycle.HANDSHAKE)
        c.last_ack_sent = c.rcv_nxt
        c.sent.clear()
        c.lost_out = c.retrans_out = 0
        c.recovery = None


def _echo(options: Options | None) -> int:
    return -1 if options is None or options.timestamp is None else options.timestamp[1]


def _echo_is_ours(c: Connection, now: int, echo: int) -> bool:
    """Whether a timestamp is one that our SYN has had (Linux checks it, too)."""
    newest = now // tx.MS + c.ts_offset
    oldest = c.host.started // tx.MS + c.ts_offset
    return (newest - echo) & MASK <= newest - oldest


def negotiate(c: Connection, options: Options | None) -> None:
    """Takes the peer's options of its SYN; ours we have offered, or will only if it has."""
    settings = c.host.settings
    c.snd_shift = -1
    c.rcv_shift = 0
    if options is not None:
        if options.mss is not None:
            c.peer_mss = max(options.mss, 28)
        if options.window_scale is not None and settings.window_scaling:
            # RFC 7323, 2.3: more than 14 is 14.
            c.snd_shift = min(options.window_scale, 14)
            c.rcv_shift = c.host.scale
        if options.timestamp is not None and settings.timestamps:
            c.ts_on = True
            c.ts_recent = options.timestamp[0]
        c.sack_on = options.sack_permitted and settings.sack
    if (options is None or options.mss is None) and len(c.path.remote) == 16:
        c.peer_mss = 1220
    tx.set_mss(c)


def establish(c: Connection, now: int) -> None:
    """Both SYNs have been acknowledged (also of a listener's child: by `listen`)."""
    if c.snd_shift < 0:
        c.snd_shift = 0
    tx.set_mss(c)
    # RFC 6928, 2: a SYN that was lost more than once leaves one segment.
    c.cc.cwnd = initial_window(c.mss) if c.retransmitted < 2 else c.mss
    if c.retransmitted:
        c.rto = max(c.rto, rtt.AFTER_SYN_LOSS_RTO) if not c.srtt else c.rto
    if c.rcv_shift == 0:
        c.rcv_limit = min(c.rcv_limit, 65535)
    c.hold_back()
    keepalive.arm(c, now)
    c.sent_at = now
    if c.state == SYN_SENT or c.state == SYN_RECEIVED:
        lifecycle.enter(c, ESTABLISHED, lifecycle.HANDSHAKE)
        if not c.orphan:
            c.observer.established(c)
        if c.fin_wanted and c.state == ESTABLISHED:
            lifecycle.enter(c, FIN_WAIT_1, lifecycle.OUR_FIN)
