"""Numbers by chance, from the kernel's generator: what a Random is asked for here, and no more.

`random` itself takes longer to import than much of the network.
"""

from __future__ import annotations

from os import urandom

_CHUNK = 256


class Entropy:
    """Cannot be guessed, and has no state that could be found out."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = b""

    def randbytes(self, count: int) -> bytes:
        """Bytes."""
        if count > _CHUNK:
            return urandom(count)
        if len(self._left) < count:
            self._left = urandom(_CHUNK)
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def getrandbits(self, count: int) -> int:
        """A number of so many bits."""
        size = count + 7 >> 3
        return int.from_bytes(self.randbytes(size), "little") >> (size * 8 - count)

    def randrange(self, start: int, stop: int | None = None) -> int:
        """From start to stop - 1; from 0 to start - 1 without a stop. Raises ValueError."""
        low, high = (0, start) if stop is None else (start, stop)
        width = high - low
        if width <= 0:
            raise ValueError(f"no number from {low} to {high - 1}")
        bits = width.bit_length()
        while True:
            value = self.getrandbits(bits)
            if value < width:
                return low + value

    def randint(self, low: int, high: int) -> int:
        """A number from low to high."""
        return self.randrange(low, high + 1)

    def random(self) -> float:
        """From 0 up to 1."""
        return self.getrandbits(53) / (1 << 53)

    def uniform(self, low: float, high: float) -> float:
        """Between the two."""
        return low + (high - low) * self.random()
