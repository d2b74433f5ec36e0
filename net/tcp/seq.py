"""Sequence numbers modulo 2^32 on the wire (RFC 9293, 3.4), and as they are inside.

Inside they do not wrap: a number starts as its wire value + 2^32 (so that nothing is negative) and
then only grows, and is compared with `<`. What comes from the wire passes `unwrap` first, once, at
the top of rx, scoreboard and icmp; what goes is masked where a header is packed. Nothing else sees
a wire value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MASK: Final = 0xFFFFFFFF
START: Final = 1 << 32
HALF: Final = 1 << 31


def unwrap(wire: int, near: int) -> int:
    """The number that is `wire` modulo 2^32 and within 2^31 of `near`."""
    return near + ((wire - near + HALF) & MASK) - HALF


def before(a: int, b: int) -> bool:
    """Whether wire value a comes before b: for timestamps, which wrap as well (RFC 7323, 4.3)."""
    return (a - b) & MASK > HALF
