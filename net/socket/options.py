"""Socket options that are numbers: which there are, what they may be, and what they are at first.

Each is an attribute of the socket's `Values`; what is more than that (structures, memberships) is
in structs.py, and whoever an option matters to reads the attribute, or is told that it has changed
(Endpoint.option_changed). docs/sockets.md lists all of them.
"""

from __future__ import annotations

from _struct import Struct
from errno import EINVAL, ENOPROTOOPT

from ovum.net.socket.address import refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

SOL_IP, SOL_SOCKET, SOL_TCP, SOL_UDP, SOL_IPV6, SOL_ICMPV6 = 0, 1, 6, 17, 41, 58
SOL_RAW, SOL_PACKET, SOL_NETLINK = 255, 263, 270

SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE = 6, 7, 8, 9

_INT = Struct("<i")
_BOOL = (0, 1)
_ANY = (-0x80000000, 0x7FFFFFFF)
_BYTE = (0, 255)
_BYTE_OR_DEFAULT = (-1, 255)

INTEGERS: dict[tuple[int, int], tuple[str, tuple[int, int], int]] = {
    (SOL_SOCKET, 1): ("debug", _BOOL, 0),
    (SOL_SOCKET, 2): ("reuse_address", _BOOL, 0),
    (SOL_SOCKET, 5): ("dont_route", _BOOL, 0),
    (SOL_SOCKET, SO_BROADCAST): ("broadcast", _BOOL, 0),
    (SOL_SOCKET, SO_KEEPALIVE): ("keepalive", _BOOL, 0),
    (SOL_SOCKET, 10): ("oob_inline", _BOOL, 0),
    (SOL_SOCKET, 11): ("no_check", _BOOL, 0),
    (SOL_SOCKET, 12): ("priority", (0, 6), 0),
    (SOL_SOCKET, 15): ("reuse_port", _BOOL, 0),
    (SOL_SOCKET, 16): ("pass_credentials", _BOOL, 0),
    (SOL_SOCKET, 29): ("timestamp", _BOOL, 0),
    (SOL_SOCKET, 34): ("pass_security", _BOOL, 0),
    (SOL_SOCKET, 35): ("timestamp_ns", _BOOL, 0),
    (SOL_SOCKET, 36): ("mark", _ANY, 0),
    (SOL_SOCKET, 40): ("overflow_count", _BOOL, 0),
    (SOL_SOCKET, 44): ("lock_filter", _BOOL, 0),
    (SOL_SOCKET, 46): ("busy_poll", (0, 0x7FFFFFFF), 0),
    (SOL_SOCKET, 62): ("bound_interface", (0, 0x7FFFFFFF), 0),
    (SOL_IP, 1): ("tos", _BYTE, 0),
    (SOL_IP, 2): ("ttl", (1, 255), 64),
    (SOL_IP, 6): ("receive_options", _BOOL, 0),
    (SOL_IP, 7): ("return_options", _BOOL, 0),
    (SOL_IP, 8): ("packet_info", _BOOL, 0),
    (SOL_IP, 10): ("mtu_discover", (0, 5), 1),
    (SOL_IP, 11): ("receive_errors", _BOOL, 0),
    (SOL_IP, 12): ("receive_ttl", _BOOL, 0),
    (SOL_IP, 13): ("receive_tos", _BOOL, 0),
    (SOL_IP, 15): ("free_bind", _BOOL, 0),
    (SOL_IP, 20): ("original_destination", _BOOL, 0),
    (SOL_IP, 21): ("least_ttl", _BYTE, 0),
    (SOL_IP, 22): ("no_defragment", _BOOL, 0),
    (SOL_IP, 24): ("bind_no_port", _BOOL, 0),
    (SOL_IP, 33): ("multicast_ttl", _BYTE_OR_DEFAULT, 1),
    (SOL_IP, 34): ("multicast_loop", _BOOL, 1),
    (SOL_IP, 49): ("multicast_all", _BOOL, 1),
    (SOL_IPV6, 16): ("hops", _BYTE_OR_DEFAULT, 64),
    (SOL_IPV6, 18): ("multicast_hops", _BYTE_OR_DEFAULT, 1),
    (SOL_IPV6, 19): ("multicast_loop", _BOOL, 1),
    (SOL_IPV6, 23): ("mtu_discover6", (0, 5), 1),
    (SOL_IPV6, 25): ("receive_errors6", _BOOL, 0),
    (SOL_IPV6, 26): ("v6_only", _BOOL, 0),
    (SOL_IPV6, 29): ("multicast_all6", _BOOL, 1),
    (SOL_IPV6, 33): ("send_flow", _BOOL, 0),
    (SOL_IPV6, 49): ("packet_info6", _BOOL, 0),
    (SOL_IPV6, 51): ("receive_hops", _BOOL, 0),
    (SOL_IPV6, 53): ("receive_hop_options", _BOOL, 0),
    (SOL_IPV6, 56): ("receive_routing_header", _BOOL, 0),
    (SOL_IPV6, 58): ("receive_destination_options", _BOOL, 0),
    (SOL_IPV6, 60): ("receive_path_mtu", _BOOL, 0),
    (SOL_IPV6, 62): ("dont_fragment", _BOOL, 0),
    (SOL_IPV6, 66): ("receive_class", _BOOL, 0),
    (SOL_IPV6, 67): ("traffic_class", _BYTE_OR_DEFAULT, 0),
    (SOL_IPV6, 70): ("auto_flow_label", _BOOL, 1),
    (SOL_IPV6, 72): ("address_preferences", _ANY, 0),
    (SOL_IPV6, 73): ("least_hops", _BYTE, 0),
    (SOL_IPV6, 78): ("free_bind", _BOOL, 0),
}
"""By level and number: the attribute, the smallest and the largest, and what it is at first."""

