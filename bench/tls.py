"""Handshakes of TLS 1.3 per second, new connections each, against a server in both machines."""

import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import peers
from ovum.paths import REPO
from ovum.progress import Progress

PROGRAM: Final = Path(__file__).parent / "inside" / "tls.py"
HEAD: Final = ("TLS", "Linux", "ovum", "times Linux's")
_SECONDS: Final = 4.0
_TIMEOUT_S: Final = "120"
_GUEST_PORT: Final = 8443


def _certificate(folder: Path) -> str:
    """A certificate of its own authority, and its key. Raises PeersError."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise peers.PeersError("openssl is missing: no handshakes of TLS are measured")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    words += ["-subj", "/CN=bench", "-days", "2", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)
    return (folder / "certificate.pem").read_text() + (folder / "key.pem").read_text()


def _command(linux: bool, program: Path, port: int) -> list[str]:
    if linux:
        home = peers.find_peers()
        image = peers.ensure_guest(home, Progress())
        start = [sys.executable, str(home / "linux_guest.py"), "run", "--image", str(image)]
    else:
        start = [sys.executable, "-m", "bench.launcher", "ovum"]
    words = ["--machine", "pc", "--net", "user", "--timeout", _TIMEOUT_S]
    words += ["--hostfwd", f"tcp:127.0.0.1:{port}-:{_GUEST_PORT}", "--app", str(program)]
    return [*start, *words]


def _load(port: int) -> float:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    count = 0
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < _SECONDS:
        with (
            socket.create_connection(("127.0.0.1", port), 30) as plain,
            context.wrap_socket(plain) as secure,
        ):
            if secure.recv(1) != b"k":
                raise ConnectionError("the server did not answer")
        count += 1
    return count / passed


def _measure(linux: bool, program: Path) -> float:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        _command(linux, program, port), cwd=REPO, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "READY" in line:
                    return _load(port)
            raise peers.PeersError(f"the server of TLS did not start:\n{said[-3000:]}")
        finally:
            process.terminate()


def measure_all(runs: int) -> dict[str, list[float]]:
    """Both machines in turns. Raises PeersError."""
    found: dict[str, list[float]] = {"linux": [], "ovum": []}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "tls.py"
        pem = _certificate(Path(folder))
        program.write_text(PROGRAM.read_text().replace('"certificate"', repr(pem)))
        for _ in range(runs):
            for name, rates in found.items():
                rates.append(_measure(name == "linux", program))
    return found


def row(found: dict[str, Sequence[float]]) -> list[str]:
    """The line of the table: medians."""
    theirs, ours = (statistics.median(found[name]) for name in ("linux", "ovum"))
    return ["handshakes/s", f"{theirs:.1f}", f"{ours:.1f}", f"{ours / theirs:.2f}"]
