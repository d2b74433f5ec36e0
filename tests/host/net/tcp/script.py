"""Packet scripts: one host, and a peer that is written down, in packetdrill's spirit.

A file has cases, each from a line `== name` to the next. Lines of a case, one step each:

    set NAME VALUE              of Settings; option NAME VALUE: of SocketOptions; before `open`
    open active|passive OPTIONS the handshake, with what the peer's SYN has: mss N, ws N, ts, sack
    connect                     an active open, and no more; listen: a listener
    < FLAGS SEQ:END ack N …     the peer sends: flags of SFRP.UEC, relative numbers; also
                                win N (65535), ts VALUE:ECHO (ms), sack L:R,L:R, mss N, ws N, bad
    > FLAGS SEQ:END ack N …     what the host has sent next; fields that are left out may be any
    + SECONDS                   time passes
    write N, read N, read all, shutdown, close, abort
    state NAME, heard WORDS, errno NAME, count NAME N, cwnd N, nothing

Whatever the host has sent must have been named by a `>` before any other step, and at the end.
Both initial numbers are just below 2^32.
"""

from __future__ import annotations

import errno
import random
from pathlib import Path as File

from ovum.net.counters import Counters
from ovum.net.ip import IcmpError, Packet, Path
from ovum.net.tcp.isn import Secret
from ovum.net.tcp.seq import MASK
from ovum.net.tcp.settings import MS, SECOND, Settings, SocketOptions
from ovum.net.tcp.states import NAMES
from ovum.net.wire import checksum
from ovum.net.wire.tcp import Options, Segment, emit_header, parse
from tests.host.net.tcp.simulator import A, B, Host, Net, Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.host.net.tcp.simulator import Acceptor

FOLDER = File(__file__).parent.parent / "scripts"

OUR_ISN = 0xFFFFFF80
PEER_ISN = 0xFFFFFFC0
OUR_PORT, PEER_PORT = 80, 40000
LETTERS = "FSRP.UEC"


def set_option(options: SocketOptions, name: str, value: str) -> None:
    """Sets one of a socket's options, by its attribute."""
    # Of the attribute's own type: some are bool, and compiled classes take nothing else.
    setattr(options, name, type(getattr(options, name))(int(value)))


class FixedSecret(Secret):
    """Numbers that tests know."""

    def isn(self, key: bytes, now: int) -> int:
        return OUR_ISN

    def timestamp_offset(self, key: bytes) -> int:
        return 0


def pattern(start: int, size: int) -> bytes:
    """What a stream has at a place."""
    return bytes((start + i) * 7 % 251 for i in range(size))


def flags_of(text: str) -> int:
    """Letters to bits."""
    return sum(1 << LETTERS.index(letter) for letter in text)


def text_of(flags: int) -> str:
    """Bits to letters."""
    return "".join(letter for bit, letter in enumerate(LETTERS) if flags >> bit & 1)


