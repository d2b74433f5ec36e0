"""Rings of descriptors: 16 bytes each, in memory that the controller reads and writes (3.2, 3.3).

One descriptor of a ring is always left out: head and tail being equal means that the controller has
none. Numbers of descriptors wrap at the size, a power of two.
"""

from __future__ import annotations

from _collections import deque

from ovum.drivers.errors import DeviceError
from ovum.drivers.frames import CHECKED, ETHERNET_HEADER, TCP4, WHOLE, Received

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.frames import Frame
    from ovum.drivers.hardware import Dma, Hardware
    from ovum.drivers.network import Counters

SIZE = 256
"""Descriptors of a ring: its bytes are a multiple of 128."""
BUFFER = 2048
"""Bytes of the buffer of each, RCTL's buffer_size 0."""

_LOOK = 64
"""Descriptors that are looked at in one operation."""

DONE, END = 1 << 32, 1 << 33
"""Status of a received frame: the descriptor is done, the frame ends with it (3.2.3.1)."""
_NO_CHECKSUM, _CHECKSUM, _CHECKSUM_ERROR = 1 << 34, 1 << 37, 1 << 45
_CHECKED = _NO_CHECKSUM | _CHECKSUM | _CHECKSUM_ERROR
_ERRORS = 0x97 << 40
"""Errors that cost the frame: CRC, symbol, sequence, carrier extension, data (3.2.3.2)."""

COMMAND_END, COMMAND_CRC, COMMAND_REPORT = 1 << 24, 1 << 25, 1 << 27
_SEGMENT, _EXTENDED = 1 << 26, 1 << 29
_DATA = 1 << 20 | _EXTENDED
"""Commands of transmit descriptors (3.3.3.1, 3.3.7.1)."""
_INSERT_IP, _INSERT_TCP = 1 << 40, 1 << 41
"""Which checksums are inserted (3.3.7.3)."""
_TUCMD_TCP, _TUCMD_IP = 1 << 24, 1 << 25
"""Of a context: the packet is TCP; it is IPv4 (3.3.6.1)."""

_IPV4_LENGTH, _IPV4_CHECKSUM, _IPV6_LENGTH = ETHERNET_HEADER + 2, ETHERNET_HEADER + 10, 18
"""Where fields of IP headers are in a frame without a VLAN tag."""


