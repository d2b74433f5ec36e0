"""The tools as commands, and fetch."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovum.net.tools import ToolError, fetch
from ovum.net.tools.commands import COMMANDS, run


class Handler(http.server.BaseHTTPRequestHandler):
    """Says hello; and at /short says that there is more."""

    def do_GET(self) -> None:  # http.server's name
        if self.path == "/none":
            self.send_error(404, "Nowhere")
            return
        self.send_response(200)
        self.send_header("Content-Length", "100" if self.path == "/short" else "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_fetch_into_a_file(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page"
    assert fetch(f"http://{url}/", str(path)) == 5
    assert path.read_bytes() == b"hello"
    assert capsys.readouterr().out.startswith(f"{path}: 5 bytes in ")


def test_fetch_to_standard_output(url: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["fetch", "-i", url]) == 0
    head, _, body = capfdbinary.readouterr().out.partition(b"\n\n")
    assert head.startswith(b"HTTP/1.0 200 OK\n")
    assert b"\nContent-Length: 5" in head
    assert body == b"hello"


def test_fetch_says_plainly_what_is_wrong(url: str, tmp_path: Path) -> None:
    path = str(tmp_path / "page")
    with pytest.raises(ToolError, match="404 Nowhere"):
        fetch(f"{url}/none", path)
    with pytest.raises(ToolError, match="ended after 5 of 100 bytes"):
        fetch(f"{url}/short", path)
    with pytest.raises(ToolError, match="Connection refused"):
        fetch("http://127.0.0.1:1/", path)
    with pytest.raises(ToolError, match="nosuch"):
        fetch("nosuch://x/", path)
    with pytest.raises(ToolError, match="No such file"):
        fetch(url, str(tmp_path / "none" / "page"))


def test_errors_are_one_line_and_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fetch", "http://127.0.0.1:1/"]) == 1
    assert capsys.readouterr().err == "fetch: http://127.0.0.1:1/: Connection refused\n"
    assert run(["ping"]) == 2
    assert run(["nosuch"]) == 2
    assert run(["netstat", "--help"]) == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"usage: ovum.net.tools {name}" in capsys.readouterr().out


def test_commands_run(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["ip"], ["ip", "link", "show", "dev", "lo"], ["ip", "route"], ["netstat", "-an"],
                  ["netstat", "-r"], ["netstat", "-i"], ["netstat", "-s"]):  # fmt: skip
        assert run(words) == 0
        assert capsys.readouterr().out
