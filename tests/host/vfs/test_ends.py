"""The end of the machine: what is open is written, and no file system keeps another from it."""

import os

import fsspec
import pytest

from ovum.services.tasks import sleep_forever
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.fsspec import FsspecFileSystem
from ovum.services.vfs.testing import HostedSystem


class Told(MemoryFileSystem):
    """Tells what is asked of it."""

    def __init__(self, name: str, told: list[str]) -> None:
        super().__init__()
        self.name = name
        self.told = told

    async def sync(self) -> None:
        self.told.append(f"{self.name}: sync")

    async def unmounted(self) -> None:
        self.told.append(f"{self.name}: unmounted")


class Raising(Told):
    async def sync(self) -> None:
        raise SystemExit(3)


class Hanging(Told):
    async def sync(self) -> None:
        await sleep_forever()


def ended(*systems: Told) -> None:
    """Mounts these, and ends the machine."""
    with HostedSystem(MemoryFileSystem()) as system:
        for made in systems:
            system.mkdir(f"/{made.name}")
            system.mount(f"/{made.name}", made)


def test_everything_is_written_before_anything_is_unmounted() -> None:
    told: list[str] = []
    ended(Told("a", told), Told("b", told), Told("c", told))
    assert sorted(told[:3]) == ["a: sync", "b: sync", "c: sync"]
    assert sorted(told[3:]) == ["a: unmounted", "b: unmounted", "c: unmounted"]


def test_one_that_fails_keeps_no_other_from_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    ended(Told("a", told), Raising("bad", told), Told("c", told))
    assert sorted(told) == ["a: sync", "a: unmounted", "bad: unmounted", "c: sync", "c: unmounted"]
    assert "file system bad at /bad: sync failed:" in capfd.readouterr().err


def test_one_that_hangs_keeps_no_other_from_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    system = HostedSystem(MemoryFileSystem())
    with system:
        for made in (Told("a", told), Hanging("stuck", told), Told("c", told)):
            system.mkdir(f"/{made.name}")
            system.mount(f"/{made.name}", made)
        system.end_s = 1.5
    assert sorted(told) == ["a: sync", "a: unmounted", "c: sync", "c: unmounted"]
    assert "file system stuck at /stuck is not through with its end" in capfd.readouterr().err


def test_what_is_open_is_stored() -> None:
    store = fsspec.filesystem("memory")
    store.makedirs("/ends", exist_ok=True)
    with HostedSystem(FsspecFileSystem(store, "/ends")) as system:
        fd = system.open("/file", os.O_WRONLY | os.O_CREAT)
        system.write(fd, b"important")
        system.open("/", os.O_RDONLY)
    assert store.cat_file("/ends/file") == b"important"
    store.rm("/ends", recursive=True)


def test_files_that_are_closed_after_the_end_are_closed() -> None:
    system = HostedSystem(MemoryFileSystem())
    with system:
        fd = system.open("/file", os.O_WRONLY | os.O_CREAT)
        system.in_services(system.vfs.end)
        system.close(fd)


def test_an_open_file_that_cannot_be_closed_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file("/unwilling/file", b"old")

    class Unwilling:
        protocol = "unwilling"

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def pipe_file(self, path: str, data: bytes) -> None:
            raise PermissionError(13, "no")

    with HostedSystem(FsspecFileSystem(Unwilling(), "/unwilling")) as system:
        system.write(system.open("/file", os.O_WRONLY), b"new")
    assert "at /: an open file cannot be closed:" in capfd.readouterr().err
    store.rm("/unwilling", recursive=True)
