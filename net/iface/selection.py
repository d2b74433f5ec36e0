"""Which address a packet is from, and which of several it goes to (RFC 6724)."""

from __future__ import annotations

from ovum.net.iface.address import DEPRECATED, PREFERRED
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ovum.net.iface.address import Address

_POLICY: tuple[tuple[bytes, int, int, int], ...] = (
    (addr.parse("::1"), 128, 50, 0),
    (addr.parse("::ffff:0:0"), 96, 35, 4),
    (addr.parse("::"), 96, 1, 3),
    (addr.parse("2001::"), 32, 5, 5),
    (addr.parse("2002::"), 16, 30, 2),
    (addr.parse("3ffe::"), 16, 1, 12),
    (addr.parse("fec0::"), 10, 1, 11),
    (addr.parse("fc00::"), 7, 3, 13),
    (addr.parse("::"), 0, 40, 1),
)
"""Prefix, its length, precedence, label (2.1): the longest prefixes first."""


def policy(address: bytes) -> tuple[int, int]:
    """(precedence, label) of an address; IPv4 ones count as mapped."""
    if len(address) == 4:
        address = addr.to_mapped(address)
    for prefix, length, precedence, label in _POLICY:
        if addr.in_prefix(address, prefix, length):
            return precedence, label
    raise AssertionError("::/0 is in the table")


def choose_source(
    candidates: Iterable[Address], destination: bytes, interface: int, temporary: bool = False
) -> Address | None:
    """The best of addresses that are in use, for packets to a destination that leave by an
    interface (section 5). temporary: RFC 8981's are preferred."""
    best: Address | None = None
    rank: tuple[int, ...] = ()
    scope = addr.scope(destination)
    label = policy(destination)[1]
    for candidate in candidates:
        if candidate.state not in (PREFERRED, DEPRECATED):
            continue
        new = _rank(candidate, destination, scope, label, interface, temporary)
        if best is None or new > rank:
            best, rank = candidate, new
    return best


def _rank(
    candidate: Address, destination: bytes, scope: int, label: int, interface: int, temporary: bool
) -> tuple[int, ...]:
    """Rules 1 to 8, as numbers of which larger ones are better. Rules 4 (home addresses) and 5.5
    (of the prefix that the next hop has announced) say nothing here."""
    address = candidate.address
    own_scope = addr.scope(address)
    return (
        address == destination,
        # Rule 2: the smallest scope that is large enough, otherwise the largest.
        -own_scope if own_scope >= scope else own_scope - 100,
        candidate.state == PREFERRED,
        candidate.interface == interface,
        policy(address)[1] == label,
        candidate.temporary == temporary,
        min(addr.common_prefix_length(address, destination), candidate.prefix_length),
    )


def order_destinations(
    destinations: Sequence[bytes], source_of: Callable[[bytes], Address | None]
) -> list[bytes]:
    """Destinations, the best first (section 6); source_of: the address that packets to one would
    be from, None: there is no way."""
    return sorted(destinations, key=lambda each: _destination_rank(each, source_of(each)))


def _destination_rank(destination: bytes, source: Address | None) -> tuple[int, ...]:
    """Rules 1 to 9, as numbers of which smaller ones are better; sorting keeps the order otherwise
    (10). Rules 4 and 7 (home addresses, tunnels) say nothing here."""
    precedence, label = policy(destination)
    scope = addr.scope(destination)
    if source is None:
        return (1, 0, 0, 0, -precedence, scope, 0)
    common = 0
    if len(destination) == len(source.address) == 16:
        common = min(addr.common_prefix_length(destination, source.address), source.prefix_length)
    return (
        0,
        scope != addr.scope(source.address),
        source.state == DEPRECATED,
        label != policy(source.address)[1],
        -precedence,
        scope,
        -common,
    )
