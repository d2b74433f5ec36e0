"""The files of /proc that the kernel writes, and what libraries conclude from them."""

import ctypes
import dataclasses
import errno
import itertools
import mmap
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ovum.services import vfs

from .registry import PAGE, check, libc, refused

PROC = Path("/proc")


@dataclasses.dataclass(frozen=True)
class _Region:
    start: int
    end: int
    permissions: str
    offset: int
    name: str


def _maps() -> Iterator[_Region]:
    for line in (PROC / "self/maps").read_text().splitlines():
        extent, permissions, offset, _, _, *name = line.split(None, 5)
        start, end = (int(part, 16) for part in extent.split("-"))
        yield _Region(start, end, permissions, int(offset, 16), name[0] if name else "")


def _around(address: int) -> _Region:
    return next(region for region in _maps() if region.start <= address < region.end)


def _fields(name: str) -> dict[str, str]:
    lines = (PROC / name).read_text().splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


@check
def proc_maps_is_ordered_and_shows_permissions_as_they_are() -> None:
    regions = list(_maps())
    for before, after in itertools.pairwise(regions):
        assert before.start < before.end <= after.start < after.end, (before, after)
    with mmap.mmap(-1, 8 * PAGE) as memory:
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        assert _around(start).permissions == "rw-p"
        assert libc().mprotect(ctypes.c_void_p(start + 2 * PAGE), PAGE, 0) == 0
        middle = _around(start + 2 * PAGE)
        assert (middle.start, middle.end, middle.permissions) == (
            start + 2 * PAGE,
            start + 3 * PAGE,
            "---p",
        )
        assert _around(start + PAGE).end == middle.start
        assert _around(start + 3 * PAGE).start == middle.end
        assert libc().mprotect(ctypes.c_void_p(start + 2 * PAGE), PAGE, 3) == 0
        assert _around(start).end >= start + 8 * PAGE


@check
def proc_maps_is_whole_while_others_map_and_unmap() -> None:
    """More text than is written without letting others run, of regions that come and go.

    The other thread has the services' priority, so that it does run as soon as it may.
    """
    pages = 2000
    stop = threading.Event()

    def protect(address: int, count: int, protection: int) -> None:
        assert libc().mprotect(ctypes.c_void_p(address), count * PAGE, protection) == 0

    def change() -> None:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        while not stop.wait(0.0001):
            protect(start, pages, mmap.PROT_READ | mmap.PROT_WRITE)
            for page in range(0, pages, 2):
                protect(start + page * PAGE, 1, mmap.PROT_READ)

    with mmap.mmap(-1, pages * PAGE) as memory:
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        thread = threading.Thread(target=change)
        thread.start()
        try:
            for _ in range(2):
                regions = list(_maps())
                assert "[stack]" in {region.name for region in regions}
                assert all(a.end <= b.start for a, b in itertools.pairwise(regions))
        finally:
            stop.set()
            thread.join()


@check
def proc_maps_names_files_heap_and_stack() -> None:
    names = {region.name for region in _maps()}
    assert {sys.executable, "[heap]", "[stack]"} <= names, names
    code = _around(ctypes.cast(libc().getpid, ctypes.c_void_p).value or 0)
    assert code.permissions == "r-xp" and code.name.endswith("/libc.so.6"), code
    path = Path("/tmp/mapped-file")
    path.write_bytes(bytes(3 * PAGE))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
        memory.flush()
        region = next(region for region in _maps() if region.name == str(path))
        assert (region.end - region.start, region.permissions) == (3 * PAGE, "r--s"), region
    path.unlink()


@check
def the_c_library_finds_the_main_stack() -> None:
    attributes = (ctypes.c_char * 64)()
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    libc().pthread_self.restype = ctypes.c_ulong
    itself = ctypes.c_ulong(libc().pthread_self())
    assert libc().pthread_getattr_np(itself, attributes) == 0
    assert libc().pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size)) == 0
    assert size.value >= 1 << 20
    stack = next(region for region in _maps() if region.name == "[stack]")
    start = address.value or 0
    assert start <= stack.start < stack.end <= start + size.value + 2 * PAGE, (start, size, stack)
    libc().pthread_attr_destroy(attributes)


@check
def proc_tells_of_the_process() -> None:
    assert Path("/proc/self/exe").readlink() == Path(sys.executable)
    assert Path("/proc/self/cmdline").read_bytes().split(b"\0")[0] == sys.executable.encode()
    assert Path("/proc/self").readlink() == Path(str(os.getpid()))
    text = (PROC / "self/stat").read_text()
    number, name, *rest = text.replace("(", "").replace(")", "").split()
    assert (int(number), len(rest)) == (os.getpid(), 50), text
    assert name == (PROC / "self/comm").read_text().strip()
    pages = [int(word) for word in (PROC / "self/statm").read_text().split()]
    assert pages[0] > pages[1] > 100, pages
    status = _fields("self/status")
    assert int(status["Pid"]) == os.getpid() and int(status["Threads"]) >= 1
    assert int(status["VmRSS"].split()[0]) > 400


