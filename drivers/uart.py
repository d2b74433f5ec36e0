"""Serial ports: National Semiconductor's PC16550D (its data sheet), 1 to 4 of an ISA machine.

The first port is the kernel's console and only described. The others are streams for tasks, and
files for programs: `serial_files` makes /dev/ttyS1 to ttyS3 of those that are there.
"""

from __future__ import annotations

from errno import EBUSY

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.registers import Register, Registers
from ovum.services.tasks import Parking, move_on_after, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovum.drivers.hardware import Hardware
    from ovum.services.irq import Interrupt

PLACES = ((0x3F8, 4), (0x2F8, 3), (0x3E8, 4), (0x2E8, 3))
"""Port and ISA interrupt of the four, as BIOSes have always had them."""

CONSOLE = 0
"""The kernel's own among them."""

FIFO = 16
"""Bytes that the transmitter takes at a time."""
BASE_BAUD = 115200
"""Of the clock that PCs have, 1.8432 MHz, with divisor 1."""

HELD = 64 << 10
"""Bytes received that are kept for whoever reads. Then the other end is told to wait (RTS)."""
QUEUED = 16 << 10
"""Bytes that wait to be sent, before writers do."""
PROGRESS_S = 5.0
"""The transmitter is through with its FIFO within 0.1 s at 1,200 baud."""
POLL_S = 0.01
"""Between two looks at a port whose interrupt line has another owner."""
ROUNDS = 1000
"""After which a port that still asks for attention is taken for broken."""


class UartRegisters(Registers):
    """The registers; with `divisor_latch` the first two are the divisor."""

    data = Register(0, 8, "8.0")
    interrupt_enable = Register(1, 8, "8.7", received=0, sent=1, line=2, modem=3)
    interrupt_cause = Register(2, 8, "8.6", none=0, cause=(3, 1), fifo=(7, 6))
    fifo_control = Register(2, 8, "8.5", enable=0, clear_received=1, clear_sent=2,
                            trigger=(7, 6))  # fmt: skip
    line_control = Register(3, 8, "8.1", length=(1, 0), two_stop_bits=2, parity=3, even=4,
                            stick=5, set_break=6, divisor_latch=7)  # fmt: skip
    modem_control = Register(4, 8, "8.8", dtr=0, rts=1, out1=2, out2=3, loop=4)
    line_status = Register(5, 8, "8.4", ready=0, overrun=1, parity=2, framing=3, got_break=4,
                           transmitter_empty=5, idle=6, fifo_error=7)  # fmt: skip
    modem_status = Register(6, 8, "8.9", cts=4, dsr=5, ring=6, carrier=7)
    scratch = Register(7, 8, "8.10")


_GONE = 0xFF
_EIGHT_BITS = 3
_TRIGGER_8 = 2
"""The receiver interrupts with 8 bytes, or when nothing has come for four characters' time."""


def describe(hardware: Hardware) -> list[tuple[str, int, int, bool]]:
    """Name, port, interrupt and whether it is there, of all four. Looking changes nothing."""
    return [
        (f"ttyS{number}", base, line, present(hardware, base))
        for number, (base, line) in enumerate(PLACES)
    ]


def present(hardware: Hardware, base: int) -> bool:
    """Whether a port is there: its scratch register keeps what is written (8.10)."""
    registers = UartRegisters(hardware.ports(base, 8))
    before = registers.scratch
    kept = []
    for value in (0x5A, 0xA5):
        registers.scratch = value
        kept.append(registers.scratch == value)
    registers.scratch = before
    # The upper half of this register is always 0 (table II).
    return all(kept) and not registers.interrupt_enable & 0xF0


