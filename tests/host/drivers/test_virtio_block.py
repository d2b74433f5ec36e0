"""The disk: what arrives where, many requests in flight, and disks that fail."""

import errno
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ovum.drivers.errors import DeviceError, DeviceGone, DeviceTimeout
from ovum.drivers.virtio import blockconfig as c
from ovum.drivers.virtio.block import DEADLINE_S, GET_ID, IN, VirtioBlock
from ovum.drivers.virtio.blockrequests import split
from ovum.services.tasks import Group, now, sleep, testing

from .block_model import ALL, SECTOR, BlockModel
from .conftest import Run
from .machine import Machine
from .virtio_faces import FACES, attach

Use = Callable[[VirtioBlock], Coroutine[Any, Any, None]]


async def with_disk(model: BlockModel, use: Use, face: str = "pci") -> None:
    """Brings a disk up, uses it, and stops it."""
    disk = VirtioBlock(attach(model, face), "vda")
    try:
        async with Group() as group:
            group.start(model.run)
            await disk.start()
            group.start(disk.listen)
            await use(disk)
            group.cancel()
    finally:
        await disk.stop()


async def until_listening_fails(model: BlockModel, use: Use) -> BaseException:
    """The same with a disk that fails meanwhile: it is stopped as the manager would."""
    disk = VirtioBlock(attach(model, "pci"), "vda")
    failed: list[BaseException] = []

    async def listen() -> None:
        try:
            await disk.listen()
        except DeviceError as error:
            failed.append(error)
        await disk.stop()

    async with Group() as group:
        group.start(model.run)
        await disk.start()
        group.start(listen)
        await use(disk)
        await testing.settle()
        group.cancel()
    return failed[0]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("face", FACES)
def test_what_is_read_and_written(machine: Machine, run: Run, face: str) -> None:
    content = noise(1 << 20)
    model = BlockModel(machine, content)

    async def use(disk: VirtioBlock) -> None:
        assert disk.size == 1 << 20
        memory = machine.dma(1 << 17)
        view = memory.view
        assert await disk.read_into(4096, view[:8192]) == 8192
        assert view[:8192] == content[4096 : 4096 + 8192]
        view[:] = noise(1 << 17, 2)
        assert await disk.write(SECTOR, view.toreadonly()) == 1 << 17
        assert model.content[SECTOR : SECTOR + (1 << 17)] == noise(1 << 17, 2)
        await disk.flush()
        assert model.flushes == 1
        memory.free()

    run(with_disk, model, use, face)


def test_data_goes_straight_to_the_callers_memory(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 20))

    async def use(disk: VirtioBlock) -> None:
        before = len(machine.allocated)
        memory = machine.dma(1 << 19)
        await disk.read_into(0, memory.view)
        assert memory.view == model.content[: 1 << 19]
        assert model.requests == [(IN, 0, 1 << 19)]
        assert len(machine.allocated) == before + 1 + 1  # the memory, and a table of descriptors
        memory.free()

    run(with_disk, model, use)


