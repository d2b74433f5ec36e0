"""The tools as commands: words in, an exit status out. A shell has them by `run`."""

from __future__ import annotations

import argparse
import sys

from ovum.net.tools import (
    ToolError,
    fetch,
    ip,
    netstat,
    nslookup,
    ping,
    tcpdump,
    traceroute,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

_INET, _INET6 = 2, 10


def _family(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-4", dest="family", action="store_const", const=_INET, help="IPv4 only")
    which.add_argument("-6", dest="family", action="store_const", const=_INET6, help="IPv6 only")
    parser.set_defaults(family=0)


def _ping(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("host")
    parser.add_argument("-c", dest="count", type=int, default=0, help="how many requests")
    parser.add_argument("-i", dest="interval", type=float, default=1.0, help="seconds between")
    parser.add_argument("-s", dest="size", type=int, default=56, help="bytes of data")
    parser.add_argument("-t", dest="ttl", type=int, default=0, help="time to live")
    parser.add_argument("-W", dest="wait", type=float, default=2.0, help="seconds for the last")
    _family(parser)

    def run(given: Namespace) -> int:
        result = ping(
            given.host,
            given.count,
            given.interval,
            size=given.size,
            wait=given.wait,
            ttl=given.ttl,
            family=given.family,
        )
        return 0 if result.received else 1

    return run


def _traceroute(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("host")
    parser.add_argument("-m", dest="hops", type=int, default=30, help="how far")
    parser.add_argument("-q", dest="probes", type=int, default=3, help="probes for each hop")
    parser.add_argument("-w", dest="wait", type=float, default=3.0, help="seconds for each answer")
    parser.add_argument("-n", dest="names", action="store_false", help="addresses, not names")
    _family(parser)

    def run(given: Namespace) -> int:
        traceroute(
            given.host,
            given.hops,
            given.probes,
            given.wait,
            names=given.names,
            family=given.family,
        )
        return 0

    return run


def _nslookup(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("name")
    parser.add_argument("server", nargs="?", default="")
    parser.add_argument("-type", dest="kind", default="", help="A, AAAA, MX, …")
    parser.add_argument("-port", type=int, default=53)

    def run(given: Namespace) -> int:
        return (
            0 if nslookup(given.name, given.server, given.kind.rstrip("."), port=given.port) else 1
        )

    return run


def _netstat(parser: ArgumentParser) -> Callable[[Namespace], int]:
    for letter, name, text in (
        ("a", "everything", "servers and connections"),
        ("l", "listening", "servers"),
        ("t", "tcp", "TCP"),
        ("u", "udp", "UDP"),
        ("w", "raw", "raw sockets"),
        ("x", "unix", "sockets of this machine"),
        ("r", "routes", "routes"),
        ("i", "interfaces", "interfaces"),
        ("s", "statistics", "what has been counted"),
        ("n", "numeric", "numbers: so it always is"),
    ):
        parser.add_argument(f"-{letter}", dest=name, action="store_true", help=text)

    def run(given: Namespace) -> int:
        every = ("tcp", "udp", "raw", "unix")
        netstat(
            everything=given.everything,
            listening=given.listening,
            protocols=[name for name in every if getattr(given, name)] or every,
            routes=given.routes,
            interfaces=given.interfaces,
            statistics=given.statistics,
        )
        return 0

    return run


def _ip(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("what", nargs="?", default="addr", help="addr, link, route or neigh")
    parser.add_argument("words", nargs="*", help="show, dev NAME")
    _family(parser)

    def run(given: Namespace) -> int:
        words = [word for word in given.words if word not in ("show", "list", "dev")]
        if len(words) > 1:
            raise ToolError(f'"{words[1]}" is not understood')
        ip(given.what, given.family, words[0] if words else "")
        return 0

    return run


def _tcpdump(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("-i", dest="interface", default="", help="of this interface")
    parser.add_argument("-c", dest="count", type=int, default=0, help="so many frames")
    parser.add_argument("-w", dest="write", default="", help="into this file")
    parser.add_argument("-r", dest="read", default="", help="from this file")
    parser.add_argument("-X", dest="hexadecimal", action="store_true", help="bytes, too")
    parser.add_argument("-n", dest="numeric", action="store_true", help="numbers: so it always is")
    parser.add_argument("filter", nargs="*", help="which frames: tcp port 80 and not host …")

    def run(given: Namespace) -> int:
        tcpdump(
            "" if given.interface == "any" else given.interface,
            given.count,
            " ".join(given.filter),
            hexadecimal=given.hexadecimal,
            write=given.write,
            read=given.read,
        )
        return 0

    return run


def _fetch(parser: ArgumentParser) -> Callable[[Namespace], int]:
    parser.add_argument("url")
    parser.add_argument("-o", dest="output", default="", help="into this file")
    parser.add_argument("-i", dest="headers", action="store_true", help="the headers, too")
    parser.add_argument("-k", dest="insecure", action="store_true", help="whoever the server is")

    def run(given: Namespace) -> int:
        fetch(given.url, given.output, headers=given.headers, insecure=given.insecure)
        return 0

    return run


COMMANDS: dict[str, Callable[[ArgumentParser], Callable[[Namespace], int]]] = {
    "ping": _ping,
    "traceroute": _traceroute,
    "nslookup": _nslookup,
    "netstat": _netstat,
    "ip": _ip,
    "tcpdump": _tcpdump,
    "fetch": _fetch,
}


def run(words: Sequence[str]) -> int:
    """Runs a command: its name and arguments. The status: 0, 1 (no answer, an error), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="ovum.net.tools", description=__doc__)
    tools = parser.add_subparsers(dest="tool", required=True, metavar="tool")
    for name, define in COMMANDS.items():
        tool = tools.add_parser(name)
        tool.set_defaults(run=define(tool))
    try:
        given = parser.parse_args(list(words))
    except SystemExit as end:
        return int(end.code or 0)
    try:
        status: int = given.run(given)
    except ToolError as error:
        print(f"{given.tool}: {error}", file=sys.stderr)
        return 1
    return status
