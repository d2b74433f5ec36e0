"""How one interface gets its addresses and routes: as the command line says, or from whoever
answers. Runs within the stack: by its timers, its listeners, an endpoint of UDP. It never waits.
"""

from __future__ import annotations

from ovum.net.clients.dhcp import DhcpClient
from ovum.net.clients.linklocal import PREFIX_LENGTH, LinkLocal
from ovum.net.iface import address as origins
from ovum.net.iface import events, route
from ovum.net.wire import addr, dhcpv4

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.clients.lease import Lease
    from ovum.net.clients.machine import MachineConfiguration
    from ovum.net.clients.settings import Settings
    from ovum.net.iface.interface import Interface
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.udp import UdpEndpoint

    Route = tuple[bytes, int, bytes]
    """Destination, length of its prefix, gateway; zeros: it is on the link."""

METRIC = 100
"""Of routes by DHCP, plus the interface's index: what somebody has said by hand wins, and then the
first interface."""

UNANSWERED_TOLD = 2
"""After so many calls that nobody has answered, 12 seconds, the link is not only slow to come up:
an address of the machine's own is taken, and programs that wait for a network are told no."""

LINK_WAIT_NS = 3_000_000_000
"""How long a card without a cable may have one soon: so long do cards talk over the speed."""

CHECK_WAIT_NS = 2_000_000_000
"""How long an IPv6 address takes to be checked (RFC 4862, 5.4), and somewhat more."""


