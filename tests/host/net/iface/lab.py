"""One stack with one interface, and a peer that a test plays by hand, in virtual time."""

from __future__ import annotations

import random

from ovum.drivers.frames import Offload, Received
from ovum.drivers.network import Offloads
from ovum.net.iface.interface import Interface
from ovum.net.ip import IcmpError, Packet
from ovum.net.phy.segments import to_wire
from ovum.net.settings import SECOND, Settings
from ovum.net.stack import Stack
from ovum.net.udp import Queue, UdpEndpoint, UdpHost
from ovum.net.wire import addr, arp, checksum, ethernet, icmpv6, ipv4, ipv6, ndp
from ovum.net.wire.ndp_options import Options

OUR_MAC = b"\x02\x00\x00\x00\x00\x01"
MAC = b"\x02\x00\x00\x00\x00\x02"
OTHER_MAC = b"\x02\x00\x00\x00\x00\x03"
NO_MAC = bytes(6)
ALL = b"\xff" * 6

US = addr.parse("192.0.2.1")
PEER = addr.parse("192.0.2.2")
OTHER = addr.parse("192.0.2.3")
ROUTER = addr.parse("192.0.2.254")
FAR = addr.parse("198.51.100.7")

US_LINK = addr.parse("fe80::ff:fe00:1")
PEER_LINK = addr.parse("fe80::2")
US6 = addr.parse("2001:db8::1")
PEER6 = addr.parse("2001:db8::2")
FAR6 = addr.parse("2001:db8:ffff::7")


class Lab:
    """`give` frames, see what is `sent`; `wait` lets time pass."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        offloads: Offloads | None = None,
        ip_mtu: int = 1500,
        v6: bool = True,
        seed: int = 1,
        quiet: bool = True,
    ) -> None:
        self.now = 100 * SECOND
        self.stack = Stack(random.Random(seed), settings)
        self.stack.now = self.now
        self.counters = self.stack.counters
        self.link: Interface = self.stack.add_interface("eth0", OUR_MAC, ip_mtu, offloads)
        self.udp = UdpHost(self.stack)
        self.told: list[tuple[int, object]] = []
        self.stack.listeners.append(self._told)
        self.stack.add_address(self.now, self.link, US, 24)
        if v6 and ip_mtu >= 1280:
            self.stack.add_address(self.now, self.link, US6, 64, check=False)
        if quiet:
            # What starts by itself is over.
            self.wait(20 * SECOND)
            self.sent()
            self.told.clear()
            self.counters.clear()

    def _told(self, now: int, kind: int, subject: object) -> None:
        self.told.append((kind, subject))

    def give(self, *frames: bytes, offload: Offload | None = None) -> None:
        """These come, at once."""
        received = [Received(frame, offload) for frame in frames]
        self.stack.receive(self.now, self.link, received)
        self.stack.poll(self.now)

    def sent(self) -> list[bytes]:
        """The frames that were sent since, as they are on the wire."""
        return [each for frame in self.link.take_outbox(self.now) for each in to_wire(frame)]

    def sent_one(self) -> bytes:
        """The only frame that was sent since."""
        frames = self.sent()
        assert len(frames) == 1, frames
        return frames[0]

    def wait(self, duration: int) -> None:
        """Time passes."""
        end = self.now + duration
        while (at := self.stack.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.stack.poll(self.now)
        self.now = end
        self.stack.poll(end)

    def count(self, name: str) -> int:
        """What a counter says; it is 0 after."""
        return self.counters.pop(name, 0)

    def know(self, address: bytes = PEER, mac: bytes = MAC) -> None:
        """A neighbor is known, and reachable."""
        table = self.link.arp if len(address) == 4 else self.link.nd
        table.core.now = self.now
        table.find(address)
        table.answered(self.now, address, mac, True, True, False)

    def endpoint(self, version: int = 4, port: int = 0) -> tuple[UdpEndpoint, Queue]:
        """A UDP endpoint, bound to a port, and what it gets."""
        queue = Queue()
        endpoint = self.udp.endpoint(version, queue)
        if port:
            endpoint.bind(b"", port)
        return endpoint, queue


class Listener:
    """A protocol of a test's own: keeps what comes."""

    def __init__(self, stack: Stack, protocol: int = 253) -> None:
        self.packets: list[Packet] = []
        self.errors: list[IcmpError] = []
        self.answer: bool | None = None
        stack.protocols[protocol] = self.receive
        stack.errors[protocol] = self.on_icmp_error

    def receive(self, now: int, packet: Packet) -> None:
        self.packets.append(packet)

    def on_icmp_error(self, now: int, error: IcmpError) -> bool | None:
        self.errors.append(error)
        return self.answer


# Frames


def arp_frame(
    operation: int,
    sender_mac: bytes,
    sender: bytes,
    target: bytes,
    target_mac: bytes = NO_MAC,
    to: bytes = ALL,
) -> bytes:
    """With Ethernet's padding."""
    packet = arp.emit(arp.Arp(operation, sender_mac, sender, target_mac, target))
    return ethernet.emit(to, sender_mac, ethernet.ARP) + packet + bytes(18)


