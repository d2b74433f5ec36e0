"""The other end of a guest's network card: frames as datagrams, QEMU's controls, its dumps."""

import contextlib
import json
import queue
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from . import machine

PROGRAM: Final = Path(__file__).parent / "network" / "card.py"
LIMIT_S: Final = 60.0


class Guest:
    """A guest that runs `network/card.py`, its lines, and its QEMU's controls."""

    def __init__(self, process: "subprocess.Popen[str]", control: Path) -> None:
        self.process = process
        self._control_path = control
        self._control: socket.socket | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []
        self._new_errors: queue.Queue[str] = queue.Queue()
        assert process.stdout and process.stderr
        self._start_reading(process.stdout, self._lines.put)
        self._start_reading(process.stderr, self._keep_error)

    def _start_reading(self, stream: IO[str], put: Callable[[str], None]) -> None:
        threading.Thread(target=self._read, args=(stream, put), daemon=True).start()

    @staticmethod
    def _read(stream: IO[str], put: Callable[[str], None]) -> None:
        for line in stream:
            put(line.rstrip("\n"))

    def _keep_error(self, line: str) -> None:
        self._errors.append(line)
        self._new_errors.put(line)

    def expect_log(self, words: str) -> None:
        """Waits until the log, which `-v` shows, has a line with these words; each line once."""
        try:
            while words not in self._new_errors.get(timeout=LIMIT_S):
                pass
        except queue.Empty:
            raise AssertionError(f"no {words!r} in\n" + "\n".join(self._errors[-40:])) from None

    def expect_line(self, words: str) -> None:
        """Waits for a line; nothing else may come before it."""
        try:
            line = self._lines.get(timeout=LIMIT_S)
        except queue.Empty:
            raise AssertionError(f"no line {words!r}\n" + "\n".join(self._errors[-40:])) from None
        assert line == words, (line, self._errors[-40:])

    def has_line(self) -> bool:
        """Whether expect_line would not wait."""
        return not self._lines.empty()

    def account(self) -> dict[str, Any]:
        """What it says at its end."""
        assert self.process.wait(LIMIT_S) == 0, self._errors[-40:]
        found: dict[str, Any] = json.loads(self._lines.get(timeout=LIMIT_S))
        return found

    def command(self, command: str, /, **arguments: object) -> None:
        """A command of QEMU's machine protocol."""
        if self._control is None:
            self._control = socket.socket(socket.AF_UNIX)
            self._control.settimeout(LIMIT_S)
            self._control.connect(str(self._control_path))
            self._replies = self._control.makefile("r")
            self._replies.readline()
            self.command("qmp_capabilities")
        request = {"execute": command, "arguments": arguments}
        self._control.sendall(json.dumps(request).encode() + b"\n")
        while "return" not in (reply := json.loads(self._replies.readline())):
            assert "error" not in reply, reply

    def event(self, name: str) -> None:
        """Waits for an event of QEMU's."""
        while json.loads(self._replies.readline()).get("event") != name:
            pass

    def close(self) -> None:
        """Ends it, however far it is."""
        if self._control is not None:
            self._replies.close()
            self._control.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def started(
    folder: Path,
    kind: str,
    netdev: str,
    device: str,
    *words: str,
    more: str = "",
    program: Path = PROGRAM,
    limit_s: float = 100,
    log: bool = False,
) -> Iterator[Guest]:
    """Boots the program with one card, behind the backend `n0`; with its log, if that is asked."""
    control = folder / "control"
    command = [*machine.OVUM, "run", "--net", "none", "--machine", kind]
    command += ["--timeout", str(limit_s), *(["-v"] if log else [])]
    for one in (f"-netdev {netdev}", f"-device {device},netdev=n0,id=card", more):
        if one:
            command += ["--qemu", one]
    command += ["--qemu", f"-qmp unix:{control},server=on,wait=off"]
    process = subprocess.Popen(
        [*command, str(program), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=machine.environment(),
    )
    guest = Guest(process, control)
    try:
        yield guest
    finally:
        guest.close()


class Wire:
    """A socket of datagrams, each a frame, that QEMU's backend `dgram` is connected to."""

    def __init__(self, folder: Path) -> None:
        self._theirs = folder / "theirs"
        ours = folder / "ours"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(ours))
        self._socket.settimeout(LIMIT_S)
        self.netdev = (
            f"dgram,id=n0,local.type=unix,local.path={self._theirs},"
            f"remote.type=unix,remote.path={ours}"
        )

    def send(self, *frames: bytes) -> None:
        """Sends frames; waits while QEMU has no room."""
        for frame in frames:
            self._socket.sendto(frame, str(self._theirs))

    def receive(self, count: int = 1) -> list[bytes]:
        """The next frames."""
        return [self._socket.recv(1 << 17) for _ in range(count)]

    def exchange(self, frames: list[bytes]) -> list[bytes]:
        """Sends frames, and returns as many that come back meanwhile."""
        sender = threading.Thread(target=self.send, args=frames)
        sender.start()
        try:
            return self.receive(len(frames))
        finally:
            sender.join()

    def close(self) -> None:
        self._socket.close()


def read_pcap(path: Path) -> list[bytes]:
    """The frames in a file of `filter-dump` (the format of libpcap, little-endian)."""
    data = path.read_bytes()
    assert struct.unpack_from("<IHH", data) == (0xA1B2C3D4, 2, 4)
    frames, at = [], 24
    while at < len(data):
        _, _, kept, whole = struct.unpack_from("<IIII", data, at)
        assert kept == whole
        frames.append(data[at + 16 : at + 16 + kept])
        at += 16 + kept
    return frames
