"""NTP packets and their times."""

from __future__ import annotations

import pytest

from ovum.net.wire import ntp
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import NTP_RESPONSE


def test_a_response_is_read_and_written() -> None:
    packet = ntp.parse(NTP_RESPONSE)
    assert (packet.leap, packet.version, packet.mode) == (0, 4, ntp.SERVER)
    assert (packet.stratum, packet.poll, packet.precision) == (1, 6, -20)
    assert packet.reference_id == b"GPS\0"
    assert packet.receive < packet.transmit
    assert ntp.emit(packet) == NTP_RESPONSE
    assert ntp.emit(ntp.parse(NTP_RESPONSE + b"a key")) == NTP_RESPONSE


def test_a_request_is_written() -> None:
    data = ntp.emit(ntp.Packet(ntp.CLIENT, 0x1122334455667788))
    assert data.hex() == "23" + "00" * 39 + "1122334455667788"


@pytest.mark.parametrize("size", range(48))
def test_short_packets_are_refused(size: int) -> None:
    with pytest.raises(WireError, match="ntp_short"):
        ntp.parse(NTP_RESPONSE[:size])


def test_unknown_versions_are_refused() -> None:
    for version in (0, 5, 7):
        with pytest.raises(WireError, match="ntp_version_bad"):
            ntp.parse(bytes((version << 3 | 4,)) + NTP_RESPONSE[1:])


@pytest.mark.parametrize(
    ("time", "unix_ns"),
    [
        (2_208_988_800 << 32, 0),
        ((2_208_988_800 << 32) + (1 << 31), 500_000_000),
        (0xFFFFFFFF << 32, 2_085_978_495_000_000_000),
        (0, 2_085_978_496_000_000_000),  # February 2036: the next era
        (1 << 32, 2_085_978_497_000_000_000),
    ],
)
def test_times_of_both_eras(time: int, unix_ns: int) -> None:
    assert ntp.to_unix_ns(time) == unix_ns
    assert ntp.from_unix_ns(unix_ns) == time


def test_a_time_comes_back_to_the_nanosecond() -> None:
    for unix_ns in (1_700_000_000_123_456_789, 1, 999_999_999, 3_000_000_000_000_000_001):
        assert abs(ntp.to_unix_ns(ntp.from_unix_ns(unix_ns)) - unix_ns) <= 1
