"""Mounts that come and go while calls are on their way in them."""

import errno
import os
from collections.abc import Callable

import pytest

from ovum.services.vfs import MemoryFileSystem, Node
from ovum.services.vfs.node import refuse
from ovum.services.vfs.testing import HostedSystem

from .gated import Calling, GatedFileSystem, wait_for

FLOCK_EX, FLOCK_NB = 2, 4


def mounted(system: HostedSystem, *, stable: bool = True) -> GatedFileSystem:
    """A gated file system at /m, with a file."""
    made = GatedFileSystem(stable=stable)
    system.mkdir("/m")
    system.mount("/m", made)
    system.close(system.open("/m/file", os.O_CREAT | os.O_WRONLY))
    made.told.clear()
    return made


def refused(call: Callable[..., object], *args: object) -> int | None:
    """The errno of what a call raises."""
    try:
        call(*args)
    except OSError as error:
        return error.errno
    return None


def test_a_mount_in_which_a_file_is_being_opened_is_busy() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system)
        gate = made.hold("open")
        opening = Calling(system.open, "/m/file", os.O_RDONLY)
        gate.wait()
        assert refused(system.umount, "/m") == errno.EBUSY
        system.umount("/m", lazy=True)
        assert made.told == []
        gate.open(system)
        fd = opening.result()
        assert system.read(fd, 5) == b""
        assert made.told == []
        system.close(fd)
        assert made.told == ["close", "sync", "unmounted"]


def test_a_mount_ends_with_the_last_call_in_it() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system, stable=False)
        gate = made.hold("lookup")
        looking = Calling(system.stat, "/m/file")
        gate.wait()
        system.umount("/m", lazy=True)
        assert made.told == []
        gate.open(system)
        assert looking.result().st_size == 0
        system.stat("/")  # behind the end of that request
        assert made.told == ["sync", "unmounted"]


def test_who_unmounts_waits_for_files_that_are_closed_already() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system)
        fd = system.open("/m/file", os.O_RDONLY)
        gate = made.hold("close")
        closing = Calling(system.close, fd)
        gate.wait()
        ending = Calling(system.umount, "/m")
        wait_for(lambda: any(t.waits_for == "see a file closed" for t in system.scheduler.tasks()))
        gate.open(system)
        assert closing.result() is None
        assert ending.result() is None
        assert made.told == ["close", "sync", "unmounted"]


def test_of_two_that_mount_at_one_place_one_is_refused() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/m")
        first, second = GatedFileSystem(), GatedFileSystem()
        gate = first.hold("root")
        mounting = Calling(system.mount, "/m", first)
        gate.wait()
        system.mount("/m", second)
        gate.open(system)
        assert mounting.result() == errno.EBUSY
        assert [path for path, _, _ in system.vfs.mounts()] == ["/", "/m"]
        system.umount("/m")
        assert (first.told, second.told) == ([], ["sync", "unmounted"])


def test_a_file_system_has_one_place() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system)
        system.mkdir("/other")
        assert refused(system.mount, "/other", made) == errno.EBUSY
        fd = system.open("/m/file", os.O_RDONLY)
        system.umount("/m", lazy=True)
        assert refused(system.mount, "/other", made) == errno.EBUSY
        system.close(fd)
        system.mount("/other", made)
        assert system.listdir("/other") == ["file"]


class Failing(MemoryFileSystem):
    """What is to be written at the end cannot be."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def sync(self) -> None:
        raise refuse(errno.EIO)

    async def unmounted(self) -> None:
        self.told.append("unmounted")


def test_a_failed_sync_is_told_and_ends_the_mount_all_the_same(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/m")
        made = Failing()
        system.mount("/m", made)
        assert refused(system.umount, "/m") == errno.EIO
        assert made.told == ["unmounted"]
        assert refused(system.umount, "/m") == errno.EINVAL
        system.mount("/m", made)
        fd = system.open("/m/file", os.O_CREAT | os.O_WRONLY)
        system.umount("/m", lazy=True)
        system.close(fd)
        assert made.told == ["unmounted"] * 2
    assert "file system memory at /m: its end failed:" in capfd.readouterr().err


def test_a_failed_close_leaves_nothing_behind() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system)
        fd, other = (system.open("/m/file", os.O_RDONLY) for _ in range(2))
        system.flock(fd, FLOCK_EX)
        assert refused(system.flock, other, FLOCK_EX | FLOCK_NB) == errno.EWOULDBLOCK
        fail(made, "attributes", "close")
        assert refused(system.close, fd) == errno.EIO
        system.flock(other, FLOCK_EX | FLOCK_NB)
        system.umount("/m", lazy=True)
        assert refused(system.close, other) == errno.EIO
        assert made.told == ["close", "close", "sync", "unmounted"]
        assert system.vfs.files == {}


def fail(made: GatedFileSystem, *methods: str) -> None:
    """From now on these methods of every file raise EIO."""

    async def broken(*_: object) -> None:
        raise refuse(errno.EIO)

    node = made.inner.top.names["file"]
    assert isinstance(node, Node)
    for method in methods:
        setattr(node, method, broken)


def test_a_file_that_cannot_be_emptied_is_not_left_open() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        made = mounted(system)
        fail(made, "truncate")
        assert refused(system.open, "/m/file", os.O_WRONLY | os.O_TRUNC) == errno.EIO
        assert made.told == ["close"]
        system.umount("/m")


def test_links_lead_to_where_something_is_mounted() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        for path in ("/m", "/m/in", "/other"):
            system.mkdir(path)
        system.symlink("/m", "/absolute")
        system.symlink("m/in/../in", "/relative")
        system.symlink("../absolute/in", "/other/up")
        system.symlink("round", "/round")
        for path, where in (
            *(("/absolute", "/m"), ("/relative", "/m/in"), ("/other/up", "/m/in")),
            *(("//m", "/m"), ("/other/../m/./", "/m"), ("/../m", "/m")),
        ):
            system.mount(path, MemoryFileSystem())
            assert system.vfs.mounts()[-1][0] == where, path
            assert refused(system.mount, where, MemoryFileSystem()) == errno.EBUSY
            system.umount(path)
        assert [path for path, _, _ in system.vfs.mounts()] == ["/"]
        assert refused(system.mount, "/round", MemoryFileSystem()) == errno.ELOOP
        assert refused(system.umount, "/absolute") == errno.EINVAL
        assert refused(system.umount, "/missing") == errno.ENOENT


def test_what_something_is_mounted_on_or_below_keeps_its_name() -> None:
    with HostedSystem(MemoryFileSystem()) as system:
        for path in ("/a", "/a/b", "/a/b/m", "/free"):
            system.mkdir(path)
        system.mount("/a/b/m", MemoryFileSystem())
        for path in ("/a", "/a/b", "/a/b/m"):
            assert refused(system.rename, path, "/free/x") == errno.EBUSY, path
        system.umount("/a/b/m")
        system.rename("/a/b", "/free/x")
        assert system.listdir("/free/x") == ["m"]
