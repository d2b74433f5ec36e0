"""Keyboard layouts by name. Each is a module of data, imported when it is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.input.layouts.layout import Layout

NAMES = ("us", "uk", "de", "fr")


def load(name: str) -> Layout:
    """The layout of this name. Raises ValueError for one that is not in NAMES."""
    if name == "us":
        from ovum.drivers.input.layouts.us import LAYOUT as US

        return US
    if name == "uk":
        from ovum.drivers.input.layouts.uk import LAYOUT as UK

        return UK
    if name == "de":
        from ovum.drivers.input.layouts.de import LAYOUT as DE

        return DE
    if name == "fr":
        from ovum.drivers.input.layouts.fr import LAYOUT as FR

        return FR
    raise ValueError(f"there is no layout {name!r}, only {', '.join(NAMES)}")
