"""JavaScript's environment in a machine: files, hardware, fetch, and a server for the host."""

import contextlib
import http.server
import json
import re
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ovum.paths import REPO

from . import machine

PROGRAM = Path(__file__).parent / "js" / "environment.js"
EXAMPLE = REPO / "examples" / "js-web-server"


class Answers(http.server.BaseHTTPRequestHandler):
    """The host's server, which `fetch` asks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A megabyte."""
        self._answer(b"x" * 1_000_000)

    def do_POST(self) -> None:
        """What was sent."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.dumps({"method": self.command, "body": body.decode()}).encode())

    def _answer(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@contextlib.contextmanager
def answering() -> Iterator[int]:
    """A server on the host; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, data: bytes | None = None) -> bytes:
    """What a server in the machine answers."""
    with urllib.request.urlopen(url, data, timeout=60) as answer:
        found: bytes = answer.read()
        return found


def test_the_environment_and_the_example() -> None:
    with answering() as port:
        process = subprocess.Popen(
            [
                *(*machine.OVUM, "run", "--timeout", "100", "--machine", "q35", "-p", "0:8080"),
                *("--add", f"{EXAMPLE}:/web", PROGRAM, str(port)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=machine.environment(),
        )
        with process:
            try:
                check(process)
            finally:
                process.kill()


def check(process: subprocess.Popen[str]) -> None:
    """Reads what the checks say, then uses the server."""
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write("from the host\n")
    process.stdin.close()
    said = process.stderr.readline()
    found = re.fullmatch(r"ovum: 127\.0\.0\.1:(\d+)/tcp is port 8080 of the machine\n", said)
    assert found, said + process.stderr.read()
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "listening on port 8080\n":
            break
    output = "".join(lines)
    assert "listening on port 8080" in output, output + process.stderr.read()
    results = re.findall(r"^TEST (\w+) (\w+)", output, re.MULTILINE)
    assert [name for name, result in results if result != "ok"] == [], output
    assert f"TESTS {len(results)}\n" in output
    base = f"http://127.0.0.1:{found[1]}"
    assert ask(f"{base}/") == (EXAMPLE / "index.html").read_bytes()
    assert json.loads(ask(f"{base}/hello?name=gr%C3%BCn")) == {"hello": "grün"}
    told = json.loads(ask(f"{base}/machine"))
    assert any(device.startswith("0000:00:00.0 ") for device in told["devices"])
    assert ask(f"{base}/echo", b"x" * 300_000) == b"x" * 300_000
    try:
        ask(f"{base}/last")
    except urllib.error.HTTPError as error:
        assert error.code == 404
    rest = process.stdout.read()
    assert rest.endswith("closed\n"), rest + process.stderr.read()
    assert process.wait() == 0
