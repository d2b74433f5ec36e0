"""Disks of `ovum pack`: what others read of the file system, the partition table and qcow2."""

import asyncio
import struct
import subprocess
from pathlib import Path

import pytest

from ovum.drivers.partitions import parse
from ovum.image import compose, is_image, split_image
from ovum.pack import grub
from ovum.pack.disk import write_disk
from ovum.pack.fat import SECTOR, Fat
from ovum.pack.gpt import BIOS_BOOT, EFI_SYSTEM
from ovum.pack.payload import Content, PackError, Piece
from ovum.pack.qcow2 import CLUSTER, write_qcow2
from tests.host.packing import image, payload

MIB = 1 << 20


def mtools(disk: Path, offset: int, *words: str) -> bytes:
    """What one of mtools says of the file system at an offset."""
    tool, *rest = words
    argv = [tool, "-i", f"{disk}@@{offset}", *rest]
    return subprocess.run(argv, check=True, capture_output=True).stdout


def test_an_image_is_split_into_kernel_and_archives(tmp_path: Path) -> None:
    made = image(tmp_path)
    kernel, offset, size = split_image(made)
    data = made.read_bytes()
    assert (offset, offset + size) == (len(kernel), len(data))
    (tmp_path / "kernel.elf").write_bytes(kernel)
    (tmp_path / "archives").write_bytes(data[offset:])
    compose(tmp_path / "kernel.elf", [tmp_path / "archives"], tmp_path / "again.elf")
    assert (tmp_path / "again.elf").read_bytes() == data
    assert is_image(made) and not is_image(tmp_path / "kernel.elf")


