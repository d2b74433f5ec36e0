"""A client of SNTP (RFC 4330, RFC 5905): how far the clock is off. It neither sends nor sleeps.

It runs only where somebody has named servers, DHCP or the command line: a machine that asked the
public pool unbidden would tell strangers of itself, and its clock is the host's anyway.

The kernel's clock is monotonic time and an offset, which can be changed at any time and by any
amount; it has no rate to change. What is less than STEP_NS off is corrected in steps of
SLEW_NS a second, too small to be noticed; what is more, at once.
"""

from __future__ import annotations

from ovum.net.wire import ntp
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from ovum.net.counters import Counters

    class Random(Protocol):
        """The part of random.Random that is needed."""

        def getrandbits(self, count: int, /) -> int: ...
        def uniform(self, least: float, most: float, /) -> float: ...

    class SntpUser(Protocol):
        """Who runs it."""

        def send_ntp(self, now: int, data: bytes, server: bytes) -> None:
            """Sends a datagram to a server's port 123."""

        def wall_ns(self, now: int) -> int:
            """What the clock says at a monotonic time: nanoseconds since 1970."""

        def move_clock(self, now: int, by_ns: int) -> None:
            """Sets it forward, or back."""

        def clock_told(self, now: int, server: bytes, off_ns: int) -> None:
            """A server has said that the clock is this much slow; once for each round."""


SECOND = 1_000_000_000

SERVERS_MOST = 4

ANSWER_NS = 2 * SECOND
"""How long the answers of all servers are waited for."""
RETRY_FIRST_S = 16
POLL_FIRST_S, POLL_MOST_S = 64, 1024
"""RFC 4330, 10 (1): never more often than every 15 seconds; RFC 5905, 7.2."""

STEP_NS = 128 * SECOND // 1000
SLEW_NS = 500_000
"""RFC 5905, 11.3: 500 ppm."""
PANIC_NS = 1000 * SECOND
"""Once the clock has been right, it is not this far off (RFC 5905, 11.2.1)."""
STEADY_NS = 5 * SECOND // 1000
"""Less than that off, it is asked for less often."""
DISTANCE_MOST_NS = 3 * SECOND // 2
"""From the source of all time (RFC 5905, 11.2.1, MAXDIST)."""

_KISSES = {b"DENY": "ntp_denied", b"RSTR": "ntp_denied", b"RATE": "ntp_rate"}


class Sample:
    """What one server has said."""

    __slots__ = ("delay_ns", "offset_ns", "server")

    def __init__(self, server: bytes, offset_ns: int, delay_ns: int) -> None:
        self.server = server
        self.offset_ns = offset_ns
        """From monotonic time to nanoseconds since 1970."""
        self.delay_ns = delay_ns