UDP_INTEGERS: dict[tuple[int, int], tuple[str, tuple[int, int], int]] = {
    (SOL_UDP, 1): ("udp_cork", _BOOL, 0),
    (SOL_UDP, 103): ("udp_segment", (0, 0xFFFF), 0),
    (SOL_UDP, 104): ("udp_gro", _BOOL, 0),
}

RAW_INTEGERS: dict[tuple[int, int], tuple[str, tuple[int, int], int]] = {
    (SOL_IP, 3): ("header_included", _BOOL, 0),
    (SOL_IPV6, 7): ("checksum_offset", (-1, 0xFFFF), -1),
    (SOL_RAW, 7): ("checksum_offset", (-1, 0xFFFF), -1),
}

_NO_DEFAULT = {"ttl": 64, "multicast_ttl": 1, "hops": 64, "multicast_hops": 1, "traffic_class": 0}
"""What -1 stands for."""

_TABLES = (INTEGERS, UDP_INTEGERS, RAW_INTEGERS)
_DEFAULTS = {name: first for table in _TABLES for name, _, first in table.values()}


class Values:
    """The options of one socket: those that have been set. Others are what they are at first."""

    __slots__ = ("_set",)

    def __init__(self, other: Values | None = None) -> None:
        self._set: dict[str, int] = {} if other is None else dict(other._set)

    def get(self, name: str) -> int:
        """The option's value."""
        return self._set.get(name, _DEFAULTS[name])

    def was_set(self, name: str) -> bool:
        """Whether the program has said something about it."""
        return name in self._set

    def put(self, name: str, value: int) -> None:
        """Sets it."""
        self._set[name] = value


def integer(data: Buffer, level: int) -> int:
    """The int that a program gives; IP takes a single byte, too. Raises OSError(EINVAL)."""
    if len(data) >= 4:
        value: int = _INT.unpack_from(data)[0]
        return value
    if level == SOL_IP and len(data) >= 1:
        return data[0]
    raise refuse(EINVAL)


def packed(value: int, level: int, room: int) -> bytes:
    """The int that a program gets, cut to what it has room for as Linux does."""
    if level == SOL_IP and 0 < room < 4 and 0 <= value <= 255:
        return bytes((value,))
    return _INT.pack(value)[:room]


def checked(name: str, limits: tuple[int, int], value: int) -> int:
    """What a program's value comes to. Raises OSError(EINVAL)."""
    if limits is _BOOL:
        return int(value != 0)
    if value == -1 and name in _NO_DEFAULT:
        return _NO_DEFAULT[name]
    low, high = limits
    if not low <= value <= high:
        raise refuse(EINVAL)
    return value


def unknown() -> OSError:
    """What is said of an option that there is not."""
    return refuse(ENOPROTOOPT)
