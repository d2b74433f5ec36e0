"""Keep-alive (RFC 9293, 3.8.4, MUST-24 to 29): off unless the program asks for it."""

from __future__ import annotations

from ovum.net.tcp import tx
from ovum.net.tcp.states import CLOSED, SYN_RECEIVED, SYN_SENT, TIME_WAIT
from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection


def arm(c: Connection, now: int) -> None:
    """The connection is established, or the options have changed."""
    if not c.options.keepalive or c.state in (CLOSED, SYN_SENT, SYN_RECEIVED, TIME_WAIT):
        c.keepalive_at = NEVER
        return
    _at(c, max(c.heard_at + idle(c), now))


def idle(c: Connection) -> int:
    """How long a connection is silent before it is probed."""
    return c.options.keep_idle or c.host.settings.keep_idle


def _at(c: Connection, at: int) -> None:
    c.keepalive_at = at
    if at < c.wake_at:
        c.host.wake(c, at)


def on_timer(c: Connection, now: int) -> bool:
    """Its time has come. False: the peer is taken to be dead."""
    settings = c.host.settings
    options = c.options
    silent = now - c.heard_at
    if silent < idle(c):
        c.keepalive_probes = 0
        _at(c, c.heard_at + idle(c))
        return True
    interval = options.keep_interval or settings.keep_interval
    if c.sent:
        # Retransmission finds out by itself.
        _at(c, now + interval)
        return True
    if options.user_timeout:
        if c.keepalive_probes and silent >= options.user_timeout:
            return False
    elif c.keepalive_probes >= (options.keep_count or settings.keep_count):
        return False
    c.keepalive_probes += 1
    tx.probe_peer(c, now)
    _at(c, now + interval)
    return True
