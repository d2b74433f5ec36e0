"""TCP segments (RFC 9293, 3.1) and their options."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Buffer = bytes | bytearray | memoryview

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128


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
