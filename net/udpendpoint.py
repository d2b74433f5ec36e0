"""One UDP endpoint: its address, its options, what it sends."""

from __future__ import annotations

import errno

from ovum.net.iface.membership import Memberships
from ovum.net.wire import addr
from ovum.net.wire.udp import HEADER, PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Path
    from ovum.net.protocols import UdpUser
    from ovum.net.udphost import UdpHost

    Buffer = bytes | bytearray | memoryview


DONT, WANT, DO, PROBE = 0, 1, 2, 3
"""IP_MTU_DISCOVER."""


class UdpEndpoint:
    """Options are fields: a socket's glue sets them. Addresses have the version's length: those of
    IPv4 at an endpoint of version 6 are mapped."""

    def __init__(self, host: UdpHost, version: int, user: UdpUser) -> None:
        self.host = host
        self.version = version
        """4 or 6."""
        self.user = user
        self.local = b""
        """Empty: any."""
        self.port = 0
        """0: not bound yet."""
        self.remote = b""
        """Empty: not connected."""
        self.remote_port = 0
        self.interface = 0
        """SO_BINDTODEVICE; or the scope of a link-local address that it is bound to. 0: any."""
        self.only_v6 = False
        self.broadcast = False
        self.reuse_address = False
        self.reuse_port = False
        self.hop_limit = 0
        """IP_TTL, IPV6_UNICAST_HOPS; 0: the default."""
        self.multicast_hop_limit = 1
        self.multicast_loop = True
        self.multicast_interface = 0
        self.multicast_source = b""
        """IP_MULTICAST_IF's address, if one was given."""
        self.multicast_all = True
        """IP_MULTICAST_ALL: also groups that others have joined."""
        self.traffic_class = 0
        self.no_checksum = False
        """SO_NO_CHECK: IPv4 only."""
        self.mtu_discover = WANT
        """IP_PMTUDISC_DONT, WANT, DO, PROBE: 0 to 3."""
        self.segment_size = 0
        """UDP_SEGMENT: what is sent is cut into datagrams of this size."""

        self.wire_local = b""
        """As on the wire: 4 bytes if it is mapped. For UdpHost."""
        self.wire_remote = b""
        self.members = Memberships(host.stack)
        self._bound = b""
        """What `local` was before it was connected."""
        self._path: Path | None = None
        """Of `wire_remote`."""

    def bind(self, address: bytes, port: int, scope: int = 0) -> None:
        """address: of the version's length; zeros or empty: any. port 0: a free one, by chance.
        Raises OSError: EADDRINUSE, EADDRNOTAVAIL, EINVAL."""
        size = 4 if self.version == 4 else 16
        if self.port or (address and len(address) != size) or not 0 <= port < 65536:
            raise OSError(errno.EINVAL, "bound already, or no address")
        if address and not any(address):
            address = b""
        wire = self._wire(address)
        if self.version == 6 and len(wire) == 4 and self.only_v6:
            raise OSError(errno.EINVAL, "an IPv4 address at an endpoint of IPv6 only")
        if wire and not any(wire):
            wire = b""  # ::ffff:0.0.0.0
        stack = self.host.stack
        if wire and not (
            stack.is_local(wire)
            or addr.is_multicast(wire)
            or (len(wire) == 4 and stack.is_broadcast(wire))
        ):
            raise OSError(errno.EADDRNOTAVAIL, "no address of ours")
        before = (self.local, self.wire_local, self.interface)
        self.local = self._bound = address
        self.wire_local = wire
        if scope:
            self.interface = scope
        try:
            self.host.bind(self, port)
        except OSError:
            self.local, self.wire_local, self.interface = before
            self._bound = b""
            raise

    def connect(self, address: bytes, port: int, scope: int = 0) -> None:
        """Only with that one from now on; binds if it is not bound. Empty: no longer.
        Raises OSError: EACCES (broadcast), ENETUNREACH, EADDRNOTAVAIL, EAGAIN (no port is free)."""
        if not address:
            self.remote = self.wire_remote = b""
            self.remote_port = 0
            self.local = self._bound
            self.wire_local = self._wire(self.local)
            self._path = None
            return
        wire = self._wire(address)
        path = self._find(wire, scope, b"", 0)
        if not self.port:
            self.bind(b"", 0)
        self.remote, self.wire_remote, self.remote_port = address, path.remote, port
        if path.remote != wire:  # of "any" has become this machine
            self.remote = self.outside(path.remote)
        if not self.wire_local:
            self.wire_local = path.local
            self.local = self.outside(path.local)
        self._path = path

    def send(
        self,
        data: Buffer,
        address: bytes = b"",
        port: int = 0,
        *,
        scope: int = 0,
        source: bytes = b"",
        interface: int = 0,
        hop_limit: int = 0,
        traffic_class: int = -1,
        segment_size: int = 0,
    ) -> None:
        """Sends a datagram; no address: where it is connected to. The rest is what control messages
        may say (IP_PKTINFO, IP_TTL, IP_TOS, UDP_SEGMENT). Raises OSError: EDESTADDRREQ, EACCES,
        EMSGSIZE, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EINVAL, EAGAIN."""
        if address:
            path = self._find(self._wire(address), scope or interface, source, interface)
        else:
            if not self.wire_remote:
                raise OSError(errno.EDESTADDRREQ, "not connected")
            port = self.remote_port
            kept = self._path
            if kept is not None and kept.valid and not (source or interface):
                path = kept
            else:
                path = self._find(self.wire_remote, self.interface, source, interface)
                if not (source or interface):
                    self._path = path
        if not port:
            raise OSError(errno.EINVAL, "to port 0")
        if not self.port:
            self.bind(b"", 0)
        size = len(data) + 8
        segment_size = segment_size or self.segment_size
        if size > (65515 if path.version == 4 else 65535) or (
            self.mtu_discover >= DO
            and (segment_size or size) > path.ip_mtu - (20 if path.version == 4 else 40)
        ):
            raise OSError(errno.EMSGSIZE, "the datagram is too long")
        if type(data) is not bytes:
            data = bytes(data)
        to_group = path.to_all and addr.is_multicast(path.remote)
        if not hop_limit:
            hop_limit = self.multicast_hop_limit if to_group else self.hop_limit
        if traffic_class < 0:
            traffic_class = self.traffic_class
        stack = self.host.stack
        protocol = self.host.protocol
        offset = -1 if self.no_checksum and path.version == 4 and protocol == PROTOCOL else 6
        pieces = (bytearray(HEADER.pack(self.port, port, size, 0)), data)
        if path.to_all and path.neighbor is not None:
            self._loop(path, pieces, offset, to_group, traffic_class)
            if to_group and not self.multicast_hop_limit:
                return  # only to ourselves
        if segment_size and size - 8 <= segment_size:
            segment_size = 0
        self.host.datagrams_out += 1 if not segment_size else -((8 - size) // segment_size)
        stack.send(
            path, protocol, pieces, offset, segment_size, hop_limit, traffic_class,
            self.mtu_discover == DONT,
        )  # fmt: skip

    def longest(self, address: bytes, scope: int = 0) -> int:
        """How many bytes a datagram to there may have. Raises OSError as `send`."""
        path = self._find(self._wire(address), scope, b"", 0)
        if self.mtu_discover >= DO and not self.segment_size:
            return path.ip_mtu - (28 if path.version == 4 else 48)
        return 65507 if path.version == 4 else 65527

    def _loop(
        self, path: Path, pieces: tuple[Buffer, ...], offset: int, to_group: bool, traffic: int
    ) -> None:
        """What goes to all comes to us, too; what goes to a group if we are of it."""
        stack = self.host.stack
        link = stack.interfaces[path.interface]
        if not to_group or (self.multicast_loop and path.remote in link.accept):
            stack.send_home(path, self.host.protocol, pieces, offset, 0, 1, traffic)

    def _find(self, wire: bytes, scope: int, source: bytes, interface: int) -> Path:
        """The path to an address."""
        if len(wire) not in (4, 16) or (self.version == 4 and len(wire) != 4):
            raise OSError(errno.EINVAL, "no address")
        if len(wire) == 4 and self.version == 6 and self.only_v6:
            raise OSError(errno.ENETUNREACH, "an IPv4 address from an endpoint of IPv6 only")
        local: bytes | None = self._wire(source) if source else self.wire_local
        interface = interface or scope or self.interface
        if addr.is_multicast(wire):
            interface = interface or self.multicast_interface
            if not local and len(self.multicast_source) == len(wire):
                local = self.multicast_source
        if local is not None and (not local or addr.is_multicast(local)):
            local = None
        if local is not None and len(local) != len(wire):
            raise OSError(errno.EINVAL, "bound to an address of the other version")
        if local is not None and len(local) == 4 and self.host.stack.is_broadcast(local):
            local = None
        path = self.host.stack.path(wire, local, interface)
        if path.to_all and not self.broadcast and not addr.is_multicast(wire):
            raise OSError(errno.EACCES, "SO_BROADCAST is not set")
        return path

    def _wire(self, address: bytes) -> bytes:
        if self.version == 6 and addr.is_mapped(address):
            return addr.from_mapped(address)
        return address

    def outside(self, wire: bytes) -> bytes:
        """An address as the user sees it."""
        if self.version == 6 and len(wire) == 4:
            return addr.to_mapped(wire)
        return wire

    def join(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """Becomes a member of a group; interface 0: the one that a route to it takes.
        source: from this sender only (IP_ADD_SOURCE_MEMBERSHIP).
        Raises OSError: EINVAL, ENODEV, EADDRINUSE (it is one already), ENOBUFS."""
        self.members.join(self._wire(group), interface, self._wire(source))

    def leave(self, group: bytes, interface: int = 0, source: bytes = b"") -> None:
        """Raises OSError: EADDRNOTAVAIL."""
        self.members.leave(self._wire(group), interface, self._wire(source))

    def close(self) -> None:
        """Leaves its groups and its port. Any number of times."""
        self.members.leave_all()
        self.host.forget(self)
        self.port = 0
        self._path = None
