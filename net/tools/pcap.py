"""Files of captured frames: pcap's own format (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

from struct import Struct

from ovum.net.tools.hosts import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LINK_ETHERNET = 1

SNAP_LENGTH = 262_144
"""No frame is longer."""

_FILE = "IHHiIII"
_FRAME = "IIII"
_MAGIC_US, _MAGIC_NS = 0xA1B2C3D4, 0xA1B23C4D


def file_header() -> bytes:
    """The beginning of a file whose times are in nanoseconds."""
    return Struct("<" + _FILE).pack(_MAGIC_NS, 2, 4, 0, 0, SNAP_LENGTH, LINK_ETHERNET)


def frame_record(time_ns: int, frame: bytes) -> bytes:
    """One frame in it; the time is in nanoseconds since 1970."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    kept = frame[:SNAP_LENGTH]
    return Struct("<" + _FRAME).pack(seconds, rest, len(kept), len(frame)) + kept


def read_frames(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(nanoseconds since 1970, frame). A frame that is cut off ends it. Raises ToolError for what
    is no such file."""
    head = file.read(24)
    for order in "<>":
        if len(head) == 24:
            magic, _, _, _, _, _, link = Struct(order + _FILE).unpack(head)
            if magic in (_MAGIC_US, _MAGIC_NS):
                break
    else:
        raise ToolError("not a file of captured frames")
    if link & 0xFFFF != LINK_ETHERNET:
        raise ToolError(f"the frames are not Ethernet's (link type {link & 0xFFFF})")
    record = Struct(order + _FRAME)
    unit = 1 if magic == _MAGIC_NS else 1000
    while True:
        data = file.read(record.size)
        if len(data) < record.size:
            return
        seconds, rest, kept, _ = record.unpack(data)
        if kept > SNAP_LENGTH:
            raise ToolError("a frame is longer than any")
        frame = file.read(kept)
        if len(frame) < kept:
            return
        yield seconds * 1_000_000_000 + rest * unit, frame
