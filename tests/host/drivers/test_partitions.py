"""Partition tables, good and corrupt, and partitions as block devices."""

import asyncio
import random
import struct
import uuid
from binascii import crc32

import pytest

from ovum.drivers.block import BlockDevice
from ovum.drivers.partitions import LOGICAL_MOST, Table, parse, read_partitions
from ovum.services.tasks import testing

BLOCK = 512
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
DISK_BLOCKS = 4096


class MemoryDisk(BlockDevice):
    """A disk over a bytearray."""

    def __init__(self, content: bytearray, block: int = BLOCK) -> None:
        super().__init__("vda")
        self.content = content
        self.size = len(content)
        self.block_size = block

    async def read_blocks(self, offset: int, view: memoryview) -> None:
        assert (offset | len(view)) % self.block_size == 0
        view[:] = self.content[offset : offset + len(view)]

    async def write_blocks(self, offset: int, view: memoryview) -> None:
        assert (offset | len(view)) % self.block_size == 0
        self.content[offset : offset + len(view)] = view


def table_of(image: bytes | bytearray, block: int = BLOCK) -> Table:
    async def read(offset: int, size: int) -> bytes:
        assert offset >= 0
        assert 0 <= size <= 1 << 20
        return bytes(image[offset : offset + size])

    return asyncio.run(parse(read, len(image), block))


