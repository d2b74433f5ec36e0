"""File systems of services under what programs do: whole trees, databases, locks, odd paths."""

import concurrent.futures
import contextlib
import errno
import fcntl
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ovum.services import vfs
from ovum.services.tasks import Event
from ovum.services.vfs.directory import DirectoryFileSystem
from ovum.services.vfs.overlay import OverlayFileSystem

from .registry import check, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    from ovum.services.main import services

LIMIT_S = 20


@contextlib.contextmanager
def _mounted(system: vfs.FileSystem | None = None) -> Iterator[Path]:
    path = Path("/mnt/checked")
    path.mkdir()
    vfs.mount(str(path), system or vfs.MemoryFileSystem())
    try:
        yield path
    finally:
        vfs.umount(str(path))
        path.rmdir()


def _systems() -> Iterator[vfs.FileSystem]:
    yield vfs.MemoryFileSystem()
    yield OverlayFileSystem(vfs.MemoryFileSystem())
    folder = Path("/tmp/checked")
    folder.mkdir()
    yield DirectoryFileSystem(folder)
    shutil.rmtree(folder)


class Gated(vfs.MemoryFileSystem):
    """Its root's look-ups of one name wait for a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.stable = False
        self.reached = threading.Event()
        self.gate = Event("gate")
        self.told: list[str] = []
        lookup = self.top.lookup

        async def slowly(name: str) -> vfs.Node:
            if name == "slow":
                self.reached.set()
                await self.gate.wait()
            return await lookup(name)

        setattr(self.top, "lookup", slowly)  # noqa: B010  # a method

    def open_gate(self) -> None:
        services().scheduler.call_soon(self.gate.set)

    async def unmounted(self) -> None:
        self.told.append("unmounted")


def _in_thread(function: Callable[[], object]) -> concurrent.futures.Future[object]:
    future: concurrent.futures.Future[object] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run).start()
    return future


def _join_all() -> None:
    for thread in threading.enumerate()[1:]:
        thread.join(LIMIT_S)


@check
def a_mount_in_which_a_call_is_on_its_way_is_busy() -> None:
    system = Gated()
    with _mounted(system) as path:
        looking = _in_thread(lambda: os.stat(path / "slow"))
        assert system.reached.wait(LIMIT_S)
        with refused(errno.EBUSY):
            vfs.umount(str(path))
        assert os.stat(path).st_ino  # it goes on
        system.open_gate()
        assert isinstance(looking.exception(LIMIT_S), FileNotFoundError)
        _join_all()


@check
def a_mount_that_is_taken_away_ends_after_the_calls_in_it() -> None:
    system = Gated()
    path = Path("/mnt/lazy")
    path.mkdir()
    vfs.mount(str(path), system)
    looking = _in_thread(lambda: os.stat(path / "slow"))
    assert system.reached.wait(LIMIT_S)
    vfs.umount(str(path), lazy=True)
    assert os.listdir(path) == [] and system.told == []
    with refused(errno.EBUSY):
        vfs.mount("/tmp", system)
    system.open_gate()
    assert isinstance(looking.exception(LIMIT_S), FileNotFoundError)
    _join_all()
    vfs.mounts()  # behind the end of that call
    assert system.told == ["unmounted"]
    path.rmdir()


@check
def whole_trees_are_walked_copied_moved_and_removed() -> None:
    for system in _systems():
        with _mounted(system) as path:
            (path / "a/b/c").mkdir(parents=True)
            for name in ("a/one", "a/b/two", "a/b/c/three"):
                (path / name).write_text(name)
            (path / "a/link").symlink_to("b/two")
            walked = path.walk()  # type: ignore[attr-defined]  # Python 3.12
            found = [(str(top.relative_to(path)), sorted(names)) for top, _, names in walked]
            assert found[1:] == [("a", ["link", "one"]), ("a/b", ["two"]), ("a/b/c", ["three"])]
            shutil.copytree(path / "a", path / "copy", symlinks=True)
            assert (path / "copy/link").readlink() == Path("b/two")
            shutil.move(path / "copy", path / "a/b/moved")
            shutil.copytree(path / "a/b/moved", "/tmp/taken-out")
            assert Path("/tmp/taken-out/link").read_text() == "a/b/two"
            shutil.move("/tmp/taken-out", path / "back")
            assert sorted(os.listdir(path)) == ["a", "back"]
            shutil.rmtree(path / "a")
            shutil.rmtree(path / "back")
            assert os.listdir(path) == []


@check
def threads_share_a_database_on_a_mount() -> None:
    for system in _systems():
        with _mounted(system) as path:
            with contextlib.closing(sqlite3.connect(path / "data")) as database:
                database.execute("create table numbers (number)")
                database.commit()

            def insert(first: int, file: Path = path / "data") -> None:
                with contextlib.closing(sqlite3.connect(file, timeout=LIMIT_S)) as database:
                    for number in range(first, first + 8):
                        database.execute("insert into numbers values (?)", (number,))
                        database.commit()

            futures = [_in_thread(lambda first=k: insert(first)) for k in (0, 8, 16)]  # type: ignore[misc]
            assert [future.exception(LIMIT_S) for future in futures] == [None] * 3
            _join_all()
            with contextlib.closing(sqlite3.connect(path / "data")) as database:
                rows = database.execute("select number from numbers order by number").fetchall()
            assert rows == [(number,) for number in range(24)]
            (path / "data").unlink()


@check
def locks_on_a_mount_are_had_in_order_and_given_up_by_a_signal() -> None:
    with _mounted() as path:
        (path / "file").touch()
        with contextlib.ExitStack() as stack:
            holder, first, second = (
                stack.enter_context((path / "file").open("r+")) for _ in range(3)
            )
            fcntl.flock(holder, fcntl.LOCK_EX)
            with refused(errno.EWOULDBLOCK):
                fcntl.flock(first, fcntl.LOCK_SH | fcntl.LOCK_NB)
            order: list[str] = []

            def lock(file: object, name: str) -> None:
                fcntl.flock(file, fcntl.LOCK_EX)  # type: ignore[arg-type]
                order.append(name)
                fcntl.flock(file, fcntl.LOCK_UN)  # type: ignore[arg-type]

            futures = []
            for number, (file, name) in enumerate(((first, "first"), (second, "second")), 1):
                futures.append(_in_thread(lambda f=file, n=name: lock(f, n)))  # type: ignore[misc]
                _wait_for_lockers(number)
            _interrupted_flock(path / "file")
            fcntl.flock(holder, fcntl.LOCK_UN)
            for future in futures:
                future.result(LIMIT_S)
            _join_all()
            assert order == ["first", "second"]


def _wait_for_lockers(count: int) -> None:
    tasks = services().scheduler.tasks
    while sum(task.waits_for == "lock a file" for task in tasks()) != count:
        os.sched_yield()


def _interrupted_flock(path: Path) -> None:
    class AlarmError(Exception):
        pass

    def interrupt(number: int, frame: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with path.open() as file:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            fcntl.flock(file, fcntl.LOCK_EX)
    except AlarmError:
        pass
    else:
        raise AssertionError("the lock was granted")
    finally:
        signal.signal(signal.SIGALRM, before)


@check
def record_locks_on_a_mount_are_the_processs() -> None:
    with _mounted() as path, (path / "file").open("w+") as one, (path / "file").open("r+") as other:
        fcntl.lockf(one, fcntl.LOCK_EX | fcntl.LOCK_NB, 10)
        fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB, 10)
        fcntl.lockf(one, fcntl.LOCK_UN)
        with (path / "file").open() as reading, refused(errno.EBADF):
            fcntl.lockf(reading, fcntl.LOCK_EX | fcntl.LOCK_NB)


@check
def statvfs_tells_of_the_mount() -> None:
    with _mounted(vfs.MemoryFileSystem(limit=1 << 20)) as path:
        (path / "file").write_bytes(bytes(8192))
        numbers = os.statvfs(path / "file")
        assert (numbers.f_blocks, numbers.f_bfree, numbers.f_files) == (256, 254, 2), numbers
        assert (numbers.f_frsize, numbers.f_namemax, numbers.f_flag & os.ST_RDONLY) == (
            4096,
            255,
            0,
        )
        assert shutil.disk_usage(path).free == 254 * 4096


@check
def a_working_directory_on_a_mount_has_a_path() -> None:
    with _mounted() as path:
        (path / "inner").mkdir()
        (path / "inner/file").touch()
        os.chdir(path / "inner")
        try:
            assert os.readlink("/proc/self/cwd") == str(path / "inner") == os.getcwd()
            assert os.listdir("/proc/self/cwd") == ["file"]
        finally:
            os.chdir("/")
        assert os.readlink("/proc/self/cwd") == "/"


@check
def what_is_open_on_a_mount_is_opened_anew() -> None:
    with _mounted() as path:
        (path / "file").write_text("content")
        (path / "folder").mkdir()
        (path / "folder/inner").write_text("inner")
        with (path / "file").open() as file:
            file.read(3)
            again = f"/proc/self/fd/{file.fileno()}"
            (path / "file").unlink()
            with open(again, "r+") as other:
                assert other.read() == "content"
                other.write(", and more")
            assert Path(again).read_text() == "content, and more"
            assert os.stat(again).st_dev == os.fstat(file.fileno()).st_dev
        fd = os.open(path / "folder", os.O_RDONLY)
        assert Path(f"/proc/self/fd/{fd}/inner").read_text() == "inner"
        os.close(fd)


@check
def a_mount_is_where_its_links_lead_and_stays_there() -> None:
    for name in ("/tmp/p/q/r", "/tmp/elsewhere"):
        os.makedirs(name)
    os.symlink("p/q/../q", "/tmp/way")
    vfs.mount("/tmp/way/r", vfs.MemoryFileSystem())
    os.mkdir("/tmp/p/q/r/in")
    os.symlink("/tmp/way/r/in", "/tmp/p/q/r/there")
    os.symlink("/tmp/p/q/r/there", "/tmp/in")
    vfs.mount("/tmp/in", vfs.MemoryFileSystem())
    assert [path for path, _, _ in vfs.mounts()[1:]] == ["/tmp/p/q/r", "/tmp/p/q/r/in"]
    for path in ("//tmp/p/q/r", "/tmp/way/r", "/tmp/in"):
        with refused(errno.EBUSY):
            vfs.mount(path, vfs.MemoryFileSystem())
    for path in ("/tmp/p", "/tmp/p/q", "/tmp/p/q/r"):
        with refused(errno.EBUSY):
            os.rename(path, "/tmp/elsewhere/x")
    with refused(errno.EBUSY):
        os.rename("/tmp/p/q/r/in", "/tmp/p/q/r/out")
    with refused(errno.EBUSY):
        os.rename("/tmp/elsewhere", "/tmp/p/q/r")
    vfs.umount("/tmp/in")
    vfs.umount("/tmp/way/r")
    os.rename("/tmp/p", "/tmp/elsewhere/p")
    shutil.rmtree("/tmp/elsewhere")
    for link in ("/tmp/in", "/tmp/way"):
        os.unlink(link)


@check
def a_folder_is_sent_and_listed_with_what_is_mounted_in_it() -> None:
    with _mounted(DirectoryFileSystem("/")) as path:
        assert {"proc", "tmp", "usr"} <= set(os.listdir(path))
        with refused(errno.EXDEV):
            os.stat(path / "proc")
        (path / "tmp/sent").write_bytes(b"x" * 200_000)
        with (path / "tmp/sent").open("rb") as source, (path / "tmp/got").open("wb") as target:
            assert os.sendfile(target.fileno(), source.fileno(), 0, 200_000) == 200_000
        assert Path("/tmp/got").read_bytes() == b"x" * 200_000
        for name in ("sent", "got"):
            os.unlink(f"/tmp/{name}")


@check
def odd_flags_of_open_are_what_linux_makes_of_them() -> None:
    with _mounted() as path:
        for folder in (path, Path("/tmp")):
            with refused(errno.EINVAL):
                os.open(folder / "new", os.O_CREAT | os.O_DIRECTORY)
            with refused(errno.ENOENT):
                os.open(folder / "new", os.O_CREAT | os.O_PATH)
            assert not (folder / "new").exists()


@check
def devices_of_the_kernel_are_what_they_are_called() -> None:
    with open("/dev/full", "wb", buffering=0) as full, refused(errno.ENOSPC):
        full.write(b"x")
    for name in ("random", "urandom"):
        with open(f"/dev/{name}", "rb") as device:
            assert device.read(32) != device.read(32)
    for name in ("tty", "console"):
        with open(f"/dev/{name}", "wb", buffering=0) as device:
            assert os.isatty(device.fileno()), name
    fd = os.open("/dev/stdin", os.O_RDONLY | os.O_NONBLOCK)
    assert os.fstat(fd).st_ino == os.fstat(0).st_ino
    os.close(fd)


@check
def proc_tells_of_services() -> None:
    event = Event("patience")

    async def serve() -> None:
        await event.wait()

    async def begin() -> None:
        services().services.start("patient", serve)

    from ovum.services.main import call

    call(begin)
    assert "patient: see event 'patience'\n" in Path("/proc/ovum/services").read_text()
    services().scheduler.call_soon(event.set)
    vfs.mounts()
    assert "patient" not in Path("/proc/ovum/services").read_text()
