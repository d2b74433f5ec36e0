"""Frames per second through a virtio card: in ovum's Python, and beside it in the Linux guest's.

Both machines are `pc` with the same card on the same backend, a stream of frames; the other end is
here. They run one after the other, in turns.
"""

import json
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import peers
from ovum.paths import REPO
from ovum.progress import Progress

PROGRAM: Final = Path(__file__).parent / "inside" / "network_cards.py"
HEAD: Final = ("frames each second", "Linux", "ovum", "times Linux's", "goal", "met")
GOAL: Final = 0.25
"""Of Linux's frames per second."""
_TIMEOUT_S: Final = 120.0
_BLOCK: Final = 64
"""Frames that are sent at a time."""

Figures = dict[str, float]


class NetworkError(Exception):
    """The program in a machine has failed."""


class Other:
    """The other end of the wire: each frame is preceded by its length (QEMU's `stream`)."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.arrived: Figures = {}
        """Frames per second that have arrived here, by what the guest was told to send."""

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            connection.setblocking(False)
            pending = b""
            block = b""
            counting, count, begun = "", 0, 0.0
            at = 0
            while True:
                wants = [connection] if block else []
                readable, writable, _ = select.select([connection], wants, [], _TIMEOUT_S)
                if writable:
                    at += connection.send(block[at:])
                    at %= len(block)
                if not readable:
                    continue
                data = connection.recv(1 << 20)
                if not data:
                    return
                pending += data
                used = 0
                while len(pending) - used >= 4:
                    size = int.from_bytes(pending[used : used + 4], "big")
                    if len(pending) - used < 4 + size:
                        break
                    said = pending[used + 18 : used + 38].rstrip(b"\0")
                    used += 4 + size
                    if said.startswith(b"go receive"):
                        frame = (b"\xff" * 6 + b"\2" * 6 + b"\x88\xb5").ljust(int(said[11:]), b"x")
                        block = (len(frame).to_bytes(4, "big") + frame) * _BLOCK
                        at = 0
                    elif said.startswith(b"go transmit"):
                        counting, count, begun = said[3:].decode(), 0, time.perf_counter()
                    elif said == b"stop":
                        if counting:
                            self.arrived[counting] = count / (time.perf_counter() - begun)
                            counting = ""
                        # What has begun is ended, or the stream would be out of step.
                        rest, block = block[at:] if at else b"", b""
                        connection.setblocking(True)
                        connection.sendall(rest)
                        connection.setblocking(False)
                    else:
                        count += 1
                pending = pending[used:]

    def close(self) -> None:
        self._server.close()


def _run(command: Sequence[str]) -> Figures:
    done = subprocess.run(
        command, cwd=REPO, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=_TIMEOUT_S,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        _, brace, rest = line.partition("{")
        if brace:
            found: Figures = json.loads(brace + rest)
            return found
    raise NetworkError(f"{shlex.join(command)}:\n{(done.stdout + done.stderr)[-3000:]}")


def measure(linux: bool) -> Figures:
    """Runs the program once in one of the machines. Raises NetworkError, PeersError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wire"
        other = Other(path)
        words = [
            *("-netdev", f"stream,id=n0,server=off,addr.type=unix,addr.path={path}"),
            *("-device", "virtio-net-pci,netdev=n0,romfile="),
        ]
        if linux:
            home = peers.find_peers()
            image = peers.ensure_guest(home, Progress())
            command = [sys.executable, str(home / "linux_guest.py"), "run", "--image", str(image)]
            command += ["--app", str(PROGRAM), "--append", "guest.net=1"]
            command += [f"--qemu-arg={word}" for word in words]
        else:
            command = [sys.executable, "-m", "ovum", "run", "--machine", "pc", "--net", "none"]
            command += ["--accel", "tcg", "--qemu", shlex.join(words), str(PROGRAM)]
        try:
            figures = _run(command)
            figures.update({f"{name}, arrived": value for name, value in other.arrived.items()})
        finally:
            other.close()
    return figures


def measure_all(runs: int) -> dict[str, list[Figures]]:
    """Both machines in turns, so that a busy host slows both."""
    found: dict[str, list[Figures]] = {"linux": [], "ovum": []}
    for _ in range(runs):
        for name, figures in found.items():
            try:
                figures.append(measure(name == "linux"))
            except peers.PeersError as error:
                print(f"bench: {error}", file=sys.stderr)
    return found


def rows(found: dict[str, list[dict[str, Any]]]) -> list[tuple[str, ...]]:
    """The lines of the table: medians."""
    lines: list[tuple[str, ...]] = []
    names = dict.fromkeys(name for one in (*found["ovum"], *found["linux"]) for name in one)
    for name in names:
        ours, theirs = (_median(found[key], name) for key in ("ovum", "linux"))
        counts = name.startswith(("receive", "transmit")) and "driver" not in name
        ratio = ours / theirs if ours and theirs else None
        lines.append((
            name,
            _text(theirs),
            _text(ours),
            _text(ratio),
            f"at least {GOAL:g}" if counts and ratio else "",
            ("yes" if ratio >= GOAL else "no") if counts and ratio else "",
        ))  # fmt: skip
    return lines


def _median(runs: list[dict[str, Any]], name: str) -> float | None:
    values = sorted(one[name] for one in runs if name in one)
    return values[len(values) // 2] if values else None


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
