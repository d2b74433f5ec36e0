"""The link between host and guest: frames over one serial line, without any input or output.

Section 4 of docs/boot-protocol.md is the specification.
"""

import dataclasses
import enum
import struct
from typing import Final

GREETING: Final = b"\x1bovum\x01\n"
"""The guest's first bytes; what comes before them is the firmware's."""

MAX_PAYLOAD: Final = 0xFFFF
NOISE_KEPT: Final = 4096

_HEADER = struct.Struct("<BH")
_CREDIT = struct.Struct("<BI")
_SIZE = struct.Struct("<HH")


class LinkError(Exception):
    """The guest sent what the protocol does not know."""


class FromGuest(enum.IntEnum):
    """Types of the frames that a guest sends."""

    STDOUT = 1
    STDERR = 2
    TTY = 3
    LOG = 4
    PANIC = 5
    EXIT = 6
    CREDIT = 7


class ToGuest(enum.IntEnum):
    """Types of the frames that the host sends."""

    STDIN = 1
    TTY = 2
    WINSIZE = 3
    SIGNAL = 4


class Channel(enum.IntEnum):
    """What a guest gives credit for; the numbers are those of the frames that use it up."""

    STDIN = 1
    TTY = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One frame from the guest."""

    type: FromGuest
    payload: bytes

    def status(self) -> int:
        """The exit status in an EXIT frame."""
        if len(self.payload) != 1:
            raise LinkError(f"EXIT with {len(self.payload)} bytes")
        return self.payload[0]

    def credit(self) -> tuple[Channel, int]:
        """Channel and number of bytes in a CREDIT frame."""
        if len(self.payload) != _CREDIT.size:
            raise LinkError(f"CREDIT with {len(self.payload)} bytes")
        channel, count = _CREDIT.unpack(self.payload)
        if channel not in (Channel.STDIN, Channel.TTY):
            raise LinkError(f"CREDIT for channel {channel}")
        return Channel(channel), count


class Decoder:
    """Makes frames of the bytes that come from the guest, however they are cut up."""

    def __init__(self) -> None:
        self.greeted = False
        """Whether the greeting has come; before it, nothing may be sent."""
        self.noise = b""
        """The end of what came before the greeting."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete. Raises LinkError at a type nobody knows."""
        self._buffer += data
        if not self.greeted and not self._find_greeting():
            return []
        frames = []
        at = 0
        while len(self._buffer) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer, at)
            if kind not in FromGuest.__members__.values():
                raise LinkError(f"a frame of unknown type {kind}")
            end = at + _HEADER.size + length
            if len(self._buffer) < end:
                break
            payload = bytes(self._buffer[at + _HEADER.size : end])
            frames.append(Frame(FromGuest(kind), payload))
            at = end
        del self._buffer[:at]
        return frames

    def _find_greeting(self) -> bool:
        at = self._buffer.find(GREETING)
        # Without the greeting, its beginning may still be at the end.
        noise_end = at if at >= 0 else max(0, len(self._buffer) - len(GREETING) + 1)
        self.noise = (self.noise + bytes(self._buffer[:noise_end]))[-NOISE_KEPT:]
        del self._buffer[:noise_end]
        if at >= 0:
            self.greeted = True
            del self._buffer[: len(GREETING)]
        return self.greeted

    def finish(self) -> None:
        """Tells that no more comes. Raises LinkError if that is in the middle of a frame."""
        if self.greeted and self._buffer:
            raise LinkError("the guest's last frame is cut off")
        self.noise += self._buffer
        self._buffer.clear()


class Encoder:
    """Makes the bytes to send to the guest, and knows how much it takes."""

    def __init__(self) -> None:
        self._credit = dict.fromkeys(Channel, 0)

    def grant(self, channel: Channel, count: int) -> None:
        """The guest takes that many more bytes."""
        self._credit[channel] += count

    def credit(self, channel: Channel) -> int:
        """How many bytes the guest takes at once, as far as one frame can carry."""
        return min(self._credit[channel], MAX_PAYLOAD)

    def data(self, channel: Channel, payload: bytes) -> bytes:
        """Bytes for the program; there must be credit for them."""
        if not payload:
            raise ValueError("no bytes would mean end of file")
        if len(payload) > self.credit(channel):
            raise ValueError(f"{len(payload)} bytes with credit for {self.credit(channel)}")
        self._credit[channel] -= len(payload)
        return _frame(ToGuest(channel), payload)

    def end_of_input(self) -> bytes:
        """End of file on standard input."""
        return _frame(ToGuest.STDIN, b"")

    def window_size(self, columns: int, rows: int) -> bytes:
        """The terminal has a new size."""
        return _frame(ToGuest.WINSIZE, _SIZE.pack(min(columns, 0xFFFF), min(rows, 0xFFFF)))

    def signal(self, number: int) -> bytes:
        """A signal for the program, by its Linux number."""
        return _frame(ToGuest.SIGNAL, bytes([number]))


def _frame(kind: ToGuest, payload: bytes) -> bytes:
    return _HEADER.pack(kind, len(payload)) + payload
