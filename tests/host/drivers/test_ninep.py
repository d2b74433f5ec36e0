"""The 9P transport and the client over it: requests in flight, their end, servers that lie."""

import errno
import gc
import os
import stat
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ovum.drivers.errors import DeviceError, DeviceTimeout
from ovum.drivers.virtio import ninep
from ovum.drivers.virtio.mmio import MmioTransport
from ovum.drivers.virtio.ninep import DEPTH, Virtio9p
from ovum.services.tasks import CancelScope, Group, Task, testing
from ovum.services.vfs.ninep import NinePFileSystem
from ovum.services.vfs.node import Node

from .conftest import Run
from .machine import Machine
from .ninep_model import NinePModel
from .ninep_server import FolderServer

Use = Callable[[NinePFileSystem, Node], Coroutine[Any, Any, None]]


async def drive(driver: Virtio9p, died: list[DeviceError]) -> None:
    """What the device manager does with a driver."""
    try:
        await driver.listen()
    except DeviceError as error:
        died.append(error)
    finally:
        with CancelScope(shield=True):
            await driver.stop()


async def with_share(model: NinePModel, use: Use, *, mount: bool = True) -> list[DeviceError]:
    """Brings a device up, mounts it, uses it, and checks that nothing is left; returns what the
    driver has died of, if it has."""
    driver = Virtio9p(MmioTransport(model.machine, model.face.place))
    system = NinePFileSystem(driver)
    died: list[DeviceError] = []
    async with Group() as group:
        group.start(model.run)
        await driver.start()
        group.start(drive, driver, died)
        try:
            await use(system, await system.root() if mount else Node())
            if mount:
                gc.collect()  # errors that were caught hold frames, and these fids
                await system.unmounted()
                await testing.settle()
                assert system.client.in_flight == 0
                assert died or not model.server.fids, "fids were not clunked"
        finally:
            group.cancel()
    model.server.end()
    return died


@pytest.fixture
def model(machine: Machine, tmp_path: Path) -> NinePModel:
    (tmp_path / "file").write_bytes(b"hello, world\n")
    (tmp_path / "folder").mkdir()
    return NinePModel(machine, FolderServer(str(tmp_path)))


def ask(model: NinePModel, run: Run, use: Use) -> None:
    assert run(with_share, model, use) == []


