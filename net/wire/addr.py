"""Addresses: bytes as on the wire, 4 or 16 of them, their text, and what they are for.

What comes from a program or a file and is no address raises ValueError.
"""

from __future__ import annotations

ANY4 = bytes(4)
ANY6 = bytes(16)
BROADCAST4 = b"\xff\xff\xff\xff"
LOOPBACK4 = b"\x7f\x00\x00\x01"
LOOPBACK6 = bytes(15) + b"\x01"
ALL_HOSTS4 = b"\xe0\x00\x00\x01"
ALL_NODES6 = b"\xff\x02" + bytes(13) + b"\x01"
ALL_ROUTERS6 = b"\xff\x02" + bytes(13) + b"\x02"
MLD2_ROUTERS6 = b"\xff\x02" + bytes(13) + b"\x16"

_MAPPED = bytes(10) + b"\xff\xff"
_SOLICITED = b"\xff\x02" + bytes(9) + b"\x01\xff"
_HEX = frozenset("0123456789abcdefABCDEF")

NODE_LOCAL, LINK_LOCAL, SITE_LOCAL, GLOBAL = 1, 2, 5, 14
"""Scopes (RFC 4291, 2.7; RFC 6724, 3.1)."""


def parse(text: str) -> bytes:
    """An address of either family, without a zone, as inet_pton(3) takes it."""
    return parse6(text) if ":" in text else parse4(text)


def parse4(text: str) -> bytes:
    """Four decimal numbers with dots; no leading zeros, which some read as octal."""
    parts = text.split(".")
    if len(parts) != 4:
        raise ValueError(f"{text!r} is not an IPv4 address")
    address = bytearray()
    for part in parts:
        if (
            not 1 <= len(part) <= 3
            or not (part.isascii() and part.isdigit())
            or (part[0] == "0" and part != "0")
            or int(part) > 255
        ):
            raise ValueError(f"{text!r} is not an IPv4 address")
        address.append(int(part))
    return bytes(address)


def parse6(text: str) -> bytes:
    """The forms of RFC 4291 (2.2)."""
    head, gap, tail = text.partition("::")
    front = _groups(head, text, not gap)
    if not gap:
        if len(front) != 16:
            raise ValueError(f"{text!r} is not an IPv6 address")
        return front
    back = _groups(tail, text, True)
    if len(front) + len(back) > 14:
        raise ValueError(f"{text!r} is not an IPv6 address")
    return front + bytes(16 - len(front) - len(back)) + back


def _groups(part: str, text: str, is_end: bool) -> bytes:
    """The bytes of groups with colons between; the last may be an IPv4 address."""
    address = b""
    if not part:
        return address
    groups = part.split(":")
    for place, group in enumerate(groups):
        if "." in group and is_end and place == len(groups) - 1:
            address += parse4(group)
        elif 1 <= len(group) <= 4 and _HEX.issuperset(group):
            address += int(group, 16).to_bytes(2, "big")
        else:
            raise ValueError(f"{text!r} is not an IPv6 address")
    return address


def parse_zone(text: str) -> tuple[bytes, str]:
    """An address and its zone (RFC 4007, 11): `fe80::1%eth0`; without one, the zone is empty."""
    address, percent, zone = text.partition("%")
    if percent and not (zone and ":" in address):
        raise ValueError(f"{text!r} is not an address with a zone")
    return parse(address), zone


def parse_prefix(text: str) -> tuple[bytes, int]:
    """`192.0.2.1/24` or `2001:db8::/32`: the address as it is, and the length; without a length,
    that of the address."""
    name, slash, bits = text.partition("/")
    address = parse(name)
    if not slash:
        return address, len(address) * 8
    if not (bits.isascii() and bits.isdigit()) or int(bits) > len(address) * 8:
        raise ValueError(f"{text!r} is not a prefix")
    return address, int(bits)


def text(address: bytes) -> str:
    """As inet_ntop(3) and RFC 5952 write it."""
    if len(address) == 4:
        return f"{address[0]}.{address[1]}.{address[2]}.{address[3]}"
    if len(address) != 16:
        raise ValueError(f"an address has 4 or 16 bytes, not {len(address)}")
    if address[:12] == _MAPPED:
        return f"::ffff:{text(address[12:])}"
    groups = [f"{(address[at] << 8) | address[at + 1]:x}" for at in range(0, 16, 2)]
    start, size = _longest_zeros(groups)
    if size < 2:
        return ":".join(groups)
    if start == 0 and size == 6:
        # As glibc does: an address that embeds an IPv4 one (RFC 4291, 2.5.5.1).
        return f"::{text(address[12:])}"
    return f"{':'.join(groups[:start])}::{':'.join(groups[start + size :])}"


def _longest_zeros(groups: list[str]) -> tuple[int, int]:
    """(start, size) of the first longest run of groups that are 0."""
    best = (0, 0)
    start = 0
    while start < 8:
        end = start
        while end < 8 and groups[end] == "0":
            end += 1
        if end - start > best[1]:
            best = (start, end - start)
        start = end + 1
    return best


def mac_text(mac: bytes) -> str:
    """52:54:00:12:34:56."""
    return mac.hex(":")


