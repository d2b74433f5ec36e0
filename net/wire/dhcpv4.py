"""DHCP messages (RFC 2131, section 2) and what is in their options (RFC 2132 and later)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Buffer = bytes | bytearray | memoryview

CLIENT_PORT, SERVER_PORT = 68, 67

REQUEST, REPLY = 1, 2
"""Of `op`."""

DISCOVER, OFFER, DHCP_REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = 1, 2, 3, 4, 5, 6, 7, 8
"""Of the option MESSAGE_TYPE."""

PAD, SUBNET_MASK, ROUTERS, DNS_SERVERS, HOST_NAME, DOMAIN_NAME, MTU = 0, 1, 3, 6, 12, 15, 26
BROADCAST, STATIC_ROUTES, NTP_SERVERS, REQUESTED_ADDRESS, LEASE_TIME = 28, 33, 42, 50, 51
OVERLOAD, MESSAGE_TYPE, SERVER_ID, PARAMETERS, MESSAGE, MAX_SIZE = 52, 53, 54, 55, 56, 57
RENEWAL_TIME, REBINDING_TIME, VENDOR_CLASS, CLIENT_ID, SEARCH, ROUTES = 58, 59, 60, 61, 119, 121
END = 255

FOREVER_S = 0xFFFFFFFF
"""A lease without an end."""

COOKIE = b"\x63\x82\x53\x63"

SEARCH_MOST = 32
"""Domains that are read; resolvers use six."""

SIZE_LEAST = 300
"""What BOOTP's relays and servers expect of a message (RFC 1542, 2.1)."""

_BROADCAST_FLAG = 0x8000
_HEADER = Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_OPTIONS_AT = 240


class Message:
    """One message."""

    __slots__ = (
        "address", "broadcast", "client_address", "file", "hops", "mac", "op", "options", "relay",
        "seconds", "server_address", "server_name", "xid",
    )  # fmt: skip

    def __init__(
        self,
        op: int,
        xid: int,
        mac: bytes,
        options: dict[int, bytes],
        *,
        seconds: int = 0,
        broadcast: bool = False,
        client_address: bytes = bytes(4),
        address: bytes = bytes(4),
        server_address: bytes = bytes(4),
        relay: bytes = bytes(4),
        hops: int = 0,
        server_name: bytes = b"",
        file: bytes = b"",
    ) -> None:
        self.op = op
        self.xid = xid
        self.mac = mac
        """chaddr, as much as hlen says."""
        self.options = options
        """By code, without PAD and END; one that came in several parts is put together (RFC
        3396). Its length is the sender's."""
        self.seconds = seconds
        self.broadcast = broadcast
        self.client_address = client_address
        """ciaddr."""
        self.address = address
        """yiaddr."""
        self.server_address = server_address
        """siaddr, which is not the address of the DHCP server (that is SERVER_ID)."""
        self.relay = relay
        """giaddr."""
        self.hops = hops
        self.server_name = server_name
        """Empty if options are in its place; so also `file`."""
        self.file = file

    @property
    def kind(self) -> int:
        """DISCOVER and so on; 0: it is BOOTP, or bad."""
        value = self.options.get(MESSAGE_TYPE, b"")
        return value[0] if len(value) == 1 else 0


def parse(data: Buffer) -> Message:
    """A message, the payload of a UDP datagram."""
    if len(data) < _OPTIONS_AT:
        raise WireError("dhcp_short")
    (
        op, hardware, mac_size, hops, xid, seconds, flags, client_address, address, server_address,
        relay, mac, server_name, file, cookie,
    ) = _HEADER.unpack_from(data)  # fmt: skip
    if op not in (REQUEST, REPLY):
        raise WireError("dhcp_op_bad")
    if hardware != 1 or mac_size != 6:
        raise WireError("dhcp_hardware_unknown")
    if cookie != COOKIE:
        raise WireError("dhcp_cookie_bad")
    options: dict[int, bytearray] = {}
    _parse_options(bytes(data[_OPTIONS_AT:]), options)
    overload = options.get(OVERLOAD, b"")
    # RFC 3396, 5: the field of the file's name before that of the server's.
    used = overload[0] if len(overload) == 1 else 0
    if used & 1:
        _parse_options(file, options)
        file = b""
    if used & 2:
        _parse_options(server_name, options)
        server_name = b""
    return Message(
        op,
        xid,
        mac[:mac_size],
        {code: bytes(value) for code, value in options.items()},
        seconds=seconds,
        broadcast=flags & _BROADCAST_FLAG != 0,
        client_address=client_address,
        address=address,
        server_address=server_address,
        relay=relay,
        hops=hops,
        server_name=server_name.partition(b"\0")[0],
        file=file.partition(b"\0")[0],
    )


def _parse_options(data: bytes, options: dict[int, bytearray]) -> None:
    """Adds the options of a field. END may be missing, as some servers have it."""
    at = 0
    size = len(data)
    while at < size:
        code = data[at]
        if code == END:
            return
        at += 1
        if code == PAD:
            continue
        if at >= size or at + 1 + data[at] > size:
            raise WireError("dhcp_option_bad")
        options.setdefault(code, bytearray()).extend(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]


