"""A network behind a guest's card, as datagrams that are frames: DHCP, DNS, the time, and ARP."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

from ovum.net.wire import addr, arp, checksum, dhcpv4, dns, ethernet, ipv4, ntp, udp

from ..host.net.clients.dhcp_model import EVERYBODY, Server
from . import wire

ROUTER = addr.parse("192.0.2.1")
ROUTER_MAC = bytes.fromhex("020000000001")
YEAR_2040 = 2_208_988_800 * 10**9
"""Nanoseconds since 1970."""


class Lan:
    """The network. `names` is what its DNS server knows."""

    def __init__(self, link: wire.Wire, server: Server) -> None:
        self.netdev = link.netdev
        self.server = server
        self.names: dict[str, bytes] = {}
        self.asked: list[str] = []
        """Names that were looked up."""
        self.messages: queue.Queue[dhcpv4.Message] = queue.Queue()
        """What came for the DHCP server."""
        self._link = link
        self._mac = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request(self) -> dhcpv4.Message:
        """The next message for the DHCP server that is no DISCOVER."""
        while True:
            message = self.messages.get(timeout=wire.LIMIT_S)
            if message.kind != dhcpv4.DISCOVER:
                return message

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the wire is closed: the test is over
            while True:
                (frame,) = self._link.receive()
                kind = int.from_bytes(frame[12:14], "big")
                if kind == ethernet.ARP:
                    self._arp(arp.parse(frame, 14))
                elif kind == ethernet.IPV4:
                    self._mac = frame[6:12]
                    header = ipv4.parse(frame, 14)
                    if header.protocol == udp.PROTOCOL:
                        payload = frame[14 + header.header_size : 14 + header.total_length]
                        self._datagram(header, payload)

    def _arp(self, packet: arp.Arp) -> None:
        if packet.operation == arp.REQUEST and packet.target == ROUTER:
            answer = arp.Arp(arp.REPLY, ROUTER_MAC, ROUTER, packet.sender_mac, packet.sender)
            head = ethernet.emit(packet.sender_mac, ROUTER_MAC, ethernet.ARP)
            self._link.send((head + arp.emit(answer)).ljust(60, b"\0"))

    def _datagram(self, header: ipv4.Header, data: bytes) -> None:
        sport, dport, length, _ = udp.parse(data)
        payload = data[8:length]
        if dport == dhcpv4.SERVER_PORT:
            self._dhcp(dhcpv4.parse(payload))
        elif dport == dns.PORT:
            self.send(dns.PORT, header.src, sport, self._dns(dns.parse(payload)))
        elif dport == ntp.PORT:
            request = ntp.parse(payload)
            at = ntp.from_unix_ns(YEAR_2040)
            reply = ntp.Packet(ntp.SERVER, at, origin=request.transmit, receive=at, stratum=1)
            self.send(ntp.PORT, header.src, sport, ntp.emit(reply))

    def _dhcp(self, message: dhcpv4.Message) -> None:
        self.messages.put(message)
        reply = self.server.answer(message)
        if reply is not None:
            to = EVERYBODY if message.broadcast else message.client_address
            self.send(dhcpv4.SERVER_PORT, to, dhcpv4.CLIENT_PORT, dhcpv4.emit(reply))

    def _dns(self, query: dns.Message) -> bytes:
        question = query.questions[0]
        self.asked.append(question.name)
        known = self.names.get(question.name)
        flags = dns.RESPONSE | dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE
        answer = dns.Message(query.ident, flags, [question])
        if known is None:
            answer.flags |= dns.NAME_ERROR
        elif question.kind == dns.A:
            answer.answers = [dns.Record(question.name, dns.A, 60, known)]
        return dns.emit(answer)

    def send(self, sport: int, to: bytes, dport: int, data: bytes) -> None:
        """Sends a datagram from the router to the machine."""
        header = udp.emit_header(sport, dport, len(data))
        total = checksum.pseudo(ROUTER, to, 17, 8 + len(data)) + checksum.add(header + data)
        header = header[:6] + checksum.finish(total).to_bytes(2, "big")
        packet = ipv4.emit_header(ROUTER, to, udp.PROTOCOL, 28 + len(data)) + header + data
        mac = ethernet.BROADCAST if to == EVERYBODY else self._mac
        frame = ethernet.emit(mac, ROUTER_MAC, ethernet.IPV4) + packet
        self._link.send(frame.ljust(60, b"\0"))


@contextlib.contextmanager
def made(folder: Path, server: Server) -> Iterator[Lan]:
    """A network, for the block."""
    link = wire.Wire(folder)
    try:
        yield Lan(link, server)
    finally:
        link.close()
