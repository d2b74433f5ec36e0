"""The whole Internet layer, for any frames: whatever comes is taken or counted, nothing is raised,
and no state grows beyond what the settings allow.

An input is one frame. The stack lives on from one to the next, so that what one frame leaves behind
meets the others; it is made anew after LIFE of them. Checksums are made right most of the time, or
nothing behind them would ever be reached.
"""

from __future__ import annotations

import random

from ovum.drivers.frames import CHECKED, Offload, Received
from ovum.drivers.network import Offloads
from ovum.net.iface.sizes import limits, sizes
from ovum.net.ip import IcmpError, Packet
from ovum.net.phy.segments import to_wire
from ovum.net.raw import RawHost
from ovum.net.settings import SECOND, Settings
from ovum.net.stack import Stack
from ovum.net.udp import Queue, UdpHost
from ovum.net.wire import addr, checksum, icmpv4, icmpv6, igmp, ipv6, mld, ndp
from ovum.net.wire.errors import WireError
from ovum.net.wire.igmp import Query
from ovum.net.wire.ndp_options import Options, Prefix, RouteInformation
from tests.host.net.iface import lab

LIFE = 3000
GROUP4, GROUP6 = addr.parse("239.1.2.3"), addr.parse("ff02::123")
ROUTER6 = addr.parse("fe80::a")


def _settings() -> Settings:
    """Small bounds, which are reached often."""
    settings = Settings()
    settings.neighbors_max = 32
    settings.pending_max = 16
    settings.fragments_memory_max = 60_000
    settings.fragments_interface_max = 40_000
    settings.routes_max = 64
    settings.redirects_max = 8
    settings.addresses_max = 24
    settings.groups_max = 24
    settings.paths_max = 64
    settings.path_mtus_max = 8
    settings.outbox_max = 128
    settings.errors_max = 16
    settings.echo_broadcast = True
    return settings


class _User:
    """Of raw endpoints."""

    def packet(
        self, now: int, source: bytes, data: bytes | bytearray | memoryview, packet: Packet
    ) -> bool:
        bytes(data)
        return True

    def failed(self, now: int, error: IcmpError) -> None:
        pass


