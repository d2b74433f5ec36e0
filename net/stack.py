"""The stack: interfaces below, transports above, and all that is between."""

from __future__ import annotations

import errno

from ovum.net.iface.acd import Conflicts
from ovum.net.iface.address import LINK_LOCAL, STATIC, TENTATIVE, Address
from ovum.net.iface.arp import ArpTable
from ovum.net.iface.configuration import Configuration
from ovum.net.iface.dad import Detection
from ovum.net.iface.events import LINK
from ovum.net.iface.icmp4 import Icmp4
from ovum.net.iface.icmp6 import Icmp6
from ovum.net.iface.igmp import Groups4, Igmp
from ovum.net.iface.interface import BROADCAST, UNICAST, Interface
from ovum.net.iface.mld import Groups6
from ovum.net.iface.nd import NdTable
from ovum.net.iface.route import Route
from ovum.net.iface.routers import Routers
from ovum.net.iface.slaac import identifier
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from ovum.drivers.network import Offloads
    from ovum.net.settings import Settings

LOOPBACK_MTU = 65536
LINK_LOCAL_PREFIX = b"\xfe\x80" + bytes(6)
ETHERNET_LEAST_MTU = 68


class Stack(Configuration):
    """Implements `Ip`. All its methods run in one thread; none waits.

    The runner, for every batch: `receive` what a card has; `poll`; have transports send what they
    have; hand every `interface.take_outbox()` to its card. Then sleep until `next_deadline`.
    """

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        super().__init__(rng, settings)
        self.icmp4 = Icmp4(self)
        self.icmp6 = Icmp6(self)
        self.igmp = Igmp(self)
        self._next_index = 1
        self._add_loopback()

    # Interfaces

    def add_interface(
        self, name: str, mac: bytes, ip_mtu: int, offloads: Offloads | None = None, up: bool = True
    ) -> Interface:
        """A new interface, with the next index, and IPv6's link-local address on the way.
        Raises OSError: EEXIST, ENOSPC, EINVAL."""
        if len(mac) != 6 or mac[0] & 1 or not ETHERNET_LEAST_MTU <= ip_mtu <= 65535:
            raise OSError(errno.EINVAL, "no MAC or MTU of an interface")
        link = self._new_interface(name, mac, ip_mtu, offloads, up)
        link.accept[addr.BROADCAST4] = BROADCAST
        for address in self.local:
            if not (addr.is_loopback(address) or addr.needs_zone(address)):
                link.accept[address] = UNICAST
        link.groups4.join(self.now, addr.ALL_HOSTS4)
        if ip_mtu >= 1280:  # RFC 8200, 5
            link.groups6.join(self.now, addr.ALL_NODES6)
            self._add_link_local(link)
        self.tell(LINK, link)
        return link

    def _new_interface(
        self, name: str, mac: bytes, ip_mtu: int, offloads: Offloads | None, up: bool
    ) -> Interface:
        if self.interface_named(name) is not None:
            raise OSError(errno.EEXIST, "there is an interface of this name")
        if len(self.interfaces) >= self.settings.interfaces_max:
            raise OSError(errno.ENOSPC, "too many interfaces")
        link = Interface(
            self._next_index, name, mac, ip_mtu, offloads, up, self.settings.outbox_max
        )
        self._next_index += 1
        link.arp = ArpTable(self, link)
        link.nd = NdTable(self, link)
        link.conflicts = Conflicts(self, link)
        link.groups4 = Groups4(self, link)
        link.groups6 = Groups6(self, link)
        link.routers = Routers(self, link)
        link.detection = Detection(self, link)
        self.interfaces[link.index] = link
        return link

    def _add_loopback(self) -> None:
        link = self._new_interface("lo", b"", LOOPBACK_MTU, None, True)
        self.put_address(0, Address(link.index, addr.LOOPBACK4, 8), check=False, route=False)
        self.put_address(0, Address(link.index, addr.LOOPBACK6, 128), check=False, route=False)
        # Without being shown as the interface's, as on Linux.
        link.accept[b"\x7f\xff\xff\xff"] = BROADCAST

    def _add_link_local(self, link: Interface) -> None:
        value = LINK_LOCAL_PREFIX + identifier(self, link, 0)
        address = Address(link.index, value, 64, TENTATIVE, LINK_LOCAL)
        self.put_address(self.now, address, check=True)

    def remove_interface(self, now: int, interface: Interface) -> None:
        """It is gone, with its addresses and routes."""
        if interface.loopback:
            raise OSError(errno.EINVAL, "the loopback interface stays")
        self.now = now
        self.link_changed(now, interface, False)
        for address in (*interface.addresses4.values(), *interface.addresses6.values()):
            self.remove_address(now, address)
        for table in (self.routes4, self.routes6):
            for route in table.all():
                if route.interface == interface.index:
                    self.drop_route(now, route)
        self.reassembler.clear(interface.index)
        del self.interfaces[interface.index]
        self.flush_paths()
        self.tell(LINK, interface)

    def link_changed(self, now: int, interface: Interface, up: bool) -> None:
        """A cable has been plugged in or pulled. Down: what neighbors there are is forgotten, and
        addresses and routes are kept, but nothing is sent. Up: addresses are announced, those that
        were not checked yet are, groups are told and routers are asked for."""
        self.now = now
        if interface.up == up:
            return
        interface.set_up(up)
        self.flush_paths()
        interface.arp.clear()
        interface.nd.clear()
        if up:
            self._link_up(now, interface)
        else:
            interface.routers.stop()
            interface.take_outbox(now)
            for address in interface.addresses6:
                interface.detection.stop(address)
        self.tell(LINK, interface)

    def _link_up(self, now: int, interface: Interface) -> None:
        interface.groups4.link_up(now)
        interface.groups6.link_up(now)
        for value in interface.addresses4:
            interface.conflicts.announce(now, value)
        for value, address in interface.addresses6.items():
            if address.state == TENTATIVE:
                interface.detection.start(now, address, self._checked)
            else:
                interface.nd.announce(value)
        if interface.link_local() is not None:
            interface.routers.ask(now)

    def interface_named(self, name: str) -> Interface | None:
        """By its name."""
        for link in self.interfaces.values():
            if link.name == name:
                return link
        return None

    # Time

    def poll(self, now: int) -> None:
        """Does what is due: timers, and packets that this machine has sent to itself."""
        self.now = now
        self.timers.run(now)
        if self.home or self.home_errors:
            self.receive_home(now)

    def next_deadline(self) -> int | None:
        """When `poll` has something to do; in the past: at once; None: never."""
        if self.home or self.home_errors:
            return self.now
        return self.timers.next_deadline()

    # Addresses and routes: IPv4 and IPv6 alike, by the length of the address

    def add_address(
        self,
        now: int,
        interface: Interface,
        address: bytes,
        prefix_length: int,
        *,
        origin: int = STATIC,
        preferred_ns: int | None = None,
        valid_ns: int | None = None,
        check: bool = True,
        broadcast: bytes | None = None,
        route: bool = True,
    ) -> Address:
        """Gives an interface an address, with the route to its prefix; one that is there gets the
        new lifetimes.

        IPv6 and check: it is tentative until duplicate address detection has passed. IPv4 is in use
        at once, and announced: whoever wants to know first calls `probe_address`.
        Raises OSError: EINVAL, ENOSPC.
        """
        self.now = now
        size = len(address)
        if (
            size not in (4, 16)
            or not 0 <= prefix_length <= size * 8
            or addr.is_multicast(address)
            or addr.is_unspecified(address)
            or (size == 4 and (address[0] == 0 or address[0] >= 224))
        ):
            raise OSError(errno.EINVAL, "no address of a host")
        preferred = None if preferred_ns is None else now + preferred_ns
        valid = None if valid_ns is None else now + valid_ns
        known = (interface.addresses4 if size == 4 else interface.addresses6).get(address)
        if known is not None and known.prefix_length == prefix_length:
            known.preferred_until, known.valid_until, known.origin = preferred, valid, origin
            self.lifetimes_changed(now, known)
            return known
        if known is not None:
            self.remove_address(now, known)
        elif address in self.local:
            raise OSError(errno.EEXIST, "another interface has the address")
        made = Address(interface.index, address, prefix_length, TENTATIVE, origin, preferred, valid)
        if size == 4 and not interface.loopback:
            if broadcast is None and prefix_length < 31:  # RFC 3021
                broadcast = addr.broadcast(address, prefix_length)
            made.broadcast = broadcast or b""
        self.put_address(now, made, check, route)
        return made

    def del_address(self, now: int, interface: Interface, address: bytes) -> None:
        """Takes it away. Raises OSError: EADDRNOTAVAIL."""
        self.now = now
        known = (interface.addresses4 if len(address) == 4 else interface.addresses6).get(address)
        if known is None:
            raise OSError(errno.EADDRNOTAVAIL, "the interface has no such address")
        self.remove_address(now, known)

    def probe_address(
        self, now: int, interface: Interface, address: bytes, done: Callable[[int, bool], None]
    ) -> None:
        """Finds out whether somebody has an IPv4 address (RFC 5227, 2.1.1): done(now, free) is
        called once, in 4 to 7 seconds, or when somebody answers. For DHCP and link-local."""
        self.now = now
        interface.conflicts.probe(now, address, done)

    def cancel_probe(self, interface: Interface, address: bytes) -> None:
        """done is not called."""
        interface.conflicts.cancel(address)

    def add_route(
        self,
        now: int,
        destination: bytes,
        prefix_length: int,
        interface: Interface,
        gateway: bytes | None = None,
        *,
        metric: int = 0,
        source: bytes | None = None,
        origin: int = 0,
        valid_ns: int | None = None,
    ) -> Route:
        """Adds one, or puts it in the place of one to the same prefix with the same gateway,
        interface, metric and origin. Raises OSError: EINVAL, ENOSPC, ENETUNREACH (a gateway that is
        not on the link)."""
        self.now = now
        size = len(destination)
        if (
            size not in (4, 16)
            or not 0 <= prefix_length <= size * 8
            or destination != addr.network(destination, prefix_length)
            or (gateway is not None and len(gateway) != size)
        ):
            raise OSError(errno.EINVAL, "no route")
        if gateway is not None and not self._is_on_link(interface, gateway):
            raise OSError(errno.ENETUNREACH, "the gateway is not on the link")
        expires = None if valid_ns is None else now + valid_ns
        route = Route(
            destination, prefix_length, interface.index, gateway, metric, source, origin, expires
        )
        self.put_route(now, route)
        return route

    def _is_on_link(self, interface: Interface, gateway: bytes) -> bool:
        if addr.is_link_local(gateway) and len(gateway) == 16:
            return True
        routes = self.table(gateway).find(gateway, interface.index)
        return bool(routes) and routes[0].gateway is None and not self.is_local(gateway)

    def del_route(
        self,
        now: int,
        destination: bytes,
        prefix_length: int,
        interface: Interface | None = None,
        gateway: bytes | None = None,
        metric: int | None = None,
    ) -> None:
        """Removes the first that fits. Raises OSError: ESRCH."""
        self.now = now
        for route in self.table(destination).exact(destination, prefix_length):
            if (
                (interface is None or route.interface == interface.index)
                and (gateway is None or route.gateway == gateway)
                and (metric is None or route.metric == metric)
            ):
                self.drop_route(now, route)
                return
        raise OSError(errno.ESRCH, "no such route")

    def routes(self, version: int) -> list[Route]:
        """All of them, 4 or 6, the most specific first."""
        return (self.routes4 if version == 4 else self.routes6).all()

    # Groups

    def join(self, now: int, interface: Interface, group: bytes) -> None:
        """One more member of a multicast group, 4 or 6, on an interface.
        Raises OSError: EINVAL, ENOBUFS."""
        self.now = now
        if len(group) not in (4, 16) or not addr.is_multicast(group):
            raise OSError(errno.EINVAL, "no multicast group")
        (interface.groups4 if len(group) == 4 else interface.groups6).join(now, group)

    def leave(self, now: int, interface: Interface, group: bytes) -> None:
        """One less. Raises OSError: EADDRNOTAVAIL."""
        self.now = now
        (interface.groups4 if len(group) == 4 else interface.groups6).leave(now, group)
