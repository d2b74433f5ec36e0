"""One interface: what it is called, what it has, what waits for its card."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.frames import Frame
    from ovum.drivers.network import Offloads
    from ovum.net.iface.address import Address
    from ovum.net.iface.neighbor import Neighbor

    Tap = Callable[[int, "Interface", bool, object], None]
    """(now, interface, outgoing, data): data is bytes, or pieces of it."""


class Interface:
    """Made by `stack.add_interface`; changed by the stack alone."""

    def __init__(
        self, index: int, name: str, mac: bytes, ip_mtu: int, offloads: Offloads | None, up: bool
    ) -> None:
        self.index = index
        self.name = name
        self.mac = mac
        """Empty: the loopback interface."""
        self.loopback = not mac
        self.ip_mtu = ip_mtu
        """Bytes of an IP packet."""
        self.offloads = offloads
        """None: the card has none."""
        self.up = up
        """Whether there is a cable."""
        self.outbox: list[Frame] = []
        self.taps: list[Tap] = []
        """Who looks at all frames, in both directions: recorders, tcpdump."""
        self.addresses4: dict[bytes, Address] = {}
        self.addresses6: dict[bytes, Address] = {}
        self.mac_groups: set[bytes] = set()
        """Of the groups that it has joined: for the card's filter."""
        self.resolvers: list[bytes] = []
        """DNS servers of router advertisements (RFC 8106), the first is to be asked first."""
        self.search_domains: list[str] = []
        self.received_frames = 0
        self.received_bytes = 0
        self.sent_frames = 0
        self.sent_bytes = 0

    def take_outbox(self, now: int) -> list[Frame]:
        """What is to be sent, for the card: it is the caller's from now on."""
        frames = self.outbox
        self.outbox = []
        return frames

    def neighbors(self, version: int) -> list[Neighbor]:
        """Those that are known, 4 or 6."""
        raise NotImplementedError
