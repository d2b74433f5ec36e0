"""Addresses as programs give them (struct sockaddr) and as the stack has them, with Linux's errors.

A program's address is `(address, port, scope)` here: 4 or 16 bytes, a number, an interface's index
or 0. What is a mapped address (::ffff:192.0.2.1, RFC 4291, 2.5.5.2) to a program is 4 bytes here.
"""

from __future__ import annotations

from _struct import Struct
from errno import EAFNOSUPPORT, EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Buffer = bytes | bytearray | memoryview
    Address = tuple[bytes, int, int]

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 10

ANY4 = bytes(4)
ANY6 = bytes(16)
LOOPBACK4 = b"\x7f\0\0\1"
LOOPBACK6 = bytes(15) + b"\1"
_MAPPED = bytes(10) + b"\xff\xff"

_IN = Struct(">2sH4s8x")
_IN6 = Struct(">2sHI16s4s")
_pack_in: Callable[[bytes, int, bytes], bytes] = _IN.pack
_pack_in6: Callable[[bytes, int, int, bytes, bytes], bytes] = _IN6.pack
_FAMILY_IN = AF_INET.to_bytes(2, "little")
_FAMILY_IN6 = AF_INET6.to_bytes(2, "little")
_NO_SCOPE = bytes(4)
_SHORTEST_IN6 = 24
"""struct sockaddr_in6 once had no scope (RFC 2133), and Linux takes that still."""


def refuse(number: int) -> OSError:
    """An error for the program; it gets the number alone."""
    return OSError(number, "refused")


def family_of(data: Buffer) -> int:
    """Of a struct sockaddr. Raises OSError(EINVAL) if it is too short to have one."""
    if len(data) < 2:
        raise refuse(EINVAL)
    return data[0] | data[1] << 8


def parse(family: int, data: Buffer) -> Address:
    """A struct sockaddr given to a socket of this family. Raises OSError: EINVAL, EAFNOSUPPORT."""
    if family == AF_INET:
        if len(data) < 16:
            raise refuse(EINVAL)
        if data[0] != AF_INET or data[1]:
            raise refuse(EAFNOSUPPORT)
        return bytes(data[4:8]), data[2] << 8 | data[3], 0
    if len(data) < _SHORTEST_IN6:
        raise refuse(EINVAL)
    if data[0] != AF_INET6 or data[1]:
        raise refuse(EAFNOSUPPORT)
    address = bytes(data[8:24])
    scope = int.from_bytes(data[24:28], "little")
    if address.startswith(_MAPPED):
        address = address[12:]
        scope = 0
    return address, data[2] << 8 | data[3], scope


def pack(family: int, address: bytes, port: int, scope: int = 0) -> bytes:
    """The struct sockaddr that a socket of this family is told. An IPv6 socket is told mapped
    addresses, and a scope with those that mean nothing without (RFC 4007)."""
    if family == AF_INET:
        return _pack_in(_FAMILY_IN, port, address)
    if len(address) == 4:
        return _pack_in6(_FAMILY_IN6, port, 0, _MAPPED + address, _NO_SCOPE)
    if scope and needs_scope(address):
        return _pack_in6(_FAMILY_IN6, port, 0, address, scope.to_bytes(4, "little"))
    return _pack_in6(_FAMILY_IN6, port, 0, address, _NO_SCOPE)


def mapped(address: bytes) -> bytes:
    """16 bytes, whatever it was."""
    return _MAPPED + address if len(address) == 4 else address


def needs_scope(address: bytes) -> bool:
    """Whether an address means something on one link only: fe80::/10, ff02::/16, ff01::/16."""
    if len(address) != 16:
        return False
    if address[0] == 0xFE:
        return address[1] & 0xC0 == 0x80
    return address[0] == 0xFF and address[1] & 0x0F in (1, 2)


def is_multicast(address: bytes) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    first = address[0]
    return first == 0xFF if len(address) == 16 else first & 0xF0 == 0xE0


def is_any(address: bytes) -> bool:
    """0.0.0.0 or ::."""
    return not any(address)