def test_the_tag_and_the_size_of_messages_are_agreed_on(model: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        driver = system.client.channel
        assert isinstance(driver, Virtio9p)
        assert driver.tag == "share"
        assert system.client.msize == ninep.LARGEST
        assert (await root.attributes()).mode & 0o170000 == 0o040000

    ask(model, run, use)


@pytest.mark.parametrize("tag", [b"", b"x" * 300])
def test_a_tag_that_cannot_be_is_an_error(machine: Machine, tmp_path: Path, tag: bytes) -> None:
    model = NinePModel(machine, FolderServer(str(tmp_path)), tag=tag)
    driver = Virtio9p(MmioTransport(machine, model.face.place))
    with pytest.raises(DeviceError, match="a tag of"):
        testing.run(driver.start)
    testing.run(driver.stop)


@pytest.mark.parametrize("indirect", [True, False])
@pytest.mark.parametrize("queue_size", [16, 128])
def test_reads_and_writes_go_to_the_callers_memory(
    machine: Machine, tmp_path: Path, run: Run, queue_size: int, indirect: bool
) -> None:
    model = NinePModel(machine, FolderServer(str(tmp_path)), queue_size=queue_size)
    if not indirect:
        model.offered &= ~(1 << 28)
    content = bytes(range(256)) * 2000
    seen: list[bool] = []
    bounced = Virtio9p._fit_bounce

    async def use(system: NinePFileSystem, root: Node) -> None:
        dma = machine.dma(len(content) + 4096)
        # From the middle of a page on.
        with dma.view[100 : 100 + len(content)] as view:
            view[:] = content
            node = await root.create("new", 0o644)
            file = await node.open(os.O_RDWR)
            assert await file.write(0, view) == len(content)
            assert (tmp_path / "new").read_bytes() == content
            view[:] = bytes(len(content))
            assert await file.read_into(0, view) == len(content)
            assert bytes(view) == content
            assert await file.read_into(len(content) - 5, view) == 5
            assert await file.read_into(len(content), view) == 0
        await file.close()
        dma.free()

    def bounce(self: Virtio9p, *arguments: Any) -> int:
        seen.append(True)
        return bounced(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Virtio9p, "_fit_bounce", bounce)
        ask(model, run, use)
    assert not seen


def test_what_the_device_cannot_reach_is_copied(model: NinePModel, run: Run) -> None:
    content = os.urandom(200_000)

    async def use(system: NinePFileSystem, root: Node) -> None:
        file = await (await root.create("new", 0o600)).open(os.O_RDWR)
        assert await file.write(3, memoryview(content)) == len(content)
        found = bytearray(len(content) + 10)
        assert await file.read_into(0, memoryview(found)) == len(content) + 3
        assert found[: len(content) + 3] == bytes(3) + content
        await file.close()

    ask(model, run, use)


def test_more_requests_than_fit_wait_for_each_other(model: NinePModel, run: Run) -> None:
    model.holds = frozenset({"getattr"})

    async def use(system: NinePFileSystem, root: Node) -> None:
        async with Group() as group:
            tasks = [group.start(root.attributes) for _ in range(3 * DEPTH)]
            await testing.settle()
            assert len(model.held) == DEPTH
            while not all(task.done for task in tasks):
                model.release()
                await testing.settle()

    ask(model, run, use)


def test_rings_wrap(model: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        queue = model.queues[0]
        driver = system.client.channel
        assert isinstance(driver, Virtio9p)
        # Both sides go on from near the end of what an index counts.
        queue.index = queue.seen = 65_000
        own = driver._queue
        own._next = own._told = own._seen = 65_000
        own._available[1] = own._used[1] = 65_000
        own.interrupt_next()
        event = model.machine.view(queue.used + 4 + 8 * queue.size, 2)
        struct.pack_into("<H", event, 0, 65_000)
        for _ in range(300):
            await root.lookup("file")
        assert queue.index < 2000

    ask(model, run, use)


# Cancelling


def test_a_request_that_is_cancelled_is_flushed(model: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        model.holds = frozenset({"getattr"})
        scope = CancelScope()

        async def look() -> None:
            with scope:
                await root.attributes()

        async with Group() as group:
            group.start(look)
            await testing.settle()
            assert len(model.held) == 1
            scope.cancel()
        assert scope.cancelled_caught
        assert model.held == []
        assert model.server.asked[-1] == "flush"
        assert system.client.in_flight == 0
        model.holds = frozenset()
        await root.attributes()

    ask(model, run, use)


def test_memory_is_not_given_back_before_the_device_is_through(
    machine: Machine, model: NinePModel, run: Run
) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        file = await (await root.lookup("file")).open(os.O_RDONLY)
        # The server takes its time with both.
        model.holds = frozenset({"read", "flush"})
        scope = CancelScope()

        async def read() -> None:
            with scope:
                await file.read_into(0, memoryview(bytearray(10)))

        async with Group() as group:
            task: Task[None] = group.start(read)
            await testing.settle()
            scope.cancel()
            await testing.settle()
            assert not task.done
            assert len(model.held) == 2
            model.holds = frozenset()
            model.release()
        await file.close()

    ask(model, run, use)


def test_what_was_done_all_the_same_is_told(model: NinePModel, tmp_path: Path, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        model.holds = frozenset({"unlinkat", "flush"})
        scope = CancelScope()
        told = []

        async def unlink() -> None:
            with scope:
                await root.unlink("file")
                told.append("done")

        (tmp_path / "file").touch()
        async with Group() as group:
            group.start(unlink)
            await testing.settle()
            scope.cancel()
            await testing.settle()
            model.holds = frozenset()
            model.release()  # answers both, the request first
        assert told == ["done"]
        assert not (tmp_path / "file").exists()

    ask(model, run, use)


def test_a_walk_that_is_cancelled_leaves_no_fid(model: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        model.holds = frozenset({"walk", "flush"})
        scope = CancelScope()

        async def look() -> None:
            with scope:
                await root.lookup("file")

        async with Group() as group:
            group.start(look)
            await testing.settle()
            scope.cancel()
            await testing.settle()
            model.holds = frozenset()
            model.release()
        await root.attributes()

    ask(model, run, use)  # with_share counts the fids


# Devices that fail


def test_who_waits_gets_an_error_when_the_device_does_not_answer(
    model: NinePModel, run: Run
) -> None:
    results: list[object] = []

    async def use(system: NinePFileSystem, root: Node) -> None:
        model.answers = False

        async def look() -> None:
            with pytest.raises(OSError) as caught:
                await root.attributes()
            results.append(caught.value.errno)

        async with Group() as group:
            for _ in range(DEPTH + 5):
                group.start(look)
            await testing.settle()
            assert results == []
        assert results == [errno.EIO] * (DEPTH + 5)
        with pytest.raises(OSError, match="Input/output error"):
            await root.lookup("file")

    [error] = run(with_share, model, use)
    assert isinstance(error, DeviceTimeout)
    assert "an answer in 60 s" in str(error)


def test_a_device_that_breaks_down_ends_everything(model: NinePModel, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        model.break_down()
        with pytest.raises(OSError, match="Input/output error"):
            await root.attributes()

    [error] = run(with_share, model, use)
    assert "needs a reset" in str(error)


@pytest.mark.parametrize("lie", [1, 1 << 20, 1 << 31])
def test_lengths_of_the_ring_that_lie_are_errors(model: NinePModel, run: Run, lie: int) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        model.lie = lie
        with pytest.raises(OSError) as caught:
            await root.attributes()
        assert caught.value.errno == errno.EIO
        model.lie = 0

    died = run(with_share, model, use)
    # One byte more would have fitted: the message itself says that it is not there.
    assert [one for one in died if "bytes were written where" not in str(one)] == []
    assert len(died) == (lie > 1)


# What the other side changes


def test_what_the_host_changes_is_seen(model: NinePModel, tmp_path: Path, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        (tmp_path / "file").write_bytes(b"first")
        node = await root.lookup("file")
        assert await root.lookup("file") is node
        (tmp_path / "file").write_bytes(b"longer than before")
        assert (await (await root.lookup("file")).attributes()).size == 18
        assert await root.lookup("file") is node
        (tmp_path / "file").rename(tmp_path / "moved")
        assert await root.lookup("moved") is node
        assert (await node.attributes()).size == 18
        (tmp_path / "file").mkdir()
        other = await root.lookup("file")
        assert other is not node
        assert other.kind == stat.S_IFDIR

    run(with_fresh_file, model, use, tmp_path)


async def with_fresh_file(model: NinePModel, use: Use, folder: Path) -> None:
    for one in folder.iterdir():
        if one.is_dir():
            one.rmdir()
        else:
            one.unlink()
    await with_share(model, use)


def test_a_descriptor_changes_no_other_file(model: NinePModel, tmp_path: Path, run: Run) -> None:
    async def use(system: NinePFileSystem, root: Node) -> None:
        node = await root.lookup("file")
        file = await node.open(os.O_RDWR)
        (tmp_path / "second").write_bytes(b"the second")
        (tmp_path / "second").rename(tmp_path / "file")

        async def change() -> None:
            with pytest.raises(OSError) as caught:
                await node.set_attributes(mode=0o600)
            assert caught.value.errno == errno.ESTALE
            await file.truncate(3)
            buffer = bytearray(20)
            assert await file.read_into(0, memoryview(buffer)) == 3

        async with Group() as group:  # another request than that which has looked it up
            group.start(change)
        assert (tmp_path / "file").read_bytes() == b"the second"
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
        await file.close()

    ask(model, run, use)
