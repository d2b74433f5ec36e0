"""ovum's own stack on this host, in real time, at the other end of a guest's card; and anybody else
on the same wire, whose frames a test makes itself."""

import random
import select
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ovum.drivers.frames import Received
from ovum.net.phy.segments import to_wire
from ovum.net.socket.door import CLOSED, CONNECTED, PEER_CLOSED, SENT, TAKEN
from ovum.net.socket.ring import Changes, Ring
from ovum.net.stack import Stack
from ovum.net.tcp.connection import Connection
from ovum.net.tcp.host import TcpHost
from ovum.net.tcp.settings import SECOND, SocketOptions
from ovum.net.udp import Queue, UdpHost
from ovum.net.wire import addr, checksum, dhcpv4, ethernet, ipv4, udp

from ..host.net.clients.dhcp_model import EVERYBODY, Server
from . import wire

MAC = bytes.fromhex("020000000001")
ADDRESS = addr.parse("192.0.2.1")
GUEST = addr.parse("192.0.2.100")
"""What its DHCP server gives away first."""
START_S = 180.0
"""An image may have to be made first."""
BATCH = 1 << 16
"""Bytes that go to QEMU at once."""


class Peer:
    """A machine beside the guest, and its DHCP server. `netdev` is QEMU's end of the wire."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        path = folder / "wire"
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(1)
        self._listening.settimeout(START_S)
        self.netdev = f"stream,id=n0,server=off,addr.type=unix,addr.path={path}"
        self._socket: socket.socket | None = None
        self.limit_s = wire.LIMIT_S
        """How long anything may take."""
        self._in = bytearray()
        self._out = bytearray()
        self.stack = Stack(random.Random(seed))
        self.tcp = TcpHost(self.stack, random.Random(seed + 1), self.stack.counters)
        self.tcp.settings.local_ports = (1024, 65535)
        self.tcp.settings.time_wait = SECOND
        self.stack.protocols[6] = self.tcp.receive
        self.stack.errors[6] = self.tcp.on_icmp_error
        self.udp = UdpHost(self.stack)
        self.link = self.stack.add_interface("eth0", MAC, 1500)
        self.changes = Changes()
        self.server = Server()
        self.guest_mac = b""
        self.guest6 = b""
        """The guest's link-local address."""
        self.seen = 0
        """Frames that the guest has sent."""

    # Time and frames

    def start(self) -> None:
        """QEMU has been started."""
        self._socket, _ = self._listening.accept()
        self._socket.setblocking(False)
        now = time.monotonic_ns()
        self.stack.add_address(now, self.link, ADDRESS, 24)
        self.stack.poll(now)

    def pump(self, done: Callable[[], bool], limit_s: float = 0) -> None:
        """Lets the stack run until something is so; 0: in `limit_s` of the peer."""
        limit_s = limit_s or self.limit_s
        end = time.monotonic() + limit_s
        while True:
            self._turn()
            if done():
                return
            assert time.monotonic() < end, f"not in {limit_s} s: {self.stack.counters}"
            self._wait(end)

    def _turn(self) -> None:
        """What is due, and what is to be sent."""
        now = time.monotonic_ns()
        for owner, bits in self.changes.take():
            assert isinstance(owner, Socket)
            owner.changed(now, bits)
        self.tcp.poll(now)
        self.stack.poll(now)
        self.tcp.flush(now)
        for frame in self.link.take_outbox(now):
            for whole in to_wire(frame):
                self._put(whole)
        self._write()

    def _put(self, frame: bytes) -> None:
        frame = frame.ljust(60, b"\0")
        self._out += len(frame).to_bytes(4, "big") + frame

    def _write(self) -> None:
        assert self._socket
        while self._out:
            try:
                sent = self._socket.send(memoryview(self._out)[:BATCH])
            except BlockingIOError:
                return
            del self._out[:sent]

    def _wait(self, end: float) -> None:
        assert self._socket
        deadlines = [end]
        for deadline in (self.stack.next_deadline(), self.tcp.next_deadline()):
            if deadline is not None:
                deadlines.append(deadline / 1e9)
        left = max(min(deadlines) - time.monotonic(), 0)
        readable, _, _ = select.select(
            [self._socket], [self._socket] if self._out else [], [], left
        )
        if readable:
            self._read()

    def _read(self) -> None:
        assert self._socket
        data = self._socket.recv(1 << 18)
        if not data:
            raise EOFError("QEMU has closed the wire")
        self._in += data
        at, frames = 0, []
        while len(self._in) - at >= 4:
            size = int.from_bytes(self._in[at : at + 4], "big")
            if len(self._in) - at - 4 < size:
                break
            frame = bytes(self._in[at + 4 : at + 4 + size])
            at += 4 + size
            self.seen += 1
            if not self._for_dhcp(frame):
                frames.append(Received(frame))
        del self._in[:at]
        self.stack.receive(time.monotonic_ns(), self.link, frames)

    def _for_dhcp(self, frame: bytes) -> bool:
        if (
            frame[12:14] == b"\x86\xdd"
            and frame[6:8] != b"\x33\x33"
            and frame[22:24] == b"\xfe\x80"
        ):
            self.guest6 = frame[22:38]
        if frame[12:14] != b"\x08\0" or frame[23] != udp.PROTOCOL or frame[36:38] != b"\0\x43":
            return False
        self.guest_mac = frame[6:12]
        header = ipv4.parse(frame, 14)
        message = dhcpv4.parse(frame[14 + header.header_size + 8 : 14 + header.total_length])
        reply = self.server.answer(message)
        if reply is not None:
            to = EVERYBODY if message.broadcast else message.client_address
            data = dhcpv4.emit(reply)
            mac = ethernet.BROADCAST if to == EVERYBODY else self.guest_mac
            self._put(ethernet_frame(mac, MAC, udp4(ADDRESS, 67, to, 68, data)))
        return True

    def inject(self, frames: Iterable[bytes]) -> None:
        """Sends frames of somebody's, as fast as the guest takes them."""
        for frame in frames:
            self._put(frame)
            if len(self._out) >= BATCH:
                self.pump(lambda: len(self._out) < BATCH)
        self.pump(lambda: not self._out)

    def close(self) -> None:
        self._listening.close()
        if self._socket is not None:
            self._socket.close()

    # Programs

    def open(
        self, port: int, address: bytes = GUEST, options: SocketOptions | None = None
    ) -> "Socket":
        """A connection to the guest, on its way."""
        one = Socket(self, options)
        interface = self.link.index if addr.needs_zone(address) else 0
        now = time.monotonic_ns()
        one.connection = self.tcp.connect(
            now, address, port, one.ring, one, one.options, interface=interface
        )
        return one

    def connect(self, port: int, address: bytes = GUEST) -> "Socket":
        """A connection to the guest, established."""
        one = self.open(port, address)
        self.pump(lambda: bool(one.heard))
        assert one.heard == ["established"], (one.heard, one.errno)
        return one

    def ask(self, port: int, request: bytes, address: bytes = GUEST) -> bytes:
        """All that a server answers to a request, until it closes."""
        one = self.connect(port, address)
        one.ring.send(request)
        self.pump(lambda: "peer_closed" in one.heard)
        answer = one.take()
        one.ring.close()
        self.pump(lambda: "gone" in one.heard)
        return answer

    def echo(self, data: bytes, port: int = 7) -> None:
        """The guest's UDP server sends a datagram back."""
        queue = Queue()
        endpoint = self.udp.endpoint(4, queue)
        self.stack.now = time.monotonic_ns()
        endpoint.send(data, GUEST, port)
        self.pump(lambda: len(queue) > 0)
        assert queue.take() == (GUEST, port, data)
        endpoint.close()