def parse_mac(text: str) -> bytes:
    """A MAC, its six bytes with colons or hyphens between."""
    parts = text.replace("-", ":").split(":")
    if len(parts) != 6 or not all(1 <= len(part) <= 2 and _HEX.issuperset(part) for part in parts):
        raise ValueError(f"{text!r} is not a MAC")
    return bytes(int(part, 16) for part in parts)


# Prefixes


def mask(length: int, size: int = 4) -> bytes:
    """The mask of a prefix, of addresses of `size` bytes."""
    bits = size * 8
    return ((1 << bits) - (1 << (bits - length))).to_bytes(size, "big")


def mask_length(mask: bytes) -> int:
    """The length of the prefix that a mask is for."""
    value = int.from_bytes(mask, "big")
    length = value.bit_count()
    bits = len(mask) * 8
    if value != (1 << bits) - (1 << (bits - length)):
        raise ValueError(f"{text(mask)} is not a mask")
    return length


def in_prefix(address: bytes, prefix: bytes, length: int) -> bool:
    """Whether an address is of a prefix, the first `length` bits of `prefix`."""
    if len(address) != len(prefix):
        return False
    different = int.from_bytes(address, "big") ^ int.from_bytes(prefix, "big")
    return different >> (len(address) * 8 - length) == 0


def network(address: bytes, length: int) -> bytes:
    """An address with all bits behind the prefix 0."""
    size = len(address)
    shift = size * 8 - length
    return (int.from_bytes(address, "big") >> shift << shift).to_bytes(size, "big")


def broadcast(address: bytes, length: int) -> bytes:
    """An address with all bits behind the prefix 1."""
    size = len(address)
    rest = (1 << (size * 8 - length)) - 1
    return (int.from_bytes(address, "big") | rest).to_bytes(size, "big")


def common_prefix_length(one: bytes, other: bytes) -> int:
    """How many bits two addresses of a family have in common at the front."""
    different = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return len(one) * 8 - different.bit_length()


def interface_id(mac: bytes) -> bytes:
    """The modified EUI-64 of a MAC, 8 bytes (RFC 4291, appendix A)."""
    return bytes((mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]))


# What an address is for


def is_unspecified(address: bytes) -> bool:
    """0.0.0.0 or ::."""
    return not any(address)


def is_loopback(address: bytes) -> bool:
    """127.0.0.0/8 or ::1."""
    if len(address) == 4:
        return address[0] == 127
    return address == LOOPBACK6


def is_multicast(address: bytes) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    if len(address) == 4:
        return address[0] >> 4 == 14
    return address[0] == 0xFF


def is_link_local(address: bytes) -> bool:
    """169.254.0.0/16 or fe80::/10: no group."""
    if len(address) == 4:
        return address[0] == 169 and address[1] == 254
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def needs_zone(address: bytes) -> bool:
    """Whether an IPv6 address means something on one link only: sockets want a scope with it."""
    if len(address) == 4:
        return False
    return is_link_local(address) or (address[0] == 0xFF and address[1] & 15 in (1, 2))


def is_private(address: bytes) -> bool:
    """RFC 1918, or unique local (RFC 4193)."""
    if len(address) == 16:
        return address[0] & 0xFE == 0xFC
    return (
        address[0] == 10
        or (address[0] == 172 and address[1] & 0xF0 == 16)
        or (address[0] == 192 and address[1] == 168)
    )


def is_reserved4(address: bytes) -> bool:
    """240.0.0.0/4 but for the broadcast address: no host has one (RFC 1122, 3.2.1.3)."""
    return address[0] >= 240 and address != BROADCAST4


def is_source4(address: bytes) -> bool:
    """Whether a packet from a wire may have it as its source (RFC 1122, 3.2.1.3). 0.0.0.0 may,
    in DHCP; that an address is a link's broadcast cannot be seen here."""
    return not (address[0] == 127 or address[0] >= 224 or (address[0] == 0 and any(address)))


def scope(address: bytes) -> int:
    """How far an address reaches, to compare two (RFC 6724, 3.1 and 3.2)."""
    if len(address) == 4:
        return LINK_LOCAL if is_link_local(address) or address[0] == 127 else GLOBAL
    if address[0] == 0xFF:
        return address[1] & 15
    if is_link_local(address) or address == LOOPBACK6:
        return LINK_LOCAL
    if address[0] == 0xFE and address[1] & 0xC0 == 0xC0:
        return SITE_LOCAL
    return GLOBAL


# IPv4 within IPv6


def is_mapped(address: bytes) -> bool:
    """::ffff:0:0/96: an IPv4 address in a dual-stack socket (RFC 4291, 2.5.5.2)."""
    return len(address) == 16 and address[:12] == _MAPPED


def to_mapped(address: bytes) -> bytes:
    """The mapped address of an IPv4 one."""
    return _MAPPED + address


def from_mapped(address: bytes) -> bytes:
    """The IPv4 address in a mapped one."""
    return address[12:]


# Groups


def multicast_mac(group: bytes) -> bytes:
    """The MAC that a group's packets go to (RFC 1112, 6.4; RFC 2464, 7)."""
    if len(group) == 4:
        return bytes((1, 0, 0x5E, group[1] & 0x7F, group[2], group[3]))
    return b"\x33\x33" + group[12:]


def solicited_node(address: bytes) -> bytes:
    """The group that the neighbor solicitations for an address go to (RFC 4291, 2.7.1)."""
    return _SOLICITED + address[13:]
