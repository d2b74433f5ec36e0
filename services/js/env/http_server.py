"""Servers of HTTP for JavaScript: connections are tasks, requests are callbacks."""

from __future__ import annotations

import socket

from ovum.services import tasks
from ovum.services.js.env.http_wire import Body, Head, Malformed, body_of_request, read_head
from ovum.services.js.env.sockets import Stream
from ovum.services.js.env.system_errors import network_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.context import Context
    from ovum.services.js.objects import JSFunction

DISCARDED = 1 << 20
"""Bytes of a body that nobody has read, which are read for the next request's sake."""

REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large"}


class Exchange:
    """One request and what is answered."""

    def __init__(self, stream: Stream, body: Body, done: tasks.Event) -> None:
        self.stream = stream
        self.body = body
        self.done = done
        self.keep = False
        """Whether the connection is for another request, once this one is answered."""
        self._scope: tasks.CancelScope | None = None
        self._unwatched = tasks.Event("the end of a look at a connection")

    async def watch(self) -> bool:
        """Whether the other side goes away before the answer is complete."""
        assert self._scope is None
        self._scope = tasks.CancelScope()
        gone = False
        try:
            with self._scope:
                # What comes meanwhile is another request's, and stays where it is.
                while await self.stream.fill():
                    continue
                gone = True
        except (OSError, tasks.Closed):
            gone = True
        finally:
            self._unwatched.set()
        if gone:
            self.done.set()
        return gone

    async def end_watch(self) -> None:
        """Has `watch` let go of the connection, if it was called."""
        if self._scope is not None:
            self._scope.cancel()
            await self._unwatched.wait()


class Server:
    """One listening server. `called` has JavaScript's functions `request` and `closed`."""

    def __init__(self, servers: Servers, called: dict[str, JSFunction], idle: float) -> None:
        self._servers = servers
        self._called = called
        self._idle = idle
        self._listening: socket.socket | None = None
        self._waiting: set[Stream] = set()
        self._streams: set[Stream] = set()

    def listen(self, host: str, port: int, backlog: int) -> list[Any]:
        """Begins; the address and port that it has then. Raises the system's error."""
        try:
            listening = _bound(host, port)
            listening.listen(backlog)
        except OSError as error:
            raise network_error(error, "listen", host or "::", port) from error
        self._listening = listening
        self._servers.context.loop.start(self._accept, listening)
        name = listening.getsockname()
        return [name[0], name[1], "IPv6" if listening.family == socket.AF_INET6 else "IPv4"]

    async def _accept(self, listening: socket.socket) -> None:
        try:
            while True:
                try:
                    connection, address = listening.accept()
                except BlockingIOError:
                    await tasks.wait_readable(listening)
                    continue
                except ConnectionAbortedError:
                    # It was gone before anybody has looked.
                    continue
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = Stream(connection)
                self._streams.add(stream)
                self._servers.context.loop.start(self._serve, stream, address)
        except tasks.Closed:
            # `close` has been called.
            return
        finally:
            listening.close()

    async def _serve(self, stream: Stream, address: Any) -> None:
        try:
            while not stream.closed and await self._answer(stream, address):
                pass
        except Malformed as error:
            reason = REASONS[error.status]
            stream.write(f"HTTP/1.1 {error.status} {reason}\r\nConnection: close\r\n\r\n".encode())
        except (OSError, tasks.Closed):
            # The other side is gone, or `close` was called: there is nobody to be told.
            pass
        finally:
            stream.close()
            self._waiting.discard(stream)
            self._streams.discard(stream)
            self._told_if_closed()

    async def _answer(self, stream: Stream, address: Any) -> bool:
        """One request; whether there may be another."""
        self._waiting.add(stream)
        head = None
        with tasks.move_on_after(self._idle):
            head = await read_head(stream)
        self._waiting.discard(stream)
        return head is not None and await self._exchange(stream, head, address)

    async def _exchange(self, stream: Stream, head: Head, address: Any) -> bool:
        method, target, version = _request_line(head.first)
        body = body_of_request(head, stream)
        if head.has_token("expect", "100-continue"):
            stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange = Exchange(stream, body, tasks.Event("the answer"))
        number = self._servers.add(exchange)
        try:
            self._servers.context.loop.post(
                self._called["request"],
                *(number, method, target, version, head.flat(), not body.done),
                *(address[0], address[1]),
            )
            await exchange.done.wait()
            await exchange.end_watch()
            await stream.flush()
        finally:
            self._servers.remove(number)
        if not exchange.keep:
            return False
        left = DISCARDED
        while left > 0 and (data := await body.read()) is not None:
            left -= len(data)
        return body.done

    def close(self) -> None:
        """Takes no more connections, and ends those that wait for a request."""
        if self._listening is not None:
            tasks.notify_closing(self._listening)
            self._listening.close()
            self._listening = None
        for stream in list(self._waiting):
            stream.close()
        self._told_if_closed()

    def close_all(self) -> None:
        """Ends all connections."""
        for stream in list(self._streams):
            stream.close()

    def count(self) -> int:
        """How many connections there are."""
        return len(self._streams)

    def _told_if_closed(self) -> None:
        if self._listening is None and not self._streams:
            self._servers.context.loop.post(self._called["closed"])


