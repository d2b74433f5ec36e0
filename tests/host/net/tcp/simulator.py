"""Hosts with TCP over simulated links and a virtual clock; everything comes from one seed.

An Internet layer that only carries packets is between them: FakeIp. Links lose, reorder, duplicate,
corrupt and delay, as their Faults say. A Socket is a program's: its Ring, and what it has heard.
"""

from __future__ import annotations

import random
from heapq import heappop, heappush

from ovum.net.counters import Counters
from ovum.net.ip import IcmpError, Packet, Path
from ovum.net.socket.door import CLOSED, CONNECTED, PEER_CLOSED, SENT, TAKEN
from ovum.net.socket.ring import Changes, Ring
from ovum.net.tcp.host import TcpHost
from ovum.net.tcp.settings import SocketOptions
from ovum.net.wire import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ovum.net.ip import Buffer
    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener
    from ovum.net.tcp.settings import Settings

MS = 1_000_000
SECOND = 1_000_000_000


class Faults:
    """What a link does to packets: probabilities, and times in ns."""

    def __init__(
        self,
        *,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        corrupt: float = 0.0,
        delay: int = 5 * MS,
        jitter: int = 0,
        rate: int = 0,
        queue: int = 1 << 30,
    ) -> None:
        self.loss = loss
        self.duplicate = duplicate
        self.reorder = reorder
        self.corrupt = corrupt
        self.delay = delay
        self.jitter = jitter
        self.rate = rate
        """Bytes per second; 0: no limit."""
        self.queue = queue
        """Bytes that wait for the wire; what is more is lost."""


class Net:
    """The network and its time."""

    def __init__(self, seed: int = 0, faults: Faults | None = None, start: int = SECOND) -> None:
        self.rng = random.Random(seed)
        self.faults = Faults() if faults is None else faults
        self.now = start
        self.hosts: dict[bytes, Host] = {}
        self.sent = 0
        self.watch: Callable[[int, Path, bytes], bool] | None = None
        """Sees every packet; False: it is lost."""
        self._queue: list[tuple[int, int, bytes, bytes, bytes]] = []
        self._busy: dict[bytes, int] = {}

    def carry(self, path: Path, data: bytes) -> None:
        """One packet, from path.local to path.remote."""
        self.sent += 1
        faults, rng = self.faults, self.rng
        if self.watch is not None and not self.watch(self.now, path, data):
            return
        if rng.random() < faults.loss:
            return
        for _ in range(2 if rng.random() < faults.duplicate else 1):
            at = self.now + faults.delay
            if faults.rate:
                start = max(self._busy.get(path.local, 0), self.now)
                if (start - self.now) * faults.rate // SECOND > faults.queue:
                    return
                self._busy[path.local] = start + (len(data) + 20) * SECOND // faults.rate
                at = self._busy[path.local] + faults.delay
            if faults.jitter:
                at += rng.randrange(faults.jitter)
            if rng.random() < faults.reorder:
                at += rng.randrange(1, 3 * faults.delay + 2)
            piece = data
            if rng.random() < faults.corrupt:
                bad = bytearray(data)
                bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
                piece = bytes(bad)
            heappush(self._queue, (at, self.sent * 2 + _, path.local, path.remote, piece))

    def next_time(self) -> int | None:
        """When something happens."""
        times = [self._queue[0][0]] if self._queue else []
        for host in self.hosts.values():
            deadline = host.tcp.next_deadline()
            if deadline is not None:
                times.append(deadline)
        return max(min(times), self.now) if times else None

    def step(self) -> bool:
        """Goes to the next time at which something happens, and does it. False: nothing will."""
        self.settle()
        at = self.next_time()
        if at is None:
            return False
        self.advance_to(at)
        return True

    def advance_to(self, at: int) -> None:
        """Lets time pass until then, at once: what is due on the way comes late."""
        self.now = at
        while self._queue and self._queue[0][0] <= at:
            _, _, src, dst, data = heappop(self._queue)
            host = self.hosts.get(dst)
            if host is not None:
                host.tcp.receive(at, Packet(1, src, dst, 6, data))
        for host in self.hosts.values():
            host.tcp.poll(at)
        self.settle()

    def settle(self) -> None:
        """Programs' changes are told, and everything is sent."""
        again = True
        while again:
            again = False
            for host in self.hosts.values():
                again = host.look() or again
                host.tcp.flush(self.now)

    def run(self, ns: int) -> None:
        """Lets time pass, event by event."""
        end = self.now + ns
        self.settle()
        while True:
            at = self.next_time()
            if at is None or at > end:
                break
            self.advance_to(at)
        self.now = end

    def until(self, condition: Callable[[], bool], limit: int = 3600 * SECOND) -> None:
        """Runs until the condition holds; fails if it does not in time."""
        end = self.now + limit
        self.settle()
        while not condition():
            assert self.step(), "nothing will happen any more"
            assert self.now < end, "it has not happened in time"


