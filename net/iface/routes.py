"""The routing table of one version of IP: the longest prefix wins, then the smallest metric."""

from __future__ import annotations

import errno

from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.route import Route


class RouteTable:
    """Routes by the length of their prefix: a lookup tries each length that there is once."""

    def __init__(self, version: int, most: int) -> None:
        self._bits = 32 if version == 4 else 128
        self._most = most
        self._count = 0
        self._lengths: list[int] = []
        """The longest first."""
        self._by_prefix: dict[int, dict[bytes, list[Route]]] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, route: Route) -> None:
        """Adds one, in the place of one that says the same. Raises OSError: ENOSPC."""
        prefixes = self._by_prefix.get(route.prefix_length)
        if prefixes is None:
            prefixes = self._by_prefix[route.prefix_length] = {}
            self._lengths = sorted(self._by_prefix, reverse=True)
        routes = prefixes.setdefault(route.destination, [])
        for at, other in enumerate(routes):
            if (other.gateway, other.interface, other.metric, other.origin) == (
                route.gateway,
                route.interface,
                route.metric,
                route.origin,
            ):
                routes[at] = route
                return
        if self._count >= self._most:
            self._forget_if_empty(route.prefix_length, route.destination)
            raise OSError(errno.ENOSPC, "the routing table is full")
        self._count += 1
        routes.append(route)
        routes.sort(key=_metric)

    def remove(self, route: Route) -> None:
        """Removes one that is in it."""
        routes = self._by_prefix[route.prefix_length][route.destination]
        routes.remove(route)
        self._count -= 1
        self._forget_if_empty(route.prefix_length, route.destination)

    def _forget_if_empty(self, length: int, destination: bytes) -> None:
        prefixes = self._by_prefix[length]
        if not prefixes.get(destination):
            prefixes.pop(destination, None)
        if not prefixes:
            del self._by_prefix[length]
            self._lengths = sorted(self._by_prefix, reverse=True)

    def find(self, address: bytes, interface: int = 0) -> list[Route]:
        """The routes to the longest prefix that the address is of, the best first; interface: only
        through this one. Empty: no route."""
        for length in self._lengths:
            routes = self._by_prefix[length].get(addr.network(address, length))
            if routes:
                if not interface:
                    return routes
                routes = [route for route in routes if route.interface == interface]
                if routes:
                    return routes
        return []

    def exact(self, destination: bytes, length: int) -> list[Route]:
        """The routes to just this prefix."""
        return self._by_prefix.get(length, {}).get(destination, [])

    def all(self) -> list[Route]:
        """All of them, the most specific first."""
        return [
            route
            for length in self._lengths
            for routes in self._by_prefix[length].values()
            for route in routes
        ]


def _metric(route: Route) -> int:
    return route.metric
