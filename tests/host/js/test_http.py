"""HTTP on the wire: what JavaScript's servers and clients make of good and bad messages."""

import contextlib
import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
JS = (sys.executable, "-m", "ovum.services.js")


class Server:
    """A server in JavaScript, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout
        self.port = int(process.stdout.readline())

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def ask(self, *requests: bytes) -> bytes:
        """All that comes after these have been sent, up to the connection's end."""
        with self.connect() as connection:
            for request in requests:
                connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        return self.process.stdout.readline()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with subprocess.Popen(
        [*JS, DATA / "server.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Server(process)
        finally:
            assert process.stdin
            process.stdin.close()
            assert process.wait(60) == 0


def test_several_requests_use_one_connection(server: Server) -> None:
    request = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = server.ask(request % 1 + request % 2, request % 3)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert [b"1.1 /%d " % number in answers for number in (1, 2, 3)] == [True] * 3
    assert b"Connection: keep-alive\r\n" in answers


def test_a_body_may_come_in_chunks(server: Server) -> None:
    answer = server.ask(
        b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3;note=x\r\nabc\r\n",
        b"A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
        b"GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    assert b"1.1 /c abc0123456789" in answer
    assert answer.endswith(b"1.1 /after ")


def test_an_older_client_gets_no_chunks(server: Server) -> None:
    answer = server.ask(b"GET /parts HTTP/1.0\r\n\r\n")
    assert b"chunked" not in answer.lower()
    assert answer.endswith(b"\r\n\r\nab")
    new = server.ask(b"GET /parts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert new.endswith(b"\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


def test_a_client_may_wait_for_continue(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"PUT /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert connection.recv(1000).endswith(b"1.1 /e ok")


def test_head_has_no_body(server: Server) -> None:
    answer = server.ask(b"HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"X-Method: HEAD\r\n" in answer


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nbad name: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"400",
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_is_no_request_is_refused(server: Server, message: bytes, status: bytes) -> None:
    assert server.ask(message).startswith(b"HTTP/1.1 " + status)


def test_a_body_that_breaks_off_is_an_error(server: Server) -> None:
    server.ask(b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    assert server.line() == "error ECONNRESET\n"


def test_the_server_learns_that_the_client_has_gone(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert server.line() == "gone false\n"


# The client.


@contextlib.contextmanager
def answering(
    answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A server whose connections are `answer`'s; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    try:
                        if context is not None:
                            connection = context.wrap_socket(connection, server_side=True)
                        with connection:
                            answer(connection)
                    except OSError:
                        # The client does not trust this server, or has heard enough.
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def said(*parts: bytes) -> Callable[[socket.socket], None]:
    """Reads a request's head, then says this."""

    def answer(connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        for part in parts:
            connection.sendall(part)

    return answer


def evaluate(source: str, **environment: str) -> object:
    """What an expression of JavaScript's becomes, which may be a promise."""
    program = (
        "const show = (value) => console.log(JSON.stringify(value) ?? 'null');"
        "const fail = (e) => show([e.name, e.message, (e.cause ?? e).code ?? null]);"
        f"(async () => ({source}))().then(show, fail)"
    )
    done = subprocess.run(
        [*JS, "-e", program],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, **environment},
    )
    found: object = json.loads(done.stdout)
    return found


HEAD = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\n"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((HEAD + b"Content-Length: 3\r\n\r\nabc",), "abc"),
        ((HEAD + b"\r\nto the ", b"end"), "to the end"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab", b"\r\n1\r\nc\r\n0\r\n\r\n"), "abc"),
        (
            (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + HEAD + b"Content-Length: 0\r\n\r\n",),
            "",
        ),
        ((HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"packed"),), "packed"),
        ((b"HTTP/1.1 204 No Content\r\nX-A: 1\r\nX-A: 2\r\n\r\n",), ""),
    ],
)
def test_a_response_ends_in_any_of_the_ways(parts: tuple[bytes, ...], expected: str) -> None:
    with answering(said(*parts)) as port:
        found = evaluate(
            f"await fetch('http://127.0.0.1:{port}/').then(async (r) => "
            "[r.headers.get('x-a'), await r.text()])"
        )
    assert found == ["1, 2", expected]


@pytest.mark.parametrize(
    ("parts", "message", "code"),
    [
        ((b"nonsense\r\n\r\n",), "fetch failed", "HPE_INVALID_CONSTANT"),
        ((), "fetch failed", "ECONNRESET"),
        ((HEAD,), "fetch failed", "ECONNRESET"),
        ((HEAD + b"Content-Length: 9\r\n\r\nabc",), "terminated", "ECONNRESET"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",), "terminated", "ECONNRESET"),
        ((HEAD + b"Content-Encoding: gzip\r\n\r\nnot packed",), "terminated", "Z_DATA_ERROR"),
    ],
)
def test_a_broken_response_is_an_error(parts: tuple[bytes, ...], message: str, code: str) -> None:
    with answering(said(*parts)) as port:
        found = evaluate(f"await fetch('http://127.0.0.1:{port}/').then((r) => r.text())")
    assert found == ["TypeError", message, code]


def test_certificates_are_checked() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DATA / "localhost.pem")
    trusted = str(DATA / "localhost-certificate.pem")
    with answering(said(HEAD + b"Content-Length: 6\r\n\r\nsecret"), context) as port:
        get = f"await fetch('https://127.0.0.1:{port}/').then((r) => r.text())"
        refused = evaluate(get)
        assert refused == ["TypeError", "fetch failed", "DEPTH_ZERO_SELF_SIGNED_CERT"]
        assert evaluate(get, NODE_EXTRA_CA_CERTS=trusted) == "secret"
        for options in (
            "{ rejectUnauthorized: false }",
            f"{{ ca: process.getBuiltinModule('fs').readFileSync('{trusted}') }}",
        ):
            found = evaluate(
                "await new Promise((resolve, reject) => process.getBuiltinModule('https')"
                f".get('https://127.0.0.1:{port}/', {options}, (r) => "
                "r.toArray().then((parts) => resolve(String(Buffer.concat(parts)))))"
                ".on('error', reject))"
            )
            assert found == "secret"


def test_what_does_not_resolve_is_said() -> None:
    found = evaluate("await fetch('http://nowhere.invalid/')")
    assert isinstance(found, list)
    assert found[:2] == ["TypeError", "fetch failed"]
    assert found[2] in ("ENOTFOUND", "EAI_AGAIN")
