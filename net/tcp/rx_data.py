"""The text and the FIN of a segment that has come (RFC 9293, 3.10.7.4, seventh and eighth)."""

from __future__ import annotations

from ovum.net.tcp import lifecycle, tx
from ovum.net.tcp.reassembly import Reassembly
from ovum.net.tcp.settings import LEAST_BUFFER
from ovum.net.tcp.states import CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2
from ovum.net.wire.tcp import FIN, SYN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.net.tcp.connection import Connection
    from ovum.net.wire.tcp import Segment

    Buffer = bytes | bytearray | memoryview

DELAYED_ACK: Final = 40_000_000
"""Linux's least; RFC 9293 (MUST-40) has 500 ms at most."""

QUICK: Final = 16
"""Full segments that an active opener acknowledges each at first, so that a sender in slow start
is not held up (Linux's quick acknowledgements). Less than full ones wait for the answer."""

RECEIVING: Final = (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2)


def seventh_text_and_fin(c: Connection, now: int, seg: Segment, seq: int) -> None:
    """Delivers what is in order, keeps what is not, and acknowledges."""
    payload = seg.payload
    fin = seg.flags & FIN != 0
    if c.state not in RECEIVING:
        # The peer's FIN was before: it can only be a repetition.
        c.ack_now = True
        return
    if seg.flags & SYN:
        seq += 1
    end = seq + len(payload)
    if c.orphan and end > c.rcv_nxt:
        # Nobody will read it: data is lost, and the peer must know (RFC 1122, 4.2.2.13, SHLD-3).
        c.host.counters.count("tcp_data_after_close")
        lifecycle.reset(c)
        lifecycle.end(c, lifecycle.ABORTED)
        return
    if end > c.rcv_adv:
        payload = payload[: c.rcv_adv - seq]
        fin = False
        end = c.rcv_adv
        c.ack_now = True
        c.host.counters.count("tcp_beyond_window")
    if seq > c.rcv_nxt:
        _keep(c, now, seq, payload)
        if fin:
            _keep_fin(c, end)
        c.ack_now = True
        return
    if seq < c.rcv_nxt:
        if c.sack_on and len(payload):
            report_twice(c, now, seq, min(end, c.rcv_nxt))
        payload = payload[c.rcv_nxt - seq :]
        c.ack_now = True
    if len(payload):
        deliver(c, now, payload)
    if c.ooo is not None:
        before = c.ooo.size
        ready = c.ooo.take(c.rcv_nxt)
        c.host.reassembling += c.ooo.size - before
        for data in ready:
            end_of_data = c.rcv_nxt + len(data)
            deliver(c, now, data)
            if c.rcv_nxt != end_of_data:
                # No room for all of it: what is behind it comes again, too.
                break
        # What fills a gap is acknowledged at once (RFC 5681, 4.2).
        c.ack_now = True
        if not c.ooo.starts:
            c.ooo = None
    if c.rcv_nxt == c.fin_in:
        fin = True
        end = c.fin_in
    if fin and c.rcv_nxt >= end:
        _eighth_fin(c, now)


def report_twice(c: Connection, now: int, seq: int, end: int) -> None:
    """A range has come twice: the next acknowledgement says so; each has room for one."""
    if c.dsack is not None and c.ack_now:
        tx.acknowledge(c, now)
    c.dsack = (seq, end)


def _keep(c: Connection, now: int, seq: int, payload: Buffer) -> None:
    """Stores what is ahead, for it will not be sent again if all goes well."""
    if not len(payload):
        return
    if c.ooo is None:
        c.ooo = Reassembly()
    if c.sack_on and c.ooo.covers(seq, seq + len(payload)):
        report_twice(c, now, seq, seq + len(payload))
        return
    if c.ack_now and not (c.sack_on and c.ooo.ranges and seq == c.ooo.ranges[0][1]):
        # The sender counts duplicates, or has to hear of each range: acknowledgements of a batch
        # are aggregated only while the newest range grows (RFC 5681, 4.2; RFC 2018, 4).
        tx.acknowledge(c, now)
    host = c.host
    before = c.ooo.size
    if host.reassembling > host.settings.reassembly or not c.ooo.insert(seq, bytes(payload)):
        host.counters.count("tcp_reassembly_full")
    host.reassembling += c.ooo.size - before
    if not c.ooo.starts:
        c.ooo = None


