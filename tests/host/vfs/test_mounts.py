"""The mount table, and what any file system may do wrong."""

import errno
import os
import runpy
import stat
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

import pytest

from ovum.services import vfs
from ovum.services.tasks import Event
from ovum.services.vfs import operations
from ovum.services.vfs.testing import HostedSystem

from .gated import Calling, wait_for

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_longest_path_wins() -> None:
    with HostedSystem(vfs.MemoryFileSystem()) as system:
        for path in ("/a", "/a/b", "/a/b/c"):
            system.mkdir(path)
            system.mount(path, vfs.MemoryFileSystem())
        for path in ("/file", "/a/file", "/a/b/file", "/a/b/c/file"):
            system.close(system.open(path, os.O_CREAT | os.O_WRONLY))
        devices = {system.stat(path).st_dev for path in ("/file", "/a/file", "/a/b/file")}
        assert len(devices) == 3
        assert system.listdir("/a/b/c") == ["file"]
        assert [mount[0] for mount in system.vfs.mounts()] == ["/", "/a", "/a/b", "/a/b/c"]
        with pytest.raises(OSError) as caught:
            system.rename("/a/file", "/a/b/other")
        assert caught.value.errno == errno.EXDEV
        with pytest.raises(OSError) as caught:
            system.rmdir("/a/b")
        assert caught.value.errno == errno.EBUSY
        with pytest.raises(OSError) as caught:
            system.umount("/a")
        assert caught.value.errno == errno.EBUSY
        system.umount("/a/b/c")
        assert system.listdir("/a/b/c") == []
        system.umount("/a", lazy=True)
        assert [mount[0] for mount in system.vfs.mounts()] == ["/"]


def test_mounting_where_it_cannot_be() -> None:
    with HostedSystem(vfs.MemoryFileSystem()) as system:
        system.close(system.open("/file", os.O_CREAT | os.O_WRONLY))
        for path, number in (
            ("/missing", errno.ENOENT),
            ("/file", errno.ENOTDIR),
            ("/", errno.EBUSY),
        ):
            with pytest.raises(OSError) as caught:
                system.mount(path, vfs.MemoryFileSystem())
            assert caught.value.errno == number, path
        with pytest.raises(ValueError, match="must be absolute"):
            system.mount("relative", vfs.MemoryFileSystem())
        with pytest.raises(OSError) as caught:
            system.umount("/file")
        assert caught.value.errno == errno.EINVAL


def test_busy_and_lazy() -> None:
    ended: list[str] = []

    class Noted(vfs.MemoryFileSystem):
        async def unmounted(self) -> None:
            ended.append("unmounted")

    with HostedSystem(vfs.MemoryFileSystem()) as system:
        system.mkdir("/mnt")
        system.mount("/mnt", Noted())
        fd = system.open("/mnt/file", os.O_CREAT | os.O_RDWR)
        with pytest.raises(OSError) as caught:
            system.umount("/mnt")
        assert caught.value.errno == errno.EBUSY
        system.umount("/mnt", lazy=True)
        with pytest.raises(FileNotFoundError):
            system.stat("/mnt/file")
        system.write(fd, b"still there")
        assert system.pread(fd, 20, 0) == b"still there"
        assert ended == []
        system.close(fd)
        assert ended == ["unmounted"]


def test_readonly() -> None:
    with HostedSystem(vfs.MemoryFileSystem(), readonly=True) as system:
        for call in (
            lambda: system.mkdir("/x"),
            lambda: system.open("/x", os.O_CREAT | os.O_WRONLY),
            lambda: system.chmod("/", 0o700),
            lambda: system.symlink("a", "/x"),
        ):
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == errno.EROFS
        assert system.statvfs("/").f_flag & os.ST_RDONLY


def test_limits() -> None:
    with HostedSystem(vfs.MemoryFileSystem(limit=10_000)) as system:
        fd = system.open("/file", os.O_CREAT | os.O_RDWR)
        assert system.write(fd, b"x" * 9_000) == 9_000
        with pytest.raises(OSError) as caught:
            system.write(fd, b"x" * 2_000)
        assert caught.value.errno == errno.ENOSPC
        assert system.fstat(fd).st_size == 9_000
        system.ftruncate(fd, 0)
        assert system.pwrite(fd, b"x" * 10_000, 0) == 10_000
        assert system.statvfs("/").f_bavail == 0
        system.close(fd)


class Careless(vfs.Directory):
    """A directory whose methods go wrong in all ways."""

    async def attributes(self) -> vfs.Attributes:
        return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

    async def lookup(self, name: str) -> vfs.Node:
        if name == "typo":
            raise AttributeError("no such thing")
        if name == "exit":
            raise SystemExit(3)
        if name == "interrupt":
            raise KeyboardInterrupt
        if name == "none":
            return None  # type: ignore[return-value]
        raise FileNotFoundError

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        return [("a name", "of", "the wrong types")]  # type: ignore[list-item]


class CarelessFileSystem(vfs.FileSystem):
    name = "careless"

    async def root(self) -> vfs.Node:
        return Careless()


