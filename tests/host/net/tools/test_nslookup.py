"""nslookup, with a server of the test's own on the loopback interface."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovum.net.tools import ToolError, names, nslookup
from ovum.net.wire import dns

Answer = Callable[[dns.Message], dns.Message]


class Server:
    """Answers by UDP and TCP, at one port of 127.0.0.1."""

    def __init__(self) -> None:
        self.answer: Answer = lambda query: response(query)
        self.asked: list[str] = []
        self.truncate = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.threads = [threading.Thread(target=serve) for serve in (self.by_udp, self.by_tcp)]
        for thread in self.threads:
            thread.start()

    def by_udp(self) -> None:
        while True:
            data, peer = self.udp.recvfrom(512)
            if not data:
                return
            query = dns.parse(data)
            self.asked.append(f"udp {query.questions[0].name} {query.questions[0].kind}")
            if self.truncate:
                message = dns.Message(query.ident, dns.RESPONSE | dns.TRUNCATED, query.questions)
            else:
                message = self.answer(query)
                # What others send is not taken for the answer.
                self.udp.sendto(b"junk", peer)
                wrong = dns.Message(query.ident ^ 1, message.flags, message.questions)
                self.udp.sendto(dns.emit(wrong), peer)
            self.udp.sendto(dns.emit(message), peer)

    def by_tcp(self) -> None:
        while True:
            peer, _ = self.listener.accept()
            with peer:
                size = int.from_bytes(peer.recv(2), "big")
                if not size:
                    return
                query = dns.parse(peer.recv(size))
                self.asked.append(f"tcp {query.questions[0].name}")
                data = dns.emit(self.answer(query))
                peer.sendall(len(data).to_bytes(2, "big"))
                peer.sendall(data[:10])
                peer.sendall(data[10:])

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        with socket.create_connection(("127.0.0.1", self.port)) as stopper:
            stopper.sendall(b"\0\0")
        for thread in self.threads:
            thread.join(10)
        self.udp.close()
        self.listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def conf(tmp_path: Path) -> str:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\nsearch example.com\noptions timeout:1 attempts:1\n")
    return str(path)


def response(query: dns.Message, *records: dns.Record, code: int = 0) -> dns.Message:
    flags = dns.RESPONSE | dns.RECURSION_AVAILABLE | code
    return dns.Message(query.ident, flags, query.questions, records)


def addresses(query: dns.Message) -> dns.Message:
    (question,) = query.questions
    if question.name != "www.example.com":
        return response(query, code=dns.NAME_ERROR)
    if question.kind == dns.A:
        return response(query, dns.Record(question.name, dns.A, 60, b"\x0a\0\0\1"))
    return response(query, dns.Record(question.name, dns.AAAA, 60, bytes(15) + b"\1"))


def test_addresses_are_looked_up(
    server: Server, conf: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = addresses
    records = nslookup("www.example.com", port=server.port, path=conf)
    assert [record.text for record in records] == ["10.0.0.1", "::1"]
    assert capsys.readouterr().out.splitlines() == [
        "Server:\t\t127.0.0.1",
        f"Address:\t127.0.0.1#{server.port}",
        "",
        "Non-authoritative answer:",
        "Name:\twww.example.com",
        "Address: 10.0.0.1",
        "Name:\twww.example.com",
        "Address: ::1",
    ]


def test_a_name_without_a_dot_is_searched_for(server: Server, conf: str) -> None:
    server.answer = addresses
    assert len(nslookup("www", port=server.port, path=conf)) == 2
    assert server.asked == ["udp www.example.com 1", "udp www.example.com 28"]


def test_a_name_that_there_is_not(
    server: Server, conf: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = addresses
    assert nslookup("no.such.name", port=server.port, path=conf) == []
    assert "** server can't find no.such.name: NXDOMAIN" in capsys.readouterr().out


def test_an_address_has_its_name_looked_up(
    server: Server, conf: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda query: response(
        query, dns.Record(query.questions[0].name, dns.PTR, 60, b"\4host\7example\0")
    )
    nslookup("10.0.2.15", port=server.port, path=conf)
    assert "15.2.0.10.in-addr.arpa\tname = host.example." in capsys.readouterr().out
    assert server.asked == ["udp 15.2.0.10.in-addr.arpa 12"]


def test_what_does_not_fit_is_asked_for_by_tcp(server: Server, conf: str) -> None:
    server.truncate = True
    texts = [dns.Record("big.example", dns.TXT, 60, b"\xff" + b"x" * 255) for _ in range(9)]
    server.answer = lambda query: response(query, *texts)
    assert len(nslookup("big.example", kind="TXT", port=server.port, path=conf)) == 9
    assert server.asked == ["udp big.example 16", "tcp big.example"]


def test_the_next_server_is_asked(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.2\nnameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    server.answer = addresses
    assert len(nslookup("www.example.com", port=server.port, path=str(path))) == 2
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert first.startswith(f";; 127.0.0.2#{server.port}: ")
    assert second == "Server:\t\t127.0.0.1"


def test_a_silent_server_is_said_plainly(conf: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(ToolError, match="no servers could be reached"):
            names.ask("127.0.0.1", "x", dns.A, 0.05, 2, silent.getsockname()[1])


def test_errors_are_said_plainly(tmp_path: Path, conf: str) -> None:
    with pytest.raises(ToolError, match="unknown query type"):
        nslookup("x", kind="NOSUCH", path=conf)
    with pytest.raises(ToolError, match="names no server"):
        nslookup("x", path=str(tmp_path / "none"))
    with pytest.raises(ToolError, match="not a domain name"):
        nslookup("a..b", "127.0.0.1", "A", path=conf)


def test_resolv_conf_is_read() -> None:
    found = names.parse_resolv_conf(
        "# comment\nnameserver 10.0.0.1 ; more\nnameserver fe80::1%eth0\nnameserver\n"
        "domain one.example\nsearch two.example three.example\n"
        "options ndots:2 timeout:0 attempts:99 rotate edns0 ndots:x\nsortlist 1.2.3.4\n"
    )
    assert found.servers == ["10.0.0.1", "fe80::1%eth0"]
    assert found.search == ["two.example", "three.example"]
    assert (found.ndots, found.timeout, found.attempts) == (2, 1, 30)


def test_the_order_of_names_to_ask_for() -> None:
    found = names.parse_resolv_conf("search a.example b.example\n")
    assert names.candidates("x", found) == ["x.a.example", "x.b.example", "x"]
    assert names.candidates("x.y", found) == ["x.y", "x.y.a.example", "x.y.b.example"]
    assert names.candidates("x.", found) == ["x."]


def test_lines_follow_aliases_and_end() -> None:
    loop = [
        dns.Record("a", dns.CNAME, 1, b"", "b"),
        dns.Record("b", dns.CNAME, 1, b"", "a"),
    ] * 20
    message = dns.Message(1, dns.RESPONSE, (), loop)
    assert len(names.answer_lines(message, "A.")) == names.MAX_ALIASES
    message.answers = [
        dns.Record("x", dns.MX, 1, b"", "10 mail.x"),
        dns.Record("x", dns.TXT, 1, b"", '"text"'),
        dns.Record("x", 99, 1, b"", "abcd"),
    ]
    assert names.answer_lines(message, "x") == [
        "x\tmail exchanger = 10 mail.x.",
        'x\ttext = "text"',
        "x\trdata_99 = abcd",
    ]
