"""One interface: what it is called, what it has, what waits for its card."""

from __future__ import annotations

from ovum.drivers.frames import TCP4, TCP6, UDP, Offload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ovum.drivers.frames import Frame
    from ovum.drivers.network import Offloads
    from ovum.net.iface.acd import Conflicts
    from ovum.net.iface.address import Address
    from ovum.net.iface.arp import ArpTable
    from ovum.net.iface.dad import Detection
    from ovum.net.iface.groups import Groups
    from ovum.net.iface.nd import NdTable
    from ovum.net.iface.neighbor import Neighbor
    from ovum.net.iface.routers import Routers

    Data = bytes | bytearray | memoryview
    Tap = Callable[[int, "Interface", bool, Data | tuple[Data, ...]], None]
    """(now, interface, outgoing, data): data is bytes, or pieces of it."""

UNICAST: Final = 1
BROADCAST: Final = 2
MULTICAST: Final = 3
"""What a destination is, that packets are accepted for."""

SHARED_OFFLOADS_MAX = 256


class Interface:
    """Made by `stack.add_interface`; changed by the stack alone."""

    arp: ArpTable
    nd: NdTable
    conflicts: Conflicts
    groups4: Groups
    groups6: Groups
    routers: Routers
    detection: Detection

    def __init__(
        self,
        index: int,
        name: str,
        mac: bytes,
        ip_mtu: int,
        offloads: Offloads | None,
        up: bool,
        outbox_max: int,
    ) -> None:
        self.index = index
        self.name = name
        self.mac = mac
        """Empty: the loopback interface."""
        self.loopback = not mac
        self.ip_mtu = ip_mtu
        """Bytes of an IP packet."""
        self.up = up
        """Whether there is a cable."""
        self.outbox: list[Frame] = []
        self.outbox_max = outbox_max if up else 0
        """0 while it is down: one comparison for both."""
        self._outbox_most = outbox_max
        self.taps: list[Tap] = []
        """Who looks at all frames, in both directions: recorders, tcpdump."""
        self.addresses4: dict[bytes, Address] = {}
        self.addresses6: dict[bytes, Address] = {}
        self.accept: dict[bytes, int] = {}
        """What packets are accepted for, of both versions: UNICAST and so on. Tentative addresses
        are not among them."""
        self.dhcp = False
        """Datagrams to port 68 are accepted for any address: a client has none yet (RFC 2131,
        4.1). The DHCP client sets it."""
        self.hop_limit6 = 0
        """What routers have said; 0: nothing."""
        self.link_mtu6 = 0
        """The same (RFC 4861, 4.6.4)."""
        self.resolvers: list[bytes] = []
        """DNS servers of router advertisements (RFC 8106), the first is to be asked first."""
        self.search_domains: list[str] = []
        self.received_frames = 0
        self.received_bytes = 0
        self.sent_frames = 0
        self.sent_bytes = 0

        self.checksums = False
        """The card calculates those of TCP and UDP."""
        self.segments4 = self.segments6 = self.segments_udp = self.segments_ecn = False
        """And segments."""
        if offloads is not None and offloads.transmit_checksum:
            self.checksums = True
            self.segments4 = offloads.tcp4
            self.segments6 = offloads.tcp6
            self.segments_udp = offloads.udp
            self.segments_ecn = offloads.tcp_ecn
        self._shared: dict[tuple[int, int, int, int, bool], Offload] = {}

    def __repr__(self) -> str:
        return f"<{self.name}: {self.mac.hex(':') or 'loopback'}, {'up' if self.up else 'down'}>"

    @property
    def mac_groups(self) -> set[bytes]:
        """Of the groups that it has joined: for the card's filter."""
        return self.groups4.macs() | self.groups6.macs()

    def link_local(self) -> bytes | None:
        """Its IPv6 link-local address, once that is checked."""
        for each in self.addresses6.values():
            if each.address[0] == 0xFE and each.address in self.accept:
                return each.address
        return None

    def set_up(self, up: bool) -> None:
        """For the stack: there is a cable, or none."""
        self.up = up
        self.outbox_max = self._outbox_most if up else 0

    def take_outbox(self, now: int) -> list[Frame]:
        """What is to be sent, for the card: it is the caller's from now on."""
        frames = self.outbox
        if frames:
            self.outbox = []
            self.sent_frames += len(frames)
            for frame in frames:
                self.sent_bytes += frame.size
            for tap in self.taps:
                for frame in frames:
                    tap(now, self, True, frame.data)
        return frames

    def neighbors(self, version: int) -> list[Neighbor]:
        """Those that are known, 4 or 6."""
        return list((self.arp if version == 4 else self.nd).entries.values())

    def checksum_by_card(self, start: int, offset: int) -> Offload:
        """What has the card calculate a checksum; one object for all frames alike."""
        return self.segments_by_card(start, offset, 0, 0, False)

    def segments_by_card(
        self, start: int, offset: int, header_size: int, segment_size: int, ecn: bool
    ) -> Offload:
        """What has the card cut a frame as well. start: of the transport's header; offset: of the
        checksum within it."""
        key = (start, offset, header_size, segment_size, ecn)
        offload = self._shared.get(key)
        if offload is None:
            if len(self._shared) >= SHARED_OFFLOADS_MAX:
                self._shared.clear()
            kind = 0
            if segment_size:
                kind = UDP if offset == 6 else TCP4 if start == 34 else TCP6
            offload = self._shared[key] = Offload(
                needs_checksum=True,
                checksum_start=start,
                checksum_offset=offset,
                segmentation=kind,
                segment_size=segment_size,
                header_size=header_size,
                ecn=ecn,
            )
        return offload
