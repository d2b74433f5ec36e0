"""Inputs for a fuzzer without coverage: samples, changed in a few places by a seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_BYTES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 58, 63, 64, 127, 128, 192, 254, 255)
_WORDS = (0, 1, 7, 8, 20, 40, 255, 256, 1280, 1500, 0x7FFF, 0x8000, 0xC000, 0xFFFE, 0xFFFF)


def mutated(rng: Random, seeds: Sequence[bytes], longest: int = 2048) -> bytes:
    """A sample, changed in one to eight ways."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        size = len(data)
        kind = rng.randrange(9)
        at = rng.randrange(size) if size else 0
        if not size or kind == 0:
            data[at:at] = rng.randbytes(rng.choice((1, 2, 4, 8, 40)))
        elif kind == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at] = rng.choice(_BYTES)
        elif kind == 3:
            data[at] = (data[at] + rng.choice((-1, 1, -4, 4))) & 0xFF
        elif kind == 4:
            data[at : at + 2] = rng.choice(_WORDS).to_bytes(2, "big")
        elif kind == 5:
            del data[at : at + rng.choice((1, 2, 4, 8, 16))]
        elif kind == 6:
            del data[at:]
        elif kind == 7:
            part = data[at : at + rng.choice((1, 4, 8, 32))]
            data[at:at] = part * rng.choice((1, 1, 2, 16))
        else:
            other = rng.choice(seeds)
            data[at:] = other[rng.randrange(len(other) + 1) :]
    return bytes(data[:longest])
