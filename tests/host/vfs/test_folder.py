"""A folder of the host's as a file system, and what happens in it without the mount's knowledge."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from ovum.services.devices import Device
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.directory import DirectoryFileSystem
from ovum.services.vfs.testing import HostedSystem


def test_a_file_that_was_replaced_meanwhile_is_unlocked_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    with HostedSystem(DirectoryFileSystem(tmp_path)) as system:
        fd = system.open("/file", os.O_RDWR)
        system.flock(fd, 2)
        path.unlink()
        path.write_text("another")
        system.close(fd)
        fd = system.open("/file", os.O_RDONLY)
        system.flock(fd, 2 | 4)
        system.close(fd)


def test_kinds_in_a_listing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("missing")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))

    async def listing(system: HostedSystem) -> dict[str, int]:
        root = system.vfs.table["/"].root.node
        return {name: kind for name, kind, _ in await root.entries()}

    with HostedSystem(DirectoryFileSystem(tmp_path)) as system:
        assert system.in_services(listing, system) == {
            "file": stat.S_IFREG,
            "folder": stat.S_IFDIR,
            "link": stat.S_IFLNK,
            "fifo": stat.S_IFIFO,
            "socket": stat.S_IFSOCK,
        }


def test_what_is_mounted_below_is_another_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a machine the services thread would have to ask itself."""
    (tmp_path / "mounted").mkdir()
    (tmp_path / "file").touch()
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        if path.endswith("/mounted"):
            raise OSError(errno.EDEADLK, os.strerror(errno.EDEADLK))
        return real(path)

    with HostedSystem(DirectoryFileSystem(tmp_path)) as system:
        monkeypatch.setattr(os, "lstat", lstat)
        assert sorted(system.listdir("/")) == ["file", "mounted"]
        with pytest.raises(OSError) as caught:
            system.stat("/mounted")
        assert caught.value.errno == errno.EXDEV


def test_a_directory_that_is_removed_while_it_is_used(tmp_path: Path) -> None:
    with HostedSystem(DirectoryFileSystem(tmp_path)) as system:
        system.mkdir("/here")
        here = system.open("/here", os.O_PATH)  # as chdir() does
        before = system.stat(here)
        system.rmdir("/here")
        after = system.stat(here)
        assert (after.st_ino, after.st_mode, after.st_nlink) == (before.st_ino, before.st_mode, 0)
        with pytest.raises(FileNotFoundError):
            system.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=here)
        system.close(here)


def test_memory_that_calls_may_not_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sendfile() in a machine reads into memory of the kernel's own."""
    (tmp_path / "file").write_bytes(b"content")
    real = os.pwrite

    def preadv(fd: int, buffers: list[memoryview], offset: int) -> int:
        raise OSError(errno.EFAULT, "a bad address")

    def pwrite(fd: int, data: bytes | memoryview, offset: int) -> int:
        if isinstance(data, memoryview):
            raise OSError(errno.EFAULT, "a bad address")
        return real(fd, data, offset)

    with HostedSystem(DirectoryFileSystem(tmp_path)) as system:
        monkeypatch.setattr(os, "preadv", preadv)
        monkeypatch.setattr(os, "pwrite", pwrite)
        fd = system.open("/file", os.O_RDWR)
        assert system.pread(fd, 100, 3) == b"tent"
        assert system.pwrite(fd, b"CON", 0) == 3
        system.close(fd)
    assert (tmp_path / "file").read_bytes() == b"CONtent"


class Dice(Device):
    async def read(self, offset: int, size: int) -> bytes:
        return b"6"[:size]


def test_a_device_is_its_driver_wherever_its_node_is() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        dice = Dice()
        dice.number = 240 << 8 | 1
        system.vfs.devices[dice.number] = dice
        system.mknod("/dice", stat.S_IFCHR | 0o600, dice.number)
        fd = system.open("/dice", os.O_RDONLY)
        assert system.read(fd, 5) == b"6"
        assert system.fstat(fd).st_rdev == dice.number
        system.close(fd)
        for kind, number in ((stat.S_IFCHR, 241 << 8 | 1), (stat.S_IFBLK, 240 << 8 | 1)):
            system.mknod("/nobody", kind | 0o600, number)
            with pytest.raises(OSError) as caught:
                system.open("/nobody", os.O_RDONLY)
            assert caught.value.errno == errno.ENXIO
            system.unlink("/nobody")
