"""Initial sequence numbers (RFC 6528; RFC 9293, MUST-8 and 9) and timestamp offsets."""

from __future__ import annotations

from _blake2 import blake2s

from ovum.net.tcp.seq import MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

TICK_NS = 4000
"""M, the timer of RFC 6528, 3."""


class Secret:
    """A key that makes numbers out of addresses and ports, which nobody else can compute."""

    __slots__ = ("_key",)

    def __init__(self, rng: Random) -> None:
        self._key = rng.getrandbits(256).to_bytes(32, "big")

    def hash(self, data: bytes, purpose: bytes) -> int:
        """32 bits of a keyed hash."""
        digest = blake2s(data, digest_size=4, key=self._key, person=purpose).digest()
        return int.from_bytes(digest, "big")

    def isn(self, key: bytes, now: int) -> int:
        """M + F(addresses and ports, secret)."""
        return (now // TICK_NS + self.hash(key, b"isn")) & MASK

    def timestamp_offset(self, key: bytes) -> int:
        """What is added to our timestamps (RFC 7323, 5.4): the same for the same ports, so that
        PAWS works from one connection to the next."""
        return self.hash(key, b"ts")