class World:
    """A stack with all that there is, and what becomes of it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = 100 * SECOND
        self.stack = Stack(random.Random(seed + 1), _settings())
        self.stack.now = self.now
        offloads = None
        if seed & 1:
            offloads = Offloads()
            offloads.transmit_checksum = offloads.tcp4 = offloads.tcp6 = True
        self.link = self.stack.add_interface("eth0", lab.OUR_MAC, 1500, offloads)
        self.stack.add_address(self.now, self.link, lab.US, 24)
        self.stack.add_address(self.now, self.link, lab.US6, 64, check=bool(seed & 2))
        self.stack.add_route(self.now, bytes(4), 0, self.link, lab.ROUTER)
        self.link.dhcp = bool(seed & 4)
        self.udp = UdpHost(self.stack)
        self.raw = RawHost(self.stack)
        self.queue = Queue(20_000)
        self.endpoints = [self.udp.endpoint(version, self.queue) for version in (4, 6, 6)]
        for endpoint, port in zip(self.endpoints, (53, 54, 0), strict=True):
            endpoint.bind(b"", port)
        self.endpoints[0].join(GROUP4, self.link.index)
        self.endpoints[1].join(GROUP6, self.link.index)
        if seed & 8:
            self.raw.raw(4, 1, _User())
            self.raw.raw(6, 58, _User())
            self.raw.raw(4, 253, _User())
        self.ping = self.raw.ping(4, _User())
        self.turn = 0

    def step(self, data: bytes) -> None:
        """One frame comes, a little time passes, now and then something is sent."""
        rng = self.rng
        self.turn += 1
        chance = rng.randrange(20)
        offload = CHECKED if chance == 0 else None
        if chance == 1:
            offload = Offload(segmentation=1, segment_size=rng.randrange(1, 1500))
        self.stack.receive(self.now, self.link, [Received(data, offload)])
        if chance == 2 and rng.random() < 0.2:
            self.now += rng.randrange(30 * SECOND)
        elif chance < 10:
            self.now += rng.randrange(SECOND // 10)
        if chance == 3:
            self._send()
        if chance == 4 and rng.random() < 0.1:
            self.stack.link_changed(self.now, self.link, not self.link.up)
        self.stack.poll(self.now)
        while len(self.queue) > 20:
            self.queue.take()
        if self.turn % 16 == 0:
            for frame in self.link.take_outbox(self.now):
                to_wire(frame)
        if self.turn % 256 == 0:
            self.check()

    def _send(self) -> None:
        rng = self.rng
        remote = rng.choice((lab.PEER, lab.FAR, lab.OTHER, GROUP4, lab.US))
        try:
            if rng.random() < 0.5:
                self.endpoints[1].send(rng.randbytes(rng.randrange(3000)), lab.PEER6, 9)
            elif rng.random() < 0.5:
                self.endpoints[0].send(rng.randbytes(rng.randrange(3000)), remote, 9)
            else:
                self.ping.send(b"\x08\0\0\0\0\0\0\x01", remote)
        except OSError:
            pass  # no address, no route, no cable: as the frames have it

    def check(self) -> None:
        """Nothing is more than it may be."""
        most = limits(self.stack)
        beyond = {
            name: (size, most[name])
            for name, size in sizes(self.stack).items()
            if size > most[name]
        }
        assert not beyond, beyond
        assert all(size >= 0 for size in self.stack.reassembler.interface_memory.values())


class _Worlds:
    """The one that lives, and how many there have been."""

    world: World | None = None
    count = 0


def run(data: bytes) -> None:
    """One input."""
    world = _Worlds.world
    if world is None or world.turn >= LIFE:
        if world is not None:
            world.check()
        world = _Worlds.world = World(_Worlds.count)
        _Worlds.count += 1
    if world.rng.random() < 0.9:
        data = repaired(data)
    world.step(data)


def repaired(data: bytes) -> bytes:
    """A frame with the checksums that it should have, where they can be found."""
    frame = bytearray(data)
    if len(frame) < 54:
        return data
    if frame[12:14] == b"\x08\0":
        size = max(20, (frame[14] & 15) * 4)
        _fix(frame, 14, 14 + size, 24, 0)
        if not (frame[20] & 0x3F or frame[21]):
            end = min(len(frame), 14 + int.from_bytes(frame[16:18], "big"))
            _transport(frame, 14 + size, end, frame[23], bytes(frame[26:34]))
    elif frame[12:14] == b"\x86\xdd":
        end = min(len(frame), 54 + int.from_bytes(frame[18:20], "big"))
        try:
            chain = ipv6.walk(bytes(frame[14:end]))
        except WireError:
            return bytes(frame)
        if not (chain.more_fragments or chain.fragment_offset):
            _transport(frame, 14 + chain.offset, end, chain.protocol, bytes(frame[22:54]))
    return bytes(frame)


def _transport(frame: bytearray, at: int, end: int, protocol: int, addresses: bytes) -> None:
    initial = checksum.add(addresses) + protocol + end - at
    if protocol == 1 or protocol == 2:
        _fix(frame, at, end, at + 2, 0)
    elif protocol == 58:
        _fix(frame, at, end, at + 2, initial)
    elif protocol == 17:
        _fix(frame, at, end, at + 6, initial)


def _fix(frame: bytearray, start: int, end: int, at: int, initial: int) -> None:
    if at + 2 <= end <= len(frame):
        frame[at : at + 2] = b"\0\0"
        value = checksum.finish(initial + checksum.add(frame[start:end]))
        frame[at : at + 2] = value.to_bytes(2, "big")


def _advertisement() -> bytes:
    options = Options(source_mac=lab.MAC)
    options.ip_mtu = 1400
    options.prefixes.append(Prefix(addr.parse("2001:db8:5::"), 64, True, True, 100, 50))
    options.routes.append(RouteInformation(addr.parse("2001:db8:6::"), 48, 1, 60))
    options.resolvers.append((30, [addr.parse("2001:db8::53")]))
    options.search.append((30, ["example.org"]))
    message = ndp.RouterAdvertisement(1800, options, hop_limit=33, reachable_ms=1000)
    return lab.icmpv6_frame(ndp.emit(message), ROUTER6, addr.ALL_NODES6)


def _redirect() -> bytes:
    message = ndp.Redirect(ROUTER6, lab.FAR6, Options(target_mac=lab.MAC))
    return lab.icmpv6_frame(ndp.emit(message), ROUTER6, lab.US6)


def _seeds() -> tuple[bytes, ...]:
    quote4 = lab.udp_frame(b"12345678", 9, lab.US, lab.FAR, 53)[14:]
    quote6 = lab.udp_frame(b"12345678", 9, lab.US6, lab.FAR6, 54)[14:]
    fragments4 = [
        lab.ipv4_frame(bytes(range(64)), 17, ident=5, flags=flags)
        for flags in (0x2000, 0x2008, 0x0010)
    ]
    fragments6 = [
        lab.ipv6_frame(ipv6.emit_fragment_header(17, at, more, 5) + bytes(range(64)), 44)
        for at, more in ((0, True), (64, True), (128, False))
    ]
    options = bytes((58, 0, 1, 4, 0, 0, 0, 0))
    return (
        lab.arp_frame(1, lab.MAC, lab.PEER, lab.US),
        lab.arp_frame(2, lab.MAC, lab.PEER, lab.US, lab.OUR_MAC, lab.OUR_MAC),
        lab.arp_frame(1, lab.MAC, bytes(4), lab.US),
        lab.arp_frame(1, lab.MAC, lab.US, lab.US),
        lab.udp_frame(b"question", 53),
        lab.udp_frame(b"question", 54, lab.PEER6, lab.US6),
        lab.udp_frame(b"nobody", 9),
        lab.udp_frame(b"all", 53, dst=addr.BROADCAST4, to=lab.ALL),
        lab.udp_frame(b"offer", 68, dst=lab.OTHER),
        lab.udp_frame(b"group", 53, dst=GROUP4, to=addr.multicast_mac(GROUP4)),
        lab.ipv4_frame(icmpv4.emit(8, 0, 0x10001, b"ping"), 1),
        lab.ipv4_frame(icmpv4.emit(3, 3, 0, quote4), 1, lab.ROUTER),
        lab.ipv4_frame(icmpv4.emit(3, 4, 1000, quote4), 1, lab.ROUTER),
        lab.ipv4_frame(icmpv4.emit(5, 1, 0xC0000203, quote4), 1, lab.ROUTER),
        lab.ipv4_frame(b"x", 200, options=b"\x07\x07\x04\0\0\0\0\0"),
        lab.ipv4_frame(
            igmp.emit_query(Query(3, bytes(4), 1000)), 2, dst=addr.ALL_HOSTS4,
            to=addr.multicast_mac(addr.ALL_HOSTS4), options=b"\x94\x04\0\0",
        ),
        lab.icmpv6_frame(icmpv6.emit(128, 0, 0x10001, b"ping")),
        lab.icmpv6_frame(icmpv6.emit(2, 0, 1300, quote6)),
        lab.icmpv6_frame(icmpv6.emit(1, 4, 0, quote6)),
        lab.icmpv6_frame(mld.emit_query(Query(2, bytes(16), 1000)), lab.PEER_LINK,
                         addr.ALL_NODES6, hop_limit=1, extension=ipv6.MLD_ALERT),
        lab.ipv6_frame(options + bytes(8), 60),
        lab.solicitation(lab.US6, lab.PEER6),
        lab.solicitation(lab.US_LINK),
        lab.solicitation(lab.US_LINK, bytes(16), mac=None, nonce=b"123456"),
        lab.advertisement(lab.PEER6, dst=lab.US6),
        lab.advertisement(lab.US6, solicited=False, dst=addr.ALL_NODES6),
        _advertisement(),
        _redirect(),
        *fragments4,
        *fragments6,
    )  # fmt: skip


SEEDS = _seeds()
