"""How packets go: headers, checksums, fragments and segments, by the card or without it."""

from __future__ import annotations

import pytest

from ovum.drivers.network import Offloads
from ovum.net.wire import checksum, ipv4, ipv6
from ovum.net.wire import tcp as wire_tcp

from .lab import MAC, OUR_MAC, PEER, PEER6, US, US6, Lab, Listener, ipv4_of, ipv6_of

DATA = bytes(range(251)) * 300


def card(*names: str) -> Offloads:
    offloads = Offloads()
    for name in names:
        setattr(offloads, name, True)
    return offloads


def known(offloads: Offloads | None = None, ip_mtu: int = 1500) -> Lab:
    lab = Lab(offloads=offloads, ip_mtu=ip_mtu)
    lab.know()
    lab.know(PEER6)
    return lab


def tcp_header(flags: int = 0x18, seq: int = 0xFFFFFF00) -> bytearray:
    return bytearray(
        b"\x00\x50\x04\xd2" + seq.to_bytes(4, "big") + bytes(4) + bytes((0x50, flags))
        + b"\x10\x00\0\0\0\0"
    )  # fmt: skip


@pytest.mark.parametrize("remote", [PEER, PEER6])
@pytest.mark.parametrize("offloads", [None, card("transmit_checksum")])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_headers_and_checksums(remote: bytes, offloads: Offloads | None, kind: type) -> None:
    lab = known(offloads)
    path = lab.stack.path(remote)
    header = kind(b"\x12\x34\x00\x09\x00\x0d\0\0")
    lab.stack.send(path, 17, (header, b"hello"), 6, hop_limit=9, traffic_class=0xB8)
    (queued,) = lab.link.outbox
    assert (queued.offload is not None) == (offloads is not None)
    frame = lab.sent_one()
    assert frame[:12] == MAC + OUR_MAC
    if remote == PEER:
        head, payload = ipv4_of(frame)
        assert (head.src, head.dst, head.ttl, head.tos) == (US, PEER, 9, 0xB8)
        assert head.dont_fragment
    else:
        head6, payload = ipv6_of(frame)
        assert (head6.src, head6.dst, head6.hop_limit, head6.traffic_class) == (
            US6,
            PEER6,
            9,
            0xB8,
        )
        assert head6.flow_label == path.flow
    assert checksum.transport_valid(path.local, remote, 17, payload)
    assert payload[8:] == b"hello"


@pytest.mark.parametrize("offloads", [None, card("transmit_checksum")])
def test_a_checksum_of_zero_is_sent_as_all_ones(offloads: Offloads | None) -> None:
    lab = known(offloads)
    path = lab.stack.path(PEER)
    base = bytearray(b"\x12\x34\x00\x09\x00\x0a\0\0")
    total = path.pseudo_sum + 17 + 10 + checksum.add(base)
    data = checksum.finish(total).to_bytes(2, "big")
    lab.stack.send(path, 17, (base, data), 6)
    assert ipv4_of(lab.sent_one())[1][6:8] == b"\xff\xff"


def test_no_checksum_if_none_is_asked_for() -> None:
    lab = known(card("transmit_checksum"))
    lab.stack.send(lab.stack.path(PEER), 253, (b"as it is",))
    assert ipv4_of(lab.sent_one())[1] == b"as it is"


def test_the_cards_checksum_is_for_tcp_and_udp_only() -> None:
    lab = known(card("transmit_checksum"))
    lab.stack.send(lab.stack.path(PEER6), 58, (b"\x80\0\0\0" + bytes(4),), 2)
    assert lab.link.outbox[0].offload is None
    assert checksum.transport_valid(US6, PEER6, 58, ipv6_of(lab.sent_one())[1])


# Fragments