class InterfaceConfiguration:
    """One interface's. `settled` is called once: it is configured, or nothing comes for now."""

    def __init__(
        self,
        machine: MachineConfiguration,
        interface: Interface,
        settings: Settings,
        settled: Callable[[], None],
    ) -> None:
        self.interface = interface
        self.settings = settings
        self._machine = machine
        self._stack = machine.stack
        self._settled: Callable[[], None] | None = settled
        self._settle_at: int | None = None
        self._timer = machine.stack.timers.new(self._due)
        self._dhcp: DhcpClient | None = None
        self._endpoint: UdpEndpoint | None = None
        self._own: LinkLocal | None = None
        self._address = b""
        """The lease's, while the interface has it."""
        self._routes: list[Route] = []

    @property
    def lease(self) -> Lease | None:
        """What DHCP has given."""
        return None if self._dhcp is None else self._dhcp.lease

    def __repr__(self) -> str:
        return f"<configuration of {self.interface.name}: {self._dhcp or 'by hand'}>"

    # For its runner

    def start(self, now: int) -> None:
        """Begins, for good."""
        self._machine.interfaces.append(self)
        self._stack.listeners.append(self._told)
        settings = self.settings
        if settings.off:
            self._settle(now)
            return
        self._use_ip_mtu(settings.ip_mtu)
        for address, length in settings.addresses:
            self._add_address(now, address, length, origins.STATIC)
        for gateway in settings.gateways:
            nowhere = bytes(len(gateway))
            self._add_route(now, (nowhere, 0, gateway), 0, route.STATIC)
        if settings.dhcp:
            self._start_dhcp(now)
            if not self.interface.up:
                self._settle_at = now + LINK_WAIT_NS
        elif any(len(address) == 4 for address, _ in settings.addresses):
            self._settle(now)
        else:
            self._settle_at = now + CHECK_WAIT_NS
        self._machine.changed(now)
        self._arm()

    def stop(self, now: int) -> None:
        """The interface is gone, or the machine ends. Its addresses are not given back: who comes
        again with the same card gets the same, and connections may need them still."""
        self._timer.cancel()
        if self._endpoint is not None:
            self._endpoint.close()
            self._endpoint = None
        self._dhcp = self._own = None
        if self in self._machine.interfaces:
            self._machine.interfaces.remove(self)
            self._stack.listeners.remove(self._told)
            self._machine.changed(now)
        self._settle(now)

    def _start_dhcp(self, now: int) -> None:
        try:
            endpoint = self._machine.udp.endpoint(4, self)
            endpoint.interface = self.interface.index
            endpoint.broadcast = True
            endpoint.bind(b"", dhcpv4.CLIENT_PORT)
        except OSError as error:
            self._note(f"no DHCP: {error}", bad=True)
            self._settle(now)
            return
        self.interface.dhcp = True
        self._endpoint = endpoint
        self._own = LinkLocal(self.interface.mac, self)
        self._dhcp = DhcpClient(
            self.interface.mac, self._stack.rng, self._stack.counters, self, self.settings.hostname
        )
        self._dhcp.longest_message = max(576, self.interface.ip_mtu)
        if not self.interface.up:
            self._dhcp.link_down()
        self._dhcp.start(now)

    # What happens

    def _due(self, now: int) -> None:
        if self._dhcp is not None:
            self._dhcp.poll(now)
        if self._own is not None:
            self._own.poll(now)
        if self._settle_at is not None and now >= self._settle_at:
            self._settle(now)
        self._arm()

    def _arm(self) -> None:
        times = [self._settle_at]
        if self._dhcp is not None:
            times.append(self._dhcp.deadline)
        if self._own is not None:
            times.append(self._own.deadline)
        due = [at for at in times if at is not None]
        if due:
            self._timer.set(min(due))
        else:
            self._timer.cancel()

    def _settle(self, now: int) -> None:
        settled, self._settled = self._settled, None
        self._settle_at = None
        if settled is not None:
            settled()
            self._machine.changed(now)

    def _told(self, now: int, kind: int, subject: object) -> None:
        """A listener of the stack's."""
        if kind == events.LINK and subject is self.interface:
            self._link_changed(now)
        elif kind == events.RESOLVERS and subject is self.interface:
            self._machine.changed(now)
        elif kind == events.CONFLICT:
            # RFC 5227, 2.4 (c): an address that was free when we took it is defended for good.
            # Otherwise two frames of anybody's on the link would end all connections. What we have
            # given ourselves yields (RFC 3927, 2.5).
            address = getattr(subject, "address", b"")
            if self._own is not None and address == self._own.address:
                self._conflict(now, address)

    def _link_changed(self, now: int) -> None:
        if self._dhcp is None:
            return
        if self.interface.up:
            self._dhcp.link_up(now)
        else:
            self._dhcp.link_down()
        self._arm()

    def _conflict(self, now: int, address: bytes) -> None:
        """Somebody else has an address that we wanted."""
        if self._dhcp is not None and address == self._address and address:
            self._dhcp.conflict(now)
        elif self._own is not None and address == self._own.address and address:
            self._own.conflict(now)
        else:
            return
        self._arm()

    # The endpoint's user

    def datagram(
        self, now: int, source: bytes, port: int, data: bytes | bytearray | memoryview,
        packet: Packet,
    ) -> bool:  # fmt: skip
        """See UdpUser."""
        if port != dhcpv4.SERVER_PORT:
            self._stack.counters.count("dhcp_port_other")
        elif self._dhcp is not None:
            self._dhcp.receive(now, data)
            self._arm()
        return True

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        """See UdpUser: a server that is not there is one that does not answer."""

    # The DHCP client's user

    def send_dhcp(self, now: int, data: bytes, source: bytes, destination: bytes) -> None:
        """See DhcpUser."""
        assert self._endpoint is not None
        try:
            self._endpoint.send(data, destination, dhcpv4.SERVER_PORT, source=source)
        except OSError:
            # No cable, no route to the server: as if the network had lost it.
            self._stack.counters.count("dhcp_not_sent")

    def bound(self, now: int, lease: Lease) -> None:
        """See DhcpUser."""
        is_new = lease.address != self._address
        if is_new:
            self._note(f"{lease!r}"[1:-1])
            self._use_ip_mtu(lease.ip_mtu)
            self._add_address(now, lease.address, lease.prefix_length, origins.DHCP)
            self._address = lease.address
        self._use_routes(now, lease)
        if self._own is not None:
            self._own.stop(now)
        if is_new:
            self._probe_lease(now, lease.address)
        self._settle(now)
        self._machine.changed(now)

    def _probe_lease(self, now: int, address: bytes) -> None:
        def probed(now: int, free: bool) -> None:
            if not free:
                self._conflict(now, address)

        self._stack.probe_address(now, self.interface, address, probed)

    def lost(self, now: int, lease: Lease, reason: str) -> None:
        """See DhcpUser."""
        self._note(f"{addr.text(lease.address)} is gone: {reason}", bad=True)
        self._address = b""
        for one in self._routes:
            self._del_route(now, one)
        self._routes = []
        self._del_address(now, lease.address)
        self._machine.changed(now)

    def unanswered(self, now: int, tries: int) -> None:
        """See DhcpUser."""
        if tries == UNANSWERED_TOLD and self._own is not None:
            self._note("nobody answers DHCP", bad=True)
            self._own.start(now)
            self._settle(now)

    # The link-local address's user

    def probe(self, now: int, address: bytes) -> None:
        """See LinkLocalUser."""
        own = self._own

        def probed(now: int, free: bool) -> None:
            if own is not None:
                own.probed(now, address, free)
                self._arm()

        self._stack.probe_address(now, self.interface, address, probed)

    def claimed(self, now: int, address: bytes) -> None:
        """See LinkLocalUser."""
        self._note(f"{addr.text(address)}, which it has taken by itself")
        self._add_address(now, address, PREFIX_LENGTH, origins.LINK_LOCAL)

    def given_up(self, now: int, address: bytes) -> None:
        """See LinkLocalUser."""
        self._del_address(now, address)

    # The stack

    def _use_routes(self, now: int, lease: Lease) -> None:
        """Has exactly the lease's routes; those that stay are not touched."""
        wanted: list[Route] = []
        for one in lease.routes:
            gateway = one[2]
            if any(gateway) and not addr.in_prefix(gateway, lease.address, lease.prefix_length):
                # Some clouds give single addresses, whose gateway is on the link all the same.
                wanted.append((gateway, 32, bytes(4)))
            wanted.append(one)
        wanted = list(dict.fromkeys(wanted))
        for one in self._routes:
            if one not in wanted:
                self._del_route(now, one)
        for one in wanted:
            if one not in self._routes:
                self._add_route(now, one, METRIC + self.interface.index, route.DHCP)
        self._routes = wanted

    def _add_route(self, now: int, one: Route, metric: int, origin: int) -> None:
        destination, length, gateway = one
        way = gateway if any(gateway) else None
        try:
            self._stack.add_route(
                now, destination, length, self.interface, way, metric=metric, origin=origin
            )
        except OSError as error:
            self._note(f"no route to {addr.text(destination)}/{length}: {error}", bad=True)

    def _del_route(self, now: int, one: Route) -> None:
        destination, length, gateway = one
        way = gateway if any(gateway) else None
        metric = METRIC + self.interface.index
        try:
            self._stack.del_route(now, destination, length, self.interface, way, metric)
        except OSError:
            # It went with its address or its cable, or a program has removed it.
            self._stack.counters.count("configuration_route_gone")

    def _add_address(self, now: int, address: bytes, length: int, origin: int) -> None:
        try:
            self._stack.add_address(now, self.interface, address, length, origin=origin)
        except OSError as error:
            self._note(f"no address {addr.text(address)}: {error}", bad=True)

    def _del_address(self, now: int, address: bytes) -> None:
        try:
            self._stack.del_address(now, self.interface, address)
        except OSError:
            self._stack.counters.count("configuration_address_gone")

    def _use_ip_mtu(self, ip_mtu: int) -> None:
        """Never more than the card carries."""
        if ip_mtu:
            self.interface.ip_mtu = min(self.interface.ip_mtu, ip_mtu)

    def _note(self, text: str, bad: bool = False) -> None:
        self._machine.system.note(f"network: {self.interface.name}: {text}", bad)
