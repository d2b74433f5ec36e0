"""UDP headers."""

from __future__ import annotations

import pytest

from ovum.net.wire import udp
from ovum.net.wire.errors import WireError


def test_a_header_is_read_and_written() -> None:
    data = udp.emit_header(68, 67, 5)
    assert data == bytes.fromhex("0044 0043 000d 0000")
    assert udp.parse(data + b"hello and what IP has beyond") == (68, 67, 13, 0)
    assert udp.parse(b"junk" + data + b"hello", 4) == (68, 67, 13, 0)


@pytest.mark.parametrize("size", range(8))
def test_a_short_header_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="udp_header_short"):
        udp.parse(bytes(size))


@pytest.mark.parametrize("length", [0, 7, 14, 65535])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    with pytest.raises(WireError, match="udp_length_bad"):
        udp.parse(udp.HEADER.pack(1, 2, length, 0) + b"hello")


def test_source_port_0_is_legal() -> None:
    assert udp.parse(udp.emit_header(0, 9, 0)) == (0, 9, 8, 0)
