"""Multicast groups of an interface, and what routers are told of them (RFC 2236, 3376; 2710, 3810).

Sources are filtered at the endpoints (udp.py), not here: routers are told that a group is wanted
from everybody, which is more than was asked for and never less.
"""

from __future__ import annotations

import errno

from ovum.net.iface.events import GROUPS
from ovum.net.iface.interface import MULTICAST
from ovum.net.settings import SECOND
from ovum.net.wire import addr
from ovum.net.wire.igmp import IS_EXCLUDE, TO_EXCLUDE, TO_INCLUDE, Query, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.interface import Interface
    from ovum.net.iface.routing import Routing
    from ovum.net.ip import Packet
    from ovum.net.wire.igmp import Record

ROBUSTNESS = 2
"""How often changes are told (RFC 3376, 8.1)."""
UNSOLICITED_INTERVAL_NS = SECOND
"""RFC 3376, 8.11; RFC 3810, 9.11."""
OLD_UNSOLICITED_INTERVAL_NS = 10 * SECOND
"""RFC 2236, 8.10; RFC 2710, 7.10."""
OLD_QUERIER_NS = 400 * SECOND
"""How long a router of an old version is remembered (RFC 2236, 4; RFC 3376, 8.12)."""
RECORDS_MOST = 60
"""In one report: it fits 1,280 bytes."""


class Membership:
    """One group."""

    __slots__ = ("answer_at", "group", "is_last_reporter", "members", "to_tell")

    def __init__(self, group: bytes) -> None:
        self.group = group
        self.members = 0
        self.to_tell = 0
        """How often it is still to be said that we have joined."""
        self.answer_at = 0
        """When a query about this group is answered; 0: there was none."""
        self.is_last_reporter = False


