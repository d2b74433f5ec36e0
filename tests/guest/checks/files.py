"""The file system in memory."""

import contextlib
import errno
import fcntl
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .registry import check, no_memory_lost, refused


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@check
def a_link_to_a_folder_is_no_folder_to_be_removed() -> None:
    with _folder() as folder:
        (folder / "folder").mkdir()
        (folder / "link").symlink_to("folder")
        with refused(errno.ENOTDIR):
            os.rmdir(f"{folder}/link/")  # noqa: PTH106 - pathlib would drop the slash
        with refused(errno.ENOTDIR):
            os.rename(f"{folder}/link/", f"{folder}/other")  # noqa: PTH104
        assert (folder / "folder").is_dir()


@check
def the_number_of_descriptors_has_a_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with _folder() as folder, contextlib.ExitStack() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
        try:
            with refused(errno.EMFILE):
                for number in range(40):
                    opened.enter_context((folder / str(number)).open("w"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@check
def files_hold_what_is_written() -> None:
    with _folder() as folder:
        path = folder / "file"
        content = bytes(range(256)) * 40_000
        path.write_bytes(content)
        assert path.stat().st_size == len(content)
        assert path.read_bytes() == content
        with path.open("r+b") as file:
            file.seek(5_000_000)
            file.write(b"changed")
            file.truncate(5_000_100)
        expected = content[:5_000_000] + b"changed" + content[5_000_007:5_000_100]
        assert path.read_bytes() == expected


@check
def a_hole_reads_as_zeros() -> None:
    with _folder() as folder:
        path = folder / "file"
        with path.open("wb") as file:
            file.write(b"a")
            file.seek(1 << 20)
            file.write(b"z")
        assert path.read_bytes() == b"a" + bytes((1 << 20) - 1) + b"z"
        os.truncate(path, 0)
        os.truncate(path, 100)
        assert path.read_bytes() == bytes(100)


@check
def appending_writes_at_the_end() -> None:
    with _folder() as folder:
        path = folder / "file"
        first = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        second = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(first, b"one ")
        os.write(second, b"two ")
        os.write(first, b"three")
        os.close(first)
        os.close(second)
        assert path.read_bytes() == b"one two three"


@check
def reading_and_writing_at_positions() -> None:
    with _folder() as folder:
        fd = os.open(folder / "file", os.O_RDWR | os.O_CREAT)
        assert os.pwrite(fd, b"world", 6) == 5
        assert os.pwritev(fd, [b"hel", b"lo "], 0) == 6
        assert os.pread(fd, 100, 0) == b"hello world"
        assert os.lseek(fd, 0, os.SEEK_CUR) == 0
        buffers = [bytearray(5), bytearray(1), bytearray(9)]
        assert os.preadv(fd, buffers, 0) == 11
        assert bytes(buffers[2][:5]) == b"world"
        assert os.lseek(fd, -5, os.SEEK_END) == 6
        assert os.read(fd, 100) == b"world"
        with refused(errno.EINVAL):
            os.lseek(fd, -1, os.SEEK_SET)
        os.close(fd)


@check
def folders_can_be_made_listed_and_removed() -> None:
    with _folder() as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "file").touch()
        assert sorted(os.listdir(folder / "a")) == ["b", "file"]
        kinds = {entry.name: entry.is_dir() for entry in os.scandir(folder / "a")}
        assert kinds == {"b": True, "file": False}
        with refused(errno.ENOTEMPTY):
            (folder / "a").rmdir()
        with refused(errno.EEXIST):
            (folder / "a").mkdir()
        with refused(errno.ENOTDIR):
            (folder / "a" / "file" / "c").mkdir()
        with refused(errno.EISDIR):
            (folder / "a").open("w")
        with refused(errno.ENOENT):
            os.listdir(folder / "nothing")
        (folder / "a" / "b").rmdir()
        shutil.rmtree(folder / "a")
        assert os.listdir(folder) == []


@check
def a_thousand_files_in_a_folder() -> None:
    with _folder() as folder:
        names = [f"file {number}" for number in range(1000)]
        for name in names:
            (folder / name).write_text(name)
        assert sorted(os.listdir(folder)) == sorted(names)
        assert all((folder / name).read_text() == name for name in names)
        for name in names[::2]:
            (folder / name).unlink()
        assert sorted(os.listdir(folder)) == sorted(names[1::2])


@check
def renaming_replaces() -> None:
    with _folder() as folder:
        (folder / "old").write_text("old")
        (folder / "new").write_text("new")
        (folder / "old").rename(folder / "new")
        assert (folder / "new").read_text() == "old"
        assert os.listdir(folder) == ["new"]
        (folder / "dir").mkdir()
        (folder / "dir" / "inside").touch()
        (folder / "dir").rename(folder / "moved")
        assert os.listdir(folder / "moved") == ["inside"]
        with refused(errno.EINVAL):
            (folder / "moved").rename(folder / "moved" / "deeper")
        with refused(errno.ENOENT):
            (folder / "nothing").rename(folder / "something")


@check
def links_share_and_symbolic_links_point() -> None:
    with _folder() as folder:
        target = folder / "target"
        target.write_text("content")
        os.link(target, folder / "hard")
        (folder / "soft").symlink_to("target")
        assert (folder / "hard").stat().st_ino == target.stat().st_ino
        assert target.stat().st_nlink == 2
        assert str((folder / "soft").readlink()) == "target"
        assert (folder / "soft").read_text() == "content"
        assert stat.S_ISLNK(os.lstat(folder / "soft").st_mode)
        target.unlink()
        assert (folder / "hard").read_text() == "content"
        assert not (folder / "soft").exists()
        (folder / "loop").symlink_to("loop")
        with refused(errno.ELOOP):
            (folder / "loop").open()
        with refused(errno.ENOENT):
            (folder / "soft").open()


@check
def a_removed_file_lives_while_it_is_open() -> None:
    with _folder() as folder:
        path = folder / "file"
        with path.open("w+") as file:
            file.write("content")
            file.flush()
            path.unlink()
            assert not path.exists()
            file.seek(0)
            assert file.read() == "content"
            assert os.fstat(file.fileno()).st_nlink == 0


@check
def removed_files_give_their_memory_back() -> None:
    def write_and_remove(folder: Path) -> None:
        (folder / "file").write_bytes(b"x" * (8 << 20))
        (folder / "file").unlink()

    with _folder() as folder:
        write_and_remove(folder)
        with no_memory_lost(256 * 1024):
            for _ in range(10):
                write_and_remove(folder)


@check
def opening_exclusively_refuses_what_exists() -> None:
    with _folder() as folder:
        (folder / "file").open("x").close()
        with refused(errno.EEXIST):
            (folder / "file").open("x")
        with refused(errno.ENOENT):
            (folder / "other").open()
        with refused(errno.ENOENT):
            (folder / "no" / "other").open("w")
        with refused(errno.ENOTDIR):
            (folder / "file" / "other").open("w")
        with refused(errno.ENAMETOOLONG):
            (folder / ("x" * 300)).open("w")


@check
def modes_and_times_are_kept() -> None:
    with _folder() as folder:
        path = folder / "file"
        path.touch()
        path.chmod(0o640)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        os.utime(path, ns=(1_000_000_001, 2_000_000_002))
        assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (1_000_000_001, 2_000_000_002)
        path.write_text("x")
        assert path.stat().st_mtime_ns > 1_500_000_000_000_000_000
        previous = os.umask(0o077)
        (folder / "private").touch()
        os.umask(previous)
        assert stat.S_IMODE((folder / "private").stat().st_mode) == 0o600


@check
def paths_relative_to_a_folder_and_to_a_descriptor() -> None:
    before = Path.cwd()
    with _folder() as folder:
        os.chdir(folder)
        try:
            assert Path.cwd() == folder
            Path("file").write_text("here")
            Path("sub").mkdir()
            assert Path("sub/../file").read_text() == "here"
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fd = os.open("file", os.O_RDONLY, dir_fd=handle)
            assert os.read(fd, 10) == b"here"
            os.close(fd)
            os.close(handle)
        finally:
            os.chdir(before)


@check
def trees_can_be_copied_and_removed() -> None:
    with _folder() as folder:
        (folder / "from" / "deep" / "deeper").mkdir(parents=True)
        (folder / "from" / "deep" / "file").write_bytes(b"x" * 100_000)
        (folder / "from" / "link").symlink_to("deep/file")
        shutil.copytree(folder / "from", folder / "to", symlinks=True)
        found = sorted(str(path.relative_to(folder / "to")) for path in (folder / "to").rglob("*"))
        assert found == ["deep", "deep/deeper", "deep/file", "link"], found
        assert (folder / "to" / "link").read_bytes() == b"x" * 100_000


@check
def copies_inside_the_kernel() -> None:
    with _folder() as folder:
        (folder / "from").write_bytes(b"content")
        source = os.open(folder / "from", os.O_RDONLY)
        target = os.open(folder / "to", os.O_RDWR | os.O_CREAT)
        assert os.sendfile(target, source, 0, 100) == 7
        assert os.copy_file_range(source, target, 100, 0) == 7
        os.close(source)
        os.close(target)
        assert (folder / "to").read_bytes() == b"contentcontent"


@check
def descriptors_are_numbered_and_duplicated_as_posix_says() -> None:
    first = os.open("/dev/null", os.O_RDWR)
    second = os.open("/dev/null", os.O_RDWR)
    os.close(first)
    again = os.open("/dev/null", os.O_RDWR)
    assert again == first
    os.dup2(second, 500)
    assert not os.get_inheritable(second)
    assert fcntl.fcntl(second, fcntl.F_DUPFD, 600) == 600
    for fd in (again, second, 500, 600):
        os.close(fd)
    with refused(errno.EBADF):
        os.read(500, 1)


@check
def a_duplicate_shares_the_position() -> None:
    with tempfile.TemporaryFile() as file:
        os.write(file.fileno(), b"abcdef")
        copy = os.dup(file.fileno())
        os.lseek(copy, 2, os.SEEK_SET)
        assert os.read(file.fileno(), 2) == b"cd"
        os.close(copy)


@check
def too_many_open_files_is_an_error() -> None:
    opened = []
    with refused(errno.EMFILE):
        for _ in range(1 << 20):
            opened.append(os.open("/dev/null", os.O_RDONLY))
    for fd in opened:
        os.close(fd)
    assert len(opened) > 500


@check
def devices_behave() -> None:
    null = os.open("/dev/null", os.O_RDWR)
    assert os.read(null, 10) == b""
    assert os.write(null, b"abc") == 3
    os.close(null)
    zero = os.open("/dev/zero", os.O_RDONLY)
    assert os.read(zero, 10) == bytes(10)
    os.close(zero)
    random = os.open("/dev/urandom", os.O_RDONLY)
    assert os.read(random, 32) != os.read(random, 32)
    os.close(random)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@check
def the_file_system_knows_its_size() -> None:
    usage = shutil.disk_usage("/tmp")
    assert 0 < usage.free <= usage.total


@check
def files_of_the_image_can_be_changed() -> None:
    path = Path("/etc/hostname")
    before = path.read_text()
    path.write_text("changed")
    assert path.read_text() == "changed"
    path.write_text(before)


@check
def sqlite_keeps_a_database() -> None:
    import sqlite3

    with _folder() as folder:
        for mode in ("delete", "wal"):
            path = folder / f"{mode}.db"
            connection = sqlite3.connect(path)
            assert connection.execute(f"pragma journal_mode={mode}").fetchone() == (mode,)
            connection.execute("create table numbers(a, b)")
            connection.executemany("insert into numbers values(?, ?)", ((n, n) for n in range(500)))
            connection.commit()
            connection.close()
            connection = sqlite3.connect(path)
            assert connection.execute("select sum(a) from numbers").fetchone() == (124_750,)
            connection.close()
