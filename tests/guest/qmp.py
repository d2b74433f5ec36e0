"""A guest whose QEMU is controlled over its machine protocol."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from qemu.qmp import QMPClient

from . import machine


class Controlled:
    """A running QEMU: its guest's terminal, and its controls."""

    def __init__(self, process: asyncio.subprocess.Process, control: QMPClient) -> None:
        self.process = process
        self.control = control

    async def read_until(self, words: str) -> str:
        """Everything on the serial port up to these words."""
        assert self.process.stdout is not None
        data = await asyncio.wait_for(
            self.process.stdout.readuntil(words.encode()), machine.LIMIT_S
        )
        return data.decode()

    async def write(self, text: str) -> None:
        """Types on the serial port."""
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        await self.process.stdin.drain()

    async def state(self) -> str:
        """`running`, `paused`, `shutdown`, …"""
        answer = await self.control.execute("query-status")
        assert isinstance(answer, dict)
        return str(answer["status"])

    async def event(self, name: str) -> None:
        """Waits for an event of this name."""

        async def wait() -> None:
            async for event in self.control.events:
                if event["event"] == name:
                    return

        await asyncio.wait_for(wait(), machine.LIMIT_S)

    async def end(self) -> int:
        """Waits for QEMU's end; its status."""
        return await asyncio.wait_for(self.process.wait(), machine.LIMIT_S)


@contextlib.asynccontextmanager
async def controlled(image: Path | None, *words: str) -> AsyncIterator[Controlled]:
    """Boots an image with the controls connected before its first instruction.

    None: what the words give it to boot from.
    """
    kernel = () if image is None else ("-kernel", str(image))
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *(machine.QEMU, "-display", "none", "-serial", "stdio", "-m", "256", "-S"),
            *("-chardev", f"socket,id=control,fd={theirs.fileno()}"),
            *("-mon", "chardev=control,mode=control", *kernel, *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
    control = QMPClient("guest")
    try:
        await control.connect(ours)
        await control.execute("cont")
        yield Controlled(process, control)
    finally:
        with contextlib.suppress(EOFError):
            # QEMU may have gone already, and then the connection is.
            await control.disconnect()
        if process.returncode is None:
            process.kill()
        await process.wait()
