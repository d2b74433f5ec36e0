"""Datagrams from their fragments, of both versions (RFC 791, 3.2; RFC 8200, 4.5).

Fragments that overlap others are forged or broken: the whole datagram is dropped (RFC 5722; RFC
8200 says the same of it, and Linux of IPv4). One that repeats another to the byte is not: networks
duplicate. Memory is bounded for each interface and in all; the oldest datagram goes first.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.iface.core import Core

    Key = tuple[int, bytes, bytes, int, int]
    """Interface, source, destination, protocol (IPv4 only), identification."""

ENTRY_COST, FRAGMENT_COST = 512, 128
"""Bytes that Python's objects take, about."""


class Datagram:
    """One that is not complete."""

    __slots__ = ("deadline", "end", "first", "hop_limit", "interface", "key", "memory", "pieces",
                 "received", "top")  # fmt: skip

    def __init__(self, key: Key, interface: int, deadline: int) -> None:
        self.key = key
        self.interface = interface
        self.deadline = deadline
        self.pieces: dict[int, bytes] = {}
        """By offset."""
        self.received = 0
        """Bytes in them."""
        self.end = -1
        """Where the last fragment ended; -1: it has not come."""
        self.first = b""
        """The packet with the first fragment in it, for an ICMP error, and for its headers."""
        self.hop_limit = 0
        self.memory = ENTRY_COST
        self.top = 0
        """Where the fragment that reaches furthest ends."""


class Reassembler:
    """All datagrams that are not complete."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._datagrams: dict[Key, Datagram] = {}
        """The oldest first: all wait equally long."""
        self.memory = 0
        self.interface_memory: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._datagrams)

    def add(
        self,
        now: int,
        key: Key,
        interface: int,
        offset: int,
        more: bool,
        payload: bytes,
        packet: bytes,
    ) -> tuple[Datagram, bytes] | None:
        """One more fragment. The datagram and its payload if it is complete now.

        packet: the whole packet that the fragment came in, if it is the first.
        """
        counters = self._core.counters
        layer = _layer(key)
        size = len(payload)
        end = offset + size
        if end > 65535:
            counters.count(layer + "_fragment_too_far")
            return None
        if more and (size & 7 or not size):
            counters.count(layer + "_fragment_size_odd")
            return None
        datagram = self._datagrams.get(key)
        if datagram is None:
            datagram = Datagram(key, interface, now + self._core.settings.fragments_ns)
            self._datagrams[key] = datagram
            self._charge(interface, ENTRY_COST)
        if datagram.pieces.get(offset) == payload and more == (end != datagram.end):
            counters.count(layer + "_fragment_duplicate")
            return None
        if not self._fits(datagram, offset, end, more):
            counters.count(layer + "_fragment_overlap")
            self._remove(datagram)
            return None
        if len(datagram.pieces) >= self._core.settings.fragments_per_datagram_max:
            counters.count(layer + "_fragments_too_many")
            self._remove(datagram)
            return None
        datagram.pieces[offset] = payload
        datagram.received += size
        datagram.top = max(datagram.top, end)
        if not more:
            datagram.end = end
        cost = size + FRAGMENT_COST
        if not offset:
            datagram.first = packet
            cost += len(packet)
        datagram.memory += cost
        self._charge(interface, cost)
        if datagram.received == datagram.end:
            self._remove(datagram)
            pieces = datagram.pieces
            return datagram, b"".join([pieces[at] for at in sorted(pieces)])
        self._make_room(interface)
        return None

    def _fits(self, datagram: Datagram, offset: int, end: int, more: bool) -> bool:
        """Whether a fragment overlaps no other, and none says another length of the whole."""
        if datagram.end >= 0:
            if end > datagram.end or not more:
                return False
        elif not more and datagram.top > end:
            return False
        # In order, which is how nearly all come, there is nothing to look through.
        if offset >= datagram.top:
            return True
        return all(at >= end or at + len(each) <= offset for at, each in datagram.pieces.items())

    def next_deadline(self) -> int | None:
        """When `expire` has something to do."""
        for datagram in self._datagrams.values():
            return datagram.deadline
        return None

    def expire(self, now: int) -> list[Datagram]:
        """Those that were waited for long enough."""
        late = []
        for datagram in list(self._datagrams.values()):
            if datagram.deadline > now:
                break
            self._core.counters.count(_layer(datagram.key) + "_reassembly_timeout")
            self._remove(datagram)
            late.append(datagram)
        return late

    def clear(self, interface: int) -> None:
        """Forgets all of an interface."""
        for datagram in list(self._datagrams.values()):
            if datagram.interface == interface:
                self._remove(datagram)

    def _charge(self, interface: int, memory: int) -> None:
        self.memory += memory
        self.interface_memory[interface] = self.interface_memory.get(interface, 0) + memory

    def _remove(self, datagram: Datagram) -> None:
        del self._datagrams[datagram.key]
        self._charge(datagram.interface, -datagram.memory)

    def _make_room(self, interface: int) -> None:
        settings = self._core.settings
        while self.interface_memory[interface] > settings.fragments_interface_max:
            for datagram in self._datagrams.values():
                if datagram.interface == interface:
                    self._push_out(datagram)
                    break
        while self.memory > settings.fragments_memory_max:
            self._push_out(next(iter(self._datagrams.values())))

    def _push_out(self, datagram: Datagram) -> None:
        self._core.counters.count(_layer(datagram.key) + "_fragments_memory_full")
        self._remove(datagram)


def _layer(key: Key) -> str:
    return "ipv4" if len(key[1]) == 4 else "ipv6"
