"""What a parser says of bytes that are not what they should be."""

from __future__ import annotations


class WireError(Exception):
    """Bytes that came from a network are malformed.

    `reason` is one word or a few with underscores, and the name of the counter that the drop
    increments: `tcp_header_short`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
