"""One line per frame, as tcpdump has it."""

from __future__ import annotations

import random

import pytest

from ovum.net.wire import (
    addr,
    checksum,
    dhcpv4,
    dns,
    ethernet,
    icmpv4,
    icmpv6,
    igmp,
    ipv4,
    ipv6,
    mld,
    ndp,
    ndp_options,
    show,
    tcp,
    udp,
)
from tests.host.net.wire.captures import (
    ARP_REPLY,
    ARP_REQUEST,
    DNS_QUERY,
    DNS_RESPONSE,
    IPV4_SYN,
    NTP_RESPONSE,
    ROUTER_ADVERTISEMENT,
    SACKED,
    STAMPED,
)

A, B = b"\x0a\0\2\x0f", b"\x0a\0\2\2"
A6, B6 = addr.parse("fe80::1"), addr.parse("ff02::1")
MAC = bytes.fromhex("525400123456")


def ip4(protocol: int, data: bytes, flags: int = 0) -> bytes:
    return ethernet.emit(MAC, MAC, ethernet.IPV4) + (
        ipv4.emit_header(A, B, protocol, 20 + len(data), 9, flags) + data
    )


def ip6(protocol: int, data: bytes) -> bytes:
    return ethernet.emit(MAC, MAC, ethernet.IPV6) + (
        ipv6.emit_header(A6, B6, protocol, len(data)) + data
    )


def udp4(port: int, data: bytes, reply: bool = False) -> bytes:
    ports = (port, 1000) if reply else (1000, port)
    return ip4(17, udp.emit_header(*ports, len(data)) + data)


