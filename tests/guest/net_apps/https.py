"""The library's HTTP server over TLS, and requests: who is not known is not trusted."""

import http.server
import os
import socket
import ssl
from pathlib import Path

import requests

FOLDER = Path(os.environ["CERTIFICATES"])


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up."""


def serve(listening: socket.socket) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(FOLDER / "server.pem")
    server = _Server(listening.getsockname(), _Handler, bind_and_activate=False)
    server.socket.close()
    # The handshake is the handler's: else a silent client would keep all others waiting.
    server.socket = context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


def use(host: str, port: int) -> None:
    address = f"https://{host}:{port}/"
    with requests.Session() as session:
        known = str(FOLDER / "ca.pem")
        for size in (1, 100_000, 1000):
            body = bytes(range(250)) * (size // 250) + b"end"
            assert session.post(address, body, timeout=60, verify=known).content == body[::-1]
    try:
        requests.post(address, data=b"x", timeout=60)
    except requests.exceptions.SSLError as error:
        assert "CERTIFICATE_VERIFY_FAILED" in str(error), error
    else:
        raise AssertionError("an unknown authority was trusted")
    context = ssl.create_default_context(cafile=str(FOLDER / "ca.pem"))
    with (
        socket.create_connection((host, port), 60) as plain,
        context.wrap_socket(plain, server_hostname="ovum.test") as secure,
    ):
        assert secure.version() == "TLSv1.3"
    with socket.create_connection((host, port), 60) as plain:
        try:
            context.wrap_socket(plain, server_hostname="example.test")
        except ssl.SSLCertVerificationError as error:
            assert "Hostname mismatch" in str(error), error
        else:
            raise AssertionError("a server of another name was trusted")