class FakeIp:
    """An Internet layer with one address that reaches everybody."""

    def __init__(self, net: Net, address: bytes, mtu: int = 1500, large: bool = False) -> None:
        self.net = net
        self.address = address
        self.mtu = mtu
        self.large = large
        self.errno = 0
        self.confirmed = 0
        self.calls = 0
        self.largest = 0
        self.paths: dict[bytes, Path] = {}

    def path(self, remote: bytes, local: bytes | None = None, interface: int = 0) -> Path:
        """See ip.Ip."""
        if self.errno:
            raise OSError(self.errno, "no way")
        path = self.paths.get(remote)
        if path is None or not path.valid:
            path = Path(self.address, remote, 1, self.mtu)
            path.segments_large = self.large
            self.paths[remote] = path
        return path

    def is_local(self, address: bytes) -> bool:
        """See ip.Ip."""
        return address == self.address

    def send(
        self,
        path: Path,
        protocol: int,
        data: Sequence[Buffer],
        checksum_offset: int = -1,
        segment_size: int = 0,
        hop_limit: int = 0,
        traffic_class: int = 0,
        may_fragment: bool = False,
    ) -> None:
        """Cuts into segments as a card would, and fills in checksums."""
        header = bytearray(data[0])
        payload = b"".join(bytes(piece) for piece in data[1:])
        size = segment_size or max(len(payload), 1)
        self.calls += 1
        self.largest = max(self.largest, len(payload))
        flags = header[13]
        assert len(header) + len(payload) <= 65535 - 40
        for at in range(0, max(len(payload), 1), size):
            piece = payload[at : at + size]
            last = at + size >= len(payload)
            own = bytearray(header)
            seq = int.from_bytes(header[4:8], "big") + at
            own[4:8] = (seq & 0xFFFFFFFF).to_bytes(4, "big")
            own[13] = flags if last else flags & ~0x09
            own[16:18] = b"\0\0"
            total = checksum.pseudo(path.local, path.remote, 6, len(own) + len(piece))
            value = checksum.finish(total + checksum.add_all((own, piece)))
            own[16:18] = value.to_bytes(2, "big")
            whole = bytes(own) + piece
            overhead = 20 if len(path.remote) == 4 else 40
            assert len(whole) + overhead <= path.ip_mtu, "a packet that does not fit"
            self.net.carry(path, whole)

    def confirm(self, path: Path) -> None:
        """See ip.Ip."""
        self.confirmed += 1


class Host:
    """A machine."""

    def __init__(
        self,
        net: Net,
        address: bytes,
        settings: Settings | None = None,
        mtu: int = 1500,
        large: bool = False,
    ) -> None:
        self.net = net
        self.address = address
        self.ip = FakeIp(net, address, mtu, large)
        self.counters = Counters()
        self.changes = Changes()
        self.tcp = TcpHost(self.ip, random.Random(net.rng.random()), self.counters, settings)
        self.tcp.memory.held = lambda: self.changes.held
        self.changes.memory = self.tcp.settings.memory
        net.hosts[address] = self

    def look(self) -> bool:
        """Tells connections what their programs have done."""
        changes = self.changes.take()
        for owner, bits in changes:
            assert isinstance(owner, Socket)
            owner.changed(bits)
        return bool(changes)

    def connect(self, remote: bytes, port: int, options: SocketOptions | None = None) -> Socket:
        """An active open."""
        socket = Socket(self, options)
        socket.connection = self.tcp.connect(
            self.net.now, remote, port, socket.ring, socket, socket.options
        )
        return socket

    def listen(
        self, port: int, backlog: int = 16, options: SocketOptions | None = None
    ) -> Acceptor:
        """A listener at all addresses."""
        return Acceptor(self, port, backlog, options)

    def error(self, error: IcmpError) -> None:
        """An ICMP error arrives."""
        self.tcp.on_icmp_error(self.net.now, error)