class Bench:
    """A host, whose segments are kept, and a peer's numbers."""

    def __init__(self, large: bool = False, mtu: int = 1500) -> None:
        self.net = Net(start=SECOND)
        self.net.watch = self._watch
        self.settings = Settings()
        self.host: Host | None = None
        self.options = SocketOptions()
        self.mtu = mtu
        self.large = large
        self.out: list[tuple[int, Segment]] = []
        self.socket: Socket | None = None
        self.acceptor: Acceptor | None = None
        self.written = 0
        self.taken = 0
        self.ts = False
        self.active = False

    def _watch(self, now: int, path: Path, data: bytes) -> bool:
        assert checksum.transport_valid(path.local, path.remote, 6, data)
        self.out.append((now, parse(data)))
        return False

    @property
    def machine(self) -> Host:
        """The host, made when it is first needed: settings come before."""
        if self.host is None:
            self.host = Host(self.net, A, self.settings, self.mtu, self.large)
            self.host.tcp.secret = FixedSecret(random.Random(1))
        return self.host

    @property
    def counters(self) -> Counters:
        return self.machine.counters

    @property
    def sock(self) -> Socket:
        """The program's socket."""
        if self.socket is None:
            assert self.acceptor is not None
            assert self.acceptor.sockets, "nothing was accepted"
            self.socket = self.acceptor.sockets[0]
        return self.socket

    # Steps

    def listen(self, backlog: int = 16) -> None:
        self.acceptor = self.machine.listen(OUR_PORT, backlog, self.options)

    def connect(self) -> None:
        self.active = True
        binding = self.machine.tcp.bind(bytes(4), OUR_PORT, self.options)
        socket = Socket(self.machine, self.options)
        socket.connection = self.machine.tcp.connect(
            self.net.now, B, PEER_PORT, socket.ring, socket, self.options, binding
        )
        self.socket = socket
        self.net.settle()

    def inject(
        self,
        flags: int,
        seq: int,
        size: int = 0,
        ack: int | None = None,
        window: int = 65535,
        options: Options | None = None,
        bad: bool = False,
        src_port: int = PEER_PORT,
    ) -> None:
        """The peer sends a segment; numbers are relative to the initial ones."""
        segment = Segment(
            src_port,
            OUR_PORT,
            (PEER_ISN + seq) & MASK,
            0 if ack is None else (OUR_ISN + ack) & MASK,
            flags,
            window,
            options=options,
        )
        data = bytearray(emit_header(segment)) + pattern(seq - 1, size)
        total = checksum.pseudo(B, A, 6, len(data))
        value = checksum.finish(total + checksum.add(data))
        data[16:18] = (value ^ bad).to_bytes(2, "big")
        self.machine.tcp.receive(self.net.now, Packet(1, B, A, 6, bytes(data)))
        self.net.settle()

    def icmp(self, code: int, number: int, hard: bool, seq: int, ip_mtu: int = 0) -> None:
        """An ICMP error about a segment of the host's."""
        payload = (OUR_PORT << 16 | PEER_PORT).to_bytes(4, "big")
        payload += ((OUR_ISN + seq) & MASK).to_bytes(4, "big")
        self.machine.error(IcmpError(3, code, number, hard, A, B, payload, B, ip_mtu))
        self.net.settle()

    def open(self, active: bool, options: Options) -> None:
        """The handshake."""
        self.ts = options.timestamp is not None
        if active:
            self.connect()
            self.take()
            self.inject(flags_of("S."), 0, 0, 1, 65535, options)
            self.take()
        else:
            self.listen()
            self.inject(flags_of("S"), 0, 0, None, 65535, options)
            self.take()
            self.inject(flags_of("."), 1, 0, 1, 65535, self._stamp(None))
        assert not self.out
        assert self.sock.connection.state == NAMES.index("ESTABLISHED")

    def _stamp(self, options: Options | None) -> Options | None:
        if self.ts and (options is None or options.timestamp is None):
            if options is None:
                options = Options()
            stamp = self.net.now // MS
            options.timestamp = (stamp, stamp)
        return options

    def take(self) -> Segment:
        """The next segment that the host has sent."""
        assert self.out, "the host has sent nothing"
        return self.out.pop(0)[1]

    def relative(self, segment: Segment) -> tuple[str, int, int, int | None]:
        """Flags, numbers of the first and the last byte, acknowledgement."""
        seq = (segment.seq - OUR_ISN) & MASK
        if seq > 1 << 31:
            seq -= 1 << 32
        flags = text_of(segment.flags)
        end = seq + len(segment.payload)
        return flags, seq, end, (segment.ack - PEER_ISN) & MASK if "." in flags else None

    def show(self) -> str:
        """What has been sent and not been named."""
        return "; ".join(
            "> {} {}:{} ack {}".format(*self.relative(segment))
            + (f" sack {self.blocks(segment)}" if segment.options and segment.options.sack else "")
            for _, segment in self.out
        )

    def blocks(self, segment: Segment) -> str:
        """SACK blocks."""
        assert segment.options is not None
        return ",".join(
            f"{(left - PEER_ISN) & MASK}:{(right - PEER_ISN) & MASK}"
            for left, right in segment.options.sack
        )

    # Lines

    def run(self, line: str) -> None:
        """One line of a script."""
        word, _, rest = line.partition(" ")
        if word == ">":
            self._expect(rest.split())
            return
        assert not self.out, f"the host has sent: {self.show()}"
        method = getattr(self, f"_do_{NAMES_OF_STEPS.get(word, word)}")
        method(*rest.split())

    def _do_set(self, name: str, value: str) -> None:
        assert hasattr(self.settings, name)
        setattr(self.settings, name, int(value) if value.lstrip("-").isdigit() else value)

    def _do_option(self, name: str, value: str) -> None:
        assert hasattr(self.options, name)
        set_option(self.options, name, value)

    def _do_open(self, how: str, *words: str) -> None:
        _, options = self._fields(list(words))
        self.open(how == "active", options or Options())

    def _do_listen(self) -> None:
        self.listen()

    def _do_connect(self) -> None:
        self.connect()

    def _fields(self, words: list[str]) -> tuple[dict[str, int], Options | None]:
        """`ack N win N …` to numbers and options."""
        numbers: dict[str, int] = {}
        options = Options()
        some = False
        while words:
            name = words.pop(0)
            if name == "bad":
                numbers["bad"] = 1
                continue
            if name == "plain":
                numbers["plain"] = 1
                continue
            some = some or name in ("sack", "ts", "mss", "ws")
            if name == "sack" and (not words or ":" not in words[0]):
                options.sack_permitted = True
            elif name == "sack":
                options.sack = [
                    ((OUR_ISN + int(left)) & MASK, (OUR_ISN + int(right)) & MASK)
                    for left, _, right in (part.partition(":") for part in words.pop(0).split(","))
                ]
            elif name == "ts" and (not words or ":" not in words[0]):
                stamp = self.net.now // MS
                options.timestamp = (stamp, stamp)
            elif name == "ts":
                value, _, echo = words.pop(0).partition(":")
                options.timestamp = (int(value), int(echo))
            elif name == "mss":
                options.mss = int(words.pop(0))
            elif name == "ws":
                options.window_scale = int(words.pop(0))
            else:
                numbers[name] = int(words.pop(0))
        return numbers, options if some else None

    def _do_peer(self, flags: str, numbers: str, *words: str) -> None:
        seq, _, end = numbers.partition(":")
        fields, options = self._fields(list(words))
        if "S" not in flags and not fields.get("plain"):
            options = self._stamp(options)
        self.inject(
            flags_of(flags),
            int(seq),
            int(end or seq) - int(seq),
            fields.get("ack"),
            fields.get("win", 65535),
            options,
            bool(fields.get("bad")),
        )

    def _expect(self, words: list[str]) -> None:
        shown = self.show()
        segment = self.take()
        flags, seq, end, ack = self.relative(segment)
        wanted = [words[0]]
        got = ["".join(sorted(flags))]
        wanted[0] = "".join(sorted(wanted[0]))
        rest = words[1:]
        if rest and ":" in rest[0]:
            wanted.append(rest.pop(0))
            got.append(f"{seq}:{end}")
        while rest:
            name = rest.pop(0)
            value = rest.pop(0)
            wanted.append(f"{name} {value}")
            options = segment.options
            mine: object = {"ack": ack, "win": segment.window}.get(name)
            if name == "sack":
                mine = self.blocks(segment) if options is not None and options.sack else "none"
            elif name == "mss":
                mine = options.mss if options is not None else None
            elif name == "ws":
                mine = options.window_scale if options is not None else None
            elif name == "echo":
                mine = options.timestamp[1] if options is not None and options.timestamp else None
            got.append(f"{name} {mine}")
        assert got == wanted, f"the host has sent: {shown}"

    def _do_time(self, seconds: str) -> None:
        self.net.run(round(float(seconds) * 1000) * MS)

    def _do_write(self, size: str) -> None:
        count = self.sock.write(pattern(self.written, int(size)))
        assert count == int(size), "there is no room"
        self.written += count
        self.net.settle()

    def _do_read(self, size: str) -> None:
        data = self.sock.take(1 << 30 if size == "all" else int(size))
        assert data == pattern(self.taken, len(data))
        assert size == "all" or len(data) == int(size)
        self.taken += len(data)
        self.net.settle()

    def _do_shutdown(self) -> None:
        self.sock.shut()
        self.net.settle()

    def _do_close(self) -> None:
        self.sock.close()
        self.net.settle()

    def _do_abort(self) -> None:
        self.sock.connection.abort(self.net.now)
        self.net.settle()

    def _do_apply(self, name: str, value: str) -> None:
        set_option(self.sock.connection.change_options(), name, value)
        self.sock.connection.apply_options(self.net.now)
        self.net.settle()

    def _do_state(self, name: str) -> None:
        assert NAMES[self.sock.connection.state] == name

    def _do_heard(self, *words: str) -> None:
        assert self.sock.heard == list(words)

    def _do_errno(self, name: str) -> None:
        assert self.sock.errno == getattr(errno, name)

    def _do_count(self, name: str, count: str) -> None:
        assert self.counters[name] == int(count), dict(self.counters)

    def _do_cwnd(self, size: str) -> None:
        assert self.sock.connection.cc.cwnd == int(size)

    def _do_queued(self, size: str) -> None:
        assert self.sock.ring.receive_queued() == int(size)

    def _do_half(self, count: str) -> None:
        assert self.machine.tcp.half_open == int(count)

    def _do_icmp(self, code: str, name: str, seq: str, mtu: str = "0") -> None:
        if mtu != "0":
            self.machine.ip.path(B).ip_mtu = int(mtu)
        self.icmp(int(code), getattr(errno, name), int(code) in (2, 3), int(seq), int(mtu))

    def _do_nothing(self) -> None:
        """Only that nothing has been sent."""


NAMES_OF_STEPS = {"<": "peer", "+": "time"}


def cases() -> list[tuple[str, str, list[tuple[int, str]]]]:
    """File, name and lines of all cases."""
    found: list[tuple[str, str, list[tuple[int, str]]]] = []
    for file in sorted(FOLDER.glob("tcp-*.txt")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            text = line.partition("#")[0].strip()
            if text.startswith("=="):
                found.append((file.stem, text.strip("= "), []))
            elif text:
                found[-1][2].append((number, text))
    return found
