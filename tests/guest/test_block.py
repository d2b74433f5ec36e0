"""Disks as QEMU attaches them: what arrives in the host's file, partitions, discard, read-only."""

import json
import random
from pathlib import Path

import pytest

from ..host.drivers.test_partitions import BLOCK, gpt, mbr
from . import machine

MIB = 1 << 20

CARRIERS = [
    ("microvm", "virtio-blk-device"),
    ("pc", "virtio-blk-pci"),
    ("pc", "virtio-blk-pci,disable-modern=on,disable-legacy=off"),
    ("q35", "virtio-blk-pci,vectors=0"),
]

START = """\
import errno, fcntl, json, os, random, struct, threading
from ovum.drivers import manager
manager.start()
def number(command, form):
    buffer = bytearray(struct.calcsize(form))
    fcntl.ioctl(fd, command, buffer)
    return struct.unpack(form, buffer)[0]
"""


def run(source: str, kind: str, *words: str) -> str:
    """What a program says in a machine with these disks."""
    options = [word for one in words for word in ("--qemu", one)]
    return machine.code(START + source, "--machine", kind, *options).expect().out


def disk(path: Path, device: str = "virtio-blk-pci", drive: str = "", number: int = 0) -> str:
    """QEMU's words for a disk over a file."""
    drive = f"if=none,id=d{number},format=raw,file={path}{drive}"
    return f"-drive {drive} -device {device},drive=d{number}"


RANDOM_ACCESS = """\
fd = os.open('/dev/vda', os.O_RDWR)
size = os.lseek(fd, 0, os.SEEK_END)
assert size == number(0x80081272, '<Q') == 8 << 20, size
assert (number(0x1268, '<i'), number(0x125E, '<i')) == (512, 0)
expected = bytearray(os.pread(fd, size, 0))
assert len(expected) == size
lock = threading.Lock()
errors = []
def work(seed):
    # Each thread has its own eighth: offsets and sizes are on no boundary.
    chance = random.Random(seed)
    own = range(seed * (size // 8), (seed + 1) * (size // 8))
    try:
        for _ in range(25):
            length = chance.choice([chance.randrange(1, 200_000), chance.randrange(100), 512]) or 1
            at = chance.randrange(own.start, own.stop - length)
            got = os.pread(fd, length, at)
            assert got == expected[at:at + length], (at, length)
            data = chance.randbytes(length)
            assert os.pwrite(fd, data, at) == length
            expected[at:at + length] = data
    except BaseException as error:
        errors.append(repr(error))
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not errors, errors
os.fsync(fd)
with open('/dev/vda', 'rb') as file:
    assert file.read() == expected
    file.seek(-5, os.SEEK_END)
    assert file.read() == expected[-5:]
    assert file.read() == b''
assert os.pread(fd, 10, size) == b''
try:
    os.pwrite(fd, b'x', size)
except OSError as error:
    assert error.errno == errno.ENOSPC
import hashlib
print(hashlib.sha256(expected).hexdigest())
"""


@pytest.mark.parametrize(("kind", "device"), CARRIERS)
def test_the_hosts_file_has_what_was_written(tmp_path: Path, kind: str, device: str) -> None:
    import hashlib

    image = tmp_path / "disk.img"
    image.write_bytes(random.Random(1).randbytes(8 * MIB))
    said = run(RANDOM_ACCESS, kind, disk(image, device))
    assert said.strip() == hashlib.sha256(image.read_bytes()).hexdigest()


