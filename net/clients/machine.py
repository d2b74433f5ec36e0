"""What a machine has once, however many interfaces: its name, its name servers, its clock."""

from __future__ import annotations

from ovum.net.clients.texts import Source, hosts, resolv_conf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ovum.net.clients.interface import InterfaceConfiguration
    from ovum.net.clients.settings import Settings
    from ovum.net.clients.sntp import SntpClient
    from ovum.net.ip import IcmpError, Packet
    from ovum.net.stack import Stack
    from ovum.net.udp import UdpEndpoint, UdpHost

    class System(Protocol):
        """What the clients change outside the network: see system.py."""

        def write_resolv_conf(self, text: str) -> None:
            """Puts it in place, unless the file is somebody else's."""

        def write_hosts(self, text: str) -> None:
            """The same."""

        def set_hostname(self, name: str) -> None:
            """What uname(2) says."""

        def wall_ns(self) -> int:
            """Nanoseconds since 1970."""

        def move_clock(self, by_ns: int) -> None:
            """Sets the clock forward, or back."""

        def note(self, text: str, bad: bool = False) -> None:
            """A line for the log."""


TOLD_NS = 1_000_000_000
"""A clock that was off by less is not worth a line."""


class MachineConfiguration:
    """One machine's."""

    def __init__(
        self,
        stack: Stack,
        udp: UdpHost,
        system: System,
        settings: list[Settings],
        settling: Callable[[], bool] = bool,
    ) -> None:
        self.stack = stack
        self.udp = udp
        self.system = system
        self.settings = settings
        self.interfaces: list[InterfaceConfiguration] = []
        self.hostname = ""
        """Empty: nobody has said any."""
        self._settling = settling
        """Whether there may be more soon: until then, readers of resolv.conf wait."""
        self._written = ""
        self._clock: _Clock | None = None

    def resolv_conf(self) -> str:
        """The text for what is known now."""
        sources = [self._said(one) for one in self.interfaces]
        sources += [self._leased(one) for one in self.interfaces]
        sources += [self._advertised(one) for one in self.interfaces]
        return resolv_conf(sources)

    @staticmethod
    def _said(one: InterfaceConfiguration) -> Source:
        return Source(one.interface.name, one.settings.dns, one.settings.search)

    @staticmethod
    def _leased(one: InterfaceConfiguration) -> Source:
        lease = one.lease
        if lease is None:
            return Source("", (), ())
        return Source(one.interface.name, lease.dns, lease.search)

    @staticmethod
    def _advertised(one: InterfaceConfiguration) -> Source:
        link = one.interface
        return Source(link.name, link.resolvers, link.search_domains)

    def changed(self, now: int) -> None:
        """Something of an interface's configuration is another, or is settled."""
        self._name()
        self._use_time_servers(now)
        if not self._settling():
            text = self.resolv_conf()
            if text != self._written:
                self._written = text
                self.system.write_resolv_conf(text)

    def _name(self) -> None:
        """The name that the command line says, or else the first that DHCP does."""
        names = [one.settings.hostname for one in self.interfaces]
        names += [one.lease.hostname for one in self.interfaces if one.lease is not None]
        name = next(filter(None, names), "")
        # A lease that ends takes no name away: programs may have asked for it.
        if name and name != self.hostname:
            self.hostname = name
            self.system.set_hostname(name)
            self.system.write_hosts(hosts(name))

    def _use_time_servers(self, now: int) -> None:
        servers = [server for one in self.interfaces for server in one.settings.ntp]
        for one in self.interfaces:
            if one.lease is not None:
                servers += one.lease.ntp
        if self._clock is None:
            if not servers:
                return
            self._clock = _Clock(self)
        self._clock.use(now, servers)


class _Clock:
    """The client of SNTP, its sockets and its timer; there is none without servers."""

    def __init__(self, machine: MachineConfiguration) -> None:
        from ovum.net.clients.sntp import SntpClient

        self._stack = machine.stack
        self._udp = machine.udp
        self._system = machine.system
        self._endpoints: dict[int, UdpEndpoint] = {}
        self._client: SntpClient = SntpClient(machine.stack.rng, machine.stack.counters, self)
        self._timer = machine.stack.timers.new(self._due)

    def use(self, now: int, servers: list[bytes]) -> None:
        """Asks these servers; a new address or cable may reach them better."""
        self._client.use(now, servers)
        self._client.link_up(now)
        self._arm()

    def _due(self, now: int) -> None:
        self._client.poll(now)
        self._arm()

    def _arm(self) -> None:
        if self._client.deadline is None:
            self._timer.cancel()
        else:
            self._timer.set(self._client.deadline)

    # The endpoints' user

    def datagram(
        self, now: int, source: bytes, port: int, data: bytes | bytearray | memoryview,
        packet: Packet,
    ) -> bool:  # fmt: skip
        """See UdpUser."""
        if port == 123:
            self._client.receive(now, data, source)
            self._arm()
        else:
            self._stack.counters.count("ntp_port_other")
        return True

    def failed(self, now: int, error: IcmpError, port: int) -> None:
        """See UdpUser: an answer that does not come is waited for as long as one that is late."""

    # The client's user

    def send_ntp(self, now: int, data: bytes, server: bytes) -> None:
        """See SntpUser."""
        version = 4 if len(server) == 4 else 6
        try:
            endpoint = self._endpoints.get(version)
            if endpoint is None:
                endpoint = self._udp.endpoint(version, self)
                endpoint.only_v6 = True
                # By chance: whoever does not see the request does not know where to lie to.
                endpoint.bind(b"", 0)
                self._endpoints[version] = endpoint
            endpoint.send(data, server, 123)
        except OSError:
            # No route yet, or no more: as if the network had lost it.
            self._stack.counters.count("ntp_not_sent")

    def wall_ns(self, now: int) -> int:
        """See SntpUser."""
        return self._system.wall_ns()

    def move_clock(self, now: int, by_ns: int) -> None:
        """See SntpUser."""
        self._system.move_clock(by_ns)

    def clock_told(self, now: int, server: bytes, off_ns: int) -> None:
        """See SntpUser."""
        from ovum.net.wire import addr

        if abs(off_ns) >= TOLD_NS:
            how = "slow" if off_ns > 0 else "fast"
            self._system.note(
                f"the clock is {abs(off_ns) / 1e9:.3f} s {how}, says {addr.text(server)}"
            )