def places(table: Table, block: int = BLOCK) -> list[tuple[int, int, int]]:
    return [(part.number, part.offset // block, part.size // block) for part in table.parts]


def mbr(image: bytearray, at: int, *entries: tuple[int, int, int]) -> None:
    """Puts a table at a block: type, first block and blocks of each entry."""
    for k, (kind, start, count) in enumerate(entries):
        struct.pack_into("<B3xB3xII", image, at * BLOCK + 446 + 16 * k, 0, kind, start, count)
    image[at * BLOCK + 510 : at * BLOCK + 512] = b"\x55\xaa"


def gpt(
    *entries: tuple[int, int, str], blocks: int = DISK_BLOCKS, block: int = BLOCK,
    entry_size: int = 128, count: int = 128,
) -> bytearray:  # fmt: skip
    """A disk with a GPT: first and last block and label of each entry."""
    image = bytearray(blocks * block)
    mbr(image, 0, (0xEE, 1, blocks - 1))
    length = -(-count * entry_size // block)
    table = bytearray(count * entry_size)
    for k, (first, last, label) in enumerate(entries):
        struct.pack_into(
            "<16s16sQQQ72s",
            *(table, k * entry_size, LINUX.bytes_le, uuid.UUID(int=k + 1).bytes_le, first, last),
            *(0, label.encode("utf-16-le")),
        )
    for mine, other, start in (
        (1, blocks - 1, 2),
        (blocks - 1, 1, blocks - 1 - length),
    ):
        header = bytearray(
            struct.pack(
                "<8sIIIIQQQQ16sQIII",
                *(b"EFI PART", 0x10000, 92, 0, 0, mine, other, 2 + length, blocks - length - 2),
                *(uuid.UUID(int=9).bytes_le, start, count, entry_size, crc32(table)),
            )
        )
        struct.pack_into("<I", header, 16, crc32(header))
        image[mine * block : mine * block + len(header)] = header
        image[start * block : start * block + len(table)] = table
    return image


def test_an_empty_disk_has_no_table() -> None:
    for image in (b"", bytes(512), bytes(1 << 20), b"\xff" * 4096):
        table = table_of(image)
        assert (table.scheme, table.parts) == ("", [])


# MBR


def test_primary_partitions() -> None:
    image = bytearray(DISK_BLOCKS * BLOCK)
    mbr(image, 0, (0x83, 63, 100), (0, 5, 5), (0x0C, 2000, 2096), (0x82, 300, 0))
    image[440:444] = bytes.fromhex("78563412")
    table = table_of(image)
    assert table.scheme == "mbr"
    assert places(table) == [(1, 63, 100), (3, 2000, 2096)]
    assert [part.kind for part in table.parts] == ["0x83", "0x0c"]
    assert table.parts[0].identity == "12345678-01"
    assert table.problems == []


@pytest.mark.parametrize("entry", [(0x83, 4000, 97), (0x83, 5000, 1), (0x83, 0, 5)])
def test_an_entry_outside_the_disk_is_refused(entry: tuple[int, int, int]) -> None:
    image = bytearray(DISK_BLOCKS * BLOCK)
    mbr(image, 0, entry, (0x83, 10, 10))
    table = table_of(image)
    assert places(table) == [(2, 10, 10)]
    assert table.problems == ["partition 1 is not within the disk"]


def with_logical(*tables: tuple[int, tuple[int, int], int | None]) -> bytearray:
    """An extended partition at 1000; tables: where, (start, count), where the next one is."""
    image = bytearray(DISK_BLOCKS * BLOCK)
    mbr(image, 0, (0x83, 10, 100), (0x05, 1000, 2000))
    for at, (start, count), following in tables:
        rest = [] if following is None else [(0x05, following - 1000, 100)]
        mbr(image, at, (0x83, start, count), *rest)
    return image


def test_logical_partitions() -> None:
    table = table_of(
        with_logical((1000, (8, 92), 1500), (1500, (8, 50), 1200), (1200, (1, 9), None))
    )
    assert places(table) == [(1, 10, 100), (5, 1008, 92), (6, 1508, 50), (7, 1201, 9)]
    assert table.problems == []


def test_a_list_of_logical_partitions_that_is_a_circle_ends() -> None:
    table = table_of(with_logical((1000, (8, 92), 1500), (1500, (8, 50), 1000)))
    assert places(table) == [(1, 10, 100), (5, 1008, 92), (6, 1508, 50)]
    assert table.problems == ["the list of logical partitions does not end"]


def test_a_list_without_an_end_ends() -> None:
    chain = [(1000 + 2 * k, (1, 1), 1002 + 2 * k) for k in range(500)]
    table = table_of(with_logical(*chain))
    assert len(table.parts) == 1 + LOGICAL_MOST


@pytest.mark.parametrize("following", [999, 3000, 1 << 31])
def test_a_list_that_leaves_its_partition_ends(following: int) -> None:
    image = with_logical((1000, (8, 92), None))
    mbr(image, 1000, (0x83, 8, 92), (0x05, following - 1000 & 0xFFFFFFFF, 10))
    table = table_of(image)
    assert places(table) == [(1, 10, 100), (5, 1008, 92)]
    assert table.problems == ["the list of logical partitions does not end"]


def test_a_logical_partition_stays_in_the_extended_one() -> None:
    table = table_of(with_logical((1000, (8, 1993), 1500), (1500, (8, 10), None)))
    assert places(table) == [(1, 10, 100), (6, 1508, 10)]


def test_a_table_of_logical_partitions_that_is_missing() -> None:
    table = table_of(with_logical((1000, (8, 92), 1500)))
    assert places(table) == [(1, 10, 100), (5, 1008, 92)]
    assert table.problems == ["no table of logical partitions at block 1500"]


def test_a_boot_sector_is_no_table() -> None:
    image = bytearray(random.Random(1).randbytes(4096))
    image[446] = 0x41
    image[510:512] = b"\x55\xaa"
    assert table_of(image).scheme == ""


# GPT


@pytest.mark.parametrize(
    ("block", "entry_size", "count"), [(512, 128, 128), (4096, 128, 128), (512, 256, 4)]
)
def test_partitions_of_a_gpt(block: int, entry_size: int, count: int) -> None:
    image = gpt(
        *((100, 199, "root"), (200, 200, "one block"), (300, 3999, "ünïcode" + "x" * 29)),
        block=block,
        entry_size=entry_size,
        count=count,
    )
    table = table_of(image, block)
    assert table.scheme == "gpt"
    assert table.problems == []
    assert places(table, block) == [(1, 100, 100), (2, 200, 1), (3, 300, 3700)]
    assert [part.label for part in table.parts] == ["root", "one block", "ünïcode" + "x" * 29]
    assert table.parts[0].kind == str(LINUX)
    assert table.parts[1].identity == str(uuid.UUID(int=2))


@pytest.mark.parametrize("at", [0, 8, 12, 16, 24, 40, 48, 56, 72, 80, 84, 88, 91])
def test_a_header_with_a_wrong_bit_gives_way_to_its_backup(at: int) -> None:
    image = gpt((100, 199, "root"))
    image[BLOCK + at] ^= 1
    table = table_of(image)
    assert places(table) == [(1, 100, 100)]
    assert len(table.problems) == 1
    assert table.problems[0].startswith("GPT header: ")


def test_entries_with_a_wrong_bit_give_way_to_the_backup() -> None:
    image = gpt((100, 199, "root"))
    image[2 * BLOCK + 70] ^= 1
    table = table_of(image)
    assert [part.label for part in table.parts] == ["root"]
    assert table.problems == ["GPT header: the sum of check of its entries is wrong"]


def test_without_a_good_header_there_is_no_table() -> None:
    image = gpt((100, 199, "root"))
    image[BLOCK] ^= 1
    image[-BLOCK] ^= 1
    table = table_of(image)
    assert (table.scheme, table.parts, len(table.problems)) == ("", [], 2)


def test_a_disk_that_was_cut_off_still_has_its_first_header() -> None:
    image = gpt((100, 199, "root"), (3000, 3999, "lost"))
    table = table_of(image[: 2000 * BLOCK])
    assert places(table) == [(1, 100, 100)]
    assert table.problems == ["partition 2 is not within the disk"]


def signed(image: bytearray, **fields: tuple[int, str, int]) -> bytearray:
    """The first header with other fields (offset, format, value) and a right sum of check."""
    for at, form, value in fields.values():
        struct.pack_into(form, image, BLOCK + at, value)
    length = struct.unpack_from("<I", image, BLOCK + 12)[0]
    struct.pack_into("<I", image, BLOCK + 16, 0)
    struct.pack_into("<I", image, BLOCK + 16, crc32(image[BLOCK : BLOCK + min(length, BLOCK)]))
    image[-BLOCK] ^= 1
    return image


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ((12, "<I", 4096), "4096 bytes are no length"),
        ((12, "<I", 20), "20 bytes are no length"),
        ((24, "<Q", 7), "at block 7"),
        ((72, "<Q", 1 << 60), "entries is wrong"),
        ((80, "<I", 1 << 31), "2147483648 entries"),
        ((84, "<I", 0), "entries of 0 bytes"),
        ((84, "<I", 1 << 30), "entries of 1073741824 bytes"),
    ],
)
def test_a_header_that_lies_with_a_right_sum(field: tuple[int, str, int], message: str) -> None:
    table = table_of(signed(gpt((100, 199, "root")), field=field))
    assert table.parts == []
    assert message in table.problems[0]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ((10, 20, "in the table"), "partition 2 is not within the disk"),
        ((300, 200, "backwards"), "partition 2 is not within the disk"),
        ((300, 4090, "in the backup"), "partition 2 is not within the disk"),
        ((300, 1 << 60, "far away"), "partition 2 is not within the disk"),
        ((150, 160, "within"), "partition 2 overlaps another"),
        ((50, 100, "overlap"), "partition 2 overlaps another"),
    ],
)
def test_a_bad_entry_is_refused_alone(entry: tuple[int, int, str], problem: str) -> None:
    table = table_of(gpt((100, 199, "good"), entry, (3000, 3010, "good, too")))
    assert places(table) == [(1, 100, 100), (3, 3000, 11)]
    assert table.problems == [problem]