def _bound(host: str, port: int) -> socket.socket:
    """A socket at an address; without a host at all of both families that there are."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
    else:
        family, host = (socket.AF_INET6, "::") if _has_ipv6() else (socket.AF_INET, "0.0.0.0")
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        made.setblocking(False)
        made.bind((host, port))
    except BaseException:
        made.close()
        raise
    return made


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[0] or not parts[1] or not parts[2].startswith("HTTP/1."):
        raise Malformed("no request line")
    return parts[0], parts[1], parts[2][5:]


class Servers:
    """The servers of a context and their exchanges, by numbers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._exchanges: dict[int, Exchange] = {}
        self._last = 0

    def add(self, exchange: Exchange) -> int:
        """Takes one in; its number."""
        self._last += 1
        self._exchanges[self._last] = exchange
        return self._last

    def remove(self, number: int) -> None:
        """Forgets it."""
        del self._exchanges[number]

    def make(self, called: dict[str, JSFunction], idle_ms: float) -> dict[str, Any]:
        """A new server, as functions."""
        server = Server(self, called, idle_ms / 1000)
        return {
            "close": server.close,
            "closeAll": server.close_all,
            "count": server.count,
            "listen": server.listen,
        }

    async def read(self, number: int) -> bytes | None:
        """More of a request's body. Raises JavaScript's error ECONNRESET."""
        exchange = self._exchanges.get(number)
        if exchange is None:
            return None
        try:
            return await exchange.body.read()
        except (OSError, Malformed, tasks.Closed) as error:
            exchange.stream.close()
            exchange.done.set()
            raise _hung_up() from error

    def send(self, number: int, data: str | bytes) -> bool:
        """Sends a part of a response (text as ISO 8859-1); False if `drain` is to be waited for."""
        exchange = self._exchanges.get(number)
        if exchange is None:
            return True
        try:
            return exchange.stream.write(data.encode("latin-1") if isinstance(data, str) else data)
        except OSError:
            # The other side is gone, which `_serve` finds out as well.
            exchange.stream.close()
            exchange.done.set()
            return True

    async def drain(self, number: int) -> None:
        """Waits until what was given to `send` is sent, or nobody is there to get it."""
        exchange = self._exchanges.get(number)
        if exchange is not None and not exchange.stream.closed:
            try:
                await exchange.stream.flush()
            except (OSError, tasks.Closed):
                exchange.stream.close()
                exchange.done.set()

    def watch(self, number: int, gone: JSFunction) -> None:
        """Has `gone()` called if the other side goes away before `finish`."""
        exchange = self._exchanges.get(number)
        if exchange is not None and not exchange.done.is_set():
            self.context.loop.start(self._watch, exchange, gone, hold=False)

    async def _watch(self, exchange: Exchange, gone: JSFunction) -> None:
        if await exchange.watch():
            self.context.loop.post(gone)

    def finish(self, number: int, keep: bool) -> None:
        """The answer is complete."""
        exchange = self._exchanges.get(number)
        if exchange is not None:
            exchange.keep = keep
            exchange.done.set()

    def destroy(self, number: int) -> None:
        """Ends the connection."""
        exchange = self._exchanges.get(number)
        if exchange is not None:
            exchange.stream.close()
            exchange.done.set()


def _hung_up() -> Exception:
    from ovum.services.js.errors import JSThrow

    return JSThrow("Error", "aborted", code="ECONNRESET")


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    servers = Servers(context)
    functions: dict[str, Callable[..., Any]] = {
        "destroy": servers.destroy,
        "drain": servers.drain,
        "finish": servers.finish,
        "make": servers.make,
        "read": servers.read,
        "send": servers.send,
        "watch": servers.watch,
    }
    return functions
