"""What routers say of themselves and of the link (RFC 4861, sections 6 and 8; RFC 4191, 8106)."""

from __future__ import annotations

from ovum.net.iface.events import RESOLVERS
from ovum.net.iface.nd import send_icmpv6
from ovum.net.iface.route import ADVERTISED, REDIRECT, Route
from ovum.net.iface.slaac import Prefixes
from ovum.net.settings import SECOND
from ovum.net.wire import addr, ndp
from ovum.net.wire.errors import WireError
from ovum.net.wire.ndp_options import FOREVER_S, Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from ovum.net.iface.configuration import Configuration
    from ovum.net.iface.interface import Interface
    from ovum.net.ip import Packet

    _T = TypeVar("_T")

METRIC = 1024
"""Of routes that are learned; the preference of RFC 4191 makes it 100 more or less."""
MAX_SOLICITATION_DELAY_NS = SECOND
REDIRECT_NS = 600 * SECOND
REACHABLE_MOST_MS = 3_600_000
"""RFC 4861, 6.2.1."""


class Routers:
    """Of one interface."""

    def __init__(self, stack: Configuration, link: Interface) -> None:
        self._stack = stack
        self.link = link
        self.prefixes = Prefixes(stack, link)
        self._solicited = 0
        self._solicitations = stack.timers.new(self._solicit)
        self._expiry = stack.timers.new(self._expire)
        self._resolvers: dict[bytes, int | None] = {}
        """Until when, None: for good."""
        self._domains: dict[str, int | None] = {}

    def ask(self, now: int) -> None:
        """Looks for routers (6.3.7)."""
        if not self._stack.settings.accept_router_advertisements:
            return
        self._solicited = 0
        self._solicitations.set(now + 1 + self._stack.rng.randrange(MAX_SOLICITATION_DELAY_NS))

    def stop(self) -> None:
        """Does not look any more."""
        self._solicitations.cancel()

    def _solicit(self, now: int) -> None:
        stack, link = self._stack, self.link
        self._solicited += 1
        source = link.link_local() or addr.ANY6
        options = Options(source_mac=link.mac if any(source) else None)
        message = ndp.emit(ndp.RouterSolicitation(options))
        group = addr.ALL_ROUTERS6
        stack.counters.count("nd_routers_asked")
        send_icmpv6(stack, link, addr.multicast_mac(group), source, group, message)
        if self._solicited < stack.settings.router_solicitations:
            self._solicitations.set(now + stack.settings.router_solicitation_ns)

    def receive(self, now: int, packet: Packet, message: ndp.Message) -> None:
        """A message of routers, which is valid in itself."""
        if isinstance(message, ndp.RouterAdvertisement):
            self._advertisement(now, packet, message)
        elif isinstance(message, ndp.Redirect):
            self._redirect(now, packet, message)
        else:
            raise WireError("nd_router_solicitation")  # we are none

    def no_router(self, now: int, address: bytes) -> None:
        """One has become a host: nothing goes through it any more (RFC 4861, 7.2.5)."""
        for route in self._stack.routes6.all():
            if (
                route.gateway == address
                and route.interface == self.link.index
                and route.origin in (ADVERTISED, REDIRECT)
            ):
                self._stack.drop_route(now, route)

    # Advertisements

    def _advertisement(self, now: int, packet: Packet, message: ndp.RouterAdvertisement) -> None:
        stack, link = self._stack, self.link
        if not stack.settings.accept_router_advertisements:
            raise WireError("nd_advertisements_ignored")
        stack.counters.count("nd_router_advertisement")
        options, router = message.options, packet.src
        if options.source_mac is not None:
            if options.source_mac[0] & 1 or options.source_mac == link.mac:
                raise WireError("nd_mac_bad")
            neighbor = link.nd.heard(now, router, options.source_mac)
            if neighbor is not None:
                neighbor.router = True
        if message.lifetime_s:
            self._solicitations.cancel()
        self._parameters(message)
        metric = METRIC - 100 * message.preference
        self._route(now, addr.ANY6, 0, router, metric, message.lifetime_s)
        for information in options.routes:
            self._route(
                now,
                addr.network(information.prefix, information.length),
                information.length,
                router,
                METRIC - 100 * information.preference,
                information.lifetime_s,
            )
        for prefix in options.prefixes:
            self.prefixes.advertised(now, prefix)
        self._names(now, options)

    def _parameters(self, message: ndp.RouterAdvertisement) -> None:
        stack, link = self._stack, self.link
        if message.hop_limit and message.hop_limit != link.hop_limit6:
            link.hop_limit6 = message.hop_limit
            stack.flush_paths()
        if 0 < message.reachable_ms <= REACHABLE_MOST_MS:
            link.nd.reachable_ns = message.reachable_ms * 1_000_000
        if message.retransmit_ms:
            # Not so short that we flood the link, nor so long that nothing is ever found.
            link.nd.retransmit_ns = min(max(message.retransmit_ms, 100), 60_000) * 1_000_000
        mtu = message.options.ip_mtu
        if mtu is not None and 1280 <= mtu <= link.ip_mtu and mtu != link.link_mtu6:
            link.link_mtu6 = mtu
            stack.flush_paths()

    def _route(
        self, now: int, prefix: bytes, length: int, router: bytes, metric: int, lifetime_s: int
    ) -> None:
        stack, link = self._stack, self.link
        known = None
        learned = 0
        for route in stack.routes6.all():
            if route.origin == ADVERTISED and route.interface == link.index and route.gateway:
                learned += 1
                if (route.destination, route.prefix_length, route.gateway) == (
                    prefix, length, router,
                ):  # fmt: skip
                    known = route
        if known is not None and (not lifetime_s or known.metric != metric):
            stack.drop_route(now, known)
            learned -= 1
        if not lifetime_s:
            return
        if known is None and learned >= stack.settings.router_routes_max:
            raise WireError("nd_routers_too_many")
        expires = None if lifetime_s == FOREVER_S else now + lifetime_s * SECOND
        route = Route(prefix, length, link.index, router, metric, None, ADVERTISED, expires)
        stack.put_route(now, route, quiet=known is not None and known.metric == metric)

    def _names(self, now: int, options: Options) -> None:
        before = (self.link.resolvers, self.link.search_domains)
        most = self._stack.settings.resolvers_max
        for lifetime_s, addresses in options.resolvers:
            for address in addresses:
                if not (addr.is_multicast(address) or addr.is_unspecified(address)):
                    _remember(self._resolvers, address, lifetime_s, now, most)
        for lifetime_s, names in options.search:
            for name in names:
                _remember(self._domains, name, lifetime_s, now, most)
        self._set_names(now, before)

    def _set_names(self, now: int, before: tuple[list[bytes], list[str]]) -> None:
        link = self.link
        link.resolvers, link.search_domains = list(self._resolvers), list(self._domains)
        times = [
            until
            for until in (*self._resolvers.values(), *self._domains.values())
            if until is not None
        ]
        if times:
            self._expiry.set(min(times))
        if before != (link.resolvers, link.search_domains):
            self._stack.tell(RESOLVERS, link)

    def _expire(self, now: int) -> None:
        before = (self.link.resolvers, self.link.search_domains)
        for address, until in list(self._resolvers.items()):
            if until is not None and until <= now:
                del self._resolvers[address]
        for name, until in list(self._domains.items()):
            if until is not None and until <= now:
                del self._domains[name]
        self._set_names(now, before)

    # Redirects

    def _redirect(self, now: int, packet: Packet, message: ndp.Redirect) -> None:
        """A router knows a better first hop (8.3); only the one that we use is believed (8.1)."""
        stack, link = self._stack, self.link
        if not stack.settings.accept_redirects:
            raise WireError("nd_redirect_ignored")
        routes = stack.routes6.find(message.destination, link.index)
        if not routes or routes[0].gateway != packet.src:
            raise WireError("nd_redirect_not_first_hop")
        if addr.is_link_local(message.destination) or stack.is_local(message.target):
            raise WireError("nd_redirect_bad")
        mac = message.options.target_mac
        on_link = message.target == message.destination
        if mac is not None and not mac[0] & 1 and mac != link.mac:
            neighbor = link.nd.heard(now, message.target, mac)
            if neighbor is not None and not on_link:
                neighbor.router = True
        gateway = None if on_link else message.target
        stack.add_redirect(
            now,
            Route(
                message.destination, 128, link.index, gateway, 0, None, REDIRECT,
                now + REDIRECT_NS,
            ),
        )  # fmt: skip


def _remember(known: dict[_T, int | None], what: _T, lifetime_s: int, now: int, most: int) -> None:
    """Something with a lifetime; 0: it is over. Of too many the first stay (RFC 8106, 5.3.1)."""
    if not lifetime_s:
        known.pop(what, None)
    elif what in known or len(known) < most:
        known[what] = None if lifetime_s == FOREVER_S else now + lifetime_s * SECOND
