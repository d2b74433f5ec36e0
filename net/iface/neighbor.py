"""Neighbors: who has which address on a link, and whether they are still there (RFC 4861, 7.3)."""

from __future__ import annotations

REACHABLE, STALE, DELAY, PROBE, INCOMPLETE, FAILED, PERMANENT = 0, 1, 2, 3, 4, 5, 6


class Neighbor:
    """One of them. ARP's are treated as ND's are."""

    __slots__ = ("address", "header", "interface", "mac", "router", "state")

    def __init__(self, interface: int, address: bytes) -> None:
        self.interface = interface
        self.address = address
        self.mac = b""
        self.header = b""
        """Of frames that go there."""
        self.router = False
        self.state = INCOMPLETE
