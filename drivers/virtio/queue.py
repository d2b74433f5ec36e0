"""The split virtqueue (2.7): descriptors, what is available to the device, what it has used.

The driver `add`s buffers and `kick`s; the device works, interrupts, and the driver `take`s what
comes back. Nothing that the device writes is trusted: a wrong number raises DeviceError, and the
driver then resets the device.
"""

from __future__ import annotations

from struct import Struct

from ovum.drivers.errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ovum.drivers.hardware import Dma, Hardware

    Segments = Sequence[tuple[int, int]]
    """Physical address and length of each piece of a buffer."""

NEXT = 1
WRITE = 2
INDIRECT = 4
"""Flags of a descriptor: another follows; the device writes; it is a table of others (2.7.5)."""

NO_INTERRUPT = 1
"""Flag of the available ring (2.7.6)."""
NO_NOTIFY = 1
"""Flag of the used ring (2.7.8)."""

LARGEST = 32768
"""Entries that a queue has at most (2.7)."""

_pack_descriptor = Struct("<QIHH").pack_into
_pack_three = Struct("<QIHHQIHHQIHH").pack_into
_DESCRIPTOR = 16
_TABLE: list[int] = []
_packers: dict[int, Callable[..., None]] = {}
"""For tables of each length that was needed."""


class QueueFull(Exception):
    """There are not enough free descriptors: take something first."""


