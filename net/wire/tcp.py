"""TCP segments (RFC 9293, 3.1) and their options."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    Buffer = bytes | bytearray | memoryview

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
PSH: Final = 8
ACK: Final = 16
URG: Final = 32
ECE: Final = 64
CWR: Final = 128


class Options:
    """The options of a segment; None or empty: it has none."""

    __slots__ = ("mss", "sack", "sack_permitted", "timestamp", "window_scale")

    def __init__(
        self,
        mss: int | None = None,
        window_scale: int | None = None,
        sack_permitted: bool = False,
        sack: Sequence[tuple[int, int]] = (),
        timestamp: tuple[int, int] | None = None,
    ) -> None:
        self.mss = mss
        self.window_scale = window_scale
        self.sack_permitted = sack_permitted
        self.sack = sack
        """Blocks as (left edge, right edge), the first is the newest (RFC 2018)."""
        self.timestamp = timestamp
        """(TSval, TSecr) (RFC 7323)."""


class Segment:
    """One segment between a Connection and the layer below. `payload` may be longer than a link
    carries: then `segment_size` says how to cut it (segmentation offload), otherwise 0."""

    __slots__ = (
        "ack", "dst_port", "flags", "options", "payload", "segment_size", "seq", "src_port",
        "urgent", "window",
    )  # fmt: skip

    def __init__(
        self,
        src_port: int,
        dst_port: int,
        seq: int,
        ack: int,
        flags: int,
        window: int,
        payload: Buffer = b"",
        options: Options | None = None,
        urgent: int = 0,
        segment_size: int = 0,
    ) -> None:
        self.src_port = src_port
        self.dst_port = dst_port
        self.seq = seq
        self.ack = ack
        self.flags = flags
        self.window = window
        """As on the wire: not scaled."""
        self.payload = payload
        self.options = options
        self.urgent = urgent
        self.segment_size = segment_size


HEADER = Struct("!HHIIHHHH")
"""Source port, destination port, sequence number, acknowledgement, data offset and flags, window,
checksum, urgent pointer."""

SIZE = 20

PROTOCOL = 6

CHECKSUM_OFFSET = 16

END, NOP, MSS, WINDOW_SCALE, SACK_PERMITTED, SACK, TIMESTAMP = 0, 1, 2, 3, 4, 5, 8
"""Options."""

_PLAIN = 5 << 12
_STAMPED = 8 << 12
_NOP_NOP_TIMESTAMP = 0x0101080A
_TIMESTAMP = Struct("!III")
_HEADER_TIMESTAMP = Struct("!HHIIHHHHIII")
_PAIR = Struct("!II")


def parse(data: Buffer, start: int = 0) -> Segment:
    """A segment that has come; its checksum is not looked at.

    Options of an unknown kind are skipped (RFC 9293, MUST-6), and one of a bad length ends them
    (MUST-7): the segment is good without. They are read at any alignment (MUST-64).
    """
    size = len(data) - start
    if size < SIZE:
        raise WireError("tcp_header_short")
    src_port, dst_port, seq, ack, bits, window, _, urgent = HEADER.unpack_from(data, start)
    offset = bits >> 12
    if offset == 5:
        options = None
        offset = 20
    else:
        offset <<= 2
        if offset < SIZE or offset > size:
            raise WireError("tcp_offset_bad")
        options = None
        if offset == 32:
            head, value, echo = _TIMESTAMP.unpack_from(data, start + SIZE)
            if head == _NOP_NOP_TIMESTAMP:
                options = Options(None, None, False, (), (value, echo))
        if options is None:
            options = parse_options(data[start + SIZE : start + offset])
    return Segment(
        src_port,
        dst_port,
        seq,
        ack,
        bits & 0xFF,
        window,
        data[start + offset :],
        options,
        urgent,
    )


def parse_options(data: Buffer) -> Options:
    """What is known among options. Never fails: what is behind a bad length is not read."""
    options = Options()
    size = len(data)
    at = 0
    while at < size:
        kind = data[at]
        if kind == NOP:
            at += 1
            continue
        if kind == END or at + 1 >= size:
            break
        length = data[at + 1]
        end = at + length
        if length < 2 or end > size:
            break
        if kind == MSS:
            if length == 4:
                options.mss = (data[at + 2] << 8) | data[at + 3]
        elif kind == WINDOW_SCALE:
            if length == 3:
                options.window_scale = data[at + 2]
        elif kind == SACK_PERMITTED:
            if length == 2:
                options.sack_permitted = True
        elif kind == SACK:
            if length >= 10 and length & 7 == 2:
                options.sack = [_PAIR.unpack_from(data, place) for place in range(at + 2, end, 8)]
        elif kind == TIMESTAMP and length == 10:
            options.timestamp = _PAIR.unpack_from(data, at + 2)
        at = end
    return options


def emit_header(segment: Segment) -> bytes:
    """A header; the payload is not in it, and its checksum is filled in below."""
    options = segment.options
    if options is None:
        return HEADER.pack(
            segment.src_port,
            segment.dst_port,
            segment.seq,
            segment.ack,
            _PLAIN | segment.flags,
            segment.window,
            0,
            segment.urgent,
        )
    timestamp = options.timestamp
    if (
        timestamp is not None
        and options.mss is None
        and not options.sack
        and not options.sack_permitted
        and options.window_scale is None
    ):
        return _HEADER_TIMESTAMP.pack(
            segment.src_port,
            segment.dst_port,
            segment.seq,
            segment.ack,
            _STAMPED | segment.flags,
            segment.window,
            0,
            segment.urgent,
            _NOP_NOP_TIMESTAMP,
            timestamp[0],
            timestamp[1],
        )
    data = emit_options(options)
    return (
        HEADER.pack(
            segment.src_port,
            segment.dst_port,
            segment.seq,
            segment.ack,
            (5 + len(data) // 4) << 12 | segment.flags,
            segment.window,
            0,
            segment.urgent,
        )
        + data
    )


def emit_options(options: Options) -> bytes:
    """Options in whole words of 4 bytes, in the order and alignment that Linux uses: receivers'
    fast paths expect these. As many SACK blocks as there is room for in 40 bytes."""
    data = b""
    if options.mss is not None:
        data = b"\x02\x04" + options.mss.to_bytes(2, "big")
    if options.timestamp is not None:
        if options.sack_permitted:
            data += b"\x04\x02\x08\x0a"
        else:
            data += b"\x01\x01\x08\x0a"
        data += _PAIR.pack(options.timestamp[0], options.timestamp[1])
    elif options.sack_permitted:
        data += b"\x01\x01\x04\x02"
    if options.window_scale is not None:
        data += b"\x01\x03\x03" + options.window_scale.to_bytes(1, "big")
    count = min(len(options.sack), (36 - len(data)) // 8)
    if count > 0:
        data += b"\x01\x01\x05" + (2 + 8 * count).to_bytes(1, "big")
        for left, right in options.sack[:count]:
            data += _PAIR.pack(left, right)
    return data
