"""The two queues of frames: buffers of a fixed size, each with descriptors of its own, for good.

What `Queue` does for any buffer is done here for a batch at once, with operations on slices of the
rings where it can be; nothing is allocated for a frame but the frame.
"""

from __future__ import annotations

from struct import Struct, pack, pack_into

from ovum.drivers.errors import DeviceError
from ovum.drivers.virtio.queue import NEXT, WRITE, Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ovum.drivers.frames import Frame
    from ovum.drivers.hardware import Dma

BUFFER = 2048
"""Bytes of a buffer: a frame of 1,518 with its header, two on a page."""

_pack_descriptor = Struct("<QIHH").pack_into
_DESCRIPTOR = 16


class FrameQueue(Queue):
    """A queue whose buffers `furnish` makes.

    A buffer is known by its head, the number of its first descriptor. Where headers must have a
    descriptor of their own (legacy devices without ANY_LAYOUT, 5.1.6.6), it has two, and heads are
    even.
    """

    step = 1
    """Descriptors of each buffer."""
    memory: Dma | None = None
    """The buffers'."""

    def furnish(self, buffer_size: int, header_size: int, split: bool, flags: int) -> Dma:
        """Makes the buffers and writes the descriptors, whose flags are these; their memory."""
        self.header_size = header_size
        self.buffer_size = buffer_size
        self.step = step = 2 if split else 1
        count = self.buffers = self.size // step
        self._flags = flags
        self._looked = 0
        """The used index when it was last looked at: more may have been used than taken."""
        memory = self.memory = self._hardware.dma(count * buffer_size)
        self._base = memory.address
        self.heads = list(range(0, count * step, step))
        view = memory.view
        self.views = [view[k * buffer_size : (k + 1) * buffer_size] for k in range(count)]
        """The buffers, each with room for the header in front; of head h: `views[h // step]`."""
        self._lengths = self._descriptors.cast("I")
        if split:
            for head in self.heads:
                self.point(head, self.own(head), buffer_size)
        else:
            # As `point` would write them: the address, then the length, flags and no next one.
            words = [buffer_size | flags << 32] * (2 * count)
            words[::2] = range(self._base, self._base + count * buffer_size, buffer_size)
            pack_into(f"<{2 * count}Q", self._descriptors, 0, *words)
        return memory

    def own(self, head: int) -> int:
        """The physical address of a buffer's own memory."""
        return self._base + head // self.step * self.buffer_size

    def point(self, head: int, address: int, size: int) -> None:
        """Has a buffer's descriptors name `size` bytes of memory, the header's among them."""
        at, flags = head * _DESCRIPTOR, self._flags
        if self.step == 1:
            _pack_descriptor(self._descriptors, at, address, size, flags, 0)
            return
        header = self.header_size
        _pack_descriptor(self._descriptors, at, address, header, flags | NEXT, head + 1)
        rest = (address + header, size - header, flags, 0)
        _pack_descriptor(self._descriptors, at + _DESCRIPTOR, *rest)

    def used(self) -> int:
        """How many buffers the device has used. Raises DeviceError for more than it has."""
        self._looked = index = self._used[1]
        count = index - self._seen & 0xFFFF
        if count > self.in_flight:
            raise DeviceError(f"{self.name}: {count} buffers were used of {self.in_flight}")
        return count

    def elements(self, begin: int, end: int) -> tuple[list[int], list[int]]:
        """Heads and lengths of what was used, in the ring from one place to another, at most once
        around; none of them is checked."""
        ring = self._elements
        if end <= self.size:
            return ring[2 * begin : 2 * end : 2].tolist(), ring[
                2 * begin + 1 : 2 * end : 2
            ].tolist()
        heads, lengths = self.elements(begin, self.size)
        more_heads, more_lengths = self.elements(0, end - self.size)
        return heads + more_heads, lengths + more_lengths

    def drop_all(self) -> list[Any]:
        return []  # buffers belong to the queue

    def free(self) -> None:
        if self.memory is not None:
            # Memory is given back when its last view is gone.
            del self.views, self._lengths
            self.memory.free()
        super().free()