def _keep_fin(c: Connection, end: int) -> None:
    """Where the peer's FIN is, for when all before it has come."""
    c.fin_in = end


def deliver(c: Connection, now: int, payload: Buffer) -> None:
    """Gives the program what comes next, and sees when it is to be acknowledged."""
    size = len(payload)
    stream = c.stream
    free = stream.receive_free()
    if size > free:
        # Its buffer has been made smaller than what we had offered: the window has to shrink.
        c.host.counters.count("tcp_no_room")
        c.hold_back()
        payload = payload[:free]
        size = free
    if size:
        try:
            stream.deliver(payload)
        except MemoryError:
            # All but the least is as if it were lost, and what is offered then has room.
            c.host.counters.count("tcp_memory_full")
            c.host.memory.shrink(c)
            size = free = min(size, max(LEAST_BUFFER - stream.receive_queued(), 0))
            if size:
                stream.deliver(payload[:size])
    if size:
        c.rcv_nxt += size
        c.bytes_in += size
        after_delivery(c, now, size)
    if size == free:
        c.rcv_adv = c.rcv_nxt
        c.ack_now = True
        watch(c)


def after_delivery(c: Connection, now: int, size: int) -> None:
    """size bytes have been delivered: acknowledges now, or later (RFC 9293, 3.8.6.3), and has the
    window opened in time."""
    if size > c.rcv_mss:
        c.rcv_mss = min(size, c.mss + 12)
    if c.rcv_nxt - c.last_ack_sent > c.rcv_mss or c.late_at == c.snd_nxt:
        # More than a segment; or data has gone one way since an acknowledgement was late: no
        # answer will come, and the sender may wait for us (Nagle, a small buffer). That is when
        # Linux leaves its "pingpong" mode.
        c.ack_now = True
    elif c.quick and ((size >= c.rcv_mss and size > 536) or c.quick > QUICK):
        c.quick -= 1
        c.ack_now = True
    else:
        at = now + DELAYED_ACK
        if at < c.delack_at:
            c.delack_at = at
            if at < c.wake_at:
                c.host.wake(c, at)
    limit = c.rcv_limit
    if c.rcv_nxt >= c.grow_at:
        _grow(c)
    if c.rcv_adv - c.rcv_nxt < limit >> 1:
        # Half of it is used: we want to hear when the program has read.
        watch(c)


def watch(c: Connection) -> None:
    """Asks to be told when there is enough room to open the window by a useful amount."""
    c.host.memory.look(c)
    limit = c.rcv_limit
    step = min(limit >> 1, max(2 * c.rcv_mss, limit >> 2))
    c.stream.notify_free(max(c.held_back + c.rcv_adv - c.rcv_nxt + step, 1))


def _grow(c: Connection) -> None:
    """A whole window has come. If the program keeps up with it, the next one may be larger."""
    c.grow_at = c.rcv_nxt + c.rcv_limit
    options = c.options
    most = min(options.receive_limit or c.host.settings.receive_max, 65535 << c.rcv_shift)
    most = min(most, options.window_clamp or most)
    if c.rcv_limit < most and c.stream.receive_queued() <= c.rcv_limit >> 1:
        grown = min(2 * c.rcv_limit, most) - c.rcv_limit
        if c.held_back >= grown and c.host.memory.may_grow():
            c.held_back -= grown
            c.rcv_limit += grown
            c.grow_at = c.rcv_nxt + c.rcv_limit


def _eighth_fin(c: Connection, now: int) -> None:
    """The peer has closed its half."""
    c.rcv_nxt += 1
    if c.rcv_adv < c.rcv_nxt:
        c.rcv_adv = c.rcv_nxt
    c.ack_now = True
    c.host.forget_ooo(c)
    if c.state == ESTABLISHED:
        lifecycle.enter(c, CLOSE_WAIT, lifecycle.PEER_FIN)
        c.observer.peer_closed(c)
    elif c.state == FIN_WAIT_1:
        lifecycle.enter(c, CLOSING, lifecycle.PEER_FIN)
        if not c.orphan:
            c.observer.peer_closed(c)
    elif c.state == FIN_WAIT_2:
        if not c.orphan:
            c.observer.peer_closed(c)
        lifecycle.time_wait(c, now)
