"""Neighbors: who has which address on a link, and whether they are still there (RFC 4861, 7.3).

ARP's entries have the same states as ND's. A table knows no protocol: arp.py and nd.py ask for
addresses, and say what has been answered.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.drivers.frames import Frame
    from ovum.net.iface.core import Core
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.timers import Timer

PERMANENT: Final = 0
REACHABLE: Final = 1
STALE: Final = 2
DELAY: Final = 3
PROBE: Final = 4
INCOMPLETE: Final = 5
FAILED: Final = 6
GONE: Final = 7
"""States. PERMANENT: groups, and what was set by hand. Up to REACHABLE nothing is to be done when a
packet is sent. GONE: the entry is no longer in its table."""

NAMES = ("permanent", "reachable", "stale", "delay", "probe", "incomplete", "failed", "gone")


class Neighbor:
    """One of them. Changed by its table alone."""

    __slots__ = (
        "address", "confirmed", "header", "link", "mac", "pending", "probes", "router", "state",
        "table", "timer",
    )  # fmt: skip

    def __init__(self, table: NeighborTable, address: bytes, timer: Timer | None) -> None:
        self.table = table
        self.link = table.interface
        self.address = address
        self.mac = b""
        self.header = bytes(14)
        """Ethernet's, of frames that go there."""
        self.router = False
        self.state = INCOMPLETE
        self.pending: list[Frame] = []
        """What waits for the MAC: with 14 bytes of anything where the header will be."""
        self.probes = 0
        """How often it has been asked in this state."""
        self.confirmed = 0
        """When it was heard of last, by whom it matters."""
        self.timer = timer

    def __repr__(self) -> str:
        return f"<{self.address.hex()} at {self.mac.hex(':')}: {NAMES[self.state]}>"


