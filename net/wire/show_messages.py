"""One line for what is in datagrams and in ICMP and IGMP messages. Checksums are not looked at: of
a frame that is to be sent the card may have to calculate them still. May raise WireError."""

from __future__ import annotations

from ovum.net.wire import addr, dhcpv4, dns, icmpv4, icmpv6, igmp, mld, ndp, ntp
from ovum.net.wire.errors import WireError

ANSWERS_MOST = 16
"""Of DNS, in a line."""

_DHCP_KINDS = (
    "", "Discover", "Offer", "Request", "Decline", "ACK", "NACK", "Release", "Inform",
)  # fmt: skip

_UNREACHABLE = {0: "net", 1: "host", 2: "protocol", 3: "port"}
_UNREACHABLE6 = {
    0: "unreachable route", 1: "unreachable prohibited", 2: "beyond scope",
    3: "unreachable address", 4: "unreachable port", 5: "unreachable source policy",
    6: "unreachable reject route",
}  # fmt: skip


def datagram(src_port: int, dst_port: int, data: bytes) -> str:
    """What a UDP datagram has in it, by its ports."""
    ports = (src_port, dst_port)
    size = len(data)
    try:
        if 53 in ports or 5353 in ports:
            return f"{_dns(dns.parse(data))} ({size})"
        if 67 in ports or 68 in ports:
            return f"BOOTP/DHCP, {_dhcp(dhcpv4.parse(data))}, length {size}"
        if 123 in ports:
            return f"{_ntp(ntp.parse(data))}, length {size}"
    except WireError as error:
        return f"UDP, {error.reason}, length {size}"
    return f"UDP, length {size}"


def _dns(message: dns.Message) -> str:
    flags = message.flags
    asked = " ".join(
        f"{dns.TYPES.get(question.kind, f'TYPE{question.kind}')}? {question.name}."
        for question in message.questions
    )
    if not flags & dns.RESPONSE:
        return f"{message.ident}{'+' if flags & dns.RECURSION_DESIRED else ''} {asked}"
    marks = "*" if flags & dns.AUTHORITATIVE else ""
    marks += "" if flags & dns.RECURSION_AVAILABLE else "-"
    marks += "|" if flags & dns.TRUNCATED else ""
    code = message.code
    if code:
        marks += f" {dns.CODES[code] if code < len(dns.CODES) else f'code {code}'}"
    counts = f"{len(message.answers)}/{len(message.authority)}/{len(message.additional)}"
    answers = ", ".join(
        f"{dns.TYPES.get(record.kind, f'TYPE{record.kind}')} {record.text}"
        for record in message.answers[:ANSWERS_MOST]
    )
    if len(message.answers) > ANSWERS_MOST:
        answers += ", …"
    return f"{message.ident}{marks} {counts}{' ' if answers else ''}{answers}"


def _dhcp(message: dhcpv4.Message) -> str:
    kind = message.kind
    name = f" {_DHCP_KINDS[kind]}" if 0 < kind < len(_DHCP_KINDS) else ""
    if message.op == dhcpv4.REQUEST:
        return f"Request{name} from {addr.mac_text(message.mac)}"
    return f"Reply{name} to {addr.mac_text(message.mac)}, your-IP {addr.text(message.address)}"


def _ntp(packet: ntp.Packet) -> str:
    modes = ("Reserved", "symmetric active", "symmetric passive", "Client", "Server", "Broadcast",
             "Control", "Private")  # fmt: skip
    return f"NTPv{packet.version}, {modes[packet.mode]}"


def icmp4(data: bytes) -> str:
    """An ICMP message."""
    size = len(data)
    if size < icmpv4.SIZE:
        raise WireError("icmp_short")
    kind, code, _, word = icmpv4.HEADER.unpack_from(data)
    if kind in (icmpv4.ECHO_REQUEST, icmpv4.ECHO_REPLY):
        name = "request" if kind == icmpv4.ECHO_REQUEST else "reply"
        return f"ICMP echo {name}, id {word >> 16}, seq {word & 0xFFFF}, length {size}"
    if kind == icmpv4.UNREACHABLE:
        return f"ICMP {_unreachable4(code, word, data[8:])}, length {size}"
    if kind == icmpv4.TIME_EXCEEDED:
        name = "in-transit" if code == 0 else "during reassembly"
        return f"ICMP time exceeded {name}, length {size}"
    if kind == icmpv4.REDIRECT:
        quoted = icmpv4.parse_quoted(data[8:])
        gateway = addr.text(word.to_bytes(4, "big"))
        return f"ICMP redirect {addr.text(quoted.dst)} to host {gateway}, length {size}"
    if kind == icmpv4.PARAMETER_PROBLEM:
        return f"ICMP parameter problem - octet {word >> 24}, length {size}"
    return f"ICMP type-#{kind}, code {code}, length {size}"


