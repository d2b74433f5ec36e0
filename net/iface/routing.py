"""Which way packets go: routes, source addresses, neighbors, and what is known of a path's MTU.

Paths are kept, so that all this is done once for a remote address and not for each packet. Whatever
changes makes all of them invalid: that is rare, and they are made again when they are used.
"""

from __future__ import annotations

import errno

from ovum.net.iface.interface import BROADCAST, UNICAST
from ovum.net.iface.neighbor import FAILED, Neighbor
from ovum.net.iface.output import Output
from ovum.net.iface.routes import RouteTable
from ovum.net.iface.selection import choose_source
from ovum.net.ip import Path
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.route import Route
    from ovum.net.settings import Settings

_ETHERNET_ALL = b"\xff" * 6


class Routing(Output):
    """Paths."""

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        super().__init__(rng, settings)
        self.routes4 = RouteTable(4, self.settings.routes_max)
        self.routes6 = RouteTable(6, self.settings.routes_max)
        self.local: dict[bytes, Address] = {}
        """All our addresses that are in use. 127.0.0.0/8 is ours without being in it."""
        self._paths: dict[bytes, list[Path]] = {}
        """By remote address."""
        self.path_count = 0
        self._path_mtus: dict[bytes, tuple[int, int]] = {}
        """(MTU, until when it is believed) by remote address."""

    def is_local(self, address: bytes) -> bool:
        """See Ip."""
        return address in self.local or (len(address) == 4 and address[0] == 127)

    def is_broadcast(self, address: bytes) -> bool:
        """255.255.255.255, or of a network that we are in."""
        if address == addr.BROADCAST4:
            return True
        return any(link.accept.get(address) == BROADCAST for link in self.interfaces.values())

    def path(self, remote: bytes, local: bytes | None = None, interface: int = 0) -> Path:
        """See Ip."""
        ways = self._paths.get(remote)
        asked = (local, interface)
        if ways is not None:
            for path in ways:
                if path.asked == asked:
                    return path
        path = self._new_path(remote, local, interface)
        path.asked = asked
        if self.path_count >= self.settings.paths_max:
            self._forget_oldest_paths()
        self.path_count += 1
        self._paths.setdefault(remote, []).append(path)
        return path

    def flush_paths(self) -> None:
        """Something has changed that they were made of."""
        for ways in self._paths.values():
            for path in ways:
                path.valid = False
        self._paths = {}
        self.path_count = 0

    def learn_path_mtu(self, remote: bytes, ip_mtu: int) -> bool:
        """A router has said that only smaller packets get through to an address, of which a
        transport knows. Whether that is news (RFC 1191, 6.3; RFC 8201, 4)."""
        floor = self.settings.path_mtu_floor4 if len(remote) == 4 else 1280
        ip_mtu = max(ip_mtu, floor)
        ways = self._paths.get(remote)
        if not ways or all(path.ip_mtu <= ip_mtu for path in ways):
            self.counters.count("path_mtu_not_lower")
            return False
        mtus = self._path_mtus
        mtus.pop(remote, None)
        if len(mtus) >= self.settings.path_mtus_max:
            del mtus[next(iter(mtus))]
        mtus[remote] = (ip_mtu, self.now + self.settings.path_mtu_ns)
        for path in ways:
            path.ip_mtu = min(path.ip_mtu, ip_mtu)
        self.path_mtu_timer(self.now + self.settings.path_mtu_ns)
        self.counters.count("path_mtu_lowered")
        return True

    def path_mtu_timer(self, at: int) -> None:
        """For Stack: something expires then."""

    def expire_path_mtus(self, now: int) -> None:
        """Larger packets are tried again: the route may have changed (RFC 1191, 6.3)."""
        mtus = self._path_mtus
        while mtus:
            remote = next(iter(mtus))
            until = mtus[remote][1]
            if until > now:
                self.path_mtu_timer(until)
                return
            del mtus[remote]
            for path in self._paths.get(remote, ()):
                path.ip_mtu = self._link_mtu(self.interfaces[path.interface], path.version)

    @property
    def path_mtu_count(self) -> int:
        """Of how many addresses something is known."""
        return len(self._path_mtus)

    def known_path_mtu(self, remote: bytes) -> int:
        """0: nothing is known."""
        return self._path_mtus.get(remote, (0, 0))[0]

    # Within

    def _forget_oldest_paths(self) -> None:
        for remote in list(self._paths)[: max(1, len(self._paths) // 8)]:
            for path in self._paths.pop(remote):
                path.valid = False
                self.path_count -= 1

    def _link_mtu(self, link: Interface, version: int) -> int:
        if version == 6 and link.link_mtu6:
            return min(link.link_mtu6, link.ip_mtu)
        return link.ip_mtu

    def _new_path(self, remote: bytes, local: bytes | None, interface: int) -> Path:
        if len(remote) not in (4, 16) or (local is not None and len(local) != len(remote)):
            raise OSError(errno.EINVAL, "addresses of two kinds")
        if interface and interface not in self.interfaces:
            raise OSError(errno.ENODEV, "no such interface")
        if local is not None and addr.is_unspecified(local):
            if remote == addr.BROADCAST4 and interface:
                return self._to_all(self.interfaces[interface], remote, local)
            local = None
        if addr.is_unspecified(remote):
            # As Linux: whoever connects to "any" means this machine.
            remote = addr.LOOPBACK4 if len(remote) == 4 else addr.LOOPBACK6
        if local is not None and not self.is_local(local):
            raise OSError(errno.EADDRNOTAVAIL, "the source is no address of ours")
        if addr.is_multicast(remote) or (len(remote) == 4 and self.is_broadcast(remote)):
            return self._to_group(remote, local, interface)
        if self.is_local(remote):
            return self._home(remote, local)
        if local is not None and addr.is_loopback(local):
            raise OSError(errno.EINVAL, "from the loopback address to another machine")
        return self._routed(remote, local, interface)

    def _home(self, remote: bytes, local: bytes | None) -> Path:
        link = self.interfaces[1]
        mtu = min(link.ip_mtu, 65535)
        path = Path(local if local is not None else remote, remote, link.index, mtu)
        path.hop_limit = self.settings.hop_limit
        path.segments_large = True
        if path.version == 6 and addr.is_link_local(remote):
            path.interface = self.local[remote].interface
        return path

    def _routed(self, remote: bytes, local: bytes | None, interface: int) -> Path:
        if len(remote) == 16 and addr.is_link_local(remote):
            if not interface and local is not None and addr.is_link_local(local):
                interface = self.local[local].interface
            if not interface:
                raise OSError(errno.EINVAL, "a link-local address needs an interface")
            link = self.interfaces[interface]
            route = None
        else:
            route = self._route(remote, interface)
            if route is None:
                raise OSError(errno.ENETUNREACH, "no route")
            link = self.interfaces[route.interface]
        if not link.up:
            raise OSError(errno.ENETUNREACH, "the cable is unplugged")
        hop = remote
        if route is not None and route.gateway is not None:
            hop = route.gateway
        if local is None:
            local = route.source if route is not None else None
            if local is None or local not in self.local:
                local = self.source(remote, link, hop)
        neighbor = (link.arp if len(hop) == 4 else link.nd).find(hop)
        path = Path(local, remote, link.index, self._link_mtu(link, len(remote)), neighbor)
        self._finish(path, link, route)
        return path

    def _finish(self, path: Path, link: Interface, route: Route | None) -> None:
        path.hop_limit = self.settings.hop_limit
        path.ip_mtu = self._link_mtu(link, path.version)
        if path.version == 6:
            path.hop_limit = link.hop_limit6 or path.hop_limit
            path.flow = self.rng.getrandbits(20)
            path.segments_large = link.segments6
        else:
            path.segments_large = link.segments4
        if route is not None and route.ip_mtu:
            path.ip_mtu = min(path.ip_mtu, route.ip_mtu)
        known = self.known_path_mtu(path.remote)
        if known:
            path.ip_mtu = min(path.ip_mtu, known)

    def _route(self, remote: bytes, interface: int) -> Route | None:
        """The best one; of several, one whose interface is up and whose router answers
        (RFC 4861, 6.3.6)."""
        table = self.routes4 if len(remote) == 4 else self.routes6
        routes = table.find(remote, interface)
        if len(routes) > 1:
            for route in routes:
                if self._is_usable(route):
                    return route
        return routes[0] if routes else None

    def _is_usable(self, route: Route) -> bool:
        link = self.interfaces[route.interface]
        if not link.up:
            return False
        if route.gateway is None:
            return True
        table = link.arp if len(route.gateway) == 4 else link.nd
        neighbor = table.entries.get(route.gateway)
        return neighbor is None or neighbor.state != FAILED

    def source(self, remote: bytes, link: Interface, hop: bytes) -> bytes:
        """The address that packets to a remote one are from. Raises OSError: EADDRNOTAVAIL,
        ENETUNREACH."""
        if len(remote) == 16:
            candidates = [
                each
                for each in self.local.values()
                if len(each.address) == 16
                and (each.interface == link.index or not addr.needs_zone(remote))
                and (each.interface == link.index or not addr.needs_zone(each.address))
                and not addr.is_loopback(each.address)
            ]
            best = choose_source(candidates, remote, link.index)
            if best is None:
                raise OSError(errno.EADDRNOTAVAIL, "no address to send from")
            return best.address
        found = None
        for each in link.addresses4.values():
            if link.accept.get(each.address) != UNICAST:
                continue
            if addr.in_prefix(hop, each.address, each.prefix_length):
                return each.address
            found = found or each.address
        if found is None:
            for each in self.local.values():
                if len(each.address) == 4 and not addr.is_loopback(each.address):
                    return each.address
            raise OSError(errno.ENETUNREACH, "no address to send from")
        return found

    def _to_group(self, remote: bytes, local: bytes | None, interface: int) -> Path:
        """To all, or to a group."""
        link = self.interfaces[interface] if interface else self._group_interface(remote, local)
        if not link.up:
            raise OSError(errno.ENETUNREACH, "the cable is unplugged")
        if local is None:
            if link.loopback:
                local = addr.LOOPBACK4 if len(remote) == 4 else addr.LOOPBACK6
            elif len(remote) == 4 and not link.addresses4 and remote == addr.BROADCAST4:
                local = addr.ANY4
            else:
                local = self.source(remote, link, remote)
        return self._to_all(link, remote, local)

    def _group_interface(self, remote: bytes, local: bytes | None) -> Interface:
        if local is not None and local in self.local:
            return self.interfaces[self.local[local].interface]
        if len(remote) == 4 and remote != addr.BROADCAST4 and not addr.is_multicast(remote):
            for link in self.interfaces.values():
                if link.accept.get(remote) == BROADCAST:
                    return link
        table = self.routes4 if len(remote) == 4 else self.routes6
        for route in table.find(remote):
            return self.interfaces[route.interface]
        if len(remote) == 16:
            for link in self.interfaces.values():
                if link.up and not link.loopback:
                    return link
        raise OSError(errno.ENETUNREACH, "no route")

    def _to_all(self, link: Interface, remote: bytes, local: bytes) -> Path:
        neighbor: Neighbor | None = None
        if not link.loopback:
            table = link.arp if len(remote) == 4 else link.nd
            neighbor = Neighbor(table, remote, None)
            neighbor.state = 0
            group = addr.is_multicast(remote)
            table.set_mac(neighbor, addr.multicast_mac(remote) if group else _ETHERNET_ALL)
        path = Path(local, remote, link.index, link.ip_mtu, neighbor)
        self._finish(path, link, None)
        path.to_all = True
        path.segments_large = False
        return path
