"""fsspec file systems, mounted: memory, zip, and a web server on this machine."""

import errno
import functools
import http.server
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from ovum.services.vfs.fsspec import FsspecFileSystem
from ovum.services.vfs.testing import HostedSystem

CONTENT = bytes(range(256)) * 4000


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and parts of them (RFC 9110, section 14)."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        wanted = self.headers.get("Range")
        if not wanted or not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        self.wfile.write(data[start : end + 1])

    def end_headers(self) -> None:
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Nothing is printed."""


@pytest.fixture
def web_server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of a folder."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "data.bin").write_bytes(CONTENT)
    (tmp_path / "sub" / "note.txt").write_text("inside")
    handler = functools.partial(_Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def read(system: HostedSystem, path: str) -> bytes:
    fd = system.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: system.read(fd, 50_000), b""))
    finally:
        system.close(fd)


def test_a_web_server(web_server: str) -> None:
    made = FsspecFileSystem(fsspec.filesystem("http"), web_server)
    with HostedSystem(made, readonly=True) as system:
        assert sorted(system.listdir("/")) == ["data.bin", "sub"]
        assert system.stat("/data.bin").st_size == len(CONTENT)
        assert read(system, "/data.bin") == CONTENT
        assert read(system, "/sub/note.txt") == b"inside"
        fd = system.open("/data.bin", os.O_RDONLY)
        assert system.pread(fd, 300, 900_000) == CONTENT[900_000:900_300]
        system.close(fd)
        with pytest.raises(FileNotFoundError):
            system.stat("/missing")
        with pytest.raises(OSError) as caught:
            system.mkdir("/new")
        assert caught.value.errno == errno.EROFS


def test_a_server_that_is_gone(web_server: str) -> None:
    made = FsspecFileSystem(fsspec.filesystem("http"), "http://127.0.0.1:1")
    with HostedSystem(made) as system:
        with pytest.raises(OSError) as caught:
            system.stat("/data.bin")
        assert caught.value.errno in (errno.ECONNREFUSED, errno.EIO, errno.ENOENT)


def test_an_archive_through_fsspec(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/file", CONTENT)
    made = FsspecFileSystem(fsspec.filesystem("zip", fo=str(tmp_path / "a.zip")))
    with HostedSystem(made) as system:
        assert system.listdir("/folder") == ["file"]
        assert read(system, "/folder/file") == CONTENT


def test_what_is_written_is_stored_when_the_file_is_closed() -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file("/store/old", b"old")
    with HostedSystem(FsspecFileSystem(store, "/store")) as system:
        fd = system.open("/new", os.O_WRONLY | os.O_CREAT)
        system.write(fd, b"first")
        assert store.cat_file("/store/new") == b""
        system.fsync(fd)
        assert store.cat_file("/store/new") == b"first"
        system.write(fd, b", second")
        system.close(fd)
        assert store.cat_file("/store/new") == b"first, second"
        fd = system.open("/old", os.O_WRONLY | os.O_APPEND)
        system.write(fd, b"er")
        system.close(fd)
        assert store.cat_file("/store/old") == b"older"
    store.rm("/store", recursive=True)


def test_a_store_that_refuses_is_told_at_close() -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file("/refusing/file", b"old")

    class Refusing:
        """A store that has become read-only."""

        protocol = "refusing"

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def pipe_file(self, path: str, data: bytes) -> None:
            raise PermissionError(errno.EACCES, "the key has expired")

    with HostedSystem(FsspecFileSystem(Refusing(), "/refusing")) as system:
        fd = system.open("/file", os.O_WRONLY)
        system.write(fd, b"new")
        with pytest.raises(PermissionError):
            system.fsync(fd)
        with pytest.raises(PermissionError):
            system.request(2, fd)  # the flush of close()
    assert store.cat_file("/refusing/file") == b"old"
    store.rm("/refusing", recursive=True)


def test_names_that_are_patterns_are_names_only() -> None:
    store = fsspec.filesystem("memory")
    for name in ("a", "b", "x[1].txt", "what?"):
        store.pipe_file(f"/patterns/{name}", name.encode())
    store.pipe_file("/patterns/dir[x]/*/deep", b"deep")
    with HostedSystem(FsspecFileSystem(store, "/patterns")) as system:
        system.close(system.open("/*", os.O_CREAT | os.O_WRONLY))
        for old, new in (("/*", "/star"), ("/x[1].txt", "/y"), ("/what?", "/*"), ("/dir[x]", "/d")):
            system.rename(old, new)
        assert sorted(system.listdir("/")) == ["*", "a", "b", "d", "star", "y"]
        assert read(system, "/*") == b"what?"
        assert read(system, "/d/*/deep") == b"deep"
    store.rm("/patterns", recursive=True)


def test_what_could_not_be_stored_is_not_stored_later() -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file("/failing/file", b"old")
    refuses = True

    class Failing:
        protocol = "failing"

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def pipe_file(self, path: str, data: bytes) -> None:
            if refuses:
                raise PermissionError(errno.EACCES, "no")
            store.pipe_file(path, data)

    with HostedSystem(FsspecFileSystem(Failing(), "/failing")) as system:
        fd = system.open("/file", os.O_WRONLY)
        system.write(fd, b"new")
        with pytest.raises(PermissionError):
            system.close(fd)
        with pytest.raises(PermissionError):
            system.request(1, fd)  # the release of close()
        refuses = False
        system.rename("/file", "/moved")
        assert read(system, "/moved") == b"old"
    store.rm("/failing", recursive=True)


def test_files_that_memory_cannot_hold() -> None:
    store = fsspec.filesystem("memory")
    store.pipe_file("/vast/file", b"content")
    with HostedSystem(FsspecFileSystem(store, "/vast")) as system:
        fd = system.open("/file", os.O_RDWR)
        for size in (1 << 45, (1 << 63) - 10):
            calls: list[Callable[[], object]] = [
                functools.partial(system.pwrite, fd, b"x", size),
                functools.partial(system.ftruncate, fd, size),
            ]
            for call in calls:
                with pytest.raises(OSError) as caught:
                    call()
                assert caught.value.errno == errno.ENOSPC
        assert system.pread(fd, 100, 0) == b"content"
        system.close(fd)
    store.rm("/vast", recursive=True)
