"""A disk from its discovery to its files in /dev."""

import errno
import os
import stat
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.drivers.errors import DeviceTimeout
from ovum.drivers.manager import DeviceManager
from ovum.drivers.virtio import blockconfig as c
from ovum.services import blockdev as b
from ovum.services.tasks import Group, now, testing
from ovum.services.vfs import operations as op

from .block_model import ALL, BlockModel
from .conftest import Run
from .machine import Machine
from .nodes import Nodes
from .test_partitions import BLOCK, MemoryDisk, gpt
from .virtio_model import MmioFace

Use = Callable[[DeviceManager, Nodes], Coroutine[Any, Any, None]]


async def with_manager(machine: Machine, models: list[BlockModel], use: Use) -> None:
    words = []
    for number, model in enumerate(models):
        face = MmioFace(model, 0xFEB0_0000 + number * 0x1000, 5 + number)
        words.append(f"virtio_mmio.device={face.size}@{face.place.address:#x}:{face.place.irq}")
    nodes = Nodes()
    async with Group() as group:

        def start(name: str, function: Callable[[], Coroutine[Any, Any, None]]) -> object:
            return group.start(function, name=name)

        for model in models:
            group.start(model.run)
        manager = DeviceManager(machine, [], " ".join(words), start, nodes)
        await manager.start()
        await use(manager, nodes)
        group.cancel()


def test_disks_and_their_partitions_are_found(machine: Machine, run: Run) -> None:
    first = BlockModel(machine, bytes(gpt((100, 199, "root"), (200, 299, "home"))))
    second = BlockModel(machine, bytes(1 << 16))

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        names = {device.name: device for device in manager.find("block")}
        with_table = next(name[:-1] for name in names if name.endswith("1"))
        assert sorted(names) == sorted(["vda", "vdb", with_table + "1", with_table + "2"])
        assert set(nodes.devices) == set(names)
        assert await names[with_table + "2"].read(0, BLOCK) == bytes(BLOCK)
        first.break_down()
        await testing.settle()
        left = "vdb" if with_table == "vda" else "vda"
        assert [device.name for device in manager.find("block")] == [left]
        assert set(nodes.devices) == {left}
        assert manager.lettered("vd") == with_table, "the name is free again"

    run(with_manager, machine, [first, second], use)