@pytest.mark.parametrize("name", ["typo", "exit", "interrupt", "none"])
def test_an_error_in_a_file_system_is_eio_and_a_traceback(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with HostedSystem(CarelessFileSystem()) as system:
        with pytest.raises(OSError) as caught:
            system.stat(f"/{name}")
        assert caught.value.errno == errno.EIO
        assert system.stat("/").st_ino == 1
        with pytest.raises(OSError) as caught:
            system.listdir("/")
        assert caught.value.errno == errno.EIO
    told = capfd.readouterr().err
    assert f"file system careless at /: stat of '{name}' failed:" in told
    assert "in Server._stat" in told


def test_what_a_class_does_not_have_is_refused_as_posix_says() -> None:
    class Empty(vfs.FileSystem):
        async def root(self) -> vfs.Node:
            class Top(vfs.Directory):
                async def attributes(self) -> vfs.Attributes:
                    return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

                async def lookup(self, name: str) -> vfs.Node:
                    if name == "file":
                        return File()
                    raise FileNotFoundError(errno.ENOENT, name)

            class File(vfs.Node):
                async def attributes(self) -> vfs.Attributes:
                    return vfs.Attributes(stat.S_IFREG | 0o644, 2)

            return Top()

    with HostedSystem(Empty()) as system:
        fd = system.open("/file", os.O_RDWR)
        for call, number in (
            (lambda: system.mkdir("/x"), errno.EROFS),
            (lambda: system.link("/file", "/x"), errno.EPERM),
            (lambda: system.chmod("/file", 0o600), errno.EPERM),
            (lambda: system.read(fd, 5), errno.EINVAL),
            (lambda: system.write(fd, b"x"), errno.EROFS),
            (lambda: system.stat("/missing"), errno.ENOENT),
            (lambda: system.rename("/file", "/x"), errno.EROFS),
        ):
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == number
        system.close(fd)


def test_one_slow_file_system_delays_no_other() -> None:
    gate = Event("gate")

    class Slow(vfs.FileSystem):
        async def root(self) -> vfs.Node:
            class Top(vfs.Directory):
                async def attributes(self) -> vfs.Attributes:
                    return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

                async def lookup(self, name: str) -> vfs.Node:
                    await gate.wait()
                    raise FileNotFoundError(errno.ENOENT, name)

            return Top()

    with HostedSystem(vfs.MemoryFileSystem()) as system:
        system.mkdir("/slow")
        system.mount("/slow", Slow())
        results: list[int | None] = []

        def ask() -> None:
            try:
                system.stat("/slow/x")
            except OSError as error:
                results.append(error.errno)

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            system.stat("/")
        assert results == []
        system.scheduler.call_soon(gate.set)
        for thread in threads:
            thread.join(10)
        assert results == [errno.ENOENT] * 5


def test_the_example() -> None:
    source = (EXAMPLES / "jsonfs.py").read_text()
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) < 60
    made = runpy.run_path(str(EXAMPLES / "jsonfs.py"))
    with HostedSystem(made["JsonFileSystem"]('{"a": [1, {"b": "text"}], "c": null}')) as system:
        assert system.listdir("/") == ["a", "c"]
        fd = system.open("/a/1/b", os.O_RDONLY)
        assert system.read(fd, 100) == b"text\n"
        system.close(fd)
        with pytest.raises(FileNotFoundError):
            system.stat("/a/2")
        with pytest.raises(OSError) as caught:
            system.unlink("/c")
        assert caught.value.errno == errno.EROFS


class Odd(vfs.Directory):
    """Files whose reads and writes tell of what cannot be, and names that no path can have."""

    class File(vfs.Node):
        def __init__(self, told: object) -> None:
            self.told = told

        async def attributes(self) -> vfs.Attributes:
            return vfs.Attributes(stat.S_IFREG | 0o644, 9, 1000)

        async def read_into(self, offset: int, view: memoryview) -> int:
            return self.told  # type: ignore[return-value]

        async def write(self, offset: int, data: memoryview) -> int:
            return self.told  # type: ignore[return-value]

    files: ClassVar = {"none": None, "less": -5, "nothing": 0, "more": 11, "huge": 1 << 70}

    async def attributes(self) -> vfs.Attributes:
        return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

    async def lookup(self, name: str) -> vfs.Node:
        return self.File(self.files[name])

    async def entries(self) -> Iterable[tuple[str, int, int]]:
        names = ("a/b", "", ".", "..", "nul\0", "x" * 5000, "é" * 128, "y" * 255, "good")
        return [(name, stat.S_IFREG, 2) for name in names]


class OddFileSystem(vfs.FileSystem):
    async def root(self) -> vfs.Node:
        return Odd()


