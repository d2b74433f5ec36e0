"""Control messages (cmsg(3)) of datagrams: what comes beside the data, both ways."""

from __future__ import annotations

from _struct import Struct
from errno import EINVAL

from ovum.net.socket.address import AF_INET, mapped, pack, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import IcmpError

    Buffer = bytes | bytearray | memoryview

_HEADER = Struct("<QII")
_INT = Struct("<i")
_TWO = Struct("<qq")
_EXTENDED_ERROR = Struct("<IBBBBII")

SOL_SOCKET, SOL_IP, SOL_IPV6, SOL_UDP = 1, 0, 41, 17
SO_TIMESTAMP, SO_TIMESTAMPNS = 29, 35
IP_TOS, IP_TTL, IP_PKTINFO = 1, 2, 8
IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS = 50, 52, 67
IPV6_2292PKTINFO = 2
UDP_SEGMENT = 103
IP_RECVERR, IPV6_RECVERR = 11, 25
ORIGIN_ICMP, ORIGIN_ICMP6 = 2, 3
"""SO_EE_ORIGIN_ICMP and _ICMP6."""


def message(level: int, kind: int, data: bytes) -> bytes:
    """One of them, padded so that another may follow."""
    size = 16 + len(data)
    return _HEADER.pack(size, level, kind) + data + bytes(-size % 8)


def parse(data: Buffer) -> list[tuple[int, int, bytes]]:
    """Level, kind and data of each. Raises OSError(EINVAL) where Linux does."""
    found: list[tuple[int, int, bytes]] = []
    offset = 0
    while offset + 16 <= len(data):
        size, level, kind = _HEADER.unpack_from(data, offset)
        if size < 16 or offset + size > len(data):
            raise refuse(EINVAL)
        found.append((level, kind, bytes(data[offset + 16 : offset + size])))
        offset += size + 7 & ~7
    return found


def packet_info(interface: int, address: bytes) -> bytes:
    """IP_PKTINFO: which interface a packet has come by, and to which address."""
    return message(SOL_IP, IP_PKTINFO, _INT.pack(interface) + address + address)


def packet_info6(interface: int, address: bytes) -> bytes:
    """IPV6_PKTINFO (RFC 3542, 6)."""
    return message(SOL_IPV6, IPV6_PKTINFO, mapped(address) + _INT.pack(interface))


def integer(level: int, kind: int, value: int) -> bytes:
    """One that is an int: IP_TTL, IPV6_HOPLIMIT, IPV6_TCLASS."""
    return message(level, kind, _INT.pack(value))


def type_of_service(value: int) -> bytes:
    """IP_TOS, which is one byte."""
    return message(SOL_IP, IP_TOS, bytes((value,)))


def timestamp(wall_ns: int, nanoseconds: bool) -> bytes:
    """SO_TIMESTAMP or SO_TIMESTAMPNS: when a packet has come."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    if nanoseconds:
        return message(SOL_SOCKET, SO_TIMESTAMPNS, _TWO.pack(seconds, rest))
    return message(SOL_SOCKET, SO_TIMESTAMP, _TWO.pack(seconds, rest // 1000))


def error(family: int, found: IcmpError) -> bytes:
    """IP_RECVERR or IPV6_RECVERR: a struct sock_extended_err, and who has sent the ICMP error."""
    origin = ORIGIN_ICMP if len(found.dst) == 4 else ORIGIN_ICMP6
    data = _EXTENDED_ERROR.pack(found.errno, origin, found.kind, found.code, 0, found.ip_mtu, 0)
    data += pack(family, found.offender, 0)
    if family == AF_INET:
        return message(SOL_IP, IP_RECVERR, data)
    return message(SOL_IPV6, IPV6_RECVERR, data)


class Wishes:
    """What the control messages of a datagram to be sent ask for."""

    __slots__ = ("hop_limit", "interface", "segment_size", "source", "traffic_class")

    def __init__(self) -> None:
        self.source: bytes | None = None
        self.interface = 0
        self.hop_limit = 0
        self.traffic_class = -1
        self.segment_size = 0


def wishes(control: Buffer) -> Wishes:
    """Raises OSError(EINVAL) for what is malformed, or not to be had."""
    found = Wishes()
    for level, kind, data in parse(control):
        if level == SOL_IP and kind == IP_PKTINFO and len(data) == 12:
            found.interface = _INT.unpack_from(data)[0]
            found.source = data[4:8] if any(data[4:8]) else None
        elif level == SOL_IPV6 and kind in (IPV6_PKTINFO, IPV6_2292PKTINFO) and len(data) == 20:
            found.interface = _INT.unpack_from(data, 16)[0]
            found.source = _unmapped(data[:16])
        elif level == SOL_IP and kind == IP_TTL and len(data) == 4:
            found.hop_limit = _in_byte(_INT.unpack(data)[0], 1)
        elif level == SOL_IPV6 and kind == IPV6_HOPLIMIT and len(data) == 4:
            value = _INT.unpack(data)[0]
            found.hop_limit = 0 if value == -1 else _in_byte(value, 0)
        elif level == SOL_IP and kind == IP_TOS and len(data) in (1, 4):
            found.traffic_class = data[0]
        elif level == SOL_IPV6 and kind == IPV6_TCLASS and len(data) == 4:
            value = _INT.unpack(data)[0]
            found.traffic_class = 0 if value == -1 else _in_byte(value, 0)
        elif level == SOL_UDP and kind == UDP_SEGMENT and len(data) == 2:
            found.segment_size = int.from_bytes(data, "little")
        elif level != SOL_SOCKET:  # Linux leaves to each level what it knows
            raise refuse(EINVAL)
    return found


def _in_byte(value: int, low: int) -> int:
    if not low <= value <= 255:
        raise refuse(EINVAL)
    return value


def _unmapped(address: bytes) -> bytes | None:
    if not any(address):
        return None
    return address[12:] if address[:12] == bytes(10) + b"\xff\xff" else address
