"""Requests of a disk that somebody waits for, and memory cut into requests."""

from __future__ import annotations

from ovum.services.tasks import Waiter, park

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.block import BlockDevice
    from ovum.drivers.virtio.queue import Segments

LARGEST = 4 << 20
"""Bytes that one request moves at most."""


class Transfer:
    """Requests that somebody waits for the end of. No cancellation ends that: the device has the
    memory."""

    __slots__ = ("disk", "error", "pending", "waiter")

    def __init__(self, disk: BlockDevice) -> None:
        self.disk = disk
        self.pending = 0
        self.error: Exception | None = None
        self.waiter: Waiter | None = None

    def abort(self, waiter: Waiter) -> bool:
        return False

    def describe(self, waiter: Waiter) -> str:
        return f"be answered by {self.disk.name}"

    async def done(self) -> None:
        """Waits until all requests are done. Raises what the first that failed has failed of."""
        if self.pending:
            self.waiter = waiter = Waiter(self)
            await park(waiter)
        if self.error is not None:
            raise self.error

    def part_done(self, error: Exception | None) -> None:
        if error is not None and self.error is None:
            self.error = error
        self.pending -= 1
        if not self.pending and self.waiter is not None:
            self.waiter.wake()


class Call:
    """A request that nobody waits for: done(error) is called at its end."""

    __slots__ = ("done", "pending")

    def __init__(self, done: Callable[[Exception | None], None]) -> None:
        self.done = done
        self.pending = 0

    def part_done(self, error: Exception | None) -> None:
        self.done(error)


class Request:
    """One request that the device has."""

    __slots__ = ("least", "since", "slot", "transfer")

    def __init__(self, transfer: Transfer | Call, slot: int, least: int, since: int) -> None:
        self.transfer = transfer
        self.slot = slot
        self.least = least
        """Bytes that the device must say it has written, if all went well."""
        self.since = since


def split(
    segments: Segments, most: int, longest: int, block: int
) -> list[tuple[list[tuple[int, int]], int]] | None:
    """Memory in parts of whole blocks, each with its bytes, of at most `most` segments that have at
    most `longest` bytes each. None: it is too scattered for that."""
    parts: list[tuple[list[tuple[int, int]], int]] = []
    part: list[tuple[int, int]] = []
    size = 0
    left = list(segments)
    left.reverse()
    while left:
        address, length = left.pop()
        take = min(length, longest, LARGEST - size)
        part.append((address, take))
        size += take
        if take < length:
            left.append((address + take, length - take))
        if len(part) < most and size < LARGEST and left:
            continue
        over = size % block
        while over:
            # What is of a block that is not whole goes into the next part.
            address, length = part.pop()
            back = min(over, length)
            if back < length:
                part.append((address, length - back))
            left.append((address + length - back, back))
            over -= back
            size -= back
        if not size:
            return None
        parts.append((part, size))
        part, size = [], 0
    return parts
