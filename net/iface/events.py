"""What listeners of a stack are told: for resolv.conf, netlink, the card's filter."""

from __future__ import annotations

LINK = 1
"""An interface has come, or its cable has: the subject is the Interface."""
ADDRESS = 2
"""An address has come or gone, or changed its state: the Address."""
ROUTE = 3
"""A route has come or gone: the Route."""
GROUPS = 4
"""`interface.mac_groups` is another, which the card's filter should know: the Interface."""
RESOLVERS = 5
"""Routers have said other DNS servers or search domains, or theirs have expired: the Interface,
with `resolvers` and `search_domains`."""
CONFLICT = 6
"""Somebody else uses an address of ours (RFC 5227, RFC 4862): the Address. A DHCP client declines
it; it is not removed by the stack if it is an IPv4 address."""
NEIGHBOR = 7
"""A neighbor's link address or its state is another: the Neighbor. Not for every state."""