class SntpClient:
    """`deadline` is when `poll` has something to do; None: never."""

    def __init__(self, rng: Random, counters: Counters, user: SntpUser) -> None:
        self.deadline: int | None = None
        self.synchronized = False
        self._rng = rng
        self._counters = counters
        self._user = user
        self._servers: list[bytes] = []
        self._denied: set[bytes] = set()
        self._asked: dict[bytes, tuple[int, int]] = {}
        """Servers that have not answered in this round: what was sent, and when."""
        self._samples: list[Sample] = []
        self._round_ends: int | None = None
        self._next_round: int | None = None
        self._next_slew: int | None = None
        self._poll_s = POLL_FIRST_S
        self._poll_least_s = POLL_FIRST_S
        self._retry_s = RETRY_FIRST_S
        self._left_ns = 0
        """What is still to be corrected."""

    def use(self, now: int, servers: Sequence[bytes]) -> None:
        """Asks these servers from now on; none: nobody."""
        wanted = list(dict.fromkeys(servers))[:SERVERS_MOST]
        if wanted == self._servers:
            return
        self._servers = wanted
        self._denied.clear()
        self._asked.clear()
        self._samples.clear()
        self._round_ends = None
        self._retry_s = RETRY_FIRST_S
        self._next_round = now if wanted else None
        self._arm()

    def link_up(self, now: int) -> None:
        """There is a cable, or an address: who was not answered asks again at once."""
        if self._servers and not self.synchronized and self._round_ends is None:
            self._retry_s = RETRY_FIRST_S
            self._next_round = now
            self._arm()

    def receive(self, now: int, data: bytes | bytearray | memoryview, source: bytes) -> None:
        """A datagram from port 123. Nothing is raised; what is no good is counted."""
        reason = self._receive(now, data, source)
        if reason:
            self._counters.count(reason)
        if self._round_ends is not None and not self._asked:
            self._end_round(now)
        self._arm()

    def poll(self, now: int) -> None:
        """Does what is due."""
        if self._next_slew is not None and now >= self._next_slew:
            self._slew(now)
        if self._round_ends is not None and now >= self._round_ends:
            self._counters.count("ntp_unanswered", len(self._asked))
            self._end_round(now)
        if self._next_round is not None and now >= self._next_round:
            self._begin_round(now)
        self._arm()

    def _arm(self) -> None:
        times = [
            at for at in (self._round_ends, self._next_round, self._next_slew) if at is not None
        ]
        self.deadline = min(times) if times else None

    # Rounds

    def _begin_round(self, now: int) -> None:
        servers = [server for server in self._servers if server not in self._denied]
        self._next_round = None
        if not servers:
            return
        self._samples.clear()
        self._asked.clear()
        self._round_ends = now + ANSWER_NS
        for server in servers:
            # A number by chance in place of our time: whoever does not see the request cannot
            # answer it, and nobody learns what our clock says.
            number = self._rng.getrandbits(64) | 1
            self._asked[server] = (number, now)
            self._user.send_ntp(now, ntp.emit(ntp.Packet(ntp.CLIENT, number)), server)

    def _receive(self, now: int, data: bytes | bytearray | memoryview, source: bytes) -> str:
        """Empty, or the name of the counter for what is wrong."""
        asked = self._asked.get(source)
        if asked is None:
            return "ntp_not_asked_for"
        try:
            packet = ntp.parse(data)
        except WireError as error:
            return error.reason
        number, sent_at = asked
        if packet.origin != number:
            return "ntp_origin_other"
        if packet.mode != ntp.SERVER:
            return "ntp_mode_bad"
        # From here on it is the server that speaks: it is not asked twice.
        del self._asked[source]
        if packet.stratum == ntp.KISS:
            return self._kissed(packet.reference_id, source)
        if packet.leap == ntp.NOT_SYNCHRONIZED or packet.stratum > 15:
            return "ntp_not_synchronized"
        if not packet.transmit or not packet.receive:
            return "ntp_time_missing"
        received, answered = ntp.to_unix_ns(packet.receive), ntp.to_unix_ns(packet.transmit)
        delay_ns = (now - sent_at) - (answered - received)
        distance_ns = (packet.root_delay * SECOND >> 17) + (packet.root_dispersion * SECOND >> 16)
        if answered < received or delay_ns < 0 or distance_ns + delay_ns // 2 > DISTANCE_MOST_NS:
            return "ntp_times_bad"
        offset_ns = ((received - sent_at) + (answered - now)) // 2
        self._samples.append(Sample(source, offset_ns, delay_ns))
        return ""

    def _kissed(self, code: bytes, source: bytes) -> str:
        """RFC 5905, 7.4."""
        reason = _KISSES.get(code, "ntp_kiss_other")
        if reason == "ntp_denied":
            self._denied.add(source)
        elif reason == "ntp_rate":
            self._poll_least_s = min(self._poll_least_s * 2, POLL_MOST_S)
            self._poll_s = max(self._poll_s, self._poll_least_s)
        return reason

    def _end_round(self, now: int) -> None:
        self._round_ends = None
        self._asked.clear()
        if not self._samples:
            self._next_round = now + self._about(max(self._retry_s, self._poll_least_s // 4))
            self._retry_s = min(self._retry_s * 2, POLL_MOST_S)
            return
        self._retry_s = RETRY_FIRST_S
        chosen = _choose(self._samples)
        off_ns = now + chosen.offset_ns - self._user.wall_ns(now)
        self._user.clock_told(now, chosen.server, off_ns)
        if self.synchronized and abs(off_ns) > PANIC_NS:
            self._counters.count("ntp_too_far")
        else:
            self._correct(now, off_ns)
            self.synchronized = True
        self._next_round = now + self._about(self._poll_s)

    def _about(self, seconds: int) -> int:
        return int(seconds * SECOND * self._rng.uniform(0.95, 1.05))

    # The clock

    def _correct(self, now: int, off_ns: int) -> None:
        if abs(off_ns) < STEADY_NS:
            self._poll_s = min(self._poll_s * 2, POLL_MOST_S)
        else:
            self._poll_s = max(self._poll_s // 2, self._poll_least_s)
        self._left_ns = 0
        self._next_slew = None
        if abs(off_ns) >= STEP_NS:
            self._user.move_clock(now, off_ns)
        else:
            self._left_ns = off_ns
            self._slew(now)

    def _slew(self, now: int) -> None:
        by_ns = max(-SLEW_NS, min(SLEW_NS, self._left_ns))
        self._left_ns -= by_ns
        if by_ns:
            self._user.move_clock(now, by_ns)
        self._next_slew = now + SECOND if self._left_ns else None


def _choose(samples: list[Sample]) -> Sample:
    """The one in the middle: one liar among three moves nothing far. Of two, the quicker."""
    ordered = sorted(samples, key=_offset_of)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return min(ordered[middle - 1 : middle + 1], key=_delay_of)


def _offset_of(sample: Sample) -> int:
    return sample.offset_ns


def _delay_of(sample: Sample) -> int:
    return sample.delay_ns
