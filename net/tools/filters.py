"""Which frames tcpdump shows: a small part of pcap-filter(7).

tcp  udp  icmp  icmp6  igmp  arp  ip  ip6        of this protocol
host ADDRESS  net PREFIX  port NUMBER            with src or dst before it: that end only
not A  A and B  A or B  (A)
"""

from __future__ import annotations

from contextlib import suppress

from ovum.net.tools.hosts import ToolError
from ovum.net.wire import addr, arp, ethernet, ipv4, ipv6
from ovum.net.wire.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Test = Callable[["Facts"], bool]

_PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "icmp6": 58}
_NESTED_MOST = 50


class Facts:
    """What a filter asks for of a frame; what is malformed has less of it."""

    __slots__ = ("dst", "dst_port", "names", "src", "src_port")

    def __init__(self, frame: bytes) -> None:
        self.names: set[str] = set()
        self.src = self.dst = b""
        self.src_port = self.dst_port = -1
        with suppress(WireError):
            self._read(frame)

    def _read(self, frame: bytes) -> None:
        _, _, kind = ethernet.parse(frame)
        data = frame[ethernet.SIZE :]
        if kind == ethernet.ARP:
            self.names.add("arp")
            packet = arp.parse(data)
            self.src, self.dst = packet.sender, packet.target
        elif kind == ethernet.IPV4:
            self.names.add("ip")
            header = ipv4.parse(data)
            self.src, self.dst = header.src, header.dst
            self._transport(
                header.protocol,
                b"" if header.fragment_offset else data[header.header_size : header.total_length],
            )
        elif kind == ethernet.IPV6:
            self.names.add("ip6")
            fixed = ipv6.parse(data)
            self.src, self.dst = fixed.src, fixed.dst
            packet6 = data[: ipv6.SIZE + fixed.payload_length]
            chain = ipv6.walk(packet6)
            self._transport(
                chain.protocol, b"" if chain.fragment_offset else packet6[chain.offset :]
            )

    def _transport(self, protocol: int, data: bytes) -> None:
        for name, number in _PROTOCOLS.items():
            if protocol == number:
                self.names.add(name)
        if protocol in (6, 17) and len(data) >= 4:
            self.src_port = int.from_bytes(data[:2], "big")
            self.dst_port = int.from_bytes(data[2:4], "big")


def compile_filter(text: str) -> Callable[[bytes], bool]:
    """Whether a frame passes; an empty text lets all pass. Raises ToolError."""
    words = text.replace("(", " ( ").replace(")", " ) ").split()
    if not words:
        return _all
    parser = _Parser(words)
    test = parser.either(0)
    if parser.at < len(words):
        raise ToolError(f"filter: {words[parser.at]!r} is not understood")

    def passes(frame: bytes) -> bool:
        return test(Facts(frame))

    return passes


def _all(frame: bytes) -> bool:
    return True


class _Parser:
    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.at = 0

    def next(self) -> str:
        """The next word; empty at the end."""
        word = self.words[self.at] if self.at < len(self.words) else ""
        self.at += 1
        return word

    def follows(self, *wanted: str) -> bool:
        """Takes the next word if it is one of these."""
        if self.at < len(self.words) and self.words[self.at] in wanted:
            self.at += 1
            return True
        return False

    def either(self, depth: int) -> Test:
        """A or B."""
        if depth > _NESTED_MOST:
            raise ToolError("filter: too many parentheses")
        tests = [self.both(depth)]
        while self.follows("or", "||"):
            tests.append(self.both(depth))
        return lambda facts: any(test(facts) for test in tests)

    def both(self, depth: int) -> Test:
        """A and B."""
        tests = [self.single(depth)]
        while self.follows("and", "&&"):
            tests.append(self.single(depth))
        return lambda facts: all(test(facts) for test in tests)

    def single(self, depth: int) -> Test:
        """One test, maybe not."""
        negated = False
        while self.follows("not", "!"):
            negated = not negated
        if self.follows("("):
            test = self.either(depth + 1)
            if not self.follows(")"):
                raise ToolError("filter: a parenthesis is not closed")
        else:
            test = self.primitive()
        return (lambda facts: not test(facts)) if negated else test

    def primitive(self) -> Test:
        """A protocol, or an end with what it is to be."""
        word = self.next()
        if word in _PROTOCOLS or word in ("arp", "ip", "ip6"):
            name = word
            if self.at < len(self.words) and self.words[self.at] in ("src", "dst", "host", "port"):
                rest = self.primitive()  # `tcp port 80`
                return lambda facts: name in facts.names and rest(facts)
            return lambda facts: name in facts.names
        side = ""
        if word in ("src", "dst"):
            side, word = word, self.next()
        if word == "port":
            return _port(self.next(), side)
        if word in ("host", "net"):
            return _prefix(self.next(), side, word == "net")
        if side:
            return _prefix(word, side, False)
        raise ToolError(f"filter: {word!r} is not understood" if word else "filter: it ends early")


def _port(word: str, side: str) -> Test:
    if not word.isdigit() or int(word) > 65535:
        raise ToolError(f"filter: {word!r} is not a port")
    port = int(word)
    if side == "src":
        return lambda facts: facts.src_port == port
    if side == "dst":
        return lambda facts: facts.dst_port == port
    return lambda facts: port in (facts.src_port, facts.dst_port)


def _prefix(word: str, side: str, may_be_net: bool) -> Test:
    try:
        prefix, length = addr.parse_prefix(word) if may_be_net else (addr.parse(word), 0)
    except ValueError as error:
        raise ToolError(f"filter: {error}") from error
    length = length if may_be_net else len(prefix) * 8
    if side == "src":
        return lambda facts: addr.in_prefix(facts.src, prefix, length)
    if side == "dst":
        return lambda facts: addr.in_prefix(facts.dst, prefix, length)
    return lambda facts: (
        addr.in_prefix(facts.src, prefix, length) or addr.in_prefix(facts.dst, prefix, length)
    )
