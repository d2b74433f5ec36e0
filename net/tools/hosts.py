"""What the tools have in common: names and addresses of hosts, and how times are written."""

from __future__ import annotations

import socket


class ToolError(Exception):
    """A tool cannot do what it is asked for; the message says why, for people."""


def resolve(host: str, family: int = 0) -> tuple[int, tuple[str, int, int]]:
    """A host's first address: its family, and (text, flow, scope) of it. Raises ToolError."""
    try:
        found = socket.getaddrinfo(host, None, family, socket.SOCK_DGRAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else "not a name"
        raise ToolError(f"{host}: {reason}") from error
    chosen, _, _, _, address = found[0]
    if len(address) == 4:
        return chosen, (str(address[0]), int(address[2]), int(address[3]))
    return chosen, (str(address[0]), 0, 0)


def socket_address(family: int, address: tuple[str, int, int], port: int = 0) -> tuple[object, ...]:
    """For sendto(2)."""
    text, flow, scope = address
    return (text, port, flow, scope) if family == socket.AF_INET6 else (text, port)


def name_of(address: str) -> str:
    """The name of an address, or the address itself."""
    try:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        return address


def milliseconds(time_ns: int) -> str:
    """With as many digits as ping has."""
    ms = time_ns / 1e6
    if ms >= 100:
        return f"{ms:.0f}"
    if ms >= 10:
        return f"{ms:.1f}"
    return f"{ms:.2f}" if ms >= 1 else f"{ms:.3f}"