class ReceiveQueue(FrameQueue):
    """All buffers are with the device, but for the moment in which they are looked at."""

    @property
    def in_flight(self) -> int:
        return self.buffers

    def fill(self, buffer_size: int, header_size: int, split: bool) -> None:
        """Makes the buffers and gives all to the device, which is told by the next `kick`."""
        memory = self.furnish(buffer_size, header_size, split, WRITE)
        self._order = memoryview(pack(f"<{self.buffers}H", *self.heads)).cast("H")
        self._available[2 : 2 + self.buffers] = self._order
        self._next = self.buffers
        # The first bytes of headers, and num_buffers: every so many of these is a buffer's (5.1.6).
        view = memory.view
        self._words = view.cast("Q")
        self._halves = view.cast("H")

    def plain(self, merge: bool) -> tuple[list[int], list[int]] | None:
        """Heads and lengths of the next buffers that were used, if all of them are whole frames
        with nothing special, in the order in which the device got them; as far as the end of the
        ring. None: they have to be looked at one by one. Raises DeviceError.
        """
        count = self.used()
        begin = self._seen & self.size - 1
        end = min(begin + count, self.size)
        self._looked = self._seen + end - begin & 0xFFFF  # there may be more at the ring's start
        heads, lengths = self.elements(begin, end)
        if not heads:
            return heads, lengths
        if self.step > 1 or heads != self.heads[begin:end]:
            return None
        if min(lengths) < self.header_size or max(lengths) > self.buffer_size:
            return None
        words = self.buffer_size // 8
        # flags, gso_type, hdr_len, gso_size, csum_start: all 0.
        if any(self._words[begin * words : end * words : words].tolist()):
            return None
        if merge:
            halves = self.buffer_size // 2
            buffers = self._halves[begin * halves + 5 : end * halves : halves].tolist()
            if buffers.count(1) != len(buffers):
                return None
        return heads, lengths

    def look(self) -> tuple[list[int], list[int]]:
        """Heads and lengths of all buffers that were used. Raises DeviceError for heads and lengths
        that cannot be."""
        count = self.used()
        begin = self._seen & self.size - 1
        heads, lengths = self.elements(begin, begin + count)
        known = set(heads)
        if len(known) != count or not known.issubset(self.heads):
            raise DeviceError(f"{self.name}: descriptors {heads} were used, and are not all in use")
        longest = max(lengths, default=0)
        if longest > self.buffer_size:
            raise DeviceError(
                f"{self.name}: {longest} bytes were written into a buffer of {self.buffer_size}"
            )
        return heads, lengths

    def give_back(self, heads: list[int], in_order: bool) -> None:
        """The next that were used are the device's again; it is told by the next `kick`.

        `in_order`: `plain` has returned them.
        """
        mask = self.size - 1
        ring, at = self._available, self._next
        if in_order:
            # All buffers are available or used: the next places are those where these were.
            begin = at & mask
            ring[2 + begin : 2 + begin + len(heads)] = self._order[begin : begin + len(heads)]
        else:
            for position, head in enumerate(heads, at):
                ring[2 + (position & mask)] = head
        self._next = at + len(heads) & 0xFFFF
        self._seen = self._seen + len(heads) & 0xFFFF

    def interrupt_for_more(self) -> bool:
        """Asks for an interrupt when more is used than was last looked at. False: that is so
        already (2.7.7.1)."""
        if self.event_index:
            self._available[2 + self.size] = self._looked
        else:
            self._available[0] = 0
        self._fence()
        return self._used[1] == self._looked

    def free(self) -> None:
        if self.memory is not None:
            del self._words, self._halves
        super().free()


