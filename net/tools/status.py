"""ip: interfaces, addresses, routes and neighbors as `ip` of iproute2 shows them."""

from __future__ import annotations

from ovum.net.tools import netlink
from ovum.net.tools.hosts import ToolError
from ovum.net.wire import addr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tools.netlink import Address, Link, Neighbor, Route

_INET, _INET6 = 2, 10

_FLAGS = (
    (0x8, "LOOPBACK"), (0x2, "BROADCAST"), (0x10, "POINTOPOINT"), (0x1000, "MULTICAST"),
    (0x80, "NOARP"), (0x200, "ALLMULTI"), (0x100, "PROMISC"), (0x1, "UP"), (0x10000, "LOWER_UP"),
)  # fmt: skip
_STATES = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")
_HARDWARE = {1: "ether", 772: "loopback", 65534: "none"}
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_ADDRESS_FLAGS = (
    (0x01, "temporary"), (0x02, "nodad"), (0x08, "dadfailed"), (0x40, "tentative"),
    (0x20, "deprecated"),
)  # fmt: skip
_PROTOCOLS = {1: "redirect", 2: "kernel", 3: "boot", 4: "static", 9: "ra", 16: "dhcp"}
_NEIGHBOR_STATES = (
    (0x01, "INCOMPLETE"), (0x02, "REACHABLE"), (0x04, "STALE"), (0x08, "DELAY"), (0x10, "PROBE"),
    (0x20, "FAILED"), (0x40, "NOARP"), (0x80, "PERMANENT"),
)  # fmt: skip
_FOREVER = 0xFFFFFFFF


def link_lines(link: Link, with_mode: bool = False) -> list[str]:
    """As `ip addr` has it; with its mode: as `ip link`."""
    flags = [name for bit, name in _FLAGS if link.flags & bit]
    if link.flags & 0x1 and not link.flags & 0x40:
        flags.insert(0, "NO-CARRIER")
    state = _STATES[link.state] if link.state < len(_STATES) else str(link.state)
    qdisc = f" qdisc {link.qdisc}" if link.qdisc else ""
    queue = f" qlen {link.queue}" if link.queue else ""
    kind = _HARDWARE.get(link.hardware, str(link.hardware))
    lines = [
        f"{link.index}: {link.name}: <{','.join(flags)}> mtu {link.mtu}{qdisc} state {state} "
        f"{'mode DEFAULT ' if with_mode else ''}group default{queue}"
    ]
    if link.address:
        broadcast = f" brd {addr.mac_text(link.broadcast)}" if link.broadcast else ""
        lines.append(f"    link/{kind} {addr.mac_text(link.address)}{broadcast}")
    return lines


def address_lines(address: Address) -> list[str]:
    """As `ip addr` has it below the interface."""
    family = "inet6" if address.family == _INET6 else "inet"
    broadcast = f" brd {addr.text(address.broadcast)}" if address.broadcast else ""
    # 0x80 is "permanent"; an address that is not has its lifetime from somebody.
    flags = [] if address.flags & 0x80 else ["dynamic"]
    flags += [name for bit, name in _ADDRESS_FLAGS if address.flags & bit]
    scope = _SCOPES.get(address.scope, str(address.scope))
    words = " ".join(["", *flags, *([address.label] if address.label else [])])
    return [
        f"    {family} {addr.text(address.address)}/{address.length}{broadcast} scope {scope}"
        f"{words}",
        f"       valid_lft {_lifetime(address.valid)} preferred_lft {_lifetime(address.preferred)}",
    ]


def _lifetime(seconds: int) -> str:
    return "forever" if seconds == _FOREVER else f"{seconds}sec"


def route_line(route: Route, names: dict[int, str]) -> str:
    """As `ip route` has it."""
    if not route.destination:
        words = ["default"]
    elif route.length == len(route.destination) * 8:
        words = [addr.text(route.destination)]
    else:
        words = [f"{addr.text(route.destination)}/{route.length}"]
    if route.gateway:
        words += ["via", addr.text(route.gateway)]
    words += ["dev", names.get(route.index, str(route.index))]
    if route.protocol != 3:
        words += ["proto", _PROTOCOLS.get(route.protocol, str(route.protocol))]
    if route.scope and route.family == _INET:
        words += ["scope", _SCOPES.get(route.scope, str(route.scope))]
    if route.source:
        words += ["src", addr.text(route.source)]
    if route.metric:
        words += ["metric", str(route.metric)]
    if route.preference:
        words += ["pref", {0: "medium", 1: "high", 3: "low"}.get(route.preference[0], "invalid")]
    return " ".join(words)


def neighbor_line(neighbor: Neighbor, names: dict[int, str]) -> str:
    """As `ip neigh` has it."""
    words = [addr.text(neighbor.address), "dev", names.get(neighbor.index, str(neighbor.index))]
    if neighbor.mac:
        words += ["lladdr", addr.mac_text(neighbor.mac)]
    if neighbor.flags & 0x80:
        words.append("router")
    words += [name for bit, name in _NEIGHBOR_STATES if neighbor.state & bit]
    return " ".join(words)


def ip(what: str = "addr", family: int = 0, interface: str = "") -> None:
    """Prints the state of the network.

    what: "addr" (interfaces and their addresses), "link", "route" or "neigh"; the first letters do.
    family: 4 or 6 for only that one. interface: only this one. Raises ToolError.
    """
    wanted = {0: 0, 4: _INET, 6: _INET6}.get(family, family)
    chosen = [name for name in ("addr", "link", "route", "neigh") if what and name.startswith(what)]
    if what in ("address", "neighbor", "neighbour"):
        chosen = [what[:4].replace("neig", "neigh")]
    if not chosen:
        raise ToolError(f'unknown object "{what}": addr, link, route or neigh')
    links = netlink.links()
    names = {link.index: link.name for link in links}
    if interface and interface not in names.values():
        raise ToolError(f'device "{interface}" does not exist')
    if chosen[0] in ("addr", "link"):
        _print_links(links, chosen[0] == "addr", wanted, interface)
    elif chosen[0] == "route":
        for route in netlink.routes(wanted or _INET):
            if not interface or names.get(route.index) == interface:
                print(route_line(route, names))
    else:
        for neighbor in netlink.neighbors(wanted):
            # Not those that need no question: groups, and the loopback's.
            if neighbor.state not in (0, 0x40) and (
                not interface or names.get(neighbor.index) == interface
            ):
                print(neighbor_line(neighbor, names))


def _print_links(links: list[Link], with_addresses: bool, family: int, interface: str) -> None:
    addresses = netlink.addresses(family) if with_addresses else []
    for link in links:
        here = [address for address in addresses if address.index == link.index]
        if (interface and link.name != interface) or (family and with_addresses and not here):
            continue
        for line in link_lines(link, not with_addresses):
            print(line)
        for address in sorted(here, key=lambda address: address.family):
            for line in address_lines(address):
                print(line)
