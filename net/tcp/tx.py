"""What may be sent now, and its headers. Called by the host's flush, when a batch is over.

Order: what is lost, then new data, then an acknowledgement if nothing has carried it.
"""

from __future__ import annotations

from struct import Struct

from ovum.net.tcp import lifecycle, persist, rack, recovery, scoreboard
from ovum.net.tcp.scoreboard import LOST, MANY, RETRANSMITTED, SACKED, Sent
from ovum.net.tcp.seq import MASK
from ovum.net.tcp.states import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    LAST_ACK,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
)
from ovum.net.tcp.tcb import NEVER
from ovum.net.wire.tcp import ACK, FIN, PSH, SYN, Options, Segment, emit_header, emit_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.net.tcp.connection import Connection

MS: Final = 1_000_000
PLAIN: Final = Struct("!IIIHHI")
STAMPED: Final = Struct("!IIIHHIIII")
"""Both ports, sequence number, acknowledgement, offset and flags, window, checksum and urgent
pointer; with the timestamp option as Linux lays it out."""

NOP_NOP_TIMESTAMP: Final = 0x0101080A
LARGEST: Final = 65535 - 40 - 60
"""Payload of an IP packet behind the longest headers without extensions."""

SENDING: Final = frozenset((ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK))
"""States in which data, or a FIN, may have to be sent."""


def flush(c: Connection, now: int) -> None:
    """Sends whatever the connection has to send and may."""
    state = c.state
    if state in (CLOSED, TIME_WAIT):
        return
    path = c.path
    if path.ip_mtu != c.ip_mtu or not path.valid:
        before = c.mss
        if not look_at_path(c, now):
            return
        if c.mss < before and recovery.on_smaller_mss(c):
            lifecycle.set_predict(c)
    if c.lost_out > c.retrans_out:
        retransmit(c, now)
    if state in SENDING:
        new_data(c, now)
    elif not c.sent and (state in (SYN_SENT, SYN_RECEIVED)):
        _first_syn(c, now)
    if c.ack_now:
        acknowledge(c, now)


def acknowledge(c: Connection, now: int) -> None:
    """Sends an acknowledgement without data."""
    emit(c, now, c.snd_nxt, ACK, b"")


def look_at_path(c: Connection, now: int) -> bool:
    """The way to the peer is new, or fits less or more than before. False: there is none now."""
    path = c.path
    if not path.valid:
        try:
            path = c.host.ip.path(c.remote, c.local, c.interface)
        except OSError as error:
            # Routes come back. Until then time passes as if segments were lost (RFC 1122, 4.2.3.9).
            c.soft_errno = error.errno or 0
            if c.rto_at == NEVER and c.persist_at == NEVER:
                persist.arm(c, now)
            c.ack_now = False
            return False
        c.path = path
    c.ip_mtu = path.ip_mtu
    set_mss(c)
    return True


def set_mss(c: Connection) -> None:
    """Eff.snd.MSS (RFC 9293, 3.7.1, MUST-16): less the options that all segments carry."""
    path = c.path
    mss = min(c.peer_mss, own_mss(c))
    if c.ts_on:
        mss -= 12
    c.mss = max(mss, 16)
    c.large = LARGEST // c.mss * c.mss if path.segments_large else c.mss
    c.cc.mss = c.mss


def own_mss(c: Connection) -> int:
    """The most that a segment's payload can be on the path: what we announce (MUST-67)."""
    path = c.path
    mss = min(path.ip_mtu - (40 if len(path.remote) == 4 else 60), LARGEST)
    if c.options.max_segment:
        mss = min(mss, c.options.max_segment)
    return max(mss, 28)


def new_data(c: Connection, now: int) -> None:
    """Sends data that has not been sent yet, and our FIN, as windows, Nagle and silly window
    avoidance allow (RFC 9293, 3.8.6.2.1; RFC 1122, 4.2.3.4)."""
    offset = c.snd_nxt - c.snd_una
    if c.fin_seq >= 0:
        return
    unsent = c.stream.send_queued() - offset
    fin = c.fin_wanted
    if unsent <= 0 and not fin:
        c.more = False
        return
    cc = c.cc
    if not offset:
        idle = now - c.sent_at
        if idle > c.rto:
            cc.on_idle(now, idle)
    mss = c.mss
    if c.ooo is not None or c.dsack is not None:
        # Blocks go with data, too, and take room from it.
        mss -= _blocks_size(c)
    large = c.large if mss == c.mss else mss
    room = cc.cwnd - offset + c.sacked_out + c.lost_out - c.retrans_out
    window = c.snd_wnd - offset
    sent = False
    c.cwnd_limited = False
    c.more = True
    while unsent > 0 or fin:
        size = min(unsent, window)
        if size > room:
            size = room
            c.cwnd_limited = True
        if size > large:
            size = large
        if size < unsent:
            size -= size % mss
            if size <= 0:
                # MUST-38 (3): what fills half of the largest window ever offered goes, too.
                size = min(unsent, window)
                if size <= 0 or room < size or 2 * size < c.max_wnd:
                    break
        elif unsent % mss and not fin and _held(c):
            size -= unsent % mss
            if size <= 0:
                break
        unsent -= size
        window -= size
        room -= size
        last = fin and not unsent
        _send_new(c, now, size, mss, not unsent, last)
        sent = True
        if last:
            c.more = False
            break
    else:
        c.more = False
    if sent:
        if c.persist_at != NEVER:
            c.persist_at = NEVER
            c.backoff = 0
        rack.arm_probe(c, now)
    elif not c.sent and c.persist_at == NEVER:
        # Nothing is out, and something is to be sent: only a timer can bring us back.
        persist.arm(c, now)


