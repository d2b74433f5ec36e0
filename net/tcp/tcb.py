"""The state block of a connection: data only, in RFC 9293's names (3.3.1). Not the protocol.

An idle connection is mostly this object and its numbers, so what only exists during loss, or
while data is out of order, is in objects of their own that are None meanwhile. Sequence numbers do
not wrap (seq.py); times are ns, and NEVER when there is none.
"""

from __future__ import annotations

from ovum.net.tcp.states import CLOSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ovum.net.ip import Packet, Path
    from ovum.net.socket.door import Stream
    from ovum.net.tcp.cc.base import CongestionControl
    from ovum.net.tcp.host import TcpHost
    from ovum.net.tcp.observer import ConnectionObserver
    from ovum.net.tcp.ports import Binding
    from ovum.net.tcp.reassembly import Reassembly
    from ovum.net.tcp.recovery import Recovery
    from ovum.net.tcp.scoreboard import Sent
    from ovum.net.tcp.settings import SocketOptions

NEVER: Final = 1 << 62
"""The time that never comes."""


class Endpoint:
    """What the host's table has for a pair of addresses and ports: a connection, a half-open one or
    one in TIME-WAIT."""

    __slots__ = ("key", "wake_at")

    key: bytes
    """Remote address, own address, remote port, own port: as they come on the wire."""
    wake_at: int
    """When the host's heap has it polled; not after what is due first."""

    def arrive(self, now: int, packet: Packet) -> None:
        """A segment has come, with a correct checksum and 20 bytes at least."""
        raise NotImplementedError

    def on_timer(self, now: int) -> None:
        """Does what is due; more may have been."""
        raise NotImplementedError

    def next_deadline(self) -> int:
        """When the next thing is due, or NEVER."""
        raise NotImplementedError

    def on_icmp_error(self, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> bool:
        """An ICMP error about a segment of ours with this number on the wire. False: nothing with
        it is out (RFC 5927, 4.1)."""
        raise NotImplementedError


class Tcb(Endpoint):
    """A connection's data."""

    __slots__ = (
        "ack_now", "backoff", "binding", "bytes_in", "bytes_out", "cc", "confirm_at",
        "cwnd_limited", "delack_at",
        "dirty", "dsack", "dupacks", "fin_in", "fin_seq", "fin_wanted", "grow_at", "heard_at",
        "held_back",
        "history", "host", "interface", "ip_mtu", "irs", "iss", "keepalive_at", "keepalive_probes",
        "large", "last_ack_sent", "late_at", "limited_at", "lost_out", "max_wnd", "min_rtt",
        "more", "mss", "observer", "ooo", "options", "orphan", "path", "peer_mss", "persist_at",
        "ports",
        "predict", "quick", "rack_at", "rcv_adv", "rcv_limit", "rcv_mss", "rcv_nxt", "rcv_shift",
        "recovery", "retrans_out", "retransmitted", "rto", "rto_at", "rttvar", "sack_on",
        "sacked_out", "sent", "sent_at", "small_end", "snd_nxt", "snd_shift",
        "snd_una", "snd_wl1", "snd_wl2", "snd_wnd", "soft_errno", "srtt", "stalled_at",
        "state", "stream", "tlp_at", "tlp_end", "ts_offset", "ts_on", "ts_recent",
    )  # fmt: skip

    def __init__(
        self, host: TcpHost, path: Path, options: SocketOptions, local_port: int, remote_port: int
    ) -> None:
        self.host = host
        self.path = path
        self.options = options
        self.ports = local_port << 16 | remote_port
        """As a header begins."""
        self.interface = 0
        """That the socket is bound to."""
        self.key = path.remote + path.local + (remote_port << 16 | local_port).to_bytes(4, "big")
        self.wake_at = NEVER
        self.stream: Stream
        self.observer: ConnectionObserver
        self.binding: Binding | None = None
        self.state = CLOSED
        self.history = b""
        """The last states, and why, as pairs of bytes (causes.py)."""
        self.orphan = False
        """The program has closed it: nobody reads, nobody is told."""
        self.dirty = False
        """It is in the host's list of those that flush looks at."""
        self.soft_errno = 0
        """The last ICMP error that was not hard: the reason in case of a time-out."""

        # Send sequence variables
        self.iss = 0
        self.snd_una = 0
        self.snd_nxt = 0
        self.snd_wnd = 0
        self.snd_wl1 = 0
        self.snd_wl2 = 0
        self.snd_shift = 0
        self.max_wnd = 0
        """MAX.SND.WND: the largest window that the peer has offered."""
        self.more = False
        """Something has been written that could not be sent yet."""
        self.small_end = 0
        """Where the last segment of less than mss that was sent ended (Minshall's Nagle)."""
        self.fin_wanted = False
        self.fin_seq = -1
        """Of our FIN, once it has been sent."""
        self.sent: list[Sent] = []
        """What has been sent and not been acknowledged, in order."""
        self.sent_at = 0

        # Receive sequence variables
        self.irs = 0
        self.rcv_nxt = 0
        self.rcv_adv = 0
        """The right edge of the window, as announced."""
        self.rcv_shift = 0
        self.rcv_limit = 0
        """The largest window now."""
        self.held_back = 0
        """What is free in the stream and not offered, for rcv_limit is less than it holds."""
        self.grow_at = 0
        """The sequence number at which the window may grow."""
        self.rcv_mss = 536
        """The largest payload that has come."""
        self.last_ack_sent = 0
        self.ack_now = False
        self.quick = 0
        """How many segments are acknowledged at once, not later."""
        self.late_at = -1
        """What snd_nxt was when an acknowledgement last found nothing to go with."""
        self.ooo: Reassembly | None = None
        self.dsack: tuple[int, int] | None = None
        """What has come twice, to be reported (RFC 2883)."""
        self.fin_in = -1
        """Of the peer's FIN, if it has come before what precedes it."""
        self.confirm_at = 0
        """When the neighbor is to be told next that what was sent has arrived."""
        self.heard_at = 0
        """When a segment was accepted last."""
        self.predict = 0
        """Offset and flags without PSH of a segment for the fast path; 0: there is no such path."""

        # What was negotiated
        self.path_defaults()
        self.peer_mss = 536
        self.ts_on = False
        self.ts_recent = 0
        self.ts_offset = 0
        self.sack_on = False

        # Round trips and loss
        self.srtt = 0
        self.rttvar = 0
        self.min_rtt = 0
        self.rto = 1_000_000_000
        self.backoff = 0
        """How many times in a row the timer has expired."""
        self.stalled_at = 0
        """Since when nothing has been acknowledged of what is being repeated; 0: it is not so."""
        self.cc: CongestionControl
        self.cwnd_limited = False
        self.limited_at = 0
        self.recovery: Recovery | None = None
        self.dupacks = 0
        self.sacked_out = 0
        self.lost_out = 0
        self.retrans_out = 0
        self.tlp_end = 0
        """The end of the tail probe that is out; 0: none."""

        # Timers
        self.rto_at = NEVER
        self.tlp_at = NEVER
        self.rack_at = NEVER
        self.persist_at = NEVER
        self.delack_at = NEVER
        self.keepalive_at = NEVER
        self.keepalive_probes = 0

        # Statistics
        self.bytes_in = 0
        self.bytes_out = 0
        self.retransmitted = 0

    def path_defaults(self) -> None:
        """What follows from the path, before it has been looked at."""
        self.ip_mtu = 0
        self.mss = 536
        """Payload of a full segment: without options that all segments have."""
        self.large = 536
        """Payload of the largest piece for the Internet layer: a multiple of mss."""

    @property
    def local(self) -> bytes:
        """Our address."""
        return self.path.local

    @property
    def remote(self) -> bytes:
        """The peer's address."""
        return self.path.remote

    @property
    def local_port(self) -> int:
        """Our port."""
        return self.ports >> 16

    @property
    def remote_port(self) -> int:
        """The peer's port."""
        return self.ports & 0xFFFF
