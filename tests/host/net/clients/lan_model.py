"""A whole network at the other end of a card: servers of DHCP and NTP, a router of IPv6, and hosts
that have addresses already. Frames go both ways over a virtual clock."""

from collections.abc import Callable
from random import Random

from ovum.drivers.frames import Frame, Received
from ovum.net.clients.interface import InterfaceConfiguration
from ovum.net.clients.machine import MachineConfiguration
from ovum.net.clients.settings import settings_for, settings_of
from ovum.net.stack import Stack
from ovum.net.udp import UdpHost
from ovum.net.wire import addr, arp, checksum, dhcpv4, ethernet, ipv4, ntp, udp

from .dhcp_model import EVERYBODY, KINDS, MAC, NOBODY, SECOND, Server

ROUTER_MAC = bytes.fromhex("020000000001")
STRANGER_MAC = bytes.fromhex("020000000002")


class Notes:
    """The system outside the network, as the clients see it; keeps what they do to it."""

    def __init__(self) -> None:
        self.resolv: list[str] = []
        self.hosts: list[str] = []
        self.names: list[str] = []
        self.moves: list[int] = []
        self.lines: list[str] = []
        self.now: Callable[[], int] = lambda: 0

    def write_resolv_conf(self, text: str) -> None:
        self.resolv.append(text)

    def write_hosts(self, text: str) -> None:
        self.hosts.append(text)

    def set_hostname(self, name: str) -> None:
        self.names.append(name)

    def wall_ns(self) -> int:
        return self.now() + sum(self.moves)

    def move_clock(self, by_ns: int) -> None:
        self.moves.append(by_ns)

    def note(self, text: str, bad: bool = False) -> None:
        self.lines.append(f"!{text}" if bad else text)


