"""ICMP messages (RFC 792), and the packets that its errors quote."""

from __future__ import annotations

import errno
from struct import Struct

from ovum.net.wire import checksum
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

PROTOCOL = 1

HEADER = Struct("!BBHI")
"""Type, code, checksum, and a word that depends on these."""

SIZE = 8

ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, ECHO_REQUEST = 0, 3, 4, 5, 8
ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION, TIME_EXCEEDED, PARAMETER_PROBLEM = 9, 10, 11, 12
TIMESTAMP_REQUEST, TIMESTAMP_REPLY = 13, 14

ERRORS = frozenset({UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM})
"""Types in answer to which no error is sent (RFC 1122, 3.2.2)."""

NET_UNREACHABLE, HOST_UNREACHABLE, PROTOCOL_UNREACHABLE, PORT_UNREACHABLE = 0, 1, 2, 3
FRAGMENTATION_NEEDED, SOURCE_ROUTE_FAILED = 4, 5
"""Codes of UNREACHABLE."""

TTL_EXCEEDED, REASSEMBLY_EXCEEDED = 0, 1
"""Codes of TIME_EXCEEDED."""

_UNREACHABLE_ERRNO = (
    (errno.ENETUNREACH, False),
    (errno.EHOSTUNREACH, False),
    (errno.ENOPROTOOPT, True),
    (errno.ECONNREFUSED, True),
    (errno.EMSGSIZE, False),
    (errno.EOPNOTSUPP, False),
    (errno.ENETUNREACH, True),
    (errno.EHOSTDOWN, True),
    (errno.ENONET, True),
    (errno.ENETUNREACH, True),
    (errno.EHOSTUNREACH, True),
    (errno.ENETUNREACH, False),
    (errno.EHOSTUNREACH, False),
    (errno.EHOSTUNREACH, True),
    (errno.EHOSTUNREACH, True),
    (errno.EHOSTUNREACH, True),
)


class Message:
    """Any message."""

    __slots__ = ("body", "code", "kind", "word")

    def __init__(self, kind: int, code: int, word: int, body: Buffer) -> None:
        self.kind = kind
        self.code = code
        self.word = word
        """Identifier << 16 | sequence number of an echo; the gateway of a redirect; the next hop's
        MTU in the lower half of "fragmentation needed"; pointer << 24 of a parameter problem."""
        self.body = body
        """Behind the first 8 bytes: an echo's data, or the packet that an error is about."""


def parse(data: Buffer, start: int = 0) -> Message:
    """A message, whose checksum is right."""
    size = len(data) - start
    if size < SIZE:
        raise WireError("icmp_short")
    if start:
        data = data[start:]
    if not checksum.is_valid(checksum.add(data)):
        raise WireError("icmp_checksum_bad")
    kind, code, _, word = HEADER.unpack_from(data)
    return Message(kind, code, word, data[SIZE:])


def emit(kind: int, code: int, word: int, body: Buffer = b"") -> bytes:
    """A message, with its checksum."""
    total = checksum.add(body) + (kind << 8) + code + word
    return HEADER.pack(kind, code, checksum.finish(total), word) + body


def error_errno(kind: int, code: int) -> tuple[int, bool]:
    """What a program is told of an error, and whether Linux has a connection give up for it.

    (0, False): nothing (a redirect, a source quench). RFC 1122 (4.2.3.9) and RFC 5927 decide what a
    connection does.
    """
    if kind == UNREACHABLE:
        # Codes that came after RFC 1812 mean no more than "unreachable".
        return _UNREACHABLE_ERRNO[code] if code < 16 else (errno.EHOSTUNREACH, False)
    if kind == TIME_EXCEEDED:
        return errno.EHOSTUNREACH, False
    if kind == PARAMETER_PROBLEM:
        return errno.EPROTO, True
    return 0, False


class Quoted:
    """The beginning of a packet that an error is about."""

    __slots__ = ("dst", "fragment_offset", "payload", "protocol", "src")

    def __init__(
        self, src: bytes, dst: bytes, protocol: int, payload: Buffer, fragment_offset: int = 0
    ) -> None:
        self.src = src
        self.dst = dst
        self.protocol = protocol
        self.payload = payload
        """At least 8 bytes of what is behind the IP headers."""
        self.fragment_offset = fragment_offset


def parse_quoted(body: Buffer) -> Quoted:
    """What an error's body quotes: a header and 8 bytes at least (RFC 792), of a packet whose
    checksum and length routers may have changed."""
    if len(body) < 28:
        raise WireError("icmp_quote_short")
    if body[0] >> 4 != 4:
        raise WireError("icmp_quote_bad")
    size = (body[0] & 15) * 4
    if size < 20:
        raise WireError("icmp_quote_bad")
    if len(body) < size + 8:
        raise WireError("icmp_quote_short")
    offset = (int.from_bytes(body[6:8], "big") & 0x1FFF) * 8
    return Quoted(bytes(body[12:16]), bytes(body[16:20]), body[9], body[size:], offset)