def test_memory_without_a_place_goes_through_a_buffer(machine: Machine, run: Run) -> None:
    content = noise(1 << 20)
    model = BlockModel(machine, content)

    async def use(disk: VirtioBlock) -> None:
        assert await disk.read(SECTOR, 300_032) == content[SECTOR : SECTOR + 300_032]
        data = noise(200_192, 3)
        async with Group() as group:
            for k in range(5):
                group.start(disk.write, k * 200_192 // 512 * 512, memoryview(data))
        assert model.content[: 200_192 * 5] == data * 5

    run(with_disk, model, use)


@pytest.mark.parametrize("block", [512, 4096])
def test_parts_of_blocks(machine: Machine, run: Run, block: int) -> None:
    expected = bytearray(noise(1 << 18))
    model = BlockModel(machine, bytes(expected), block=block)
    chance = random.Random(block)

    async def use(disk: VirtioBlock) -> None:
        assert disk.block_size == block
        for _ in range(60):
            offset = chance.randrange(1 << 18)
            size = chance.choice([chance.randrange(1, 64), chance.randrange(1, 20_000), block])
            got = await disk.read(offset, size)
            assert got == expected[offset : offset + size]
            data = chance.randbytes(size)
            written = await disk.write(offset, memoryview(data))
            assert written == len(expected[offset : offset + size])
            expected[offset : offset + written] = data[:written]
        assert model.content == expected

    run(with_disk, model, use)


def test_writers_of_parts_of_one_block_lose_nothing(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, bytes(8 * SECTOR))

    async def use(disk: VirtioBlock) -> None:
        async with Group() as group:
            for k in range(64):
                group.start(disk.write, 7 + 50 * k, memoryview(bytes([k + 1]) * 50))
            group.start(disk.write, 7 * SECTOR, memoryview(b"w" * SECTOR))
        expected = b"".join(bytes([k + 1]) * 50 for k in range(64))
        assert model.content[7 : 7 + 3200] == expected
        assert model.content[7 * SECTOR :] == b"w" * SECTOR

    run(with_disk, model, use)


def test_a_whole_block_that_is_written_survives_its_neighbours_change(
    machine: Machine, run: Run
) -> None:
    model = BlockModel(machine, bytes(4 * SECTOR))
    model.holds = True

    async def use(disk: VirtioBlock) -> None:
        async with Group() as group:
            group.start(disk.write, 0, memoryview(b"a" * 2 * SECTOR))
            await testing.settle()
            group.start(disk.write, SECTOR + 8, memoryview(b"bb"))
            group.start(disk.write, 0, memoryview(b"c" * SECTOR))
            for _ in range(4):
                await testing.settle()
                model.finish_held()
        assert model.content[: 2 * SECTOR] == b"c" * SECTOR + b"a" * 8 + b"bb" + b"a" * 502

    run(with_disk, model, use)


def test_the_end_of_the_disk(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(4096))

    async def use(disk: VirtioBlock) -> None:
        assert await disk.read(4000, 1000) == model.content[4000:]
        assert await disk.read(4096, 10) == b""
        assert await disk.read(1 << 70, 10) == b""
        assert await disk.write(4090, memoryview(b"x" * 10)) == 6
        with pytest.raises(OSError, match=re.escape(f"[Errno {errno.ENOSPC}]")):
            await disk.write(4096, memoryview(b"x"))
        with pytest.raises(OSError, match=re.escape(f"[Errno {errno.EINVAL}]")):
            await disk.read(-1, 10)

    run(with_disk, model, use)


@pytest.mark.parametrize(
    ("features", "segments", "segment_size", "queue_size"),
    [
        (ALL, 254, 0, 256),
        (ALL, 7, 0, 256),
        (ALL | c.SIZE_MAX, 3, 2048, 256),
        (ALL & ~c.SEG_MAX, 1, 0, 256),
        (ALL | c.SIZE_MAX, 100, 512, 16),
        (ALL, 254, 0, 4),
        (0, 1, 0, 4),
    ],
)
@pytest.mark.parametrize("indirect", [True, False])
def test_requests_are_as_large_as_the_device_takes(
    machine: Machine, run: Run, features: int, segments: int, segment_size: int, queue_size: int,
    indirect: bool,
) -> None:  # fmt: skip
    content = noise(1 << 20)
    model = BlockModel(
        *(machine, content),
        features=features,
        segments=segments,
        segment_size=segment_size,
        queue_size=queue_size,
    )
    if not indirect:
        model.offered &= ~(1 << 28)

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(1 << 18)
        # Not on a page boundary: pieces do not end where blocks do.
        for start in (0, 256):
            view = memory.view[start : start + (1 << 17)]
            await disk.read_into(1 << 16, view)
            assert view == content[1 << 16 : (1 << 16) + (1 << 17)]
            view[:] = noise(1 << 17, 5 + start)
            await disk.write(0, view)
            assert model.content[: 1 << 17] == noise(1 << 17, 5 + start)
            model.content[:] = content
        memory.free()

    run(with_disk, model, use)


def test_many_in_flight_come_back_in_any_order(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 20))
    model.holds = True
    chance = random.Random(7)

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(300 * SECTOR)
        order = list(range(300))
        chance.shuffle(order)
        async with Group() as group:
            for k in order:
                view = memory.view[k * SECTOR : (k + 1) * SECTOR]
                group.start(disk.read_into, 2 * k * SECTOR, view)
            done = most = 0
            while done < 300:
                await testing.settle()
                most = max(most, len(model.held))
                done += model.finish_held(chance)
        assert most == 128
        for k in range(300):
            assert (
                memory.view[k * SECTOR : (k + 1) * SECTOR]
                == (model.content[2 * k * SECTOR : (2 * k + 1) * SECTOR])
            )
        memory.free()

    run(with_disk, model, use)