def _held(c: Connection) -> bool:
    """Whether a last segment of less than mss waits: Nagle as Minshall has it, or TCP_CORK."""
    options = c.options
    if options.cork:
        return True
    return not options.nodelay and c.small_end > c.snd_una


def send_held(c: Connection, now: int, size: int) -> None:
    """Sends size bytes of new data, whatever Nagle says: the time to wait is over."""
    fin = c.fin_wanted and size == c.stream.send_queued()
    _send_new(c, now, size, c.mss, True, fin)
    rack.arm_probe(c, now)


def _send_new(c: Connection, now: int, size: int, mss: int, push: bool, fin: bool) -> None:
    seq = c.snd_nxt
    flags = ACK | PSH if push and size else ACK
    end = seq + size
    if size % mss:
        c.small_end = end
    payload = c.stream.peek(seq - c.snd_una, size) if size else b""
    if fin:
        flags |= FIN
        c.fin_seq = end
        end += 1
    c.snd_nxt = end
    if len(c.sent) >= MANY and end - c.sent[-1].seq <= mss and not c.sent[-1].flags:
        c.sent[-1].end = end
        c.sent[-1].xmit_ts = now
    else:
        c.sent.append(Sent(seq, end, now))
    c.sent_at = now
    if c.recovery is not None:
        c.recovery.prr_out += size
    if c.rto_at == NEVER:
        c.rto_at = at = now + c.rto
        if at < c.wake_at:
            c.host.wake(c, at)
    emit(c, now, seq, flags, payload)


def retransmit(c: Connection, now: int) -> None:
    """Sends what is lost again, as far as cwnd allows: the lowest first (NextSeg, rule 1)."""
    r = c.recovery
    room = c.cc.cwnd - scoreboard.pipe(c)
    index = 0
    while index < len(c.sent):
        record = c.sent[index]
        if record.flags & (LOST | RETRANSMITTED | SACKED) != LOST:
            index += 1
            continue
        force = r is not None and r.force
        if room < min(record.end - record.seq, c.mss) and not force:
            return
        if index and record.seq >= c.snd_una + c.snd_wnd:
            # The peer has taken back its window; the oldest segment asks for it.
            return
        limit = max(min(room - room % c.mss, c.large), c.mss)
        if record.end - record.seq > limit:
            scoreboard.split(c, index, record.seq + limit)
        if r is not None:
            r.force = False
            r.prr_out += record.end - record.seq
        room -= record.end - record.seq
        scoreboard.mark_sent_again(c, record, now)
        send_record(c, now, record)
        index += 1
        c.retransmitted += 1
    if c.rto_at == NEVER:
        c.rto_at = now + c.rto
        c.host.wake(c, c.rto_at)


def send_record(c: Connection, now: int, record: Sent) -> None:
    """Sends a record as it is now: a SYN, data, a FIN."""
    seq = record.seq
    c.host.counters.count("tcp_retransmitted")
    if seq == c.iss:
        _send_syn(c, now)
        return
    end = record.end
    flags = ACK
    if c.fin_seq >= 0 and end > c.fin_seq:
        end = c.fin_seq
        flags |= FIN
    size = end - seq
    if size:
        flags |= PSH
    payload = c.stream.peek(seq - c.snd_una, size) if size else b""
    emit(c, now, seq, flags, payload)


def _first_syn(c: Connection, now: int) -> None:
    c.sent.append(Sent(c.iss, c.iss + 1, now))
    c.sent_at = now
    c.rto_at = now + c.rto
    c.host.wake(c, c.rto_at)
    _send_syn(c, now)


