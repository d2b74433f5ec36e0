"""websockets, server and client: long messages in pieces, compressed; many clients; closing."""

import asyncio
import socket

import websockets.asyncio.client
import websockets.asyncio.server
import websockets.exceptions


async def _handle(client: websockets.asyncio.server.ServerConnection) -> None:
    async for message in client:
        if message == "leave":
            await client.close(4000, "as you wish")
        else:
            await client.send(message)


async def _serve(listening: socket.socket) -> None:
    async with websockets.asyncio.server.serve(_handle, sock=listening, max_size=None):
        await asyncio.Event().wait()


def serve(listening: socket.socket) -> None:
    asyncio.run(_serve(listening))


async def _talk(uri: str, number: int) -> None:
    async with websockets.asyncio.client.connect(uri, max_size=None, open_timeout=120) as client:
        for size in (0, 1, 200, 70_000):
            await client.send(bytes([number]) * size)
            assert await client.recv() == bytes([number]) * size
        await client.send(iter(["in ", "three ", "pieces"]))
        assert await client.recv() == "in three pieces"
        await (await client.ping())
        await client.send("leave")
        try:
            await client.recv()
        except websockets.exceptions.ConnectionClosedError as closed:
            assert closed.rcvd is not None
            assert (closed.rcvd.code, closed.rcvd.reason) == (4000, "as you wish")


async def _use(uri: str) -> None:
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(_talk(uri, number))


def use(host: str, port: int) -> None:
    asyncio.run(_use(f"ws://{host}:{port}/"))
