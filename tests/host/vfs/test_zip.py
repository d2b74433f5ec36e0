"""Zip archives: every way to pack, damage, what archives should not have in them."""

import errno
import io
import os
import random
import threading
import zipfile
from pathlib import Path

import pytest

from ovum.services.tasks import Group, checkpoint
from ovum.services.tasks.testing import run
from ovum.services.vfs.testing import HostedSystem
from ovum.services.vfs.zip import ZipFileSystem

LARGE = random.Random(1).randbytes(1000) * 700 + random.Random(2).randbytes(100_000)
METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
}


def packed(method: int, **files: bytes) -> bytes:
    """An archive with these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def content_of(system: HostedSystem, path: str) -> bytes:
    """All of a file, in pieces of an odd size."""
    fd = system.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: system.read(fd, 30_011), b""))
    finally:
        system.close(fd)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_content(method: int, tmp_path: Path) -> None:
    data = packed(method, large=LARGE, small=b"few", empty=b"")
    file = tmp_path / "a.zip"
    file.write_bytes(data)
    for archive in (data, file):
        with HostedSystem(ZipFileSystem(archive)) as system:
            assert content_of(system, "/large") == LARGE
            assert content_of(system, "/small") == b"few"
            assert content_of(system, "/empty") == b""
            assert system.stat("/large").st_size == len(LARGE)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_reading_here_and_there(method: int) -> None:
    dice = random.Random(3)
    with HostedSystem(ZipFileSystem(packed(method, large=LARGE))) as system:
        fd = system.open("/large", os.O_RDONLY)
        for _ in range(40):
            start, size = dice.randrange(len(LARGE) + 1000), dice.randrange(100_000)
            assert system.pread(fd, size, start) == LARGE[start : start + size]
        system.close(fd)


def test_times_modes_links_and_folders() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo("bin/tool", (2024, 2, 29, 12, 30, 58))
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, b"#!")
        entry = zipfile.ZipInfo("tool")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, b"bin/tool")
        archive.writestr("a/b/c/d", b"deep")
        archive.mkdir("folder", 0o700)
    with HostedSystem(ZipFileSystem(target.getvalue())) as system:
        assert system.stat("/tool").st_mode == 0o100755
        assert system.readlink("/tool") == "bin/tool"
        assert system.stat("/folder").st_mode == 0o040700
        assert sorted(system.listdir("/")) == ["a", "bin", "folder", "tool"]
        assert content_of(system, "/a/b/c/d") == b"deep"
        assert system.stat("/bin/tool").st_mtime_ns % 60_000_000_000 == 58_000_000_000


def test_names_that_lead_out_are_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("../outside", "/absolute", "a/../../b", "./dot", "both", "both/inner"):
            archive.writestr(name, name.encode())
    with HostedSystem(ZipFileSystem(target.getvalue())) as system:
        assert sorted(system.listdir("/")) == ["absolute", "both", "dot"]
        assert system.listdir("/both") == ["inner"]
    assert "'../outside' is left out" in capfd.readouterr().err


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_damage_is_an_error_of_that_file_alone(method: int) -> None:
    data = bytearray(packed(method, damaged=LARGE, good=b"good"))
    data[5000] ^= 0xFF
    with HostedSystem(ZipFileSystem(data)) as system:
        if method == zipfile.ZIP_STORED:
            assert content_of(system, "/damaged") != LARGE  # nothing tells
        else:
            with pytest.raises(OSError) as caught:
                content_of(system, "/damaged")
            assert caught.value.errno == errno.EIO
        assert content_of(system, "/good") == b"good"


def test_every_kind_of_truncation() -> None:
    data = packed(zipfile.ZIP_DEFLATED, one=LARGE[:3000], two=b"two" * 100)
    for size in range(0, len(data), 37):
        with pytest.raises((zipfile.BadZipFile, OSError)):
            ZipFileSystem(data[:size])


def test_random_damage_never_does_worse_than_an_error() -> None:
    good = packed(zipfile.ZIP_DEFLATED, one=LARGE[:3000], two=b"two" * 100, three=b"3")
    dice = random.Random(4)
    for _ in range(150):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            made = ZipFileSystem(data)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
            continue
        with HostedSystem(made) as system:
            for name in system.listdir("/"):
                try:
                    content_of(system, f"/{name}")
                except OSError as error:
                    assert error.errno in (errno.EIO, errno.EACCES, errno.EOPNOTSUPP, errno.EISDIR)
            assert system.vfs.files == {}


def test_what_cannot_be_unpacked_is_told() -> None:
    data = bytearray(packed(zipfile.ZIP_LZMA, file=b"x" * 1000))
    with HostedSystem(ZipFileSystem(data)) as system:
        with pytest.raises(OSError) as caught:
            system.open("/file", os.O_RDONLY)
        assert caught.value.errno == errno.EOPNOTSUPP
    with pytest.raises(FileNotFoundError):
        ZipFileSystem("/no/such/archive.zip")


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_several_that_read_one_open_file(method: int, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(packed(method, large=LARGE))
    wrong: list[int] = []
    with HostedSystem(ZipFileSystem(file)) as system:
        fd = system.open("/large", os.O_RDONLY)

        def read(seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(15):
                start = dice.randrange(len(LARGE))
                if system.pread(fd, 1000, start) != LARGE[start : start + 1000]:
                    wrong.append(start)

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.parametrize("method", ["deflated", "bzip2"])
def test_a_read_that_is_interrupted_has_not_happened(method: str) -> None:
    system = ZipFileSystem(packed(METHODS[method], large=LARGE))

    async def main() -> None:
        file = await system.top.names["large"].open(os.O_RDONLY)
        for piece in range(0, len(LARGE), 50_000):
            # After each of the first checkpoints of a read in turn.
            for steps in range(1, 5):
                async with Group() as group:
                    group.start(file.read, piece, 100_000)
                    for _ in range(steps):
                        await checkpoint()
                    group.cancel()
            assert await file.read(piece, 1000) == LARGE[piece : piece + 1000]

    run(main)


def link(target: bytes, flags: int = 0) -> bytes:
    """An archive with a symbolic link and a file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, target, zipfile.ZIP_DEFLATED)
        archive.writestr("good", b"good")
    data = bytearray(file.getvalue())
    data[6] |= flags
    data[data.find(b"PK\1\2") + 8] |= flags
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        link(b"a" * 50_000_000),
        link(b"a" * 4096),
        link(b"target", 1),
        link(b"target")[:34] + b"?" * 7,
    ],
    ids=["a bomb", "too long", "encrypted", "damaged"],
)
def test_a_link_that_cannot_be_read_is_left_out(
    data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = link(b"target")
    made = ZipFileSystem(data if len(data) > 41 else data + whole[41:])
    with HostedSystem(made) as system:
        assert system.listdir("/") == ["good"]
        assert content_of(system, "/good") == b"good"
    assert "the link 'link' is left out" in capfd.readouterr().err


def test_the_longest_link() -> None:
    with HostedSystem(ZipFileSystem(link(b"a" * 4095))) as system:
        assert system.readlink("/link") == "a" * 4095
