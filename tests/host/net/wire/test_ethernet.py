"""Ethernet and ARP."""

from __future__ import annotations

import pytest

from ovum.net.wire import arp, ethernet
from ovum.net.wire.errors import WireError
from tests.host.net.wire.captures import ARP_REPLY, ARP_REQUEST

MAC = bytes.fromhex("525400123456")


def test_a_header_is_read_and_written() -> None:
    assert ethernet.parse(ARP_REQUEST) == (ethernet.BROADCAST, MAC, ethernet.ARP)
    assert ethernet.emit(ethernet.BROADCAST, MAC, ethernet.ARP) == ARP_REQUEST[:14]
    assert ethernet.parse(b"xyz" + ARP_REQUEST, 3)[1] == MAC


def test_groups_are_known_by_the_first_bit() -> None:
    assert ethernet.is_group(ethernet.BROADCAST)
    assert ethernet.is_group(bytes.fromhex("01005e000001"))
    assert not ethernet.is_group(MAC)


def test_an_arp_request_is_read_and_written() -> None:
    packet = arp.parse(ARP_REQUEST, 14)
    assert packet.operation == arp.REQUEST
    assert packet.sender_mac == MAC
    assert (packet.sender, packet.target) == (b"\x0a\0\x02\x0f", b"\x0a\0\x02\x02")
    assert arp.emit(packet) == ARP_REQUEST[14:]


def test_padding_behind_an_arp_packet_is_not_looked_at() -> None:
    packet = arp.parse(ARP_REPLY, 14)
    assert packet.operation == arp.REPLY
    assert arp.emit(packet) == ARP_REPLY[14:42]


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (14, "0002", "arp_hardware_unknown"),
        (16, "86dd", "arp_protocol_unknown"),
        (18, "08", "arp_hardware_unknown"),
        (19, "10", "arp_protocol_unknown"),
        (20, "0003", "arp_operation_unknown"),
        (22, "ff", "arp_sender_is_group"),
    ],
)
def test_what_is_not_ipv4_over_ethernet_is_refused(at: int, value: str, reason: str) -> None:
    data = bytearray(ARP_REQUEST)
    data[at : at + len(value) // 2] = bytes.fromhex(value)
    with pytest.raises(WireError, match=reason):
        arp.parse(data, 14)
