"""One route: where packets to a prefix go."""

from __future__ import annotations

STATIC, KERNEL, DHCP, ADVERTISED, REDIRECT = 0, 1, 2, 3, 4
"""Where it is from; KERNEL: it came with an address."""


class Route:
    """Never changed: another one is put in its place."""

    __slots__ = (
        "destination", "expires", "gateway", "interface", "ip_mtu", "metric", "origin",
        "prefix_length", "source",
    )  # fmt: skip

    def __init__(
        self,
        destination: bytes,
        prefix_length: int,
        interface: int,
        gateway: bytes | None = None,
        metric: int = 0,
        source: bytes | None = None,
        origin: int = STATIC,
        expires: int | None = None,
        ip_mtu: int = 0,
    ) -> None:
        self.destination = destination
        self.prefix_length = prefix_length
        self.interface = interface
        self.gateway = gateway
        """None: the destination is on the link."""
        self.metric = metric
        """Among routes to one prefix the smallest wins."""
        self.source = source
        """The address that packets are from, unless their sender says."""
        self.origin = origin
        self.expires = expires
        self.ip_mtu = ip_mtu
        """0: the interface's."""

    def __repr__(self) -> str:
        via = f" via {self.gateway.hex()}" if self.gateway else ""
        return f"<{self.destination.hex()}/{self.prefix_length}{via} on {self.interface}>"
