"""IGMP (RFC 1112, 2236, 3376): who listens to which groups of IPv4."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire import checksum
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Buffer = bytes | bytearray | memoryview
    Record = tuple[int, bytes, Sequence[bytes]]
    """(kind, group, sources)."""

PROTOCOL = 2

QUERY, REPORT1, REPORT2, LEAVE, REPORT3 = 0x11, 0x12, 0x16, 0x17, 0x22

IS_INCLUDE, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK = 1, 2, 3, 4, 5, 6
"""Kinds of records (RFC 3376, 4.2.12)."""

REPORTS3 = b"\xe0\x00\x00\x16"
"""224.0.0.22, where reports of version 3 go."""

ROUTERS = b"\xe0\x00\x00\x02"
"""224.0.0.2, where a leave goes."""

_HEADER = Struct("!BBH4s")
_QUERY3 = Struct("!BBH")


class Query:
    """A router asks who listens; also of MLD."""

    __slots__ = (
        "group", "interval_s", "max_response_ms", "robustness", "sources", "suppress", "version",
    )  # fmt: skip

    def __init__(
        self,
        version: int,
        group: bytes,
        max_response_ms: int,
        sources: Sequence[bytes] = (),
        *,
        suppress: bool = False,
        robustness: int = 0,
        interval_s: int = 0,
    ) -> None:
        self.version = version
        self.group = group
        """Zeros: all groups."""
        self.max_response_ms = max_response_ms
        """Answers are to be spread over this time."""
        self.sources = sources
        self.suppress = suppress
        """Of newer versions only, and for routers: so also the rest."""
        self.robustness = robustness
        self.interval_s = interval_s


class Report:
    """Somebody listens, or has stopped; also of MLD. `kind` is the message's type; an older one is
    as if it had one record."""

    __slots__ = ("kind", "records")

    def __init__(self, kind: int, records: Sequence[Record]) -> None:
        self.kind = kind
        self.records = records


def parse(data: Buffer) -> Query | Report:
    """A message, whose checksum is right."""
    if len(data) < 8:
        raise WireError("igmp_short")
    if not checksum.is_valid(checksum.add(data)):
        raise WireError("igmp_checksum_bad")
    kind, code, _, group = _HEADER.unpack_from(data)
    if kind == QUERY:
        return _query(data, code, group)
    if kind in (REPORT1, REPORT2, LEAVE):
        return Report(kind, [(TO_INCLUDE if kind == LEAVE else IS_EXCLUDE, group, ())])
    if kind == REPORT3:
        return Report(kind, parse_records(data, 4, "igmp_report_bad"))
    raise WireError("igmp_type_unknown")


def _query(data: Buffer, code: int, group: bytes) -> Query:
    size = len(data)
    # RFC 3376, 7.1: the length tells the version, and so does a response time of 0.
    if size == 8:
        return Query(2, group, code * 100) if code else Query(1, group, 10_000)
    if size < 12:
        raise WireError("igmp_query_bad")
    flags, interval, count = _QUERY3.unpack_from(data, 8)
    if 12 + count * 4 > size:
        raise WireError("igmp_query_bad")
    return Query(
        3,
        group,
        from_code(code, 3, 4) * 100,
        [bytes(data[at : at + 4]) for at in range(12, 12 + count * 4, 4)],
        suppress=flags & 8 != 0,
        robustness=flags & 7,
        interval_s=from_code(interval, 3, 4),
    )


def parse_records(data: Buffer, size: int, reason: str) -> list[Record]:
    """The records of a report of IGMP (addresses of 4 bytes) or MLD (of 16)."""
    records: list[Record] = []
    at = 8
    for _ in range(int.from_bytes(data[6:8], "big")):
        head = at + 4 + size
        if head > len(data):
            raise WireError(reason)
        end = head + int.from_bytes(data[at + 2 : at + 4], "big") * size
        # Auxiliary data is skipped (RFC 3376, 4.2.10).
        behind = end + data[at + 1] * 4
        if behind > len(data):
            raise WireError(reason)
        sources = [bytes(data[place : place + size]) for place in range(head, end, size)]
        records.append((data[at], bytes(data[at + 4 : head]), sources))
        at = behind
    return records


def emit_records(records: Sequence[Record]) -> bytes:
    """The number of records and these, as both reports have them."""
    data = len(records).to_bytes(4, "big")
    for kind, group, sources in records:
        data += bytes((kind, 0)) + len(sources).to_bytes(2, "big") + group + b"".join(sources)
    return data


def from_code(code: int, bits_exponent: int, bits_mantissa: int) -> int:
    """A time or an interval of a query: as it is, or from 128 (32768 of MLD) on a number with an
    exponent (RFC 3376, 4.1.1; RFC 3810, 5.1.3)."""
    if code < 1 << (bits_exponent + bits_mantissa):
        return code
    mantissa = code & ((1 << bits_mantissa) - 1) | 1 << bits_mantissa
    exponent = code >> bits_mantissa & ((1 << bits_exponent) - 1)
    return mantissa << (exponent + 3)


def to_code(value: int, bits_exponent: int, bits_mantissa: int) -> int:
    """The code for a number, the next lower one that there is."""
    limit = 1 << (bits_exponent + bits_mantissa)
    if value < limit:
        return value
    exponent = value.bit_length() - bits_mantissa - 4
    if exponent >= 1 << bits_exponent:
        return 2 * limit - 1
    mantissa = value >> (exponent + 3) & ((1 << bits_mantissa) - 1)
    return limit | exponent << bits_mantissa | mantissa


def emit_query(query: Query) -> bytes:
    """A query, with its checksum."""
    tenths = query.max_response_ms // 100
    if query.version < 3:
        code = min(tenths, 255) if query.version == 2 else 0
        return _with_checksum(_HEADER.pack(QUERY, code, 0, query.group))
    flags = query.suppress << 3 | query.robustness
    return _with_checksum(
        _HEADER.pack(QUERY, to_code(tenths, 3, 4), 0, query.group)
        + _QUERY3.pack(flags, to_code(query.interval_s, 3, 4), len(query.sources))
        + b"".join(query.sources)
    )


def emit_message(kind: int, group: bytes) -> bytes:
    """A report or a leave of version 1 or 2, with its checksum."""
    return _with_checksum(_HEADER.pack(kind, 0, 0, group))


def emit_report(records: Sequence[Record]) -> bytes:
    """A report of version 3, with its checksum."""
    return _with_checksum(bytes((REPORT3, 0, 0, 0)) + emit_records(records))


def _with_checksum(data: bytes) -> bytes:
    return data[:2] + checksum.checksum(data).to_bytes(2, "big") + data[4:]