def test_past_the_wrap_of_the_index(machine: Machine) -> None:
    model = BlockModel(machine, noise(4096), queue_size=8)

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(4096)

        async def reader(k: int) -> None:
            view = memory.view[k * SECTOR : (k + 1) * SECTOR]
            for _ in range(66_000 // 8):
                view[:8] = b"________"
                await disk.read_into(k * SECTOR, view)
                assert view[:8] == model.content[k * SECTOR : k * SECTOR + 8]

        async with Group() as group:
            for k in range(8):
                group.start(reader, k)
        memory.free()

    testing.run(with_disk, model, use, seed=1)
    assert len(model.requests) >= 66_000


def test_discard_and_zeroes(machine: Machine, run: Run) -> None:
    content = noise(1 << 20)
    model = BlockModel(machine, content)

    async def use(disk: VirtioBlock) -> None:
        await disk.discard(SECTOR, 700 * SECTOR)  # three requests
        assert model.content[SECTOR : 701 * SECTOR] == b"?" * 700 * SECTOR
        await disk.write_zeroes(0, 300 * SECTOR)
        assert model.content[: 300 * SECTOR] == bytes(300 * SECTOR)
        assert model.content[701 * SECTOR :] == content[701 * SECTOR :]
        for offset, size in ((1, SECTOR), (0, 5), (0, 0), (1 << 20, SECTOR), (-512, 512)):
            with pytest.raises(OSError, match=re.escape(f"[Errno {errno.EINVAL}]")):
                await disk.discard(offset, size)

    run(with_disk, model, use)


def test_what_a_device_cannot_do(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 20), features=0)

    async def use(disk: VirtioBlock) -> None:
        with pytest.raises(OSError, match=re.escape(f"[Errno {errno.EOPNOTSUPP}]")):
            await disk.discard(0, SECTOR)
        with pytest.raises(OSError, match=re.escape(f"[Errno {errno.EOPNOTSUPP}]")):
            disk.set_write_cache(True)
        await disk.write_zeroes(0, 300 * SECTOR)
        assert model.content[: 300 * SECTOR] == bytes(300 * SECTOR)
        await disk.flush()
        assert model.flushes == 0

    run(with_disk, model, use)


def test_a_read_only_disk(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(4096), features=ALL | c.RO)

    async def use(disk: VirtioBlock) -> None:
        assert disk.readonly
        for call in (disk.write(0, memoryview(b"x")), disk.discard(0, 512)):
            with pytest.raises(PermissionError):
                await call
        assert len(await disk.read(0, 4096)) == 4096

    run(with_disk, model, use)


def test_who_it_is(machine: Machine, run: Run) -> None:
    model = BlockModel(machine)

    async def use(disk: VirtioBlock) -> None:
        assert await disk.identity() == "a disk"
        model.identity = b"x" * 20
        assert await disk.identity() == "x" * 20
        model.answer = 2
        assert await disk.identity() == ""
        assert {kind for kind, _, _ in model.requests} == {GET_ID}
        before = disk.write_cache
        disk.set_write_cache(False)
        assert (before, disk.write_cache) == (True, False)
        assert disk.physical_block_size == 4096

    run(with_disk, model, use)


# Disks that fail


