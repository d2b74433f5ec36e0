"""nslookup: what DNS says of a name (nslookup(1)), asked by itself and not through the resolver."""

from __future__ import annotations

import os
import socket
import time

from ovum.net.tools.hosts import ToolError
from ovum.net.wire import addr, dns
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLV_CONF = "/etc/resolv.conf"

MAX_ALIASES = 16
"""In a row, before it is a loop."""


class Resolvers:
    """What resolv.conf(5) says."""

    __slots__ = ("attempts", "ndots", "search", "servers", "timeout")

    def __init__(self) -> None:
        self.servers: list[str] = []
        self.search: list[str] = []
        self.ndots = 1
        self.timeout = 5
        self.attempts = 2


def parse_resolv_conf(text: str) -> Resolvers:
    """Its text, what is unknown left out."""
    found = Resolvers()
    for line in text.splitlines():
        words = line.partition("#")[0].partition(";")[0].split()
        if not words:
            continue
        keyword, values = words[0], words[1:]
        if keyword == "nameserver" and values:
            found.servers.append(values[0])
        elif keyword in ("search", "domain"):
            found.search = values
        elif keyword == "options":
            for value in values:
                name, _, number = value.partition(":")
                if name in ("ndots", "timeout", "attempts") and number.isdigit():
                    setattr(found, name, max(int(name != "ndots"), min(int(number), 30)))
    return found


def candidates(name: str, resolvers: Resolvers) -> list[str]:
    """The names to ask for, in this order (resolv.conf(5): search and ndots)."""
    if name.endswith("."):
        return [name]
    searched = [f"{name}.{domain}" for domain in resolvers.search]
    return [name, *searched] if name.count(".") >= resolvers.ndots else [*searched, name]


def ask(
    server: str, name: str, kind: int, timeout: float = 5.0, attempts: int = 2, port: int = dns.PORT
) -> dns.Message:
    """Asks one server: by UDP, and by TCP if the answer does not fit. Raises ToolError."""
    try:
        encoded = name if name.isascii() else name.encode("idna").decode("ascii")
        ident = int.from_bytes(os.urandom(2), "big")
        data = dns.emit_query(ident, encoded, kind)
        family, _, _, _, address = socket.getaddrinfo(
            server, port, 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST
        )[0]
    except (ValueError, socket.gaierror) as error:
        raise ToolError(f"{error}") from error
    query = dns.parse(data)
    response = None
    for _ in range(attempts):
        response = _ask_by_udp(family, address, data, query, timeout)
        if response is not None:
            break
    if response is None:
        raise ToolError("connection timed out; no servers could be reached")
    if response.flags & dns.TRUNCATED:
        return _ask_by_tcp(family, address, data, query, timeout)
    return response


def _ask_by_udp(
    family: int, address: object, data: bytes, query: dns.Message, timeout: float
) -> dns.Message | None:
    """A new socket, so a new random port, for each attempt (RFC 5452)."""
    until = time.monotonic() + timeout
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(address)  # type: ignore[arg-type]
            asking.send(data)
            while True:
                left = until - time.monotonic()
                if left <= 0:
                    return None
                asking.settimeout(left)
                try:
                    response = dns.parse(asking.recv(65535))
                except WireError:
                    continue
                if dns.answers_query(response, query):
                    return response
        except TimeoutError:
            return None
        except OSError as error:
            raise ToolError(f"communications error: {error.strerror}") from error


def _ask_by_tcp(
    family: int, address: object, data: bytes, query: dns.Message, timeout: float
) -> dns.Message:
    with socket.socket(family, socket.SOCK_STREAM) as asking:
        asking.settimeout(timeout)
        try:
            asking.connect(address)  # type: ignore[arg-type]
            asking.sendall(len(data).to_bytes(2, "big") + data)
            size = int.from_bytes(_exactly(asking, 2), "big")
            response = dns.parse(_exactly(asking, size))
        except OSError as error:
            raise ToolError(f"communications error: {error.strerror or error}") from error
        except WireError as error:
            raise ToolError(f"a malformed answer: {error.reason}") from error
    if not dns.answers_query(response, query):
        raise ToolError("an answer to something else")
    return response