class Ring:
    """Descriptors and a buffer for each. `tell(tail)` writes the tail register."""

    def __init__(self, hardware: Hardware, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._descriptors: Dma = hardware.dma(16 * SIZE)
        self._buffers: Dma = hardware.dma(BUFFER * SIZE)
        self.address = self._descriptors.address
        base, view = self._buffers.address, self._buffers.view
        self._addresses = range(base, base + BUFFER * SIZE, BUFFER)
        self._views = [view[k * BUFFER : (k + 1) * BUFFER] for k in range(SIZE)]
        # Of a descriptor: the address, and everything else.
        self._words = self._descriptors.view.cast("Q")
        self._next = 0
        """The descriptor that is taken or filled next."""

    def free(self) -> None:
        """Gives the memory back. The controller must have been reset."""
        del self._views, self._words
        self._descriptors.free()
        self._buffers.free()


class ReceiveRing(Ring):
    """All buffers but one are the controller's; it fills them in their order."""

    def __init__(self, hardware: Hardware, tell: Callable[[int], None], name: str) -> None:
        super().__init__(hardware, tell)
        self._name = name
        for k, address in enumerate(self._addresses):
            self._words[2 * k] = address
        self._nothing = memoryview(bytes(8 * SIZE)).cast("Q")
        self._within = False
        """Whether we are within a frame that is longer than a buffer."""

    def start(self) -> None:
        """Gives the controller the buffers."""
        self._tell(SIZE - 1)

    def waiting(self) -> bool:
        """Whether there is something to take."""
        return bool(self._words[2 * self._next + 1] & DONE)

    def take(self, counters: Counters) -> list[Received]:
        """The frames that have come. Raises DeviceError for a length that cannot be."""
        frames: list[Received] = []
        begin = at = self._next
        views = self._views
        total = 0
        # None is looked at twice before the controller has it again.
        for _ in range(SIZE // _LOOK):
            end = min(at + _LOOK, SIZE)
            first = at
            for word in self._words[2 * at + 1 : 2 * end : 2].tolist():
                if not word & DONE:
                    break
                length = word & 0xFFFF
                if length > BUFFER:
                    raise DeviceError(
                        f"{self._name}: {length} bytes were received into a buffer of {BUFFER}"
                    )
                if word & (END | _ERRORS) == END and length >= ETHERNET_HEADER and not self._within:
                    checked = CHECKED if word & _CHECKED == _CHECKSUM else None
                    frames.append(Received(views[at][:length].tobytes(), checked))
                    total += length
                else:
                    self._lose(word, length, counters)
                at += 1
            if at > first:
                self._words[2 * first + 1 : 2 * at : 2] = self._nothing[: at - first]
            if at < end:
                break
            at &= SIZE - 1
        if at != begin:
            self._next = at
            self._tell(at - 1 & SIZE - 1)
        counters.received_frames += len(frames)
        counters.received_bytes += total
        return frames

    def _lose(self, word: int, length: int, counters: Counters) -> None:
        """Counts a frame that is not to be had, at its last descriptor."""
        within, self._within = self._within, not word & END
        if not word & END:
            return
        if within:
            counters.drop("receive: too long")
        elif word & _ERRORS:
            counters.drop("receive: damaged")
        else:
            counters.drop("receive: too short" if length < ETHERNET_HEADER else "receive: too long")


class TransmitRing(Ring):
    """Descriptors from `_clean` to `_next` are the controller's."""

    def __init__(self, hardware: Hardware, tell: Callable[[int], None]) -> None:
        super().__init__(hardware, tell)
        self._clean = 0
        self._reports: deque[int] = deque()
        """Descriptors that the controller is to mark when it is through with them."""

    @property
    def room(self) -> int:
        """How many descriptors are free."""
        return (self._clean - self._next - 1) & (SIZE - 1)

    def sent(self) -> bool:
        """Whether there is something to reclaim."""
        return bool(self._reports and self._words[2 * self._reports[0] + 1] & DONE)

    def reclaim(self) -> None:
        """Takes back what was sent."""
        while self.sent():
            self._clean = self._reports.popleft() + 1 & SIZE - 1

    def put(self, frame: Frame, size: int) -> bool:
        """Fills descriptors for a frame, if there is room: the controller is told by `kick`."""
        data = frame.data
        if frame.offload is not None or isinstance(data, tuple) or size > BUFFER:
            return self._put_special(frame, size)
        if not self.room:
            return False
        at = self._next
        self._views[at][:size] = data
        self._words[2 * at] = self._addresses[at]
        self._words[2 * at + 1] = size | COMMAND_END | COMMAND_CRC
        self._next = at + 1 & SIZE - 1
        return True

    def _put_special(self, frame: Frame, size: int) -> bool:
        offload = frame.offload
        data = b"".join(frame.data) if isinstance(frame.data, tuple) else frame.data
        special = offload is not None and (offload.needs_checksum or offload.segmentation != WHOLE)
        pieces = -(-size // BUFFER)
        if self.room < pieces + special:
            return False
        command, options = COMMAND_CRC, 0
        at = self._next
        if special:
            assert offload is not None
            data, command, options = self._context(at, frame, size, data)
            at = at + 1 & SIZE - 1
        for begin in range(0, size, BUFFER):
            piece = data[begin : begin + BUFFER]
            self._views[at][: len(piece)] = piece
            self._words[2 * at] = self._addresses[at]
            end = COMMAND_END if begin + BUFFER >= size else 0
            self._words[2 * at + 1] = len(piece) | command | options | end
            at = at + 1 & SIZE - 1
        self._next = at
        return True

    def _context(
        self, at: int, frame: Frame, size: int, data: bytes | bytearray | memoryview
    ) -> tuple[bytes | bytearray | memoryview, int, int]:
        """Writes a context descriptor (3.3.6): data, command and options of what follows."""
        offload = frame.offload
        assert offload is not None
        start = offload.checksum_start
        low = start << 32 | start + offload.checksum_offset << 40
        command, options = COMMAND_CRC | _DATA, _INSERT_TCP
        high = _EXTENDED
        if offload.segmentation:
            header = offload.header_size
            high |= size - header | _SEGMENT | _TUCMD_TCP | header << 40
            high |= offload.segment_size << 48
            command |= _SEGMENT
            four = offload.segmentation == TCP4
            if four:
                low |= ETHERNET_HEADER | _IPV4_CHECKSUM << 8 | start - 1 << 16
                high |= _TUCMD_IP
                options |= _INSERT_IP
            data = _prepared(data, start, offload.checksum_offset, four)
        self._words[2 * at] = low
        self._words[2 * at + 1] = high
        return data, command, options

    def kick(self, before: int) -> None:
        """Gives the controller what was put since `position` was `before`; it reports the last."""
        if self._next == before:
            return
        last = self._next - 1 & SIZE - 1
        self._words[2 * last + 1] |= COMMAND_REPORT
        self._reports.append(last)
        self._tell(self._next)

    @property
    def position(self) -> int:
        """For `kick`."""
        return self._next


def _prepared(
    data: bytes | bytearray | memoryview, start: int, offset: int, four: bool
) -> bytearray:
    """A frame to be segmented as the controller wants it (3.5): lengths, and what depends on them,
    are not filled in; it does that for each segment."""
    copy = bytearray(data)
    if four:
        copy[_IPV4_LENGTH : _IPV4_LENGTH + 2] = bytes(2)
        copy[_IPV4_CHECKSUM : _IPV4_CHECKSUM + 2] = bytes(2)
    else:
        copy[_IPV6_LENGTH : _IPV6_LENGTH + 2] = bytes(2)
    at = start + offset
    # Without the length, which the pseudo header's sum has in it; in ones' complement.
    total = int.from_bytes(copy[at : at + 2], "big") + (~(len(copy) - start) & 0xFFFF)
    total = (total & 0xFFFF) + (total >> 16)
    copy[at : at + 2] = total.to_bytes(2, "big")
    return copy