@pytest.mark.parametrize(
    ("answer", "lie", "number", "message"),
    [
        (1, 0, errno.EIO, "vda"),
        (2, 0, errno.EOPNOTSUPP, "vda"),
        (7, 0, errno.EIO, "unknown status 0x7"),
        (-1, 0, errno.EIO, "unknown status 0xff"),
        (0, -4096, errno.EIO, "bytes were read instead of 4096"),
    ],
)
def test_a_request_that_fails_fails_alone(
    machine: Machine, run: Run, answer: int, lie: int, number: int, message: str
) -> None:
    model = BlockModel(machine, noise(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        model.answer, model.lie = answer, lie
        with pytest.raises(OSError, match=message) as caught:
            await disk.read(0, 4096)
        assert caught.value.errno == number
        model.answer, model.lie = None, 0
        assert await disk.read(0, 4096) == model.content[:4096]

    run(with_disk, model, use)


def test_one_of_several_parts_fails(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16), segments=1)
    serve = model.serve
    count = iter(range(100))

    def sometimes(index: int, chain: Any) -> int:
        model.answer = 1 if next(count) == 2 else None
        return serve(index, chain)

    model.serve = sometimes  # type: ignore[method-assign]

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(1 << 15)
        with pytest.raises(OSError, match="vda"):
            await disk.read_into(0, memory.view)
        assert len(model.requests) == 8, "the others are not left behind"
        memory.free()

    run(with_disk, model, use)


def test_a_length_that_cannot_be_ends_the_disk(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))
    model.lie = 10_000

    async def use(disk: VirtioBlock) -> None:
        with pytest.raises(DeviceError, match="bytes were written where"):
            await disk.read(0, 4096)
        with pytest.raises(DeviceError):
            await disk.read(0, 4096)

    error = run(until_listening_fails, model, use)
    assert "bytes were written where" in str(error)


def test_a_disk_that_does_not_answer_is_given_up(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        await disk.read(0, 512)
        await sleep(100)
        model.answers = False
        memory = machine.dma(4096)
        begun = now()
        async with Group() as group:
            for _ in range(200):  # more than fit
                group.start(refused, disk, memory.view[:512])
        assert DEADLINE_S <= (now() - begun) / 1e9 < DEADLINE_S + 2
        memory.free()

    async def refused(disk: VirtioBlock, view: memoryview) -> None:
        with pytest.raises(DeviceTimeout, match="a request, after 30 s"):
            await disk.read_into(0, view)

    assert isinstance(run(until_listening_fails, model, use), DeviceTimeout)


def test_a_reset_with_requests_in_flight(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))
    model.holds = True

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(4096)
        async with Group() as group:
            readers = [group.start(refused, disk, memory.view[:512]) for _ in range(150)]
            await testing.settle()
            assert len(model.held) == 128
            await disk.stop()
            await testing.settle()
            assert all(reader.done for reader in readers)
        memory.free()

    async def refused(disk: VirtioBlock, view: memoryview) -> None:
        with pytest.raises(DeviceGone):
            await disk.read_into(0, view)

    run(with_disk, model, use)


def test_who_is_cancelled_waits_for_the_device(machine: Machine, run: Run) -> None:
    """It has the memory: nobody else may have it before it is done."""
    model = BlockModel(machine, noise(1 << 16))
    model.holds = True

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(4096)
        async with Group() as group:
            reader = group.start(disk.read_into, 0, memory.view)
            await testing.settle()
            reader.cancel()
            await testing.settle()
            assert reader.waits_for == "be answered by vda"
            model.finish_held()
            await testing.settle()
            assert reader.done
        assert memory.view == model.content[:4096]
        memory.free()

    run(with_disk, model, use)


