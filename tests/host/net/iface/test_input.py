"""What comes as IPv4 or IPv6: what is for us, and what is dropped for which reason."""

from __future__ import annotations

import pytest

from ovum.drivers.frames import CHECKED, Offload, Received
from ovum.net.wire import addr, icmpv4, ipv4

from .lab import (
    ALL,
    FAR,
    FAR6,
    OTHER,
    PEER,
    PEER6,
    US,
    US6,
    US_LINK,
    Lab,
    Listener,
    ipv4_frame,
    ipv4_of,
    ipv6_frame,
    ipv6_of,
    udp_frame,
)

NETWORK_BROADCAST = addr.parse("192.0.2.255")


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def listener(lab: Lab) -> Listener:
    return Listener(lab.stack)


def with_checksum(frame: bytearray) -> bytes:
    """Its IPv4 header's checksum is right again."""
    size = (frame[14] & 15) * 4
    frame[24:26] = b"\0\0"
    head = bytes(frame[14 : 14 + size])
    total = -int.from_bytes(head, "big") % 0xFFFF if len(head) == size else 0
    frame[24:26] = total.to_bytes(2, "big")
    return bytes(frame)


def test_a_plain_packet_of_ipv4(lab: Lab, listener: Listener) -> None:
    lab.give(ipv4_frame(b"payload", ttl=7))
    (packet,) = listener.packets
    assert (packet.src, packet.dst, packet.protocol, bytes(packet.payload)) == (
        PEER,
        US,
        253,
        b"payload",
    )
    assert (packet.interface, packet.hop_limit, packet.for_all) == (lab.link.index, 7, False)
    assert not packet.checksum_valid
    assert bytes(packet.whole)[20:] == b"payload"
    assert len(packet.whole) == 27


def test_ethernets_padding_is_no_payload(lab: Lab, listener: Listener) -> None:
    lab.give(ipv4_frame(b"x") + bytes(25), ipv6_frame(b"y") + bytes(5))
    assert [bytes(each.payload) for each in listener.packets] == [b"x", b"y"]
    assert [len(each.whole) for each in listener.packets] == [21, 41]


@pytest.mark.parametrize("frame", [udp_frame(b"x", 9), udp_frame(b"x", 9, PEER6, US6)])
@pytest.mark.parametrize(
    ("offload", "valid"),
    [
        (None, False),
        (CHECKED, True),
        (Offload(needs_checksum=True, checksum_start=34, checksum_offset=6), True),
        (Offload(segmentation=1, segment_size=1448), False),
    ],
)
def test_what_the_card_says_of_the_checksum(
    lab: Lab, frame: bytes, offload: Offload | None, valid: bool
) -> None:
    listener = Listener(lab.stack, 17)
    lab.give(frame, offload=offload)
    (packet,) = listener.packets
    assert packet.checksum_valid is valid
    assert packet.segment_size == (offload.segment_size if offload else 0)


def test_large_payloads_are_not_copied(lab: Lab, listener: Listener) -> None:
    frame = ipv4_frame(bytes(60000))
    lab.give(frame)
    payload = listener.packets[0].payload
    assert isinstance(payload, memoryview)
    assert payload.obj is frame


def test_options_are_ignored(lab: Lab, listener: Listener) -> None:
    for options in (
        b"\x07\x07\x04\0\0\0\0\0",  # record route
        b"\x01\x01\x01\x00",
        b"\x88\x04\0\0",
        b"\x44\x0c\x05\0" + bytes(8),  # timestamps
    ):
        lab.give(ipv4_frame(b"data", options=options))
    assert [bytes(each.payload) for each in listener.packets] == [b"data"] * 4


@pytest.mark.parametrize("kind", [ipv4.LOOSE_ROUTE, ipv4.STRICT_ROUTE])
def test_source_routes_are_refused(lab: Lab, listener: Listener, kind: int) -> None:
    lab.give(ipv4_frame(b"", options=bytes((kind, 7, 4)) + FAR + b"\0"))
    assert lab.count("ipv4_source_route") == 1
    assert not listener.packets


def test_a_hop_limit_of_zero_is_for_routers_to_look_at(lab: Lab, listener: Listener) -> None:
    lab.give(ipv4_frame(b"", ttl=0), ipv6_frame(b"", hop_limit=0))
    assert len(listener.packets) == 2


@pytest.mark.parametrize(
    ("at", "value", "counter"),
    [
        (14, 0x65, "ipv4_version_bad"),
        (14, 0x44, "ipv4_header_length_bad"),
        (14, 0x4F, "ipv4_header_length_bad"),
        (16, 0xFF, "ipv4_total_length_bad"),
        (17, 0x10, "ipv4_total_length_bad"),
        (24, 0x12, "ipv4_checksum_bad"),
        (0, 0x04, "ethernet_not_for_us"),
        (12, 0x99, "ethernet_type_unknown"),
    ],
)
def test_malformed_headers(lab: Lab, listener: Listener, at: int, value: int, counter: str) -> None:
    frame = bytearray(ipv4_frame(b"payload"))
    frame[at] = value
    if at not in (24, 0, 12):
        frame = bytearray(with_checksum(frame))
    lab.give(bytes(frame))
    assert lab.count(counter) == 1
    assert not listener.packets
    assert not lab.sent()


