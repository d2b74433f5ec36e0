"""What stands in front of every frame between a virtio network device and its driver (5.1.6)."""

from __future__ import annotations

from struct import Struct

from ovum.drivers.frames import CHECKED, TCP4, TCP6, UDP, UDP_FRAGMENTS, WHOLE, Offload

SIZE = 12
"""Bytes of struct virtio_net_hdr."""
LEGACY_SIZE = 10
"""Without num_buffers, which a legacy device has only if it merges buffers (5.1.6.1)."""

NEEDS_CHECKSUM = 1
CHECKSUM_VALID = 2
"""Flags; the third, RSC_INFO, is never negotiated here."""

ECN = 0x80
"""Beside the kind of segmentation, whose numbers are `Offload.segmentation`'s."""

_KINDS = (WHOLE, TCP4, UDP_FRAGMENTS, TCP6, UDP)

fields = Struct("<BBHHHHH")
"""flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers."""

_legacy_fields = Struct("<BBHHHH")


def write(view: memoryview, offload: Offload | None, legacy: bool) -> None:
    """Writes the header of a frame that is to be sent (5.1.6.2)."""
    values = (0,) * 6
    if offload is not None:
        values = (
            NEEDS_CHECKSUM if offload.needs_checksum else 0,
            offload.segmentation | (ECN if offload.ecn else 0),
            *(offload.header_size, offload.segment_size),
            *(offload.checksum_start, offload.checksum_offset),
        )
    if legacy:
        _legacy_fields.pack_into(view, 0, *values)
    else:
        fields.pack_into(view, 0, *values, 0)


def read(view: memoryview, size: int, may_segment: bool) -> Offload | None:
    """What the header of a received frame of `size` bytes says (5.1.6.4).

    Raises ValueError when it says what cannot be.
    """
    flags, kind, header_size, segment_size, start, offset = _legacy_fields.unpack_from(view)
    ecn = bool(kind & ECN)
    kind &= ~ECN
    if not flags & NEEDS_CHECKSUM:
        start = offset = 0
        if kind == WHOLE:
            return CHECKED if flags & CHECKSUM_VALID else None
    elif start + offset + 2 > size:
        raise ValueError("a checksum outside of the frame")
    if kind != WHOLE:
        if not may_segment or kind not in _KINDS:
            raise ValueError(f"a segmentation of kind {kind}")
        if not segment_size:
            raise ValueError("segments of no size")
        header_size = min(header_size, size)  # a hint, which need not be true (5.1.6.4.2)
    else:
        ecn, segment_size, header_size = False, 0, 0
    return Offload(
        checksum_valid=bool(flags & CHECKSUM_VALID),
        needs_checksum=bool(flags & NEEDS_CHECKSUM),
        checksum_start=start,
        checksum_offset=offset,
        segmentation=kind,
        segment_size=segment_size,
        header_size=header_size,
        ecn=ecn,
    )