class Socket:
    """A program's socket on the host."""

    def __init__(self, peer: Peer, options: SocketOptions | None = None) -> None:
        self.peer = peer
        self.options = SocketOptions() if options is None else options
        self.ring = Ring(changes=peer.changes)
        self.ring.owner = self
        self.ring.set_limits(self.options.receive_limit or 1 << 20, 1 << 18)
        self.connection: Connection
        self.heard: list[str] = []
        """What has happened to the connection, in order."""
        self.errno = 0

    def changed(self, now: int, bits: int) -> None:
        """The ring's changes."""
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
        self.heard.append("gone")

    def take(self) -> bytes:
        """What has come."""
        return self.ring.recv(1 << 30) if self.ring.receive_queued() else b""

    def exchange(self, data: bytes) -> None:
        """The guest's echo server sends data back, all of it."""
        back = bytearray()
        rest = memoryview(data)

        def done() -> bool:
            nonlocal rest
            room = self.ring.send_limit - self.ring.send_queued()
            if rest and room:
                rest = rest[self.ring.send(rest[:room]) :]
            back.extend(self.take())
            assert "failed" not in self.heard, self.errno
            return len(back) >= len(data)

        self.peer.pump(done)
        assert back == data


def ethernet_frame(dst: bytes, src: bytes, packet: bytes) -> bytes:
    """A frame with a packet in it."""
    return ethernet.emit(dst, src, ethernet.IPV4 if packet[0] >> 4 == 4 else ethernet.IPV6) + packet


def udp4(src: bytes, sport: int, dst: bytes, dport: int, data: bytes) -> bytes:
    """A packet of IPv4 with a datagram."""
    header = bytearray(udp.emit_header(sport, dport, len(data)))
    header[6:8] = transport_sum(src, dst, udp.PROTOCOL, header + data)
    return ipv4.emit_header(src, dst, udp.PROTOCOL, 28 + len(data)) + header + data


def transport_sum(src: bytes, dst: bytes, protocol: int, data: bytes | bytearray) -> bytes:
    """The checksum of a datagram or segment where it is 0 so far."""
    total = checksum.pseudo(src, dst, protocol, len(data)) + checksum.add(data)
    return checksum.finish(total).to_bytes(2, "big")
