"""aiohttp, server and client: many requests at a time, a long upload, a WebSocket, a time limit."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

PIECE = bytes(range(256)) * 64
PIECES = 32


async def _greet(request: web.Request) -> web.Response:
    return web.json_response({"hello": request.match_info["name"]})


async def _digest(request: web.Request) -> web.Response:
    state = hashlib.sha256()
    async for piece in request.content.iter_any():
        state.update(piece)
    return web.Response(text=state.hexdigest())


async def _never(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _echo(request: web.Request) -> web.WebSocketResponse:
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    async for message in answer:
        await answer.send_bytes(message.data[::-1])
    return answer


def serve(listening: socket.socket) -> None:
    application = web.Application()
    application.add_routes(
        [
            web.get("/hello/{name}", _greet),
            web.post("/digest", _digest),
            web.get("/never", _never),
            web.get("/echo", _echo),
        ]
    )
    loop = asyncio.new_event_loop()
    web.run_app(application, sock=listening, handle_signals=False, print=None, loop=loop)


async def _use(base: str) -> None:
    limit = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(base, timeout=limit) as session:

        async def greet(number: int) -> None:
            async with session.get(f"/hello/{number}") as answer:
                assert await answer.json() == {"hello": str(number)}

        await asyncio.gather(*map(greet, range(40)))

        async def body() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                yield PIECE

        async with session.post("/digest", data=body()) as answer:
            assert await answer.text() == hashlib.sha256(PIECE * PIECES).hexdigest()
        async with session.ws_connect("/echo") as socket_:
            await socket_.send_bytes(PIECE)
            assert await socket_.receive_bytes() == PIECE[::-1]
        try:
            async with session.get("/never", timeout=aiohttp.ClientTimeout(total=0.5)):
                raise AssertionError
        except TimeoutError:
            pass
        async with session.get("/nothing") as answer:
            assert answer.status == 404


def use(host: str, port: int) -> None:
    asyncio.run(_use(f"http://{host}:{port}"))