class Socket:
    """A program's socket with its connection; and its observer."""

    def __init__(self, host: Host, options: SocketOptions | None = None) -> None:
        self.host = host
        self.options = SocketOptions() if options is None else options
        self.ring = Ring(changes=host.changes)
        self.ring.owner = self
        limit = self.options.receive_limit or host.tcp.settings.receive_max
        self.ring.set_limits(limit, 256 * 1024)
        self.connection: Connection
        self.heard: list[str] = []
        """What the observer was told, in order."""
        self.errno = 0
        self.read = bytearray()

    def changed(self, bits: int) -> None:
        """The ring's changes."""
        now = self.host.net.now
        if bits & SENT:
            self.connection.written(now)
        if bits & TAKEN:
            self.connection.taken(now)
        if bits & CLOSED:
            self.connection.close(now)

    def established(self, connection: Connection) -> None:
        """See ConnectionObserver; so are the others."""
        self.heard.append("established")
        self.ring.set_state(CONNECTED)

    def peer_closed(self, connection: Connection) -> None:
        self.heard.append("peer_closed")
        self.ring.set_state(PEER_CLOSED)

    def failed(self, connection: Connection, errno: int) -> None:
        self.heard.append("failed")
        self.errno = errno
        self.ring.set_state(0, CONNECTED)

    def finished(self, connection: Connection) -> None:
        self.heard.append("finished")

    def gone(self, connection: Connection) -> None:
        assert "gone" not in self.heard
        self.heard.append("gone")
        self.ring.release()

    # The program

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left."""
        return "gone" in self.heard

    def write(self, data: bytes) -> int:
        """As much as there is room for."""
        try:
            return self.ring.send(data)
        except BlockingIOError:
            return 0

    def take(self, count: int = 1 << 30) -> bytes:
        """What there is."""
        if not self.ring.receive_queued():
            return b""
        data = self.ring.recv(count)
        self.read += data
        return data

    def close(self) -> None:
        """close(2)."""
        self.ring.close()

    def shut(self) -> None:
        """shutdown(2) of writing."""
        self.connection.shutdown_write(self.host.net.now)


class Acceptor:
    """A program's listening socket, which accepts at once."""

    def __init__(
        self, host: Host, port: int, backlog: int, options: SocketOptions | None = None
    ) -> None:
        self.host = host
        self.options = SocketOptions() if options is None else options
        self.sockets: list[Socket] = []
        self.room = 1 << 30
        self.binding = host.tcp.bind(bytes(len(host.address)), port, self.options)
        self.listener = host.tcp.listen(host.net.now, self.binding, backlog, self, self.options)

    def accept(self, listener: Listener, connection: Connection) -> bool:
        """See ListenerObserver."""
        if len(self.sockets) >= self.room:
            return False
        socket = Socket(self.host, connection.options)
        socket.connection = connection
        socket.ring.set_state(CONNECTED)
        connection.stream = socket.ring
        connection.observer = socket
        self.sockets.append(socket)
        return True

    def close(self) -> None:
        """close(2)."""
        self.listener.close(self.host.net.now)
        self.binding.release()


A, B = b"\x0a\0\0\x01", b"\x0a\0\0\x02"
"""Addresses of two hosts."""


def pair(net: Net, **more: object) -> tuple[Host, Host]:
    """Two hosts; `more` goes to both."""
    return Host(net, A, **more), Host(net, B, **more)  # type: ignore[arg-type]


def connected(net: Net, a: Host, b: Host) -> tuple[Socket, Socket]:
    """A connection from a to b."""
    acceptor = b.listen(net.rng.randrange(1024, 9999))
    socket = a.connect(b.address, acceptor.listener.port)
    net.until(lambda: bool(acceptor.sockets) and socket.heard == ["established"])
    return socket, acceptor.sockets[0]
