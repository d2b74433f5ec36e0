"""ICMP errors about a connection (RFC 5927; RFC 9293, 3.9.2.2).

Only an error about something that is out is believed. After the handshake none ends a connection
(RFC 5927, 6.1): it is the reason that is given should the connection time out. Before, each does,
as with Linux (RFC 5461, 4.1): the program tries its next address.
"""

from __future__ import annotations

from ovum.net.tcp import lifecycle
from ovum.net.tcp.seq import unwrap
from ovum.net.tcp.states import CLOSED, SYN_RECEIVED, SYN_SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection


def on_error(c: Connection, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> bool:
    """An error about a segment with this number (on the wire). False: nothing of this is out."""
    number = unwrap(seq, c.snd_una)
    if c.state == CLOSED or not c.snd_una <= number < c.snd_nxt:
        c.host.counters.count("tcp_icmp_out_of_window")
        return False
    if ip_mtu:
        # The Internet layer lowers the path's MTU behind this; flush sees that, and sends again.
        lifecycle.mark(c)
    elif c.state == SYN_SENT or c.state == SYN_RECEIVED:
        lifecycle.fail(c, errno, lifecycle.ICMP)
    else:
        c.soft_errno = errno
    return True
