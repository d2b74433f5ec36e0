"""Our stack and Linux's, over a TAP device, in a network namespace of their own.

    unshare -n python -m tests.host.net.tcp.linux_peer TASK [LOSS]

Linux is 10.9.0.1, we are 10.9.0.2. Linux's side is a thread with ordinary sockets; ours a loop over
the device, with the real clock. LOSS of all frames are lost, and as many come late, both ways. The
task's last line is OK, or what went wrong is raised.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from ovum.drivers.frames import Received
from ovum.net.socket.door import CLOSED, CONNECTED, PEER_CLOSED, SENT, TAKEN
from ovum.net.socket.ring import Changes, Ring
from ovum.net.stack import Stack
from ovum.net.tcp.host import TcpHost
from ovum.net.tcp.settings import SocketOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.net.tcp.connection import Connection
    from ovum.net.tcp.listen import Listener

LINUX, OURS = "10.9.0.1", "10.9.0.2"
PORT = 7000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 2, 0x1000
SIZE = 8_000_000


def open_tap(name: str) -> int:
    """A TAP device, up and with Linux's address."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    for command in (
        f"ip address add {LINUX}/24 dev {name}",
        f"ip link set {name} up",
        "ip link set lo up",
    ):
        subprocess.run(command.split(), check=True)
    return descriptor


class End:
    """A connection of ours: echoes, sinks or sends; and its program."""

    def __init__(self, peer: Peer, what: str) -> None:
        self.peer = peer
        self.what = what
        self.ring = Ring(changes=peer.changes)
        self.ring.owner = self
        self.ring.set_limits(peer.tcp.settings.receive_max, 256 * 1024)
        self.connection: Connection
        self.digest = hashlib.sha256()
        self.data = random.Random(1).randbytes(SIZE) if what == "send" else b""
        self.sent = 0
        self.shut = False
        self.errno = 0

    def established(self, connection: Connection) -> None:
        self.ring.set_state(CONNECTED)

    def peer_closed(self, connection: Connection) -> None:
        self.ring.set_state(PEER_CLOSED)

    def failed(self, connection: Connection, errno: int) -> None:
        self.errno = errno
        self.ring.set_state(0, CONNECTED)

    def finished(self, connection: Connection) -> None:
        """Nothing."""

    def gone(self, connection: Connection) -> None:
        self.peer.ends.remove(self)
        self.ring.release()

    def act(self) -> None:
        """What its program does now."""
        ring = self.ring
        if not ring.state & CONNECTED:
            return
        if self.what == "send" and self.sent < SIZE:
            room = min(ring.send_limit - ring.send_queued(), SIZE - self.sent)
            if room >= 65536 or room == SIZE - self.sent:
                self.sent += ring.send(self.data[self.sent : self.sent + room])
        elif self.what == "send" and not self.shut:
            self.shut = True
            self.connection.shutdown_write(time.monotonic_ns())
        if ring.receive_queued():
            data = ring.recv(1 << 20)
            self.digest.update(data)
            if self.what == "echo":
                ring.send(data)
        elif ring.state & PEER_CLOSED and not self.shut:
            self.shut = True
            if self.what == "sink":
                ring.send(self.digest.digest())
            ring.close()


