"""What networks do to frames: lose, repeat, delay, reorder, spoil and cut them, by chance."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random


class Faults:
    """Of one direction. Probabilities are from 0 to 1."""

    def __init__(
        self,
        rng: Random,
        *,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        truncate: float = 0.0,
        jitter_ns: int = 0,
        size_max: int = 0,
        bytes_per_s: int = 0,
        queue_ns: int = 0,
    ) -> None:
        self.rng = rng
        self.loss = loss
        self.duplicate = duplicate
        self.reorder = reorder
        """Held back for up to 10 ms."""
        self.corrupt = corrupt
        """One bit is another."""
        self.truncate = truncate
        self.jitter_ns = jitter_ns
        self.size_max = size_max
        """Longer frames are lost; 0: none are."""
        self.bytes_per_s = bytes_per_s
        """0: no limit."""
        self.queue_ns = queue_ns
        """How far behind a limited wire may be before frames are lost; 0: no limit."""
        self._free_at = 0
        self.lost = self.repeated = self.spoiled = 0

    def apply(self, now: int, frame: bytes) -> list[tuple[int, bytes]]:
        """What comes of a frame: (how much later, the frame), maybe several, maybe none."""
        rng = self.rng
        if (self.size_max and len(frame) > self.size_max) or _hit(rng, self.loss):
            self.lost += 1
            return []
        later = rng.randrange(self.jitter_ns + 1) if self.jitter_ns else 0
        if self.bytes_per_s:
            start = max(now, self._free_at)
            if self.queue_ns and start - now > self.queue_ns:
                self.lost += 1
                return []
            self._free_at = start + len(frame) * 1_000_000_000 // self.bytes_per_s
            later += self._free_at - now
        if _hit(rng, self.reorder):
            later += rng.randrange(10_000_000)
        if _hit(rng, self.corrupt):
            self.spoiled += 1
            spoiled = bytearray(frame)
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
            frame = bytes(spoiled)
        if _hit(rng, self.truncate):
            self.spoiled += 1
            frame = frame[: rng.randrange(len(frame) + 1)]
        results = [(later, frame)]
        if _hit(rng, self.duplicate):
            self.repeated += 1
            results.append((later + rng.randrange(1_000_000), frame))
        return results


def _hit(rng: Random, probability: float) -> bool:
    return probability > 0 and rng.random() < probability
