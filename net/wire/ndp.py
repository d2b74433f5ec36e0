"""Neighbor discovery: what is in its ICMPv6 messages (RFC 4861, sections 4 and 6.1, 7.1, 8.1)."""

from __future__ import annotations

from struct import Struct

from ovum.net.wire import addr
from ovum.net.wire.errors import WireError
from ovum.net.wire.icmpv6 import (
    NEIGHBOR_ADVERTISEMENT,
    NEIGHBOR_SOLICITATION,
    REDIRECT,
    ROUTER_ADVERTISEMENT,
    ROUTER_SOLICITATION,
)
from ovum.net.wire.ndp_options import Options, emit_options, parse_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytes | bytearray | memoryview

HOP_LIMIT = 255
"""Of all these messages: so no router can have passed one on."""

LOW, MEDIUM, HIGH = -1, 0, 1
"""Preferences of routers and routes (RFC 4191, 2.1)."""

_SOLICITED_PREFIX = addr.solicited_node(bytes(16))[:13]

_ADVERTISEMENT = Struct("!BBHBBHII")
_TARGET = Struct("!BBHI16s")
_REDIRECT = Struct("!BBHI16s16s")


class RouterSolicitation:
    """A host asks for routers."""

    __slots__ = ("options",)

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()


class RouterAdvertisement:
    """A router tells of itself and of the link."""

    __slots__ = (
        "hop_limit", "lifetime_s", "managed", "options", "other", "preference", "reachable_ms",
        "retransmit_ms",
    )  # fmt: skip

    def __init__(
        self,
        lifetime_s: int,
        options: Options | None = None,
        *,
        hop_limit: int = 0,
        managed: bool = False,
        other: bool = False,
        preference: int = MEDIUM,
        reachable_ms: int = 0,
        retransmit_ms: int = 0,
    ) -> None:
        self.lifetime_s = lifetime_s
        """As a default router; 0: it is none."""
        self.options = options or Options()
        self.hop_limit = hop_limit
        """0: not said; so also the times below."""
        self.managed = managed
        """DHCPv6 gives addresses."""
        self.other = other
        """DHCPv6 gives other things."""
        self.preference = preference
        self.reachable_ms = reachable_ms
        self.retransmit_ms = retransmit_ms


class NeighborSolicitation:
    """Somebody asks for a neighbor's link address."""

    __slots__ = ("options", "target")

    def __init__(self, target: bytes, options: Options | None = None) -> None:
        self.target = target
        self.options = options or Options()


class NeighborAdvertisement:
    """A neighbor tells its link address."""

    __slots__ = ("options", "override", "router", "solicited", "target")

    def __init__(
        self,
        target: bytes,
        options: Options | None = None,
        *,
        router: bool = False,
        solicited: bool = False,
        override: bool = False,
    ) -> None:
        self.target = target
        self.options = options or Options()
        self.router = router
        self.solicited = solicited
        self.override = override


class Redirect:
    """A router tells of a better first hop."""

    __slots__ = ("destination", "options", "target")

    def __init__(self, target: bytes, destination: bytes, options: Options | None = None) -> None:
        self.target = target
        """The better hop; the destination itself, if that is on the link."""
        self.destination = destination
        self.options = options or Options()


Message = (
    RouterSolicitation
    | RouterAdvertisement
    | NeighborSolicitation
    | NeighborAdvertisement
    | Redirect
)


def parse(data: Buffer, src: bytes, dst: bytes, hop_limit: int) -> Message:
    """One of the five messages, from its ICMPv6 header on, valid by the rules of RFC 4861. The
    checksum has been looked at before."""
    if len(data) < 8:
        raise WireError("ndp_short")
    if hop_limit != HOP_LIMIT:
        raise WireError("ndp_hop_limit_bad")
    if data[1]:
        raise WireError("ndp_code_bad")
    kind = data[0]
    if kind == NEIGHBOR_SOLICITATION:
        return _neighbor_solicitation(data, src, dst)
    if kind == NEIGHBOR_ADVERTISEMENT:
        return _neighbor_advertisement(data, dst)
    if kind == ROUTER_ADVERTISEMENT:
        return _router_advertisement(data, src)
    if kind == ROUTER_SOLICITATION:
        options = parse_options(data, 8)
        if options.source_mac is not None and not any(src):
            raise WireError("ndp_source_unspecified")
        return RouterSolicitation(options)
    if kind == REDIRECT:
        return _redirect(data, src)
    raise WireError("ndp_type_unknown")


