"""Time zone files keep every rule when their old half goes."""

import io
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from ovum.sysroot import Sysroot
from ovum.tzif import slim

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "UTC"]


@pytest.mark.parametrize("name", ZONES)
def test_every_offset_stays(sysroot: Sysroot, name: str) -> None:
    whole = (sysroot.root / "usr/share/zoneinfo" / name).read_bytes()
    before = zoneinfo.ZoneInfo.from_file(io.BytesIO(whole))
    after = zoneinfo.ZoneInfo.from_file(io.BytesIO(slim(whole)))
    moment = datetime(1890, 1, 1, tzinfo=UTC)
    while moment.year < 2060:
        assert moment.astimezone(before).isoformat() == moment.astimezone(after).isoformat()
        moment += timedelta(days=11, hours=5)


def test_a_file_gets_shorter_once(sysroot: Sysroot) -> None:
    whole = (sysroot.root / "usr/share/zoneinfo/Europe/Berlin").read_bytes()
    assert len(slim(whole)) < len(whole)
    assert slim(slim(whole)) == slim(whole)


@pytest.mark.parametrize("content", [b"", b"TZif", b"#!/bin/sh\n" * 9, b"TZif" + bytes(40)])
def test_anything_else_is_left_alone(content: bytes) -> None:
    assert slim(content) == content
