"""The states of a connection (RFC 9293, 3.3.2), numbered as Linux numbers them in TCP_INFO."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ESTABLISHED: Final = 1
SYN_SENT: Final = 2
SYN_RECEIVED: Final = 3
FIN_WAIT_1: Final = 4
FIN_WAIT_2: Final = 5
TIME_WAIT: Final = 6
CLOSED: Final = 7
CLOSE_WAIT: Final = 8
LAST_ACK: Final = 9
LISTEN: Final = 10
CLOSING: Final = 11

NAMES = (
    "", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
    "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
)  # fmt: skip

TRANSITIONS = frozenset(
    (
        (CLOSED, SYN_SENT), (CLOSED, SYN_RECEIVED), (CLOSED, ESTABLISHED),
        (SYN_SENT, SYN_RECEIVED), (SYN_SENT, ESTABLISHED), (SYN_SENT, CLOSED),
        (SYN_RECEIVED, ESTABLISHED), (SYN_RECEIVED, FIN_WAIT_1), (SYN_RECEIVED, CLOSE_WAIT),
        (SYN_RECEIVED, CLOSED),
        (ESTABLISHED, FIN_WAIT_1), (ESTABLISHED, CLOSE_WAIT), (ESTABLISHED, CLOSED),
        (FIN_WAIT_1, FIN_WAIT_2), (FIN_WAIT_1, CLOSING), (FIN_WAIT_1, TIME_WAIT),
        (FIN_WAIT_1, CLOSED),
        (FIN_WAIT_2, TIME_WAIT), (FIN_WAIT_2, CLOSED),
        (CLOSE_WAIT, LAST_ACK), (CLOSE_WAIT, CLOSED),
        (CLOSING, TIME_WAIT), (CLOSING, CLOSED),
        (LAST_ACK, CLOSED), (TIME_WAIT, CLOSED),
    )
)  # fmt: skip
"""What may follow what (RFC 9293, figure 5; CLOSED to ESTABLISHED: a listener's child, whose
handshake its half-open entry has done; any to CLOSED: reset, abort, time-out)."""
