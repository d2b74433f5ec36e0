"""All of a machine's TCP: the table of connections, listeners, ports, TIME-WAIT and timers.

For whoever has the program's sockets:

    host = TcpHost(ip, rng, counters, settings)
    binding = host.bind(local, port, options)            # port 0: an ephemeral one
    listener = host.listen(now, binding, backlog, observer, options)
    connection = host.connect(now, remote, port, stream, observer, options, binding=None)

    connection.written(now)            # SENT: there is more in the stream
    connection.taken(now)              # TAKEN: there is room in the stream
    connection.shutdown_write(now)     # FIN after what has been written
    connection.close(now)              # CLOSED: as SO_LINGER and unread bytes have it
    connection.abort(now)              # RST
    connection.change_options()        # its own from now on; then connection.apply_options(now)
    connection.state, .local, .local_port, .remote, .remote_port
    sockopt.set_option(...), sockopt.get_option(...)     # level IPPROTO_TCP, as bytes
    listener.close(now)                # half-open ones are forgotten, accepted ones live on
    binding.release()                  # of a socket that was bound, and no more

and for the runner: `receive`, `on_icmp_error`, `poll` at `next_deadline`, and `flush` after a batch
of any of these: until then nothing is sent, so that answers are aggregated.

Addresses are 4 or 16 bytes; an IPv4 peer of a dual-stack socket has 4 (sockets map it). A listener
at 16 zero bytes gets IPv4 connections too unless options.v6_only. Errors of calls are OSError.
A Door's receive limit should be settings.receive_max (or SO_RCVBUF): TCP opens its window by need.
"""

from __future__ import annotations

from errno import EADDRNOTAVAIL, ENOBUFS

from ovum.net.tcp import lifecycle, tx
from ovum.net.tcp.connection import Connection
from ovum.net.tcp.isn import Secret
from ovum.net.tcp.listen import Listener
from ovum.net.tcp.memory import Memory
from ovum.net.tcp.ports import ANY6, Ports
from ovum.net.tcp.rx_data import QUICK
from ovum.net.tcp.seq import MASK, START
from ovum.net.tcp.settings import SECOND, Settings
from ovum.net.tcp.states import SYN_SENT
from ovum.net.tcp.timewait import TimeWait
from ovum.net.tcp.wakes import Wakes
from ovum.net.wire.checksum import transport_valid
from ovum.net.wire.errors import WireError
from ovum.net.wire.tcp import ACK, FIN, RST, SYN, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from ovum.net.counters import Counters
    from ovum.net.ip import IcmpError, Ip, Packet, Path
    from ovum.net.socket.door import Stream
    from ovum.net.tcp.observer import ConnectionObserver, ListenerObserver
    from ovum.net.tcp.ports import Binding
    from ovum.net.tcp.settings import SocketOptions
    from ovum.net.tcp.tcb import Endpoint
    from ovum.net.wire.tcp import Segment