class Groups:
    """Of one interface and version. igmp.py and mld.py say how it is put."""

    newest = 3
    """Version of the protocol."""
    layer = "igmp"

    def __init__(self, stack: Routing, link: Interface) -> None:
        self.stack = stack
        self.link = link
        self.members: dict[bytes, Membership] = {}
        self._left: dict[bytes, int] = {}
        """Groups that we have left, and how often that is still to be said."""
        self._version_until: dict[int, int] = {}
        """Old versions of routers, and how long they are remembered."""
        self._general_at = 0
        """When a query about all groups is answered."""
        self._tell_at = 0
        """When changes are told again."""
        self._timer = stack.timers.new(self._due)

    # What versions of IP have

    def parse(self, packet: Packet) -> Query | Report:
        raise NotImplementedError

    def is_reported(self, group: bytes) -> bool:
        raise NotImplementedError

    def send_records(self, records: list[Record]) -> None:
        raise NotImplementedError

    def send_old_report(self, group: bytes, version: int) -> None:
        raise NotImplementedError

    def send_old_leave(self, group: bytes) -> None:
        raise NotImplementedError

    # For everybody

    def macs(self) -> set[bytes]:
        """Of the groups, for the card's filter."""
        return {addr.multicast_mac(group) for group in self.members}

    def join(self, now: int, group: bytes) -> None:
        """One more member. Raises OSError: ENOBUFS."""
        membership = self.members.get(group)
        if membership is None:
            if len(self.members) >= self.stack.settings.groups_max:
                raise OSError(errno.ENOBUFS, "too many groups")
            membership = self.members[group] = Membership(group)
            self.link.accept[group] = MULTICAST
            self._left.pop(group, None)
            if self._reports(group):
                membership.to_tell = ROBUSTNESS
                self._tell(now)
            self.stack.tell(GROUPS, self.link)
        membership.members += 1

    def leave(self, now: int, group: bytes) -> None:
        """One less. Raises OSError: EADDRNOTAVAIL."""
        membership = self.members.get(group)
        if membership is None:
            raise OSError(errno.EADDRNOTAVAIL, "not a member of the group")
        membership.members -= 1
        if membership.members:
            return
        del self.members[group]
        self.link.accept.pop(group, None)
        if self._reports(group):
            if self._version(now) < self.newest:
                if membership.is_last_reporter:
                    self.send_old_leave(group)
            else:
                # As many as there may be groups: joining and leaving fast is no way to more.
                if len(self._left) < self.stack.settings.groups_max:
                    self._left[group] = ROBUSTNESS
                self._tell(now)
        self.stack.tell(GROUPS, self.link)

    def link_up(self, now: int) -> None:
        """Another network, maybe: all is told again."""
        self._version_until.clear()
        for group, membership in self.members.items():
            if self._reports(group):
                membership.to_tell = ROBUSTNESS
        self._tell(now)

    def receive(self, now: int, packet: Packet) -> None:
        """A router asks, or another host tells."""
        message = self.parse(packet)
        counters = self.stack.counters
        if isinstance(message, Query):
            counters.count(self.layer + "_query")
            self._query(now, message)
            return
        counters.count(self.layer + "_report")
        if self._version(now) < self.newest:
            # Suppression: of the old versions one report per group is enough (RFC 2236, 3).
            for kind, group, _ in message.records:
                membership = self.members.get(group)
                if kind == IS_EXCLUDE and membership is not None:
                    membership.answer_at = 0
                    membership.is_last_reporter = False

    # Within

    def _reports(self, group: bytes) -> bool:
        return not self.link.loopback and self.is_reported(group)

    def _version(self, now: int) -> int:
        """Of the oldest router that was heard of lately (RFC 3376, 7.2.1)."""
        for version in sorted(self._version_until):
            if self._version_until[version] > now:
                return version
        return self.newest

    def _tell(self, now: int) -> None:
        """Says what has changed, now and once more."""
        if not self.link.up:
            return
        version = self._version(now)
        records: list[Record] = []
        for membership in self.members.values():
            if membership.to_tell:
                membership.to_tell -= 1
                if version < self.newest:
                    self.send_old_report(membership.group, version)
                    membership.is_last_reporter = True
                else:
                    records.append((TO_EXCLUDE, membership.group, ()))
        for group in list(self._left):
            records.append((TO_INCLUDE, group, ()))
            self._left[group] -= 1
            if not self._left[group]:
                del self._left[group]
        self._send_all(records)
        if self._left or any(each.to_tell for each in self.members.values()):
            most = UNSOLICITED_INTERVAL_NS
            if version < self.newest:
                most = OLD_UNSOLICITED_INTERVAL_NS
            self._tell_at = now + 1 + self.stack.rng.randrange(most)
            self._timer.set_earlier(self._tell_at)

    def _send_all(self, records: list[Record]) -> None:
        for at in range(0, len(records), RECORDS_MOST):
            self.send_records(records[at : at + RECORDS_MOST])

    def _query(self, now: int, query: Query) -> None:
        if query.version < self.newest:
            self._version_until[query.version] = now + OLD_QUERIER_NS
        delay = max(1, query.max_response_ms * 1_000_000)
        at = now + 1 + self.stack.rng.randrange(delay)
        if any(query.group):
            membership = self.members.get(query.group)
            if membership is not None and self._reports(query.group):
                self._answer_at(membership, at)
            return
        if self._version(now) == self.newest:
            if not self._general_at or at < self._general_at:
                self._general_at = at
                self._timer.set_earlier(at)
            return
        # One report for each group, spread over the time.
        for membership in self.members.values():
            if self._reports(membership.group):
                self._answer_at(membership, now + 1 + self.stack.rng.randrange(delay))

    def _answer_at(self, membership: Membership, at: int) -> None:
        if not membership.answer_at or at < membership.answer_at:
            membership.answer_at = at
            self._timer.set_earlier(at)

    def _due(self, now: int) -> None:
        if self._tell_at and self._tell_at <= now:
            self._tell_at = 0
            self._tell(now)
        version = self._version(now)
        records: list[Record] = []
        everything = 0 < self._general_at <= now
        if everything:
            self._general_at = 0
        for membership in self.members.values():
            if not self._reports(membership.group):
                continue
            if everything or 0 < membership.answer_at <= now:
                membership.answer_at = 0
                if version < self.newest:
                    self.send_old_report(membership.group, version)
                    membership.is_last_reporter = True
                else:
                    records.append((IS_EXCLUDE, membership.group, ()))
        if self.link.up:
            self._send_all(records)
        times = [self._tell_at, self._general_at]
        times.extend(membership.answer_at for membership in self.members.values())
        later = [at for at in times if at]
        if later:
            self._timer.set(min(later))