@pytest.mark.parametrize("name", Odd.files)
def test_results_that_cannot_be_are_eio(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with HostedSystem(vfs.MemoryFileSystem()) as system:
        system.mkdir("/in")
        system.mount("/in", OddFileSystem())
        fd = system.open(f"/in/{name}", os.O_RDWR)
        calls: list[Callable[[], object]] = [
            lambda: system.write(fd, b"x" * 10),
            lambda: system.request(operations.ALLOCATE, fd, a=3, b=0, c=10),
        ]
        if name != "nothing":  # the end of the file
            calls.append(lambda: system.read(fd, 10))
        for call in calls:
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == errno.EIO
        assert system.lseek(fd, 0, os.SEEK_CUR) == 0
        system.close(fd)
    assert f"file system python at /in: write of '{name}' failed:" in capfd.readouterr().err


def test_names_that_no_path_can_have_are_not_listed() -> None:
    with HostedSystem(OddFileSystem()) as system:
        assert system.listdir("/") == ["y" * 255, "good"]


def test_a_listing_that_cannot_be_made_is_no_empty_directory() -> None:
    class Broken(vfs.Directory):
        async def attributes(self) -> vfs.Attributes:
            return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

        async def entries(self) -> Iterable[tuple[str, int, int]]:
            raise FileNotFoundError(errno.ENOENT, "something that it needs")

    class BrokenFileSystem(vfs.FileSystem):
        async def root(self) -> vfs.Node:
            return Broken()

    with HostedSystem(BrokenFileSystem()) as system:
        with pytest.raises(OSError) as caught:
            system.listdir("/")
        assert caught.value.errno == errno.EIO


def test_create_and_write_are_enough_to_write_a_file() -> None:
    class File(vfs.Node):
        def __init__(self) -> None:
            self.content = bytearray()

        async def attributes(self) -> vfs.Attributes:
            return vfs.Attributes(stat.S_IFREG | 0o644, 7, len(self.content))

        async def write(self, offset: int, data: memoryview) -> int:
            self.content[offset : offset + len(data)] = data
            return len(data)

    class Top(vfs.Directory):
        def __init__(self) -> None:
            self.names: dict[str, vfs.Node] = {}

        async def attributes(self) -> vfs.Attributes:
            return vfs.Attributes(stat.S_IFDIR | 0o755, 1)

        async def lookup(self, name: str) -> vfs.Node:
            if name in self.names:
                return self.names[name]
            raise FileNotFoundError(errno.ENOENT, name)

        async def create(self, name: str, mode: int) -> vfs.Node:
            self.names[name] = File()
            return self.names[name]

    class Simple(vfs.FileSystem):
        top = Top()

        async def root(self) -> vfs.Node:
            return self.top

    with HostedSystem(Simple()) as system:
        fd = system.open("/new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        assert system.write(fd, b"text") == 4
        system.close(fd)
        with pytest.raises(OSError) as caught:
            system.open("/new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        assert caught.value.errno == errno.EROFS


def test_a_lock_belongs_to_the_open_file_whoever_waits_for_it() -> None:
    with HostedSystem(vfs.MemoryFileSystem()) as system:
        holder, waiting, last = (system.open("/file", os.O_RDWR | os.O_CREAT) for _ in range(3))
        system.flock(holder, 2)
        order: list[str] = []

        def lock(fd: int, name: str) -> None:
            system.flock(fd, 2)
            order.append(name)

        calls = []
        for number, (fd, name) in enumerate(((waiting, "a"), (waiting, "b"), (last, "c")), 1):
            calls.append(Calling(lock, fd, name))
            wait_for(lambda: _waiting(system) == number)  # noqa: B023  # called before the next
        number = system.post("lock", "", a=2, base=last)
        wait_for(lambda: _waiting(system) == 4)
        system.interrupt(number)
        assert system.answer(number) == -errno.EINTR
        system.flock(holder, 8)
        calls[0].result()
        calls[1].result()  # the same open file has it already
        assert sorted(order) == ["a", "b"]
        system.close(waiting)
        calls[2].result()
        assert order[2:] == ["c"]


def _waiting(system: HostedSystem) -> int:
    return sum(task.waits_for == "lock a file" for task in system.scheduler.tasks())


def test_numbers_of_a_file_system() -> None:
    with HostedSystem(vfs.MemoryFileSystem(limit=1 << 20)) as system:
        fd = system.open("/file", os.O_CREAT | os.O_WRONLY)
        system.write(fd, bytes(10 * 4096))
        system.close(fd)
        for numbers in (system.statvfs("/"), system.statvfs("/file")):
            assert (numbers.f_bsize, numbers.f_frsize, numbers.f_namemax) == (4096, 4096, 255)
            assert (numbers.f_blocks, numbers.f_bfree, numbers.f_bavail) == (256, 246, 246)
            assert (numbers.f_files, numbers.f_flag) == (2, 0)
            assert numbers.f_fsid == system.stat("/").st_dev


def test_members_of_the_example_have_inodes_of_their_own() -> None:
    made = runpy.run_path(str(EXAMPLES / "jsonfs.py"))
    deep = '{"a": ' * 30 + "1" + "}" * 30
    many = "[" + ", ".join("1" for _ in range(1500)) + "]"
    with HostedSystem(
        made["JsonFileSystem"](f'{{"deep": {deep}, "many": {many}, "l": [1, 2]}}')
    ) as s:
        paths = ["/deep" + "/a" * depth for depth in range(30)]
        paths += [f"/many/{number}" for number in range(1500)] + ["/l/0", "/l/1"]
        assert len({s.stat(path).st_ino for path in paths}) == len(paths)