def _neighbor_solicitation(data: Buffer, src: bytes, dst: bytes) -> NeighborSolicitation:
    target, options = _target(data)
    # Duplicate address detection (7.1.1): to the solicited-node group, and nothing to answer to.
    if not any(src) and (dst[:13] != _SOLICITED_PREFIX or options.source_mac is not None):
        raise WireError("ndp_source_unspecified")
    return NeighborSolicitation(target, options)


def _neighbor_advertisement(data: Buffer, dst: bytes) -> NeighborAdvertisement:
    target, options = _target(data)
    flags = data[4]
    if flags & 0x40 and addr.is_multicast(dst):
        raise WireError("ndp_solicited_to_group")
    return NeighborAdvertisement(
        target,
        options,
        router=flags & 0x80 != 0,
        solicited=flags & 0x40 != 0,
        override=flags & 0x20 != 0,
    )


def _target(data: Buffer) -> tuple[bytes, Options]:
    if len(data) < 24:
        raise WireError("ndp_short")
    target = bytes(data[8:24])
    if addr.is_multicast(target):
        raise WireError("ndp_target_is_group")
    return target, parse_options(data, 24)


def _router_advertisement(data: Buffer, src: bytes) -> RouterAdvertisement:
    if len(data) < 16:
        raise WireError("ndp_short")
    if not addr.is_link_local(src):
        raise WireError("ndp_router_not_link_local")
    _, _, _, hop_limit, flags, lifetime_s, reachable_ms, retransmit_ms = _ADVERTISEMENT.unpack_from(
        data
    )
    return RouterAdvertisement(
        lifetime_s,
        parse_options(data, 16),
        hop_limit=hop_limit,
        managed=flags & 0x80 != 0,
        other=flags & 0x40 != 0,
        preference=(MEDIUM, HIGH, MEDIUM, LOW)[flags >> 3 & 3],
        reachable_ms=reachable_ms,
        retransmit_ms=retransmit_ms,
    )


def _redirect(data: Buffer, src: bytes) -> Redirect:
    if len(data) < 40:
        raise WireError("ndp_short")
    if not addr.is_link_local(src):
        raise WireError("ndp_router_not_link_local")
    target, destination = bytes(data[8:24]), bytes(data[24:40])
    if addr.is_multicast(destination):
        raise WireError("ndp_target_is_group")
    if target != destination and not addr.is_link_local(target):
        raise WireError("ndp_redirect_target_bad")
    return Redirect(target, destination, parse_options(data, 40))


def emit(message: Message) -> bytes:
    """A message from its ICMPv6 header on; its checksum is filled in below."""
    if isinstance(message, NeighborSolicitation):
        head = _TARGET.pack(NEIGHBOR_SOLICITATION, 0, 0, 0, message.target)
    elif isinstance(message, NeighborAdvertisement):
        flags = message.router << 31 | message.solicited << 30 | message.override << 29
        head = _TARGET.pack(NEIGHBOR_ADVERTISEMENT, 0, 0, flags, message.target)
    elif isinstance(message, RouterSolicitation):
        head = bytes((ROUTER_SOLICITATION, 0, 0, 0, 0, 0, 0, 0))
    elif isinstance(message, RouterAdvertisement):
        head = _ADVERTISEMENT.pack(
            ROUTER_ADVERTISEMENT,
            0,
            0,
            message.hop_limit,
            message.managed << 7 | message.other << 6 | (message.preference & 3) << 3,
            message.lifetime_s,
            message.reachable_ms,
            message.retransmit_ms,
        )
    else:
        head = _REDIRECT.pack(REDIRECT, 0, 0, 0, message.target, message.destination)
    return head + emit_options(message.options)
