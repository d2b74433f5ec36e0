"""`struct sockaddr` of Linux on x86-64, as programs pass it: see ip(7), ipv6(7), unix(7),
netlink(7) and packet(7)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 0, 1, 2, 10, 16, 17

SIZE_IN, SIZE_IN6, SIZE_UN, SIZE_NL, SIZE_LL, SIZE_STORAGE = 16, 28, 110, 12, 20, 128
"""Bytes."""

SIZE_IN6_LEAST = 24
"""Without the scope: RFC 2133's, which Linux takes still."""

# The family is in the machine's order, what comes from a network in the network's: two structures.
_FAMILY = Struct("<H")
_IN = Struct("!H4s")
_IN6 = Struct("!HI16s")
_SCOPE = Struct("<I")
_NL = Struct("<HHII")
_LL = Struct("<HHiHBB8s")


def family(data: Buffer) -> int:
    """The family that an address is of."""
    if len(data) < 2:
        raise WireError("sockaddr_short")
    return data[0] | data[1] << 8


def parse_in(data: Buffer) -> tuple[bytes, int]:
    """(address, port) of a sockaddr_in; its family is not looked at."""
    if len(data) < SIZE_IN:
        raise WireError("sockaddr_short")
    port, address = _IN.unpack_from(data, 2)
    return address, port


def emit_in(address: bytes, port: int) -> bytes:
    """A sockaddr_in."""
    return b"\x02\x00" + _IN.pack(port, address) + b"\0\0\0\0\0\0\0\0"


def parse_in6(data: Buffer) -> tuple[bytes, int, int, int]:
    """(address, port, flow information, scope) of a sockaddr_in6; its family is not looked at."""
    size = len(data)
    if size < SIZE_IN6_LEAST:
        raise WireError("sockaddr_short")
    port, flow, address = _IN6.unpack_from(data, 2)
    scope = _SCOPE.unpack_from(data, 24)[0] if size >= SIZE_IN6 else 0
    return address, port, flow, scope


def emit_in6(address: bytes, port: int, flow: int = 0, scope: int = 0) -> bytes:
    """A sockaddr_in6."""
    return b"\x0a\x00" + _IN6.pack(port, flow, address) + _SCOPE.pack(scope)


def emit_inet(address: bytes, port: int, scope: int = 0) -> bytes:
    """A sockaddr_in or sockaddr_in6, by the address's length."""
    if len(address) == 4:
        return b"\x02\x00" + _IN.pack(port, address) + b"\0\0\0\0\0\0\0\0"
    return b"\x0a\x00" + _IN6.pack(port, 0, address) + _SCOPE.pack(scope)


def parse_un(data: Buffer) -> bytes:
    """The path of a sockaddr_un, without the zero at its end; an abstract name with the zero
    before it; empty: unnamed."""
    size = len(data)
    if size < 2:
        raise WireError("sockaddr_short")
    if size > SIZE_UN:
        raise WireError("sockaddr_long")
    path = bytes(data[2:])
    if path[:1] == b"\0":
        return path
    return path.partition(b"\0")[0]


def emit_un(path: bytes) -> bytes:
    """A sockaddr_un, as long as Linux gives it: a path with the zero at its end."""
    if not path:
        return b"\x01\x00"
    end = b"" if path[:1] == b"\0" or len(path) == SIZE_UN - 2 else b"\0"
    return b"\x01\x00" + path + end


def parse_nl(data: Buffer) -> tuple[int, int]:
    """(port id, groups) of a sockaddr_nl; its family is not looked at."""
    if len(data) < SIZE_NL:
        raise WireError("sockaddr_short")
    _, _, port_id, groups = _NL.unpack_from(data)
    return port_id, groups


def emit_nl(port_id: int, groups: int = 0) -> bytes:
    """A sockaddr_nl."""
    return _NL.pack(AF_NETLINK, 0, port_id, groups)


def parse_ll(data: Buffer) -> tuple[int, int, int, int, bytes]:
    """(interface, protocol, hardware type, packet type, address) of a sockaddr_ll."""
    if len(data) < SIZE_LL:
        raise WireError("sockaddr_short")
    _, protocol, interface, hardware, kind, size, address = _LL.unpack_from(data)
    # The protocol alone is in the network's order.
    protocol = (protocol & 0xFF) << 8 | protocol >> 8
    return interface, protocol, hardware, kind, address[: min(size, 8)]


def emit_ll(
    interface: int, protocol: int = 0, hardware: int = 1, kind: int = 0, address: bytes = b""
) -> bytes:
    """A sockaddr_ll; hardware 1 is Ethernet, 772 the loopback."""
    return _LL.pack(
        AF_PACKET,
        (protocol & 0xFF) << 8 | protocol >> 8,
        interface,
        hardware,
        kind,
        len(address),
        address,
    )
