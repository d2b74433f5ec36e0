"""Requests and answers on one connection through the network stack: `stack_requests.py COUNT`.

No card, socket or clock is in it, and the peer is a few lines: what it costs is Ethernet, IP and
TCP, a request in and an answer out, as `ovum.net.network` drives them. With a word `peer` behind
the count the stack is left out, and the cost is what is to be subtracted. Prints the processor's
time.
"""

import random
import struct
import sys
import time

from ovum.drivers.frames import Frame, Received
from ovum.net.stack import Stack
from ovum.net.tcp.connection import Connection
from ovum.net.tcp.host import TcpHost
from ovum.net.tcp.settings import SocketOptions
from ovum.net.wire.checksum import add, finish, pseudo

MS = 1_000_000
REQUEST = b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + bytes(20)
SYN, ACK, PSH = 0x02, 0x10, 0x08
PORT = 8080
OUR_MAC, PEER_MAC = b"\x52\x54\x00\x12\x34\x56", b"\x52\x55\x0a\x00\x00\x02"
OURS, PEER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))


class Ring:
    """What the program's socket is to TCP: bytes in, bytes out (net/socket/door.py)."""

    def __init__(self) -> None:
        self.received = 0
        self.written = b""

    def deliver(self, data: bytes) -> int:
        """A request has come."""
        self.received += len(data)
        return 65536

    def receive_free(self) -> int:
        """The program reads at once."""
        return 65536

    def receive_queued(self) -> int:
        """The program has read."""
        return 0

    def notify_free(self, count: int) -> None:
        """There always is room."""

    def send_queued(self) -> int:
        """What was written and has not been acknowledged."""
        return len(self.written)

    def peek(self, offset: int, count: int) -> bytes:
        """A part of it."""
        return self.written[offset : offset + count]

    def discard(self, count: int) -> None:
        """So much was acknowledged."""
        self.written = self.written[count:]


class Server:
    """The observer of the listener and of its connection."""

    connection: Connection

    def __init__(self) -> None:
        self.ring = Ring()

    def accept(self, listener: object, connection: Connection) -> bool:
        """The one connection."""
        connection.stream = self.ring  # type: ignore[assignment]
        connection.observer = self  # type: ignore[assignment]
        self.connection = connection
        return True


class Peer:
    """A client that has lost nothing and never waits."""

    def __init__(self) -> None:
        self.seq = 1000
        self.ack = 0

    def segment(self, flags: int, payload: bytes) -> Received:
        """A frame with the next segment, with a time stamp, as Linux sends it."""
        header = struct.pack(
            "!HHIIHHHHIII", 40000, PORT, self.seq, self.ack, 0x8000 | flags, 60000, 0, 0,
            0x0101080A, self.seq, 0,
        )  # fmt: skip
        data = header + payload
        check = finish(pseudo(PEER, OURS, 6, len(data)) + add(data))
        data = data[:16] + check.to_bytes(2, "big") + data[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 0, 0x4000, 64, 6, 0, PEER, OURS)
        ip = ip[:10] + finish(add(ip)).to_bytes(2, "big") + ip[12:]
        self.seq += len(payload) + (flags & SYN != 0)
        return Received(OUR_MAC + PEER_MAC + b"\x08\x00" + ip + data)


class Machine:
    """A stack with one interface."""

    def __init__(self) -> None:
        rng = random.Random(1)
        self.now = 1000 * MS
        self.stack = Stack(rng)
        self.tcp = TcpHost(self.stack, rng, self.stack.counters)
        self.stack.protocols[6] = self.tcp.receive
        self.link = self.stack.add_interface("eth0", OUR_MAC, 1500)
        self.stack.add_address(self.now, self.link, OURS, 24)
        self.settle()

    def settle(self) -> list[Frame]:
        """What `Network.settle` does; the frames that are sent."""
        now = self.now
        self.tcp.flush(now)
        due = self.stack.next_deadline()
        while due is not None and due <= now:
            self.stack.poll(now)
            self.tcp.flush(now)
            due = self.stack.next_deadline()
        self.tcp.next_deadline()
        return self.link.take_outbox(now)

    def receive(self, frame: Received) -> list[Frame]:
        """A frame has come; what is sent for it."""
        self.now += MS
        self.stack.receive(self.now, self.link, [frame])
        return self.settle()


def whole(frame: Frame) -> bytes:
    """A frame's bytes."""
    return b"".join(frame.data) if isinstance(frame.data, tuple) else bytes(frame.data)


def connect() -> tuple[Machine, Peer, Server]:
    """A machine, a peer, and the connection between them."""
    machine, peer, server = Machine(), Peer(), Server()
    options = SocketOptions()
    binding = machine.tcp.bind(bytes(4), PORT, options)
    machine.tcp.listen(machine.now, binding, 8, server, options)
    sent = [whole(frame) for frame in machine.receive(peer.segment(SYN, b""))]
    asked = next(data for data in sent if data[12:14] == b"\x08\x06")
    reply = OUR_MAC + PEER_MAC + asked[12:20] + b"\x00\x02" + PEER_MAC + PEER + asked[22:32]
    (answer,) = [whole(frame) for frame in machine.receive(Received(reply))]
    peer.ack = int.from_bytes(answer[38:42], "big") + 1
    machine.receive(peer.segment(ACK, b""))
    return machine, peer, server


def requests(count: int) -> None:
    """So many requests, each answered."""
    machine, peer, server = connect()
    ring, connection = server.ring, server.connection
    began = time.process_time()
    for _ in range(count):
        machine.receive(peer.segment(ACK | PSH, REQUEST))
        machine.now += MS
        ring.written += ANSWER
        connection.written(machine.now)
        machine.settle()
        peer.ack += len(ANSWER)
    spent = time.process_time() - began
    if ring.received != count * len(REQUEST) or len(ring.written) != len(ANSWER):
        raise SystemExit("stack_requests: requests or answers were lost")
    print(f"{spent * 1e6 / count:.2f}")


def peer_alone(count: int) -> None:
    """What the peer and the ring do for so many requests."""
    peer, ring = Peer(), Ring()
    began = time.process_time()
    for _ in range(count):
        peer.segment(ACK | PSH, REQUEST)
        ring.deliver(REQUEST)
        ring.written += ANSWER
        ring.send_queued()
        ring.peek(0, len(ANSWER))
        ring.discard(len(ANSWER))
        peer.ack += len(ANSWER)
    spent = time.process_time() - began
    print(f"{spent * 1e6 / count:.2f}")


if __name__ == "__main__":
    (peer_alone if "peer" in sys.argv[2:] else requests)(int(sys.argv[1]))