def _unreachable4(code: int, word: int, body: bytes) -> str:
    quoted = icmpv4.parse_quoted(body)
    dst = addr.text(quoted.dst)
    if code == icmpv4.FRAGMENTATION_NEEDED:
        return f"{dst} unreachable - need to frag (mtu {word & 0xFFFF})"
    if code == icmpv4.PORT_UNREACHABLE and quoted.protocol in (6, 17):
        port = int.from_bytes(quoted.payload[2:4], "big")
        return f"{dst} {'tcp' if quoted.protocol == 6 else 'udp'} port {port} unreachable"
    if code == icmpv4.PROTOCOL_UNREACHABLE:
        return f"{dst} protocol {quoted.protocol} unreachable"
    return f"{_UNREACHABLE.get(code, f'#{code}')} {dst} unreachable"


def icmp6(data: bytes) -> str:
    """An ICMPv6 message, those of ND and MLD among them."""
    size = len(data)
    if size < 8:
        raise WireError("icmpv6_short")
    kind, code, _, word = icmpv6.HEADER.unpack_from(data)
    if kind in (icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY):
        name = "request" if kind == icmpv6.ECHO_REQUEST else "reply"
        return f"ICMP6, echo {name}, id {word >> 16}, seq {word & 0xFFFF}, length {size}"
    if kind == icmpv6.UNREACHABLE:
        quoted = icmpv6.parse_quoted(data[8:])
        name = _UNREACHABLE6.get(code, f"unreachable code-#{code}")
        return f"ICMP6, destination {name} {addr.text(quoted.dst)}, length {size}"
    if kind == icmpv6.PACKET_TOO_BIG:
        return f"ICMP6, packet too big, mtu {word}, length {size}"
    if kind == icmpv6.TIME_EXCEEDED:
        name = "in-transit" if code == 0 else "during reassembly"
        return f"ICMP6, time exceeded {name}, length {size}"
    if kind == icmpv6.PARAMETER_PROBLEM:
        return f"ICMP6, parameter problem, code {code}, octet {word}, length {size}"
    if kind in (icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE, icmpv6.MLD2_REPORT):
        return f"ICMP6, {_mld(data)}, length {size}"
    if icmpv6.ROUTER_SOLICITATION <= kind <= icmpv6.REDIRECT:
        return f"ICMP6, {_nd(data)}, length {size}"
    return f"ICMP6, type-#{kind}, code {code}, length {size}"


def _nd(data: bytes) -> str:
    # Read as if it had come from a router to one of us: it is to be shown even if it breaks rules.
    message = ndp.parse(data, b"\xfe\x80" + bytes(14), bytes(16), ndp.HOP_LIMIT)
    if isinstance(message, ndp.NeighborSolicitation):
        return f"neighbor solicitation, who has {addr.text(message.target)}"
    if isinstance(message, ndp.NeighborAdvertisement):
        return f"neighbor advertisement, tgt is {addr.text(message.target)}"
    if isinstance(message, ndp.RouterSolicitation):
        return "router solicitation"
    if isinstance(message, ndp.RouterAdvertisement):
        return "router advertisement"
    return f"redirect, {addr.text(message.destination)} to {addr.text(message.target)}"


def _mld(data: bytes) -> str:
    message = mld.parse(data, b"\xfe\x80" + bytes(14), mld.HOP_LIMIT)
    if isinstance(message, igmp.Query):
        version = " v2" if message.version == 2 else ""
        return f"multicast listener query{version} max resp delay {message.max_response_ms}"
    if message.kind == icmpv6.MLD2_REPORT:
        return f"multicast listener report v2, {len(message.records)} group record(s)"
    name = "done" if message.kind == icmpv6.MLD_DONE else "report"
    return f"multicast listener {name}, addr: {addr.text(message.records[0][1])}"


def igmp_message(data: bytes) -> str:
    """An IGMP message."""
    message = igmp.parse(data)
    if isinstance(message, igmp.Query):
        group = f" [gaddr {addr.text(message.group)}]" if any(message.group) else ""
        return f"igmp query v{message.version}{group}"
    if message.kind == igmp.REPORT3:
        return f"igmp v3 report, {len(message.records)} group record(s)"
    group = addr.text(message.records[0][1])
    if message.kind == igmp.LEAVE:
        return f"igmp leave {group}"
    return f"igmp v{1 if message.kind == igmp.REPORT1 else 2} report {group}"