def ipv4_frame(
    payload: bytes,
    protocol: int = 253,
    src: bytes = PEER,
    dst: bytes = US,
    *,
    ident: int = 1,
    flags: int = 0,
    ttl: int = 64,
    options: bytes = b"",
    to: bytes = OUR_MAC,
    mac: bytes = MAC,
) -> bytes:
    """A whole frame."""
    size = 20 + len(options) + len(payload)
    head = ipv4.emit_header(src, dst, protocol, size, ident, flags, ttl, 0, options)
    return ethernet.emit(to, mac, ethernet.IPV4) + head + payload


def udp4(data: bytes, port: int, src: bytes = PEER, dst: bytes = US, src_port: int = 4000) -> bytes:
    """A datagram with its checksum, without IP."""
    return _udp(data, port, src, dst, src_port)


def _udp(data: bytes, port: int, src: bytes, dst: bytes, src_port: int) -> bytes:
    size = 8 + len(data)
    head = src_port.to_bytes(2, "big") + port.to_bytes(2, "big") + size.to_bytes(2, "big")
    total = checksum.pseudo(src, dst, 17, size) + checksum.add(head + b"\0\0" + data)
    return head + (checksum.finish(total) or 0xFFFF).to_bytes(2, "big") + data


def udp_frame(
    data: bytes,
    port: int,
    src: bytes = PEER,
    dst: bytes = US,
    src_port: int = 4000,
    to: bytes = OUR_MAC,
) -> bytes:
    """A datagram in a frame, of either version."""
    datagram = _udp(data, port, src, dst, src_port)
    if len(src) == 4:
        return ipv4_frame(datagram, 17, src, dst, to=to)
    return ipv6_frame(datagram, 17, src, dst, to=to)


def ipv6_frame(
    payload: bytes,
    protocol: int = 253,
    src: bytes = PEER6,
    dst: bytes = US6,
    *,
    hop_limit: int = 64,
    to: bytes = b"",
    mac: bytes = MAC,
) -> bytes:
    """A whole frame; to: by itself."""
    if not to:
        to = addr.multicast_mac(dst) if dst[0] == 0xFF else OUR_MAC
    head = ipv6.emit_header(src, dst, protocol, len(payload), hop_limit)
    return ethernet.emit(to, mac, ethernet.IPV6) + head + payload


def icmpv6_frame(
    message: bytes,
    src: bytes = PEER6,
    dst: bytes = US6,
    *,
    hop_limit: int = 255,
    mac: bytes = MAC,
    extension: bytes = b"",
) -> bytes:
    """A message with its checksum filled in, in a frame."""
    total = checksum.pseudo(src, dst, 58, len(message)) + checksum.add(message)
    message = message[:2] + checksum.finish(total).to_bytes(2, "big") + message[4:]
    kind = 0 if extension else 58
    return ipv6_frame(extension + message, kind, src, dst, hop_limit=hop_limit, mac=mac)


def solicitation(
    target: bytes,
    src: bytes = PEER_LINK,
    dst: bytes = b"",
    mac: bytes | None = MAC,
    nonce: bytes = b"",
) -> bytes:
    """A neighbor solicitation."""
    message = ndp.emit(ndp.NeighborSolicitation(target, Options(source_mac=mac, nonce=nonce)))
    return icmpv6_frame(message, src, dst or addr.solicited_node(target), mac=mac or MAC)


def advertisement(
    target: bytes,
    mac: bytes | None = MAC,
    *,
    src: bytes = b"",
    dst: bytes = US_LINK,
    router: bool = False,
    solicited: bool = True,
    override: bool = True,
) -> bytes:
    """A neighbor advertisement."""
    message = ndp.emit(
        ndp.NeighborAdvertisement(
            target,
            Options(target_mac=mac),
            router=router,
            solicited=solicited,
            override=override,
        )
    )
    return icmpv6_frame(message, src or target, dst, mac=mac or MAC)


# What was sent


def kind_of(frame: bytes) -> int:
    """Ethernet's type."""
    return int.from_bytes(frame[12:14], "big")


def arp_of(frame: bytes) -> arp.Arp:
    """The ARP packet in a frame."""
    assert kind_of(frame) == ethernet.ARP
    return arp.parse(frame, 14)


def ipv4_of(frame: bytes) -> tuple[ipv4.Header, bytes]:
    """The header and the payload of the IPv4 packet in a frame."""
    assert kind_of(frame) == ethernet.IPV4
    header = ipv4.parse(frame, 14)
    return header, frame[14 + header.header_size : 14 + header.total_length]


def ipv6_of(frame: bytes) -> tuple[ipv6.Header, bytes]:
    """The same of IPv6; without the extension headers."""
    assert kind_of(frame) == ethernet.IPV6
    header = ipv6.parse(frame, 14)
    chain = ipv6.walk(frame[14:])
    return header, frame[14 + chain.offset :]


def ndp_of(frame: bytes) -> ndp.Message:
    """The message of neighbor discovery in a frame, which is valid."""
    header, payload = ipv6_of(frame)
    assert checksum.transport_valid(header.src, header.dst, icmpv6.PROTOCOL, payload)
    return ndp.parse(payload, header.src, header.dst, header.hop_limit)