@pytest.mark.parametrize("ip_mtu", [68, 100, 576, 1500])
def test_fragments_of_ipv4_fit_and_are_the_whole(ip_mtu: int) -> None:
    lab = known(ip_mtu=ip_mtu)
    header = bytearray(b"\x12\x34\x00\x09\x0b\xc0\0\0")
    lab.stack.send(lab.stack.path(PEER), 17, (header, DATA[:3000]), 6)
    heads = [ipv4_of(frame) for frame in lab.sent()]
    assert all(head.total_length <= ip_mtu for head, _ in heads)
    assert len({head.ident for head, _ in heads}) == 1
    assert not any(head.dont_fragment for head, _ in heads)
    assert [head.more_fragments for head, _ in heads] == [True] * (len(heads) - 1) + [False]
    whole = b""
    for head, piece in heads:
        assert head.fragment_offset == len(whole)
        whole += piece
    assert whole[8:] == DATA[:3000]
    assert checksum.transport_valid(US, PEER, 17, whole)


def test_fragments_of_ipv6() -> None:
    lab = known(ip_mtu=1280)
    header = bytearray(b"\x12\x34\x00\x09\x0b\xc0\0\0")
    lab.stack.send(lab.stack.path(PEER6), 17, (header, DATA[:3000]), 6)
    whole = b""
    idents = set()
    for frame in lab.sent():
        assert len(frame) <= 14 + 1280
        chain = ipv6.walk(frame[14:])
        assert chain.fragment_offset == len(whole)
        whole += frame[14 + chain.offset :]
        idents.add(chain.ident)
    assert whole[8:] == DATA[:3000]
    assert len(idents) == 1
    assert checksum.transport_valid(US6, PEER6, 17, whole)


def test_identifications_are_not_repeated_soon() -> None:
    lab = known()
    path = lab.stack.path(PEER)
    idents = [lab.stack.next_ident(path) for _ in range(65536)]
    assert len(set(idents)) == 65536
    other = Lab(seed=2)
    assert [other.stack.next_ident(path) for _ in range(8)] != idents[:8]


def test_routers_may_fragment_if_so_asked() -> None:
    lab = known()
    path = lab.stack.path(PEER)
    lab.stack.send(path, 253, (b"one",), may_fragment=True)
    lab.stack.send(path, 253, (b"two",), may_fragment=True)
    one, two = (ipv4_of(frame)[0] for frame in lab.sent())
    assert not one.dont_fragment
    assert one.ident != two.ident


def test_what_no_ip_packet_holds_is_counted() -> None:
    lab = known()
    lab.stack.send(lab.stack.path(PEER), 253, (bytes(65516),))
    lab.stack.send(lab.stack.path(PEER6), 253, (bytes(65536),))
    lab.stack.send(lab.stack.path(US), 253, (bytes(65516),))
    assert lab.count("ip_too_long") == 3
    assert not lab.sent()


# Segments


