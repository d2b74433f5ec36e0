"""The tools of `ovum.net.tools` in the guest, over loopback and QEMU's own network: one boot."""

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import machine

SCRIPT = Path(__file__).with_name("network_tools.py")


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b"hello from host")

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="module")
def parts() -> Iterator[dict[str, list[str]]]:
    """What each tool has printed."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            result = machine.run(str(SCRIPT), str(server.server_address[1]), limit_s=200)
        finally:
            server.shutdown()
            serving.join()
    found: dict[str, list[str]] = {}
    name = ""
    for line in result.out.splitlines():
        if line.startswith("=== "):
            name = line[4:]
            found[name] = []
        elif name:
            found[name].append(line)
    assert "end" in found, (result.out, result.err)
    yield found


@pytest.mark.parametrize(
    ("name", "host", "count"),
    [("ping-loopback", "127.0.0.1", 2), ("ping-6", "::1", 1), ("ping-gateway", "10.0.2.2", 2)],
)
def test_ping(parts: dict[str, list[str]], name: str, host: str, count: int) -> None:
    lines = parts[name]
    assert lines[0].startswith(f"PING {host} ({host}) 56")
    assert re.fullmatch(rf"64 bytes from {host}: icmp_seq=1 ttl=\d+ time=[\d.]+ ms", lines[1]), (
        lines
    )
    assert f"{count} packets transmitted, {count} received, 0% packet loss" in lines[-2]


def test_ip(parts: dict[str, list[str]]) -> None:
    lines = [" ".join(line.split()) for line in parts["ip"]]
    assert lines[0].startswith("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536")
    assert "inet 127.0.0.1/8 scope host lo" in lines
    assert "inet 10.0.2.15/24 brd 10.0.2.255 scope global eth0" in lines
    assert [line for line in lines if line.startswith("inet6 fe80::")]
    routes = parts["route"]
    assert [line for line in routes if line.startswith("default via 10.0.2.2 dev eth0 proto dhcp")]
    assert [line for line in routes if line.startswith("10.0.2.0/24 dev eth0 proto kernel")]
    assert [line for line in parts["neigh"] if line.startswith("10.0.2.2 dev eth0 lladdr 52:55:")]


def test_traceroute(parts: dict[str, list[str]]) -> None:
    assert parts["traceroute"][0] == (
        "traceroute to 127.0.0.1 (127.0.0.1), 30 hops max, 60 byte packets"
    )
    assert re.fullmatch(r" 1  127\.0\.0\.1  [\d.]+ ms", parts["traceroute"][1])


def test_fetch_and_nslookup(parts: dict[str, list[str]]) -> None:
    assert parts["fetch"] == ["hello from host"]
    assert parts["nslookup"][-2:] == ["Name:\twww.example.com", "Address: 10.0.0.1"]


def test_tcpdump(parts: dict[str, list[str]]) -> None:
    lines = [line.partition(" IP ")[2] for line in parts["tcpdump"] if " IP " in line]
    assert [re.sub(r"\.\d+ > ", " > ", line) for line in lines] == [
        "127.0.0.1 > 127.0.0.1.9: UDP, length 9",
        "10.0.2.15 > 10.0.2.2.9: UDP, length 9",
    ]


def test_netstat(parts: dict[str, list[str]]) -> None:
    lines = [" ".join(line.split()) for line in parts["netstat"]]
    assert "tcp 0 0 127.0.0.1:8080 0.0.0.0:* LISTEN" in lines
    ends = [line for line in lines if line.startswith("tcp ") and line.endswith("ESTABLISHED")]
    assert len(ends) == 2
    local = [line for line in lines if line.startswith("unix 2 [ ACC ] STREAM LISTENING")]
    assert len(local) == 1
    assert local[0].endswith(" /tmp/local")
    assert {line.split()[0] for line in lines[-2:]} == {"lo", "eth0"}
    assert parts["inode"] == ["True"]


def test_an_error_is_said_plainly(parts: dict[str, list[str]]) -> None:
    (line,) = parts["error"]
    assert line.startswith("nosuch.invalid: ")
