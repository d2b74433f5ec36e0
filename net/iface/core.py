"""What all parts of the stack share: time, chance, counters, settings, interfaces, handlers."""

from __future__ import annotations

from collections import deque

from ovum.net.counters import Counters
from ovum.net.iface.events import NEIGHBOR
from ovum.net.iface.timers import Timers
from ovum.net.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from ovum.net.iface.interface import Interface
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.ip import IcmpError, Packet

    Handler = Callable[[int, Packet], None]
    """(now, packet). It may raise WireError, whose reason is counted."""
    ErrorHandler = Callable[[int, IcmpError], bool | None]
    """(now, error). False: it is not about anything that this transport has sent, so that the path
    MTU stays what it is (RFC 5927)."""
    RawHandler = Callable[[int, Packet], bool]
    """(now, packet). Whether anybody has wanted it."""
    Listener = Callable[[int, int, object], None]
    """(now, kind, subject): see events.py. It may call the stack, and must not raise."""


class Core:
    """State, and nothing that happens. Output, Routing, Delivery, Input, Configuration and Stack
    are built on it, in this order; a Stack is all of them."""

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        self.now = 0
        """The newest time that it has been told. Whoever calls `send` without a receive or a poll
        just before may set it."""
        self.rng = rng
        self.settings = settings or Settings()
        self.counters = Counters()
        self.timers = Timers()
        self.interfaces: dict[int, Interface] = {}
        """By index; 1 is "lo"."""
        self.protocols: dict[int, Handler] = {}
        """By protocol number, of both versions of IP: `protocols[6] = tcp_host.receive`."""
        self.errors: dict[int, ErrorHandler] = {}
        self.raw: dict[int, RawHandler] = {}
        """Raw endpoints, by protocol number: they see packets before the handler does."""
        self.listeners: list[Listener] = []
        self.home: deque[Packet] = deque()
        """Packets to ourselves, which the next poll brings."""
        self.home_errors: deque[tuple[int, IcmpError]] = deque()
        """What went wrong here with packets, by protocol, for their transports, at the next poll:
        none is called back while it sends."""

    def tell_error(self, protocol: int, error: IcmpError) -> None:
        """Something went wrong here with a packet of a protocol's."""
        if len(self.home_errors) < self.settings.errors_max:
            self.home_errors.append((protocol, error))
        else:
            self.counters.count("ip_errors_full")

    def tell(self, kind: int, subject: object) -> None:
        """Calls the listeners."""
        for listener in tuple(self.listeners):
            listener(self.now, kind, subject)

    def neighbor_changed(self, now: int, neighbor: Neighbor) -> None:
        """For tables of neighbors: one is known now, or does not answer."""
        self.tell(NEIGHBOR, neighbor)