def test_no_bytes_make_the_parser_fail() -> None:
    good = [gpt((100, 199, "a"), (300, 400, "b")), with_logical((1000, (8, 9), 1500))]
    chance = random.Random(4)
    for _ in range(400):
        image = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 20)):
            image[chance.randrange(34 * BLOCK)] = chance.randrange(256)
        for part in table_of(image).parts:
            assert 0 < part.offset < part.offset + part.size <= len(image)


# As block devices


def test_partitions_are_block_devices_of_their_own() -> None:
    content = gpt((100, 199, "root"), (200, 299, "next"))

    async def main() -> None:
        disk = MemoryDisk(content)
        table, (root, following) = await read_partitions(disk)
        assert table.scheme == "gpt"
        assert [one.name for one in (root, following)] == ["vda1", "vda2"]
        assert root.size == 100 * BLOCK
        assert await root.write(root.size - 3, memoryview(b"abcdef")) == 3
        assert await root.read(root.size - 3, 100) == b"abc"
        assert await following.read(0, 3) == bytes(3)
        assert content[200 * BLOCK - 3 : 200 * BLOCK + 3] == b"abc\0\0\0"
        with pytest.raises(OSError, match="No space"):
            await root.write(root.size, memoryview(b"x"))
        with pytest.raises(OSError, match="Invalid"):
            await root.write_zeroes(0, root.size + BLOCK)
        with pytest.raises(OSError, match="Invalid"):
            await root.discard(-BLOCK, BLOCK)
        assert await root.read(root.size, 10) == b""
        with pytest.raises(OSError, match="Invalid"):
            await root.read(-1, 10)
        await root.write_zeroes(99 * BLOCK, BLOCK)
        assert await root.read(99 * BLOCK, BLOCK) == bytes(BLOCK)
        disk.name = "nvme0n1"
        assert (await read_partitions(disk))[1][0].name == "nvme0n1p1"

    testing.run(main, seed=1)
