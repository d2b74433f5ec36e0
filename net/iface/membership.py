"""The multicast groups that an endpoint has joined, and from whom it takes packets to them."""

from __future__ import annotations

import errno

from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet
    from ovum.net.stack import Stack


class Memberships:
    """Of one endpoint. Addresses as on the wire, none mapped."""

    __slots__ = ("_joined", "_stack")

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._joined: dict[tuple[bytes, int], set[bytes] | None] = {}
        """By group and interface: the sources that are wanted, None: all."""

    def __len__(self) -> int:
        return len(self._joined)

    def _interface(self, group: bytes, interface: int) -> int:
        if len(group) not in (4, 16) or not addr.is_multicast(group):
            raise OSError(errno.EINVAL, "no multicast group")
        if not interface:
            try:
                interface = self._stack.path(group).interface
            except OSError:
                raise OSError(errno.ENODEV, "no interface for the group") from None
        if interface not in self._stack.interfaces:
            raise OSError(errno.ENODEV, "no such interface")
        return interface

    def join(self, group: bytes, interface: int, source: bytes) -> None:
        """See UdpEndpoint.join."""
        stack = self._stack
        interface = self._interface(group, interface)
        key = (group, interface)
        joined = key in self._joined
        sources = self._joined.get(key)
        if source:
            if joined and sources is None:
                raise OSError(errno.EINVAL, "a member for all sources already")
            if sources is not None and source in sources:
                raise OSError(errno.EADDRNOTAVAIL, "a member for the source already")
            if sources is not None and len(sources) >= stack.settings.sources_max:
                raise OSError(errno.ENOBUFS, "too many sources")
        elif joined:
            raise OSError(errno.EADDRINUSE, "a member already")
        if not joined:
            if len(self._joined) >= stack.settings.groups_max:
                raise OSError(errno.ENOBUFS, "too many groups")
            stack.join(stack.now, stack.interfaces[interface], group)
        if source:
            sources = self._joined[key] = sources or set()
            sources.add(source)
        else:
            self._joined[key] = None

    def leave(self, group: bytes, interface: int, source: bytes) -> None:
        """See UdpEndpoint.leave."""
        if not interface:
            for known, index in self._joined:
                if known == group:
                    interface = index
                    break
        key = (group, interface)
        if key not in self._joined:
            raise OSError(errno.EADDRNOTAVAIL, "not a member of the group")
        sources = self._joined[key]
        if source:
            if sources is None or source not in sources:
                raise OSError(errno.EADDRNOTAVAIL, "not a member for the source")
            sources.remove(source)
            if sources:
                return
        self._leave(key)

    def _leave(self, key: tuple[bytes, int]) -> None:
        del self._joined[key]
        link = self._stack.interfaces.get(key[1])
        if link is not None:
            self._stack.leave(self._stack.now, link, key[0])

    def leave_all(self) -> None:
        """Leaves all of them."""
        for key in list(self._joined):
            self._leave(key)

    def wants(self, packet: Packet, otherwise: bool) -> bool:
        """Whether a packet to a group is wanted; otherwise: by those who have not joined it."""
        key = (packet.dst, packet.interface)
        if key not in self._joined:
            return otherwise
        sources = self._joined[key]
        return sources is None or packet.src in sources
