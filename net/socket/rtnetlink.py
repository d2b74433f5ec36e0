"""Messages of NETLINK_ROUTE (rtnetlink(7)): what interfaces, addresses, routes and neighbors look
like to getifaddrs(3), `ip` and their like."""

from __future__ import annotations

from _struct import Struct

from ovum.net.iface import neighbor as neighbors
from ovum.net.socket import interfaces
from ovum.net.socket.address import AF_INET, AF_INET6, is_any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.iface.route import Route

NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_GETNEIGH, RTM_GETRULE = 28, 30, 34
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300

HEADER = Struct("<IHHII")
"""struct nlmsghdr: length, type, flags, sequence, port."""

_LINK = Struct("<BxHiII")
_ADDRESS = Struct("<BBBBI")
_ROUTE = Struct("<BBBBBBBBI")
_WORD = Struct("<I")
_LIFETIMES = Struct("<IIII")

_IFLA_ADDRESS, _IFLA_BROADCAST, _IFLA_IFNAME, _IFLA_MTU = 1, 2, 3, 4
_IFLA_QDISC, _IFLA_STATS, _IFLA_TXQLEN, _IFLA_OPERSTATE = 6, 7, 13, 16
_IFLA_LINKMODE, _IFLA_STATS64, _IFLA_GROUP, _IFLA_PROMISCUITY, _IFLA_CARRIER = 17, 23, 27, 30, 33
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_CACHEINFO, _IFA_FLAGS = 1, 2, 3, 4, 6, 8
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_PREFSRC, _RTA_TABLE = 1, 4, 5, 6, 7, 15

_IFA_F_PERMANENT, _IFA_F_TENTATIVE, _IFA_F_DADFAILED, _IFA_F_DEPRECATED = 0x80, 0x40, 0x08, 0x20
_IFA_F_TEMPORARY = 0x01
_STATE_FLAGS = (_IFA_F_TENTATIVE, 0, _IFA_F_DEPRECATED, _IFA_F_DADFAILED)
"""By Address.state: tentative, preferred, deprecated, duplicate."""

_NEIGHBOR = Struct("<BxxxiHBB")
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD = {
    neighbors.PERMANENT: 0x80, neighbors.REACHABLE: 0x02, neighbors.STALE: 0x04,
    neighbors.DELAY: 0x08, neighbors.PROBE: 0x10, neighbors.INCOMPLETE: 0x01,
    neighbors.FAILED: 0x20, neighbors.GONE: 0x00,
}  # fmt: skip
_NTF_ROUTER, _RTN_UNICAST, _RTN_MULTICAST = 0x80, 1, 5

_TABLE_MAIN, _TABLE_LOCAL = 254, 255
_PROTOCOL_KERNEL, _PROTOCOL_STATIC, _PROTOCOL_DHCP, _PROTOCOL_RA, _PROTOCOL_REDIRECT = (
    2,
    4,
    16,
    9,
    1,
)
_PROTOCOLS = (
    _PROTOCOL_STATIC, _PROTOCOL_KERNEL, _PROTOCOL_DHCP, _PROTOCOL_RA, _PROTOCOL_REDIRECT,
)  # fmt: skip
"""By Route.origin."""

_SCOPE_UNIVERSE, _SCOPE_LINK, _SCOPE_HOST = 0, 253, 254
_FOREVER = 0xFFFFFFFF
_UP, _DOWN, _UNKNOWN = 6, 2, 0
"""Operational states (RFC 2863)."""


def message(kind: int, flags: int, sequence: int, port: int, body: bytes) -> bytes:
    """One message, padded so that another may follow."""
    size = HEADER.size + len(body)
    return HEADER.pack(size, kind, flags, sequence, port) + body + bytes(-size % 4)


def attribute(kind: int, data: bytes) -> bytes:
    """One attribute, padded."""
    size = 4 + len(data)
    return size.to_bytes(2, "little") + kind.to_bytes(2, "little") + data + bytes(-size % 4)


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, _WORD.pack(value))


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes behind a message's own structure; what is malformed ends them."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + 4 <= len(data):
        size = int.from_bytes(data[offset : offset + 2], "little")
        if size < 4 or offset + size > len(data):
            break
        kind = int.from_bytes(data[offset + 2 : offset + 4], "little") & 0x3FFF
        found[kind] = data[offset + 4 : offset + size]
        offset += size + 3 & ~3
    return found


