"""A QEMU without a machine: speaks the guest's side of the link as the named scenario says.

Its own few lines of framing are written from docs/boot-protocol.md, not taken from ovum.link, so
that the two check each other. The scenario is the value of FAKE_QEMU.
"""

import os
import re
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

GREETING = b"\x1bovum\x01\n"
STDOUT, STDERR, TTY, LOG, PANIC, EXIT, CREDIT = range(1, 8)
TO_STDIN, TO_TTY, TO_WINSIZE, TO_SIGNAL = range(1, 5)


class Guest:
    """The guest's end of the link."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        fd = re.search(r"id=link,fd=(\d+)", " ".join(argv))
        assert fd is not None
        self._socket = socket.socket(fileno=int(fd[1]))
        self._granted = {TO_STDIN: 0, TO_TTY: 0}

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def greet(self) -> None:
        self.raw(b"some firmware\r\n" + GREETING)

    def send(self, kind: int, payload: bytes) -> None:
        self.raw(struct.pack("<BH", kind, len(payload)) + payload)

    def grant(self, channel: int, count: int) -> None:
        self._granted[channel] += count
        self.send(CREDIT, struct.pack("<BI", channel, count))

    def exit(self, status: int) -> None:
        self.send(EXIT, bytes([status]))

    def receive(self) -> tuple[int, bytes]:
        kind, length = struct.unpack("<BH", self._exactly(3))
        payload = self._exactly(length)
        if kind in self._granted:
            self._granted[kind] -= len(payload)
            assert self._granted[kind] >= 0, "more than there was credit for"
        return kind, payload

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise SystemExit("the host is gone")
            data += piece
        return data

    def word(self, name: str) -> str:
        """The value of a word of the kernel's command line."""
        append = self.argv[self.argv.index("-append") + 1]
        found = re.search(rf"(?:^| ){re.escape(name)}=(\S*)", append)
        return found[1] if found else "absent"


def hello(guest: Guest) -> None:
    guest.greet()
    guest.send(STDOUT, b"out\n")
    guest.send(STDERR, b"err\n")
    guest.exit(7)


def words(guest: Guest) -> None:
    guest.greet()
    found = [guest.word(name) for name in ("ovum.link", "ovum.tty", "ovum.size", "ovum.exit")]
    guest.send(STDOUT, "|".join(found).encode())
    guest.exit(0)


def echo(guest: Guest) -> None:
    """Sends standard input back, in windows of little and uneven size."""
    guest.greet()
    guest.grant(TO_STDIN, 1000)
    while True:
        kind, payload = guest.receive()
        assert kind == TO_STDIN
        if not payload:
            break
        guest.send(STDOUT, payload)
        guest.grant(TO_STDIN, len(payload) + 77)
    guest.exit(0)


def no_credit(guest: Guest) -> None:
    """Gives no credit: the first thing to come must be the signal, never input."""
    guest.greet()
    guest.send(STDOUT, b"ready\n")
    kind, payload = guest.receive()
    guest.send(STDOUT, b"%d %d\n" % (kind, payload[0]))
    guest.exit(128 + payload[0])


def stubborn(guest: Guest) -> None:
    """Notes signals and goes on."""
    guest.greet()
    guest.send(STDOUT, b"ready\n")
    while True:
        kind, payload = guest.receive()
        guest.send(STDOUT, b"%d %d\n" % (kind, payload[0]))


def silent(guest: Guest) -> None:
    """Never even greets."""
    signal.pause()


def hang(guest: Guest) -> None:
    guest.greet()
    guest.send(STDOUT, b"before\n")
    signal.pause()


def linger(guest: Guest) -> None:
    """Says EXIT and stays."""
    guest.greet()
    guest.exit(3)
    signal.pause()


def flood(guest: Guest) -> None:
    guest.greet()
    for _ in range(20_000):
        guest.send(STDOUT, b"y\n" * 512)
    guest.exit(0)


def panic(guest: Guest) -> None:
    guest.greet()
    guest.send(PANIC, b"panic: page fault\n")
    guest.send(PANIC, b"  at main.c:1\n")
    guest.exit(70)


def vanish(guest: Guest) -> None:
    guest.raw(b"Booting from ROM..\r\n")
    sys.stderr.write("qemu-system-x86_64: no luck today\n")
    sys.exit(1)


def vanish_later(guest: Guest) -> None:
    guest.greet()
    guest.send(STDOUT, b"half")
    os.kill(os.getpid(), signal.SIGABRT)


def nonsense(guest: Guest) -> None:
    guest.greet()
    guest.raw(b"\x63\x00\x00")
    signal.pause()


def log(guest: Guest) -> None:
    guest.greet()
    guest.send(LOG, b"memory: 256 MiB")
    guest.exit(0)


def terminal(guest: Guest) -> None:
    """Shows what it got, and echoes what is typed; q ends it."""
    guest.greet()
    guest.send(TTY, f"tty={guest.word('ovum.tty')} size={guest.word('ovum.size')}\r\n".encode())
    guest.grant(TO_TTY, 1000)
    while True:
        kind, payload = guest.receive()
        if kind == TO_WINSIZE:
            guest.send(TTY, b"size %dx%d\r\n" % struct.unpack("<HH", payload))
        elif payload == b"q":
            guest.exit(5)
            return
        else:
            guest.send(TTY, b"<%s>" % payload.hex().encode())


def modes(guest: Guest) -> None:
    """Switches terminal modes and dies without switching them back."""
    guest.greet()
    guest.send(TTY, b"\x1b[?2004h\x1b[?10")
    guest.send(TTY, b"49h\x1b[?25l\x1b[?1000h\x1b[?1000l")
    sys.exit(1)


def show(guest: Guest) -> None:
    """Keeps what it was started with, and what the command computed till then, for a test."""
    folder = Path(os.environ["FAKE_QEMU_FOLDER"])
    times = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[11:15]
    (folder / "parents_seconds").write_text(str(sum(map(int, times)) / os.sysconf("SC_CLK_TCK")))
    (folder / "argv").write_text("\n".join(guest.argv))
    initrd = Path(guest.argv[guest.argv.index("-initrd") + 1])
    (folder / "initrd").write_bytes(initrd.read_bytes())
    guest.greet()
    guest.exit(0)


SCENARIOS: tuple[Callable[[Guest], None], ...] = (
    *(hello, words, echo, no_credit, stubborn, silent, hang, linger, flood, panic, vanish),
    *(vanish_later, nonsense, log, terminal, modes, show),
)

if __name__ == "__main__":
    named = {scenario.__name__: scenario for scenario in SCENARIOS}
    named[os.environ["FAKE_QEMU"]](Guest(sys.argv))
