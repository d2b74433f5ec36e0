"""Serial ports against a model of the chip, with its FIFOs and its one interrupt."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.drivers import uart
from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.serial_files import SerialDevice
from ovum.drivers.uart import SerialLine, Uart, describe, find_ports, present
from ovum.services.tasks import Group, TaskCancelled, sleep
from ovum.services.tasks.testing import run, settle

from .machine import Machine

BASE, LINE = 0x2F8, 3


class Chip:
    """A 16550A whose transmitter is as quick as a test wants. Its line triggers by edges."""

    size = 8

    def __init__(self, machine: Machine, line: int = LINE) -> None:
        self.machine = machine
        self.line = line
        self.divisor = bytearray(2)
        self.registers = {2: 0, 3: 0, 4: 0, 7: 0, 1: 0}
        self.received = bytearray()
        self.sent = bytearray()
        self.in_fifo = 0
        """Bytes in the transmitter."""
        self.sent_pending = False
        """"Transmitter empty" has not been told yet."""
        self.blocked = False
        self.status_errors = 0
        self.level = False
        self.gone = False
        self.screams = False

    # The other end of the cable

    def arrive(self, data: bytes) -> None:
        for byte in data:
            if len(self.received) == 16:
                self.status_errors |= 2
            else:
                self.received.append(byte)
        self.update()

    def transmit(self) -> None:
        """The transmitter is through."""
        self.in_fifo = 0
        self.sent_pending = True
        self.update()

    # The chip

    def cause(self) -> int:
        enabled = self.registers[1]
        if self.screams:
            return 6
        if enabled & 4 and self.status_errors:
            return 6
        if enabled & 1 and self.received:
            return 4
        if enabled & 2 and self.sent_pending:
            return 2
        return 1

    def update(self) -> None:
        level = self.cause() != 1 and bool(self.registers[4] & 8)
        line = self.machine.lines.get(self.line)
        if level and not self.level and line is not None:
            line.pulse()
        self.level = level

    def read(self, offset: int, width: int) -> int:
        assert width == 1
        if self.gone:
            return 0xFF
        value = self._read(offset)
        self.update()
        return value

    def _read(self, offset: int) -> int:
        latch = self.registers[3] & 0x80
        if offset < 2 and latch:
            return self.divisor[offset]
        if offset == 0:
            return self.received.pop(0) if self.received else 0
        if offset == 2:
            cause = self.cause()
            if cause == 2:
                self.sent_pending = False
            return 0xC0 | cause
        if offset == 5:
            errors, self.status_errors = self.status_errors, 0
            empty = 0x60 if not self.in_fifo else 0
            return errors | empty | (1 if self.received else 0)
        return 0xB0 if offset == 6 else self.registers[offset]

    def write(self, offset: int, width: int, value: int) -> None:
        if self.gone:
            return
        if offset < 2 and self.registers[3] & 0x80:
            self.divisor[offset] = value
        elif offset == 0:
            assert self.in_fifo < 16, "more than the FIFO takes"
            self.in_fifo += 1
            self.sent_pending = False
            self.sent.append(value)
            if not self.blocked:
                self.transmit()
        elif offset == 1:
            if value & 2 and not self.registers[1] & 2 and not self.in_fifo:
                self.sent_pending = True
            self.registers[1] = value
        else:
            assert offset in (2, 3, 4, 7)
            self.registers[offset] = value
        self.update()


def with_port(
    test: Callable[[Machine, Chip, Uart], Coroutine[Any, Any, None]], seed: int | None = None
) -> None:
    """Runs a test beside a port that is looked after."""
    machine = Machine(1 << 20)
    chip = Chip(machine)
    machine.add_ports(BASE, chip)

    async def main() -> None:
        (port,) = find_ports(machine)[LINE]
        line = SerialLine(machine, LINE, [port])
        async with Group() as group:
            listening = group.start(line.listen)
            await settle()
            await test(machine, chip, port)
            listening.cancel()
        assert not machine.leaks()

    run(main, seed=seed)


def test_which_ports_there_are() -> None:
    machine = Machine(1 << 20)
    for base in (0x3F8, 0x2E8):
        machine.add_ports(base, Chip(machine))
    assert describe(machine) == [
        ("ttyS0", 0x3F8, 4, True), ("ttyS1", 0x2F8, 3, False), ("ttyS2", 0x3E8, 4, False),
        ("ttyS3", 0x2E8, 3, True),
    ]  # fmt: skip
    # The console is the kernel's.
    assert {line: [port.name for port in ports] for line, ports in find_ports(machine).items()} == {
        3: ["ttyS3"]
    }
    with pytest.raises(DeviceError, match="no serial port at 0x2f8"):
        Uart(machine, "ttyS1", 0x2F8)


def test_looking_for_a_port_leaves_it_as_it_was() -> None:
    machine = Machine(1 << 20)
    chip = Chip(machine)
    chip.registers[7] = 0x77
    machine.add_ports(BASE, chip)
    assert present(machine, BASE)
    assert chip.registers[7] == 0x77


@pytest.mark.parametrize(("baud", "divisor"), [(115200, 1), (9600, 12), (50, 2304)])
def test_the_rate(baud: int, divisor: int) -> None:
    machine = Machine(1 << 20)
    chip = Chip(machine)
    machine.add_ports(BASE, chip)
    Uart(machine, "ttyS1", BASE, baud).start()
    assert int.from_bytes(chip.divisor, "little") == divisor
    assert chip.registers[3] == 3
    for wrong in (1, 200000):
        with pytest.raises(ValueError, match="baud"):
            Uart(machine, "ttyS1", BASE, wrong)


def test_what_arrives_is_read(seed: int) -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        got = bytearray()

        async def reader() -> None:
            while len(got) < 300:
                got.extend(await port.read(100))

        async with Group() as group:
            group.start(reader)
            for at in range(0, 300, 15):
                chip.arrive(bytes(range(256))[at % 256 :][:15].ljust(15, b"."))
                await settle()
        assert len(got) == port.received == 300
        assert port.errors == 0

    with_port(test, seed)


def test_what_is_written_is_sent_in_pieces_of_the_fifo(seed: int) -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        data = bytes(range(256)) * 100
        chip.blocked = True

        async def writer() -> None:
            view = memoryview(data)
            while view:
                view = view[await port.write(view) :]
            await port.drain()

        async with Group() as group:
            writing = group.start(writer)
            await settle()
            assert len(chip.sent) == 16 and not writing.done
            while not writing.done:
                chip.transmit()
                await settle()
        assert chip.sent == data
        assert port.sent == len(data)
        # Nothing more to send: the interrupt for that is off.
        assert not chip.registers[1] & 2

    with_port(test, seed)


def test_a_transmitter_that_stops() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        chip.blocked = True
        assert await port.write(bytes(40)) == 40
        with pytest.raises(DeviceTimeout, match="room in the transmitter"):
            await port.drain()
        assert await port.write(bytes(1 << 20)) < 1 << 20
        with pytest.raises(DeviceTimeout):
            await port.write(b"x")

    with_port(test)


def test_an_overrun_is_counted() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        chip.arrive(bytes(40))
        assert await port.read(100) == bytes(16)
        assert port.errors == 1

    with_port(test)


def test_nobody_reads_and_the_other_end_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uart, "HELD", 32)

    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        for _ in range(3):
            chip.arrive(bytes(16))
            await settle()
        assert port.received == 32 and len(chip.received) == 16
        assert not chip.registers[4] & 2, "RTS"
        assert len(await port.read(1000)) == 32
        await settle()
        assert chip.registers[4] & 2
        assert len(await port.read(1000)) == 16
        assert port.errors == 0

    with_port(test)


def test_a_spurious_interrupt_is_no_byte() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        machine.lines[LINE].pulse()
        await settle()
        assert port.received == 0
        chip.arrive(b"x")
        assert await port.read(1) == b"x"

    with_port(test)


def test_a_cancelled_read_has_taken_nothing() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        async with Group() as group:
            reading = group.start(port.read, 10)
            await settle()
            reading.cancel()
            with pytest.raises(TaskCancelled):
                await reading.wait()
        chip.arrive(b"abc")
        assert await port.read(2) == b"ab"
        assert await port.read(2) == b"c"

    with_port(test)


def test_a_port_that_is_taken_out() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        async def reader() -> None:
            with pytest.raises(DeviceGone, match="ttyS1"):
                await port.read(10)

        async with Group() as group:
            group.start(reader)
            await settle()
            chip.gone = True
            machine.lines[LINE].pulse()
        with pytest.raises(DeviceGone):
            await port.write(b"x")
        await settle()
        assert not machine.lines, "the line is given up"

    with_port(test)


def test_interrupts_that_do_not_end_fail_the_port_alone() -> None:
    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        chip.screams = True
        machine.lines[LINE].pulse()
        await settle()
        with pytest.raises(DeviceError, match="interrupts do not end"):
            await port.read(1)

    with_port(test)


def test_two_ports_share_a_line(seed: int) -> None:
    machine = Machine(1 << 20)
    chips = [Chip(machine), Chip(machine)]
    machine.add_ports(0x2F8, chips[0])
    machine.add_ports(0x2E8, chips[1])

    async def main() -> None:
        ports = find_ports(machine)[3]
        assert [port.name for port in ports] == ["ttyS1", "ttyS3"]
        async with Group() as group:
            listening = group.start(SerialLine(machine, 3, ports).listen)
            await settle()
            chips[1].arrive(b"two")
            chips[0].arrive(b"one")
            assert [await port.read(9) for port in ports] == [b"one", b"two"]
            # One goes, the other stays.
            chips[0].gone = True
            machine.lines[3].pulse()
            await settle()
            chips[1].arrive(b"still")
            assert await ports[1].read(9) == b"still"
            with pytest.raises(DeviceGone):
                await ports[0].read(1)
            listening.cancel()

    run(main, seed=seed)
    assert not machine.leaks()


def test_a_port_whose_line_is_the_kernels_is_polled() -> None:
    machine = Machine(1 << 20)
    chip = Chip(machine, 4)
    machine.add_ports(0x3E8, chip)
    kernels = machine.interrupt(4)

    async def main() -> None:
        (port,) = find_ports(machine)[4]
        line = SerialLine(machine, 4, [port])
        assert line.interrupt is None
        async with Group() as group:
            listening = group.start(line.listen)
            await sleep(0.1)
            chip.arrive(b"abc")
            assert await port.read(10) == b"abc"
            chip.blocked = True
            await port.write(bytes(20))
            await sleep(0.02)
            assert len(chip.sent) == 16
            chip.transmit()
            await port.drain()
            listening.cancel()
        kernels.close()

    run(main)
    assert len(chip.sent) == 20 and not machine.leaks()


def test_the_file_of_a_port() -> None:
    import errno
    import os

    async def test(machine: Machine, chip: Chip, port: Uart) -> None:
        device = SerialDevice(port)
        waiting, quick = await device.open(0), await device.open(os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):
            await quick.read(0, 10)
        chip.arrive(b"abcdef")
        assert await waiting.read(0, 4) == b"abcd"
        assert await quick.read(0, 4) == b"ef"
        assert await waiting.write(0, memoryview(b"hello")) == 5
        await waiting.sync(False)
        assert chip.sent == b"hello"
        port.stop()
        with pytest.raises(OSError, match="no longer driven") as caught:
            await waiting.read(0, 1)
        assert caught.value.errno == errno.EIO

    with_port(test)