def link(interface: Interface) -> bytes:
    """The body of RTM_NEWLINK."""
    state = _UNKNOWN if interface.loopback else _UP if interface.up else _DOWN
    received, sent = interface.received_frames, interface.sent_frames
    counts = (received, sent, interface.received_bytes, interface.sent_bytes)
    statistics = b"".join(count.to_bytes(8, "little") for count in counts)
    short = b"".join((count & 0xFFFFFFFF).to_bytes(4, "little") for count in counts)
    broadcast = bytes(6) if interface.loopback else interfaces.BROADCAST_MAC
    return b"".join(
        (
            _LINK.pack(
                0,
                interfaces.hardware_type(interface),
                interface.index,
                interfaces.flags(interface),
                0,
            ),
            attribute(_IFLA_IFNAME, interface.name.encode() + b"\0"),
            _number(_IFLA_TXQLEN, interfaces.QUEUE_LENGTH),
            attribute(_IFLA_OPERSTATE, bytes((state,))),
            attribute(_IFLA_LINKMODE, b"\0"),
            _number(_IFLA_MTU, interface.ip_mtu),
            _number(_IFLA_GROUP, 0),
            _number(_IFLA_PROMISCUITY, 0),
            attribute(_IFLA_CARRIER, bytes((interface.up or interface.loopback,))),
            attribute(_IFLA_QDISC, b"noqueue\0"),
            attribute(_IFLA_ADDRESS, interfaces.mac(interface)),
            attribute(_IFLA_BROADCAST, broadcast),
            attribute(_IFLA_STATS64, statistics.ljust(24 * 8, b"\0")),
            attribute(_IFLA_STATS, short.ljust(24 * 4, b"\0")),
        )
    )


def address(interface: Interface, entry: Address, now: int) -> bytes:
    """The body of RTM_NEWADDR."""
    data = entry.address
    flags = _STATE_FLAGS[entry.state]
    flags |= _IFA_F_PERMANENT if entry.valid_until is None else 0
    flags |= _IFA_F_TEMPORARY if entry.temporary else 0
    is4 = len(data) == 4
    body = _ADDRESS.pack(
        AF_INET if is4 else AF_INET6,
        entry.prefix_length,
        flags & 0xFF,
        _scope(data),
        interface.index,
    )
    body += attribute(_IFA_ADDRESS, data)
    if is4:
        body += attribute(_IFA_LOCAL, data)
        if entry.broadcast:
            body += attribute(_IFA_BROADCAST, entry.broadcast)
        body += attribute(_IFA_LABEL, interface.name.encode() + b"\0")
    body += _number(_IFA_FLAGS, flags)
    left = _seconds(entry.preferred_until, now), _seconds(entry.valid_until, now)
    return body + attribute(_IFA_CACHEINFO, _LIFETIMES.pack(*left, 0, 0))


def _scope(data: bytes) -> int:
    if (data[0] == 127 and len(data) == 4) or data == bytes(15) + b"\1":
        return _SCOPE_HOST
    link_local = data[:2] == b"\xa9\xfe" if len(data) == 4 else data[:1] == b"\xfe"
    return _SCOPE_LINK if link_local else _SCOPE_UNIVERSE


def _seconds(until: int | None, now: int) -> int:
    return _FOREVER if until is None else max(until - now, 0) // 1_000_000_000


def route(entry: Route) -> bytes:
    """The body of RTM_NEWROUTE."""
    is4 = len(entry.destination) == 4
    scope = _SCOPE_LINK if is4 and not entry.gateway else _SCOPE_UNIVERSE
    body = _ROUTE.pack(
        AF_INET if is4 else AF_INET6,
        entry.prefix_length,
        0,
        0,
        _TABLE_MAIN,
        _PROTOCOLS[entry.origin],
        scope,
        1,  # RTN_UNICAST
        0,
    )
    body += _number(_RTA_TABLE, _TABLE_MAIN)
    if entry.prefix_length or not is_any(entry.destination):
        body += attribute(_RTA_DST, entry.destination)
    if entry.gateway:
        body += attribute(_RTA_GATEWAY, entry.gateway)
    if entry.source:
        body += attribute(_RTA_PREFSRC, entry.source)
    if entry.metric:
        body += _number(_RTA_PRIORITY, entry.metric)
    return body + _number(_RTA_OIF, entry.interface)


def local_route(remote: bytes, source: bytes, interface: int, gateway: bytes | None) -> bytes:
    """The body of the answer to `ip route get`."""
    is4 = len(remote) == 4
    body = _ROUTE.pack(
        AF_INET if is4 else AF_INET6, 8 * len(remote), 0, 0, _TABLE_MAIN, 0, 0, 1, 0x200
    )
    body += _number(_RTA_TABLE, _TABLE_MAIN) + attribute(_RTA_DST, remote)
    if gateway:
        body += attribute(_RTA_GATEWAY, gateway)
    return body + _number(_RTA_OIF, interface) + attribute(_RTA_PREFSRC, source)


def neighbor(entry: Neighbor) -> bytes:
    """The body of RTM_NEWNEIGH."""
    is4 = len(entry.address) == 4
    to_all = entry.mac[:1] and entry.mac[0] & 1
    body = _NEIGHBOR.pack(
        AF_INET if is4 else AF_INET6,
        entry.link.index,
        # What needs no question is NUD_NOARP in Linux.
        0x40 if to_all else _NUD[entry.state],
        _NTF_ROUTER if entry.router else 0,
        _RTN_MULTICAST if to_all else _RTN_UNICAST,
    )
    body += attribute(_NDA_DST, entry.address)
    return body + attribute(_NDA_LLADDR, entry.mac) if entry.mac else body
