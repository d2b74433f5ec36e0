"""The stack: interfaces below, transports above, and all that is between."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from ovum.drivers.frames import Received
    from ovum.drivers.network import Offloads
    from ovum.net.counters import Counters
    from ovum.net.iface.address import Address
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.route import Route
    from ovum.net.ip import IcmpError, Packet, Path
    from ovum.net.settings import Settings

    Handler = Callable[[int, Packet], None]
    """(now, packet)."""
    ErrorHandler = Callable[[int, IcmpError], bool | None]
    """(now, error). False: it is not about anything that this transport has sent, so that the path
    MTU stays what it is (RFC 5927)."""
    Listener = Callable[[int, int, object], None]
    """(now, kind, subject): see events.py. It may call the stack, and must not raise."""


class Stack:
    """Implements `Ip`. All its methods run in one thread; none waits.

    The runner, for every batch: `receive` what a card has; `poll`; have transports send what they
    have; hand every `interface.take_outbox()` to its card. Then sleep until `next_deadline`.
    """

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        self.now = 0
        """The newest time that it has been told. Whoever calls `send` without a receive or a poll
        just before may set it."""
        self.rng = rng
        self.settings: Settings
        self.counters: Counters
        self.interfaces: dict[int, Interface]
        """By index; 1 is "lo"."""
        self.protocols: dict[int, Handler]
        """By protocol number, of both versions of IP: `protocols[6] = tcp_host.receive`."""
        self.errors: dict[int, ErrorHandler]
        self.listeners: list[Listener]
        raise NotImplementedError

    # Interfaces

    def add_interface(
        self, name: str, mac: bytes, ip_mtu: int, offloads: Offloads | None = None, up: bool = True
    ) -> Interface:
        """A new interface, with the next index, and IPv6's link-local address on the way.
        Raises OSError: EEXIST, ENOSPC, EINVAL."""
        raise NotImplementedError

    def remove_interface(self, now: int, interface: Interface) -> None:
        """It is gone, with its addresses and routes."""
        raise NotImplementedError

    def link_changed(self, now: int, interface: Interface, up: bool) -> None:
        """A cable has been plugged in or pulled. Down: what neighbors there are is forgotten, and
        learned addresses and routes are kept, but nothing is sent. Up: addresses are checked and
        announced again, routers are asked for."""
        raise NotImplementedError

    def interface_named(self, name: str) -> Interface | None:
        """By its name."""
        raise NotImplementedError

    # Frames and time

    def receive(self, now: int, interface: Interface, frames: Sequence[Received]) -> None:
        """Takes what has come. Never raises: what is no good is counted."""
        raise NotImplementedError

    def poll(self, now: int) -> None:
        """Does what is due: timers, and packets that this machine has sent to itself."""
        raise NotImplementedError

    def next_deadline(self) -> int | None:
        """When `poll` has something to do; in the past: at once; None: never."""
        raise NotImplementedError

    # Addresses and routes: IPv4 and IPv6 alike, by the length of the address

    def add_address(
        self,
        now: int,
        interface: Interface,
        address: bytes,
        prefix_length: int,
        *,
        origin: int = 0,
        preferred_ns: int | None = None,
        valid_ns: int | None = None,
        check: bool = True,
        broadcast: bytes | None = None,
        route: bool = True,
    ) -> Address:
        """Gives an interface an address, with the route to its prefix; one that is there gets the
        new lifetimes.

        IPv6 and check: it is tentative until duplicate address detection has passed. IPv4 is in use
        at once, and announced: whoever wants to know first calls `probe_address`.
        Raises OSError: EINVAL, ENOSPC.
        """
        raise NotImplementedError

    def del_address(self, now: int, interface: Interface, address: bytes) -> None:
        """Takes it away. Raises OSError: EADDRNOTAVAIL."""
        raise NotImplementedError

    def probe_address(
        self, now: int, interface: Interface, address: bytes, done: Callable[[int, bool], None]
    ) -> None:
        """Finds out whether somebody has an IPv4 address (RFC 5227, 2.1.1): done(now, free) is
        called once, in 4 to 7 seconds, or when somebody answers. For DHCP and link-local."""
        raise NotImplementedError

    def is_local(self, address: bytes) -> bool:
        """Whether it is an address of this machine that may be bound to (not a tentative one)."""
        raise NotImplementedError

    def add_route(
        self,
        now: int,
        destination: bytes,
        prefix_length: int,
        interface: Interface,
        gateway: bytes | None = None,
        *,
        metric: int = 0,
        source: bytes | None = None,
        origin: int = 0,
        valid_ns: int | None = None,
    ) -> Route:
        """Adds one, or puts it in the place of one to the same prefix with the same gateway,
        interface and metric. Raises OSError: EINVAL, ENOSPC, ENETUNREACH (a gateway that is not on
        the link)."""
        raise NotImplementedError

    def del_route(
        self,
        now: int,
        destination: bytes,
        prefix_length: int,
        interface: Interface | None = None,
        gateway: bytes | None = None,
        metric: int | None = None,
    ) -> None:
        """Removes the first that fits. Raises OSError: ESRCH."""
        raise NotImplementedError

    def routes(self, version: int) -> list[Route]:
        """All of them, 4 or 6, the most specific first."""
        raise NotImplementedError

    # For transports

    def path(self, remote: bytes, local: bytes | None = None, interface: int = 0) -> Path:
        """See Ip. To a broadcast or multicast address `to_all` is set; `local` of zeros is taken
        as it is for 255.255.255.255 on an interface without an address (DHCP)."""
        raise NotImplementedError

    def send(
        self,
        path: Path,
        protocol: int,
        data: Sequence[bytes | bytearray | memoryview],
        checksum_offset: int = -1,
        segment_size: int = 0,
        hop_limit: int = 0,
        traffic_class: int = 0,
        may_fragment: bool = False,
    ) -> None:
        """See Ip."""
        raise NotImplementedError

    def confirm(self, path: Path) -> None:
        """See Ip."""
        raise NotImplementedError

    def join(self, now: int, interface: Interface, group: bytes) -> None:
        """One more member of a multicast group, 4 or 6, on an interface.
        Raises OSError: EINVAL, ENOBUFS."""
        raise NotImplementedError

    def leave(self, now: int, interface: Interface, group: bytes) -> None:
        """One less. Raises OSError: EADDRNOTAVAIL."""
        raise NotImplementedError
