"""A TCP connection as tasks use it, encrypted or not, and how one is made."""

from __future__ import annotations

import socket
from errno import ECONNRESET

from ovum.services import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any

CHUNK = 65536
"""Bytes that are received at once, at most."""

HIGH_WATER = 1 << 16
"""Bytes that may wait to be sent before `write` says that it is enough."""


class TooLong(Exception):
    """What was looked for did not come within the limit."""


class Stream:
    """One connection. Reading is for one task at a time; writing waits for nobody."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.closed = False
        self.writing = False
        self._received = bytearray()
        self._unsent = bytearray()
        self._secured = False

    # Reading.

    async def fill(self) -> bool:
        """Receives more; False at the end. Raises OSError."""
        while True:
            try:
                data = self.socket.recv(CHUNK)
            except BlockingIOError:
                await tasks.wait_readable(self.socket)
            except OSError as error:
                if not await self._retry(error):
                    raise
            else:
                self._received += data
                return bool(data)

    async def read_until(self, end: bytes, limit: int) -> bytes | None:
        """What comes up to and with `end`; None if the connection ends before anything comes.

        Raises TooLong if that has more than `limit` bytes, and ConnectionResetError if the
        connection ends in between.
        """
        start = 0
        while (at := self._received.find(end, start, limit)) < 0:
            if len(self._received) >= limit:
                raise TooLong
            start = max(0, len(self._received) - len(end) + 1)
            if not await self.fill():
                if not self._received:
                    return None
                raise ConnectionResetError(ECONNRESET, "socket hang up")
        return self.take(at + len(end))

    async def read(self, limit: int) -> bytes:
        """Some bytes, `limit` at most; none at the end."""
        if not self._received and not await self.fill():
            return b""
        return self.take(limit)

    def take(self, size: int) -> bytes:
        """Up to so many bytes of what has been received."""
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    # Writing.

    def write(self, data: bytes) -> bool:
        """Sends, or keeps what cannot be sent now until `flush`: False if that is much.

        Raises OSError.
        """
        if self.closed:
            return True
        if not self._unsent:
            data = data[self._send(data) :]
        self._unsent += data
        return len(self._unsent) < HIGH_WATER

    @property
    def unsent(self) -> int:
        """Bytes that wait for `flush`."""
        return len(self._unsent)

    def _send(self, data: bytes | bytearray) -> int:
        if not data:
            return 0
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if self._secured and type(error).__name__.startswith("SSLWant"):
                return 0
            raise

    async def flush(self) -> None:
        """Sends what waits. Raises OSError."""
        while self._unsent:
            await tasks.wait_writable(self.socket)
            # TLS wants to be given the same bytes again.
            sent = self._send(self._unsent)
            del self._unsent[:sent]

    # TLS.

    async def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Goes over to TLS as a client. Raises ssl.SSLError, OSError."""
        secured = context.wrap_socket(
            self.socket, server_hostname=name, do_handshake_on_connect=False
        )
        self.socket = secured
        self._secured = True
        while True:
            try:
                secured.do_handshake()
            except OSError as error:
                if not await self._retry(error):
                    raise
            else:
                return

    async def _retry(self, error: OSError) -> bool:
        """Waits for what TLS wants first, if that is what the error says."""
        name = type(error).__name__
        if name == "SSLWantReadError":
            await tasks.wait_readable(self.socket)
        elif name == "SSLWantWriteError":
            await tasks.wait_writable(self.socket)
        else:
            return False
        return True

    def close(self) -> None:
        """Closes it; who waits for it gets `tasks.Closed`."""
        if self.closed:
            return
        self.closed = True
        tasks.notify_closing(self.socket)
        self.socket.close()


async def addresses(host: str, port: int, family: int = 0) -> list[Any]:
    """What getaddrinfo finds. Names are asked for in another thread. Raises socket.gaierror."""
    try:
        return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return await tasks.to_thread(
            socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, abandon=True
        )


async def connect(host: str, port: int) -> Stream:
    """A connection to the first address of the host's that answers. Raises OSError, the last."""
    last: OSError | None = None
    for family, kind, protocol, _, address in await addresses(host, port):
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        try:
            await _connected(connection, address)
        except OSError as error:
            connection.close()
            error.filename = address[0]
            last = error
        except BaseException:
            connection.close()
            raise
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Stream(connection)
    assert last is not None
    raise last


async def _connected(connection: socket.socket, address: Any) -> None:
    import os

    try:
        connection.connect(address)
    except BlockingIOError:
        await tasks.wait_writable(connection)
        number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number)) from None
