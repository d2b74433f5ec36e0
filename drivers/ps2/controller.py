"""The PS/2 controller: an Intel 8042 and what chipsets have in its place.

IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller" (1990).
Nothing is taken for granted: a machine may have no controller, one with one port, or one that does
not answer. Then `start` says so, and there is no device.
"""

from __future__ import annotations

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.ps2.port import Port
from ovum.drivers.registers import Register, Registers
from ovum.services.log import WARNING, log
from ovum.services.tasks import Lock, now, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovum.drivers.hardware import Hardware
    from ovum.services.irq import Interrupt

NAME = "PS/2"
BASE = 0x60
IRQS = (1, 12)
"""Interrupt lines of the two ports, on every PC."""

ANSWER_S = 0.5
"""How long the controller may take for a byte; real ones take under 20 ms, self tests longer."""

NOBODY = 0xFF
"""What a bus without a controller reads."""

AT_ONCE = 64
"""Bytes that are taken for one interrupt: a controller whose buffer is never empty is broken."""

READ_CONFIGURATION = 0x20
WRITE_CONFIGURATION = 0x60
DISABLE_SECOND = 0xA7
ENABLE_SECOND = 0xA8
TEST_SECOND = 0xA9
SELF_TEST = 0xAA
TEST_FIRST = 0xAB
DISABLE_FIRST = 0xAD
ENABLE_FIRST = 0xAE
TO_SECOND = 0xD4
"""Commands; TO_SECOND: the next data byte goes to the second port."""

SELF_TEST_PASSED = 0x55
_PORT_FAULTS = {1: "clock stuck low", 2: "clock stuck high", 3: "data stuck low",
                4: "data stuck high"}  # fmt: skip


class Ports(Registers):
    """Ports 60 and 64."""

    data = Register(0, 8)
    status = Register(
        4, 8, output_full=0, input_full=1, system=2, command=3, second=5, timeout=6, parity=7
    )
    command = Register(4, 8)


CONFIGURATION = Register(
    0, 8, first_interrupt=0, second_interrupt=1, system=2, first_disabled=4, second_disabled=5,
    translate=6,
)  # fmt: skip
"""The controller's command byte: not at an address, read and written by commands."""
CONFIGURATION.__set_name__(Ports, "configuration")


