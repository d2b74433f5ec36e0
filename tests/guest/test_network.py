"""The network as programs have it: checks over loopback in one boot, on Linux too; and servers and
clients over QEMU's own network, with this host at the other end."""

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import machine, report
from .netchecks import __main__ as netchecks
from .netchecks.registry import CHECKS

HERE = Path(__file__).parent
LIMIT_S = 60.0

_RUNS: dict[str, tuple[machine.Result, report.Report]] = {}
"""The boot, when the first test asks for it."""


@pytest.fixture
def checked() -> tuple[machine.Result, report.Report]:
    if not _RUNS:
        result = machine.run(
            "-v", "-m", netchecks.__package__.rpartition(".")[2], cwd=HERE, limit_s=280
        )
        _RUNS["guest"] = result, report.parse(result.out, result.err)
    return _RUNS["guest"]


@pytest.mark.parametrize("name", CHECKS)
def test_in_the_guest(name: str, checked: tuple[machine.Result, report.Report]) -> None:
    problem = checked[1].verdict(name)
    if problem is not None:
        pytest.fail(problem, pytrace=False)


def test_all_checks_were_run(checked: tuple[machine.Result, report.Report]) -> None:
    result, found = checked
    assert found.complete, result.err[-4000:]
    assert set(found.passed) | set(found.failed) == set(CHECKS)
    assert result.status == len(found.failed)


def test_linux_passes_the_checks_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "netchecks"], cwd=HERE, capture_output=True, text=True, timeout=120
    )
    found = report.parse(done.stdout, done.stderr)
    assert found.complete
    assert not found.failed


@contextlib.contextmanager
def running(*words: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`ovum run` with these words, until the block ends."""
    process = subprocess.Popen(
        [*machine.OVUM, "run", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=machine.environment(),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of this host's that nobody has."""
    with socket.socket(socket.AF_INET, kind) as it:
        it.bind(("127.0.0.1", 0))
        port: int = it.getsockname()[1]
        return port


def fetch(port: int, path: str = "/") -> bytes:
    """What a server in a guest answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT_S) as got:
        data: bytes = got.read()
        return data


def test_the_librarys_web_server_is_reached_from_the_host(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(range(256)) * 4000)
    port = free_port()
    with running(
        *("-p", f"{port}:8000", "--add", f"{tmp_path}:/srv", "--env", "PYTHONUNBUFFERED=1"),
        *("-m", "http.server", "8000", "--directory", "/srv"),
    ) as guest:
        # QEMU accepts connections before the guest does, and ends them again.
        assert guest.stdout
        assert guest.stdout.readline().startswith(b"Serving HTTP on")
        assert b"Directory listing for /" in fetch(port)
        assert fetch(port, "/big") == bytes(range(256)) * 4000


def test_a_udp_server_is_reached_from_the_host() -> None:
    port = free_port(socket.SOCK_DGRAM)
    program = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
    it.bind(("0.0.0.0", 7))
    print("ready", flush=True)
    while True:
        data, source = it.recvfrom(65536)
        it.sendto(data.upper(), source)
"""
    with running("-p", f"{port}:7/udp", "-c", program) as guest:
        assert guest.stdout
        assert guest.stdout.readline() == b"ready\n"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
            it.settimeout(LIMIT_S)
            for size in (1, 1400, 5000):
                it.sendto(b"x" * size, ("127.0.0.1", port))
                assert it.recv(65536) == b"X" * size


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode() * 10000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_program_whose_first_line_fetches_something_gets_it() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.server_address[1]
            # 10.0.2.2 is this host, in QEMU's network.
            done = machine.code(
                "import urllib.request\n"
                f"data = urllib.request.urlopen('http://10.0.2.2:{port}/abc').read()\n"
                "print(len(data), data == b'/abc' * 10000)\n"
            )
        finally:
            server.shutdown()
            thread.join()
    assert done.expect().out == "40000 True\n"


def test_what_was_written_last_is_delivered_though_the_program_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        got = []

        def receive() -> None:
            with listener.accept()[0] as it:
                while data := it.recv(65536):
                    got.append(data)

        thread = threading.Thread(target=receive)
        thread.start()
        machine.code(
            "import socket\n"
            f"s = socket.create_connection(('10.0.2.2', {port}))\n"
            "s.sendall(bytes(100000))\n"
        ).expect()
        thread.join(LIMIT_S)
        assert b"".join(got) == bytes(100000)


def test_without_a_card_there_is_loopback_and_nothing_else() -> None:
    done = machine.code(
        "import errno, socket\n"
        "s = socket.socket()\n"
        "print(errno.errorcode[s.connect_ex(('192.0.2.1', 80))])\n"
        "print(socket.if_nameindex())\n",
        "--net",
        "none",
    )
    assert done.expect().out == "ENETUNREACH\n[(1, 'lo')]\n"


def test_a_program_without_sockets_has_no_network() -> None:
    done = machine.code("import sys; print('ovum.net.network' in sys.modules)", "-v")
    assert done.expect().out == "False\n"
    assert "network: up" not in done.err
