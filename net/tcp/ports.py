"""Which ports are taken, and by whom."""

from __future__ import annotations


class Binding:
    """A local address and port that a socket has."""

    local: bytes
    port: int

    def release(self) -> None:
        """The socket is bound no more."""
        raise NotImplementedError
