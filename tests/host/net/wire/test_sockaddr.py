"""Addresses of sockets, as Linux lays them out."""

from __future__ import annotations

import ctypes
import socket

import pytest

from ovum.net.wire import sockaddr
from ovum.net.wire.errors import WireError

V4 = bytes.fromhex("0200 1f90 7f000001 0000000000000000")
V6 = bytes.fromhex("0a00 01bb 00012345 fe80000000000000505400fffe123456 02000000")


def test_ipv4() -> None:
    assert sockaddr.family(V4) == sockaddr.AF_INET == socket.AF_INET
    assert sockaddr.parse_in(V4) == (b"\x7f\0\0\1", 8080)
    assert sockaddr.emit_in(b"\x7f\0\0\1", 8080) == V4
    assert sockaddr.emit_inet(b"\x7f\0\0\1", 8080) == V4
    assert len(V4) == sockaddr.SIZE_IN


def test_ipv6() -> None:
    address = V6[8:24]
    assert sockaddr.family(V6) == sockaddr.AF_INET6 == socket.AF_INET6
    assert sockaddr.parse_in6(V6) == (address, 443, 0x12345, 2)
    assert sockaddr.emit_in6(address, 443, 0x12345, 2) == V6
    assert sockaddr.emit_inet(address, 443, 2) == sockaddr.emit_in6(address, 443, 0, 2)
    assert len(V6) == sockaddr.SIZE_IN6


def test_ipv6_without_the_scope() -> None:
    assert sockaddr.parse_in6(V6[:24])[3] == 0


def test_what_linux_gives_is_read() -> None:
    """getsockname(2) itself, past Python's conversion."""
    libc = ctypes.CDLL(None, use_errno=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        buffer = ctypes.create_string_buffer(128)
        size = ctypes.c_uint32(128)
        assert libc.getsockname(listener.fileno(), buffer, ctypes.byref(size)) == 0
        assert size.value == sockaddr.SIZE_IN
        expected = (socket.inet_aton("127.0.0.1"), listener.getsockname()[1])
        assert sockaddr.parse_in(buffer.raw[: size.value]) == expected


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (b"/run/a", b"\x01\x00/run/a\x00"),
        (b"\0abstract", b"\x01\x00\0abstract"),
        (b"", b"\x01\x00"),
        (b"x" * 108, b"\x01\x00" + b"x" * 108),
    ],
)
def test_unix(path: bytes, data: bytes) -> None:
    assert sockaddr.emit_un(path) == data
    assert sockaddr.parse_un(data) == path


def test_a_unix_path_ends_at_its_zero_and_an_abstract_name_does_not() -> None:
    assert sockaddr.parse_un(b"\x01\x00/a\0/b") == b"/a"
    assert sockaddr.parse_un(b"\x01\x00\0a\0b") == b"\0a\0b"


def test_a_unix_path_is_not_longer_than_108() -> None:
    with pytest.raises(WireError, match="sockaddr_long"):
        sockaddr.parse_un(b"\x01\x00" + b"x" * 109)


def test_netlink() -> None:
    data = bytes.fromhex("1000 0000 d2040000 11000000")
    assert sockaddr.parse_nl(data) == (1234, 0x11)
    assert sockaddr.emit_nl(1234, 0x11) == data


def test_packet() -> None:
    data = bytes.fromhex("1100 0800 02000000 0100 04 06 525400123456 0000")
    mac = bytes.fromhex("525400123456")
    assert sockaddr.parse_ll(data) == (2, 0x0800, 1, 4, mac)
    assert sockaddr.emit_ll(2, 0x0800, 1, 4, mac) == data


def test_short_ones_are_refused() -> None:
    for parse, whole in (
        (sockaddr.parse_in, 16),
        (sockaddr.parse_in6, 24),
        (sockaddr.parse_un, 2),
        (sockaddr.parse_nl, 12),
        (sockaddr.parse_ll, 20),
        (sockaddr.family, 2),
    ):
        for size in range(whole):
            with pytest.raises(WireError, match="sockaddr_short"):
                parse(bytes(size))
        parse(bytes(whole))
