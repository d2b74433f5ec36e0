"""Changes of state, and how connections end."""

from __future__ import annotations

from ovum.net.tcp import recovery
from ovum.net.tcp.states import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    NAMES,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    TRANSITIONS,
)
from ovum.net.tcp.tcb import NEVER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

(
    OPENED, HANDSHAKE, PEER_FIN, OUR_FIN, FIN_ACKED, RESET, ABORTED, TIMED_OUT, ICMP, RELEASED,
) = range(10)  # fmt: skip
CAUSES = (
    "opened", "handshake", "peer's FIN", "our FIN", "FIN acknowledged", "reset by peer", "aborted",
    "timed out", "ICMP error", "nothing left",
)  # fmt: skip

HISTORY = 16
"""Bytes of history: the last 8 changes."""


def enter(c: Connection, state: int, cause: int) -> None:
    """The one place where the state changes."""
    if (c.state, state) not in TRANSITIONS:
        c.host.counters.count("tcp_transition_unlisted")
    c.state = state
    c.history = (c.history + bytes((state, cause)))[-HISTORY:]
    set_predict(c)


def describe(history: bytes) -> str:
    """A history in words."""
    pairs = zip(history[::2], history[1::2], strict=True)
    return ", ".join(f"{NAMES[state]} ({CAUSES[cause]})" for state, cause in pairs)


def set_predict(c: Connection) -> None:
    """Whether the fast path may be taken, and what it expects: called behind whatever may change
    that."""
    if (
        (c.state == ESTABLISHED or c.state == CLOSE_WAIT)
        and c.ooo is None
        and not c.orphan
        and c.fin_in < 0
        and recovery.is_open(c)
    ):
        c.predict = 0x8010 if c.ts_on else 0x5010
    else:
        c.predict = 0


def mark(c: Connection) -> None:
    """flush is to look at it."""
    if not c.dirty:
        c.dirty = True
        c.host.dirty.append(c)


def stop_timers(c: Connection) -> None:
    """No timer is running."""
    c.rto_at = c.tlp_at = c.rack_at = c.persist_at = c.delack_at = NEVER
    c.keepalive_at = NEVER


def end(c: Connection, cause: int) -> None:
    """Nothing is left of it in the host, and its observer hears the last word."""
    if c.state == CLOSED:
        return
    if c.state == ESTABLISHED or c.state == CLOSE_WAIT:
        c.host.counters.count("tcp_established_ended")
    elif c.state == SYN_SENT or c.state == SYN_RECEIVED:
        c.host.counters.count("tcp_attempt_failed")
    enter(c, CLOSED, cause)
    _leave(c)


def _leave(c: Connection) -> None:
    stop_timers(c)
    c.sent = []
    c.host.forget(c)
    c.observer.gone(c)


def fail(c: Connection, errno: int, cause: int) -> None:
    """It is over, and not because both sides wanted it."""
    if c.state == CLOSED:
        return
    if not c.orphan:
        c.observer.failed(c, errno)
    end(c, cause)


def reset(c: Connection) -> None:
    """Sends an RST."""
    c.host.send_reset(c.path, c.ports, c.snd_nxt, c.rcv_nxt)


def time_wait(c: Connection, now: int) -> None:
    """Both have closed, and have heard that the other has; an entry without a connection stays."""
    _remember(c, now, False)


def leave_fin_wait(c: Connection, now: int) -> None:
    """We have closed, the program wants nothing more, and only the peer's FIN is missing: that
    needs no connection either. As Linux does."""
    _remember(c, now, True)


def _remember(c: Connection, now: int, peer_open: bool) -> None:
    acknowledge = c.ack_now
    c.ack_now = False
    enter(c, TIME_WAIT, FIN_ACKED)
    stop_timers(c)
    c.sent = []
    c.host.remember(c, now, peer_open, acknowledge)
    c.observer.gone(c)


def challenge(c: Connection, now: int) -> None:
    """A challenge ACK, if there are not too many (RFC 5961, 7)."""
    if c.host.may_challenge(now):
        c.ack_now = True
