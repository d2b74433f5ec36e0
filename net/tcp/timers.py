"""What is due when (RFC 9293, 3.8.3; RFC 6298, 5; RFC 8985, 6.3 and 7.3). Timers are fields."""

from __future__ import annotations

from errno import ETIMEDOUT

from ovum.net.tcp import keepalive, lifecycle, persist, recovery, rtt, scoreboard, tx
from ovum.net.tcp.scoreboard import SACKED
from ovum.net.tcp.states import CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT
from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

ORPHAN_RETRIES = 8
"""R2 of a connection that nobody waits for any more (Linux, tcp_orphan_retries)."""


def next_deadline(c: Connection) -> int:
    """The first of all timers."""
    return min(c.rto_at, c.tlp_at, c.rack_at, c.persist_at, c.delack_at, c.keepalive_at)


def on_timer(c: Connection, now: int) -> None:
    """Does what is due."""
    if c.state == CLOSED or c.state == TIME_WAIT:
        return
    if next_deadline(c) > now:
        # The heap comes early at times.
        return
    lifecycle.mark(c)
    if c.delack_at <= now:
        c.delack_at = NEVER
        c.ack_now = True
        c.late_at = c.snd_nxt
    if c.rack_at <= now:
        c.rack_at = NEVER
        recovery.after_ack(c, now, 0, 0, False)
    if c.tlp_at <= now:
        c.tlp_at = NEVER
        _probe_tail(c, now)
    if c.rto_at <= now and not _retransmit(c, now):
        return
    if c.persist_at <= now and not _probe_window(c, now):
        return
    if c.keepalive_at <= now and not keepalive.on_timer(c, now):
        lifecycle.reset(c)
        lifecycle.fail(c, c.soft_errno or ETIMEDOUT, lifecycle.TIMED_OUT)
        return
    lifecycle.set_predict(c)


def _retransmit(c: Connection, now: int) -> bool:
    """The retransmission timer. False: given up."""
    if not c.sent:
        c.rto_at = NEVER
        return True
    settings = c.host.settings
    if not c.stalled_at:
        c.stalled_at = c.sent[0].xmit_ts
    # A peer that closes its window under what is out, but answers, is not given up (MUST-35).
    probing = not c.snd_wnd and c.state not in (SYN_SENT, SYN_RECEIVED)
    alive = probing and now - c.heard_at < settings.max_rto
    if not alive and _is_over(c, now):
        if c.state != SYN_SENT:
            lifecycle.reset(c)
        lifecycle.fail(c, c.soft_errno or ETIMEDOUT, lifecycle.TIMED_OUT)
        return False
    if c.backoff == settings.retries_first:
        # R1: maybe there is another way (RFC 9293, 3.8.3).
        c.ip_mtu = 0
    c.host.counters.count("tcp_timeouts")
    recovery.on_rto(c, now)
    recovery.of(c).force = True
    c.tlp_at = c.rack_at = NEVER
    c.backoff += 1
    if c.state == SYN_SENT or c.state == SYN_RECEIVED:
        c.rto = rtt.INITIAL_RTO
        at = now + rtt.backed_off(c)
    else:
        at = now + rtt.backed_off(c)
    c.rto_at = at
    return True


def _is_over(c: Connection, now: int) -> bool:
    """Whether what is out has been repeated long enough: R2, or TCP_USER_TIMEOUT."""
    settings = c.host.settings
    options = c.options
    if options.user_timeout:
        return now - c.stalled_at >= options.user_timeout
    if c.state == SYN_SENT:
        return c.backoff >= (options.syn_count or settings.syn_retries)
    if c.state == SYN_RECEIVED:
        return c.backoff >= settings.syn_ack_retries
    return c.backoff >= (ORPHAN_RETRIES if c.orphan else settings.retries_last)


def _probe_tail(c: Connection, now: int) -> None:
    """TLP_send_probe (RFC 8985, 7.3): new data if there is any and the peer has room, whatever
    cwnd says; or the last segment again."""
    if not c.sent:
        return
    r = recovery.of(c)
    before = c.snd_nxt
    pipe = scoreboard.pipe(c)
    cwnd = c.cc.cwnd
    c.tlp_end = before
    c.cc.cwnd = max(cwnd, pipe + c.mss)
    tx.new_data(c, now)
    c.cc.cwnd = cwnd
    r.tlp_is_retransmission = c.snd_nxt == before
    if r.tlp_is_retransmission:
        last = c.sent[-1]
        if last.flags & SACKED:
            c.tlp_end = 0
            return
        if last.end - last.seq > c.mss:
            scoreboard.split(c, len(c.sent) - 1, last.end - c.mss)
            last = c.sent[-1]
        last.flags |= scoreboard.REPEATED
        last.xmit_ts = now
        tx.send_record(c, now, last)
        c.retransmitted += 1
    c.tlp_end = c.snd_nxt
    c.host.counters.count("tcp_tail_probes")
    c.tlp_at = NEVER
    c.rto_at = now + c.rto


def _probe_window(c: Connection, now: int) -> bool:
    """The persist timer. False: given up."""
    c.persist_at = NEVER
    if c.sent:
        return True
    if c.stream.send_queued() <= 0 and not c.fin_wanted:
        return True
    if c.snd_wnd > 0 and c.path.valid:
        _send_held(c, now)
        return True
    if c.stalled_at == 0:
        c.stalled_at = now
    silent = now - max(c.heard_at, c.stalled_at)
    limit = c.options.user_timeout
    if limit:
        over = now - c.stalled_at >= limit
    else:
        # As long as it answers, it is asked (MUST-37); an orphan is not waited for so long.
        tries = ORPHAN_RETRIES if c.orphan else c.host.settings.retries_last
        over = c.backoff >= tries and (c.orphan or silent > c.host.settings.max_rto)
    if over:
        lifecycle.reset(c)
        lifecycle.fail(c, c.soft_errno or ETIMEDOUT, lifecycle.TIMED_OUT)
        return False
    if c.path.valid:
        tx.probe_peer(c, now)
        c.host.counters.count("tcp_window_probes")
    c.backoff += 1
    persist.arm(c, now)
    return True


def _send_held(c: Connection, now: int) -> None:
    """What TCP_CORK or a small window has held is sent (RFC 9293, 3.8.6.2.1, (4))."""
    size = min(c.stream.send_queued(), c.snd_wnd, c.mss)
    if size > 0:
        tx.send_held(c, now, size)