class Uart:
    """A port as a stream of bytes. `start` it, have its `SerialLine` listen, then read and write.

    Raises DeviceError if there is none at these ports.
    """

    def __init__(self, hardware: Hardware, name: str, base: int, baud: int = BASE_BAUD) -> None:
        if not present(hardware, base):
            raise DeviceError(f"{name}: no serial port at {base:#x}")
        if not 0 < BASE_BAUD // baud < 0x10000:
            raise ValueError(f"a serial port cannot have {baud} baud")
        self.name = name
        self.base = base
        self.baud = baud
        self.registers = UartRegisters(hardware.ports(base, 8))
        self.received = 0
        self.sent = 0
        """Bytes."""
        self.errors = 0
        """Bytes lost or spoilt: overruns, parity, framing."""
        self.failed: DeviceError | None = None
        self._arrived = bytearray()
        self._outgoing = bytearray()
        self._readers = Parking("receive", self)
        self._writers = Parking("send", self)
        self._enabled = 0

    def __repr__(self) -> str:
        return f"<serial port {self.name} at {self.base:#x}, {self.baud} baud>"

    def start(self) -> None:
        """Brings it up (8.0): its rate, 8 bits without parity, FIFOs, and interrupts."""
        it = self.registers
        it.interrupt_enable = 0
        divisor = BASE_BAUD // self.baud
        it.line_control = UartRegisters.line_control.value(divisor_latch=1)
        it.data = divisor & 0xFF
        it.interrupt_enable = divisor >> 8
        it.line_control = UartRegisters.line_control.value(length=_EIGHT_BITS)
        it.fifo_control = UartRegisters.fifo_control.value(
            enable=1, clear_received=1, clear_sent=1, trigger=_TRIGGER_8
        )
        # OUT2 lets the interrupt out of the chip, on every PC.
        it.modem_control = UartRegisters.modem_control.value(dtr=1, rts=1, out2=1)
        self._enable()

    def stop(self, why: DeviceError | None = None) -> None:
        """No interrupts any more, and whoever waits gets `why`, or DeviceGone."""
        self.failed = why or DeviceGone(f"{self.name} is no longer driven")
        self.registers.interrupt_enable = 0
        self.registers.modem_control = 0
        self._readers.wake_all()
        self._writers.wake_all()

    def _enable(self) -> None:
        """Asks for what there is a use for. Turning one on raises it if its cause is there."""
        if self.failed is not None:
            return
        room = len(self._arrived) < HELD
        wanted = UartRegisters.interrupt_enable.value(
            received=int(room), line=int(room), sent=int(bool(self._outgoing))
        )
        if wanted != self._enabled:
            self._enabled = int(wanted)
            self.registers.interrupt_enable = wanted
            self.registers.modem_control = UartRegisters.modem_control.value(
                dtr=1, rts=int(room), out2=1
            )

    def serve(self) -> bool:
        """Sees to the port: whether there was anything to do. Raises DeviceGone, DeviceError."""
        worked = False
        for _ in range(ROUNDS):
            status = self.registers.line_status
            if status == _GONE:
                raise DeviceGone(f"{self.name} is not there any more")
            self.errors += status.overrun + status.parity + status.framing
            if status.ready and len(self._arrived) < HELD:
                self._arrived.append(int(self.registers.data))
                self.received += 1
            elif status.transmitter_empty and self._outgoing:
                for byte in self._outgoing[:FIFO]:
                    self.registers.data = byte
                self.sent += len(self._outgoing[:FIFO])
                del self._outgoing[:FIFO]
            else:
                break
            worked = True
        if worked:
            self._readers.wake_all()
            self._writers.wake_all()
        self._enable()
        return worked

    def interrupts(self) -> bool:
        """Whether it holds its line: one that triggers by edges comes again only when no port on
        it does."""
        return not self.registers.interrupt_cause.none

    async def read(self, size: int) -> bytes:
        """What has come, at most `size` bytes and at least one: waits for it.

        Cancelled, it has taken nothing. Raises why the port has failed.
        """
        while not self._arrived:
            if self.failed is not None:
                raise self.failed
            await self._readers.park()
        return self.read_nowait(size)

    def read_nowait(self, size: int) -> bytes:
        """What has come, at most `size` bytes; empty if that is nothing."""
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        self._enable()
        return data

    async def write(self, data: bytes | memoryview) -> int:
        """Queues some of it to be sent: how many bytes, at least one unless there are none.

        Waits for room. Cancelled, it has queued nothing. Raises DeviceTimeout when nothing is sent
        for too long, and why the port has failed.
        """
        while True:
            if self.failed is not None:
                raise self.failed
            room = QUEUED - len(self._outgoing)
            if room > 0 or not data:
                self._outgoing += data[:room]
                self.serve()
                return min(len(data), room)
            await self._progress()

    async def drain(self) -> None:
        """Waits until everything has gone into the transmitter. Raises as `write`."""
        while self._outgoing:
            if self.failed is not None:
                raise self.failed
            await self._progress()

    async def _progress(self) -> None:
        with move_on_after(PROGRESS_S) as scope:
            await self._writers.park()
        if scope.cancelled_caught:
            raise DeviceTimeout(self.name, "room in the transmitter", self.registers.line_status)


class SerialLine:
    """An interrupt line and the ports on it: the second and the fourth port share one.

    The line of the third port is the kernel's, for the first one: ports on it are polled.
    """

    def __init__(self, hardware: Hardware, line: int, ports: list[Uart]) -> None:
        self.ports = ports
        self.name = ", ".join(port.name for port in ports)
        self.gone: list[Callable[[], None]] = []
        """What to call when it is stopped."""
        self.interrupt: Interrupt | None = None
        try:
            self.interrupt = hardware.interrupt(line)
        except OSError as error:
            if error.errno != EBUSY:
                raise

    async def listen(self) -> None:
        """Starts the ports and sees to them, for good, or until all have failed."""
        try:
            for port in self.ports:
                port.start()
            while self._serve():
                if self.interrupt is None:
                    await sleep(POLL_S)
                else:
                    await self.interrupt.wait()
                    self.interrupt.acknowledge()
        finally:
            self._close()

    async def stop(self) -> None:
        """The end: who waits for a port gets an error. May be called again."""
        self._close()
        gone, self.gone = self.gone, []
        for tell in gone:
            tell()

    def _close(self) -> None:
        for port in self.ports:
            port.stop(port.failed)
        if self.interrupt is not None:
            self.interrupt.close()
            self.interrupt = None

    def _serve(self) -> bool:
        """Sees to all ports until none wants anything: whether one still works."""
        for _ in range(ROUNDS):
            working = [port for port in self.ports if port.failed is None]
            again = False
            for port in working:
                try:
                    again |= port.serve() or port.interrupts()
                except DeviceError as error:
                    port.stop(error)
            if not again:
                return any(port.failed is None for port in self.ports)
        for port in working:
            port.stop(DeviceError(f"{port.name}: its interrupts do not end"))
        return False


def find_ports(hardware: Hardware, baud: int = BASE_BAUD) -> dict[int, list[Uart]]:
    """The ports that are there, but for the console, by their interrupt line."""
    lines: dict[int, list[Uart]] = {}
    for number, (base, line) in enumerate(PLACES):
        if number != CONSOLE and present(hardware, base):
            lines.setdefault(line, []).append(Uart(hardware, f"ttyS{number}", base, baud))
    return lines
