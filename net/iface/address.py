"""One address of an interface, and what becomes of it."""

from __future__ import annotations

TENTATIVE, PREFERRED, DEPRECATED, DUPLICATE = 0, 1, 2, 3
"""States (RFC 4862, 2): being checked, or in use, or in use for what goes on only, or somebody
else's."""

STATIC, DHCP, ADVERTISED, LINK_LOCAL = 0, 1, 2, 3
"""Where it is from."""


class Address:
    """Changed by the stack alone."""

    __slots__ = (
        "address", "broadcast", "interface", "origin", "preferred_until", "prefix_length",
        "retries", "state", "temporary", "valid_until",
    )  # fmt: skip

    def __init__(
        self,
        interface: int,
        address: bytes,
        prefix_length: int,
        state: int = PREFERRED,
        origin: int = STATIC,
        preferred_until: int | None = None,
        valid_until: int | None = None,
    ) -> None:
        self.interface = interface
        self.address = address
        self.prefix_length = prefix_length
        self.state = state
        self.origin = origin
        self.preferred_until = preferred_until
        """Deprecated from then on; None: never."""
        self.valid_until = valid_until
        """Gone then; None: never."""
        self.temporary = False
        """It is one of RFC 8981's."""
        self.broadcast = b""
        """IPv4: of its network, if it has one."""
        self.retries = 0
        """How many identifiers were found to be others' before this one."""

    def __repr__(self) -> str:
        state = ("tentative", "preferred", "deprecated", "duplicate")[self.state]
        return f"<{self.address.hex()}/{self.prefix_length} on {self.interface}: {state}>"
