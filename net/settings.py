"""What the stack may hold at most, and how long things last: one place for all of it."""

from __future__ import annotations

SECOND = 1_000_000_000
"""In the unit of all times here: nanoseconds."""


class Settings:
    """Changed before a Stack is made with it, or while it runs: most are read when they apply."""

    def __init__(self) -> None:
        self.interfaces_max = 64
        self.outbox_max = 4096
        """Frames that wait for one card; and packets to ourselves."""
        self.errors_max = 256
        """Errors of our own that wait for their transports."""
        self.paths_max = 8192
        """Ways to remote addresses that are kept, of some 600 bytes each."""

        # Neighbors (RFC 826, RFC 4861 section 10)
        self.neighbors_max = 512
        """Per interface and version; beyond it the least used ones go."""
        self.neighbor_pending_max = 48
        """Frames that wait for one neighbor's MAC, the oldest go (RFC 4861, 7.2.2): the fragments
        of one large datagram."""
        self.pending_max = 256
        """The same for one interface in all."""
        self.reachable_ns = 30 * SECOND
        self.retransmit_ns = SECOND
        self.delay_first_probe_ns = 5 * SECOND
        self.multicast_solicit_max = 3
        self.unicast_solicit_max = 3
        self.failed_hold_ns = 3 * SECOND
        """How long an address that did not answer is not asked for again."""
        self.stale_ns = 600 * SECOND
        """How long an entry that nobody uses is kept (RFC 1122, 2.3.2.1)."""
        self.announce_count = 2
        self.announce_interval_ns = 2 * SECOND
        self.arp_defend_interval_ns = 10 * SECOND
        """RFC 5227, 1.1."""

        # Fragments
        self.fragments_ns = 60 * SECOND
        """How long the rest of a datagram is waited for (RFC 1122, 3.3.2; RFC 8200, 4.5)."""
        self.fragments_memory_max = 4 << 20
        """Bytes in all, counting what an entry costs."""
        self.fragments_interface_max = 2 << 20
        """The same for one interface."""
        self.fragments_per_datagram_max = 1400
        """65,535 bytes in the smallest pieces that RFC 791 has: 48 bytes each."""

        # Path MTU (RFC 1191, RFC 8201)
        self.path_mtu_ns = 600 * SECOND
        self.path_mtus_max = 1024
        self.path_mtu_floor4 = 552
        """A smaller one is not believed, as Linux does: packets of 68 bytes only serve attacks."""

        # Routes
        self.routes_max = 1024
        self.router_routes_max = 16
        """Routers that are learned from advertisements, for one interface."""
        self.prefixes_max = 16
        """On-link prefixes that are learned, for one interface."""
        self.addresses_max = 64
        """For one interface and version."""
        self.resolvers_max = 8
        """DNS servers, and search domains, that are learned, for one interface."""

        # Addresses
        self.dad_transmits = 1
        """0: IPv6 addresses are not checked."""
        self.dad_delay_ns = SECOND
        """The first check waits for up to this long: others start at the same time (RFC 4862,
        5.4.2)."""
        self.dad_retries = 3
        """How many other identifiers are tried when an address that we have made is another's."""
        self.router_solicitations = 3
        self.router_solicitation_ns = 4 * SECOND
        self.forged_lifetime_ns = 7200 * SECOND
        """The two hours of RFC 4862 (5.5.3 e)."""
        self.accept_router_advertisements = True
        self.accept_redirects = True
        self.redirects_max = 64

        # Groups
        self.groups_max = 256
        """Of one interface and version."""
        self.sources_max = 64

        # ICMP
        self.icmp_errors_per_s = 100
        self.icmp_errors_burst = 50
        self.icmp_echo_per_s = 10_000
        self.icmp_echo_burst = 10_000
        self.echo_broadcast = False
        """Whether an echo request to all is answered (RFC 1122 lets it be; smurf attacks)."""

        # Transports
        self.hop_limit = 64
        self.udp_endpoints_max = 65536
        self.udp_queue_bytes = 212_992
        """That an endpoint without a door holds at most."""
        self.port_first = 32768
        self.port_last = 60999
        """Ports that are given to those who ask for none (Linux's range)."""