def _send_syn(c: Connection, now: int) -> None:
    """SYN, or in SYN-RECEIVED SYN and ACK (simultaneous open). Its window is not scaled."""
    settings = c.host.settings
    answer = c.state != SYN_SENT
    options = Options(mss=own_mss(c))
    if c.ts_on if answer else settings.timestamps:
        options.timestamp = ((now // MS + c.ts_offset) & MASK, c.ts_recent if answer else 0)
    options.sack_permitted = c.sack_on if answer else settings.sack
    if c.snd_shift >= 0 if answer else settings.window_scaling:
        options.window_scale = c.host.scale
    segment = Segment(
        c.local_port,
        c.remote_port,
        c.iss & MASK,
        c.rcv_nxt & MASK if answer else 0,
        SYN | ACK if answer else SYN,
        min(c.rcv_limit, 65535),
        options=options,
    )
    c.ack_now = False
    c.last_ack_sent = c.rcv_nxt
    header = emit_header(segment)
    hop_limit, traffic_class = c.options.hop_limit, c.options.traffic_class
    c.host.segments_out += 1
    c.host.ip.send(c.path, 6, (header,), 16, 0, hop_limit, traffic_class)


def announce(c: Connection) -> int:
    """The window for a header. Its right edge never moves back (MUST-34's other side), and moves
    on by a segment or half a buffer at least (RFC 9293, 3.8.6.2.2, MUST-39)."""
    nxt = c.rcv_nxt
    adv = c.rcv_adv
    limit = c.rcv_limit
    if adv - nxt < limit - c.rcv_mss or adv - nxt < limit >> 1:
        free = c.stream.receive_free() - c.held_back
        if free > limit:
            free = limit
        grown = nxt + free - adv
        if grown > 0 and (grown >= c.rcv_mss or grown >= limit >> 1):
            c.rcv_adv = adv = nxt + free
    window = (adv - nxt) >> c.rcv_shift
    return window if window < 65536 else 65535


def emit(c: Connection, now: int, seq: int, flags: int, payload: bytes) -> None:
    """Sends one segment (or many of one size) after the handshake."""
    window = announce(c)
    if (c.ooo is not None or c.dsack is not None) and len(payload) <= c.mss - _blocks_size(c):
        # What is sent again may have no room for them.
        header = _with_blocks(c, now, seq, flags, window)
    elif c.ts_on:
        header = bytearray(32)
        STAMPED.pack_into(
            header,
            0,
            c.ports,
            seq & MASK,
            c.rcv_nxt & MASK,
            0x8000 | flags,
            window,
            0,
            NOP_NOP_TIMESTAMP,
            (now // MS + c.ts_offset) & MASK,
            c.ts_recent,
        )
    else:
        header = bytearray(20)
        PLAIN.pack_into(header, 0, c.ports, seq & MASK, c.rcv_nxt & MASK, 0x5000 | flags, window, 0)
    c.ack_now = False
    c.delack_at = NEVER
    c.last_ack_sent = c.rcv_nxt
    options = c.options
    size = len(payload)
    cut = 0
    if size > c.mss:
        cut = c.mss
        c.host.segments_out += (size - 1) // cut
    c.host.segments_out += 1
    c.host.ip.send(
        c.path,
        6,
        (header, payload) if size else (header,),
        16,
        cut,
        options.hop_limit,
        options.traffic_class,
    )


def _blocks(c: Connection) -> list[tuple[int, int]]:
    """SACK blocks: the duplicate first, then the newest range (RFC 2018, 4; RFC 2883, 4)."""
    blocks: list[tuple[int, int]] = []
    if not c.sack_on:
        return blocks
    if c.dsack is not None:
        blocks.append(c.dsack)
    if c.ooo is not None:
        blocks += c.ooo.ranges[: (3 if c.ts_on else 4) - len(blocks)]
    return blocks


def _blocks_size(c: Connection) -> int:
    """Of the option, with what aligns it."""
    count = len(_blocks(c))
    return 4 + 8 * count if count else 0


def _with_blocks(c: Connection, now: int, seq: int, flags: int, window: int) -> bytearray:
    options = Options()
    if c.ts_on:
        options.timestamp = ((now // MS + c.ts_offset) & MASK, c.ts_recent)
    options.sack = [(left & MASK, right & MASK) for left, right in _blocks(c)]
    c.dsack = None
    data = emit_options(options)
    offset = (5 + len(data) // 4) << 12
    header = PLAIN.pack(c.ports, seq & MASK, c.rcv_nxt & MASK, offset | flags, window, 0)
    return bytearray(header + data)


def probe_peer(c: Connection, now: int) -> None:
    """A segment outside the window, which the peer must answer: asks for its window, or whether
    it is still there (RFC 9293, 3.8.4). Nothing of ours is in it, as Linux does."""
    emit(c, now, c.snd_una - 1, ACK, b"")