class NeighborTable:
    """All neighbors of one interface and one version of IP."""

    def __init__(self, core: Core, interface: Interface, ethertype: int) -> None:
        self.core = core
        self.interface = interface
        self.entries: dict[bytes, Neighbor] = {}
        """In the order in which they changed last."""
        self.waiting = 0
        """Frames that wait in all entries."""
        self.reachable_ns = core.settings.reachable_ns
        """BaseReachableTime; routers may say another."""
        self.retransmit_ns = core.settings.retransmit_ns
        self._type = ethertype.to_bytes(2, "big")

    # What protocols have

    def ask(self, neighbor: Neighbor, mac: bytes) -> None:
        """Sends a request for the address of a neighbor: to this MAC, or to all if it is empty."""
        raise NotImplementedError

    def lost(self, now: int, neighbor: Neighbor, frames: list[Frame]) -> None:
        """A neighbor did not answer; these were for it."""

    # For those who send

    def find(self, address: bytes) -> Neighbor:
        """The entry of an address; a new one has not been asked for yet."""
        neighbor = self.entries.get(address)
        if neighbor is None:
            neighbor = self._new(address)
        return neighbor

    def send(self, neighbor: Neighbor, frame: Frame) -> None:
        """Sends a frame to a neighbor that is not just REACHABLE, now or when its MAC is known."""
        if not self.interface.up:
            self.core.counters.count("interface_down")
            return
        now = self.core.now
        state = neighbor.state
        if state == STALE:
            self._enter(now, neighbor, DELAY)
        elif state == FAILED and now < neighbor.confirmed:
            # It was asked for a moment ago: at most one request a second (RFC 1122, 2.3.2.1).
            self.core.counters.count("neighbor_failed")
            return
        elif state == FAILED or (state == INCOMPLETE and not neighbor.probes):
            self._enter(now, neighbor, INCOMPLETE)
        if neighbor.state == INCOMPLETE:
            self._queue(neighbor, frame)
        elif len(self.interface.outbox) < self.core.settings.outbox_max:
            self.interface.outbox.append(frame)
        else:
            self.core.counters.count("interface_outbox_full")

    def confirm(self, now: int, neighbor: Neighbor) -> None:
        """A transport knows that it is there (RFC 4861, 7.3.1)."""
        if neighbor.state == REACHABLE:
            neighbor.confirmed = now
        elif STALE <= neighbor.state <= PROBE:
            self._enter(now, neighbor, REACHABLE)

    # For those who listen

    def heard(self, now: int, address: bytes, mac: bytes, create: bool = True) -> Neighbor | None:
        """Somebody has said where it is, unasked: in a request, an advertisement of routers. That
        proves only that packets come from there (RFC 4861, 7.2.3)."""
        neighbor = self.entries.get(address)
        if neighbor is None:
            if not create:
                return None
            neighbor = self._new(address)
        if neighbor.state == PERMANENT:
            return neighbor
        if neighbor.state >= INCOMPLETE or neighbor.mac != mac:
            self.set_mac(neighbor, mac)
            self._enter(now, neighbor, STALE)
        return neighbor

    def answered(
        self, now: int, address: bytes, mac: bytes, solicited: bool, override: bool, router: bool
    ) -> Neighbor | None:
        """An answer, or what looks like one; mac may be empty (RFC 4861, 7.2.5)."""
        neighbor = self.entries.get(address)
        if neighbor is None or neighbor.state == PERMANENT:
            return neighbor
        if neighbor.state >= INCOMPLETE:
            if not mac:
                return neighbor
            self.set_mac(neighbor, mac)
            self._enter(now, neighbor, REACHABLE if solicited else STALE)
            neighbor.router = router
            return neighbor
        other = bool(mac) and mac != neighbor.mac
        if other and not override:
            if neighbor.state == REACHABLE:
                self._enter(now, neighbor, STALE)
            return neighbor
        if other:
            self.set_mac(neighbor, mac)
        if solicited:
            self._enter(now, neighbor, REACHABLE)
        elif other:
            self._enter(now, neighbor, STALE)
        neighbor.router = router
        return neighbor

    def doubt(self, now: int, neighbor: Neighbor) -> None:
        """Something speaks against what is known: it is asked at once, where it was until now."""
        if neighbor.state in (REACHABLE, STALE, DELAY):
            self._enter(now, neighbor, PROBE)

    # For everybody

    def set_permanent(self, address: bytes, mac: bytes) -> Neighbor:
        """An entry that nobody changes."""
        neighbor = self.find(address)
        self.set_mac(neighbor, mac)
        self._enter(self.core.now, neighbor, PERMANENT)
        return neighbor

    def set_mac(self, neighbor: Neighbor, mac: bytes) -> None:
        """Where frames to it go from now on."""
        neighbor.mac = mac
        neighbor.header = mac + self.interface.mac + self._type

    def remove(self, neighbor: Neighbor) -> None:
        """Forgets one; what waits for it is lost."""
        if neighbor.timer is not None:
            neighbor.timer.cancel()
        if neighbor.pending:
            self.core.counters.count("neighbor_pending_lost", len(neighbor.pending))
        self._take_pending(neighbor)
        neighbor.state = GONE
        self.entries.pop(neighbor.address, None)

    def clear(self) -> None:
        """Forgets all of them."""
        for neighbor in list(self.entries.values()):
            self.remove(neighbor)

    # Within

    def _new(self, address: bytes) -> Neighbor:
        if len(self.entries) >= self.core.settings.neighbors_max:
            self._evict()
        neighbor = Neighbor(self, address, None)
        neighbor.timer = self.core.timers.new(_Due(neighbor).run)
        self.entries[address] = neighbor
        return neighbor

    def _evict(self) -> None:
        """Makes room for one: of those that have not changed for longest, one that is not in use;
        a flood of strangers must not push out those whom we talk to."""
        entries = self.entries
        for neighbor in list(entries.values())[:16]:
            if neighbor.state in (PERMANENT, REACHABLE, DELAY, PROBE):
                entries[neighbor.address] = entries.pop(neighbor.address)
                continue
            self.core.counters.count("neighbor_evicted")
            self.remove(neighbor)
            return
        self.core.counters.count("neighbor_evicted")
        self.remove(next(iter(entries.values())))

    def _queue(self, neighbor: Neighbor, frame: Frame) -> None:
        counters, settings = self.core.counters, self.core.settings
        pending = neighbor.pending
        if len(pending) >= settings.neighbor_pending_max:
            counters.count("neighbor_pending_full")
            del pending[0]
        elif self.waiting >= settings.pending_max:
            counters.count("neighbor_pending_full")
            return
        else:
            self.waiting += 1
        pending.append(frame)

    def _take_pending(self, neighbor: Neighbor) -> list[Frame]:
        pending = neighbor.pending
        neighbor.pending = []
        self.waiting -= len(pending)
        return pending

    def _enter(self, now: int, neighbor: Neighbor, state: int) -> None:
        settings = self.core.settings
        before = neighbor.state
        neighbor.state = state
        neighbor.probes = 0
        timer = neighbor.timer
        assert timer is not None
        if state == REACHABLE:
            neighbor.confirmed = now
            # Between half and one and a half of it (RFC 4861, 6.3.2).
            timer.set(now + self.reachable_ns // 2 + self.core.rng.randrange(self.reachable_ns + 1))
        elif state == STALE:
            timer.set(now + settings.stale_ns)
        elif state == DELAY:
            timer.set(now + settings.delay_first_probe_ns)
        elif state == FAILED:
            neighbor.confirmed = now + settings.failed_hold_ns
            timer.set(now + settings.stale_ns)
        elif state == PERMANENT:
            timer.cancel()
        else:
            self._ask_again(now, neighbor)
        if neighbor.pending and state < INCOMPLETE:
            self._send_pending(neighbor)
        # The order of change.
        entries = self.entries
        if entries.pop(neighbor.address, None) is not None:
            entries[neighbor.address] = neighbor
        if state == FAILED or (before >= INCOMPLETE and state < INCOMPLETE):
            self.core.neighbor_changed(now, neighbor)

    def _send_pending(self, neighbor: Neighbor) -> None:
        outbox = self.interface.outbox
        for frame in self._take_pending(neighbor):
            data = frame.data
            assert isinstance(data, tuple)
            frame.data = (neighbor.header + data[0][14:], *data[1:])
            if len(outbox) < self.core.settings.outbox_max:
                outbox.append(frame)
            else:
                self.core.counters.count("interface_outbox_full")

    def _ask_again(self, now: int, neighbor: Neighbor) -> None:
        neighbor.probes += 1
        self.ask(neighbor, neighbor.mac if neighbor.state == PROBE else b"")
        assert neighbor.timer is not None
        neighbor.timer.set(now + self.retransmit_ns)

    def due(self, now: int, neighbor: Neighbor) -> None:
        """The timer of an entry."""
        settings = self.core.settings
        state = neighbor.state
        timer = neighbor.timer
        assert timer is not None
        if state == REACHABLE:
            until = neighbor.confirmed + self.reachable_ns
            if until > now:  # a transport has confirmed it since
                timer.set(until)
            else:
                self._enter(now, neighbor, STALE)
        elif state in (STALE, FAILED):
            self.remove(neighbor)
        elif state == DELAY:
            self._enter(now, neighbor, PROBE)
        elif state == PROBE:
            if neighbor.probes < settings.unicast_solicit_max:
                self._ask_again(now, neighbor)
            else:
                self._fail(now, neighbor)
        elif state == INCOMPLETE:
            if neighbor.probes < settings.multicast_solicit_max:
                self._ask_again(now, neighbor)
            else:
                self._fail(now, neighbor)

    def _fail(self, now: int, neighbor: Neighbor) -> None:
        self.core.counters.count("neighbor_unreachable")
        pending = self._take_pending(neighbor)
        was_probe = neighbor.state == PROBE
        self._enter(now, neighbor, FAILED)
        if was_probe:
            # It had an address until now, and may have another: the next packet asks everybody.
            neighbor.confirmed = now
        self.lost(now, neighbor, pending)


class _Due:
    """What a timer calls, for one entry."""

    __slots__ = ("_neighbor",)

    def __init__(self, neighbor: Neighbor) -> None:
        self._neighbor = neighbor

    def run(self, now: int) -> None:
        neighbor = self._neighbor
        neighbor.table.due(now, neighbor)