class TransmitQueue(FrameQueue):
    """Buffers are with the device, or free. A few large ones are for frames to be segmented."""

    LARGE = 8
    """How many large buffers there are, made when the first is needed."""
    LARGE_SIZE = 0x11000
    """Bytes of one: a header and the largest frame."""
    _large: Dma | None = None

    def prepare(self, buffer_size: int, header_size: int, split: bool) -> None:
        """Makes the buffers."""
        self.furnish(buffer_size, header_size, split, 0)
        self.spare = self.heads[::-1]
        """Heads of free buffers."""
        self._out: set[int] = set()
        """Heads of those that the device has."""
        self._special: dict[int, int | None] = {}
        """Of these, the ones with a header of their own; and their large buffer."""
        self._views_by_head = self.views
        if split:
            self._views_by_head = [view for view in self.views for _ in range(2)]
        self._large_free: list[int] = []

    @property
    def in_flight(self) -> int:
        return len(self._out)

    def reclaim(self) -> None:
        """Takes back what was sent. Raises DeviceError for what cannot be."""
        count = self.used()
        if not count:
            return
        begin = self._seen & self.size - 1
        heads = self.elements(begin, begin + count)[0]
        known = set(heads)
        if len(known) != count or not known <= self._out:
            raise DeviceError(f"{self.name}: descriptors {heads} were used, and are not all in use")
        self._out -= known
        self._seen = self._seen + count & 0xFFFF
        if self._special:
            for head in heads:
                if head in self._special:
                    self._restore(head)
        self.spare += heads

    def _restore(self, head: int) -> None:
        large = self._special.pop(head)
        self.views[head // self.step][: self.header_size] = bytes(self.header_size)
        if large is not None:
            self._large_free.append(large)
            self.point(head, self.own(head), self.buffer_size)

    def put(self, head: int, size: int) -> None:
        """Makes a buffer, taken from `spare`, available with `size` bytes and the header."""
        step = self.step
        if step == 1:
            size += self.header_size
        self._lengths[4 * (head + step - 1) + 2] = size
        self._out.add(head)
        self._available[2 + (self._next & self.size - 1)] = head
        self._next = self._next + 1 & 0xFFFF

    def put_plain(self, frames: Sequence[Frame], least: int, most: int) -> tuple[int, int]:
        """Makes the first of these available that have nothing special and as many bytes as that,
        while there are free buffers; how many these were, and their bytes."""
        heads = self.spare[: -len(frames) - 1 : -1]
        views, lengths, begin = self._views_by_head, self._lengths, self.header_size
        # The length of the last descriptor, which has the header in it if it is the only one.
        place, header = (2, begin) if self.step == 1 else (6, 0)
        count = total = 0
        for frame, head in zip(frames, heads, strict=False):
            pieces = frame.data
            if frame.offload is not None:
                break
            # Joined: one copy more, and less than a slice for each piece.
            data = b"".join(pieces) if isinstance(pieces, tuple) else pieces
            size = len(data)
            if not least <= size <= most:
                break
            views[head][begin : begin + size] = data
            lengths[4 * head + place] = size + header
            total += size
            count += 1
        if count == 1:
            # Most answers are one frame.
            head = self.spare.pop()
            self._out.add(head)
            self._available[2 + (self._next & self.size - 1)] = head
            self._next = self._next + 1 & 0xFFFF
        elif count:
            del heads[count:], self.spare[-count:]
            self._out.update(heads)
            ring, first, entries = self._available, self._next & self.size - 1, self.size
            packed = memoryview(pack(f"<{count}H", *heads)).cast("H")
            fitting = min(count, entries - first)
            ring[2 + first : 2 + first + fitting] = packed[:fitting]
            ring[2 : 2 + count - fitting] = packed[fitting:]
            self._next = self._next + count & 0xFFFF
        return count, total

    def special(self, head: int, size: int) -> memoryview | None:
        """Where a frame of that size with a header of its own goes, the header in front; None: all
        large buffers are in use."""
        if size + self.header_size <= self.buffer_size:
            self._special[head] = None
            return self.views[head // self.step]
        if self._large is None:
            self._large = self._hardware.dma(self.LARGE * self.LARGE_SIZE)
            self._large_free = list(range(self.LARGE))
        if not self._large_free:
            return None
        large = self._special[head] = self._large_free.pop()
        begin = large * self.LARGE_SIZE
        self.point(head, self._large.address + begin, self.LARGE_SIZE)
        return self._large.view[begin : begin + self.LARGE_SIZE]

    def interrupt_for_room(self) -> bool:
        """Asks for an interrupt when half of what the device has was sent, or, without the event
        index, something. False: there is some already (2.7.7.1)."""
        if self.event_index:
            half = self._seen + max(self.in_flight - 1, 0) // 2
            self._available[2 + self.size] = half & 0xFFFF
        else:
            self._available[0] = 0
        self._fence()
        return self._used[1] == self._looked

    def free(self) -> None:
        if self.memory is not None:
            del self._views_by_head
        if self._large is not None:
            self._large.free()
        super().free()
