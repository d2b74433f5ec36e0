"""Requests in awkward company: callers that keep the interpreter's lock, memory that is taken away,
wrong pointers, odd names, drivers that keep what is not theirs."""

import contextlib
import ctypes
import errno
import mmap
import os
import pickle
import sys
import threading
from collections.abc import Iterator

from ovum.services import devices, vfs
from ovum.services.log import dmesg
from ovum.services.tasks import Event

from .registry import PAGE, check, libc, no_memory_lost, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    import _kernel

    from ovum.services.main import call

WHERE = "/mnt/edges"


def locked() -> ctypes.PyDLL:
    """The C library, called without giving up the interpreter's lock."""
    return ctypes.PyDLL(None, use_errno=True)


class Slow(devices.Device):
    """A device whose reads wait until they are let through."""

    def __init__(self) -> None:
        self.gate = Event("the gate")
        self.reading = threading.Semaphore(0)

    async def read(self, offset: int, size: int) -> bytes:
        self.reading.release()
        await self.gate.wait()
        return b"x" * size

    def open_gate(self) -> None:
        """From any thread, after a task has run that was ready before."""

        async def opened() -> None:
            self.gate.set()

        call(opened)


@contextlib.contextmanager
def slow_device() -> Iterator[tuple[Slow, int]]:
    device = Slow()
    devices.register("slow", device)
    fd = os.open("/dev/slow", os.O_RDONLY)
    try:
        yield device, fd
    finally:
        os.close(fd)
        devices.unregister("slow")


@contextlib.contextmanager
def mounted(system: vfs.FileSystem) -> Iterator[None]:
    os.makedirs(WHERE, exist_ok=True)
    vfs.mount(WHERE, system)
    try:
        yield
    finally:
        vfs.umount(WHERE)


@check
def a_thread_is_awaited_with_the_lock_though_it_asks_a_task() -> None:
    """As Polars does when it is imported: its threads read /proc, while it has the lock."""
    names = [ctypes.create_string_buffer(b"/proc/meminfo") for _ in range(3)]
    library = locked()
    threads = []
    for name in names:
        thread = ctypes.c_ulong()
        # What the thread runs is one system call on /proc.
        assert library.pthread_create(ctypes.byref(thread), None, library.rmdir, name) == 0
        threads.append(thread)
    for thread in threads:
        result = ctypes.c_void_p()
        assert library.pthread_join(thread, ctypes.byref(result)) == 0
        assert result.value == 0xFFFFFFFF


@check
def memory_that_a_task_works_on_is_not_taken_away_by_who_has_the_lock() -> None:
    with slow_device() as (device, fd), mmap.mmap(-1, 16 * PAGE) as memory:
        memory.write(b"1" * 16 * PAGE)
        got: list[int] = []
        reader = threading.Thread(target=lambda: got.append(os.readv(fd, [memory])))
        reader.start()
        device.reading.acquire()
        opener = threading.Thread(target=device.open_gate)
        opener.start()
        memory.madvise(mmap.MADV_DONTNEED)  # CPython keeps the lock here
        reader.join()
        opener.join()
        assert got == [16 * PAGE]


@check
def a_heap_does_not_shrink_under_a_task() -> None:
    libc().sbrk.restype = ctypes.c_void_p
    with slow_device() as (device, fd):
        start = libc().sbrk(1 << 20)
        got: list[int] = []
        target = ctypes.c_void_p(start + 100 * PAGE)
        reader = threading.Thread(target=lambda: got.append(libc().read(fd, target, 2 * PAGE)))
        reader.start()
        device.reading.acquire()
        opener = threading.Thread(target=device.open_gate)
        opener.start()
        libc().sbrk(ctypes.c_long(-(1 << 20)))
        reader.join()
        opener.join()
        assert got == [2 * PAGE]


class SlowFile(vfs.Node):
    """The same as a regular file."""

    def __init__(self) -> None:
        self.slow = Slow()
        self.info = vfs.Attributes(self.kind | 0o644, 1001, 1 << 20)

    async def attributes(self) -> vfs.Attributes:
        return self.info

    async def read(self, offset: int, size: int) -> bytes:
        return await self.slow.read(offset, size)


@check
def who_uses_the_position_of_a_file_takes_turns() -> None:
    system = vfs.MemoryFileSystem()
    file = SlowFile()
    system.top.names["slow"] = file  # type: ignore[assignment]
    with mounted(system):
        fd = os.open(f"{WHERE}/slow", os.O_RDONLY)
        order: list[object] = []
        reader = threading.Thread(target=lambda: order.append(len(os.read(fd, 10))))
        reader.start()
        file.slow.reading.acquire()
        seeker = threading.Thread(target=lambda: order.append(("seek", os.lseek(fd, 1000, 0))))
        seeker.start()
        locker = threading.Thread(target=lambda: locked().lseek(fd, 0, os.SEEK_CUR))
        locker.start()
        file.slow.open_gate()
        for thread in (reader, seeker, locker):
            thread.join()
        assert sorted(order, key=str) == [("seek", 1000), 10]
        # The read would have put it to 10 behind a seek that did not wait.
        assert os.lseek(fd, 0, os.SEEK_CUR) == 1000
        os.close(fd)


@check
def a_device_is_read_and_written_at_the_same_time() -> None:
    with slow_device() as (device, fd):
        got: list[int] = []
        reader = threading.Thread(target=lambda: got.append(len(os.read(fd, 10))))
        reader.start()
        device.reading.acquire()
        os.lseek(fd, 0, os.SEEK_SET)  # does not wait
        with refused(errno.EBADF):
            os.write(fd, b"opened for reading")
        device.open_gate()
        reader.join()
        assert got == [10]


