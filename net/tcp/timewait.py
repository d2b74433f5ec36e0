"""TIME-WAIT, and FIN-WAIT-2 of connections that the program has closed: small entries in the
host's table, which answer for a connection that is no more (RFC 9293, 3.10.7.4; RFC 6191)."""

from __future__ import annotations

from ovum.net.tcp.seq import MASK, before, unwrap
from ovum.net.tcp.tcb import NEVER, Endpoint
from ovum.net.wire.errors import WireError
from ovum.net.wire.tcp import ACK, FIN, RST, SYN, Options, Segment, emit_header, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet, Path
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.host import TcpHost
    from ovum.net.tcp.ports import Binding

MS = 1_000_000


class TimeWait(Endpoint):
    """What is left of a connection."""

    __slots__ = (
        "binding", "expires", "host", "limited_at", "path", "peer_open", "ports", "rcv_adv",
        "rcv_nxt", "rcv_shift", "snd_nxt", "started", "ts_offset", "ts_on", "ts_recent",
    )  # fmt: skip

    def __init__(self, c: Connection, now: int, peer_open: bool) -> None:
        self.key = c.key
        self.wake_at = NEVER
        self.host: TcpHost = c.host
        self.path: Path = c.path
        self.ports = c.ports
        self.binding: Binding | None = c.binding
        self.snd_nxt = c.snd_nxt
        self.rcv_nxt = c.rcv_nxt
        self.rcv_adv = c.rcv_adv
        self.rcv_shift = c.rcv_shift
        self.ts_on = c.ts_on
        self.ts_offset = c.ts_offset
        self.ts_recent = c.ts_recent
        self.peer_open = peer_open
        """FIN-WAIT-2: the peer's FIN has not come."""
        self.started = now
        self.limited_at = 0
        self.expires = now

    def arrive(self, now: int, packet: Packet) -> None:
        """3.10.7.4 for TIME-WAIT."""
        try:
            seg = parse(packet.payload)
        except WireError as error:
            self.host.counters.count(error.reason)
            return
        counters = self.host.counters
        seq = unwrap(seg.seq, self.rcv_nxt)
        stamp = None if seg.options is None else seg.options.timestamp
        old = self.ts_on and stamp is not None and before(stamp[0], self.ts_recent)
        if seg.flags & (SYN | RST | ACK) == SYN and not self.peer_open and not old:
            newer = self.ts_on and stamp is not None and stamp[0] != self.ts_recent
            if newer or seq > self.rcv_nxt:
                # RFC 6191: a new connection, whose numbers are behind this one's.
                self.host.forget_time_wait(self)
                self.host.stranger(now, packet, seg, (self.snd_nxt + 65537) & MASK)
                return
        if seg.flags & RST:
            # RFC 1337: an old RST must not end TIME-WAIT. FIN-WAIT-2 it may end, if it is exact.
            if self.peer_open and seq == self.rcv_nxt and not old:
                self.host.forget_time_wait(self)
            else:
                counters.count("tcp_time_wait_reset")
            return
        end = seq + len(seg.payload) + (seg.flags & FIN != 0)
        if self.peer_open and not old and seg.flags & ACK and seq <= self.rcv_nxt < end:
            self._peer(now, seg, end)
            return
        if len(seg.payload) or seg.flags & (SYN | FIN) or seq != self.rcv_nxt or old:
            if seg.flags & FIN:
                self.expires = now + self.host.settings.time_wait
            if seg.flags & (SYN | FIN) or not self.limited_at or now - self.limited_at > 500 * MS:
                self.limited_at = now
                self.acknowledge(now)

    def _peer(self, now: int, seg: Segment, end: int) -> None:
        """What the peer sends in FIN-WAIT-2: its FIN; or data, which nobody will read."""
        if not seg.flags & FIN or end != self.rcv_nxt + 1:
            self.host.counters.count("tcp_data_after_close")
            self.host.send_reset(self.path, self.ports, self.snd_nxt, self.rcv_nxt)
            self.host.forget_time_wait(self)
            return
        self.rcv_nxt = end
        self.rcv_adv = max(self.rcv_adv, end)
        if seg.options is not None and seg.options.timestamp is not None:
            self.ts_recent = seg.options.timestamp[0]
        self.peer_open = False
        self.expires = now + self.host.settings.time_wait
        self.acknowledge(now)

    def acknowledge(self, now: int) -> None:
        """Sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>."""
        local_port, remote_port = self.ports >> 16, self.ports & 0xFFFF
        options = None
        if self.ts_on:
            stamp = (now // MS + self.ts_offset) & MASK
            options = Options(timestamp=(stamp, self.ts_recent))
        window = min(max(self.rcv_adv - self.rcv_nxt, 0) >> self.rcv_shift, 65535)
        segment = Segment(
            local_port,
            remote_port,
            self.snd_nxt & MASK,
            self.rcv_nxt & MASK,
            ACK,
            window,
            options=options,
        )
        self.host.segments_out += 1
        self.host.ip.send(self.path, 6, (emit_header(segment),), 16)

    def on_timer(self, now: int) -> None:
        """Its time is over."""
        if self.expires <= now:
            self.host.forget_time_wait(self)

    def next_deadline(self) -> int:
        """See Endpoint."""
        return self.expires

    def on_icmp_error(self, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> bool:
        """Nothing is out."""
        self.host.counters.count("tcp_icmp_out_of_window")
        return False
