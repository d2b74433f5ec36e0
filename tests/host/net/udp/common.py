"""What the tests of UDP share."""

from __future__ import annotations

import pytest

from ..iface.lab import PEER, PEER6, PEER_LINK, ROUTER, Lab


def routed() -> Lab:
    """With a default route, and neighbors that are known."""
    lab = Lab()
    lab.stack.add_route(lab.now, bytes(4), 0, lab.link, ROUTER)
    for address in (PEER, PEER6, PEER_LINK, ROUTER):
        lab.know(address)
    return lab


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.RaisesExc(OSError, check=lambda error: error.errno == number)
