"""Options that join and leave multicast groups, and the structures that they take."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EINVAL, ENODEV

from ovum.net.socket.address import AF_INET, AF_INET6, is_any, refuse
from ovum.net.socket.address import parse as parse_address
from ovum.net.socket.options import SOL_IP, SOL_IPV6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.socket.control import Sockets

IP_MULTICAST_IF, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP = 32, 35, 36
IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP = 39, 40
IPV6_MULTICAST_IF, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP = 17, 20, 21
MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP = 42, 45
MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP = 46, 47

INTERFACE_OPTIONS = ((SOL_IP, IP_MULTICAST_IF), (SOL_IPV6, IPV6_MULTICAST_IF))

_STORAGE = 128
"""struct sockaddr_storage; in struct group_req there are 8 bytes before it."""


class Change:
    """Joining or leaving."""

    __slots__ = ("group", "interface", "joins", "source")

    def __init__(self, joins: bool, group: bytes, interface: int, source: bytes = b"") -> None:
        self.joins = joins
        self.group = group
        self.interface = interface
        """0: whichever a route leads to."""
        self.source = source
        """From this sender alone; empty: from anybody."""


def parse(sockets: Sockets, level: int, name: int, data: bytes) -> Change | None:
    """What an option asks for; None: it is none of these. Raises OSError: EINVAL, ENODEV."""
    if level == SOL_IP and name in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP):
        if len(data) < 8:
            raise refuse(EINVAL)
        return Change(name == IP_ADD_MEMBERSHIP, data[:4], _interface4(sockets, data[4:12]))
    if level == SOL_IP and name in (IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_SOURCE_MEMBERSHIP):
        if len(data) < 12:
            raise refuse(EINVAL)
        interface = _interface4(sockets, data[4:8])
        return Change(name == IP_ADD_SOURCE_MEMBERSHIP, data[:4], interface, data[8:12])
    if level == SOL_IPV6 and name in (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP):
        if len(data) < 20:
            raise refuse(EINVAL)
        interface = _index(sockets, int.from_bytes(data[16:20], "little"))
        return Change(name == IPV6_JOIN_GROUP, data[:16], interface)
    if name in (MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP):
        interface, group = _group_request(sockets, level, data)
        return Change(name == MCAST_JOIN_GROUP, group, interface)
    if name in (MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP):
        interface, group = _group_request(sockets, level, data)
        source = _storage(level, data[8 + _STORAGE :])
        return Change(name == MCAST_JOIN_SOURCE_GROUP, group, interface, source)
    return None


def parse_interface(sockets: Sockets, level: int, data: bytes) -> int:
    """The interface that IP_MULTICAST_IF or IPV6_MULTICAST_IF names; 0: none in particular."""
    if level == SOL_IPV6:
        if len(data) < 4:
            raise refuse(EINVAL)
        return _index(sockets, int.from_bytes(data[:4], "little"))
    if len(data) < 4:
        raise refuse(EINVAL)
    if len(data) < 8:
        return _by_address(sockets, data[:4], EADDRNOTAVAIL)
    return _interface4(sockets, data[4:12], EADDRNOTAVAIL)


def _interface4(sockets: Sockets, data: bytes, missing: int = ENODEV) -> int:
    """By struct ip_mreqn's index, if there is one, else by an address of ours."""
    index = int.from_bytes(data[4:8], "little")
    return _index(sockets, index) if index else _by_address(sockets, data[:4], missing)


def _by_address(sockets: Sockets, address: bytes, missing: int) -> int:
    if is_any(address):
        return 0
    for index, interface in sockets.stack.interfaces.items():
        if address in interface.addresses4:
            return index
    raise refuse(missing)


def _index(sockets: Sockets, index: int) -> int:
    if index and sockets.interface(index) is None:
        raise refuse(ENODEV)
    return index


def _group_request(sockets: Sockets, level: int, data: bytes) -> tuple[int, bytes]:
    if len(data) < 8 + _STORAGE:
        raise refuse(EINVAL)
    interface = _index(sockets, int.from_bytes(data[:4], "little"))
    return interface, _storage(level, data[8 : 8 + _STORAGE])


def _storage(level: int, data: bytes) -> bytes:
    family = AF_INET if level == SOL_IP else AF_INET6
    address, _, _ = parse_address(family, data)
    return address