class Peer:
    """Our stack on the device."""

    def __init__(self, what: str, loss: float) -> None:
        self.what = what
        self.loss = loss
        self.late: list[bytes] = []
        self.late_out: list[bytes] = []
        rng = self.rng = random.Random()
        self.stack = Stack(rng)
        self.tcp = TcpHost(self.stack, rng, self.stack.counters)
        self.stack.protocols[6] = self.tcp.receive
        self.stack.errors[6] = self.tcp.on_icmp_error
        self.changes = Changes()
        self.ends: list[End] = []
        self.tap = open_tap("ovum0")
        self.link = self.stack.add_interface("eth0", b"\x02\0\0\0\0\x07", 1500)
        now = time.monotonic_ns()
        self.stack.add_address(now, self.link, socket.inet_aton(OURS), 24)
        self.finishing: float | None = None
        """Since when Linux has done its part."""

    def spoil(self, frames: list[bytes]) -> list[bytes]:
        """Loses some frames, and keeps others for later."""
        if not self.loss:
            return frames
        kept = []
        for data in frames:
            chance = self.rng.random()
            if chance < self.loss:
                continue
            if chance < 2 * self.loss:
                self.late.append(data)
            else:
                kept.append(data)
        return kept

    def listen(self) -> None:
        options = SocketOptions()
        binding = self.tcp.bind(bytes(4), PORT, options)
        self.tcp.listen(time.monotonic_ns(), binding, 128, self, options)

    def accept(self, listener: Listener, connection: Connection) -> bool:
        """See ListenerObserver."""
        end = End(self, self.what)
        end.connection = connection
        end.ring.set_state(CONNECTED)
        connection.stream = end.ring
        connection.observer = end
        self.ends.append(end)
        return True

    def connect(self) -> End:
        end = End(self, self.what)
        end.connection = self.tcp.connect(
            time.monotonic_ns(), socket.inet_aton(LINUX), PORT, end.ring, end, SocketOptions()
        )
        self.ends.append(end)
        return end

    def run(self) -> None:
        """Until it is done."""
        while self.finishing is None or (self.ends and time.monotonic() < self.finishing + 20):
            now = time.monotonic_ns()
            frames: list[bytes] = []
            while len(frames) < 64:
                try:
                    frames.append(os.read(self.tap, 65536))
                except BlockingIOError:
                    break
            self.late, late = [], self.late
            received = self.spoil(frames)
            if received:
                self.stack.receive(now, self.link, [Received(data) for data in received])
            self.stack.poll(now)
            self.tcp.poll(now)
            self.tcp.flush(now)
            for end in list(self.ends):
                end.act()
            for owner, bits in self.changes.take():
                assert isinstance(owner, End)
                if bits & SENT:
                    owner.connection.written(now)
                if bits & TAKEN:
                    owner.connection.taken(now)
                if bits & CLOSED:
                    owner.connection.close(now)
            self.tcp.flush(now)
            self.late, kept = [], self.late
            out = [
                b"".join(frame.data) if isinstance(frame.data, tuple) else bytes(frame.data)
                for frame in self.link.take_outbox(now)
            ]
            for data in self.spoil(out) + self.late_out:
                os.write(self.tap, data)
            self.late_out, self.late = self.late, kept
            if late:
                self.stack.receive(now, self.link, [Received(data) for data in late])
            if not frames:
                times = (self.stack.next_deadline(), self.tcp.next_deadline())
                wait = min((at for at in times if at is not None), default=now + 10**8) - now
                select.select([self.tap], [], [], max(min(wait, 5 * 10**7), 0) / 1e9)


def linux_sends(connection: socket.socket) -> None:
    """Linux sends, and gets the digest of what has arrived."""
    data = random.Random(2).randbytes(SIZE)
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(100, socket.MSG_WAITALL) == hashlib.sha256(data).digest()


def linux_receives(connection: socket.socket) -> None:
    """Linux gets everything, to the end."""
    got = b"".join(iter(lambda: connection.recv(1 << 20), b""))
    assert got == random.Random(1).randbytes(SIZE)


def many(count: int) -> None:
    """Connections one after the other, each with an answer."""
    for number in range(count):
        with socket.create_connection((OURS, PORT), 10) as connection:
            text = b"%d" % number
            connection.sendall(text)
            assert connection.recv(100) == text


def reset(connection: socket.socket) -> None:
    """Linux resets: SO_LINGER of zero."""
    connection.sendall(b"hello")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow_reader(connection: socket.socket) -> None:
    """Linux reads slowly: its window closes, and opens."""
    got = bytearray()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
    for _ in range(5):
        select.select([], [], [], 0.4)
        got += connection.recv(30_000)
    while data := connection.recv(1 << 20):
        got += data
    assert got == random.Random(1).randbytes(SIZE)


CLIENTS: dict[str, tuple[str, Callable[[socket.socket], None]]] = {
    "in": ("sink", linux_sends),
    "out": ("send", linux_receives),
    "reset": ("echo", reset),
    "slow": ("send", slow_reader),
}
SERVERS: dict[str, tuple[str, Callable[[socket.socket], None]]] = {
    "active-in": ("sink", linux_sends),
    "active-out": ("send", linux_receives),
}


def client(handle: Callable[[socket.socket], None]) -> None:
    with socket.create_connection((OURS, PORT), 10) as connection:
        connection.settimeout(60)
        handle(connection)


def server(listener: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(60)
        handle(connection)


def main(task: str, loss: float = 0.0) -> None:
    """One task."""
    errors: list[BaseException] = []
    listener = socket.socket()
    if task == "many":
        peer = Peer("echo", loss)
        peer.listen()
        work: Callable[[], None] = functools.partial(many, 30 if loss else 300)
    elif task in CLIENTS:
        what, handle = CLIENTS[task]
        peer = Peer(what, loss)
        peer.listen()
        work = functools.partial(client, handle)
    else:
        what, handle = SERVERS[task]
        peer = Peer(what, loss)
        listener.bind((LINUX, PORT))
        listener.listen()
        peer.connect()
        work = functools.partial(server, listener, handle)

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            peer.finishing = time.monotonic()

    thread = threading.Thread(target=run)
    start = time.monotonic()
    thread.start()
    peer.run()
    thread.join()
    if errors:
        raise errors[0]
    assert not peer.ends, "a connection is left"
    found = {name: n for name, n in peer.stack.counters.items() if name.startswith("tcp")}
    print(found, f"{time.monotonic() - start:.1f} s")
    print("OK")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