def test_a_read_only_disk(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"content!" * (MIB // 8))
    source = (
        "fd = os.open('/dev/vda', os.O_RDWR)\n"
        "assert number(0x125E, '<i') == 1\n"
        "try: os.pwrite(fd, b'x', 0)\n"
        "except OSError as error: print(error.errno in (errno.EPERM, errno.EROFS))\n"
        "print(os.pread(fd, 8, 8))\n"
    )
    said = run(source, "pc", disk(image, drive=",readonly=on"))
    assert said == "True\nb'content!'\n"
    assert image.read_bytes() == b"content!" * (MIB // 8)


def test_partitions_are_devices(tmp_path: Path) -> None:
    """One disk with a GPT, one with an MBR and a logical partition, one without a table."""
    with_gpt = gpt((100, 199, "root"), (2000, 2999, "home"))
    with_mbr = bytearray(4096 * BLOCK)
    mbr(with_mbr, 0, (0x83, 63, 100), (0x05, 1000, 1000))
    mbr(with_mbr, 1000, (0x83, 8, 50))
    images = [tmp_path / f"{k}.img" for k in range(3)]
    for image, content in zip(images, (with_gpt, with_mbr, bytearray(MIB)), strict=True):
        image.write_bytes(bytes(content))
    source = """\
names = sorted(name for name in os.listdir('/dev') if name.startswith('vd'))
sizes = {}
for name in names:
    fd = os.open(f'/dev/{name}', os.O_RDWR)
    sizes[name] = os.lseek(fd, 0, os.SEEK_END)
    if len(name) > 3:
        assert os.pwrite(fd, name.encode() * 200, sizes[name] - 500) == 500
    os.close(fd)
by_name = {device.name: device for device in manager.find('block')}
assert by_name.keys() == sizes.keys()
labels = {name: device.part.label for name, device in by_name.items() if len(name) > 3}
print(json.dumps([sizes, labels]))
"""
    words = [disk(image, number=k) for k, image in enumerate(images)]
    sizes, labels = json.loads(run(source, "pc", *words))
    # The disks may come up in any order.
    letter = {size: name for name, size in sizes.items() if len(name) == 3}
    first = next(name[:3] for name, label in labels.items() if label == "root")
    second = next(name[:3] for name in sizes if name[3:] == "5")
    assert sizes == {
        first: 4096 * BLOCK, first + "1": 100 * BLOCK, first + "2": 1000 * BLOCK,
        second: 4096 * BLOCK, second + "1": 100 * BLOCK, second + "5": 50 * BLOCK,
        letter[MIB]: MIB,
    }  # fmt: skip
    ends = {first + "1": (0, 200), first + "2": (0, 3000), second + "1": (1, 163)}
    ends[second + "5"] = (1, 1058)
    for name, (which, end) in ends.items():
        found = images[which].read_bytes()
        written = (name.encode() * 200)[:500]
        assert found[end * BLOCK - 500 : end * BLOCK] == written
        assert found[end * BLOCK : (end + 1) * BLOCK] == bytes(BLOCK)


def test_what_is_discarded_takes_no_room(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(b"x" * 8 * MIB)
    before = image.stat().st_blocks
    source = (
        "fd = os.open('/dev/vda', os.O_RDWR)\n"
        "fcntl.ioctl(fd, 0x1277, struct.pack('<QQ', 1 << 20, 4 << 20))\n"
        "fcntl.ioctl(fd, 0x127F, struct.pack('<QQ', 6 << 20, 1 << 20))\n"
        "fcntl.ioctl(fd, 0x1261)\n"
        "print(os.pread(fd, 4, 0), os.pread(fd, 4, 6 << 20))\n"
    )
    said = run(source, "pc", disk(image, drive=",discard=unmap"))
    assert said == "b'xxxx' b'\\x00\\x00\\x00\\x00'\n"
    content = image.read_bytes()
    assert content[:MIB] == b"x" * MIB
    assert content[5 * MIB : 6 * MIB] == b"x" * MIB
    assert content[6 * MIB : 7 * MIB] == bytes(MIB)
    assert image.stat().st_blocks <= before - 4 * MIB // 512


def test_blocks_of_4096_bytes(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_bytes(random.Random(2).randbytes(MIB))
    source = (
        "fd = os.open('/dev/vda', os.O_RDWR)\n"
        "print(number(0x1268, '<i'))\n"
        "os.pwrite(fd, b'across a boundary', 4090)\n"
    )
    device = "virtio-blk-pci,logical_block_size=4096,physical_block_size=4096"
    before = image.read_bytes()
    assert run(source, "pc", disk(image, device)) == "4096\n"
    assert image.read_bytes() == before[:4090] + b"across a boundary" + before[4107:]
