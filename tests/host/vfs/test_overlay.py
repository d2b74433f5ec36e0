"""Overlays: what is hidden, what is copied, what remains in the upper layer."""

import errno
import os
from collections.abc import Callable

import pytest

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.node import FileSystem
from ovum.services.vfs.overlay import OverlayFileSystem
from ovum.services.vfs.testing import HostedSystem


def lower() -> MemoryFileSystem:
    """A file system with a few things in it."""
    made = MemoryFileSystem()
    with HostedSystem(made) as system:
        write(system, "/file", b"below")
        write(system, "/large", b"x" * 200_000)
        system.mkdir("/dir")
        write(system, "/dir/inner", b"inside")
        system.mkdir("/dir/sub")
        write(system, "/dir/sub/deep", b"deep")
        system.chmod("/file", 0o640)
        system.utime("/file", ns=(1_000_000_000, 2_000_000_000))
    return made


def write(system: HostedSystem, path: str, data: bytes) -> None:
    fd = system.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    system.write(fd, data)
    system.close(fd)


def read(system: HostedSystem, path: str) -> bytes:
    fd = system.open(path, os.O_RDONLY)
    data = system.read(fd, 1 << 20)
    system.close(fd)
    return data


def names(system: FileSystem) -> list[str]:
    """Everything in a file system."""
    with HostedSystem(system) as calls:
        return sorted(_walk(calls, ""))


def _walk(calls: HostedSystem, path: str) -> list[str]:
    found = []
    for name in calls.listdir(path or "/"):
        found.append(f"{path}/{name}")
        if calls.lstat(f"{path}/{name}").st_mode & 0o170000 == 0o040000:
            found += _walk(calls, f"{path}/{name}")
    return found


def test_the_lower_layer_is_never_changed() -> None:
    below = lower()
    before = names(below)
    upper = MemoryFileSystem()
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        write(system, "/file", b"above")
        system.unlink("/large")
        system.rename("/dir", "/moved")
        system.mkdir("/dir")
        write(system, "/dir/new", b"new")
        assert read(system, "/moved/sub/deep") == b"deep"
        assert system.listdir("/dir") == ["new"]
    assert names(below) == before
    with HostedSystem(below) as system:
        assert read(system, "/file") == b"below"


def test_the_upper_layer_can_be_kept() -> None:
    below, upper = lower(), MemoryFileSystem()
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        system.unlink("/file")
        system.unlink("/dir/inner")
        system.rename("/dir/sub", "/sub")
        write(system, "/large", b"short")
    assert names(upper) == [
        *("/.wh.file", "/dir", "/dir/.wh.inner", "/dir/.wh.sub", "/large"),
        *("/sub", "/sub/deep"),
    ]
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        assert sorted(system.listdir("/")) == ["dir", "large", "sub"]
        assert system.listdir("/dir") == []
        assert read(system, "/sub/deep") == b"deep"
        assert read(system, "/large") == b"short"
        write(system, "/file", b"anew")
        system.rmdir("/dir")
        system.mkdir("/dir")
        assert system.listdir("/dir") == []
    assert "/.wh.file" not in names(upper)
    assert "/dir/.wh..wh..opq" in names(upper)
    with HostedSystem(OverlayFileSystem(below, upper)) as system:
        assert read(system, "/file") == b"anew"
        assert system.listdir("/dir") == []


def test_copying_up_keeps_what_stat_tells() -> None:
    with HostedSystem(OverlayFileSystem(lower())) as system:
        before = system.stat("/file")
        fd = system.open("/file", os.O_RDWR)
        after = system.stat("/file")
        for name in ("st_ino", "st_mode", "st_size", "st_mtime_ns", "st_atime_ns", "st_uid"):
            assert getattr(before, name) == getattr(after, name), name
        system.close(fd)


def test_who_reads_sees_what_others_write() -> None:
    with HostedSystem(OverlayFileSystem(lower())) as system:
        reader = system.open("/file", os.O_RDONLY)
        assert system.read(reader, 2) == b"be"
        writer = system.open("/file", os.O_WRONLY)
        system.pwrite(writer, b"LOW", 2)
        assert system.read(reader, 10) == b"LOW"
        system.close(reader)
        system.close(writer)


def test_a_full_upper_layer_leaves_no_half_copy() -> None:
    upper = MemoryFileSystem(limit=100_000)
    with HostedSystem(OverlayFileSystem(lower(), upper)) as system:
        with pytest.raises(OSError) as caught:
            system.open("/large", os.O_WRONLY)
        assert caught.value.errno == errno.ENOSPC
        assert read(system, "/large") == b"x" * 200_000
        write(system, "/small", b"fits")
    assert names(upper) == ["/small"]


def test_names_of_its_own_are_refused() -> None:
    with HostedSystem(OverlayFileSystem(lower())) as system:
        calls: list[Callable[[], object]] = [
            lambda: system.mkdir("/.wh.x"),
            lambda: system.rename("/file", "/.wh.x"),
            lambda: write(system, "/.wh..wh..opq", b""),
        ]
        for call in calls:
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == errno.EINVAL