class Controller:
    """`ports = await controller.start()`, then run `listen(port)` for each as a task.

    `translate`: the controller turns scan codes of set 2 into set 1, which the firmware's emulation
    of a USB keyboard can do only.
    """

    def __init__(self, hardware: Hardware, translate: bool = True) -> None:
        self._hardware = hardware
        self._ports = Ports(hardware.ports(BASE, 5))
        self.translate = translate
        self.ports: list[Port] = []
        self.dropped = 0
        """Bytes with a parity or timeout error, or for a port that is not there."""
        self._interrupts: dict[int, Interrupt] = {}
        self._writing = Lock()

    async def start(self) -> list[Port]:
        """Finds out which ports work, and lets them interrupt; no port if there is no controller.

        Raises DeviceError for one that fails its self test, DeviceTimeout for one that hangs.
        """
        # 1. A bus with nobody reads as ones; no controller has all errors and both buffers full.
        if int(self._ports.status) == NOBODY:
            return []
        # 2. Devices must not talk meanwhile, and what they have said is of no interest.
        await self._command(DISABLE_FIRST)
        await self._command(DISABLE_SECOND)
        self._flush()
        # 3. The controller tests itself. Some reset their configuration by that.
        await self._command(SELF_TEST)
        result = await self._answer("self test")
        if result != SELF_TEST_PASSED:
            raise DeviceError(f"{NAME}: the controller fails its self test: {result:#04x}")
        # 4. Neither interrupts nor translation while devices are looked for.
        configuration = CONFIGURATION.value(await self._configuration())
        configuration = configuration.replace(
            first_interrupt=0, second_interrupt=0, translate=0, first_disabled=1, second_disabled=1
        )
        await self._configure(configuration)
        # 5. A second port is there if it can be enabled.
        await self._command(ENABLE_SECOND)
        second = not CONFIGURATION.value(await self._configuration()).second_disabled
        await self._command(DISABLE_SECOND)
        # 6. Each port's lines are tested.
        for number, test in enumerate((TEST_FIRST, TEST_SECOND)[: 1 + second]):
            await self._command(test)
            fault = await self._answer(f"test of port {number + 1}")
            if fault:
                reason = _PORT_FAULTS.get(fault, f"{fault:#04x}")
                log(WARNING, f"{NAME}: port {number + 1} does not work: {reason}")
                continue
            self.ports.append(Port(self, number))
        # 7. Ports that work are enabled and interrupt.
        try:
            await self._enable(configuration)
        except BaseException:
            self.close()
            raise
        return self.ports

    async def _enable(self, configuration: int) -> None:
        numbers = [port.number for port in self.ports]
        for number in numbers:
            self._interrupts[number] = self._hardware.interrupt(IRQS[number])
        for number in numbers:
            await self._command((ENABLE_FIRST, ENABLE_SECOND)[number])
        await self._configure(
            CONFIGURATION.value(configuration).replace(
                first_interrupt=0 in numbers,
                second_interrupt=1 in numbers,
                first_disabled=0 not in numbers,
                second_disabled=1 not in numbers,
                translate=self.translate,
            )
        )
        # The lines are edges: a byte that is there already raises no interrupt any more.
        self.receive()

    async def listen(self, port: Port) -> None:
        """Hands out what comes when a port interrupts, for good."""
        interrupt = self._interrupts[port.number]
        while True:
            await interrupt.wait()
            interrupt.acknowledge()
            self.receive()

    def receive(self) -> None:
        """Gives all bytes that wait to their ports. After an interrupt, spurious or not."""
        ports = self._ports
        for _ in range(AT_ONCE):
            status = ports.status
            if not status.output_full or int(status) == NOBODY:
                return
            data = int(ports.data)
            port = next((port for port in self.ports if port.number == status.second), None)
            # Bit 6 with the second port is no error: chipsets set it for the mouse's bytes.
            if status.parity or port is None or (status.timeout and not status.second):
                self.dropped += 1
            else:
                port.received(data, now())
        log(WARNING, f"{NAME}: the controller's buffer is never empty")

    async def write(self, number: int, data: int) -> None:
        """Sends a byte to the device at a port. Raises DeviceTimeout."""
        async with self._writing:
            if number:
                await self._command(TO_SECOND)
            await self._room()
            self._ports.data = data

    def close(self) -> None:
        """Gives the interrupts back."""
        for interrupt in self._interrupts.values():
            interrupt.close()
        self._interrupts.clear()

    # The controller itself: it answers in microseconds, and interrupts for nothing of this.

    async def _room(self) -> None:
        deadline = now() + int(ANSWER_S * 1e9)
        while (status := self._ports.status).input_full:
            if now() > deadline:
                raise DeviceTimeout(NAME, "room for a byte to the controller", status)
            await sleep(0.0005)

    async def _command(self, command: int) -> None:
        await self._room()
        self._ports.command = command

    async def _answer(self, what: str) -> int:
        deadline = now() + int(ANSWER_S * 1e9)
        while not (status := self._ports.status).output_full:
            if now() > deadline:
                raise DeviceTimeout(NAME, what, status)
            await sleep(0.0005)
        return int(self._ports.data)

    async def _configuration(self) -> int:
        await self._command(READ_CONFIGURATION)
        return await self._answer("the configuration")

    async def _configure(self, value: int) -> None:
        await self._command(WRITE_CONFIGURATION)
        await self._room()
        self._ports.data = int(value)

    def _flush(self) -> None:
        for _ in range(AT_ONCE):
            if not self._ports.status.output_full:
                return
            int(self._ports.data)
        raise DeviceError(f"{NAME}: the controller's buffer is never empty")