def test_a_disk_that_shrinks(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        told: list[int] = []
        disk.resized.append(lambda: told.append(disk.size))
        model.resize(4096)
        with pytest.raises(OSError, match="vda"):
            await disk.read(8192, 512)  # nobody has heard yet
        await testing.settle()
        assert disk.size == 4096
        assert await disk.read(4000, 200) == model.content[4000:]
        assert await disk.read(8192, 512) == b""
        model.resize(1 << 20)
        await testing.settle()
        assert len(await disk.read(1 << 19, 512)) == 512
        assert told == [4096, 1 << 20]

    run(with_disk, model, use)


def test_spurious_interrupts(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        for _ in range(5):
            model.raise_queue(0)
            model.interrupt_config()
            assert await disk.read(0, 512) == model.content[:512]

    run(with_disk, model, use)


def test_a_disk_that_breaks_down(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, noise(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        model.break_down()
        with pytest.raises(DeviceError, match="needs a reset"):
            await disk.read(0, 512)

    assert "needs a reset" in str(run(until_listening_fails, model, use))


@pytest.mark.parametrize(
    ("block", "segment_size", "message"),
    [(0, 0, "0 bytes"), (768, 0, "768"), (1 << 20, 0, "blocks of"), (4096, 512, "no block fits")],
)
def test_a_configuration_without_sense(
    machine: Machine, run: Run, block: int, segment_size: int, message: str
) -> None:
    model = BlockModel(
        machine, features=ALL | (c.SIZE_MAX if segment_size else 0), block=block,
        segment_size=segment_size,
    )  # fmt: skip

    async def main() -> None:
        disk = VirtioBlock(attach(model, "pci"), "vda")
        with pytest.raises(DeviceError, match=message):
            await disk.start()
        await disk.stop()
        with pytest.raises(DeviceGone):
            await disk.flush()

    run(main)


def test_splitting_keeps_every_byte_and_every_block() -> None:
    chance = random.Random(3)
    for _ in range(300):
        block = chance.choice([512, 4096])
        total = block * chance.randrange(1, 40)
        segments, at, left = [], 0, total
        while left:
            length = min(left, chance.choice([block, 100, 3000, 4096, 9000]))
            segments.append((at, length))
            at += length + chance.choice([0, 64])
            left -= length
        most, longest = chance.randrange(1, 12), chance.choice([block, 3 * block + 5, 1 << 32])
        parts = split(segments, most, longest, block)
        if parts is None:
            assert most * min(longest, 100) < block or most < 2 + block // 100
            continue
        for part, size in parts:
            assert size == sum(length for _, length in part) > 0
            assert size % block == 0
            assert 0 < len(part) <= most
            assert max(length for _, length in part) <= longest
        spread = [byte for start, length in segments for byte in range(start, start + length)]
        assert spread == [
            byte
            for part, _ in parts
            for start, length in part
            for byte in range(start, start + length)
        ]


# Without a task


@pytest.mark.parametrize("face", FACES)
def test_whole_blocks_are_moved_without_a_task(machine: Machine, run: Run, face: str) -> None:
    content = noise(1 << 16)
    model = BlockModel(machine, content)

    async def use(disk: VirtioBlock) -> None:
        memory = machine.dma(8192)
        view = memory.view
        told: list[Exception | None] = []
        assert disk.begin(False, 4096, view, told.append)
        await testing.settle()
        assert (told, view.tobytes()) == ([None], content[4096 : 4096 + 8192])
        view[:512] = b"new " * 128
        assert disk.begin(True, 1024, view[:512], told.append)
        await testing.settle()
        assert told == [None, None]
        assert await disk.read(512, 1536) == content[512:1024] + b"new " * 128 + content[1536:2048]
        memory.free()

    run(with_disk, model, use, face)


def test_what_has_to_wait_for_something_is_not_begun_without_a_task(
    machine: Machine, run: Run
) -> None:
    model = BlockModel(machine, bytes(1 << 16))

    async def use(disk: VirtioBlock) -> None:
        dma = machine.dma(8192)
        memory = dma.view

        def begins(write: bool, offset: int, view: memoryview) -> bool:
            return disk.begin(write, offset, view, lambda error: pytest.fail(str(error)))

        assert not begins(False, 1, memory[:512])
        assert not begins(False, 0, memory[:511])
        assert not begins(False, 0, memory[:0])
        assert not begins(False, -512, memory[:512])
        assert not begins(False, (1 << 16) - 512, memory[:1024])
        assert not begins(False, 0, memoryview(bytearray(512))), "has no place in memory"
        model.answers = False
        async with Group() as group:
            # While somebody changes a part of a block, nobody else writes.
            group.start(disk.write, 10, memory[:10])
            await testing.settle()
            assert not begins(True, 0, memory[:512])
            model.answers = True
            model.process()
        disk.readonly = True
        assert not begins(True, 0, memory[:512])
        dma.free()

    run(with_disk, model, use)


def test_what_was_begun_without_a_task_learns_of_every_end(machine: Machine, run: Run) -> None:
    model = BlockModel(machine, bytes(1 << 16))
    memory = machine.dma(512)
    told: list[Exception | None] = []

    async def use(disk: VirtioBlock) -> None:
        view = memory.view
        model.answer = 1
        assert disk.begin(True, 0, view, told.append)
        await testing.settle()
        assert isinstance(told[0], OSError)
        assert told[0].errno == errno.EIO
        model.answer = None
        model.answers = False
        assert disk.begin(False, 0, view, told.append)
        await testing.settle()
        assert len(told) == 1

    run(with_disk, model, use)
    memory.free()
    assert len(told) == 2
    assert isinstance(told[1], DeviceGone)
