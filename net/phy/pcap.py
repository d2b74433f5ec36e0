"""Records of frames that Wireshark and tcpdump read: the pcap format, with times in nanoseconds."""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Buffer = bytes | bytearray | memoryview

ETHERNET, RAW_IP = 1, 101
"""Link types: what a record begins with."""

MAGIC_NS, MAGIC_US = 0xA1B23C4D, 0xA1B2C3D4
SNAP_LENGTH = 262_144

_FILE = Struct("<IHHiIII")
"""Magic, version 2.4, time zone, accuracy, the longest record, link type."""
_RECORD = Struct("<IIII")
"""Seconds, nanoseconds, bytes recorded, bytes that the frame had."""

_SECOND = 1_000_000_000


class Recorder:
    """Writes frames to wherever bytes go. As a tap of an interface:
    `interface.taps.append(recorder.tap)`."""

    def __init__(
        self, write: Callable[[bytes], object], link_type: int = ETHERNET, offset_ns: int = 0
    ) -> None:
        self._write = write
        self._offset_ns = offset_ns
        """What a time becomes one since 1970 with."""
        write(_FILE.pack(MAGIC_NS, 2, 4, 0, 0, SNAP_LENGTH, link_type))

    def record(self, now: int, data: Buffer | Sequence[Buffer]) -> None:
        """One frame, maybe in pieces."""
        whole = bytes(data) if isinstance(data, bytes | bytearray | memoryview) else b"".join(data)
        kept = whole[:SNAP_LENGTH]
        seconds, rest = divmod(now + self._offset_ns, _SECOND)
        self._write(_RECORD.pack(seconds & 0xFFFFFFFF, rest, len(kept), len(whole)) + kept)

    def tap(
        self, now: int, interface: object, outgoing: bool, data: Buffer | Sequence[Buffer]
    ) -> None:
        """See Interface.taps."""
        self.record(now, data)


def read(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(time, frame) of a record in this format. Raises ValueError for what is none."""
    if len(data) < _FILE.size:
        raise ValueError("no pcap file")
    magic = _FILE.unpack_from(data)[0]
    if magic not in (MAGIC_NS, MAGIC_US):
        raise ValueError("no pcap file")
    scale = 1 if magic == MAGIC_NS else 1000
    at = _FILE.size
    while at < len(data):
        if at + _RECORD.size > len(data):
            raise ValueError("the last record is not complete")
        seconds, rest, size, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            raise ValueError("the last record is not complete")
        yield seconds * _SECOND + rest * scale, data[at : at + size]
        at += size
