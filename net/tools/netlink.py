"""Questions about interfaces, addresses, routes and neighbors, by netlink (rtnetlink(7))."""

from __future__ import annotations

import os
import socket
from struct import Struct

from ovum.net.tools.hosts import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

GET_LINK, GET_ADDRESS, GET_ROUTE, GET_NEIGHBOR = 18, 22, 26, 30

_ERROR, _DONE = 2, 3
_REQUEST_DUMP = 0x301
_HEADER = Struct("<IHHII")
_LINK = Struct("<BxHiII")
_ADDRESS = Struct("<BBBBI")
_ROUTE = Struct("<BBBBBBBBI")
_NEIGHBOR = Struct("<BxxxiHBB")
_SIZES = {GET_LINK: 16, GET_ADDRESS: 8, GET_ROUTE: 12, GET_NEIGHBOR: 12}


def dump(kind: int, family: int = 0) -> list[tuple[bytes, dict[int, bytes]]]:
    """All there is of a kind: the structure of each, and its attributes. Raises ToolError."""
    question = _HEADER.pack(32, kind, _REQUEST_DUMP, 1, 0) + bytes((family,)) + bytes(15)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asking:
            asking.bind((0, 0))
            asking.sendto(question, (0, 0))
            found: list[tuple[bytes, dict[int, bytes]]] = []
            while True:
                for place, body in messages(asking.recv(65536)):
                    if place == _DONE:
                        return found
                    if place == _ERROR:
                        number = -int.from_bytes(body[:4], "little", signed=True)
                        raise ToolError(f"netlink: {os.strerror(number)}")
                    size = _SIZES[kind]
                    if len(body) >= size:
                        found.append((body[:size], attributes(body[size:])))
    except OSError as error:
        raise ToolError(f"netlink: {error.strerror}") from error


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of the messages in a datagram."""
    at = 0
    while at + 16 <= len(data):
        size, kind, _, _, _ = _HEADER.unpack_from(data, at)
        if size < 16 or at + size > len(data):
            return
        yield kind, data[at + 16 : at + size]
        at += (size + 3) & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """By their numbers; of those that come twice the last."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 2], "little")
        if size < 4 or at + size > len(data):
            break
        found[int.from_bytes(data[at + 2 : at + 4], "little") & 0x3FFF] = data[at + 4 : at + size]
        at += (size + 3) & ~3
    return found


def number(values: dict[int, bytes], kind: int, default: int = 0) -> int:
    """An attribute that is a number."""
    value = values.get(kind)
    return default if value is None else int.from_bytes(value, "little")


class Link:
    """An interface."""

    __slots__ = ("address", "broadcast", "flags", "hardware", "index", "mtu", "name", "qdisc",
                 "queue", "state")  # fmt: skip

    def __init__(self, structure: bytes, values: dict[int, bytes]) -> None:
        _, self.hardware, self.index, self.flags, _ = _LINK.unpack(structure)
        self.name = values.get(3, b"").rstrip(b"\0").decode("ascii", "replace")
        self.address = values.get(1, b"")
        self.broadcast = values.get(2, b"")
        self.mtu = number(values, 4)
        self.qdisc = values.get(6, b"").rstrip(b"\0").decode("ascii", "replace")
        self.queue = number(values, 13)
        self.state = number(values, 16)


class Address:
    """An address of one."""

    __slots__ = ("address", "broadcast", "family", "flags", "index", "label", "length", "preferred",
                 "scope", "valid")  # fmt: skip

    def __init__(self, structure: bytes, values: dict[int, bytes]) -> None:
        self.family, self.length, flags, self.scope, self.index = _ADDRESS.unpack(structure)
        self.flags = number(values, 8, flags)
        self.address = values.get(2) or values.get(1, b"")
        self.broadcast = values.get(4, b"")
        self.label = values.get(3, b"").rstrip(b"\0").decode("ascii", "replace")
        times = values.get(6, b"\xff" * 8)
        self.preferred = int.from_bytes(times[:4], "little")
        self.valid = int.from_bytes(times[4:8], "little")


class Route:
    """A route."""

    __slots__ = ("destination", "family", "gateway", "index", "length", "metric", "preference",
                 "protocol", "scope", "source", "table", "type")  # fmt: skip

    def __init__(self, structure: bytes, values: dict[int, bytes]) -> None:
        (self.family, self.length, _, _, table, self.protocol, self.scope, self.type, _) = (
            _ROUTE.unpack(structure)
        )
        self.table = number(values, 15, table)
        self.destination = values.get(1, b"")
        """Empty: the default route."""
        self.index = number(values, 4)
        self.gateway = values.get(5, b"")
        self.metric = number(values, 6)
        self.source = values.get(7, b"")
        self.preference = values.get(20, b"")


class Neighbor:
    """A neighbor."""

    __slots__ = ("address", "family", "flags", "index", "mac", "state", "type")

    def __init__(self, structure: bytes, values: dict[int, bytes]) -> None:
        self.family, self.index, self.state, self.flags, self.type = _NEIGHBOR.unpack(structure)
        self.address = values.get(1, b"")
        self.mac = values.get(2, b"")


def links() -> list[Link]:
    """All interfaces."""
    return [Link(*one) for one in dump(GET_LINK)]


def addresses(family: int = 0) -> list[Address]:
    """All addresses."""
    return [Address(*one) for one in dump(GET_ADDRESS, family)]


def routes(family: int = 0) -> list[Route]:
    """All routes of the main table, groups' left out."""
    found = [Route(*one) for one in dump(GET_ROUTE, family)]
    return [route for route in found if route.table == 254 and route.type == 1]


def neighbors(family: int = 0) -> list[Neighbor]:
    """All neighbors that are in use."""
    return [Neighbor(*one) for one in dump(GET_NEIGHBOR, family)]
