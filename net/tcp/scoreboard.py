"""What has been sent and not yet acknowledged, and what is known of each part (RFC 6675, 2018).

Tcb.sent has it as records in order, one for each piece that was given to the Internet layer: up to
64 KiB. A record is split where an acknowledgement, a SACK block or a retransmission ends within it.
Bytes in each state are counted: pipe (RFC 6675, 4) is a sum.
"""

from __future__ import annotations

from ovum.net.tcp.seq import unwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from ovum.net.tcp.connection import Connection

SACKED: Final = 1
LOST: Final = 2
RETRANSMITTED: Final = 4
REPEATED: Final = 8
"""Of a record: the peer has it; it is taken to be lost; it has been sent again since; it has been
sent again at some time (no round trip is measured with it, Karn)."""

MANY: Final = 64
"""Records: from there on those that fit into one segment together are one, or single bytes would
take a hundred times their size until they are acknowledged."""

DUP_THRESH: Final = 3
"""RFC 6675, 2."""


class Sent:
    """A range of sequence numbers that has been sent."""

    __slots__ = ("end", "flags", "seq", "xmit_ts")

    def __init__(self, seq: int, end: int, xmit_ts: int, flags: int = 0) -> None:
        self.seq = seq
        self.end = end
        self.xmit_ts = xmit_ts
        """When it was sent last."""
        self.flags = flags


def pipe(c: Connection) -> int:
    """Bytes that are thought to be in the network (SetPipe)."""
    return c.snd_nxt - c.snd_una - c.sacked_out - c.lost_out + c.retrans_out


def split(c: Connection, index: int, at: int) -> None:
    """Makes two records of one."""
    record = c.sent[index]
    c.sent.insert(index + 1, Sent(at, record.end, record.xmit_ts, record.flags))
    record.end = at


def forget(c: Connection, record: Sent, size: int) -> None:
    """size bytes of a record are acknowledged: takes them out of the counts."""
    flags = record.flags
    if flags & SACKED:
        c.sacked_out -= size
    elif flags & LOST:
        c.lost_out -= size
        if flags & RETRANSMITTED:
            c.retrans_out -= size


def mark_lost(c: Connection, record: Sent) -> None:
    """Takes a record to be lost, also if it has been sent again."""
    size = record.end - record.seq
    if record.flags & RETRANSMITTED:
        record.flags &= ~RETRANSMITTED
        c.retrans_out -= size
    if not record.flags & LOST:
        record.flags |= LOST
        c.lost_out += size


def mark_sent_again(c: Connection, record: Sent, now: int) -> None:
    """A record that was lost is on its way again."""
    record.flags |= RETRANSMITTED | REPEATED
    record.xmit_ts = now
    c.retrans_out += record.end - record.seq


def find(c: Connection, seq: int) -> int:
    """The index of the record that seq is in, or of the first one behind it."""
    sent = c.sent
    low, high = 0, len(sent)
    while low < high:
        middle = (low + high) >> 1
        if sent[middle].end <= seq:
            low = middle + 1
        else:
            high = middle
    return low


def update(c: Connection, blocks: Sequence[tuple[int, int]], ack: int) -> tuple[list[Sent], bool]:
    """Enters SACK blocks, as they come on the wire, of a segment that acknowledges up to ack.

    Returns the records that are newly known to have arrived, and whether the first block was a
    D-SACK (RFC 2883, 4). Blocks that make no sense are ignored and counted.
    """
    new: list[Sent] = []
    duplicate = False
    first = True
    outer: tuple[int, int] | None = None
    for left_wire, right_wire in blocks:
        left = unwrap(left_wire, ack)
        right = unwrap(right_wire, ack)
        if first:
            first = False
            if right <= ack and left < right:
                duplicate = True
                continue
            if len(blocks) > 1:
                outer = (unwrap(blocks[1][0], ack), unwrap(blocks[1][1], ack))
                if outer[0] <= left and right <= outer[1]:
                    duplicate = True
                    continue
        if left < c.snd_una or left >= right or right > c.snd_nxt:
            c.host.counters.count("tcp_sack_bad")
            continue
        _enter(c, left, right, new)
    return new, duplicate


def _enter(c: Connection, left: int, right: int, new: list[Sent]) -> None:
    sent = c.sent
    index = find(c, left)
    while index < len(sent):
        record = sent[index]
        if record.seq >= right:
            return
        if record.flags & SACKED:
            index += 1
            continue
        if record.seq < left:
            split(c, index, left)
            index += 1
            continue
        if record.end > right:
            split(c, index, right)
        forget(c, record, record.end - record.seq)
        record.flags = record.flags & REPEATED | SACKED
        c.sacked_out += record.end - record.seq
        new.append(record)
        index += 1


def mark_lost_by_count(c: Connection) -> None:
    """IsLost (RFC 6675, 4): DupThresh separate ranges behind it have arrived, or more than
    (DupThresh - 1) * SMSS bytes."""
    ranges = 0
    size = 0
    above = -1
    for record in reversed(c.sent):
        if record.flags & SACKED:
            size += record.end - record.seq
            if record.end != above:
                ranges += 1
            above = record.seq
        elif (ranges >= DUP_THRESH or size > (DUP_THRESH - 1) * c.mss) and not record.flags & LOST:
            mark_lost(c, record)


def renege(c: Connection) -> None:
    """Forgets what the peer has selectively acknowledged: it may have dropped it (RFC 2018, 8)."""
    for record in c.sent:
        record.flags &= ~SACKED
    c.sacked_out = 0
