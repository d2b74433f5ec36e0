"""Conflicts of IPv4 addresses: probing, announcing, defending (RFC 5227)."""

from __future__ import annotations

from ovum.net.iface.events import CONFLICT
from ovum.net.settings import SECOND
from ovum.net.wire import arp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.iface.interface import Interface
    from ovum.net.iface.routing import Routing
    from ovum.net.iface.timers import Timer

    Done = Callable[[int, bool], None]

PROBE_WAIT_NS = SECOND
PROBE_NUM = 3
PROBE_MIN_NS = SECOND
PROBE_MAX_NS = 2 * SECOND
ANNOUNCE_WAIT_NS = 2 * SECOND
"""RFC 5227, 1.1. A probe takes from 4 seconds to 7 with these."""


class _Probe:
    """An address that may become ours."""

    def __init__(self, conflicts: Conflicts, address: bytes, done: Done) -> None:
        self._conflicts = conflicts
        self.address = address
        self.done = done
        self.sent = 0
        self.timer = conflicts.stack.timers.new(self.due)

    def due(self, now: int) -> None:
        """Sends the next probe, or is through."""
        conflicts = self._conflicts
        if self.sent == PROBE_NUM:
            conflicts.finish(now, self, True)
            return
        self.sent += 1
        conflicts.link.arp.probe(self.address)
        if self.sent == PROBE_NUM:
            self.timer.set(now + ANNOUNCE_WAIT_NS)
        else:
            spread = PROBE_MAX_NS - PROBE_MIN_NS
            self.timer.set(now + PROBE_MIN_NS + conflicts.stack.rng.randrange(spread + 1))


class _Announcement:
    """An address that is ours now."""

    def __init__(self, conflicts: Conflicts, address: bytes) -> None:
        self._conflicts = conflicts
        self.address = address
        self.sent = 0
        self.timer: Timer = conflicts.stack.timers.new(self.due)

    def due(self, now: int) -> None:
        conflicts = self._conflicts
        settings = conflicts.stack.settings
        self.sent += 1
        conflicts.link.arp.announce(self.address)
        if self.sent < settings.announce_count:
            self.timer.set(now + settings.announce_interval_ns)
        else:
            conflicts.announcements.pop(self.address, None)


class Conflicts:
    """Of one interface."""

    def __init__(self, stack: Routing, link: Interface) -> None:
        self.stack = stack
        self.link = link
        self._probes: dict[bytes, _Probe] = {}
        self.announcements: dict[bytes, _Announcement] = {}
        self._defended: dict[bytes, int] = {}
        """When each address of ours was defended last."""

    def probe(self, now: int, address: bytes, done: Done) -> None:
        """See Stack.probe_address. Of two for one address the first is called off: not free."""
        before = self._probes.get(address)
        if before is not None:
            self.finish(now, before, False)
        probe = self._probes[address] = _Probe(self, address, done)
        probe.timer.set(now + 1 + self.stack.rng.randrange(PROBE_WAIT_NS))

    def cancel(self, address: bytes) -> None:
        """Nobody wants to know any more: done is not called."""
        probe = self._probes.pop(address, None)
        if probe is not None:
            probe.timer.cancel()

    def finish(self, now: int, probe: _Probe, free: bool) -> None:
        """For _Probe: says what has come of it."""
        self.cancel(probe.address)
        self.stack.counters.count("acd_free" if free else "acd_taken")
        probe.done(now, free)

    def announce(self, now: int, address: bytes) -> None:
        """Tells everybody, now and once more."""
        self.forget(address)
        announcement = self.announcements[address] = _Announcement(self, address)
        announcement.due(now)

    def forget(self, address: bytes) -> None:
        """It is no longer ours."""
        announcement = self.announcements.pop(address, None)
        if announcement is not None:
            announcement.timer.cancel()
        self._defended.pop(address, None)

    def look(self, now: int, packet: arp.Arp) -> None:
        """Whether a packet of another host is in conflict with an address of ours, or with one
        that is being probed (2.1.1, 2.4)."""
        if packet.sender in self._probes:
            self.finish(now, self._probes[packet.sender], False)
        elif (
            packet.target in self._probes
            and packet.operation == arp.REQUEST
            and not any(packet.sender)
        ):
            # Somebody else probes it at the same time.
            self.finish(now, self._probes[packet.target], False)
        address = self.link.addresses4.get(packet.sender)
        if address is None:
            return
        self.stack.counters.count("acd_conflict")
        last = self._defended.get(packet.sender)
        interval = self.stack.settings.arp_defend_interval_ns
        if last is None or now - last >= interval:
            # 2.4 (b): defended once; who goes on despite that is told of.
            self._defended[packet.sender] = now
            self.link.arp.announce(packet.sender)
            return
        self.stack.tell(CONFLICT, address)
