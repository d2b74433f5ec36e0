"""Frames, and what is special about one of them: what a card is to do for it, or has done."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Data = bytes | bytearray | memoryview

ETHERNET_HEADER = 14
"""Bytes: destination, source, type (IEEE 802.3, 3.2)."""

MTU = 1500
"""Bytes behind the header that every Ethernet carries."""

LARGEST = ETHERNET_HEADER + 65535
"""The largest frame before a card cuts it into segments: an IP packet is no longer."""

WHOLE, TCP4, UDP_FRAGMENTS, TCP6, UDP = 0, 1, 3, 4, 5
"""Kinds of `Offload.segmentation`, numbered as in virtio 1.2 (5.1.6)."""


class Offload:
    """What a card is to do for a frame, or has done. Never changed: frames may share one.

    Received, `checksum_valid`: the card has checked the checksum of TCP or UDP. With
    `needs_checksum` the frame has never been on a wire, and where the checksum would be is that of
    the pseudo header; nothing was lost, so it need not be looked at.

    To be sent, `needs_checksum`: the card calculates a checksum from `checksum_start` to the end
    and puts it `checksum_offset` bytes behind that start, where the pseudo header's sum is now.

    `segmentation`: WHOLE, or the frame is longer than the link carries, and is cut into segments of
    `segment_size` bytes of payload, each with the first `header_size` bytes in front. `ecn`: the
    congestion bit CWR is set in the first segment alone.
    """

    __slots__ = (
        "checksum_offset", "checksum_start", "checksum_valid", "ecn", "header_size",
        "needs_checksum", "segment_size", "segmentation",
    )  # fmt: skip

    def __init__(
        self,
        *,
        checksum_valid: bool = False,
        needs_checksum: bool = False,
        checksum_start: int = 0,
        checksum_offset: int = 0,
        segmentation: int = WHOLE,
        segment_size: int = 0,
        header_size: int = 0,
        ecn: bool = False,
    ) -> None:
        self.checksum_valid = checksum_valid
        self.needs_checksum = needs_checksum
        self.checksum_start = checksum_start
        self.checksum_offset = checksum_offset
        self.segmentation = segmentation
        self.segment_size = segment_size
        self.header_size = header_size
        self.ecn = ecn

    def __repr__(self) -> str:
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return f"Offload({', '.join(f'{name}={value}' for name, value in values if value)})"


CHECKED = Offload(checksum_valid=True)
"""A received frame whose checksum is right."""


class Frame:
    """One Ethernet frame, from the destination address on, without the check sequence.

    `data` of a frame to be sent may be in pieces, a tuple of buffers (headers, payload), which the
    card puts together. It is copied before `transmit` returns.
    """

    __slots__ = ("data", "offload")

    def __init__(self, data: Data | tuple[Data, ...], offload: Offload | None = None) -> None:
        self.data = data
        self.offload = offload

    def __repr__(self) -> str:
        return f"<frame of {self.size} bytes{f', {self.offload!r}' if self.offload else ''}>"

    @property
    def size(self) -> int:
        """In bytes."""
        data = self.data
        return sum(map(len, data)) if isinstance(data, tuple) else len(data)


class Received(Frame):
    """A frame that has come. It may be sent as it is."""

    __slots__ = ()

    if TYPE_CHECKING:
        data: bytes