def emit(message: Message) -> bytes:
    """A message's bytes. MESSAGE_TYPE is to be the first of its options; one longer than 255 is
    cut (RFC 3396)."""
    data = bytearray(
        _HEADER.pack(
            message.op,
            1,
            len(message.mac),
            message.hops,
            message.xid,
            message.seconds,
            _BROADCAST_FLAG if message.broadcast else 0,
            message.client_address,
            message.address,
            message.server_address,
            message.relay,
            message.mac,
            message.server_name,
            message.file,
            COOKIE,
        )
    )
    for code, value in message.options.items():
        for at in range(0, len(value) or 1, 255):
            part = value[at : at + 255]
            data += bytes((code, len(part))) + part
    data.append(END)
    if len(data) < SIZE_LEAST:
        data += bytes(SIZE_LEAST - len(data))
    return bytes(data)


# What options mean. A value that cannot be is as if it were not there: None, or nothing.


def u32(options: Mapping[int, bytes], code: int) -> int | None:
    """A number of 32 bits: LEASE_TIME and its like."""
    value = options.get(code, b"")
    return int.from_bytes(value, "big") if len(value) == 4 else None


def u16(options: Mapping[int, bytes], code: int) -> int | None:
    """A number of 16 bits: MTU, MAX_SIZE."""
    value = options.get(code, b"")
    return int.from_bytes(value, "big") if len(value) == 2 else None


def address(options: Mapping[int, bytes], code: int) -> bytes | None:
    """One address: SERVER_ID, SUBNET_MASK."""
    value = options.get(code, b"")
    return value if len(value) == 4 else None


def addresses(options: Mapping[int, bytes], code: int) -> list[bytes]:
    """Addresses: ROUTERS, DNS_SERVERS, NTP_SERVERS."""
    value = options.get(code, b"")
    if len(value) % 4:
        return []
    return [value[at : at + 4] for at in range(0, len(value), 4)]


def text(options: Mapping[int, bytes], code: int) -> str:
    """A name or a message, in printable ASCII: it goes into files and onto screens."""
    value = options.get(code, b"").rstrip(b"\0")
    if not value.isascii() or not value.decode("latin-1").isprintable():
        return ""
    return value.decode("ascii")


def routes(options: Mapping[int, bytes]) -> list[tuple[bytes, int, bytes]]:
    """(destination, prefix length, gateway), the gateway of zeros if it is on the link.

    ROUTES, in whose place nothing else counts, ROUTERS neither (RFC 3442); or else STATIC_ROUTES,
    of classes A, B and C (RFC 2132, 5.8), and ROUTERS.
    """
    if ROUTES in options:
        found = _classless(options[ROUTES])
        if found is not None:
            return found
    static = []
    pairs = addresses(options, STATIC_ROUTES)
    for destination, gateway in zip(pairs[::2], pairs[1::2], strict=False):
        length = 8 if destination[0] < 128 else 16 if destination[0] < 192 else 24
        # 0.0.0.0 is not to be in it (RFC 2132, 5.8).
        if any(destination) and destination[0] < 224:
            static.append((destination, length, gateway))
    return static + [(bytes(4), 0, router) for router in addresses(options, ROUTERS)]


def _classless(value: bytes) -> list[tuple[bytes, int, bytes]] | None:
    found = []
    at = 0
    while at < len(value):
        length = value[at]
        used = (length + 7) // 8
        end = at + 1 + used
        if length > 32 or end + 4 > len(value):
            return None
        destination = int.from_bytes(value[at + 1 : end].ljust(4, b"\0"), "big")
        # Bits behind the prefix are to be cleared (RFC 3442).
        destination &= 0xFFFFFFFF << (32 - length)
        found.append((destination.to_bytes(4, "big"), length, value[end : end + 4]))
        at = end + 4
    return found or None


def emit_routes(found: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    """The value of ROUTES."""
    return b"".join(
        bytes((length,)) + destination[: (length + 7) // 8] + gateway
        for destination, length, gateway in found
    )


def search(options: Mapping[int, bytes]) -> list[str]:
    """The domains of SEARCH (RFC 3397), in which names may point back to others; names before a bad
    one are good. Without the option: DOMAIN_NAME."""
    value = options.get(SEARCH, b"")
    names: list[str] = []
    at = 0
    while at < len(value) and len(names) < SEARCH_MOST:
        name, at = _name(value, at)
        if name is None:
            break
        names.append(name)
    if not names:
        domain = text(options, DOMAIN_NAME)
        return [domain] if domain and _is_name(domain.rstrip(".").encode("ascii")) else []
    return names


def _name(value: bytes, at: int) -> tuple[str | None, int]:
    """A name and where the next one is; None: it is bad."""
    labels: list[bytes] = []
    behind = 0
    limit = at
    total = 0
    while True:
        if at >= len(value):
            return None, at
        size = value[at]
        if size >= 0xC0:
            if at + 1 >= len(value):
                return None, at
            target = (size & 0x3F) << 8 | value[at + 1]
            behind = behind or at + 2
            # Further back each time, so that it ends; and soon.
            total += 1
            if target >= limit or total > 254:
                return None, at
            at = limit = target
            continue
        if size > 63 or at + 1 + size > len(value):
            return None, at
        if not size:
            name = b".".join(labels)
            if not _is_name(name):
                return None, at
            return name.decode("ascii"), behind or at + 1
        total += size + 1
        if total > 254:
            return None, at
        labels.append(value[at + 1 : at + 1 + size])
        at += 1 + size


def _is_name(name: bytes) -> bool:
    """What may be in /etc/resolv.conf."""
    labels = name.split(b".")
    return all(label.replace(b"-", b"").replace(b"_", b"a").isalnum() for label in labels)
