"""Addresses from the prefixes that routers advertise (RFC 4862, 5.5).

The identifier is made from the MAC (RFC 4291, appendix A): the same at every start, which one from
a secret (RFC 7217) would not be on a machine that keeps none. If the address is another's already,
the next ones are made by chance.
"""

from __future__ import annotations

from ovum.net.iface.address import ADVERTISED as FROM_ROUTER
from ovum.net.iface.address import Address
from ovum.net.iface.route import ADVERTISED, Route
from ovum.net.settings import SECOND
from ovum.net.wire import addr
from ovum.net.wire.ndp_options import FOREVER_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.configuration import Configuration
    from ovum.net.iface.interface import Interface
    from ovum.net.wire.ndp_options import Prefix

METRIC = 256
"""Of the route to a prefix on the link."""


class Prefixes:
    """Of one interface."""

    def __init__(self, stack: Configuration, link: Interface) -> None:
        self._stack = stack
        self._link = link

    def advertised(self, now: int, prefix: Prefix) -> None:
        """A router says that a prefix is on the link, or that addresses may be made of it."""
        if addr.is_link_local(prefix.prefix) or addr.is_multicast(prefix.prefix):
            self._stack.counters.count("slaac_prefix_bad")
            return
        if prefix.on_link:
            self._on_link(now, prefix)
        if prefix.autonomous:
            self._autonomous(now, prefix)

    def _on_link(self, now: int, prefix: Prefix) -> None:
        """RFC 4861, 6.3.4."""
        stack, link = self._stack, self._link
        network = addr.network(prefix.prefix, prefix.length)
        known = None
        learned = 0
        for route in stack.routes6.all():
            if (
                route.origin == ADVERTISED
                and route.interface == link.index
                and route.gateway is None
            ):
                learned += 1
                if (route.destination, route.prefix_length) == (network, prefix.length):
                    known = route
        if not prefix.valid_s:
            if known is not None:
                stack.drop_route(now, known)
            return
        if known is None and learned >= stack.settings.prefixes_max:
            stack.counters.count("nd_prefixes_too_many")
            return
        stack.put_route(
            now,
            Route(
                network, prefix.length, link.index, None, METRIC, None, ADVERTISED,
                _until(now, prefix.valid_s),
            ),
            quiet=known is not None,
        )  # fmt: skip

    def _autonomous(self, now: int, prefix: Prefix) -> None:
        """RFC 4862, 5.5.3."""
        stack, link = self._stack, self._link
        if prefix.preferred_s > prefix.valid_s or prefix.length != 64:
            stack.counters.count("slaac_prefix_bad")
            return
        known = 0
        for address in link.addresses6.values():
            if address.origin == FROM_ROUTER:
                known += 1
                if addr.in_prefix(address.address, prefix.prefix, 64):
                    self._refresh(now, address, prefix)
                    return
        if not prefix.valid_s:
            return
        if known >= stack.settings.prefixes_max:
            stack.counters.count("slaac_addresses_too_many")
            return
        self._make(now, prefix.prefix[:8], 0, _until(now, prefix.preferred_s),
                   _until(now, prefix.valid_s))  # fmt: skip

    def _make(
        self, now: int, prefix: bytes, retries: int, preferred: int | None, valid: int | None
    ) -> None:
        stack, link = self._stack, self._link
        address = Address(
            link.index, prefix + identifier(stack, link, retries), 64, 0, FROM_ROUTER, preferred,
            valid,
        )  # fmt: skip
        address.retries = retries
        if address.address in link.addresses6:
            stack.counters.count("slaac_address_there")
            return
        try:
            stack.put_address(now, address, check=True)
        except OSError:
            stack.counters.count("slaac_addresses_too_many")

    def again(self, now: int, address: Address) -> None:
        """An address that was made here is another's: one with another identifier."""
        if address.retries >= self._stack.settings.dad_retries:
            self._stack.counters.count("slaac_given_up")
            return
        self._make(now, address.address[:8], address.retries + 1, address.preferred_until,
                   address.valid_until)  # fmt: skip

    def _refresh(self, now: int, address: Address, prefix: Prefix) -> None:
        """5.5.3 (e): nobody can end an address at once by forging an advertisement."""
        two_hours = self._stack.settings.forged_lifetime_ns
        valid = _until(now, prefix.valid_s)
        left = None if address.valid_until is None else address.valid_until - now
        if valid is None or valid - now > two_hours or (left is not None and valid - now > left):
            address.valid_until = valid
        elif left is None or left > two_hours:
            self._stack.counters.count("slaac_lifetime_two_hours")
            address.valid_until = now + two_hours
        else:
            self._stack.counters.count("slaac_lifetime_ignored")
        address.preferred_until = _until(now, prefix.preferred_s)
        self._stack.lifetimes_changed(now, address)


def _until(now: int, seconds: int) -> int | None:
    return None if seconds == FOREVER_S else now + seconds * SECOND


def identifier(stack: Configuration, link: Interface, retries: int) -> bytes:
    """The last 8 bytes of an address that is made here."""
    if not retries:
        return addr.interface_id(link.mac)
    chance = stack.rng.getrandbits(64)
    # The bit that says "unique in the world" is not set (RFC 4291, 2.5.1).
    return (chance & ~(1 << 57)).to_bytes(8, "big")
