"""anyio: one program on asyncio's loop, on uvloop's and on trio's."""

import os
import signal
import socket
import threading

import anyio
import anyio.from_thread
import anyio.to_thread

LONG = 20.0


async def everything() -> None:
    total = 0
    lock, gate = anyio.Lock(), anyio.CapacityLimiter(5)
    send, receive = anyio.create_memory_object_stream[int](10)

    async def task(number: int) -> None:
        nonlocal total
        async with gate, lock:
            before = total
            await anyio.lowlevel.checkpoint()
            total = before + number

    async def produce() -> None:
        async with send:
            for number in range(200):
                await send.send(number)

    async with anyio.create_task_group() as group:
        for number in range(500):
            group.start_soon(task, number)
        group.start_soon(produce)
        async with receive:
            got = [number async for number in receive]
    print("tasks", total, sum(got))

    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(LONG)
    print("limits", scope.cancelled_caught)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, LONG)
            raise ValueError("one")
    except* ValueError as errors:
        print("groups", errors.exceptions)
    try:
        with anyio.fail_after(0.01):
            await anyio.Event().wait()
    except TimeoutError:
        print("fail_after")

    async def double(number: int) -> int:
        await anyio.sleep(0)
        return number * 2

    def work(number: int) -> int:
        return anyio.from_thread.run(double, number) + anyio.from_thread.run_sync(abs, -1)

    values: list[int] = []

    async def call(number: int) -> None:
        values.append(await anyio.to_thread.run_sync(work, number))

    async with anyio.create_task_group() as group:
        for number in range(12):
            group.start_soon(call, number)
    print("threads", sorted(values))

    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    threading.Timer(0.01, right.send, (b"ready",)).start()
    with anyio.fail_after(LONG):
        await anyio.wait_readable(left)
    print("sockets", left.recv(10))
    left.close()
    right.close()

    with anyio.open_signal_receiver(signal.SIGUSR1) as arriving, anyio.fail_after(LONG):
        threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        print("signals", signal.Signals(await anext(arriving)).name)
    path = anyio.Path("/tmp/anyio-file")
    await path.write_text("größer")
    print("files", await path.read_text())
    await path.unlink()


for backend, options in (("asyncio", {}), ("asyncio", {"use_uvloop": True}), ("trio", {})):
    print(backend, options)
    anyio.run(everything, backend=backend, backend_options=options)
with anyio.from_thread.start_blocking_portal() as portal:
    print("portal", portal.call(anyio.sleep, 0.001), portal.start_task_soon(abs, -3).result(LONG))