@check
def pointers_to_the_kernel_are_refused() -> None:
    folder = os.open("/proc", os.O_RDONLY)
    try:
        for address in (0xFFFF800000100000, 0xFFFFD00012345000, 0xFFFFFFFF80100000, 1 << 63):
            pointer = ctypes.c_void_p(address)
            assert libc().readlink(b"/proc/self/exe", pointer, 100) == -1
            assert ctypes.get_errno() == errno.EFAULT
            assert libc().syscall(217, folder, pointer, 4096) == -1  # getdents64
            assert ctypes.get_errno() == errno.EFAULT
    finally:
        os.close(folder)


@check
def a_path_out_of_a_mount_that_is_gone_leads_nowhere() -> None:
    os.makedirs("/mnt/gone/inner")
    vfs.mount("/mnt/gone/inner", vfs.MemoryFileSystem())
    inside = os.open("/mnt/gone/inner", os.O_RDONLY)
    try:
        vfs.umount("/mnt/gone/inner", lazy=True)
        os.rmdir("/mnt/gone/inner")
        os.rmdir("/mnt/gone")
        for _ in range(5):
            with refused(errno.ENOENT):
                os.stat("..", dir_fd=inside)
    finally:
        os.close(inside)


@check
def links_that_cannot_be_made_cost_nothing() -> None:
    with mounted(vfs.MemoryFileSystem()):
        with open(f"{WHERE}/file", "w"):
            pass

        def attempt() -> None:
            with refused(errno.ENOENT):
                os.link(f"{WHERE}/file", "/nowhere/at/all")

        for _ in range(50):
            attempt()
        with no_memory_lost(64 * PAGE):
            for _ in range(500):
                attempt()


class Keeps(devices.Device):
    """A driver that keeps what is the caller's."""

    kept: object = None

    async def read_into(self, offset: int, view: memoryview) -> int:
        self.kept = pickle.PickleBuffer(view)
        return len(view)


@check
def a_driver_that_keeps_the_buffer_fails_its_caller_only() -> None:
    device = Keeps()
    devices.register("keeps", device)
    fd = os.open("/dev/keeps", os.O_RDONLY)
    try:
        for _ in range(3):
            with refused(errno.EIO):
                os.read(fd, 10)
        assert "still exported" in dmesg()
    finally:
        device.kept = None
        os.close(fd)
        devices.unregister("keeps")


class Syncing(vfs.MemoryFileSystem):
    """Counts what it is asked to write."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    async def sync(self) -> None:
        self.times += 1


@check
def sync_reaches_mounted_file_systems() -> None:
    system = Syncing()
    with mounted(system):
        os.sync()
        assert system.times == 1
        fd = os.open(f"{WHERE}/file", os.O_CREAT | os.O_RDWR)
        assert libc().syncfs(fd) == 0
        assert system.times == 2
        os.fsync(fd)
        assert system.times == 2
        os.close(fd)


@check
def a_file_opened_as_a_path_is_not_mapped() -> None:
    with mounted(vfs.MemoryFileSystem()):
        with open(f"{WHERE}/file", "wb") as file:
            file.write(b"content")
        path_only = os.open(f"{WHERE}/file", os.O_PATH)
        assert libc().syscall(9, 0, PAGE, mmap.PROT_READ, mmap.MAP_PRIVATE, path_only, 0) == -1
        assert ctypes.get_errno() == errno.EBADF
        os.close(path_only)


@check
def a_large_buffer_is_touched_as_far_as_it_is_used() -> None:
    with mmap.mmap(-1, 64 << 20) as memory, open("/proc/self/stat", "rb", buffering=0) as file:
        before = _resident()
        assert os.readv(file.fileno(), [memory]) < 1000
        assert _resident() - before < 4 << 20


def _resident() -> int:
    lines = dict(line.split() for line in _kernel.inspect("statistics").splitlines())
    return int(lines["resident"]) * PAGE


@check
def odd_names_do_not_break_proc() -> None:
    name = "/tmp/a\nb c\\\x1c"
    with open(name, "wb") as made:
        made.write(b"mapped")
    try:
        with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ):
            fds = os.listdir("/proc/self/fd")
            assert str(file.fileno()) in fds
            with open("/proc/self/maps") as maps:
                assert "/tmp/a\\012b c\\134\\034" in maps.read()
            old = ctypes.create_string_buffer(16)
            libc().prctl(16, old)  # PR_GET_NAME
            libc().prctl(15, b"x\ny z")  # PR_SET_NAME
            try:
                with open("/proc/self/stat") as stat:
                    assert stat.read().count("\n") == 1
                assert os.listdir("/proc/self/task")
            finally:
                libc().prctl(15, old)
    finally:
        os.unlink(name)


@check
def services_do_not_import_from_what_they_serve() -> None:
    """A mount on sys.path: theirs are other places, and the program's imports go on working."""

    async def import_something() -> str:
        import colorsys  # nobody else has imported it

        try:
            import edge_module  # type: ignore[import-not-found]  # noqa: F401
        except ModuleNotFoundError as error:
            return f"{colorsys.__name__}: {error}"
        return "imported"

    with mounted(vfs.MemoryFileSystem()):
        with open(f"{WHERE}/edge_module.py", "w") as file:
            file.write("value = 7\n")
        sys.path.insert(0, WHERE)
        try:
            said = call(import_something)
            assert said.startswith("colorsys: No module named 'edge_module' where services"), said
            with open("/proc/ovum/tasks") as file:
                assert "sleep_forever" in file.read()
            module = __import__("edge_module")
            assert module.value == 7
        finally:
            sys.path.remove(WHERE)
            sys.path_importer_cache.pop(WHERE, None)
            sys.modules.pop("edge_module", None)