@pytest.mark.parametrize("size", [0, 1, SECTOR, 100_000, 5 * MIB, 40 * MIB])
def test_files_are_read_back_by_mtools(size: int, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.write(b"begin")
        file.truncate(size + 10)
        file.seek(max(size + 10 - 4, 0))
        file.write(b"end.")
    disk = tmp_path / "fat.img"
    files: dict[str, Content] = {
        "EFI/BOOT/BOOTX64.EFI": b"x" * 70_000,
        "boot/grub/grub.cfg": b"boot\n",
        "boot/large": Piece(large, 5, size),
        "boot/last.e": b"last",
    }
    fat = Fat(files, "ovum", 0x1234ABCD)
    with disk.open("wb") as out:
        out.write(bytes(3 * SECTOR))
        fat.write(out)
    assert disk.stat().st_size == (3 + fat.sectors) * SECTOR
    offset = 3 * SECTOR
    for path, content in files.items():
        got = mtools(disk, offset, "mtype", f"::/{path}")
        expected = content if isinstance(content, bytes) else large.read_bytes()[5 : 5 + size]
        assert got == expected, path
    listing = mtools(disk, offset, "mdir", "-/", "::").decode()
    assert "1234-ABCD" in listing and "OVUM" in listing
    assert "BOOTX64  EFI     70000 1980-01-02" in listing
    assert "grub     cfg         5 1980-01-02" in listing
    info = mtools(disk, offset, "minfo", "::").decode()
    assert "FAT16" in info
    # Whoever changes the configuration has room.
    (tmp_path / "grub.cfg").write_bytes(b"#" * 500_000)
    mtools(disk, offset, "mcopy", "-o", str(tmp_path / "grub.cfg"), "::/boot/grub/grub.cfg")
    assert mtools(disk, offset, "mtype", "::/boot/last.e") == b"last"


@pytest.mark.parametrize("name", ["name-of-nine", "a.b.c", "Mixed", "ä", "longextension.abcd", ""])
def test_names_that_fat_has_not_are_refused(name: str) -> None:
    with pytest.raises(PackError, match=r"not a name|neither"):
        Fat({f"x/{name or '.e'}": b""}, "ovum", 0).write(Path("/dev/null").open("wb"))  # noqa: SIM115


def test_what_is_too_large_for_fat16_is_refused(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(PackError, match="2 GiB"):
        Fat({"huge": Piece(huge, 0, 2 << 30)}, "ovum", 0)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk")
    write_disk(payload(folder, ["ovum.log=3", "semi;colon", "$x"]), folder / "app.img")
    return folder / "app.img"


def test_the_partition_table_is_read_back(disk: Path) -> None:
    data = disk.read_bytes()

    async def read(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    assert len(data) % MIB == 0
    table = asyncio.run(parse(read, len(data), SECTOR))
    assert (table.scheme, table.problems) == ("gpt", [])
    assert [part.kind for part in table.parts] == [str(BIOS_BOOT), str(EFI_SYSTEM)]
    assert [part.label for part in table.parts] == ["grub", "ovum"]
    assert [part.offset for part in table.parts] == [MIB, 2 * MIB]
    # The copy at the end is enough.
    data = data[:SECTOR] + bytes(SECTOR) + data[2 * SECTOR :]
    table = asyncio.run(parse(read, len(data), SECTOR))
    assert len(table.parts) == 2


def test_the_boot_sector_leads_to_grubs_image(disk: Path) -> None:
    data = disk.read_bytes()
    original = Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()
    assert struct.unpack_from("<Q", data, 0x5C) == (MIB // SECTOR,)
    assert data[0x66:0x68] == b"\x90\x90"
    assert data[:0x5C] == original[:0x5C] and data[0x68:440] == original[0x68:440]
    first = data[MIB : MIB + SECTOR]
    sector, count, segment = struct.unpack("<QHH", first[-12:])
    assert (sector, segment) == (MIB // SECTOR + 1, 0x820)
    rest = data[sector * SECTOR : (sector + count) * SECTOR]
    assert rest.rstrip(b"\0") and not data[(sector + count) * SECTOR : 2 * MIB].strip(b"\0")


def test_the_system_partition_has_what_grub_starts(disk: Path, tmp_path: Path) -> None:
    packed = payload(tmp_path, ["ovum.log=3", "semi;colon", "$x"])
    kernel = mtools(disk, 2 * MIB, "mtype", "::/boot/ovum.elf")
    assert kernel == packed.kernel
    archives = mtools(disk, 2 * MIB, "mtype", "::/boot/ovum.cpi")
    assert kernel + archives != packed.image.read_bytes()
    assert archives == packed.image.read_bytes()[len(kernel) :]
    efi = mtools(disk, 2 * MIB, "mtype", "::/EFI/BOOT/BOOTX64.EFI")
    # A PE file for x86-64 (Microsoft's "PE Format"); subsystem 10 is an EFI application.
    at = struct.unpack_from("<I", efi, 0x3C)[0]
    assert efi[at : at + 4] == b"PE\0\0" and struct.unpack_from("<H", efi, at + 4) == (0x8664,)
    assert struct.unpack_from("<H", efi, at + 24 + 68) == (10,)
    settings = mtools(disk, 2 * MIB, "mtype", "::/boot/grub/grub.cfg").decode()
    assert "multiboot2 /boot/ovum.elf 'ovum.log=3' 'semi;colon' '$x'; then\n" in settings
    assert mtools(disk, 2 * MIB, "mtype", f"::/{grub.marker(packed)}") == b"ovum\n"


def qemu_img(*words: str | Path) -> str:
    argv = ["qemu-img", *map(str, words)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("size", [SECTOR, CLUSTER, 3 * CLUSTER + SECTOR, 600 * MIB])
def test_qcow2_is_the_same_disk(size: int, tmp_path: Path) -> None:
    raw, made = tmp_path / "raw", tmp_path / "made"
    with raw.open("wb") as file:
        file.truncate(size)
        for offset in (0, size // 3, size - SECTOR):
            file.seek(offset)
            file.write(b"data")
    write_qcow2(raw, made)
    assert "No errors" in qemu_img("check", "-f", "qcow2", made)
    assert "identical" in qemu_img("compare", "-f", "raw", "-F", "qcow2", raw, made)
    assert made.stat().st_size < 10 * CLUSTER


def test_a_qcow2_disk_without_anything_in_it(tmp_path: Path) -> None:
    raw, made = tmp_path / "raw", tmp_path / "made"
    raw.write_bytes(bytes(MIB))
    write_qcow2(raw, made)
    assert "No errors" in qemu_img("check", "-f", "qcow2", made)
    assert "identical" in qemu_img("compare", "-f", "raw", "-F", "qcow2", raw, made)
