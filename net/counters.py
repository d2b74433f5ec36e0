"""What happened, by name: every packet that is dropped increments one counter."""

from __future__ import annotations


class Counters(dict[str, int]):
    """Numbers by name, `layer_reason`; a name that nothing has counted is 0.

    Names are constants of the code, never made from what came: so there are not many.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> int:
        return 0

    def count(self, name: str, by: int = 1) -> None:
        """Once more."""
        self[name] = self.get(name, 0) + by
