"""One connection: what the program may ask of it, and the fast path of what comes."""

from __future__ import annotations

from struct import Struct

from ovum.net.tcp import icmp, keepalive, lifecycle, rtt, rx, rx_ack, rx_data, timers, tx
from ovum.net.tcp.cc.base import make
from ovum.net.tcp.scoreboard import REPEATED
from ovum.net.tcp.seq import MASK
from ovum.net.tcp.settings import DEFAULT_OPTIONS
from ovum.net.tcp.states import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    SYN_SENT,
    TIME_WAIT,
)
from ovum.net.tcp.tcb import NEVER, Tcb
from ovum.net.wire.errors import WireError
from ovum.net.wire.tcp import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.net.ip import Packet, Path
    from ovum.net.tcp.host import TcpHost
    from ovum.net.tcp.settings import SocketOptions

STAMPED = Struct("!IIHHIIII")
"""From the sequence number on, with the timestamp option as everybody lays it out."""

PLAIN = Struct("!IIHH")
NOP_NOP_TIMESTAMP = 0x0101080A
HALF = 1 << 31
COPIED = 4096
"""A payload of less is sliced; of more, a view of it is delivered."""


class Connection(Tcb):
    """A connection, from its SYN on."""

    __slots__ = ()

    def __init__(
        self, host: TcpHost, path: Path, options: SocketOptions, local_port: int, remote_port: int
    ) -> None:
        Tcb.__init__(self, host, path, options, local_port, remote_port)
        self.cc = make(options.congestion or host.settings.congestion, 536)
        self.rcv_limit = options.receive_limit or host.settings.receive_initial

    # For the host

    def arrive(self, now: int, packet: Packet) -> None:
        """Header prediction: in order, in the window, nothing but ACK and PSH, no losses about:
        nearly all segments. Everything else goes the way of RFC 9293 (rx.py)."""
        data = packet.payload
        predict = self.predict
        if predict == 0x8010:
            size = len(data) - 32
            if size >= 0:
                seq, ack, bits, window, _, option, stamp, _echo = STAMPED.unpack_from(data, 4)
                # TS.Recent is of the first segment that is not acknowledged (RFC 7323, 4.3).
                first = self.rcv_nxt == self.last_ack_sent
                if (
                    bits & 0xFFF7 == 0x8010
                    and option == NOP_NOP_TIMESTAMP
                    and seq == self.rcv_nxt & MASK
                    and (stamp - self.ts_recent) & MASK < HALF
                    and self._predicted(now, data, 32, size, ack, window)
                ):
                    if first:
                        self.ts_recent = stamp
                    return
        elif predict:
            size = len(data) - 20
            seq, ack, bits, window = PLAIN.unpack_from(data, 4)
            if (
                bits & 0xFFF7 == 0x5010
                and seq == self.rcv_nxt & MASK
                and self._predicted(now, data, 20, size, ack, window)
            ):
                return
        try:
            segment = parse(data)
        except WireError as error:
            self.host.counters.count(error.reason)
            return
        rx.on_segment(self, now, segment)

    def _predicted(
        self, now: int, data: bytes | bytearray | memoryview, at: int, size: int, ack: int,
        window: int,
    ) -> bool:  # fmt: skip
        """The rest of the fast path. False: nothing has been done."""
        una = self.snd_una
        acked = (ack - una) & MASK
        if acked > self.snd_nxt - una:
            return False
        window <<= self.snd_shift
        if size:
            if size > self.rcv_adv - self.rcv_nxt or self.state != ESTABLISHED:
                return False
            try:
                self.stream.deliver(data[at:] if size < COPIED else memoryview(data)[at:])
            except (ValueError, MemoryError):
                # Its buffer has been made smaller, or memory is short.
                return False
        elif not acked and window == self.snd_wnd:
            # A duplicate, or a probe.
            return False
        self.heard_at = now
        if window != self.snd_wnd:
            self.snd_wnd = window
            self.snd_wl1 = self.rcv_nxt
            self.snd_wl2 = una + acked
            if window > self.max_wnd:
                self.max_wnd = window
            if self.more:
                lifecycle.mark(self)
            if self.persist_at != NEVER and window:
                self.persist_at = NEVER
                self.backoff = 0
        if acked:
            self._acknowledged(now, una + acked)
        if size:
            self.rcv_nxt += size
            self.bytes_in += size
            rx_data.after_delivery(self, now, size)
            if self.ack_now and not self.dirty:
                self.dirty = True
                self.host.dirty.append(self)
        return True

    def _acknowledged(self, now: int, ack: int) -> None:
        """New data is acknowledged, and none of it was ever lost."""
        sent = self.sent
        una = self.snd_una
        flight = self.snd_nxt - una
        if len(sent) == 1 and ack == self.snd_nxt:
            # All of it.
            record = sent[0]
            sent.clear()
            self.rto_at = self.tlp_at = NEVER
            if record.flags & REPEATED:
                if self.recovery is not None:
                    self.recovery.fack = ack
            else:
                rtt.sample(self, now - record.xmit_ts)
            self.snd_una = ack
            self.stream.discard(ack - una)
            self.bytes_out += ack - una
            self.backoff = 0
            self.stalled_at = 0
            if now >= self.confirm_at:
                rx_ack.confirm(self, now)
        else:
            rx_ack.advance(self, now, ack, -1)
        rx_ack.grow(self, now, ack - una, flight)
        if self.more and not self.dirty:
            self.dirty = True
            self.host.dirty.append(self)

    def on_timer(self, now: int) -> None:
        """See Endpoint."""
        timers.on_timer(self, now)

    def next_deadline(self) -> int:
        """See Endpoint."""
        return timers.next_deadline(self)

    def on_icmp_error(self, now: int, seq: int, errno: int, hard: bool, ip_mtu: int) -> bool:
        """See Endpoint."""
        return icmp.on_error(self, now, seq, errno, hard, ip_mtu)

    # For the program

    def written(self, now: int) -> None:
        """There is more in the stream to send."""
        if not self.dirty:
            self.dirty = True
            self.host.dirty.append(self)

    def taken(self, now: int) -> None:
        """The program has read: the window may open."""
        if self.state == CLOSED or self.state == TIME_WAIT or self.state == SYN_SENT:
            return
        offered = self.rcv_adv - self.rcv_nxt
        limit = self.rcv_limit
        free = min(self.stream.receive_free() - self.held_back, limit)
        if free - offered >= min(limit >> 1, max(2 * self.rcv_mss, limit >> 2)):
            self.ack_now = True
            lifecycle.mark(self)
        elif offered < limit >> 1:
            rx_data.watch(self)

    def shutdown_write(self, now: int) -> None:
        """Our FIN follows what has been written."""
        if self.fin_wanted:
            return
        self.fin_wanted = True
        if self.state == ESTABLISHED:
            lifecycle.enter(self, FIN_WAIT_1, lifecycle.OUR_FIN)
        elif self.state == CLOSE_WAIT:
            lifecycle.enter(self, LAST_ACK, lifecycle.OUR_FIN)
        lifecycle.mark(self)

    def close(self, now: int) -> None:
        """The program has closed its last descriptor.

        With bytes that it has not read, or SO_LINGER 0: RST (RFC 2525, 2.17).
        """
        state = self.state
        if state in (CLOSED, TIME_WAIT) or self.orphan:
            return
        if state == SYN_SENT or self.options.linger == 0:
            self.abort(now)
            return
        if self.stream.receive_queued() or self.ooo is not None:
            self.host.counters.count("tcp_close_unread")
            self.abort(now)
            return
        if not self.host.adopt_orphan():
            self.abort(now)
            return
        self.orphan = True
        self.keepalive_at = NEVER
        self.shutdown_write(now)
        lifecycle.set_predict(self)
        if self.state == FIN_WAIT_2:
            lifecycle.leave_fin_wait(self, now)

    def abort(self, now: int) -> None:
        """Ends it with an RST. The observer hears `gone`, and no `failed`."""
        if self.state == CLOSED or self.state == TIME_WAIT:
            return
        if self.state != SYN_SENT:
            lifecycle.reset(self)
        lifecycle.end(self, lifecycle.ABORTED)

    def change_options(self) -> SocketOptions:
        """Its options, which are its own from now on."""
        options = self.options
        if options is DEFAULT_OPTIONS or options.shared:
            options = self.options = options.copy()
            options.shared = False
        return options

    def apply_options(self, now: int) -> None:
        """Its options have been changed."""
        if self.state == CLOSED or self.state == TIME_WAIT:
            return
        options = self.options
        keepalive.arm(self, now)
        if options.receive_limit or options.window_clamp:
            limit = min(options.receive_limit or self.rcv_limit, 65535 << self.rcv_shift)
            self.rcv_limit = min(limit, options.window_clamp or limit)
            self.hold_back()
        if options.congestion and options.congestion != self.cc.name:
            old = self.cc
            self.cc = make(options.congestion, self.mss)
            self.cc.cwnd = old.cwnd
            self.cc.ssthresh = old.ssthresh
        tx.set_mss(self)
        lifecycle.mark(self)

    def hold_back(self) -> None:
        """Sees how much more the stream can hold than the window is to be."""
        stream = self.stream
        whole = stream.receive_free() + stream.receive_queued()
        self.held_back = max(whole - self.rcv_limit, 0)
