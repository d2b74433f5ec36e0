"""Overlays while something is copied up: what others see of it, and what is left of it."""

import errno
import os
from collections.abc import Iterable

import pytest

from ovum.services.tasks import Group, checkpoint
from ovum.services.tasks.testing import run
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.node import FileSystem
from ovum.services.vfs.overlay import OverlayFileSystem
from ovum.services.vfs.testing import HostedSystem

from .gated import Calling, GatedFileSystem
from .test_overlay import names, read, write

LARGE = bytes(range(256)) * 2000


def lower() -> MemoryFileSystem:
    """A file system with a large file, and others."""
    made = MemoryFileSystem()
    with HostedSystem(made) as system:
        write(system, "/large", LARGE)
        for name in ("full", "other"):
            system.mkdir(f"/{name}")
        write(system, "/full/big", LARGE)
        write(system, "/other/secret", b"removed")
        system.symlink("large", "/link")
    return made


def test_a_copy_that_is_interrupted_has_not_happened() -> None:
    upper = GatedFileSystem()
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        for method in ("create", "open", "write"):
            gate = upper.hold(method)
            number = system.post("open", "/large", a=os.O_WRONLY)
            gate.wait()
            system.interrupt(number)
            gate.open(system)
            assert system.answer(number) == -errno.EINTR, method
            assert names(upper.inner) == [], method
        assert read(system, "/large") == LARGE
        write(system, "/large", b"new")
        assert read(system, "/large") == b"new"


def test_nobody_sees_half_a_copy() -> None:
    upper = GatedFileSystem()
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        before = system.stat("/large")
        gates = [upper.hold(method, after=True) for method in ("write", "rename")]
        opening = Calling(system.open, "/large", os.O_WRONLY)
        for gate in gates:
            gate.wait()
            now = system.stat("/large")
            assert (now.st_size, now.st_ino) == (before.st_size, before.st_ino)
            assert sorted(system.listdir("/")) == ["full", "large", "link", "other"]
            assert read(system, "/large") == LARGE
            gate.open(system)
        fd = opening.result()
        assert system.fstat(fd).st_ino == system.stat("/large").st_ino == before.st_ino


def test_what_is_removed_while_it_is_copied_stays_so() -> None:
    upper = GatedFileSystem()
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        gate = upper.hold("write")
        opening = Calling(system.open, "/large", os.O_WRONLY)
        gate.wait()
        removing = Calling(system.unlink, "/large")
        gate.open(system)
        assert removing.result() is None
        assert opening.result() > 0
        assert "large" not in system.listdir("/")
    assert names(upper.inner) == ["/.wh.large"]


def test_a_slow_copy_holds_up_no_other() -> None:
    upper = GatedFileSystem()
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        gate = upper.hold("write")
        opening = Calling(system.open, "/large", os.O_WRONLY)
        gate.wait()
        write(system, "/full/big", b"changed")
        system.rename("/other", "/moved")
        gate.open(system)
        assert opening.result() > 0
        assert read(system, "/full/big") == b"changed"


def test_a_copy_lets_others_run() -> None:
    async def main() -> None:
        root = await OverlayFileSystem(lower()).root()
        file = await root.lookup("large")
        turns = 0
        async with Group() as group:
            copying = group.start(file.open, os.O_WRONLY)
            while not copying.done:
                await checkpoint()
                turns += 1
        assert turns >= len(LARGE) // 65536

    run(main)


def test_what_an_earlier_machine_left_half_copied_is_replaced() -> None:
    upper = MemoryFileSystem()
    with HostedSystem(upper) as system:
        for number in range(10):
            write(system, f"/.wh..wh.copy.{number}", b"half")
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        assert sorted(system.listdir("/")) == ["full", "large", "link", "other"]
        system.close(system.open("/large", os.O_WRONLY))
        assert read(system, "/large") == LARGE


def test_readers_that_go_over_to_a_copy_at_once() -> None:
    below, upper = GatedFileSystem(), GatedFileSystem()
    with HostedSystem(below.inner) as system:
        write(system, "/file", b"content")
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        fd = system.open("/file", os.O_RDONLY)
        reading = below.hold("read_into")
        slow = Calling(system.pread, fd, 7, 0)
        reading.wait()
        system.close(system.open("/file", os.O_RDWR))
        below.told.clear()
        upper.told.clear()
        opening = upper.hold("open")
        calls = [Calling(system.pread, fd, 7, 0)]
        opening.wait()
        calls += [Calling(system.pread, fd, 7, 0) for _ in range(2)]
        opening.open(system)
        assert [call.result() for call in calls] == [b"content"] * 3
        assert "close" not in below.told  # somebody reads in it
        reading.open(system)
        assert slow.result() == b"content"
        system.close(fd)
        assert (below.told.count("close"), upper.told.count("close")) == (1, 1)


def test_a_move_that_fails_brings_nothing_back() -> None:
    upper = MemoryFileSystem(limit=100_000)
    below = lower()
    for _ in range(2):  # in the same machine, and in the next one
        with HostedSystem(OverlayFileSystem(below, upper)) as system:
            if system.listdir("/other"):
                system.unlink("/other/secret")
            with pytest.raises(OSError) as caught:
                system.rename("/full", "/other")
            assert caught.value.errno == errno.ENOSPC
            assert system.listdir("/other") == []
            assert system.listdir("/full") == ["big"]
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        assert system.listdir("/other") == []


def test_an_upper_layer_can_be_a_lower_one() -> None:
    below, upper = lower(), MemoryFileSystem()
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        system.unlink("/large")
        write(system, "/new", b"new")
    with HostedSystem(OverlayFileSystem(OverlayFileSystem(below, upper))) as system:
        assert sorted(system.listdir("/")) == ["full", "link", "new", "other"]
    with HostedSystem(OverlayFileSystem(upper)) as system:
        assert system.listdir("/") == ["new"]


class Forgetful(GatedFileSystem):
    """Lists a name that is gone when it is looked up."""

    def __init__(self) -> None:
        super().__init__(stable=False)
        top, entries = self.inner.top, self.inner.top.entries

        async def more() -> Iterable[tuple[str, int, int]]:
            return [*await entries(), ("gone", 0o100000, 99)]

        setattr(top, "entries", more)  # noqa: B010  # a method


@pytest.mark.parametrize("layers", [Forgetful, lambda: OverlayFileSystem(Forgetful())])
def test_a_name_that_vanishes_while_it_is_listed_is_left_out(layers: type[FileSystem]) -> None:
    with HostedSystem(OverlayFileSystem(layers())) as system:
        write(system, "/there", b"")
        assert system.listdir("/") == ["there"]


def test_a_lower_layer_with_new_nodes_each_time() -> None:
    below = GatedFileSystem(stable=False, fresh=True)
    with HostedSystem(below.inner) as system:
        system.mkdir("/dir")
        write(system, "/dir/file", b"below")
    with HostedSystem(OverlayFileSystem(below)) as system:
        numbers = {system.stat("/dir/file").st_ino for _ in range(3)}
        assert len(numbers) == 1
        write(system, "/dir/file", b"above")
        assert numbers == {system.stat("/dir/file").st_ino}
        assert read(system, "/dir/file") == b"above"
