"""ICMPv6 messages (RFC 4443), and the packets that its errors quote."""

from __future__ import annotations

import errno
from struct import Struct

from ovum.net.wire import checksum, ipv6
from ovum.net.wire.errors import WireError
from ovum.net.wire.icmpv4 import Message, Quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

PROTOCOL = 58

HEADER = Struct("!BBHI")
"""Type, code, checksum, and a word that depends on these."""

SIZE = 8

CHECKSUM_OFFSET = 2

UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM = 1, 2, 3, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
MLD_QUERY, MLD_REPORT, MLD_DONE, MLD2_REPORT = 130, 131, 132, 143
ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT = 135, 136, 137

NO_ROUTE, PROHIBITED, BEYOND_SCOPE, ADDRESS_UNREACHABLE, PORT_UNREACHABLE = 0, 1, 2, 3, 4
"""Codes of UNREACHABLE."""

HOP_LIMIT_EXCEEDED, REASSEMBLY_EXCEEDED = 0, 1
"""Codes of TIME_EXCEEDED."""

FIELD_BAD, NEXT_HEADER_UNKNOWN, OPTION_UNKNOWN = 0, 1, 2
"""Codes of PARAMETER_PROBLEM."""

ERROR_SIZE_MOST = 1280
"""Of the packet with an error in it: the least MTU that a link may have (RFC 4443, 2.4)."""

_UNREACHABLE_ERRNO = (
    (errno.ENETUNREACH, False),
    (errno.EACCES, True),
    (errno.EHOSTUNREACH, False),
    (errno.EHOSTUNREACH, False),
    (errno.ECONNREFUSED, True),
    (errno.EACCES, True),
    (errno.EACCES, True),
)


def is_error(kind: int) -> bool:
    """Whether it is of the errors, in answer to which no error is sent (RFC 4443, 2.1)."""
    return kind < 128


def parse(data: Buffer, src: bytes, dst: bytes) -> Message:
    """A message, whose checksum is right."""
    size = len(data)
    if size < SIZE:
        raise WireError("icmpv6_short")
    if not checksum.transport_valid(src, dst, PROTOCOL, data):
        raise WireError("icmpv6_checksum_bad")
    kind, code, _, word = HEADER.unpack_from(data)
    return Message(kind, code, word, data[SIZE:])


def emit(kind: int, code: int, word: int, body: Buffer = b"") -> bytes:
    """A message; its checksum is filled in below."""
    return HEADER.pack(kind, code, 0, word) + body


def error_errno(kind: int, code: int) -> tuple[int, bool]:
    """What a program is told of an error, and whether Linux has a connection give up for it.
    (0, False): nothing, as it is no error that is known."""
    if kind == UNREACHABLE:
        return _UNREACHABLE_ERRNO[code] if code < 7 else (errno.EPROTO, False)
    if kind == PACKET_TOO_BIG:
        return errno.EMSGSIZE, False
    if kind == TIME_EXCEEDED:
        return errno.EHOSTUNREACH, False
    if kind == PARAMETER_PROBLEM:
        return errno.EPROTO, True
    return 0, False


def parse_quoted(body: Buffer) -> Quoted:
    """What an error's body quotes: headers and 8 bytes of the transport's at least."""
    if len(body) < ipv6.SIZE + 8:
        raise WireError("icmpv6_quote_short")
    if body[0] >> 4 != 6:
        raise WireError("icmpv6_quote_bad")
    protocol = body[6]
    at = ipv6.SIZE
    offset = 0
    for _ in range(ipv6.HEADERS_MOST):
        if at + 8 > len(body):
            raise WireError("icmpv6_quote_short")
        if protocol == ipv6.FRAGMENT:
            offset = int.from_bytes(body[at + 2 : at + 4], "big") & 0xFFF8
            size = 8
        elif protocol in (ipv6.HOP_BY_HOP, ipv6.ROUTING, ipv6.DESTINATION):
            size = (body[at + 1] + 1) * 8
        else:
            return Quoted(bytes(body[8:24]), bytes(body[24:40]), protocol, body[at:], offset)
        protocol = body[at]
        at += size
    raise WireError("icmpv6_quote_bad")
