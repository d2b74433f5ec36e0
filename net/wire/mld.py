"""MLD (RFC 2710, 3810): who listens to which groups of IPv6; messages of ICMPv6."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire import addr
from ovum.net.wire.errors import WireError
from ovum.net.wire.icmpv6 import MLD2_REPORT, MLD_DONE, MLD_QUERY, MLD_REPORT
from ovum.net.wire.igmp import (
    IS_EXCLUDE,
    TO_INCLUDE,
    Query,
    Report,
    emit_records,
    from_code,
    parse_records,
    to_code,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovum.net.wire.igmp import Record

    Buffer = bytes | bytearray | memoryview

HOP_LIMIT = 1

_HEADER = Struct("!BBHHH16s")
_QUERY2 = Struct("!BBH")


def parse(data: Buffer, src: bytes, hop_limit: int) -> Query | Report:
    """A message, from its ICMPv6 header on. The checksum has been looked at before."""
    if len(data) < 8:
        raise WireError("mld_short")
    if hop_limit != HOP_LIMIT:
        raise WireError("mld_hop_limit_bad")
    kind = data[0]
    # A host without an address yet may report from none (RFC 3590).
    if not (addr.is_link_local(src) or (kind != MLD_QUERY and not any(src))):
        raise WireError("mld_source_bad")
    if kind == MLD2_REPORT:
        return Report(kind, parse_records(data, 16, "mld_report_bad"))
    if kind not in (MLD_QUERY, MLD_REPORT, MLD_DONE):
        raise WireError("mld_type_unknown")
    size = len(data)
    if size < 24:
        raise WireError("mld_short")
    _, _, _, code, _, group = _HEADER.unpack_from(data)
    if kind != MLD_QUERY:
        return Report(kind, [(TO_INCLUDE if kind == MLD_DONE else IS_EXCLUDE, group, ())])
    # RFC 3810, 8.1: the length tells the version.
    if size == 24:
        return Query(1, group, code)
    if size < 28:
        raise WireError("mld_query_bad")
    flags, interval, count = _QUERY2.unpack_from(data, 24)
    if 28 + count * 16 > size:
        raise WireError("mld_query_bad")
    return Query(
        2,
        group,
        from_code(code, 3, 12),
        [bytes(data[at : at + 16]) for at in range(28, 28 + count * 16, 16)],
        suppress=flags & 8 != 0,
        robustness=flags & 7,
        interval_s=from_code(interval, 3, 4),
    )


def emit_query(query: Query) -> bytes:
    """A query; its checksum is filled in below."""
    if query.version < 2:
        return _HEADER.pack(MLD_QUERY, 0, 0, min(query.max_response_ms, 65535), 0, query.group)
    return (
        _HEADER.pack(MLD_QUERY, 0, 0, to_code(query.max_response_ms, 3, 12), 0, query.group)
        + _QUERY2.pack(
            query.suppress << 3 | query.robustness,
            to_code(query.interval_s, 3, 4),
            len(query.sources),
        )
        + b"".join(query.sources)
    )


def emit_message(kind: int, group: bytes) -> bytes:
    """MLD_REPORT or MLD_DONE of version 1; its checksum is filled in below."""
    return _HEADER.pack(kind, 0, 0, 0, 0, group)


def emit_report(records: Sequence[Record]) -> bytes:
    """A report of version 2; its checksum is filled in below."""
    return bytes((MLD2_REPORT, 0, 0, 0)) + emit_records(records)
