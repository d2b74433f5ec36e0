"""NTP packets (RFC 5905, 7.3), as far as a client of SNTP needs them (RFC 4330)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

PORT = 123

SIZE = 48

CLIENT, SERVER, BROADCAST = 3, 4, 5
"""Modes."""

NOT_SYNCHRONIZED = 3
"""Of `leap`."""

KISS = 0
"""The stratum of a packet that is no answer, but a "kiss of death": `reference_id` says why, DENY,
RSTR or RATE in ASCII (RFC 5905, 7.4)."""

_PACKET = Struct("!BBbbII4sQQQQ")

_UNIX_EPOCH = 2_208_988_800
"""1970, in seconds since 1900."""

_ERA = 1 << 32


class Packet:
    """One packet. Times are numbers of 64 bits, seconds since 1900 << 32 with the era lost; 0: not
    known."""

    __slots__ = (
        "leap", "mode", "origin", "poll", "precision", "receive", "reference", "reference_id",
        "root_delay", "root_dispersion", "stratum", "transmit", "version",
    )  # fmt: skip

    def __init__(
        self,
        mode: int,
        transmit: int,
        *,
        origin: int = 0,
        receive: int = 0,
        reference: int = 0,
        leap: int = 0,
        version: int = 4,
        stratum: int = 0,
        poll: int = 0,
        precision: int = 0,
        root_delay: int = 0,
        root_dispersion: int = 0,
        reference_id: bytes = bytes(4),
    ) -> None:
        self.mode = mode
        self.transmit = transmit
        self.origin = origin
        """What `transmit` of the request was."""
        self.receive = receive
        self.reference = reference
        self.leap = leap
        self.version = version
        self.stratum = stratum
        self.poll = poll
        """Seconds, as a power of 2; so also the precision."""
        self.precision = precision
        self.root_delay = root_delay
        """Seconds << 16; so also the dispersion."""
        self.root_dispersion = root_dispersion
        self.reference_id = reference_id


def parse(data: Buffer) -> Packet:
    """A packet; extension fields and keys behind it are not read."""
    if len(data) < SIZE:
        raise WireError("ntp_short")
    (
        first, stratum, poll, precision, root_delay, root_dispersion, reference_id, reference,
        origin, receive, transmit,
    ) = _PACKET.unpack_from(data)  # fmt: skip
    version = first >> 3 & 7
    if not 1 <= version <= 4:
        raise WireError("ntp_version_bad")
    return Packet(
        first & 7,
        transmit,
        origin=origin,
        receive=receive,
        reference=reference,
        leap=first >> 6,
        version=version,
        stratum=stratum,
        poll=poll,
        precision=precision,
        root_delay=root_delay,
        root_dispersion=root_dispersion,
        reference_id=reference_id,
    )


def emit(packet: Packet) -> bytes:
    """A packet's bytes."""
    return _PACKET.pack(
        packet.leap << 6 | packet.version << 3 | packet.mode,
        packet.stratum,
        packet.poll,
        packet.precision,
        packet.root_delay,
        packet.root_dispersion,
        packet.reference_id,
        packet.reference,
        packet.origin,
        packet.receive,
        packet.transmit,
    )


def from_unix_ns(time_ns: int) -> int:
    """A time of the wire for nanoseconds since 1970."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return ((seconds + _UNIX_EPOCH) % _ERA) << 32 | (rest << 32) // 1_000_000_000


def to_unix_ns(time: int) -> int:
    """Nanoseconds since 1970. The era: times before 1968 are those after 2036 (RFC 4330, 3)."""
    seconds = time >> 32
    if not seconds & 0x80000000:
        seconds += _ERA
    fraction = (time & 0xFFFFFFFF) * 1_000_000_000
    return (seconds - _UNIX_EPOCH) * 1_000_000_000 + ((fraction + (1 << 31)) >> 32)
