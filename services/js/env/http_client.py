"""Requests over HTTP for JavaScript: one connection each, by numbers."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from ovum.services import tasks
from ovum.services.js.env.http_wire import Body, Malformed, body_of_response, read_head
from ovum.services.js.env.sockets import Stream, connect
from ovum.services.js.env.system_errors import network_error, system_error
from ovum.services.js.errors import JSThrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    import zlib
    from typing import Any

    from ovum.services.js.context import Context


class Request:
    """One request, from its beginning to the end of the response."""

    def __init__(self) -> None:
        self.stream: Stream | None = None
        self.body: Body | None = None
        self.unpack: zlib._Decompress | None = None
        self.aborted = False


class Clients:
    """The requests of a context."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._requests: dict[int, Request] = {}
        self._last = 0
        self._trust: dict[tuple[bool, str | None], ssl.SSLContext] = {}

    def make(self) -> int:
        """A new request's number."""
        self._last += 1
        self._requests[self._last] = Request()
        return self._last

    async def open(
        self, number: int, host: str, port: int, secure: bool, options: dict[str, Any] | None = None
    ) -> list[Any]:
        """Connects; the address and port of this side and the other.

        `options`: `rejectUnauthorized`, `ca` (PEM), `servername`. Raises JavaScript's errors.
        """
        options = options or {}
        request = self._requests[number]
        try:
            stream = await connect(host, port)
        except socket.gaierror as error:
            raise _unknown_host(error, host) from error
        except OSError as error:
            address = error.filename or host
            raise network_error(error, "connect", address, port) from error
        if request.aborted:
            stream.close()
            raise _aborted()
        request.stream = stream
        if secure:
            trust = self._trusting(
                options.get("rejectUnauthorized") is not False, options.get("ca")
            )
            try:
                await stream.secure(trust, options.get("servername") or host)
            except OSError as error:
                self.close(number)
                raise _untrusted(error, host) from error
        ours, theirs = stream.socket.getsockname(), stream.socket.getpeername()
        return [ours[0], ours[1], theirs[0], theirs[1]]

    def _trusting(self, verify: bool, ca: str | None) -> ssl.SSLContext:
        key = (verify, ca)
        found = self._trust.get(key)
        if found is None:
            import ssl

            found = self._trust[key] = ssl.create_default_context(cadata=ca)
            more = os.environ.get("NODE_EXTRA_CA_CERTS")
            if more and ca is None:
                found.load_verify_locations(more)
            if not verify:
                found.check_hostname = False
                found.verify_mode = ssl.CERT_NONE
        return found

    def send(self, number: int, data: str | bytes) -> bool:
        """Sends a part of the request (text as ISO 8859-1); False if `drain` is to be waited."""
        stream = self._stream(number)
        try:
            return stream.write(data.encode("latin-1") if isinstance(data, str) else data)
        except OSError as error:
            # There may be a response all the same, which says why.
            if isinstance(error, (BrokenPipeError, ConnectionResetError)):
                return True
            raise system_error(error, "write") from error

    async def drain(self, number: int) -> None:
        """Waits until all that was given to `send` is sent."""
        with suppress(BrokenPipeError, ConnectionResetError, tasks.Closed):
            await self._stream(number).flush()

    async def response(self, number: int, method: str, decode: bool) -> list[Any]:
        """The response's version, status, reason, fields, and whether it has a body.

        `decode`: a body that is compressed (gzip, deflate) is unpacked. Raises JavaScript's errors.
        """
        request, stream = self._requests[number], self._stream(number)
        try:
            while True:
                head = await read_head(stream)
                if head is None:
                    raise _hung_up()
                version, status, reason = _status_line(head.first)
                # 100 and its like come before the answer, 101 is one.
                if status >= 200 or status == 101:
                    break
            request.body = body_of_response(head, stream, status, method)
        except Malformed as error:
            raise JSThrow("Error", f"Parse Error: {error}", code="HPE_INVALID_CONSTANT") from error
        except tasks.Closed as error:
            raise _aborted() from error
        except OSError as error:
            raise _hung_up() from error
        encoding = (head.get("content-encoding") or "").strip().lower()
        if decode and encoding in ("gzip", "x-gzip", "deflate") and not request.body.done:
            import zlib

            # 32 is for either kind of head.
            request.unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
        return [version, status, reason, head.flat(), not request.body.done]

    async def read(self, number: int) -> bytes | None:
        """More of the response's body, None at its end. Raises JavaScript's errors."""
        request = self._requests.get(number)
        if request is None or request.body is None:
            return None
        while True:
            try:
                data = await request.body.read()
            except (OSError, Malformed, tasks.Closed) as error:
                self.close(number)
                raise JSThrow("Error", "aborted", code="ECONNRESET") from error
            if data is None:
                rest = b"" if request.unpack is None else request.unpack.flush()
                request.unpack = None
                self.close(number)
                return rest or None
            if request.unpack is not None:
                data = self._unpacked(number, request, data)
            if data:
                return data

    def _unpacked(self, number: int, request: Request, data: bytes) -> bytes:
        import zlib

        assert request.unpack is not None
        try:
            return request.unpack.decompress(data)
        except zlib.error as error:
            self.close(number)
            raise JSThrow("Error", str(error), code="Z_DATA_ERROR") from error

    def close(self, number: int) -> None:
        """Ends the connection; what waits for it fails."""
        request = self._requests.pop(number, None)
        if request is not None:
            request.aborted = True
            if request.stream is not None:
                request.stream.close()

    def _stream(self, number: int) -> Stream:
        request = self._requests.get(number)
        if request is None or request.stream is None:
            raise _aborted()
        return request.stream


def _status_line(line: str) -> tuple[str, int, str]:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(status) != 3 or not status.isdigit():
        raise Malformed("no status line")
    return version[5:], int(status), reason


def _hung_up() -> JSThrow:
    return JSThrow("Error", "socket hang up", code="ECONNRESET")


def _aborted() -> JSThrow:
    return JSThrow("Error", "aborted", code="ECONNRESET")


def _unknown_host(error: socket.gaierror, host: str) -> JSThrow:
    again = error.errno == socket.EAI_AGAIN
    code = "EAI_AGAIN" if again else "ENOTFOUND"
    number = -3001 if again else -3008
    text = f"getaddrinfo {code} {host}"
    properties: dict[str, Any] = {"errno": number, "syscall": "getaddrinfo", "hostname": host}
    return JSThrow("Error", text, code=code, **properties)


def _untrusted(error: OSError, host: str) -> JSThrow:
    """libuv's and OpenSSL's names for what is wrong with a certificate."""
    text = getattr(error, "verify_message", "") or ""
    codes = {
        10: "CERT_HAS_EXPIRED",
        18: "DEPTH_ZERO_SELF_SIGNED_CERT",
        19: "SELF_SIGNED_CERT_IN_CHAIN",
        20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        62: "ERR_TLS_CERT_ALTNAME_INVALID",
    }
    found = getattr(error, "verify_code", None)
    if found is not None:
        return JSThrow("Error", text, code=codes.get(found, "ERR_TLS_CERT"), host=host)
    if isinstance(error, ConnectionError):
        return _hung_up()
    reason = getattr(error, "reason", None) or str(error)
    return JSThrow("Error", str(reason), code=f"ERR_SSL_{reason}", host=host)


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    clients = Clients(context)
    return {
        "close": clients.close,
        "drain": clients.drain,
        "make": clients.make,
        "open": clients.open,
        "read": clients.read,
        "response": clients.response,
        "send": clients.send,
    }
