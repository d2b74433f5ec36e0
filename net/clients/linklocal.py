"""IPv4 addresses that a machine takes by itself, where nobody gives it one (RFC 3927)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class LinkLocalUser(Protocol):
        """Who runs it."""

        def probe(self, now: int, address: bytes) -> None:
            """Finds out whether somebody has an address (RFC 3927, 2.2.1): `probed` is called."""

        def claimed(self, now: int, address: bytes) -> None:
            """It is ours, and may be used and announced."""

        def given_up(self, now: int, address: bytes) -> None:
            """It is not ours any more."""


SECOND = 1_000_000_000

PREFIX_LENGTH = 16

CONFLICTS_MOST = 10
PAUSE_NS = 60 * SECOND
"""After so many conflicts, an address a minute (RFC 3927, 9)."""

_COUNT = 0xFE00
"""169.254.1.0 to 169.254.254.255 (2.1)."""


class LinkLocal:
    """One interface's. `deadline` is when `poll` has something to do; None: never."""

    def __init__(self, mac: bytes, user: LinkLocalUser) -> None:
        self.deadline: int | None = None
        self.address = b""
        """Empty: none is ours."""
        self._user = user
        self._running = False
        self._probing = b""
        self._conflicts = 0
        # Another sequence for each card, and the same each time: then it is likely to get the
        # address that it had before (2.1). The multiplier is Knuth's for 64 bits.
        self._seed = int.from_bytes(mac, "big") * 6364136223846793005
        self._turn = 0

    def start(self, now: int) -> None:
        """Looks for an address."""
        if not self._running:
            self._running = True
            self._try(now)

    def stop(self, now: int) -> None:
        """Gives up what it has."""
        self._running = False
        self._probing = b""
        self.deadline = None
        self._give_up(now)

    def probed(self, now: int, address: bytes, free: bool) -> None:
        """What a probe has found out."""
        if address != self._probing:
            return
        self._probing = b""
        if free:
            self.address = address
            self._user.claimed(now, address)
        else:
            self._next(now)

    def conflict(self, now: int) -> None:
        """Somebody else uses our address, and does not stop (2.5): it is theirs."""
        if self.address:
            self._give_up(now)
            self._next(now)

    def poll(self, now: int) -> None:
        """Does what is due."""
        if self.deadline is not None and now >= self.deadline:
            self._try(now)

    def _next(self, now: int) -> None:
        self._conflicts += 1
        if self._conflicts >= CONFLICTS_MOST:
            self.deadline = now + PAUSE_NS
        else:
            self._try(now)

    def _try(self, now: int) -> None:
        self.deadline = None
        self._turn += 1
        number = ((self._seed + self._turn * 1442695040888963407) >> 24) % _COUNT
        self._probing = bytes((169, 254, 1 + (number >> 8), number & 0xFF))
        self._user.probe(now, self._probing)

    def _give_up(self, now: int) -> None:
        address, self.address = self.address, b""
        if address:
            self._user.given_up(now, address)
