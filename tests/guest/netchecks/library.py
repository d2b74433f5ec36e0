"""What the standard library has over sockets."""

import asyncio
import http.client
import http.server
import socket
import socketserver
import threading
import urllib.request
import xmlrpc.client
import xmlrpc.server
from typing import cast

from .registry import PATIENCE_S, check


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode() * 3
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@check
def http_requests_are_answered() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            port = server.server_address[1]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/a", timeout=PATIENCE_S) as got:
                assert got.read() == b"/a/a/a"
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            for number in range(20):
                connection.request("GET", f"/{number}")
                assert connection.getresponse().read() == f"/{number}".encode() * 3
            connection.close()
        finally:
            server.shutdown()
            thread.join()


@check
def procedures_are_called() -> None:
    with xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False) as server:
        server.register_function(lambda base, exponent: base**exponent, "pow")
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{server.server_address[1]}") as proxy:
            assert proxy.pow(2, 10) == 1024
        thread.join()


@check
def a_udp_server_answers() -> None:
    class Handler(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.read().upper())

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it:
            it.settimeout(PATIENCE_S)
            it.sendto(b"hello", server.server_address)
            assert it.recv(100) == b"HELLO"
        thread.join()


@check
def asyncio_serves_and_connects() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.readline():
            writer.write(data.upper())
            await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def one(number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for turn in range(5):
                writer.write(f"line {number} {turn}\n".encode())
                assert await reader.readline() == f"LINE {number} {turn}\n".encode()
            writer.close()
            await writer.wait_closed()

        await asyncio.gather(*(one(number) for number in range(10)))
        server.close()
        await server.wait_closed()

    asyncio.run(main())


@check
def asyncio_sends_datagrams() -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            # Not always a subclass of what it is (before Python 3.13).
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(data[::-1], addr)

    class Client(asyncio.DatagramProtocol):
        def __init__(self, got: "asyncio.Future[bytes]") -> None:
            self.got = got

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.got.set_result(data)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        address = server.get_extra_info("sockname")
        got: asyncio.Future[bytes] = loop.create_future()
        client, _ = await loop.create_datagram_endpoint(lambda: Client(got), remote_addr=address)
        client.sendto(b"abc")
        assert await asyncio.wait_for(got, PATIENCE_S) == b"cba"
        client.close()
        server.close()

    asyncio.run(main())