@check
def proc_tells_of_the_machine() -> None:
    memory = _fields("meminfo")
    total = int(memory["MemTotal"].split()[0]) * 1024
    assert total == os.sysconf("SC_PHYS_PAGES") * PAGE
    assert 0 < int(memory["MemAvailable"].split()[0]) <= int(memory["MemFree"].split()[0])
    assert _fields("cpuinfo")["vendor_id"]
    uptime, idle = (float(word) for word in (PROC / "uptime").read_text().split())
    assert abs(uptime - time.monotonic()) < 1 and 0 <= idle <= uptime
    words = (PROC / "stat").read_text().split()
    booted = int(words[words.index("btime") + 1])
    assert abs(booted + uptime - time.time()) < 2.5


@check
def files_of_proc_are_snapshots_that_nobody_writes() -> None:
    with refused(errno.EACCES):
        os.open("/proc/self/maps", os.O_RDWR)
    with (PROC / "uptime").open() as file:
        first = file.read()
        file.seek(0)
        assert file.read() == first
    time.sleep(0.02)
    assert (PROC / "uptime").read_text() != first
    with (PROC / "uptime").open() as file:
        assert os.fstat(file.fileno()).st_ino == (PROC / "uptime").stat().st_ino


@check
def proc_shows_descriptors() -> None:
    reading, writing = os.pipe()
    path = Path("/tmp/described")
    path.write_text("content")
    with path.open() as file:
        file.read(3)
        folder = PROC / "self/fd"
        numbers = {int(name) for name in os.listdir(folder)}
        assert {0, 1, 2, reading, writing, file.fileno()} <= numbers
        assert (folder / str(file.fileno())).readlink() == path
        assert str((folder / str(reading)).readlink()).startswith("pipe:[")
        assert _fields(f"self/fdinfo/{file.fileno()}")["pos"] == "7"
        assert (folder / str(file.fileno())).read_text() == "content"
        # What has no path is what it is: the other end gets what is written.
        with (folder / str(writing)).open("w") as again:
            again.write("through")
        assert os.read(reading, 100) == b"through"
        assert os.stat(folder / str(reading)).st_ino == os.fstat(reading).st_ino
    os.close(reading)
    os.close(writing)
    with refused(errno.ENOENT):
        os.readlink(folder / str(reading))
    path.unlink()


@check
def standard_streams_have_names_in_dev() -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        assert Path(f"/dev/{name}").stat().st_ino == os.fstat(number).st_ino
        assert Path(f"/dev/fd/{number}").stat().st_ino == os.fstat(number).st_ino
    with open("/dev/stderr", "w") as stream:
        stream.write("")


@check
def proc_shows_threads() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    before = set(os.listdir("/proc/self/task"))
    thread.start()
    (new,) = set(os.listdir("/proc/self/task")) - before
    assert int(new) == thread.native_id
    text = (PROC / "self/task" / new / "stat").read_text()
    assert text.startswith(f"{new} (")
    assert _fields(f"self/task/{new}/status")["State"].startswith("S")
    release.set()
    thread.join()
    with refused(errno.ENOENT):
        os.stat(f"/proc/self/task/{new}")


@check
def proc_shows_mounts() -> None:
    os.makedirs("/mnt/with space")
    vfs.mount("/mnt/with space", vfs.MemoryFileSystem(), readonly=True)
    lines = (PROC / "mounts").read_text().splitlines()
    assert lines[0].split()[:3] == ["rootfs", "/", "rootfs"]
    assert "memory /mnt/with\\040space memory ro 0 0" in lines
    (last,) = (
        line for line in (PROC / "self/mountinfo").read_text().splitlines() if "memory" in line
    )
    assert last.split()[4:6] == ["/mnt/with\\040space", "ro"]
    assert "memory" in (PROC / "filesystems").read_text()
    vfs.umount("/mnt/with space")
    assert "memory" not in (PROC / "mounts").read_text()


@check
def proc_tells_of_the_kernel() -> None:
    names = os.uname()
    settings = PROC / "sys/kernel"
    assert (settings / "osrelease").read_text() == f"{names.release}\n"
    assert (settings / "hostname").read_text() == f"{names.nodename}\n"
    boot, first, second = (
        (settings / "random" / name).read_text().strip() for name in ("boot_id", "uuid", "uuid")
    )
    assert uuid.UUID(first).version == 4 and first != second
    assert (settings / "random/boot_id").read_text().strip() == boot
    assert (PROC / "net/dev").read_text().startswith("Inter-|")
    averages = (PROC / "loadavg").read_text().split()
    assert len(averages) == 5 and all(float(word) >= 0 for word in averages[:3])
    assert os.getloadavg()[0] <= 1.5


@check
def proc_tells_of_tasks() -> None:
    text = (PROC / "ovum/tasks").read_text()
    assert "task 'sleep_forever': waits to be cancelled" in text
    with refused(errno.ENOENT):
        os.stat("/proc/ovum/nothing")
    with refused(errno.EROFS, errno.EPERM, errno.EACCES):
        os.mkdir("/proc/new")
