"""Passive opens: listeners, and half-open connections, which are small (RFC 4987).

A half-open connection becomes a Connection when its handshake is over and the program has room.
Beyond a listener's queue SYNs are answered with cookies (cookies.py), of which nothing is stored.
"""

from __future__ import annotations

from ovum.net.tcp import child, cookies
from ovum.net.tcp.seq import MASK, before
from ovum.net.tcp.tcb import NEVER, Endpoint
from ovum.net.wire.errors import WireError
from ovum.net.wire.tcp import ACK, RST, SYN, Options, Segment, emit_header, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet, Path
    from ovum.net.tcp.host import TcpHost
    from ovum.net.tcp.observer import ListenerObserver
    from ovum.net.tcp.ports import Binding
    from ovum.net.tcp.settings import SocketOptions

MS = 1_000_000
SYN_ACK_RTO = 1_000_000_000
"""RFC 6298, 2.1."""

LEAST_QUEUE = 8


class Listener:
    """A port that connections are accepted at."""

    __slots__ = (
        "backlog", "binding", "closed", "cookies_until", "full", "half", "host", "observer",
        "options", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        host: TcpHost,
        binding: Binding,
        backlog: int,
        observer: ListenerObserver,
        options: SocketOptions,
    ) -> None:
        self.host = host
        self.binding = binding
        self.backlog = backlog
        """How many half-open connections there may be: LEAST_QUEUE at least."""
        self.observer = observer
        self.options = options
        self.half: dict[bytes, HalfOpen] = {}
        self.waiting: dict[bytes, HalfOpen] = {}
        """Those whose handshake is over, and that the program had no room for."""
        self.full = False
        self.cookies_until = 0
        """Cookies are accepted for as long as one may be on its way."""
        self.closed = False

    @property
    def local(self) -> bytes:
        """Its address."""
        return self.binding.local

    @property
    def port(self) -> int:
        """Its port."""
        return self.binding.port

    def change_options(self) -> SocketOptions:
        """Its options, to be changed; connections that were accepted keep the old ones."""
        if self.options.shared:
            self.options = self.options.copy()
            self.options.shared = False
        return self.options

    def accepted(self, now: int) -> None:
        """The program has room again (ACCEPTED): those that waited for it are asked about."""
        self.full = False
        for half in list(self.waiting.values()):
            if not half.complete(now, None):
                return

    def close(self, now: int) -> None:
        """Takes no more; half-open connections are forgotten, those that wait are reset."""
        if self.closed:
            return
        self.closed = True
        for half in list(self.half.values()):
            if half.key in self.waiting:
                self.host.send_reset(half.path, half.ports, half.iss + 1, half.irs + 1)
            half.remove()
        self.host.forget_listener(self)

    def on_syn(self, now: int, packet: Packet, seg: Segment, key: bytes, after: int) -> None:
        """A SYN for it (3.10.7.2). after: what a number of ours must be behind, or -1."""
        host = self.host
        counters = host.counters
        if self.full:
            self.accepted(now)
        if self.full:
            counters.count("tcp_accept_queue_full")
            return
        try:
            path = host.ip.path(packet.src, packet.dst, packet.interface)
        except OSError:
            counters.count("tcp_no_path")
            return
        queue = max(self.backlog, LEAST_QUEUE)
        full = len(self.half) >= queue or host.half_open >= host.settings.syn_queue
        if full:
            if not host.settings.syn_cookies:
                counters.count("tcp_syn_queue_full")
                return
            counters.count("tcp_cookies_sent")
            self.cookies_until = now + 2 * cookies.PERIOD
            half = HalfOpen(self, path, seg, key)
            half.iss = cookies.make(host.secret, key, seg.seq, half.peer_mss, now)
            half.send(now, cookies.stamp(half.stamp(now), half.snd_shift, half.sack_on))
            return
        half = HalfOpen(self, path, seg, key)
        half.iss = host.secret.isn(key, now) if after < 0 else after
        self.half[key] = half
        host.half_open += 1
        host.table[key] = half
        half.sent_at = now
        half.at = now + SYN_ACK_RTO
        host.wake(half, half.at)
        half.send(now, half.stamp(now))

    def on_cookie(self, now: int, packet: Packet, seg: Segment, key: bytes) -> bool:
        """An ACK for it without a half-open connection: maybe it answers a cookie."""
        if now >= self.cookies_until or self.full:
            return False
        host = self.host
        irs = (seg.seq - 1) & MASK
        mss = cookies.check(host.secret, key, irs, (seg.ack - 1) & MASK, now)
        if not mss:
            host.counters.count("tcp_cookie_bad")
            return False
        try:
            path = host.ip.path(packet.src, packet.dst, packet.interface)
        except OSError:
            host.counters.count("tcp_no_path")
            return True
        host.counters.count("tcp_cookies_accepted")
        half = HalfOpen(self, path, seg, key)
        half.irs = irs
        half.iss = (seg.ack - 1) & MASK
        half.peer_mss = mss
        half.snd_shift = -1
        if half.ts_on and seg.options is not None and seg.options.timestamp is not None:
            half.snd_shift, half.sack_on = cookies.options(seg.options.timestamp[1])
        child.make(half, now, seg)
        return True


