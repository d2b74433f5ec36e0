"""One line of text for a frame, as tcpdump(8) prints it; what is malformed says why."""

from __future__ import annotations

from ovum.net.wire import addr, arp, ethernet, ipv4, ipv6, tcp, udp
from ovum.net.wire.errors import WireError
from ovum.net.wire.show_messages import datagram, icmp4, icmp6, igmp_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

_PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmp6"}


def frame(data: Buffer) -> str:
    """A frame, from its Ethernet header on. Never raises."""
    data = bytes(data)
    try:
        dst, src, kind = ethernet.parse(data)
    except WireError as error:
        return f"{error.reason}, length {len(data)}"
    inner = data[ethernet.SIZE :]
    if kind == ethernet.VLAN and len(inner) >= 4:
        tag = int.from_bytes(inner[:2], "big")
        kind = int.from_bytes(inner[2:4], "big")
        return f"vlan {tag & 0xFFF}, p {tag >> 13}, {_network(dst, src, kind, inner[4:])}"
    return _network(dst, src, kind, inner)


def packet(data: Buffer) -> str:
    """An IP packet, of either version. Never raises."""
    data = bytes(data)
    if data[:1] and data[0] >> 4 == 6:
        return _ip6(data)
    return _ip4(data)


def _network(dst: bytes, src: bytes, kind: int, data: bytes) -> str:
    if kind == ethernet.IPV4:
        return _ip4(data)
    if kind == ethernet.IPV6:
        return _ip6(data)
    if kind == ethernet.ARP:
        return _arp(data)
    link = f"{addr.mac_text(src)} > {addr.mac_text(dst)}"
    if kind < 0x600:
        return f"{link}, 802.3, length {kind}"
    return f"{link}, ethertype 0x{kind:04x}, length {len(data) + ethernet.SIZE}"


def _arp(data: bytes) -> str:
    try:
        found = arp.parse(data)
    except WireError as error:
        return f"ARP, {error.reason}, length {len(data)}"
    sender, target = addr.text(found.sender), addr.text(found.target)
    if found.operation == arp.REPLY:
        what = f"Reply {sender} is-at {addr.mac_text(found.sender_mac)}"
    elif found.sender == found.target:
        what = f"Announcement {sender}"
    elif not any(found.sender):
        what = f"Probe {target}"
    else:
        what = f"Request who-has {target} tell {sender}"
    return f"ARP, {what}, length {len(data)}"


def _ip4(data: bytes) -> str:
    try:
        header = ipv4.parse(data)
    except WireError as error:
        return f"IP {error.reason}, length {len(data)}"
    src, dst = addr.text(header.src), addr.text(header.dst)
    payload = data[header.header_size : header.total_length]
    if header.fragment_offset or header.more_fragments:
        more = "+" if header.more_fragments else ""
        name = _PROTOCOLS.get(header.protocol, f"ip-proto-{header.protocol}")
        where = f"{header.ident}:{len(payload)}@{header.fragment_offset}{more}"
        return f"IP {src} > {dst}: {name} (frag {where})"
    return f"IP {_transport(src, dst, header.protocol, payload, 4)}"


def _ip6(data: bytes) -> str:
    try:
        header = ipv6.parse(data)
    except WireError as error:
        return f"IP6 {error.reason}, length {len(data)}"
    src, dst = addr.text(header.src), addr.text(header.dst)
    whole = data[: ipv6.SIZE + header.payload_length]
    try:
        chain = ipv6.walk(whole)
    except WireError as error:
        return f"IP6 {src} > {dst}: {error.reason}, length {header.payload_length}"
    payload = whole[chain.offset :]
    if chain.fragment_offset or chain.more_fragments:
        where = f"0x{chain.ident:08x}:{chain.fragment_offset}|{len(payload)}"
        return f"IP6 {src} > {dst}: frag ({where})"
    return f"IP6 {_transport(src, dst, chain.protocol, payload, 6)}"


def _transport(src: str, dst: str, protocol: int, data: bytes, version: int) -> str:
    try:
        if protocol == tcp.PROTOCOL:
            segment = tcp.parse(data)
            return f"{src}.{segment.src_port} > {dst}.{segment.dst_port}: {_tcp(segment)}"
        if protocol == udp.PROTOCOL:
            src_port, dst_port, length, _ = udp.parse(data)
            what = datagram(src_port, dst_port, data[udp.SIZE : length])
            return f"{src}.{src_port} > {dst}.{dst_port}: {what}"
        if protocol == 1 and version == 4:
            return f"{src} > {dst}: {icmp4(data)}"
        if protocol == 58 and version == 6:
            return f"{src} > {dst}: {icmp6(data)}"
        if protocol == 2 and version == 4:
            return f"{src} > {dst}: {igmp_message(data)}"
    except WireError as error:
        return f"{src} > {dst}: {error.reason}, length {len(data)}"
    if protocol == ipv6.NONE and version == 6:
        return f"{src} > {dst}: no next header"
    return f"{src} > {dst}: ip-proto-{protocol} {len(data)}"


_FLAGS = (
    (tcp.FIN, "F"),
    (tcp.SYN, "S"),
    (tcp.RST, "R"),
    (tcp.PSH, "P"),
    (tcp.ACK, "."),
    (tcp.URG, "U"),
    (tcp.ECE, "E"),
    (tcp.CWR, "W"),
)


def _tcp(segment: tcp.Segment) -> str:
    flags = "".join(letter for bit, letter in _FLAGS if segment.flags & bit)
    size = len(segment.payload)
    parts = [f"Flags [{flags or 'none'}]"]
    if size:
        parts.append(f"seq {segment.seq}:{(segment.seq + size) & 0xFFFFFFFF}")
    elif segment.flags & (tcp.SYN | tcp.FIN | tcp.RST):
        parts.append(f"seq {segment.seq}")
    if segment.flags & tcp.ACK:
        parts.append(f"ack {segment.ack}")
    parts.append(f"win {segment.window}")
    if segment.flags & tcp.URG:
        parts.append(f"urg {segment.urgent}")
    options = _tcp_options(segment.options)
    if options:
        parts.append(f"options [{options}]")
    parts.append(f"length {size}")
    return ", ".join(parts)


def _tcp_options(options: tcp.Options | None) -> str:
    parts: list[str] = []
    if options is None:
        return ""
    if options.mss is not None:
        parts.append(f"mss {options.mss}")
    if options.sack_permitted:
        parts.append("sackOK")
    if options.timestamp is not None:
        parts.append(f"TS val {options.timestamp[0]} ecr {options.timestamp[1]}")
    if options.window_scale is not None:
        parts.append(f"wscale {options.window_scale}")
    if options.sack:
        blocks = "".join(f"{{{left}:{right}}}" for left, right in options.sack)
        parts.append(f"sack {len(options.sack)} {blocks}")
    return ",".join(parts)
