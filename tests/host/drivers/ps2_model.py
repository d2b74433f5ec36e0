"""A model of the PS/2 controller with a keyboard and a mouse, and of ways in which they fail."""

from __future__ import annotations

from collections import deque

from .machine import Machine

OUTPUT_FULL, INPUT_FULL, SECOND, PARITY = 0x01, 0x02, 0x20, 0x80


class Peripheral:
    """What keyboard and mouse share: acknowledging, parameters, being off."""

    def __init__(self) -> None:
        self.controller: I8042
        self.second = False
        self.log: list[int] = []
        """Every byte that it was sent."""
        self.silent = False
        self.resend = 0
        """How many bytes are asked for again."""
        self.refuse = -1
        self.enabled = False
        self._awaits: int | None = None

    def say(self, *data: int) -> None:
        for byte in data:
            self.controller.put(byte, self.second)

    def receive(self, byte: int) -> None:
        self.log.append(byte)
        if self.silent:
            return
        if self.resend:
            self.resend -= 1
            self.say(0xFE)
        elif byte == self.refuse:
            self.say(0xFC)
        elif self._awaits is not None:
            command, self._awaits = self._awaits, None
            self.say(0xFA)
            self.parameter(command, byte)
        else:
            self.say(0xFA)
            self.command(byte)

    def command(self, byte: int) -> None:
        raise NotImplementedError

    def parameter(self, command: int, byte: int) -> None:
        raise NotImplementedError


class KeyboardModel(Peripheral):
    """Sends scan codes of set 2."""

    def __init__(self, identity: bytes = b"\xab\x83") -> None:
        super().__init__()
        self.identity = identity
        self.leds = 0
        self.typematic = 0x2B

    def command(self, byte: int) -> None:
        if byte in (0xED, 0xF0, 0xF3):
            self._awaits = byte
        elif byte == 0xF2:
            self.say(*self.identity)
        elif byte == 0xF4:
            self.enabled = True
        elif byte == 0xF5:
            self.enabled = False

    def parameter(self, command: int, byte: int) -> None:
        if command == 0xED:
            self.leds = byte
        elif command == 0xF3:
            self.typematic = byte
        else:
            assert byte == 2, "another scan code set"

    def type(self, data: str) -> None:
        """Scan codes of set 2, in hexadecimal."""
        if self.enabled:
            self.say(*bytes.fromhex(data))


class MouseModel(Peripheral):
    """`best`: 0 three buttons, 3 with a wheel, 4 with five buttons."""

    def __init__(self, best: int = 4) -> None:
        super().__init__()
        self.second = True
        self.best = best
        self.kind = 0
        self._rates: list[int] = []
        self.self_test = b"\xaa\x00"

    def command(self, byte: int) -> None:
        if byte == 0xFF:
            self.kind, self.enabled = 0, False
            self.say(*self.self_test)
        elif byte == 0xF2:
            if self._rates[-3:] == [200, 100, 80] and self.best >= 3:
                self.kind = 3
            if self._rates[-3:] == [200, 200, 80] and self.best >= 4:
                self.kind = 4
            self.say(self.kind)
        elif byte in (0xF3, 0xE8):
            self._awaits = byte
        elif byte == 0xF4:
            self.enabled = True

    def parameter(self, command: int, byte: int) -> None:
        if command == 0xF3:
            self._rates.append(byte)

    def move(self, *packet: int) -> None:
        if self.enabled:
            self.say(*packet)


class I8042:
    """Ports 60 to 64. Attributes beginning with `broken_` make it fail in that way."""

    size = 5

    def __init__(
        self,
        machine: Machine,
        keyboard: KeyboardModel | None = None,
        mouse: MouseModel | None = None,
        *,
        second: bool = True,
    ) -> None:
        self.machine = machine
        self.devices: list[Peripheral | None] = [keyboard, mouse]
        for device in (keyboard, mouse):
            if device is not None:
                device.controller = self
        self.configuration = 0x47
        self.second = second
        self.self_test = 0x55
        self.port_tests = [0, 0]
        self.broken_hangs = False
        self.broken_silent = False
        self.broken_always_full = False
        self.broken_interrupts = False
        self.parity_errors = 0
        self.output: deque[tuple[int, bool]] = deque()
        self._next: int | None = None
        machine.add_ports(0x60, self)

    # The devices' side

    def put(self, byte: int, second: bool) -> None:
        """A byte for the computer, of a device."""
        if not second and self.configuration & 0x40:
            byte = self.translate(byte)
            if byte < 0:
                return
        self.output.append((byte, second))
        if len(self.output) == 1:
            self._interrupt()

    _released = False

    def translate(self, byte: int) -> int:
        """What the chip's table says, for the keys that tests use."""
        if byte == 0xF0:
            self._released = True
            return -1
        table = {
            0x1C: 0x1E, 0x32: 0x30, 0x12: 0x2A, 0x5A: 0x1C, 0x75: 0x48, 0x58: 0x3A, 0x83: 0x41,
        }  # fmt: skip
        byte = table.get(byte, byte)
        if self._released and byte < 0x80:
            byte |= 0x80
        self._released = False
        return byte

    def _interrupt(self) -> None:
        if not self.output or self.broken_interrupts:
            return
        second = self.output[0][1]
        line = self.machine.lines.get(12 if second else 1)
        if line is not None and self.configuration & (2 if second else 1):
            line.pulse()

    # The computer's side

    def read(self, offset: int, width: int) -> int:
        assert width == 1
        if offset == 4:
            status = 0x14
            if self.broken_hangs:
                status |= INPUT_FULL
            if self.output or self.broken_always_full:
                status |= OUTPUT_FULL
            if self.output and self.output[0][1]:
                status |= SECOND
            if self.output and self.parity_errors:
                status |= PARITY
            return status
        assert offset == 0, f"port {0x60 + offset:#x} is none of the controller's"
        if not self.output:
            return 0
        byte, _ = self.output.popleft()
        if self.parity_errors:
            self.parity_errors -= 1
        self._interrupt()
        return byte

    def write(self, offset: int, width: int, value: int) -> None:
        assert width == 1
        if self.broken_hangs:
            return
        if offset == 4:
            self._command(value)
        elif self._next is None:
            self._to_device(0, value)
        else:
            command, self._next = self._next, None
            if command == 0x60:
                self.configuration = value | (0 if self.second else 0x20)
            else:
                self._to_device(1, value)

    def _to_device(self, number: int, value: int) -> None:
        device = self.devices[number]
        if device is not None:
            device.receive(value)

    def _answer(self, value: int) -> None:
        if not self.broken_silent:
            self.output.append((value, False))

    def _command(self, value: int) -> None:
        if value == 0x20:
            self._answer(self.configuration)
        elif value in (0x60, 0xD4):
            self._next = value
        elif value == 0xAA:
            self.configuration = 0x30
            self._answer(self.self_test)
        elif value == 0xAB:
            self._answer(self.port_tests[0])
        elif value == 0xA9:
            self._answer(self.port_tests[1])
        elif value in (0xAD, 0xAE):
            self.configuration = self.configuration & ~0x10 | (0x10 if value == 0xAD else 0)
        elif value in (0xA7, 0xA8) and self.second:
            self.configuration = self.configuration & ~0x20 | (0x20 if value == 0xA7 else 0)
        else:
            assert value in (0xA7, 0xA8), f"command {value:#x}"