class HalfOpen(Endpoint):
    """SYN-RECEIVED of a passive open."""

    __slots__ = (
        "at", "host", "irs", "iss", "listener", "path", "peer_mss", "ports", "retries", "sack_on",
        "sent_at", "snd_shift", "started", "ts_offset", "ts_on", "ts_recent", "window",
    )  # fmt: skip

    def __init__(self, listener: Listener, path: Path, seg: Segment, key: bytes) -> None:
        host = listener.host
        settings = host.settings
        self.key = key
        self.wake_at = NEVER
        self.host = host
        self.listener = listener
        self.path = path
        self.ports = seg.dst_port << 16 | seg.src_port
        self.iss = 0
        self.irs = seg.seq
        self.peer_mss = 536 if len(path.remote) == 4 else 1220
        self.snd_shift = -1
        self.sack_on = False
        self.ts_on = False
        self.ts_recent = 0
        self.retries = 0
        self.sent_at = 0
        self.window = host.memory.first_window(listener.options)
        """What the connection begins with."""
        self.started = 0
        self.at = NEVER
        options = seg.options
        if options is not None:
            if options.mss is not None:
                self.peer_mss = max(options.mss, 28)
            if options.window_scale is not None and settings.window_scaling:
                self.snd_shift = min(options.window_scale, 14)
            if options.timestamp is not None and settings.timestamps:
                self.ts_on = True
                self.ts_recent = options.timestamp[0]
            self.sack_on = options.sack_permitted and settings.sack
        self.ts_offset = host.secret.timestamp_offset(key) if self.ts_on else 0

    def stamp(self, now: int) -> int:
        """Our timestamp."""
        return (now // MS + self.ts_offset) & MASK

    def send(self, now: int, stamp: int) -> None:
        """SYN and ACK."""
        host = self.host
        listener = self.listener
        socket_options = listener.options
        mss = self.path.ip_mtu - (40 if len(self.path.remote) == 4 else 60)
        if socket_options.max_segment:
            mss = min(mss, socket_options.max_segment)
        options = Options(min(max(mss, 28), 65435))
        if self.ts_on:
            options.timestamp = (stamp, self.ts_recent)
        options.sack_permitted = self.sack_on
        if self.snd_shift >= 0:
            options.window_scale = host.scale
        segment = Segment(
            self.ports >> 16,
            self.ports & 0xFFFF,
            self.iss,
            (self.irs + 1) & MASK,
            SYN | ACK,
            min(self.window, 65535),
            options=options,
        )
        host.segments_out += 1
        host.ip.send(
            self.path,
            6,
            (emit_header(segment),),
            16,
            0,
            socket_options.hop_limit,
            socket_options.traffic_class,
        )

    def arrive(self, now: int, packet: Packet) -> None:
        """3.10.7.4 for SYN-RECEIVED."""
        counters = self.host.counters
        try:
            seg = parse(packet.payload)
        except WireError as error:
            counters.count(error.reason)
            return
        offset = (seg.seq - self.irs - 1) & MASK
        flags = seg.flags
        stamp = None if seg.options is None else seg.options.timestamp
        if flags & SYN and not flags & (ACK | RST) and offset == MASK:
            # It has not heard us (RFC 9293, 3.10.7.4): once more, if not at once.
            if now - self.sent_at >= SYN_ACK_RTO // 2:
                self.sent_at = now
                self.send(now, self.stamp(now))
            return
        old = self.ts_on and stamp is not None and before(stamp[0], self.ts_recent)
        if not flags & RST and (old or offset >= 65535):
            counters.count("tcp_paws" if old else "tcp_out_of_window")
            self._challenge(now)
            return
        if flags & RST:
            if offset == 0:
                counters.count("tcp_reset")
                self.remove()
            else:
                counters.count("tcp_reset_inexact")
                if offset < 65535:
                    self._challenge(now)
            return
        if flags & SYN:
            counters.count("tcp_syn_unexpected")
            self._challenge(now)
            return
        if not flags & ACK:
            counters.count("tcp_ack_missing")
            return
        if seg.ack != (self.iss + 1) & MASK:
            counters.count("tcp_ack_unacceptable")
            self.host.send_reset(self.path, self.ports, seg.ack, -1)
            return
        if self._deferred(now, seg):
            return
        self.complete(now, seg)

    def _deferred(self, now: int, seg: Segment) -> bool:
        """TCP_DEFER_ACCEPT: without data there is no connection until the time is over."""
        defer = self.listener.options.defer_accept
        if not defer or len(seg.payload):
            return False
        self.started = self.started or now
        if now - self.started >= defer:
            return False
        self.host.counters.count("tcp_accept_deferred")
        return True

    def complete(self, now: int, seg: Segment | None) -> bool:
        """The handshake is over. False: the program has no room."""
        listener = self.listener
        if child.make(self, now, seg):
            return True
        listener.waiting[self.key] = self
        listener.full = True
        return False

    def _challenge(self, now: int) -> None:
        if self.host.may_challenge(now):
            stamp = None
            if self.ts_on:
                stamp = Options(timestamp=(self.stamp(now), self.ts_recent))
            segment = Segment(
                self.ports >> 16,
                self.ports & 0xFFFF,
                (self.iss + 1) & MASK,
                (self.irs + 1) & MASK,
                ACK,
                65535,
                options=stamp,
            )
            self.host.segments_out += 1
            self.host.ip.send(self.path, 6, (emit_header(segment),), 16)

    def remove(self) -> None:
        """Forgets it."""
        listener = self.listener
        if listener.half.pop(self.key, None) is not None:
            self.host.half_open -= 1
        listener.waiting.pop(self.key, None)
        self.host.forget_endpoint(self)

    def on_timer(self, now: int) -> None:
        """SYN and ACK again, or the end of it."""
        if self.at > now:
            return
        if self.retries >= self.host.settings.syn_ack_retries:
            self.host.counters.count("tcp_half_open_timeout")
            self.remove()
            return
        self.retries += 1
        self.sent_at = now
        self.at = now + (SYN_ACK_RTO << self.retries)
        if self.key in self.listener.waiting:
            self.complete(now, None)
        else:
            self.host.counters.count("tcp_retransmitted")
            self.send(now, self.stamp(now))

    def next_deadline(self) -> int:
        """See Endpoint."""
        return self.at

    def on_icmp_error(self, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> bool:
        """An error about our SYN and ACK: if the number is right, nobody has made it up."""
        if seq != self.iss:
            self.host.counters.count("tcp_icmp_out_of_window")
            return False
        if hard:
            self.host.counters.count("tcp_half_open_icmp")
            self.remove()
        return True
