"""IGMP and MLD."""

from __future__ import annotations

import pytest

from ovum.net.wire import addr, checksum, icmpv6, igmp, mld
from ovum.net.wire.errors import WireError

GROUP, GROUP6 = addr.parse("239.1.2.3"), addr.parse("ff05::1:3")
SRC6 = addr.parse("fe80::1")
QUERY_FIELDS = tuple(name for name in igmp.Query.__slots__ if name != "sources")


def same(one: igmp.Query, other: igmp.Query) -> bool:
    return list(one.sources) == list(other.sources) and all(
        getattr(one, name) == getattr(other, name) for name in QUERY_FIELDS
    )


@pytest.mark.parametrize(
    ("data", "query"),
    [
        ("1100eeff00000000", igmp.Query(1, bytes(4), 10_000)),
        ("1164ee9b00000000", igmp.Query(2, bytes(4), 10_000)),
        (
            "1114ac73 ef010203 0a7d0001 0a000001",
            igmp.Query(
                3, GROUP, 2000, [b"\x0a\0\0\1"], suppress=True, robustness=2, interval_s=125
            ),
        ),
    ],
)
def test_queries_are_read_and_written(data: str, query: igmp.Query) -> None:
    raw = bytes.fromhex(data)
    raw = raw[:2] + checksum.checksum(raw[:2] + b"\0\0" + raw[4:]).to_bytes(2, "big") + raw[4:]
    message = igmp.parse(raw)
    assert isinstance(message, igmp.Query)
    assert same(message, query)
    assert igmp.emit_query(query) == raw


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        (igmp.REPORT1, igmp.IS_EXCLUDE),
        (igmp.REPORT2, igmp.IS_EXCLUDE),
        (igmp.LEAVE, igmp.TO_INCLUDE),
    ],
)
def test_reports_of_old_versions_are_read_and_written(kind: int, record: int) -> None:
    message = igmp.parse(igmp.emit_message(kind, GROUP))
    assert isinstance(message, igmp.Report)
    assert message.kind == kind
    assert message.records == [(record, GROUP, ())]


RECORDS = [(igmp.TO_EXCLUDE, GROUP, []), (igmp.ALLOW, GROUP, [b"\x0a\0\0\1", b"\x0a\0\0\2"])]


def test_a_report_of_version_3_is_read_and_written() -> None:
    data = igmp.emit_report(RECORDS)
    assert data[4:].hex() == "00000002 04000000ef010203 05000002ef0102030a0000010a000002".replace(
        " ", ""
    )
    message = igmp.parse(data)
    assert isinstance(message, igmp.Report)
    assert message.records == RECORDS


def with_checksum(data: str) -> bytes:
    raw = bytes.fromhex(data)
    return raw[:2] + checksum.checksum(raw).to_bytes(2, "big") + raw[4:]


def test_auxiliary_data_is_skipped() -> None:
    data = with_checksum("22000000 00000002 0401 0000 ef010203 aabbccdd 0300 0000 ef010204")
    message = igmp.parse(data)
    assert isinstance(message, igmp.Report)
    assert [record[1][3] for record in message.records] == [3, 4]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("1164ee9b000000", "igmp_short"),
        ("1164ee9a00000000", "igmp_checksum_bad"),
        (with_checksum("1164000000000000 0000").hex(), "igmp_query_bad"),
        (with_checksum("1164000000000000 00000001 0a0000").hex(), "igmp_query_bad"),
        (with_checksum("2200000000000001 04000000 ef0102").hex(), "igmp_report_bad"),
        (with_checksum("2200000000000001 04000001 ef010203 0a0000").hex(), "igmp_report_bad"),
        (with_checksum("2200000000000001 04010000 ef010203 0a0000").hex(), "igmp_report_bad"),
        (with_checksum("22000000 0000ffff").hex(), "igmp_report_bad"),
        (with_checksum("1300000000000000").hex(), "igmp_type_unknown"),
    ],
)
def test_bad_messages_are_refused(data: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        igmp.parse(bytes.fromhex(data))


def test_codes_of_times() -> None:
    assert igmp.from_code(127, 3, 4) == 127
    assert igmp.from_code(128, 3, 4) == 128
    assert igmp.from_code(0xFF, 3, 4) == 31744
    assert igmp.from_code(0xFFFF, 3, 12) == 8387584
    for exponent, mantissa in ((3, 4), (3, 12)):
        for code in range(1 << (1 + exponent + mantissa)):
            assert (
                igmp.to_code(igmp.from_code(code, exponent, mantissa), exponent, mantissa) == code
            )
        assert igmp.to_code(1 << 40, exponent, mantissa) == (1 << (1 + exponent + mantissa)) - 1


def test_mld_queries_are_read_and_written() -> None:
    for query in (
        igmp.Query(1, bytes(16), 10_000),
        igmp.Query(2, GROUP6, 40_960, [SRC6], suppress=True, robustness=7, interval_s=128),
    ):
        message = mld.parse(mld.emit_query(query), SRC6, 1)
        assert isinstance(message, igmp.Query)
        assert same(message, query)
    assert (
        mld.emit_query(igmp.Query(1, bytes(16), 10_000)).hex()
        == "82000000 27100000".replace(" ", "") + "00" * 16
    )


def test_mld_reports_are_read_and_written() -> None:
    for kind, record in ((icmpv6.MLD_REPORT, igmp.IS_EXCLUDE), (icmpv6.MLD_DONE, igmp.TO_INCLUDE)):
        message = mld.parse(mld.emit_message(kind, GROUP6), SRC6, 1)
        assert isinstance(message, igmp.Report)
        assert (message.kind, message.records) == (kind, [(record, GROUP6, ())])
    records = [(igmp.TO_EXCLUDE, GROUP6, []), (igmp.BLOCK, GROUP6, [SRC6])]
    message = mld.parse(mld.emit_report(records), bytes(16), 1)
    assert isinstance(message, igmp.Report)
    assert message.records == records


@pytest.mark.parametrize(
    ("data", "src", "hop_limit", "reason"),
    [
        ("82000000 000000", SRC6, 1, "mld_short"),
        ("82000000 00000000", SRC6, 1, "mld_short"),
        ("82000000 00000000" + "00" * 16, SRC6, 2, "mld_hop_limit_bad"),
        ("82000000 00000000" + "00" * 16, bytes(16), 1, "mld_source_bad"),
        ("82000000 00000000" + "00" * 16, addr.parse("2001:db8::1"), 1, "mld_source_bad"),
        ("82000000 00000000" + "00" * 19, SRC6, 1, "mld_query_bad"),
        ("82000000 00000000" + "00" * 19 + "01", SRC6, 1, "mld_query_bad"),
        ("8f000000 00000001", SRC6, 1, "mld_report_bad"),
        ("80000000 00000000" + "00" * 16, SRC6, 1, "mld_type_unknown"),
    ],
)
def test_bad_mld_messages_are_refused(data: str, src: bytes, hop_limit: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        mld.parse(bytes.fromhex(data), src, hop_limit)