class Layout:
    """Where the three parts of a queue are, as offsets in its memory (2.7; legacy: 2.7.2)."""

    __slots__ = ("available", "size", "used")

    def __init__(self, entries: int, align: int) -> None:
        self.available = _DESCRIPTOR * entries
        end = self.available + 6 + 2 * entries
        self.used = -(-end // align) * align
        self.size = self.used + 6 + 8 * entries


class Queue:
    """One virtqueue. `size` entries, a power of two.

    `notify()` tells the device that there is something new. `features`: what was negotiated.
    `align`: of the used ring; 4096 for legacy devices.
    """

    def __init__(
        self,
        hardware: Hardware,
        name: str,
        size: int,
        features: int,
        notify: Callable[[], None],
        align: int = 4,
    ) -> None:
        from ovum.drivers.virtio.features import EVENT_IDX, INDIRECT_DESC

        if size <= 0 or size & size - 1 or size > LARGEST:
            raise DeviceError(f"{name}: a queue of {size} entries cannot be")
        self.name = name
        self.size = size
        self.notify = notify
        self.indirect = bool(features & INDIRECT_DESC)
        self.event_index = bool(features & EVENT_IDX)
        self._hardware = hardware
        self._fence = hardware.fence
        layout = Layout(size, align)
        self._memory: Dma = hardware.dma(layout.size)
        base = self._memory.address
        self.descriptors_at = base
        self.available_at = base + layout.available
        self.used_at = base + layout.used
        view = self._memory.view
        self._descriptors = view[: layout.available]
        # Words: flags, idx, the ring, and at the end used_event (2.7.6).
        self._available = view[layout.available : layout.available + 6 + 2 * size].cast("H")
        # flags and idx are two of the first four bytes; elements are pairs of 32 bits (2.7.8).
        used = view[layout.used : layout.used + 6 + 8 * size]
        self._used = used[:4].cast("H")
        self._elements = used[4 : 4 + 8 * size].cast("I")
        self._avail_event = used[4 + 8 * size :].cast("H")
        self._free = list(range(size - 1, -1, -1))
        self._tokens: list[Any] = [None] * size
        self._chains: list[list[int] | None] = [None] * size
        """Of each head what else its chain has; `_TABLE` if it named a table at its last use."""
        self._counts = [0] * size
        """How many descriptors that table had."""
        self._writable = [0] * size
        self._tables: dict[int, Dma] = {}
        self._views: dict[int, tuple[memoryview, int]] = {}
        """The same, as `add` needs it."""
        self._next = 0
        """The available index, which is not told yet."""
        self._told = 0
        """The available index that the device was last told of."""
        self._seen = 0
        """The used index up to which things were taken."""

    def __repr__(self) -> str:
        return f"<queue {self.name}: {self.in_flight} of {self.size} in flight>"

    @property
    def in_flight(self) -> int:
        """Descriptors that the device has, or will have with the next kick."""
        return self.size - len(self._free)

    def add(self, readable: Segments, writable: Segments, token: object) -> None:
        """Makes a buffer available: what the device reads, then what it writes (2.7.13).

        `token`, not None, comes back from `take`. The device learns of it at the next `kick`.
        Raises QueueFull.
        """
        count = len(readable) + len(writable)
        if not count:
            raise ValueError("a buffer must have at least one segment")
        free = self._free
        if self.indirect and count > 1:
            if not free:
                raise QueueFull(self.name)
            head = free.pop()
            view, address = self._views.get(head) or self._table(head, count)
            if len(view) < count * _DESCRIPTOR:
                view, address = self._table(head, count)
            # One call for all of them: this is what a request costs most time for.
            if count == 3 and writable and readable:
                # What most requests of disks are: a header, one piece of memory, a status.
                (at, length), (at2, length2), (at3, length3) = *readable, *writable
                flags = NEXT if len(readable) == 2 else NEXT | WRITE
                _pack_three(
                    *(view, 0, at, length, NEXT, 1, at2, length2, flags, 2),
                    *(at3, length3, WRITE, 0),
                )
            else:
                fields: list[int] = []
                following = 0
                for at, length in readable:
                    following += 1
                    fields += (at, length, NEXT, following)
                for at, length in writable:
                    following += 1
                    fields += (at, length, NEXT | WRITE, following)
                fields[-2] &= WRITE
                fields[-1] = 0
                (_packers.get(count) or _packer(count))(view, 0, *fields)
            if self._chains[head] is not _TABLE or self._counts[head] != count:
                self._counts[head] = count
                self._chains[head] = _TABLE
                _pack_descriptor(
                    self._descriptors,
                    *(head * _DESCRIPTOR, address, count * _DESCRIPTOR, INDIRECT, 0),
                )
        else:
            if len(free) < count:
                raise QueueFull(self.name)
            if count == 1:
                head = free.pop()
                address, length = readable[0] if readable else writable[0]
                _pack_descriptor(
                    self._descriptors,
                    *(head * _DESCRIPTOR, address, length, 0 if readable else WRITE, 0),
                )
                self._chains[head] = None
            else:
                chain = [free.pop() for _ in range(count)]
                head = chain[0]
                _chain(self._descriptors, chain, readable, writable)
                self._chains[head] = chain[1:]
        self._tokens[head] = token
        total = 0
        for _, length in writable:
            total += length
        self._writable[head] = total
        self._available[2 + (self._next & self.size - 1)] = head
        self._next = self._next + 1 & 0xFFFF

    def _table(self, head: int, count: int) -> tuple[memoryview, int]:
        """Memory for the indirect table of a descriptor, kept for the next time."""
        table = self._tables.get(head)
        size = count * _DESCRIPTOR
        if table is None or len(table.view) < size:
            if table is not None:
                table.free()
            table = self._tables[head] = self._hardware.dma(max(size, 512))
        self._views[head] = table.view, table.address
        self._counts[head] = 0
        return self._views[head]

    def kick(self) -> None:
        """Tells the device of what was added since the last time, if it wants to know (2.7.7)."""
        new = self._next
        old = self._told
        if new == old:
            return
        self._available[1] = new
        self._told = new
        self._fence()
        if self.event_index:
            # Has the index that the device named been passed? (2.7.10)
            if (new - self._avail_event[0] - 1) & 0xFFFF < (new - old) & 0xFFFF:
                self.notify()
        elif not self._used[0] & NO_NOTIFY:
            self.notify()

    def take(self) -> list[tuple[Any, int]]:
        """What the device has used since the last time: (token, bytes that it wrote), in its order.

        Raises DeviceError for an index, a descriptor or a length that cannot be.
        """
        index = self._used[1]
        seen = self._seen
        count = index - seen & 0xFFFF
        if not count:
            return []
        if count > self.in_flight:
            raise DeviceError(f"{self.name}: {count} buffers were used of {self.in_flight}")
        mask = self.size - 1
        taken: list[tuple[Any, int]] = []
        elements = self._elements
        tokens = self._tokens
        for position in range(seen, seen + count):
            at = (position & mask) * 2
            head = elements[at]
            length = elements[at + 1]
            token = tokens[head] if head < self.size else None
            if token is not None and length and not self._writable[head]:
                length = 0  # QEMU's input device says how much it has read (2.7.8.2 says: written)
            if token is None or length > self._writable[head]:
                if taken:
                    break  # what was good is not lost; the next call raises
                raise DeviceError(self._lie(head, length, token))
            tokens[head] = None
            chain = self._chains[head]
            if chain:
                self._free.extend(chain)
            self._free.append(head)
            taken.append((token, length))
        self._seen = seen + len(taken) & 0xFFFF
        return taken

    def _lie(self, head: int, length: int, token: object) -> str:
        if token is None:
            return f"{self.name}: descriptor {head} was used, and is not in use"
        return f"{self.name}: {length} bytes were written where {self._writable[head]} fit"

    def interrupt_next(self) -> bool:
        """Asks for an interrupt when the device uses the next buffer. False: it has meanwhile, and
        `take` has something (2.7.7.1)."""
        if self.event_index:
            self._available[2 + self.size] = self._seen
        else:
            self._available[0] = 0
        self._fence()
        return self._used[1] == self._seen

    def no_interrupts(self) -> None:
        """Asks for none until `interrupt_next`: a hint, which the device may ignore."""
        if not self.event_index:
            self._available[0] = NO_INTERRUPT

    def drop_all(self) -> list[Any]:
        """The tokens of all that the device still has; after a reset, which took it away."""
        tokens = [token for token in self._tokens if token is not None]
        self._tokens = [None] * self.size
        self._free = list(range(self.size - 1, -1, -1))
        return tokens

    def free(self) -> None:
        """Gives its memory back. The device must have been reset."""
        self._memory.free()
        self._views.clear()
        for table in self._tables.values():
            table.free()


def _packer(count: int) -> Callable[..., None]:
    _packers[count] = pack = Struct("<" + "QIHH" * count).pack_into
    return pack


def _chain(view: memoryview, slots: Sequence[int], readable: Segments, writable: Segments) -> None:
    """Writes descriptors of a chain into these slots of a table."""
    last = len(slots) - 1
    k = 0
    for segments, flag in ((readable, 0), (writable, WRITE)):
        for address, length in segments:
            more = k < last
            _pack_descriptor(
                view,
                *(slots[k] * _DESCRIPTOR, address, length),
                *(flag | NEXT if more else flag, slots[k + 1] if more else 0),
            )
            k += 1
