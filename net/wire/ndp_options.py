"""The options of neighbor discovery (RFC 4861, 4.6; RFC 4191, 7527, 8106)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

SOURCE_MAC, TARGET_MAC, PREFIX, REDIRECTED, MTU, NONCE = 1, 2, 3, 4, 5, 14
ROUTE, RESOLVERS, SEARCH = 24, 25, 31

FOREVER_S = 0xFFFFFFFF
"""A lifetime without an end."""

_PREFIX = Struct("!BBBBIII16s")
_ROUTE = Struct("!BBBBI")
_LIFETIME = Struct("!BBHI")


class Prefix:
    """A prefix of the link (RFC 4861, 4.6.2)."""

    __slots__ = ("autonomous", "length", "on_link", "preferred_s", "prefix", "valid_s")

    def __init__(
        self,
        prefix: bytes,
        length: int,
        on_link: bool,
        autonomous: bool,
        valid_s: int,
        preferred_s: int,
    ) -> None:
        self.prefix = prefix
        """16 bytes; those behind the length mean nothing."""
        self.length = length
        self.on_link = on_link
        self.autonomous = autonomous
        """Hosts make addresses of it (RFC 4862)."""
        self.valid_s = valid_s
        self.preferred_s = preferred_s


class RouteInformation:
    """A more specific route through a router (RFC 4191, 2.3)."""

    __slots__ = ("length", "lifetime_s", "preference", "prefix")

    def __init__(self, prefix: bytes, length: int, preference: int, lifetime_s: int) -> None:
        self.prefix = prefix
        """16 bytes."""
        self.length = length
        self.preference = preference
        self.lifetime_s = lifetime_s


class Options:
    """All options of a message."""

    __slots__ = (
        "ip_mtu", "nonce", "prefixes", "redirected", "resolvers", "routes", "search", "source_mac",
        "target_mac",
    )  # fmt: skip

    def __init__(
        self, source_mac: bytes | None = None, target_mac: bytes | None = None, nonce: bytes = b""
    ) -> None:
        self.source_mac = source_mac
        self.target_mac = target_mac
        self.nonce = nonce
        """RFC 7527: whether a solicitation that comes is our own."""
        self.prefixes: list[Prefix] = []
        self.ip_mtu: int | None = None
        self.redirected = b""
        """The beginning of the packet that a redirect is about."""
        self.routes: list[RouteInformation] = []
        self.resolvers: list[tuple[int, list[bytes]]] = []
        """DNS servers: (seconds of life, addresses)."""
        self.search: list[tuple[int, list[str]]] = []
        """Domains to search: (seconds of life, names)."""


def parse_options(data: Buffer, at: int) -> Options:
    """The options from there to the end. Unknown ones are skipped, and known ones of a length that
    cannot be; a length of 0 is no message (RFC 4861, 4.6)."""
    options = Options()
    size = len(data)
    while at < size:
        if at + 2 > size:
            raise WireError("ndp_option_short")
        length = data[at + 1] * 8
        if not length:
            raise WireError("ndp_option_length_zero")
        if at + length > size:
            raise WireError("ndp_option_short")
        _option(options, bytes(data[at : at + length]))
        at += length
    return options


def _option(options: Options, data: bytes) -> None:
    kind, size = data[0], len(data)
    if kind == SOURCE_MAC:
        if size == 8:
            options.source_mac = data[2:8]
    elif kind == TARGET_MAC:
        if size == 8:
            options.target_mac = data[2:8]
    elif kind == PREFIX:
        if size == 32 and data[2] <= 128:
            _, _, length, flags, valid_s, preferred_s, _, prefix = _PREFIX.unpack(data)
            options.prefixes.append(
                Prefix(prefix, length, flags & 0x80 != 0, flags & 0x40 != 0, valid_s, preferred_s)
            )
    elif kind == REDIRECTED:
        options.redirected = data[8:]
    elif kind == MTU:
        if size == 8:
            options.ip_mtu = int.from_bytes(data[4:8], "big")
    elif kind == NONCE:
        options.nonce = data[2:]
    elif kind == ROUTE:
        _route(options, data)
    elif kind == RESOLVERS:
        if size >= 24 and size % 16 == 8:
            addresses = [data[place : place + 16] for place in range(8, size, 16)]
            options.resolvers.append((int.from_bytes(data[4:8], "big"), addresses))
    elif kind == SEARCH and size >= 16:
        options.search.append((int.from_bytes(data[4:8], "big"), _parse_names(data[8:])))


def _route(options: Options, data: bytes) -> None:
    size = len(data)
    _, _, length, flags, lifetime_s = _ROUTE.unpack_from(data)
    # As many bytes of the prefix as it needs, or more (RFC 4191, 2.3).
    if length > 128 or size > 24 or size < 8 + (length + 63) // 64 * 8:
        return
    # The reserved preference has the option ignored.
    preference = (0, 1, 2, -1)[flags >> 3 & 3]
    if preference != 2:
        prefix = data[8:] + bytes(24 - size)
        options.routes.append(RouteInformation(prefix, length, preference, lifetime_s))


def _parse_names(data: bytes) -> list[str]:
    """Names without compression, with zeros behind (RFC 8106, 5.2). Of names that are none, those
    before are good."""
    names: list[str] = []
    labels: list[str] = []
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        if not size:
            if not labels:
                break
            names.append(".".join(labels))
            labels = []
            continue
        label = data[at : at + size]
        if size > 63 or len(label) < size or not _is_host_label(label):
            break
        labels.append(label.decode("ascii"))
        at += size
    return names


def _is_host_label(label: bytes) -> bool:
    """What may be in /etc/resolv.conf: letters, digits, hyphens, underscores."""
    return label.replace(b"-", b"").replace(b"_", b"a").isalnum()


def emit_options(options: Options) -> bytes:
    """Options in a message."""
    data = b""
    if options.source_mac is not None:
        data += b"\x01\x01" + options.source_mac
    if options.target_mac is not None:
        data += b"\x02\x01" + options.target_mac
    for prefix in options.prefixes:
        data += _PREFIX.pack(
            PREFIX,
            4,
            prefix.length,
            prefix.on_link << 7 | prefix.autonomous << 6,
            prefix.valid_s,
            prefix.preferred_s,
            0,
            prefix.prefix,
        )
    if options.redirected:
        data += _padded(bytes((REDIRECTED, 0, 0, 0, 0, 0, 0, 0)) + options.redirected)
    if options.ip_mtu is not None:
        data += _LIFETIME.pack(MTU, 1, 0, options.ip_mtu)
    if options.nonce:
        data += _padded(bytes((NONCE, 0)) + options.nonce)
    for route in options.routes:
        used = (route.length + 63) // 64 * 8
        flags = (route.preference & 3) << 3
        head = _ROUTE.pack(ROUTE, 1 + used // 8, route.length, flags, route.lifetime_s)
        data += head + route.prefix[:used]
    for lifetime_s, addresses in options.resolvers:
        data += _padded(_LIFETIME.pack(RESOLVERS, 0, 0, lifetime_s) + b"".join(addresses))
    for lifetime_s, names in options.search:
        text = b"".join(
            b"".join(bytes((len(label),)) + label.encode("ascii") for label in name.split("."))
            + b"\0"
            for name in names
        )
        data += _padded(_LIFETIME.pack(SEARCH, 0, 0, lifetime_s) + text)
    return data


def _padded(option: bytes) -> bytes:
    """An option with its length set, and zeros to a multiple of 8."""
    option += bytes(-len(option) % 8)
    return option[:1] + bytes((len(option) // 8,)) + option[2:]
