"""Fragments: put together whatever their order, dropped when they overlap, bounded (RFC 791, 815,
5722, 6946, 6980, 7112, 8200)."""

from __future__ import annotations

import random

import pytest

from ovum.net.iface.core import Core
from ovum.net.iface.reassembly import Reassembler
from ovum.net.settings import SECOND, Settings
from ovum.net.wire import addr, icmpv4, ipv6, ndp
from ovum.net.wire.ndp_options import Options

from .lab import (
    MAC,
    PEER,
    PEER6,
    US,
    US6,
    Lab,
    Listener,
    ipv4_frame,
    ipv4_of,
    ipv6_frame,
    ipv6_of,
    udp4,
)

DATA = bytes(range(256)) * 16


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def listener(lab: Lab) -> Listener:
    return Listener(lab.stack)


def fragment4(offset: int, size: int, more: bool, ident: int = 7, data: bytes = DATA) -> bytes:
    flags = offset // 8 | (0x2000 if more else 0)
    return ipv4_frame(data[offset : offset + size], ident=ident, flags=flags)


def fragment6(
    offset: int,
    size: int,
    more: bool,
    ident: int = 7,
    data: bytes = DATA,
    protocol: int = 253,
    before: bytes = b"",
) -> bytes:
    head = ipv6.emit_fragment_header(protocol, offset, more, ident)
    if before:
        before = bytes((44,)) + before[1:]
    return ipv6_frame(before + head + data[offset : offset + size], 60 if before else 44)


