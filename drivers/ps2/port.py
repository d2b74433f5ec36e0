"""A port of the PS/2 controller: commands to the device at it, and the bytes that it sends."""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.services.tasks import Event, Lock, move_on_after, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.ps2.controller import Controller

ACKNOWLEDGED = 0xFA
RESEND = 0xFE
FAILED = 0xFC

TRIES = 3
"""How often a byte is sent to a device that asks for it again."""

REPLY_S = 0.5
"""How long a device may take to answer. The specification says 20 ms (mouse: 25 ms)."""

LOOK_S = 0.02
"""How often the controller is looked at while an answer is waited for: interrupts get lost."""


class Port:
    """`number`: 0 is the keyboard's port, 1 the mouse's."""

    def __init__(self, controller: Controller, number: int) -> None:
        self._controller = controller
        self.number = number
        self.receiver: Callable[[int, int], None] | None = None
        """What to call with each byte that is no answer, and when it came (ns)."""
        self.unclaimed = 0
        """Bytes that nobody wanted."""
        self._lock = Lock()
        self._answers: list[int] = []
        self._acknowledging = False
        """A byte has been sent, and its acknowledgement has not come."""
        self._replies = 0
        """Bytes of reply that are to come after the acknowledgement of the byte sent…"""
        self._collect = 0
        """…and after the one that has come: they may be here before anybody looks at that."""
        self._came = Event()

    @property
    def name(self) -> str:
        return f"PS/2 port {self.number + 1}"

    @property
    def translated(self) -> bool:
        """The controller translates scan codes; it does so on the first port only."""
        return self._controller.translate and self.number == 0

    def received(self, data: int, time_ns: int) -> None:
        """A byte of the device, from the controller."""
        if self._acknowledging and data in (ACKNOWLEDGED, RESEND, FAILED):
            self._acknowledging = False
            if data == ACKNOWLEDGED:
                self._collect = self._replies
            self._answers.append(data)
            self._came.set()
        elif self._collect:
            self._collect -= 1
            self._answers.append(data)
            self._came.set()
        elif self.receiver is not None:
            self.receiver(data, time_ns)
        else:
            self.unclaimed += 1

    async def command(self, *words: int, replies: int = 0, seconds: float = REPLY_S) -> bytes:
        """Sends a command and its parameters; returns that many bytes of reply.

        Each byte has to be acknowledged, and is sent again if the device asks for it. `seconds`:
        for each byte of the reply. Raises DeviceTimeout, DeviceError.
        """
        async with self._lock:
            try:
                for word in words[:-1]:
                    await self._send(word)
                await self._send(words[-1], replies)
                return bytes([await self._answer("a reply", seconds) for _ in range(replies)])
            finally:
                self._acknowledging = False
                self._collect = 0
                self._answers.clear()

    async def _send(self, word: int, replies: int = 0) -> None:
        for _ in range(TRIES):
            self._replies = replies
            self._acknowledging = True
            await self._controller.write(self.number, word)
            answer = await self._answer(f"an acknowledgement of {word:#04x}", REPLY_S)
            if answer == ACKNOWLEDGED:
                return
            if answer != RESEND:
                break
        raise DeviceError(f"{self.name}: the device refuses {word:#04x} with {answer:#04x}")

    async def _answer(self, what: str, seconds: float) -> int:
        answers = self._answers
        deadline = now() + int(seconds * 1e9)
        while not answers:
            self._came.clear()
            with move_on_after(LOOK_S):
                await self._came.wait()
            if not answers:
                self._controller.receive()
            if not answers and now() > deadline:
                raise DeviceTimeout(self.name, what)
        return answers.pop(0)
