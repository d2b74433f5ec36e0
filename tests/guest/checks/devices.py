"""Devices whose drivers are Python: registration, and the kernel's log as one."""

import contextlib
import errno
import os
import stat
import threading
from pathlib import Path

from ovum.services import devices
from ovum.services.tasks import Channel, Event
from ovum.services.vfs import Node

from .registry import check, refused

with contextlib.suppress(ModuleNotFoundError):  # on the host, which only reads the names
    import _kernel

    from ovum.services.main import call


class Loop(devices.Device):
    """What is written comes back, to whoever reads."""

    def __init__(self) -> None:
        self.lines: Channel[bytes] = Channel(10)
        self.opened: list[int] = []
        self.began = Event()

    async def open(self, flags: int) -> Node:
        self.opened.append(flags & os.O_ACCMODE)
        return self

    async def reader_waits(self) -> None:
        """Returns when somebody waits in `read`."""
        while not self.lines.statistics().receivers_waiting:
            await self.began.wait()
            self.began = Event()

    async def write(self, offset: int, data: memoryview) -> int:
        await self.lines.send(bytes(data))
        return len(data)

    async def read(self, offset: int, size: int) -> bytes:
        self.began.set()
        return (await self.lines.receive())[:size]


@check
def a_driver_in_python_has_a_device() -> None:
    loop = Loop()
    devices.register("loop", loop, mode=0o640)
    path = Path("/dev/loop")
    info = path.stat()
    assert (stat.S_ISCHR(info.st_mode), stat.S_IMODE(info.st_mode)) == (True, 0o640)
    assert info.st_rdev == loop.number
    fd = os.open(path, os.O_RDWR)
    assert os.write(fd, b"to and fro") == 10
    assert os.read(fd, 100) == b"to and fro"
    assert os.fstat(fd).st_rdev == loop.number
    received: list[bytes] = []
    thread = threading.Thread(target=lambda: received.append(os.read(fd, 100)))
    thread.start()
    call(loop.reader_waits)
    os.write(fd, b"to a reader that waits")
    thread.join()
    assert received == [b"to a reader that waits"]
    with refused(errno.EBUSY):
        devices.register("other", loop)
    with refused(errno.EEXIST):
        devices.register("loop", Loop())
    with refused(errno.EINVAL):
        devices.register("a/b", Loop())
    devices.unregister("loop")
    assert not path.exists()
    os.write(fd, b"still open")
    assert os.read(fd, 100) == b"still open"
    os.close(fd)
    with refused(errno.ENOENT):
        devices.unregister("loop")
    assert loop.opened == [os.O_RDWR]


@check
def a_device_without_a_driver_is_refused() -> None:
    os.mknod("/tmp/nobody", stat.S_IFCHR | 0o600, 241 << 8 | 7)
    with refused(errno.ENXIO):
        os.open("/tmp/nobody", os.O_RDONLY)
    os.unlink("/tmp/nobody")


@check
def the_log_is_a_device() -> None:
    _kernel.log(2, "a warning to be read")
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    records = []
    with contextlib.suppress(BlockingIOError):
        while True:
            records.append(os.read(fd, 1000))
    heads = [record.split(b";")[0].split(b",") for record in records]
    numbers = [int(head[1]) for head in heads]
    assert numbers == sorted(set(numbers))
    mine = [k for k, record in enumerate(records) if record.endswith(b";a warning to be read\n")]
    assert heads[mine[-1]][0] == b"4"
    Path("/dev/kmsg").write_text("<3>written by a program\n")
    assert os.read(fd, 1000).endswith(b";written by a program\n")
    os.lseek(fd, 0, os.SEEK_SET)
    assert os.read(fd, 1000) == records[0]
    with refused(errno.EINVAL):
        os.read(fd, 5)
    os.close(fd)


@check
def who_reads_the_log_waits_for_what_comes() -> None:
    fd = os.open("/dev/kmsg", os.O_RDONLY)
    last = b""
    found = threading.Event()

    def follow() -> None:
        nonlocal last
        while not last.endswith(b";the end of it\n"):
            last = os.read(fd, 1000)
        found.set()

    thread = threading.Thread(target=follow)
    thread.start()
    assert not found.wait(0.1)
    _kernel.log(3, "the end of it")
    assert found.wait(5)
    thread.join()
    os.close(fd)