QUOTED = ipv4.emit_header(A, B, 17, 28) + udp.emit_header(1000, 53, 0)
QUOTED6 = ipv6.emit_header(A6, B6, 17, 8) + udp.emit_header(1000, 53, 0)
DHCP = dhcpv4.Message(1, 7, MAC, {53: b"\1"})
ACK = dhcpv4.Message(2, 7, MAC, {53: b"\5"}, address=A)
ARP = ethernet.emit(ethernet.BROADCAST, MAC, ethernet.ARP)
PING = 9 << 16 | 3


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (ARP_REQUEST, "ARP, Request who-has 10.0.2.2 tell 10.0.2.15, length 28"),
        (ARP_REPLY, "ARP, Reply 10.0.2.2 is-at 52:55:0a:00:02:02, length 50"),
        (ARP + ARP_REQUEST[14:28] + bytes(10) + A, "ARP, Probe 10.0.2.15, length 28"),
        (ARP + ARP_REQUEST[14:32] + bytes(6) + A, "ARP, Announcement 10.0.2.15, length 28"),
        (
            ethernet.emit(MAC, MAC, ethernet.IPV4) + IPV4_SYN,
            "IP 172.16.10.99.54321 > 172.16.10.12.443: Flags [S], seq 1012864483, win 64240, "
            "options [mss 1460,sackOK,TS val 10597059 ecr 0,wscale 7], length 0",
        ),
        (
            ip4(6, STAMPED),
            "IP 10.0.2.15.443 > 10.0.2.2.54321: Flags [P.], seq 2587623425:2587623430, "
            "ack 1012864484, win 502, options [TS val 1000000 ecr 10597059], length 5",
        ),
        (
            ip4(6, SACKED),
            "IP 10.0.2.15.443 > 10.0.2.2.54321: Flags [.], ack 1012864484, win 502, options "
            "[TS val 1000000 ecr 10597059,sack 2 {100:200}{300:400}], length 0",
        ),
        (
            ip6(6, tcp.emit_header(tcp.Segment(1, 2, 3, 4, 0xFF, 5, urgent=6))),
            "IP6 fe80::1.1 > ff02::1.2: Flags [FSRP.UEW], seq 3, ack 4, win 5, urg 6, length 0",
        ),
        (
            ip4(6, tcp.emit_header(tcp.Segment(1, 2, 3, 4, 0, 5))),
            "IP 10.0.2.15.1 > 10.0.2.2.2: Flags [none], win 5, length 0",
        ),
        (udp4(7, b"hello"), "IP 10.0.2.15.1000 > 10.0.2.2.7: UDP, length 5"),
        (
            udp4(53, DNS_QUERY),
            "IP 10.0.2.15.1000 > 10.0.2.2.53: 56130+ A? www.northeastern.edu. (38)",
        ),
        (
            udp4(53, DNS_RESPONSE, True),
            "IP 10.0.2.15.53 > 10.0.2.2.1000: 56130 1/0/0 A 155.33.17.68 (54)",
        ),
        (udp4(53, b"short"), "IP 10.0.2.15.1000 > 10.0.2.2.53: UDP, dns_short, length 5"),
        (udp4(123, NTP_RESPONSE), "IP 10.0.2.15.1000 > 10.0.2.2.123: NTPv4, Server, length 48"),
        (
            udp4(67, dhcpv4.emit(DHCP)),
            "IP 10.0.2.15.1000 > 10.0.2.2.67: BOOTP/DHCP, Request Discover from "
            "52:54:00:12:34:56, length 300",
        ),
        (
            udp4(68, dhcpv4.emit(ACK)),
            "IP 10.0.2.15.1000 > 10.0.2.2.68: BOOTP/DHCP, Reply ACK to 52:54:00:12:34:56, "
            "your-IP 10.0.2.15, length 300",
        ),
        (
            ip4(1, icmpv4.emit(8, 0, PING, bytes(56))),
            "IP 10.0.2.15 > 10.0.2.2: ICMP echo request, id 9, seq 3, length 64",
        ),
        (
            ip4(1, icmpv4.emit(3, 3, 0, QUOTED)),
            "IP 10.0.2.15 > 10.0.2.2: ICMP 10.0.2.2 udp port 53 unreachable, length 36",
        ),
        (
            ip4(1, icmpv4.emit(3, 4, 1400, QUOTED)),
            "IP 10.0.2.15 > 10.0.2.2: ICMP 10.0.2.2 unreachable - need to frag (mtu 1400), "
            "length 36",
        ),
        (
            ip4(1, icmpv4.emit(3, 1, 0, QUOTED)),
            "IP 10.0.2.15 > 10.0.2.2: ICMP host 10.0.2.2 unreachable, length 36",
        ),
        (
            ip4(1, icmpv4.emit(11, 0, 0, QUOTED)),
            "IP 10.0.2.15 > 10.0.2.2: ICMP time exceeded in-transit, length 36",
        ),
        (
            ip4(1, icmpv4.emit(5, 1, int.from_bytes(A, "big"), QUOTED)),
            "IP 10.0.2.15 > 10.0.2.2: ICMP redirect 10.0.2.2 to host 10.0.2.15, length 36",
        ),
        (
            ip4(17, bytes(1480), ipv4.MORE_FRAGMENTS | 185),
            "IP 10.0.2.15 > 10.0.2.2: udp (frag 9:1480@1480+)",
        ),
        (ip4(132, bytes(9)), "IP 10.0.2.15 > 10.0.2.2: ip-proto-132 9"),
        (
            ip4(2, igmp.emit_report([(4, b"\xe1\0\0\1", [])])),
            "IP 10.0.2.15 > 10.0.2.2: igmp v3 report, 1 group record(s)",
        ),
        (
            ip4(2, igmp.emit_message(igmp.LEAVE, b"\xe1\0\0\1")),
            "IP 10.0.2.15 > 10.0.2.2: igmp leave 225.0.0.1",
        ),
        (
            ip6(58, ROUTER_ADVERTISEMENT),
            "IP6 fe80::1 > ff02::1: ICMP6, router advertisement, length 128",
        ),
        (
            ip6(58, ndp.emit(ndp.NeighborSolicitation(A6, ndp_options.Options(MAC)))),
            "IP6 fe80::1 > ff02::1: ICMP6, neighbor solicitation, who has fe80::1, length 32",
        ),
        (
            ip6(58, ndp.emit(ndp.NeighborAdvertisement(A6, solicited=True))),
            "IP6 fe80::1 > ff02::1: ICMP6, neighbor advertisement, tgt is fe80::1, length 24",
        ),
        (
            ip6(58, icmpv6.emit(129, 0, PING, bytes(4))),
            "IP6 fe80::1 > ff02::1: ICMP6, echo reply, id 9, seq 3, length 12",
        ),
        (
            ip6(58, icmpv6.emit(1, 4, 0, QUOTED6)),
            "IP6 fe80::1 > ff02::1: ICMP6, destination unreachable port ff02::1, length 56",
        ),
        (
            ip6(58, icmpv6.emit(2, 0, 1280, QUOTED6)),
            "IP6 fe80::1 > ff02::1: ICMP6, packet too big, mtu 1280, length 56",
        ),
        (
            ip6(0, ipv6.MLD_ALERT + mld.emit_report([(4, B6, [])])),
            "IP6 fe80::1 > ff02::1: ICMP6, multicast listener report v2, 1 group record(s), "
            "length 28",
        ),
        (
            ip6(44, ipv6.emit_fragment_header(17, 8, False, 5) + bytes(3)),
            "IP6 fe80::1 > ff02::1: frag (0x00000005:8|3)",
        ),
        (ip6(59, b""), "IP6 fe80::1 > ff02::1: no next header"),
        (ip6(60, b""), "IP6 fe80::1 > ff02::1: ipv6_extension_short, length 0"),
        (ip4(6, b"short"), "IP 10.0.2.15 > 10.0.2.2: tcp_header_short, length 5"),
        (
            ethernet.emit(MAC, MAC, 0x88CC) + bytes(46),
            "52:54:00:12:34:56 > 52:54:00:12:34:56, ethertype 0x88cc, length 60",
        ),
        (
            ethernet.emit(MAC, MAC, 38) + bytes(46),
            "52:54:00:12:34:56 > 52:54:00:12:34:56, 802.3, length 38",
        ),
        (
            ARP_REQUEST[:12] + b"\x81\0\x60\x05" + ARP_REQUEST[12:],
            "vlan 5, p 3, ARP, Request who-has 10.0.2.2 tell 10.0.2.15, length 28",
        ),
        (b"", "ethernet_header_short, length 0"),
        (ARP_REQUEST[:30], "ARP, arp_short, length 16"),
        (ip4(6, STAMPED)[:40], "IP ipv4_total_length_bad, length 26"),
    ],
)
def test_lines(frame: bytes, line: str) -> None:
    assert show.frame(frame) == line


