"""Zero-window probes (RFC 9293, 3.8.6.1, MUST-36), and the 200 ms after which a held segment goes.

A probe has no data and a number just below the window, as Linux's: the peer answers it with its
window whatever it has room for.
"""

from __future__ import annotations

from ovum.net.tcp import rtt
from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

CORK = 200_000_000
"""tcp(7), TCP_CORK: the ceiling of how long output is held."""


def arm(c: Connection, now: int) -> None:
    """Something is to be sent, nothing is out, and it may not go now."""
    wait = rtt.backed_off(c)
    if c.snd_wnd > 0:
        wait = min(wait, CORK)
    c.persist_at = now + wait
    if c.persist_at < c.wake_at:
        c.host.wake(c, c.persist_at)


def stop(c: Connection) -> None:
    """The window has opened, or nothing is left."""
    if c.persist_at != NEVER:
        c.persist_at = NEVER
        c.backoff = 0
