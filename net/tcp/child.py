"""A half-open connection that becomes a whole one."""

from __future__ import annotations

from ovum.net.tcp import lifecycle, rtt, rx, tx
from ovum.net.tcp.connection import Connection
from ovum.net.tcp.seq import START
from ovum.net.tcp.states import CLOSED, ESTABLISHED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.listen import HalfOpen
    from ovum.net.wire.tcp import Segment


def make(half: HalfOpen, now: int, seg: Segment | None) -> bool:
    """Asks the listener's observer to take it; then seg, which has ended the handshake, is dealt
    with. False: no room, and nothing is done."""
    listener = half.listener
    host = half.host
    listener.options.shared = True
    if not host.memory.has_room():
        return False
    c = Connection(host, half.path, listener.options, half.ports >> 16, half.ports & 0xFFFF)
    c.rcv_limit = half.window
    c.iss = half.iss + START
    c.irs = half.irs + START
    c.snd_una = c.snd_nxt = c.snd_wl2 = c.iss + 1
    c.rcv_nxt = c.last_ack_sent = c.irs + 1
    c.snd_wl1 = c.irs
    c.rcv_adv = c.rcv_nxt + min(c.rcv_limit, 65535)
    c.grow_at = c.rcv_nxt + c.rcv_limit
    c.peer_mss = half.peer_mss
    c.sack_on = half.sack_on
    c.ts_on = half.ts_on
    c.ts_recent = half.ts_recent
    c.ts_offset = half.ts_offset
    c.snd_shift = max(half.snd_shift, 0)
    c.rcv_shift = host.scale if half.snd_shift >= 0 else 0
    c.snd_wnd = c.max_wnd = (65535 if seg is None else seg.window) << c.snd_shift
    c.heard_at = now
    c.retransmitted = half.retries
    c.ip_mtu = half.path.ip_mtu
    tx.set_mss(c)
    if half.sent_at and not half.retries:
        rtt.sample(c, now - half.sent_at)
    lifecycle.enter(c, ESTABLISHED, lifecycle.HANDSHAKE)
    if not listener.observer.accept(listener, c):
        host.counters.count("tcp_accept_queue_full")
        c.state = CLOSED
        return False
    c.binding = listener.binding
    c.binding.retain()
    half.remove()
    host.passive_opens += 1
    host.table[c.key] = c
    if c.state != ESTABLISHED:
        # The observer has ended it already.
        host.forget(c)
        return True
    rx.establish(c, now)
    if seg is not None:
        rx.on_segment(c, now, seg)
    return True