def test_a_line_has_an_end() -> None:
    records = [dns.Record("x", dns.A, 1, A)] * 1000
    data = dns.emit(dns.Message(1, dns.RESPONSE, (), records))
    line = show.frame(udp4(53, data, True))
    assert line.count(" A 10.0.2.15") == 16
    assert f", … ({len(data)})" in line


def test_a_packet_without_a_link_header() -> None:
    assert show.packet(IPV4_SYN).startswith("IP 172.16.10.99.54321 > ")
    assert show.packet(ip6(59, b"")[14:]) == "IP6 fe80::1 > ff02::1: no next header"
    assert show.packet(b"") == "IP ipv4_header_short, length 0"


def test_any_bytes_have_a_line() -> None:
    rng = random.Random(14)
    whole = [ip4(1, icmpv4.emit(3, 3, 0, QUOTED)), udp4(53, DNS_RESPONSE), ip6(0, ipv6.MLD_ALERT),
             ip6(58, ROUTER_ADVERTISEMENT), ip4(6, SACKED), ARP_REPLY,
             udp4(68, dhcpv4.emit(ACK))]  # fmt: skip
    for _ in range(5000):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(5)):
            data[rng.randrange(14, len(data))] = rng.randrange(256)
        if data[12:14] == b"\x08\0" and len(data) >= 34:
            data[24:26] = b"\0\0"
            size = (data[14] & 15) * 4
            data[24:26] = checksum.checksum(data[14 : 14 + size]).to_bytes(2, "big")
        line = show.frame(data[: rng.randrange(len(data) + 1)])
        assert line
        assert line.isprintable()
