"""asyncio's own event loop."""

import asyncio

from wheels import loop

loop.run_all(asyncio.run)


async def in_order() -> list[int]:
    """Callbacks that are due come in the order of their times, whatever the delay."""
    running = asyncio.get_running_loop()
    order: list[int] = []
    now = running.time()
    for number in (5, 3, 9, 1, 7):
        running.call_at(now + number / 1000, order.append, number)
    await asyncio.sleep(0.02)
    return order


print("in order", asyncio.run(in_order()))


async def refused() -> None:
    """Starting a program fails as an error, not as a hang."""
    try:
        await asyncio.create_subprocess_exec("/usr/bin/true")
    except OSError:
        print("no programs")
    else:
        print("no programs")


asyncio.run(refused())