@pytest.mark.parametrize(
    "src",
    ["127.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.255", "0.1.2.3", "240.0.0.1"],
)
def test_sources_that_cannot_be(lab: Lab, listener: Listener, src: str) -> None:
    lab.give(ipv4_frame(b"", src=addr.parse(src)))
    assert lab.count("ipv4_source_bad") == 1
    assert not lab.sent()


def test_our_own_address_from_the_wire(lab: Lab, listener: Listener) -> None:
    lab.give(ipv4_frame(b"", src=US), ipv6_frame(b"", src=US6))
    assert (lab.count("ipv4_source_is_ours"), lab.count("ipv6_source_is_ours")) == (1, 1)


def test_the_loopback_address_from_the_wire(lab: Lab, listener: Listener) -> None:
    lab.give(
        ipv4_frame(b"", dst=addr.LOOPBACK4),
        ipv6_frame(b"", dst=addr.LOOPBACK6),
        ipv6_frame(b"", src=addr.LOOPBACK6),
        ipv6_frame(b"", src=addr.to_mapped(PEER)),
    )
    assert lab.count("ipv4_loopback_from_wire") == 1
    assert lab.count("ipv6_not_for_us") == 1
    assert lab.count("ipv6_source_bad") == 2
    assert not listener.packets


@pytest.mark.parametrize("dst", [addr.BROADCAST4, NETWORK_BROADCAST, addr.ALL_HOSTS4])
def test_forms_of_broadcast(lab: Lab, listener: Listener, dst: bytes) -> None:
    to = ALL if dst != addr.ALL_HOSTS4 else addr.multicast_mac(dst)
    lab.give(ipv4_frame(b"all", dst=dst, to=to))
    assert [each.for_all for each in listener.packets] == [True]


def test_a_packet_for_us_alone_in_a_frame_to_all_is_dropped(lab: Lab, listener: Listener) -> None:
    lab.give(ipv4_frame(b"", to=ALL), ipv6_frame(b"", to=b"\x33\x33\0\0\0\1"))
    assert lab.count("ipv4_unicast_in_broadcast") == 1
    assert lab.count("ipv6_unicast_in_group") == 1
    assert not listener.packets


def test_packets_for_others_and_groups_of_others(lab: Lab, listener: Listener) -> None:
    group, group6 = addr.parse("239.1.2.3"), addr.parse("ff02::1234")
    lab.give(
        ipv4_frame(b"", dst=OTHER),
        ipv4_frame(b"", dst=group, to=addr.multicast_mac(group)),
        ipv6_frame(b"", dst=FAR6),
        ipv6_frame(b"", dst=group6),
    )
    assert (lab.count("ipv4_not_for_us"), lab.count("ipv6_not_for_us")) == (2, 2)
    assert not listener.packets


def test_a_client_of_dhcp_hears_before_it_has_an_address(lab: Lab) -> None:
    listener = Listener(lab.stack, 17)
    offer = udp_frame(b"offer", 68, PEER, OTHER)
    lab.give(offer)
    assert not listener.packets
    lab.link.dhcp = True
    lab.give(offer, udp_frame(b"other", 69, PEER, OTHER))
    assert [bytes(each.payload[8:]) for each in listener.packets] == [b"offer"]


def test_our_address_on_one_interface_is_ours_on_all(lab: Lab, listener: Listener) -> None:
    other = lab.stack.add_interface("eth1", b"\x02\0\0\0\0\x09", 1500)
    frames = [
        ipv4_frame(b"4", to=other.mac),
        ipv6_frame(b"6", to=other.mac),
        ipv6_frame(b"link-local", dst=US_LINK, to=other.mac),
    ]
    lab.stack.receive(lab.now, other, [Received(frame) for frame in frames])
    assert [bytes(each.payload) for each in listener.packets] == [b"4", b"6"]


def test_an_unknown_protocol_is_told(lab: Lab) -> None:
    lab.know()
    lab.give(ipv4_frame(b"12345678abc", 200))
    header, payload = ipv4_of(lab.sent_one())
    message = icmpv4.parse(payload)
    assert (message.kind, message.code) == (3, 2)
    assert (header.src, header.dst) == (US, PEER)
    assert message.body[20:] == b"12345678abc"


def test_an_unknown_next_header_is_told_with_a_pointer(lab: Lab) -> None:
    lab.know(PEER6)
    lab.give(ipv6_frame(b"12345678", 200))
    payload = ipv6_of(lab.sent_one())[1]
    assert (payload[0], payload[1], payload[4:8]) == (4, 1, bytes((0, 0, 0, 6)))
    assert payload[8 + 40 :] == b"12345678"


@pytest.mark.parametrize("size", range(60))
def test_frames_of_any_length_are_counted_or_taken(lab: Lab, size: int) -> None:
    listener = Listener(lab.stack)
    for whole in (ipv4_frame(b"x" * 26), ipv6_frame(b"x" * 6)):
        lab.give(whole[:size])
    assert sum(lab.counters.values()) + len(listener.packets) == 2


def test_taps_see_what_comes_and_goes(lab: Lab) -> None:
    seen: list[tuple[bool, object]] = []

    def tap(now: int, interface: object, outgoing: bool, data: object) -> None:
        seen.append((outgoing, data))

    lab.link.taps.append(tap)
    frame = udp_frame(b"x", 9)
    lab.give(frame)
    lab.sent()
    assert seen[0] == (False, frame)
    assert [outgoing for outgoing, _ in seen] == [False, True]
