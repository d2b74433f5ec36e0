"""What a card does with a frame that says so: the checksum, and cutting it into segments."""

from __future__ import annotations

from ovum.drivers.frames import TCP4, TCP6, UDP
from ovum.net.wire import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.frames import Frame, Offload


def to_wire(frame: Frame) -> list[bytes]:
    """The frames as they are on a wire. Raises ValueError for an offload that says nonsense."""
    data = frame.data
    whole = b"".join(data) if isinstance(data, tuple) else bytes(data)
    offload = frame.offload
    if offload is None or not offload.needs_checksum:
        return [whole]
    if not offload.segmentation:
        return [_fill(bytearray(whole), offload, 0)]
    return _cut(whole, offload)


def _fill(frame: bytearray, offload: Offload, less: int) -> bytes:
    """Puts the checksum where the pseudo header's sum is. less: by how much the length is less than
    what that sum says."""
    start = offload.checksum_start
    at = start + offload.checksum_offset
    if at + 2 > len(frame):
        raise ValueError("a checksum outside of the frame")
    if less:
        old = int.from_bytes(frame[at : at + 2], "big")
        frame[at : at + 2] = checksum.fold(old + 0xFFFF * 2 - less).to_bytes(2, "big")
    value = checksum.finish(checksum.add(frame[start:])) or 0xFFFF
    frame[at : at + 2] = value.to_bytes(2, "big")
    return bytes(frame)


def _cut(whole: bytes, offload: Offload) -> list[bytes]:
    header, payload = whole[: offload.header_size], whole[offload.header_size :]
    size = offload.segment_size
    if not size or offload.segmentation not in (TCP4, TCP6, UDP):
        raise ValueError("segments of no kind or no size")
    frames = []
    for number, at in enumerate(range(0, len(payload), size)):
        piece = payload[at : at + size]
        frame = bytearray(header + piece)
        less = len(payload) - len(piece)
        _lengths(frame, number, less)
        start = offload.checksum_start
        if offload.segmentation == UDP:
            frame[start + 4 : start + 6] = (len(frame) - start).to_bytes(2, "big")
        else:
            seq = int.from_bytes(frame[start + 4 : start + 8], "big") + at
            frame[start + 4 : start + 8] = (seq & 0xFFFFFFFF).to_bytes(4, "big")
            if at:
                frame[start + 13] &= ~0x80  # CWR
            if at + size < len(payload):
                frame[start + 13] &= ~0x09  # FIN, PSH
        frames.append(_fill(frame, offload, less))
    return frames


def _lengths(frame: bytearray, number: int, less: int) -> None:
    """Of IP's header."""
    if frame[14] >> 4 == 6:
        length = int.from_bytes(frame[18:20], "big") - less
        frame[18:20] = length.to_bytes(2, "big")
        return
    total = int.from_bytes(frame[16:18], "big") - less
    frame[16:18] = total.to_bytes(2, "big")
    ident = int.from_bytes(frame[18:20], "big") + number
    frame[18:20] = (ident & 0xFFFF).to_bytes(2, "big")
    frame[24:26] = b"\0\0"
    frame[24:26] = checksum.checksum(frame[14:34]).to_bytes(2, "big")
