"""Frames of an attacker: floods, forged answers, and what no sender makes; by chance, seeded."""

import random
import struct
from collections.abc import Iterator

from ovum.net.wire import addr, arp, checksum, ethernet, icmpv4, ipv4, ipv6, ndp
from ovum.net.wire.ndp_options import Options
from ovum.net.wire.tcp import ACK, RST, SYN

from .peer import ADDRESS, GUEST, MAC, Peer, ethernet_frame, transport_sum, udp4

FAR = addr.parse("198.51.100.0")
"""Behind the router, which is the peer."""
ALL_NODES_MAC = bytes.fromhex("333300000001")
ICMPV6 = 58


class Attacker:
    """Makes frames for the guest of a peer."""

    def __init__(self, peer: Peer, seed: int) -> None:
        self.peer = peer
        self.chance = random.Random(seed)

    def frame(self, packet: bytes) -> bytes:
        """To the guest."""
        return ethernet_frame(self.peer.guest_mac, MAC, packet)

    def stranger(self) -> bytes:
        """An address of somebody's who is not there."""
        return FAR[:2] + self.chance.randbytes(2)

    def segment(
        self, src: bytes, ports: tuple[int, int], seq: int, ack: int, flags: int
    ) -> bytes:  # fmt: skip
        """A frame with a segment to the guest."""
        header = bytearray(
            struct.pack("!HHIIHHHH", *ports, seq % 2**32, ack % 2**32, 0x5000 | flags, 8192, 0, 0)
        )
        header[16:18] = transport_sum(src, GUEST, 6, header)
        return self.frame(ipv4.emit_header(src, GUEST, 6, 40) + bytes(header))

    def syns(self, count: int, port: int) -> Iterator[bytes]:
        """From addresses and ports by chance."""
        chance = self.chance
        for _ in range(count):
            ports = chance.randrange(1024, 65536), port
            yield self.segment(self.stranger(), ports, chance.getrandbits(32), 0, SYN)

    def acknowledgements(self, count: int, port: int) -> Iterator[bytes]:
        """Guesses of SYN cookies."""
        chance = self.chance
        for _ in range(count):
            ports = chance.randrange(1024, 65536), port
            numbers = chance.getrandbits(32), chance.getrandbits(32)
            yield self.segment(self.stranger(), ports, *numbers, ACK)

    def fragments4(self, count: int) -> Iterator[bytes]:
        """Pieces of datagrams that are never whole, many of them overlapping."""
        chance = self.chance
        for _ in range(count):
            size = chance.choice((8, 16, 64, 512, 1480))
            flags = ipv4.MORE_FRAGMENTS | chance.randrange(0, 4000)
            data = chance.randbytes(size)
            ident = chance.randrange(65536)
            head = ipv4.emit_header(self.stranger(), GUEST, 17, 20 + size, ident, flags)
            yield self.frame(head + data)

    def fragments6(self, count: int) -> Iterator[bytes]:
        """The same of IPv6."""
        chance = self.chance
        for _ in range(count):
            size = chance.choice((8, 16, 64, 512, 1440))
            data = ipv6.emit_fragment_header(
                17, chance.randrange(0, 4000) * 8, True, chance.getrandbits(32)
            ) + chance.randbytes(size)
            src = b"\xfe\x80" + bytes(6) + chance.randbytes(8)
            head = ipv6.emit_header(src, self.peer.guest6, 44, len(data))
            yield self.frame(head + data)

    def arps(self, count: int) -> Iterator[bytes]:
        """Neighbors that are none, questions, and answers that nobody has asked for; somebody who
        says that he is the peer, or the guest."""
        chance = self.chance
        for number in range(count):
            mac = b"\x02" + chance.randbytes(5)
            sender = ADDRESS[:3] + bytes((chance.randrange(2, 99),))
            if number % 7 == 1:
                sender = GUEST
            operation = chance.choice((arp.REQUEST, arp.REPLY))
            packet = arp.Arp(operation, mac, sender, self.peer.guest_mac, GUEST)
            to = chance.choice((ethernet.BROADCAST, self.peer.guest_mac))
            yield ethernet.emit(to, mac, ethernet.ARP) + arp.emit(packet)

    def neighbors6(self, count: int) -> Iterator[bytes]:
        """Solicitations and advertisements of IPv6, from everybody; routers without number."""
        chance = self.chance
        for number in range(count):
            mac = b"\x02" + chance.randbytes(5)
            src = b"\xfe\x80" + bytes(6) + chance.randbytes(8)
            dst, to = self.peer.guest6, self.peer.guest_mac
            message: ndp.Message
            options = Options(mac, mac)
            if number % 3 == 0:
                message = ndp.NeighborSolicitation(dst, options)
            elif number % 3 == 1:
                message = ndp.NeighborAdvertisement(src, options, override=True)
            else:
                dst, to = addr.ALL_NODES6, ALL_NODES_MAC
                message = ndp.RouterAdvertisement(chance.randrange(1, 4))
            data = bytearray(ndp.emit(message))
            data[2:4] = transport_sum(src, dst, ICMPV6, data)
            head = ipv6.emit_header(src, dst, ICMPV6, len(data), 255)
            yield ethernet_frame(to, mac, head + bytes(data))

    def malformed(self, count: int) -> Iterator[bytes]:
        """Good frames with a few bytes changed, cut off or behind."""
        chance = self.chance
        samples = [
            *self.syns(3, 7), *self.fragments4(3), *self.fragments6(3), *self.arps(3),
            *self.neighbors6(6),
            self.frame(udp4(self.stranger(), 5000, GUEST, 7, b"hello")),
            self.frame(udp4(self.stranger(), 67, GUEST, 68, chance.randbytes(300))),
            self.icmp4(icmpv4.ECHO_REQUEST, 0, 1, b"echo"),
        ]  # fmt: skip
        for _ in range(count):
            data = bytearray(chance.choice(samples))
            for _ in range(chance.randrange(1, 5)):
                data[chance.randrange(14, len(data))] = chance.choice(
                    (0, 0xFF, chance.getrandbits(8))
                )
            if chance.random() < 0.3:
                del data[chance.randrange(14, len(data)) :]
            elif chance.random() < 0.2:
                data += chance.randbytes(chance.randrange(1, 100))
            if chance.random() < 0.5 and data[12:14] == b"\x08\0" and len(data) >= 34:
                # The header's checksum is right, so that what is behind it is looked at.
                data[24:26] = b"\0\0"
                data[24:26] = checksum.checksum(data[14:34]).to_bytes(2, "big")
            yield bytes(data)

    def icmp4(self, kind: int, code: int, word: int, body: bytes) -> bytes:
        """A message of ICMP from a router on the way."""
        data = icmpv4.emit(kind, code, word, body)
        head = ipv4.emit_header(self.stranger(), GUEST, 1, 20 + len(data))
        return self.frame(head + data)

    def errors(self, port: int, seq: int, count: int) -> Iterator[bytes]:
        """ICMP's errors about a connection of the guest's echo server to a port of the peer's: with
        numbers by chance, and with the right one."""
        kinds = [(3, code, word) for code in range(16) for word in (0, 68, 296, 1000)]
        kinds += [(4, 0, 0), (5, 1, 0x01010101), (11, 0, 0), (12, 0, 0), (12, 1, 0)]
        for number in range(count):
            kind, code, word = kinds[number % len(kinds)]
            about = seq if number % 2 else self.chance.getrandbits(32)
            quoted = ipv4.emit_header(GUEST, ADDRESS, 6, 40) + struct.pack(
                "!HHIIHHHH", 7, port, about % 2**32, 0, 0x5010, 1000, 0, 0
            )
            yield self.icmp4(kind, code, word, quoted)

    def resets(self, port: int, seq: int, window: int, count: int) -> Iterator[bytes]:
        """Resets and SYNs of such a connection, in its window and outside, but never the number
        that is next."""
        chance = self.chance
        for number in range(count):
            away = chance.randrange(1, window) if number % 2 else chance.randrange(window, 2**31)
            flags = (RST, RST | ACK, SYN, SYN | ACK)[number % 4]
            yield self.segment(ADDRESS, (port, 7), seq + away, chance.getrandbits(32), flags)
