"""Addresses and routes: how they come, how long they last, what goes with them."""

from __future__ import annotations

import errno

from ovum.net.iface.address import ADVERTISED as FROM_ROUTER
from ovum.net.iface.address import DEPRECATED, DUPLICATE, LINK_LOCAL, PREFERRED, TENTATIVE
from ovum.net.iface.events import ADDRESS, CONFLICT, ROUTE
from ovum.net.iface.input import Input
from ovum.net.iface.interface import BROADCAST, UNICAST
from ovum.net.iface.route import KERNEL, REDIRECT, Route
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.iface.routes import RouteTable
    from ovum.net.settings import Settings

PREFIX_METRIC6 = 256


class Configuration(Input):
    """Addresses and routes of all interfaces."""

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        super().__init__(rng, settings)
        self._lifetimes = self.timers.new(self._address_lifetimes)
        self._route_lifetimes = self.timers.new(self._expire_routes)

    # Addresses

    def put_address(self, now: int, address: Address, check: bool, route: bool = True) -> None:
        """Gives its interface an address that it has not. Raises OSError: ENOSPC."""
        link = self.interfaces[address.interface]
        is_v4 = len(address.address) == 4
        addresses = link.addresses4 if is_v4 else link.addresses6
        if len(addresses) >= self.settings.addresses_max:
            raise OSError(errno.ENOSPC, "too many addresses")
        addresses[address.address] = address
        if is_v4 or link.loopback:
            self._begin(now, address, route)
            return
        link.groups6.join(now, addr.solicited_node(address.address))
        if check and self.settings.dad_transmits:
            address.state = TENTATIVE
            self.tell(ADDRESS, address)
            if link.up:
                link.detection.start(now, address, self._checked)
        else:
            self._begin(now, address, route)

    def _begin(self, now: int, address: Address, route: bool = True) -> None:
        """It is in use from now on."""
        link = self.interfaces[address.interface]
        value = address.address
        address.state = PREFERRED
        self.local[value] = address
        for each in self.interfaces.values():
            # A packet for one of our addresses is for us, whatever card it comes by; but not if
            # the address means something on its own link only.
            if each is link or not (addr.is_loopback(value) or addr.needs_zone(value)):
                each.accept[value] = UNICAST
        if address.broadcast:
            link.accept[address.broadcast] = BROADCAST
        if route and not link.loopback and not addr.needs_zone(value):
            self._prefix_route(now, address)
        self.flush_paths()
        self.lifetimes_changed(now, address)
        if len(value) == 4 and not link.loopback and link.up:
            link.conflicts.announce(now, value)
        if address.origin == LINK_LOCAL:
            link.routers.ask(now)

    def _prefix_route(self, now: int, address: Address) -> None:
        value, length = address.address, address.prefix_length
        if address.origin == FROM_ROUTER or length == len(value) * 8:
            return
        metric = 0 if len(value) == 4 else PREFIX_METRIC6
        network = addr.network(value, length)
        for each in self.table(value).exact(network, length):
            if each.origin == KERNEL and each.interface == address.interface:
                return  # the first address of a network stays the one that is sent from
        source = value if len(value) == 4 else None
        self.put_route(now, Route(network, length, address.interface, None, metric, source, KERNEL))

    def remove_address(self, now: int, address: Address) -> None:
        """Takes one away, with what goes with it."""
        link = self.interfaces[address.interface]
        value = address.address
        is_v4 = len(value) == 4
        (link.addresses4 if is_v4 else link.addresses6).pop(value, None)
        if self.local.get(value) is address:
            del self.local[value]
            for each in self.interfaces.values():
                each.accept.pop(value, None)
        if is_v4:
            link.conflicts.forget(value)
        elif not link.loopback:
            link.detection.stop(value)
            link.groups6.leave(now, addr.solicited_node(value))
        if address.broadcast and not any(
            each.broadcast == address.broadcast for each in link.addresses4.values()
        ):
            link.accept.pop(address.broadcast, None)
        self._routes_without(now, link, address)
        self.flush_paths()
        self.tell(ADDRESS, address)

    def _routes_without(self, now: int, link: Interface, address: Address) -> None:
        """Removes the routes that only this address was good for."""
        value, length = address.address, address.prefix_length
        addresses = link.addresses4 if len(value) == 4 else link.addresses6
        shared = any(
            each.prefix_length == length and addr.in_prefix(each.address, value, length)
            for each in addresses.values()
        )
        network = addr.network(value, length)
        for route in self.table(value).all():
            if route.interface != link.index:
                continue
            is_prefix = (
                route.origin == KERNEL
                and not shared
                and (route.destination, route.prefix_length) == (network, length)
            )
            if is_prefix or route.source == value or (len(value) == 4 and not addresses):
                self.drop_route(now, route)
        if shared and len(value) == 4:
            for each in addresses.values():
                if each.prefix_length == length and addr.in_prefix(each.address, value, length):
                    self._prefix_route(now, each)
                    return

    def _checked(self, now: int, address: Address, unique: bool) -> None:
        """Duplicate address detection has come to its end."""
        if unique:
            self._begin(now, address)
            return
        address.state = DUPLICATE
        self.remove_address(now, address)
        self.tell(CONFLICT, address)
        if address.origin in (FROM_ROUTER, LINK_LOCAL):
            self.interfaces[address.interface].routers.prefixes.again(now, address)

    def lifetimes_changed(self, now: int, address: Address) -> None:
        """They are others; maybe the state is, too."""
        if address.state in (PREFERRED, DEPRECATED):
            until = address.preferred_until
            state = PREFERRED if until is None or until > now else DEPRECATED
            if state != address.state:
                address.state = state
                self.flush_paths()
        self.tell(ADDRESS, address)
        for at in (address.preferred_until, address.valid_until):
            if at is not None and at > now:
                self._lifetimes.set_earlier(at)

    def _address_lifetimes(self, now: int) -> None:
        times: list[int] = []
        for link in self.interfaces.values():
            for address in (*link.addresses4.values(), *link.addresses6.values()):
                until, preferred = address.valid_until, address.preferred_until
                if until is not None and until <= now:
                    self.counters.count("address_expired")
                    self.remove_address(now, address)
                    continue
                if preferred is not None and preferred <= now and address.state == PREFERRED:
                    address.state = DEPRECATED
                    self.flush_paths()
                    self.tell(ADDRESS, address)
                times.extend(at for at in (until, preferred) if at is not None and at > now)
        if times:
            self._lifetimes.set(min(times))

    # Routes

    def table(self, address: bytes) -> RouteTable:
        """The one for an address of this kind."""
        return self.routes4 if len(address) == 4 else self.routes6

    def put_route(self, now: int, route: Route, quiet: bool = False) -> None:
        """Enters one. quiet: it only lasts longer than it did. Raises OSError: ENOSPC."""
        self.table(route.destination).add(route)
        if route.expires is not None:
            self._route_lifetimes.set_earlier(route.expires)
        if not quiet:
            self.flush_paths()
            self.tell(ROUTE, route)

    def drop_route(self, now: int, route: Route) -> None:
        """Removes one that is there."""
        self.table(route.destination).remove(route)
        self.flush_paths()
        self.tell(ROUTE, route)

    def add_redirect(self, now: int, route: Route) -> None:
        """One that a router has told of: the oldest go when there are too many."""
        redirects = [
            each for each in self.table(route.destination).all() if each.origin == REDIRECT
        ]
        for each in redirects:
            if each.destination == route.destination:
                self.drop_route(now, each)
                redirects.remove(each)
                break
        if len(redirects) >= self.settings.redirects_max:
            self.drop_route(now, min(redirects, key=_expiry))
        self.counters.count("redirect_followed")
        try:
            self.put_route(now, route)
        except OSError:
            self.counters.count("routes_full")

    def _expire_routes(self, now: int) -> None:
        times: list[int] = []
        for table in (self.routes4, self.routes6):
            for route in table.all():
                if route.expires is not None:
                    if route.expires <= now:
                        self.counters.count("route_expired")
                        self.drop_route(now, route)
                    else:
                        times.append(route.expires)
        if times:
            self._route_lifetimes.set(min(times))

    def neighbor_changed(self, now: int, neighbor: Neighbor) -> None:
        super().neighbor_changed(now, neighbor)
        # Another router may be better now, or this one again (RFC 4861, 6.3.6).
        table = self.table(neighbor.address)
        if len(table) > 1 and any(route.gateway == neighbor.address for route in table.all()):
            self.flush_paths()


def _expiry(route: Route) -> int:
    return route.expires or 0