@pytest.mark.parametrize("remote", [PEER, PEER6])
@pytest.mark.parametrize(
    "offloads",
    [
        None,
        card("transmit_checksum"),
        card("transmit_checksum", "tcp4", "tcp6"),
        card("transmit_checksum", "tcp4", "tcp6", "tcp_ecn"),
    ],
)
@pytest.mark.parametrize("size", [1, 1440, 1441, 5000, 65536])
@pytest.mark.parametrize("flags", [0x10, 0x19, 0x99])
def test_segments_of_tcp(remote: bytes, offloads: Offloads | None, size: int, flags: int) -> None:
    lab = known(offloads)
    path = lab.stack.path(remote)
    data = DATA[:size]
    lab.stack.send(path, 6, (tcp_header(flags), data), 16, segment_size=1440)
    by_card = bool(offloads and offloads.tcp4 and (offloads.tcp_ecn or not flags & 0x80))
    count = -(-size // 1440)
    if by_card:
        assert len(lab.link.outbox) == (1 if size <= 65000 else 2)
    else:
        assert len(lab.link.outbox) == count
    seq = 0xFFFFFF00
    whole = b""
    frames = lab.sent()
    assert len(frames) == count
    for number, frame in enumerate(frames):
        payload = ipv4_of(frame)[1] if remote == PEER else ipv6_of(frame)[1]
        assert checksum.transport_valid(path.local, remote, 6, payload)
        assert int.from_bytes(payload[4:8], "big") == (seq + len(whole)) & 0xFFFFFFFF
        last, first = number == count - 1, number == 0
        assert payload[13] == (flags & ~(0 if last else 0x09) & ~(0 if first else 0x80))
        whole += payload[20:]
    assert whole == data


def test_one_offload_object_is_shared_by_frames_alike() -> None:
    lab = known(card("transmit_checksum", "tcp4"))
    path = lab.stack.path(PEER)
    for _ in range(3):
        lab.stack.send(path, 6, (tcp_header(), DATA[:9000]), 16, segment_size=1440)
    assert len({id(frame.offload) for frame in lab.link.outbox}) == 1
    for size in range(100, 1100):
        lab.link.segments_by_card(34, 16, 54, size, False)
    assert len(lab.link._shared) <= 256


def test_segments_follow_a_path_mtu_that_was_lowered() -> None:
    lab = known()
    path = lab.stack.path(PEER)
    path.ip_mtu = 1000
    lab.stack.send(path, 6, (tcp_header(), DATA[:5000]), 16, segment_size=1440)
    sizes = [ipv4_of(frame)[0].total_length for frame in lab.sent()]
    assert max(sizes) <= 1000
    assert sum(sizes) == 5000 + 40 * len(sizes)


@pytest.mark.parametrize("offloads", [None, card("transmit_checksum", "udp")])
def test_segments_of_udp(offloads: Offloads | None) -> None:
    lab = known(offloads)
    endpoint, _ = lab.endpoint()
    endpoint.send(DATA[:2500], PEER, 9, segment_size=1000)
    assert len(lab.link.outbox) == (1 if offloads else 3)
    payloads = [ipv4_of(frame)[1] for frame in lab.sent()]
    assert [len(each) - 8 for each in payloads] == [1000, 1000, 500]
    assert [int.from_bytes(each[4:6], "big") for each in payloads] == [1008, 1008, 508]
    assert all(checksum.transport_valid(US, PEER, 17, each) for each in payloads)
    assert b"".join(each[8:] for each in payloads) == DATA[:2500]


# Outboxes


def test_an_outbox_is_bounded() -> None:
    lab = known()
    lab.link.outbox_max = 10
    path = lab.stack.path(PEER)
    for _ in range(15):
        lab.stack.send(path, 253, (b"x",))
    assert len(lab.link.outbox) == 10
    assert lab.count("interface_outbox_full") == 5


def test_nothing_is_sent_without_a_cable() -> None:
    lab = known()
    path = lab.stack.path(PEER)
    lab.stack.link_changed(lab.now, lab.link, False)
    assert not path.valid
    lab.sent()
    lab.stack.send(path, 253, (b"x",))
    assert not lab.link.outbox
    assert lab.count("interface_down") == 1
    with pytest.raises(OSError, match="unplugged"):
        lab.stack.path(PEER)


def test_packets_to_ourselves_need_no_wire() -> None:
    lab = Lab()
    listener = Listener(lab.stack)
    for address in (US, US6, b"\x7f\1\2\3", bytes(15) + b"\1"):
        path = lab.stack.path(address)
        assert (path.local, path.segments_large) == (address, True)
        data = bytearray(b"changed after")
        lab.stack.send(path, 253, (b"head", data))
        data[:] = bytes(13)
    assert lab.stack.next_deadline() == lab.stack.now
    assert not listener.packets
    lab.stack.poll(lab.now)
    assert [bytes(each.payload) for each in listener.packets] == [b"headchanged after"] * 4
    assert all(each.checksum_valid for each in listener.packets)
    whole = bytes(listener.packets[0].whole)
    assert ipv4.parse(whole).dst == US
    assert not lab.sent()


def test_packets_to_ourselves_are_bounded() -> None:
    lab = Lab()
    lab.stack.settings.outbox_max = 10
    path = lab.stack.path(US)
    for _ in range(15):
        lab.stack.send(path, 253, (b"x",))
    assert len(lab.stack.home) == 10
    assert lab.count("interface_outbox_full") == 5


def test_the_wire_formats_agree_on_the_flags() -> None:
    assert (wire_tcp.FIN | wire_tcp.PSH, wire_tcp.CWR) == (0x09, 0x80)
