"""The console device: streams both ways, ports that come and go, and devices that lie."""

import contextlib
import errno
import os
import random
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.manager import DeviceManager
from ovum.drivers.virtio import console as c
from ovum.drivers.virtio.console import VirtioConsole
from ovum.drivers.virtio.consoleport import RECEIVE, RECEIVES, SEND, SENDS, Port
from ovum.services.streamdev import StreamNode
from ovum.services.tasks import Group, WouldBlock, testing

from .conftest import Run
from .console_model import ConsoleModel
from .machine import Machine
from .nodes import Nodes
from .virtio_faces import FACES, attach
from .virtio_model import MmioFace

Use = Callable[[VirtioConsole], Coroutine[Any, Any, None]]


async def with_console(model: ConsoleModel, use: Use, face: str = "pci") -> None:
    console = VirtioConsole(attach(model, face), "vport0")
    try:
        async with Group() as group:
            group.start(model.run)
            await console.start()
            group.start(console.listen)
            await testing.settle()
            await use(console)
            group.cancel()
    finally:
        await console.stop()


async def read_exactly(port: Port, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await port.read(size - len(data))
        assert more, "the end came too early"
        data += more
    return data


@pytest.mark.parametrize("face", FACES)
def test_a_megabyte_each_way(machine: Machine, run: Run, face: str) -> None:
    model = ConsoleModel(machine)
    there, back = (random.Random(seed).randbytes(1 << 20) for seed in (1, 2))

    async def use(console: VirtioConsole) -> None:
        port = console.ports[1]
        assert (port.label, port.connected, port.console) == ("org.ovum.test", True, False)
        await port.open()
        async with Group() as group:
            reader = group.start(read_exactly, port, 1 << 20)
            group.start(port.write, memoryview(there))
            model.send(1, back)
        assert await reader.wait() == back
        await port.drain()
        assert model.received[1] == there
        await port.close()
        await testing.settle()
        assert [one for one in model.control if one[1] == c.PORT_OPEN] == [
            (1, c.PORT_OPEN, 1),
            (1, c.PORT_OPEN, 0),
        ]

    run(with_console, model, use, face)


def test_the_only_port_of_a_plain_console(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine, features=c.SIZE)

    async def use(console: VirtioConsole) -> None:
        port = console.ports[0]
        assert (port.console, port.size, port.connected) == (True, (80, 25), True)
        await port.open()
        await port.write(memoryview(b"hello"))
        model.send(0, b"you")
        assert await port.read(100) == b"you"
        await port.drain()
        assert model.received[0] == b"hello"
        sizes: list[tuple[int, int]] = []
        port.resized.append(lambda: sizes.append(port.size))
        model.change_config(struct.pack("<HHII", 132, 50, 1, 0))
        await testing.settle()
        assert sizes == [(132, 50)]
        await port.close()

    run(with_console, model, use, "mmio")


def test_reads_take_what_there_is(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)

    async def use(console: VirtioConsole) -> None:
        port = console.ports[1]
        with pytest.raises(WouldBlock):
            await port.read(10, wait=False)
        model.send(1, b"abcdef")
        model.send(1, b"gh")
        assert await port.read(2) == b"ab"
        assert await port.read(5) == b"cdefg"
        assert await port.read(100) == b"h"
        model.send(1, b"late")
        model.connect(1, False)
        await testing.settle()
        assert await port.read(100) == b"late"
        assert await port.read(100) == b"", "nobody is there"

    run(with_console, model, use)


def test_a_reader_waits_and_is_told_of_the_end(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)

    async def use(console: VirtioConsole) -> None:
        async with Group() as group:
            reader = group.start(console.ports[1].read, 10)
            await testing.settle()
            assert not reader.done
            model.connect(1, False)
        assert await reader.wait() == b""

    run(with_console, model, use)


def test_a_host_that_does_not_read_holds_the_writer_up(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)
    model.takes = False
    data = random.Random(1).randbytes(SEND * (SENDS + 3))

    async def use(console: VirtioConsole) -> None:
        port = console.ports[1]
        async with Group() as group:
            writer = group.start(port.write, memoryview(data))
            await testing.settle()
            assert not writer.done
            model.take_held()
        assert await writer.wait() == len(data)
        await port.drain()
        assert model.received[1] == data
        model.takes = False
        assert await port.write(memoryview(data), wait=False) == SEND * SENDS
        with pytest.raises(WouldBlock):
            await port.write(memoryview(b"x"), wait=False)
        model.take_held()
        await port.drain()

    run(with_console, model, use)


def test_a_driver_that_does_not_read_holds_the_host_up(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)
    data = random.Random(2).randbytes(RECEIVE * RECEIVES + 5000)

    async def use(console: VirtioConsole) -> None:
        model.send(1, data)
        assert len(model._to_send[1]) == 5000
        await testing.settle()
        assert await read_exactly(console.ports[1], len(data)) == data

    run(with_console, model, use)


def test_a_writer_waits_until_somebody_is_there(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)

    async def use(console: VirtioConsole) -> None:
        port = console.ports[1]
        model.connect(1, False)
        await testing.settle()
        async with Group() as group:
            writer = group.start(port.write, memoryview(b"hello"))
            await testing.settle()
            assert not writer.done
            model.connect(1)
        await testing.settle()
        assert model.received[1] == b"hello"

    run(with_console, model, use)


def test_ports_are_added_and_taken_away(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine, ports={1: "one"})

    async def use(console: VirtioConsole) -> None:
        seen: list[tuple[str, int]] = []
        console.added.append(lambda port: seen.append(("added", port.number)))
        console.removed.append(lambda port: seen.append(("removed", port.number)))
        model.announced[3] = ""
        model.add(3)
        await testing.settle()
        assert console.ports[3].console
        for _ in range(3):
            port = console.ports[1]
            model.send(1, b"unread")
            async with Group() as group:
                group.start(refused, console.ports[3])
                await testing.settle()
                model.remove(1)
                model.remove(3)
            assert not console.ports
            with pytest.raises(DeviceGone, match="taken away"):
                await port.write(memoryview(b"x"))
            model.add(1)
            model.add(3)
            await testing.settle()
            assert console.ports[1].label == "one"
            model.send(1, b"new")
            assert await console.ports[1].read(100) == b"new"
        assert seen[:3] == [("added", 3), ("removed", 1), ("removed", 3)]

    async def refused(port: Port) -> None:
        with contextlib.suppress(DeviceGone):
            assert await port.read(10) == b""

    run(with_console, model, use)


def test_a_terminal_is_resized(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine, ports={0: ""})

    async def use(console: VirtioConsole) -> None:
        model.say(0, c.RESIZE, 0, struct.pack("<HH", 132, 43))
        await testing.settle()
        assert console.ports[0].size == (132, 43)
        model.say(0, c.RESIZE, 0, b"\1")
        await testing.settle()
        assert console.ports[0].size == (132, 43)

    run(with_console, model, use)


def test_last_words(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)
    console = VirtioConsole(attach(model, "pci"))
    console.emergency(b"!")
    assert model.config[8] == ord("!")
    plain = VirtioConsole(attach(ConsoleModel(machine, features=0), "mmio"))
    with pytest.raises(DeviceError, match="no emergency write"):
        plain.emergency(b"!")


# Devices that fail


def test_control_messages_without_sense_do_no_harm(
    machine: Machine, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ConsoleModel(machine)

    async def use(console: VirtioConsole) -> None:
        model.say_bytes(b"abc")
        model.add(1)
        model.add(99)
        model.remove(2)
        model.say(1, 77)
        model.say(1 << 31, c.PORT_OPEN)
        await testing.settle()
        assert list(console.ports) == [1]
        assert (99, c.PORT_READY, 0) in model.control
        model.send(1, b"fine")
        assert await console.ports[1].read(10) == b"fine"

    run(with_console, model, use)
    said = capsys.readouterr().err
    for text in ("of 3 bytes", "added twice", "one too many", "about port 2", "77 is not known"):
        assert text in said


def test_a_device_that_does_not_hear_is_given_up(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)

    async def use(console: VirtioConsole) -> None:
        model.answers = False
        await console.ports[1].open()
        with pytest.raises(DeviceTimeout, match="a control message"):
            await console.ports[1].close()

    run(with_console, model, use)


def test_a_lie_about_a_length_ends_the_device(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)
    failed: list[DeviceError] = []

    async def main() -> None:
        console = VirtioConsole(attach(model, "pci"), "vport0")

        async def listen() -> None:
            try:
                await console.listen()
            except DeviceError as error:
                failed.append(error)
            await console.stop()

        async with Group() as group:
            group.start(model.run)
            await console.start()
            group.start(listen)
            await testing.settle()
            port = console.ports[1]
            other = group.start(refused, port)
            model.lie = 10_000
            await testing.settle()
            model.send(1, b"lies")
            await other.wait()
            await testing.settle()
            with pytest.raises(DeviceError):
                await port.write(memoryview(b"x"))
            group.cancel()

    async def refused(port: Port) -> None:
        with pytest.raises(DeviceError, match="bytes were written where"):
            await port.read(10)

    run(main)
    assert "bytes were written where" in str(failed[0])


def test_the_end_with_readers_and_writers(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine)
    model.takes = False

    async def use(console: VirtioConsole) -> None:
        port = console.ports[1]
        async with Group() as group:
            for call in (port.read, port.read):
                group.start(refused, call, 10)
            group.start(refused, port.write, memoryview(bytes(1 << 20)))
            await testing.settle()
            await console.stop()
        with pytest.raises(DeviceGone):
            await port.read(1)
        await port.close()

    async def refused(call: Callable[[Any], Coroutine[Any, Any, Any]], what: Any) -> None:
        with pytest.raises(DeviceGone):
            await call(what)

    run(with_console, model, use)


# In /dev


async def with_manager(
    machine: Machine, model: ConsoleModel,
    use: Callable[[DeviceManager, Nodes], Coroutine[Any, Any, None]],
) -> None:  # fmt: skip
    face = MmioFace(model, 0xFEB0_0000, 5)
    nodes = Nodes()
    async with Group() as group:

        def start(name: str, function: Callable[[], Coroutine[Any, Any, None]]) -> object:
            return group.start(function, name=name)

        group.start(model.run)
        line = f"virtio_mmio.device=512@{face.place.address:#x}:5"
        manager = DeviceManager(machine, [], line, start, nodes)
        await manager.start()
        await use(manager, nodes)
        group.cancel()


def test_ports_are_files(machine: Machine, run: Run) -> None:
    model = ConsoleModel(machine, ports={1: "org.ovum.test", 2: "a/b", 0: ""})

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        assert sorted(nodes.devices) == ["vport0p0", "vport0p1", "vport0p2"]
        assert nodes.links == {"virtio-ports/org.ovum.test": "vport0p1"}
        assert sorted(port.number for port in manager.find("console")) == [0, 1, 2]
        node = nodes.devices["vport0p1"]
        file = await node.open(os.O_RDWR)
        assert await file.write(0, memoryview(b"hello")) == 5
        await file.sync(True)
        assert model.received[1] == b"hello"
        model.send(1, b"you")
        assert await file.read(0, 100) == b"you"
        nonblocking = await node.open(os.O_RDWR | os.O_NONBLOCK)
        with pytest.raises(BlockingIOError):
            await nonblocking.read(0, 100)
        model.remove(1)
        await testing.settle()
        assert "vport0p1" not in nodes.devices
        assert not nodes.links
        with pytest.raises(OSError, match="taken away") as caught:
            await file.read(0, 100)
        assert caught.value.errno == errno.ENODEV
        await file.close()
        await nonblocking.close()
        model.break_down()
        await testing.settle()
        assert not nodes.devices
        assert not manager.find("console")
        with pytest.raises(OSError, match="needs a reset") as caught:
            await StreamNode(manager_port).open(os.O_RDWR)
        assert caught.value.errno == errno.EIO

    class Broken:
        async def open(self) -> None:
            raise DeviceError("it needs a reset")

    manager_port: Any = Broken()
    run(with_manager, machine, model, use)