def _exactly(asking: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = asking.recv(size - len(data))
        if not part:
            raise ToolError("the server has closed the connection")
        data += part
    return bytes(data)


def answer_lines(message: dns.Message, name: str) -> list[str]:
    """The records that answer the question, following aliases from its name."""
    lines = []
    wanted = name.rstrip(".").lower()
    aliases = 0
    for record in message.answers:
        kind, owner = record.kind, record.name
        if kind == dns.CNAME and owner.lower() == wanted and aliases < MAX_ALIASES:
            aliases += 1
            wanted = record.text.lower()
            lines.append(f"{owner}\tcanonical name = {record.text}.")
        elif kind in (dns.A, dns.AAAA):
            lines += [f"Name:\t{owner}", f"Address: {record.text}"]
        elif kind == dns.PTR:
            lines.append(f"{owner}\tname = {record.text}.")
        elif kind == dns.MX:
            lines.append(f"{owner}\tmail exchanger = {record.text}.")
        elif kind == dns.NS:
            lines.append(f"{owner}\tnameserver = {record.text}.")
        elif kind == dns.TXT:
            lines.append(f"{owner}\ttext = {record.text}")
        elif kind == dns.SRV:
            lines.append(f"{owner}\tservice = {record.text}.")
        elif kind == dns.SOA:
            lines.append(f"{owner}\tsoa = {record.text}")
        elif kind != dns.CNAME:
            lines.append(f"{owner}\trdata_{kind} = {record.text}")
    return lines


def _kinds(name: str, kind: str) -> tuple[str, list[int]]:
    """The name to ask for, and the types."""
    if not kind:
        try:
            return dns.reverse_name(addr.parse(name)) + ".", [dns.PTR]
        except ValueError:
            return name, [dns.A, dns.AAAA]
    for number, text in dns.TYPES.items():
        if text == kind.upper() and number != dns.OPT:
            return name, [number]
    raise ToolError(f"unknown query type: {kind}")


def nslookup(
    name: str, server: str = "", kind: str = "", *, port: int = dns.PORT, path: str = RESOLV_CONF
) -> list[dns.Record]:
    """Prints what DNS says of a name, or of an address: its name.

    server: whom to ask; without it, those of /etc/resolv.conf in turn. kind: A, AAAA, MX, NS, TXT,
    SOA, SRV, PTR, CNAME, CAA or ANY; without it, addresses. Returns the records. Raises ToolError.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            resolvers = parse_resolv_conf(file.read())
    except OSError:
        resolvers = Resolvers()
    name, kinds = _kinds(name, kind)
    if server:
        resolvers.servers = [socket.gethostbyname(server)] if not _is_address(server) else [server]
    if not resolvers.servers:
        raise ToolError(f"{path} names no server")
    used, code = "", dns.NO_ERROR
    found: list[dns.Record] = []
    for candidate in candidates(name, resolvers):
        responses = []
        for wanted in kinds:
            used, response = _ask_in_turn(resolvers, candidate, wanted, port, used)
            responses.append(response)
        code = responses[0].code
        answered = [response for response in responses if response.answers]
        if answered or code == dns.NO_ERROR:
            if not answered:
                print(f"*** Can't find {candidate}: No answer")
            elif not answered[0].flags & dns.AUTHORITATIVE:
                print("Non-authoritative answer:")
            for response in answered:
                for line in answer_lines(response, candidate):
                    print(line)
                found += response.answers
            return found
    text = dns.CODES[code] if code < len(dns.CODES) else f"code {code}"
    print(f"** server can't find {name.rstrip('.')}: {text}")
    return found


def _is_address(text: str) -> bool:
    try:
        addr.parse_zone(text)
    except ValueError:
        return False
    return True


def _ask_in_turn(
    resolvers: Resolvers, name: str, kind: int, port: int, used: str
) -> tuple[str, dns.Message]:
    """Asks the server that has answered before, or one after the other; says which it is."""
    servers: Sequence[str] = [used] if used else resolvers.servers
    for place, server in enumerate(servers):
        try:
            response = ask(server, name, kind, resolvers.timeout, resolvers.attempts, port)
        except ToolError as error:
            if place == len(servers) - 1:
                raise
            print(f";; {server}#{port}: {error}")
            continue
        if not used:
            print(f"Server:\t\t{server}\nAddress:\t{server}#{port}\n", flush=True)
        return server, response
    raise ToolError("no servers could be reached")
