"""What a DHCP server gives, and what of it is believed.

A server may be mistaken, and anybody on the link may pretend to be one. A lease whose address or
time is nonsense is none; whatever else is nonsense is left out, with a count.
"""

from __future__ import annotations

from ovum.net.clients.names import is_domain_name
from ovum.net.wire import addr, dhcpv4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ovum.net.counters import Counters

    Options = Mapping[int, bytes]

WANTED = bytes(
    (
        dhcpv4.ROUTES, dhcpv4.SUBNET_MASK, dhcpv4.ROUTERS, dhcpv4.STATIC_ROUTES,
        dhcpv4.DNS_SERVERS, dhcpv4.HOST_NAME, dhcpv4.DOMAIN_NAME, dhcpv4.MTU, dhcpv4.NTP_SERVERS,
        dhcpv4.SEARCH,
    )
)  # fmt: skip
"""The list of wanted parameters: classless routes in front of routers (RFC 3442)."""

LEASE_LEAST_S = 10
"""Shorter ones would have us do nothing but renew them."""

IP_MTU_LEAST = 576
"""Less would be legal (RFC 2132, 5.1), but serves nobody except who wants packets to be small."""

SERVERS_MOST = 8
ROUTES_MOST = 64
"""How many of each are taken."""


class Lease:
    """An address for some time, and what the server says beside it."""

    __slots__ = (
        "address", "dns", "hostname", "ip_mtu", "lease_s", "ntp", "prefix_length", "rebind_s",
        "renew_s", "routes", "search", "server",
    )  # fmt: skip

    def __init__(self, address: bytes, prefix_length: int, server: bytes, lease_s: int) -> None:
        self.address = address
        self.prefix_length = prefix_length
        self.server = server
        """Its identifier: where a renewal is asked for."""
        self.lease_s = lease_s
        """From the request on; dhcpv4.FOREVER_S: for ever."""
        self.renew_s = lease_s // 2
        self.rebind_s = lease_s * 7 // 8
        """T1 and T2 (RFC 2131, 4.4.5)."""
        self.routes: list[tuple[bytes, int, bytes]] = []
        """Destination, length of its prefix, gateway; a gateway of zeros: it is on the link."""
        self.dns: list[bytes] = []
        self.ntp: list[bytes] = []
        self.search: list[str] = []
        self.hostname = ""
        self.ip_mtu = 0
        """0: nothing was said."""

    def __repr__(self) -> str:
        forever = self.lease_s == dhcpv4.FOREVER_S
        return f"<{addr.text(self.address)}/{self.prefix_length} from {addr.text(self.server)} " + (
            "for ever>" if forever else f"for {self.lease_s} s>"
        )


def lease_of(address: bytes, server: bytes, options: Options, counters: Counters) -> Lease | None:
    """What an ACK gives; None, and a count, if that cannot be a lease."""
    lease_s = dhcpv4.u32(options, dhcpv4.LEASE_TIME) or 0
    if lease_s < LEASE_LEAST_S:
        counters.count("dhcp_lease_time_bad")
        return None
    lease = Lease(address, _prefix_length(address, options, counters), server, lease_s)
    if not is_usable(address, lease.prefix_length):
        counters.count("dhcp_address_bad")
        return None
    _read_times(lease, options, counters)
    for route in dhcpv4.routes(options)[:ROUTES_MOST]:
        if route[2][0] >= 224 or route[2][0] == 127:
            counters.count("dhcp_gateway_bad")
        else:
            lease.routes.append(route)
    lease.dns = _servers(options, dhcpv4.DNS_SERVERS, counters)
    lease.ntp = _servers(options, dhcpv4.NTP_SERVERS, counters)
    lease.search = dhcpv4.search(options)
    lease.hostname = _hostname(options, counters)
    if dhcpv4.MTU in options:
        lease.ip_mtu = dhcpv4.u16(options, dhcpv4.MTU) or 0
        if lease.ip_mtu < IP_MTU_LEAST:
            lease.ip_mtu = 0
            counters.count("dhcp_mtu_bad")
    return lease


def is_usable(address: bytes, prefix_length: int = 32) -> bool:
    """Whether DHCP may give a machine this address: not a network's, a group's, everybody's, …"""
    if address[0] in (0, 127) or address[0] >= 224 or addr.is_link_local(address):
        return False
    if prefix_length >= 31:  # RFC 3021: a link of two has only those
        return True
    return address not in (
        addr.network(address, prefix_length),
        addr.broadcast(address, prefix_length),
    )


def _prefix_length(address: bytes, options: Options, counters: Counters) -> int:
    mask = dhcpv4.address(options, dhcpv4.SUBNET_MASK)
    if mask is not None:
        try:
            length = addr.mask_length(mask)
        except ValueError:
            length = 0
        if length:
            return length
    counters.count("dhcp_mask_bad")
    # By its class, as RFC 791 has it: who says nothing is that old, or wrong.
    return 8 if address[0] < 128 else 16 if address[0] < 192 else 24


def _read_times(lease: Lease, options: Options, counters: Counters) -> None:
    """T1 and T2, if what the server says of them makes sense."""
    if dhcpv4.RENEWAL_TIME not in options and dhcpv4.REBINDING_TIME not in options:
        return
    renew_s = dhcpv4.u32(options, dhcpv4.RENEWAL_TIME) or lease.renew_s
    rebind_s = dhcpv4.u32(options, dhcpv4.REBINDING_TIME) or lease.rebind_s
    if renew_s < rebind_s < lease.lease_s:
        lease.renew_s, lease.rebind_s = renew_s, rebind_s
    elif lease.lease_s != dhcpv4.FOREVER_S:
        counters.count("dhcp_times_bad")


def _servers(options: Options, code: int, counters: Counters) -> list[bytes]:
    """The machines among the addresses of an option, each once."""
    found: list[bytes] = []
    for one in dhcpv4.addresses(options, code):
        if one[0] == 0 or one[0] >= 224:
            counters.count("dhcp_server_address_bad")
        elif one not in found and len(found) < SERVERS_MOST:
            found.append(one)
    return found


def _hostname(options: Options, counters: Counters) -> str:
    name = dhcpv4.text(options, dhcpv4.HOST_NAME).removesuffix(".")
    if name and (len(name) > 64 or not is_domain_name(name)):
        counters.count("dhcp_hostname_bad")
        return ""
    return name
