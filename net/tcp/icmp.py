"""ICMP errors about a connection (RFC 5927; RFC 9293, 3.9.2.2).

Only an error about something that is out is believed. After the handshake none ends a connection
(RFC 5927, 6.1): it is the reason that is given should the connection time out. Before, each does,
as with Linux (RFC 5461, 4.1): the program tries its next address.
"""

from __future__ import annotations

from ovum.net.tcp import lifecycle, recovery, scoreboard, tx
from ovum.net.tcp.scoreboard import SACKED
from ovum.net.tcp.seq import unwrap
from ovum.net.tcp.states import CLOSED, SYN_RECEIVED, SYN_SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection


def on_error(c: Connection, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> None:
    """An error about a segment with this number (on the wire)."""
    number = unwrap(seq, c.snd_una)
    if c.state == CLOSED or not c.snd_una <= number < c.snd_nxt:
        c.host.counters.count("tcp_icmp_out_of_window")
        return
    if ip_mtu:
        _too_big(c, now)
    elif c.state == SYN_SENT or c.state == SYN_RECEIVED:
        lifecycle.fail(c, errno, lifecycle.ICMP)
    else:
        c.soft_errno = errno


def _too_big(c: Connection, now: int) -> None:
    """The path's MTU has been lowered: what is too large is sent again in smaller segments, which
    is no congestion (RFC 1191, 6.5; Linux, tcp_simple_retransmit)."""
    before = c.mss
    if c.path.ip_mtu == c.ip_mtu and c.path.valid:
        return
    if not tx.look_at_path(c, now) or c.mss >= before:
        return
    r = recovery.of(c)
    for record in c.sent:
        if record.end - record.seq > c.mss and not record.flags & SACKED:
            scoreboard.mark_lost(c, record)
    if c.lost_out and r.phase == recovery.OPEN:
        r.phase = recovery.LOSS
        r.point = c.snd_nxt
    r.force = True
    lifecycle.set_predict(c)
    lifecycle.mark(c)