class TcpHost(Wakes):
    """The TCP of one machine."""

    def __init__(
        self, ip: Ip, rng: Random, counters: Counters, settings: Settings | None = None
    ) -> None:
        Wakes.__init__(self)
        self.ip = ip
        self.rng = rng
        self.counters = counters
        self.settings = Settings() if settings is None else settings
        self.secret = Secret(rng)
        self.ports = Ports(rng, self.settings.local_ports)
        self.listeners: dict[bytes, list[Listener]] = {}
        """By address and port, as on the wire."""
        self.half_open = 0
        self.time_waits: dict[bytes, TimeWait] = {}
        self.orphans = 0
        self.reassembling = 0
        """Bytes in all connections' reassembly."""
        self.segments_in = self.segments_out = 0
        self.active_opens = self.passive_opens = 0
        """For /proc/net/snmp."""
        self.memory = Memory(self)
        self.dirty: list[Connection] = []
        self.started = -1
        """When the first connection was made: no timestamp of ours is older."""
        self.scale = scale_for(self.settings.receive_max)
        self._challenges = 0
        self._challenges_until = 0

    # For sockets

    def bind(self, local: bytes, port: int, options: SocketOptions, interface: int = 0) -> Binding:
        """Takes a port, by Linux's rules. Raises OSError: EADDRINUSE, EADDRNOTAVAIL."""
        if any(local) and not self.ip.is_local(local):
            raise OSError(EADDRNOTAVAIL, "not an address of this machine")
        return self.ports.bind(local, port, options, interface)

    def listen(
        self,
        now: int,
        binding: Binding,
        backlog: int,
        observer: ListenerObserver,
        options: SocketOptions,
    ) -> Listener:
        """Answers connections from now on. Raises OSError: EADDRINUSE.

        The binding is retained until `Listener.close`; the caller releases its own.
        """
        self.ports.listen(binding)
        binding.retain()
        listener = Listener(self, binding, backlog, observer, options)
        self.listeners.setdefault(_place(binding), []).append(listener)
        return listener

    def connect(
        self,
        now: int,
        remote: bytes,
        port: int,
        stream: Stream,
        observer: ConnectionObserver,
        options: SocketOptions,
        binding: Binding | None = None,
        interface: int = 0,
    ) -> Connection:
        """An active open. Raises OSError: ENETUNREACH, EADDRNOTAVAIL (no port is free, or the one
        that was bound has been used for the same peer), …

        A binding is retained until the connection is over, TIME-WAIT included.
        """
        local = None
        if binding is not None and any(binding.local):
            local = binding.local
        path = self.ip.path(remote, local, interface)
        if not self.memory.has_room():
            raise OSError(ENOBUFS, "there are all the connections that there may be")
        after = -1
        if binding is None:
            binding = self.ports.automatic(lambda mine: _key(path, port, mine) in self.table)
        else:
            old = self.table.get(_key(path, port, binding.port))
            if old is not None:
                if not isinstance(old, TimeWait) or not self._may_reuse(old, now):
                    raise OSError(EADDRNOTAVAIL, "the same connection exists")
                after = (old.snd_nxt + 65537) & MASK
                self.forget_time_wait(old)
            binding.retain()
        if self.started < 0:
            self.started = now
        c = Connection(self, path, options, binding.port, port)
        c.rcv_limit = self.memory.first_window(options)
        self.active_opens += 1
        c.stream = stream
        c.observer = observer
        c.binding = binding
        c.interface = interface
        c.quick = QUICK
        c.iss = (self.secret.isn(c.key, now) if after < 0 else after) + START
        c.snd_una = c.iss
        c.snd_nxt = c.iss + 1
        c.ts_offset = self.secret.timestamp_offset(c.key)
        c.hold_back()
        self.table[c.key] = c
        lifecycle.enter(c, SYN_SENT, lifecycle.OPENED)
        lifecycle.mark(c)
        return c

    def _may_reuse(self, old: TimeWait, now: int) -> bool:
        """Linux's tcp_tw_reuse: timestamps keep the two apart (RFC 6191)."""
        return old.ts_on and not old.peer_open and now - old.started > SECOND

    # For the runner

    def receive(self, now: int, packet: Packet) -> None:
        """A TCP segment has come."""
        self.segments_in += 1
        data = packet.payload
        if len(data) < 20:
            self.counters.count("tcp_header_short")
            return
        if not packet.checksum_valid and not transport_valid(packet.src, packet.dst, 6, data):
            # MUST-3.
            self.counters.count("tcp_checksum")
            return
        endpoint = self.table.get(packet.src + packet.dst + data[:4])
        if endpoint is not None and not packet.for_all:
            endpoint.arrive(now, packet)
            return
        try:
            seg = parse(data)
        except WireError as error:
            self.counters.count(error.reason)
            return
        self.stranger(now, packet, seg)

    def stranger(self, now: int, packet: Packet, seg: Segment, after: int = -1) -> None:
        """A segment of no connection: for a listener (3.10.7.2), or nobody (3.10.7.1)."""
        flags = seg.flags
        if packet.for_all or not seg.src_port or not seg.dst_port or is_group(packet.src):
            # MUST-57, MUST-63.
            self.counters.count("tcp_address_bad")
            return
        if flags & RST:
            self.counters.count("tcp_reset_for_nobody")
            return
        if self.started < 0:
            self.started = now
        key = packet.src + packet.dst + bytes(packet.payload[:4])
        listener = self.find_listener(packet, key)
        if listener is not None:
            if flags & ACK:
                if not flags & SYN and listener.on_cookie(now, packet, seg, key):
                    return
            elif flags & SYN:
                listener.on_syn(now, packet, seg, key, after)
                return
            else:
                self.counters.count("tcp_syn_missing")
                return
        self.counters.count("tcp_for_nobody")
        try:
            path = self.ip.path(packet.src, packet.dst, packet.interface)
        except OSError:
            self.counters.count("tcp_no_path")
            return
        ports = seg.dst_port << 16 | seg.src_port
        if flags & ACK:
            self.send_reset(path, ports, seg.ack, -1)
        else:
            length = len(seg.payload) + (flags & SYN != 0) + (flags & FIN != 0)
            self.send_reset(path, ports, 0, seg.seq + length)

    def find_listener(self, packet: Packet, key: bytes) -> Listener | None:
        """Whom a SYN is for: the address itself before the wildcards; IPv4 before dual stack."""
        port = bytes(packet.payload[2:4])
        listeners = self.listeners
        dst = packet.dst
        for address in (dst, bytes(len(dst)), ANY6):
            found = listeners.get(address + port)
            if not found:
                continue
            fitting = [
                listener
                for listener in found
                if listener.binding.interface in (0, packet.interface)
                and (len(dst) == len(address) or not listener.binding.options.v6_only)
            ]
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                # SO_REUSEPORT: the same one for the same peer, so that cookies come back to it.
                return fitting[self.secret.hash(key, b"reuse") % len(fitting)]
        return None

    def on_icmp_error(self, now: int, error: IcmpError) -> bool:
        """An ICMP error about a segment has come. False: it is about nothing that is out, and
        the path's MTU is not to be lowered for it (RFC 5927, 4.1, 7.2)."""
        data = bytes(error.payload[:8])
        if len(data) < 8:
            self.counters.count("tcp_icmp_short")
            return False
        endpoint = self.table.get(error.dst + error.src + data[2:4] + data[:2])
        if endpoint is None:
            self.counters.count("tcp_icmp_for_nobody")
            return False
        seq = int.from_bytes(data[4:8], "big")
        return endpoint.on_icmp_error(now, seq, error.errno, error.hard, error.ip_mtu)

    def flush(self, now: int) -> None:
        """Sends what connections have to send."""
        while self.dirty:
            dirty = self.dirty
            self.dirty = []
            for c in dirty:
                c.dirty = False
                tx.flush(c, now)

    # For connections

    def forget_endpoint(self, endpoint: Endpoint) -> None:
        """It is in the table and the heap no more."""
        if self.table.get(endpoint.key) is endpoint:
            del self.table[endpoint.key]
        self.sleep(endpoint)

    def forget(self, c: Connection) -> None:
        """A connection is over."""
        self.forget_ooo(c)
        self.forget_endpoint(c)
        self._leave_orphans(c)
        if c.binding is not None:
            c.binding.release()
            c.binding = None

    def forget_ooo(self, c: Connection) -> None:
        """What has come out of order is dropped."""
        if c.ooo is not None:
            self.reassembling -= c.ooo.size
            c.ooo = None

    def _leave_orphans(self, c: Connection) -> None:
        if c.orphan:
            c.orphan = False
            self.orphans -= 1

    def adopt_orphan(self) -> bool:
        """One more connection that the program has closed; False: too many."""
        if self.orphans >= self.settings.orphans:
            self.counters.count("tcp_orphans_full")
            return False
        self.orphans += 1
        return True

    def remember(self, c: Connection, now: int, peer_open: bool, acknowledge: bool) -> None:
        """A connection goes to TIME-WAIT."""
        self.forget_ooo(c)
        self.forget_endpoint(c)
        self._leave_orphans(c)
        entry = TimeWait(c, now, peer_open)
        c.binding = None
        self.table[c.key] = entry
        if len(self.time_waits) >= self.settings.time_waits:
            self.counters.count("tcp_time_wait_full")
            self.forget_time_wait(next(iter(self.time_waits.values())))
        self.time_waits[c.key] = entry
        wait = self.settings.time_wait
        if peer_open:
            wait = c.options.fin_timeout or self.settings.fin_timeout
        entry.expires = now + wait
        self.wake(entry, entry.expires)
        if acknowledge:
            entry.acknowledge(now)

    def forget_time_wait(self, entry: TimeWait) -> None:
        """Its time is over, or its place is needed."""
        self.time_waits.pop(entry.key, None)
        self.forget_endpoint(entry)
        if entry.binding is not None:
            entry.binding.release()
            entry.binding = None

    def forget_listener(self, listener: Listener) -> None:
        """It has been closed."""
        place = _place(listener.binding)
        self.listeners[place].remove(listener)
        if not self.listeners[place]:
            del self.listeners[place]
        listener.binding.listening = False
        listener.binding.release()

    def send_reset(self, path: Path, ports: int, seq: int, ack: int) -> None:
        """<SEQ><CTL=RST>, with an acknowledgement unless ack is -1. At once: it is not for a
        connection that is still there."""
        self.counters.count("tcp_resets_sent")
        flags = 0x5000 | RST if ack < 0 else 0x5000 | RST | ACK
        header = tx.PLAIN.pack(ports, seq & MASK, max(ack, 0) & MASK, flags, 0, 0)
        self.segments_out += 1
        self.ip.send(path, 6, (header,), 16)

    def may_challenge(self, now: int) -> bool:
        """RFC 5961, 7: so many challenge ACKs a second, and a random number more or less, so that
        nobody can count them from outside."""
        if now >= self._challenges_until:
            limit = self.settings.challenge_acks
            self._challenges_until = now + SECOND
            self._challenges = (limit + 1) // 2 + self.rng.randrange(limit)
        if not self._challenges:
            self.counters.count("tcp_challenge_limited")
            return False
        self._challenges -= 1
        self.counters.count("tcp_challenge_acks")
        return True


def scale_for(window: int) -> int:
    """The shift with which a window can be announced (RFC 7323, 2.3)."""
    shift = 0
    while shift < 14 and 65535 << shift < window:
        shift += 1
    return shift


def is_group(address: bytes) -> bool:
    """Whether it is a multicast or broadcast address."""
    return address[0] >= 224 if len(address) == 4 else address[0] == 0xFF


def _place(binding: Binding) -> bytes:
    return binding.local + binding.port.to_bytes(2, "big")


def _key(path: Path, remote_port: int, local_port: int) -> bytes:
    return path.remote + path.local + (remote_port << 16 | local_port).to_bytes(4, "big")