class Lan:
    """The network, and a machine of one card in it."""

    def __init__(self, *servers: Server, words: str = "", seed: int = 1, up: bool = True) -> None:
        self.now = 1000 * SECOND
        self.begun = self.now
        self.servers = servers
        self.taken: set[bytes] = set()
        """Addresses that a stranger has."""
        self.true_ns = 1_800_000_000 * SECOND
        self.sent: list[str] = []
        self.stack = Stack(Random(seed))
        self.udp = UdpHost(self.stack)
        self.notes = Notes()
        self.notes.now = lambda: self.now
        self.unsettled = 1
        self.settled_at: float | None = None
        self.stack.poll(self.now)
        self.interface = self.stack.add_interface("eth0", MAC, 1500, None, up)
        self.machine = MachineConfiguration(
            self.stack, self.udp, self.notes, settings_of(words), lambda: self.unsettled > 0
        )
        self.configuration = InterfaceConfiguration(
            self.machine, self.interface, settings_for("eth0", self.machine.settings), self._settled
        )
        self._coming: list[tuple[int, bytes]] = []

    def _settled(self) -> None:
        assert self.settled_at is None
        self.unsettled -= 1
        self.settled_at = (self.now - self.begun) / SECOND

    def start(self) -> None:
        self.stack.poll(self.now)
        self.configuration.start(self.now)

    def run(self, seconds: float) -> None:
        """Lets this much time pass."""
        end = self.now + int(seconds * SECOND)
        for _ in range(100_000):
            for frame in self.interface.take_outbox(self.now):
                self._goes(frame)
            times = [at for at, _ in self._coming]
            deadline = self.stack.next_deadline()
            if deadline is not None:
                times.append(deadline)
            if not times or min(times) > end:
                self.now = end
                return
            self.now = max(self.now, min(times))
            due = [Received(data) for at, data in self._coming if at <= self.now]
            self._coming = [one for one in self._coming if one[0] > self.now]
            self.stack.receive(self.now, self.interface, due)
            self.stack.poll(self.now)
        raise AssertionError("it does not come to rest")

    def link(self, up: bool) -> None:
        self.stack.link_changed(self.now, self.interface, up)

    def come(self, data: bytes) -> None:
        """A frame for the machine."""
        self._coming.append((self.now + SECOND // 1000, data))

    def _goes(self, frame: Frame) -> None:
        pieces = frame.data if isinstance(frame.data, tuple) else (frame.data,)
        data = b"".join(pieces)
        kind = int.from_bytes(data[12:14], "big")
        if kind == ethernet.ARP:
            self._arp(arp.parse(data, 14))
        elif kind == ethernet.IPV4:
            header = ipv4.parse(data, 14)
            if header.protocol == 17:
                payload = data[14 + header.header_size : 14 + header.total_length]
                valid = checksum.transport_valid(header.src, header.dst, 17, payload)
                assert valid or payload[6:8] == b"\0\0"
                self._datagram(header.src, header.dst, payload)

    def _arp(self, packet: arp.Arp) -> None:
        if packet.operation != arp.REQUEST:
            return
        asked = packet.target
        what = "probe" if packet.sender == NOBODY else "announce" if packet.sender == asked else ""
        if what:
            self.sent.append(f"{what} {addr.text(asked)}")
        if asked in self.taken:
            self.say(asked, packet.sender_mac, packet.sender)
        elif asked == addr.parse("192.0.2.1"):
            self.say(asked, packet.sender_mac, packet.sender, ROUTER_MAC)

    def say(
        self, sender: bytes, to: bytes = MAC, target: bytes = NOBODY, mac: bytes = STRANGER_MAC
    ) -> None:
        """A host says by ARP that it has an address."""
        packet = arp.emit(arp.Arp(arp.REPLY, mac, sender, to, target))
        self.come(ethernet.emit(to, mac, ethernet.ARP) + packet)

    def _datagram(self, src: bytes, dst: bytes, data: bytes) -> None:
        sport, dport, length, _ = udp.parse(data)
        payload = data[8:length]
        if dport == dhcpv4.SERVER_PORT:
            assert sport == dhcpv4.CLIENT_PORT
            message = dhcpv4.parse(payload)
            self.sent.append(f"{KINDS[message.kind]} {addr.text(src)} > {addr.text(dst)}")
            for server in self.servers:
                if dst in (EVERYBODY, server.identifier):
                    reply = server.answer(message)
                    if reply is not None:
                        to = EVERYBODY if message.broadcast else message.client_address
                        self.datagram(server.identifier, 67, to, 68, dhcpv4.emit(reply))
        elif dport == ntp.PORT:
            self.sent.append(f"NTP > {addr.text(dst)}")
            self._time(dst, src, sport, ntp.parse(payload))

    def _time(self, server: bytes, to: bytes, port: int, request: ntp.Packet) -> None:
        time = ntp.from_unix_ns(self.now + self.true_ns)
        reply = ntp.Packet(ntp.SERVER, time, origin=request.transmit, receive=time, stratum=2)
        self.datagram(server, ntp.PORT, to, port, ntp.emit(reply))

    def datagram(self, src: bytes, sport: int, dst: bytes, dport: int, data: bytes) -> None:
        """A datagram for the machine."""
        header = udp.emit_header(sport, dport, len(data))
        total = checksum.pseudo(src, dst, 17, len(header) + len(data))
        total += checksum.add(header + data)
        header = header[:6] + checksum.finish(total).to_bytes(2, "big")
        size = 20 + len(header) + len(data)
        ip = ipv4.emit(ipv4.Header(src, dst, 17, size))
        mac = ethernet.BROADCAST if dst == EVERYBODY else MAC
        self.come(ethernet.emit(mac, ROUTER_MAC, ethernet.IPV4) + ip + header + data)

    def take(self) -> list[str]:
        """What the machine has sent since the last time."""
        sent, self.sent = self.sent, []
        return sent

    def addresses(self) -> list[str]:
        """Of IPv4, with their prefixes."""
        return [
            f"{addr.text(one.address)}/{one.prefix_length}"
            for one in self.interface.addresses4.values()
        ]

    def routes(self) -> list[str]:
        """Of IPv4, but those of addresses."""
        return [
            f"{addr.text(one.destination)}/{one.prefix_length}"
            + (f" via {addr.text(one.gateway)}" if one.gateway else "")
            for one in self.stack.routes(4)
            if one.origin not in (1,) and one.interface == self.interface.index
        ]


def started(*servers: Server, words: str = "", up: bool = True) -> Lan:
    """A machine that begins."""
    lan = Lan(*servers, words=words, up=up)
    lan.start()
    return lan
