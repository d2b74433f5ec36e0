"""How much state a stack has, by kind, and how much it may have: for tests of floods, and for
whoever wants to know where memory has gone."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.stack import Stack


def sizes(stack: Stack) -> dict[str, int]:
    """What there is."""
    links = list(stack.interfaces.values())
    tables = [table for link in links for table in (link.arp, link.nd)]
    return {
        "neighbors": max(len(table.entries) for table in tables),
        "waiting": max(table.waiting for table in tables),
        "fragments": stack.reassembler.memory,
        "routes": max(len(stack.routes4), len(stack.routes6)),
        "addresses": max(max(len(link.addresses4), len(link.addresses6)) for link in links),
        "groups": max(max(len(link.groups4.members), len(link.groups6.members)) for link in links),
        "resolvers": max(max(len(link.resolvers), len(link.search_domains)) for link in links),
        "outbox": max(len(link.outbox) for link in links),
        "home": max(len(stack.home), len(stack.home_errors)),
        "paths": stack.path_count,
        "path_mtus": stack.path_mtu_count,
        "counters": len(stack.counters),
        "timers": stack.timers.size,
    }


def limits(stack: Stack) -> dict[str, int]:
    """What there may be at most."""
    settings = stack.settings
    neighbors = settings.neighbors_max
    return {
        "neighbors": neighbors,
        "waiting": settings.pending_max,
        "fragments": settings.fragments_memory_max,
        "routes": settings.routes_max,
        "addresses": settings.addresses_max,
        "groups": settings.groups_max,
        "resolvers": settings.resolvers_max,
        "outbox": settings.outbox_max,
        "home": max(settings.outbox_max, settings.errors_max),
        "paths": settings.paths_max,
        "path_mtus": settings.path_mtus_max,
        "counters": 400,
        # Two tables of neighbors for each interface, what else has timers, and about as many again
        # that were set anew.
        "timers": 64 + 4 * len(stack.interfaces) * (2 * neighbors + 16),
    }
