"""Round-trip times and the retransmission timeout (RFC 6298).

The floor is Linux's: what is added to SRTT is 200 ms at least, where RFC 6298 (2.4) has 1 s for the
whole: a machine in a data centre waits 200 ms for a lost tail, not 1 s.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.tcp.connection import Connection

INITIAL_RTO = 1_000_000_000
"""RFC 6298, 2.1."""

AFTER_SYN_LOSS_RTO = 3_000_000_000
"""RFC 6298, 5.7."""


def sample(c: Connection, rtt: int) -> None:
    """A round trip of a segment that was sent once (Karn's rule, 3)."""
    srtt = c.srtt
    if srtt:
        # (2.3) RTTVAR first, with the old SRTT; alpha 1/8, beta 1/4.
        deviation = srtt - rtt
        if deviation < 0:
            deviation = -deviation
        var = c.rttvar + ((deviation - c.rttvar) >> 2)
        srtt += (rtt - srtt) >> 3
        if rtt < c.min_rtt:
            c.min_rtt = rtt
    else:
        # (2.2)
        if rtt <= 0:
            rtt = 1
        srtt = c.min_rtt = rtt
        var = rtt >> 1
    c.srtt = srtt
    c.rttvar = var
    var <<= 2
    settings = c.host.settings
    if var < settings.min_rto:
        var = settings.min_rto
    rto = srtt + var
    c.rto = rto if rto < settings.max_rto else settings.max_rto


def backed_off(c: Connection) -> int:
    """The timeout, doubled for each time in a row that it has expired (5.5)."""
    rto = c.rto << min(c.backoff, 16)
    return min(rto, c.host.settings.max_rto)
