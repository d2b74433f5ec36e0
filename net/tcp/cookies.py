"""SYN cookies (RFC 4987, 3.6): half-open connections that are not stored.

The initial number carries the minute and the MSS, proven by a keyed hash; the low bits of the
timestamp, which the peer echoes, carry its window scale and whether it does SACK, as with Linux.
"""

from __future__ import annotations

from ovum.net.tcp.seq import MASK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.isn import Secret

PERIOD = 64_000_000_000
"""ns that a cookie is made in; it is accepted in the next one, too."""

SIZES = (536, 1300, 1440, 1460)
"""The peer's MSS is rounded down to one of these (Linux's for IPv4)."""

OPTION_BITS = 6
NO_SCALE = 15
SACK = 16


def make(secret: Secret, key: bytes, irs: int, mss: int, now: int) -> int:
    """A cookie: 8 bits of time, 24 of a hash plus the index of the MSS; and the peer's number, so
    that no two connections have the same (RFC 4987, A)."""
    count = now // PERIOD & 0xFF
    index = max((i for i, size in enumerate(SIZES) if size <= mss), default=0)
    return ((count << 24) + irs + (_hash(secret, key, irs, count) + index & 0xFFFFFF)) & MASK


def _hash(secret: Secret, key: bytes, irs: int, count: int) -> int:
    return secret.hash(key + irs.to_bytes(4, "big") + bytes((count,)), b"cookie") & 0xFFFFFF


def check(secret: Secret, key: bytes, irs: int, cookie: int, now: int) -> int:
    """The MSS in a cookie of ours; 0: it is none, or too old."""
    value = (cookie - irs) & MASK
    count = value >> 24
    if (now // PERIOD - count) & 0xFF > 1:
        return 0
    index = (value - _hash(secret, key, irs, count)) & 0xFFFFFF
    return SIZES[index] if index < len(SIZES) else 0


def stamp(timestamp: int, scale: int, sack: bool) -> int:
    """A timestamp with a peer's options in it; not later than the one given. scale -1: none."""
    bits = (NO_SCALE if scale < 0 else scale) | (SACK if sack else 0)
    value = timestamp & ~((1 << OPTION_BITS) - 1) | bits
    if value > timestamp:
        value -= 1 << OPTION_BITS
    return value & MASK


def options(echo: int) -> tuple[int, bool]:
    """Window scale (-1: none) and SACK, of the echo of such a timestamp."""
    scale = echo & 15
    return -1 if scale == NO_SCALE else min(scale, 14), bool(echo & SACK)
