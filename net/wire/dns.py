"""DNS messages (RFC 1035, 4), with EDNS (RFC 6891).

Names are text with dots between labels and none at the end; the root is empty. What is not
printable in them, a dot or a backslash is written with a backslash (RFC 1035, 5.1).
"""

from __future__ import annotations

from struct import Struct

from ovum.net.wire import addr
from ovum.net.wire.dns_names import emit_name, parse_name, quoted
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Buffer = bytes | bytearray | memoryview

PORT = 53

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, CAA, ANY = (
    1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 257, 255,
)  # fmt: skip
TYPES = {
    A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", PTR: "PTR", MX: "MX", TXT: "TXT", AAAA: "AAAA",
    SRV: "SRV", OPT: "OPT", CAA: "CAA", ANY: "ANY",
}  # fmt: skip

IN = 1

NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NAME_ERROR, NOT_IMPLEMENTED, REFUSED = 0, 1, 2, 3, 4, 5
CODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")

RESPONSE, AUTHORITATIVE, TRUNCATED, RECURSION_DESIRED, RECURSION_AVAILABLE = (
    0x8000, 0x400, 0x200, 0x100, 0x80,
)  # fmt: skip
"""Flags."""

EDNS_SIZE = 1232
"""What a UDP message may be so that no link has to fragment it (DNS flag day 2020)."""

_HEADER = Struct("!HHHHHH")
_QUESTION = Struct("!HH")
_RECORD = Struct("!HHIH")
_SOA = Struct("!IIIII")
_SRV = Struct("!HHH")


class Question:
    """What is asked."""

    __slots__ = ("kind", "name", "space")

    def __init__(self, name: str, kind: int, space: int = IN) -> None:
        self.name = name
        self.kind = kind
        self.space = space
        """Its class; IN but for curiosities."""


class Record:
    """One resource record. Of OPT `space` is the size of UDP messages, and `ttl` has flags."""

    __slots__ = ("data", "kind", "name", "space", "text", "ttl")

    def __init__(
        self, name: str, kind: int, ttl: int, data: bytes, text: str = "", space: int = IN
    ) -> None:
        self.name = name
        self.kind = kind
        self.ttl = ttl
        """In seconds."""
        self.data = data
        """As it came: names in it may be compressed."""
        self.text = text
        """As a zone's file would have it: an address, a name, `10 mail.example`."""
        self.space = space


class Message:
    """A query or a response."""

    __slots__ = ("additional", "answers", "authority", "flags", "ident", "questions")

    def __init__(
        self,
        ident: int,
        flags: int,
        questions: Sequence[Question] = (),
        answers: Sequence[Record] = (),
        authority: Sequence[Record] = (),
        additional: Sequence[Record] = (),
    ) -> None:
        self.ident = ident
        self.flags = flags
        self.questions = questions
        self.answers = answers
        self.authority = authority
        self.additional = additional

    @property
    def code(self) -> int:
        """NO_ERROR and so on, with the upper bits that EDNS adds."""
        code = self.flags & 15
        for record in self.additional:
            if record.kind == OPT:
                code |= record.ttl >> 24 << 4
        return code


def parse(data: Buffer) -> Message:
    """A message. One whose TRUNCATED is set may end early: what was whole is in it."""
    data = bytes(data)
    if len(data) < 12:
        raise WireError("dns_short")
    ident, flags, questions, answers, authority, additional = _HEADER.unpack_from(data)
    message = Message(ident, flags)
    asked = []
    at = 12
    for _ in range(questions):
        name, at = parse_name(data, at)
        if at + 4 > len(data):
            raise WireError("dns_short")
        kind, space = _QUESTION.unpack_from(data, at)
        asked.append(Question(name, kind, space))
        at += 4
    message.questions = asked
    sections: list[list[Record]] = [[], [], []]
    message.answers, message.authority, message.additional = sections
    try:
        for section, count in zip(sections, (answers, authority, additional), strict=True):
            for _ in range(count):
                record, at = _record(data, at)
                section.append(record)
    except WireError:
        if not flags & TRUNCATED:
            raise
    return message