def test_a_disk_whose_first_block_cannot_be_read_is_a_disk(
    machine: Machine, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    model = BlockModel(machine, bytes(1 << 16))
    model.answer = 1

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        assert list(nodes.devices) == ["vda"]
        model.answer = None
        assert await manager.find("block")[0].read(0, 10) == bytes(10)

    run(with_manager, machine, [model], use)
    assert "vda: its partitions cannot be read" in capsys.readouterr().err


def test_a_disk_that_does_not_answer_holds_nothing_up(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, bytes(1 << 16))
    model.answers = False

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        assert now() / 1e9 < 10
        assert isinstance(manager.devices[0].error, DeviceTimeout)
        assert not nodes.devices
        assert not manager.find("block")

    run(with_manager, machine, [model], use)


def test_a_disk_that_breaks_down_at_once(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, bytes(1 << 16))
    model.lie = 1 << 20

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        assert "bytes were written where" in str(manager.devices[0].error)
        assert not nodes.devices

    run(with_manager, machine, [model], use)


# As a file


class Failing(MemoryDisk):
    async def read_blocks(self, offset: int, view: memoryview) -> None:
        raise DeviceTimeout("vda", "a request")


def test_a_block_device_as_a_file() -> None:
    async def main() -> None:
        disk = MemoryDisk(bytearray(1 << 16))
        node = b.BlockNode(disk)
        info = await node.attributes()
        assert stat.S_ISBLK(info.mode)
        assert info.size == 0
        file = await node.open(os.O_RDWR)
        assert (await file.attributes()).size == 1 << 16
        assert await file.write(1000, memoryview(b"hello")) == 5
        data = bytearray(10)
        assert await file.read_into(998, memoryview(data)) == 10
        assert data == b"\0\0hello\0\0\0"
        with pytest.raises(OSError, match="Invalid"):
            await file.truncate(0)
        broken = await b.BlockNode(Failing(bytearray(512))).open(os.O_RDONLY)
        with pytest.raises(OSError, match="no answer in time") as caught:
            await broken.read_into(0, memoryview(data))
        assert caught.value.errno == errno.EIO

    testing.run(main, seed=1)


class FakeRequest:
    """A system call's, as far as what takes it without a task sees it."""

    number = mount = mount2 = base = base2 = b = c = thread = 0
    path = path2 = b""

    def __init__(self, operation: int, offset: int, size: int) -> None:
        self.operation = operation
        self.a = offset
        self.buffer: memoryview | None = memoryview(bytearray(size))
        self.answers: list[tuple[int, int]] = []

    def complete(self, result: int, extra: int = 0, /) -> None:
        self.answers.append((result, extra))

    def abandon(self) -> None:
        raise AssertionError

    def redirect(self, path: bytes, second: bool = False, /) -> None:
        raise AssertionError


class Direct(MemoryDisk):
    def begin_blocks(
        self, write: bool, offset: int, view: memoryview, done: Callable[[Exception | None], None]
    ) -> bool:
        self.begun = write, offset, len(view)
        self.done = done
        return True


def test_calls_that_need_no_task_are_answered_by_the_disk() -> None:
    async def main() -> None:
        disk = Direct(bytearray(1 << 16))
        file = await b.BlockNode(disk).open(os.O_RDWR)
        assert file.direct is not None
        read = FakeRequest(op.READ, 512, 1024)
        assert file.direct(read)
        assert (disk.begun, read.answers) == ((False, 512, 1024), [])
        disk.done(None)
        assert read.answers == [(1024, 1536)]
        write = FakeRequest(op.WRITE, 0, 512)
        assert file.direct(write)
        disk.done(OSError(errno.ENOSPC, "no"))
        assert write.answers == [(-errno.ENOSPC, 0)]
        assert file.direct(write)
        disk.done(DeviceTimeout("vda", "a request"))
        assert write.answers[1:] == [(-errno.EIO, 0)]
        for other in (
            FakeRequest(op.SYNC, 0, 512),
            FakeRequest(op.READ, 5, 512),
            FakeRequest(op.READ, 1 << 16, 512),
        ):
            assert not file.direct(other)
        flushing = await b.BlockNode(disk).open(os.O_RDWR | os.O_DSYNC)
        assert flushing.direct is not None
        assert not flushing.direct(write)

    testing.run(main, seed=1)


def test_written_with_dsync_is_flushed() -> None:
    flushes: list[int] = []

    class Counting(MemoryDisk):
        async def flush(self) -> None:
            flushes.append(len(flushes))

    async def main() -> None:
        node = b.BlockNode(Counting(bytearray(1 << 16)))
        file = await node.open(os.O_RDWR)
        await file.write(0, memoryview(b"x"))
        assert not flushes
        await file.sync(True)
        await file.control_at(b.BLKFLSBUF, 0, None)
        assert len(flushes) == 2
        await (await node.open(os.O_RDWR | os.O_DSYNC)).write(0, memoryview(b"x"))
        assert len(flushes) == 3

    testing.run(main, seed=1)


@pytest.mark.parametrize(
    ("command", "form", "expected"),
    [
        (b.BLKGETSIZE64, "<Q", 1 << 16),
        (b.BLKGETSIZE, "<Q", 128),
        (b.BLKSSZGET, "<i", 4096),
        (b.BLKPBSZGET, "<i", 8192),
        (b.BLKROGET, "<i", 1),
    ],
)
def test_commands_that_ask(command: int, form: str, expected: int) -> None:
    async def main() -> None:
        disk = MemoryDisk(bytearray(1 << 16), 4096)
        disk.physical_block_size = 8192
        disk.readonly = True
        file = await b.BlockNode(disk).open(os.O_RDONLY)
        data = bytearray(8)
        assert await file.control_at(command, 0, memoryview(data)) == 0
        assert struct.unpack_from(form, data) == (expected,)

    testing.run(main, seed=1)


def test_commands_that_change() -> None:
    async def main() -> None:
        disk = MemoryDisk(bytearray(b"x" * 4096))
        node = b.BlockNode(disk)
        place = memoryview(struct.pack("<QQ", 512, 1024))
        with pytest.raises(OSError, match="Bad file"):
            await (await node.open(os.O_RDONLY)).control_at(b.BLKZEROOUT, 0, place)
        file = await node.open(os.O_RDWR)
        assert await file.control_at(b.BLKZEROOUT, 0, place) == 0
        assert disk.content == b"x" * 512 + bytes(1024) + b"x" * 2560
        with pytest.raises(OSError, match="not supported"):
            await file.control_at(b.BLKDISCARD, 0, place)
        for command in (0x1234, b.BLKGETSIZE64):
            with pytest.raises(OSError, match="Inappropriate"):
                await file.control_at(command, 0, None)

    testing.run(main, seed=1)


def test_a_read_only_disk_is_said_to_be_so(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, bytes(gpt((100, 199, "root"))), features=ALL | c.RO)

    async def use(manager: DeviceManager, nodes: Nodes) -> None:
        assert len(nodes.devices) == 2
        for node in nodes.devices.values():
            file = await node.open(os.O_RDWR)
            with pytest.raises(PermissionError):
                await file.write(0, memoryview(b"x"))

    run(with_manager, machine, [model], use)
