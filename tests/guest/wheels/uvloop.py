"""uvloop: the same promises as asyncio's loop, kept by libuv."""

import asyncio

import uvloop
from wheels import loop

loop.run_all(uvloop.run)


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__


print(uvloop.run(kind()))