def _record(data: bytes, at: int) -> tuple[Record, int]:
    name, at = parse_name(data, at)
    if at + 10 > len(data):
        raise WireError("dns_short")
    kind, space, ttl, size = _RECORD.unpack_from(data, at)
    at += 10
    end = at + size
    if end > len(data):
        raise WireError("dns_short")
    # RFC 2181, 8: the topmost bit makes it 0.
    if ttl >> 31 and kind != OPT:
        ttl = 0
    return Record(name, kind, ttl, data[at:end], _text(data, kind, at, end), space), end


def _text(data: bytes, kind: int, at: int, end: int) -> str:
    """The value of a record as text."""
    size = end - at
    if kind in (A, AAAA):
        if size != (4 if kind == A else 16):
            raise WireError("dns_record_bad")
        return addr.text(data[at:end])
    if kind in (CNAME, NS, PTR):
        return _last_name(data, at, end)
    if kind == MX:
        if size < 3:
            raise WireError("dns_record_bad")
        return f"{data[at] << 8 | data[at + 1]} {_last_name(data, at + 2, end)}"
    if kind == SRV:
        if size < 7:
            raise WireError("dns_record_bad")
        priority, weight, port = _SRV.unpack_from(data, at)
        return f"{priority} {weight} {port} {_last_name(data, at + 6, end)}"
    if kind == TXT:
        return _strings(data[at:end])
    if kind == SOA:
        return _soa(data, at, end)
    return data[at:end].hex()


def _last_name(data: bytes, at: int, end: int) -> str:
    name, behind = parse_name(data, at)
    if behind != end:
        raise WireError("dns_record_bad")
    return name


def _soa(data: bytes, at: int, end: int) -> str:
    server, at = parse_name(data, at)
    mailbox, at = parse_name(data, at)
    if at + 20 != end:
        raise WireError("dns_record_bad")
    return f"{server} {mailbox} {' '.join(map(str, _SOA.unpack_from(data, at)))}"


def _strings(data: bytes) -> str:
    parts = []
    at = 0
    while at < len(data):
        behind = at + 1 + data[at]
        if behind > len(data):
            raise WireError("dns_record_bad")
        parts.append(f'"{quoted(data[at + 1 : behind], 34)}"')
        at = behind
    return " ".join(parts)


def emit(message: Message) -> bytes:
    """A message's bytes, its names not compressed. Raises ValueError for a name that is none."""
    data = bytearray(
        _HEADER.pack(
            message.ident,
            message.flags,
            len(message.questions),
            len(message.answers),
            len(message.authority),
            len(message.additional),
        )
    )
    for question in message.questions:
        data += emit_name(question.name) + _QUESTION.pack(question.kind, question.space)
    for section in (message.answers, message.authority, message.additional):
        for record in section:
            data += emit_name(record.name)
            data += _RECORD.pack(record.kind, record.space, record.ttl, len(record.data))
            data += record.data
    return bytes(data)


def emit_query(ident: int, name: str, kind: int, edns_size: int = EDNS_SIZE) -> bytes:
    """A query to a resolver; edns_size 0: without EDNS. Raises ValueError for a name that is
    none."""
    additional = [Record("", OPT, 0, b"", "", edns_size)] if edns_size else []
    return emit(Message(ident, RECURSION_DESIRED, [Question(name, kind)], (), (), additional))


def answers_query(response: Message, query: Message) -> bool:
    """Whether a response is to a query (RFC 5452, 9.1); the addresses are for the caller to
    compare."""
    if response.ident != query.ident or not response.flags & RESPONSE:
        return False
    if len(response.questions) != len(query.questions):
        # Servers that do not know EDNS may send no question with an error (RFC 6891, 7).
        return not response.questions and response.flags & 15 in (FORMAT_ERROR, NOT_IMPLEMENTED)
    return all(
        one.name.lower() == other.name.lower()
        and one.kind == other.kind
        and one.space == other.space
        for one, other in zip(response.questions, query.questions, strict=True)
    )


def reverse_name(address: bytes) -> str:
    """The name whose PTR is an address's name (RFC 1035, 3.5; RFC 3596, 2.5)."""
    if len(address) == 4:
        return ".".join(str(byte) for byte in reversed(address)) + ".in-addr.arpa"
    return ".".join(reversed(address.hex())) + ".ip6.arpa"