def pieces(rng: random.Random, size: int) -> list[tuple[int, int, bool]]:
    """Cuts at chance."""
    cuts = sorted({0, *(8 * rng.randrange(size // 8) for _ in range(rng.randrange(1, 12)))})
    ends = [*cuts[1:], size]
    return [(a, b - a, b != size) for a, b in zip(cuts, ends, strict=True)]


@pytest.mark.parametrize("seed", range(40))
def test_any_cut_in_any_order_with_repetitions(lab: Lab, listener: Listener, seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randrange(100, len(DATA))
    parts = pieces(rng, size)
    parts += [part for part in parts if rng.random() < 0.3]
    rng.shuffle(parts)
    lab.give(*(fragment4(*part) for part in parts))
    lab.give(*(fragment6(*part) for part in parts))
    assert [bytes(each.payload) for each in listener.packets if len(each.src) == 4][:1] == [
        DATA[:size]
    ]
    assert [bytes(each.payload) for each in listener.packets if len(each.src) == 16][:1] == [
        DATA[:size]
    ]


class Model:
    """The reassembler as it might be written if nothing were bounded."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.end: int | None = None

    def add(self, offset: int, more: bool, data: bytes) -> bytes | str | None:
        end = offset + len(data)
        if self.parts.get(offset) == data and more == (end != self.end):
            return None
        overlaps = any(offset < at + len(part) and at < end for at, part in self.parts.items())
        top = max((at + len(part) for at, part in self.parts.items()), default=0)
        impossible = (self.end is not None and (end > self.end or not more)) or (
            not more and top > end
        )
        if overlaps or impossible:
            self.__init__()  # type: ignore[misc]
            return "dropped"
        self.parts[offset] = data
        if not more:
            self.end = end
        if self.end is not None and sum(map(len, self.parts.values())) == self.end:
            whole = b"".join(self.parts[at] for at in sorted(self.parts))
            self.__init__()  # type: ignore[misc]
            return whole
        return None


@pytest.mark.parametrize("seed", range(60))
def test_the_reassembler_does_what_its_model_does(seed: int) -> None:
    rng = random.Random(seed)
    core = Core(rng)
    reassembler, model = Reassembler(core), Model()
    key = (2, PEER, US, 17, 1)
    for _ in range(400):
        offset = 8 * rng.randrange(12)
        more = rng.random() < 0.8
        size = 8 * rng.randrange(1, 5) if more else rng.randrange(1, 40)
        data = DATA[offset : offset + size] if rng.random() < 0.9 else rng.randbytes(size)
        before = dict(core.counters)
        found = reassembler.add(0, key, 2, offset, more, data, b"first")
        expected = model.add(offset, more, data)
        if expected == "dropped":
            assert core.counters["ipv4_fragment_overlap"] > before.get("ipv4_fragment_overlap", 0)
            assert found is None
            assert not len(reassembler)
        else:
            assert (found[1] if found else None) == expected
        if not len(reassembler):
            assert reassembler.memory == 0
            assert reassembler.interface_memory[2] == 0


def test_the_header_of_the_whole_is_the_first_fragments(lab: Lab) -> None:
    listener = Listener(lab.stack, 17)
    datagram = udp4(DATA, 9)
    for offset, size, more in ((1480, 9999, False), (0, 1480, True)):
        flags = offset // 8 | (0x2000 if more else 0)
        lab.give(ipv4_frame(datagram[offset : offset + size], 17, ident=3, flags=flags))
    (packet,) = listener.packets
    assert bytes(packet.whole)[20:] == datagram
    assert not packet.checksum_valid


def test_datagrams_that_are_mixed_are_not_mixed_up(lab: Lab, listener: Listener) -> None:
    other = DATA[::-1]
    lab.give(
        fragment4(0, 800, True),
        fragment4(0, 800, True, 8, other),
        fragment4(800, 100, False, 8, other),
        fragment4(800, 100, False),
    )
    assert [bytes(each.payload) for each in listener.packets] == [other[:900], DATA[:900]]


@pytest.mark.parametrize("fragment", [fragment4, fragment6])
@pytest.mark.parametrize(
    ("offset", "size", "more"),
    [(8, 16, True), (0, 24, True), (16, 8, False), (40, 8, False), (40, 16, True)],
)
def test_overlaps_drop_the_whole_datagram(
    lab: Lab, listener: Listener, fragment: object, offset: int, size: int, more: bool
) -> None:
    assert callable(fragment)
    version = 4 if fragment is fragment4 else 6
    lab.give(fragment(0, 16, True), fragment(32, 16, False))
    lab.give(fragment(offset, size, more))
    assert lab.count(f"ipv{version}_fragment_overlap") == 1
    assert not len(lab.stack.reassembler)
    lab.give(fragment(16, 16, True))
    assert not listener.packets


@pytest.mark.parametrize(
    ("frame", "counter"),
    [
        (fragment4(65528, 8, True, data=bytes(65536)), "ipv4_fragment_too_far"),
        (fragment4(8, 15, True), "ipv4_fragment_size_odd"),
        (fragment4(8, 0, True), "ipv4_fragment_size_odd"),
        (fragment4(0, 4, True), "ipv4_fragment_tiny"),
        (fragment6(8, 15, True), "ipv6_fragment_size_odd"),
        (fragment6(65528, 8, True, data=bytes(65536)), "ipv6_fragment_too_far"),
        (fragment6(0, 6, True), "ipv6_fragment_size_odd"),
        (
            fragment6(0, 8, True, protocol=60, data=b"\x11\x09" + bytes(70)),
            "ipv6_first_fragment_short",
        ),
    ],
)
def test_fragments_that_cannot_be(lab: Lab, frame: bytes, counter: str) -> None:
    lab.give(frame)
    assert lab.count(counter) == 1
    assert not len(lab.stack.reassembler)


def test_after_a_minute_the_rest_is_not_waited_for_and_the_sender_told(lab: Lab) -> None:
    lab.know()
    lab.give(fragment4(0, 1000, True))
    lab.wait(59 * SECOND)
    assert len(lab.stack.reassembler) == 1
    lab.wait(SECOND)
    assert not len(lab.stack.reassembler)
    assert lab.stack.reassembler.memory == 0
    errors = [ipv4_of(frame) for frame in lab.sent() if frame[12:14] == b"\x08\0"]
    ((_, payload),) = errors
    message = icmpv4.parse(payload)
    assert (message.kind, message.code) == (11, 1)
    assert message.body[20:28] == DATA[:8]
    assert lab.count("ipv4_reassembly_timeout") == 1


def test_the_same_of_ipv6(lab: Lab) -> None:
    lab.know(PEER6)
    lab.give(fragment6(0, 1000, True))
    lab.wait(60 * SECOND)
    payloads = [ipv6_of(frame)[1] for frame in lab.sent() if frame[12:14] == b"\x86\xdd"]
    assert [(each[0], each[1]) for each in payloads if each[0] < 128] == [(3, 1)]


def test_nothing_is_told_if_the_first_fragment_is_missing(lab: Lab) -> None:
    lab.know()
    lab.give(fragment4(8, 1000, True), fragment6(8, 1000, True))
    lab.wait(61 * SECOND)
    assert not [f for f in lab.sent() if f[23] == 1 or (f[20] == 58 and f[54] < 128)]


def test_memory_is_bounded_for_an_interface_and_the_oldest_goes() -> None:
    settings = Settings()
    settings.fragments_interface_max = 100_000
    lab = Lab(settings)
    for ident in range(2000):
        lab.give(fragment4(0, 1000, True, ident))
        assert lab.stack.reassembler.memory <= 100_000
    assert lab.count("ipv4_fragments_memory_full") > 1900
    listener = Listener(lab.stack)
    lab.give(fragment4(1000, 8, False, 1999), fragment4(1000, 8, False, 0))
    assert len(listener.packets) == 1
    lab.wait(61 * SECOND)
    assert lab.stack.reassembler.memory == 0


def test_memory_is_bounded_in_all() -> None:
    settings = Settings()
    settings.fragments_memory_max = 50_000
    lab = Lab(settings)
    for ident in range(500):
        lab.give(fragment4(8, 64, True, ident), fragment6(8, 64, True, ident))
    assert lab.stack.reassembler.memory <= 50_000


def test_the_number_of_pieces_is_bounded() -> None:
    settings = Settings()
    settings.fragments_per_datagram_max = 10
    lab = Lab(settings)
    for number in range(11):
        lab.give(fragment4(16 * number, 8, True))
    assert lab.count("ipv4_fragments_too_many") == 1
    assert not len(lab.stack.reassembler)


# IPv6


def test_headers_before_the_fragments_stay(lab: Lab, listener: Listener) -> None:
    options = bytes((44, 0, 1, 4, 0, 0, 0, 0))
    lab.give(
        fragment6(0, 80, True, before=options),
        fragment6(80, 20, False, before=options),
    )
    (packet,) = listener.packets
    assert bytes(packet.payload) == DATA[:100]
    whole = bytes(packet.whole)
    assert whole[6] == 60
    assert whole[40] == 253
    assert whole[48:] == DATA[:100]


def test_a_fragment_that_is_the_whole_waits_for_nothing(lab: Lab, listener: Listener) -> None:
    lab.give(fragment6(0, 96, True))
    lab.give(fragment6(0, 50, False))  # RFC 6946: the same identification does not matter
    assert [bytes(each.payload) for each in listener.packets] == [DATA[:50]]
    assert len(lab.stack.reassembler) == 1


@pytest.mark.parametrize("whole", [True, False])
def test_discovery_in_fragments_is_dropped(lab: Lab, whole: bool) -> None:
    message = ndp.emit(ndp.NeighborSolicitation(US6, Options(source_mac=MAC)))
    if whole:
        lab.give(fragment6(0, 99, False, data=message, protocol=58))
    else:
        lab.give(
            fragment6(0, 16, True, data=message, protocol=58),
            fragment6(16, 99, False, data=message, protocol=58),
        )
    assert lab.count("ndp_in_fragment") == 1
    assert not lab.sent()


def test_fragments_of_fragments_are_dropped(lab: Lab, listener: Listener) -> None:
    inner = ipv6.emit_fragment_header(253, 0, True, 99) + DATA[:64]
    lab.give(
        fragment6(0, 40, True, data=inner, protocol=44),
        fragment6(40, 99, False, data=inner, protocol=44),
    )
    assert lab.count("ipv6_fragment_twice") == 1
    assert not listener.packets
    assert not len(lab.stack.reassembler)


def test_a_pulled_interface_takes_its_fragments_with_it(lab: Lab) -> None:
    lab.give(fragment4(0, 1000, True))
    lab.stack.remove_interface(lab.now, lab.link)
    assert lab.stack.reassembler.memory == 0
    lab.wait(100 * SECOND)


def test_the_largest_datagram_there_is(lab: Lab) -> None:
    endpoint, queue = lab.endpoint(4, 9)
    data = bytes(65507)
    datagram = udp4(data, 9)
    for at in range(0, len(datagram), 1480):
        more = 0x2000 if at + 1480 < len(datagram) else 0
        lab.give(ipv4_frame(datagram[at : at + 1480], 17, flags=more | at // 8))
    found = queue.take()
    assert found is not None
    assert found[2] == data
    assert endpoint.port == 9
    assert addr.text(found[0]) == "192.0.2.2"
