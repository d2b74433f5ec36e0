"""ovum.cpio: the bytes of an archive, as docs/boot-protocol.md and cpio(5) want them."""

import io
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from ovum.cpio import (
    ALIGN_FROM,
    PAGE,
    CpioError,
    Entry,
    directory,
    find_last,
    read_archive,
    regular,
    symlink,
    write_archive,
)


def written(*entries: Entry) -> bytes:
    out = io.BytesIO()
    assert write_archive(out, entries) == len(out.getvalue())
    return out.getvalue()


def read(data: bytes) -> dict[str, tuple[Entry, int]]:
    return {entry.name: (entry, offset) for entry, offset in read_archive(data)}


def test_what_is_written_can_be_read() -> None:
    data = written(
        regular("etc/motd", b"hello\n", 0o600, mtime=7), symlink("lib", "usr/lib"), directory("tmp")
    )
    found = {name: entry for name, (entry, _) in read(data).items()}
    assert found["etc/motd"] == Entry("etc/motd", stat.S_IFREG | 0o600, b"hello\n", 7)
    assert found["lib"].content == b"usr/lib" and stat.S_ISLNK(found["lib"].mode)
    assert stat.S_ISDIR(found["tmp"].mode)


def test_parents_come_before_what_is_in_them() -> None:
    names = [
        entry.name for entry, _ in read_archive(written(regular("a/b/c", b""), regular("a-b", b"")))
    ]
    assert names == ["a", "a/b", "a/b/c", "a-b"]


def test_the_order_of_the_entries_does_not_matter() -> None:
    one, two = regular("one", b"1"), regular("two", b"2")
    assert written(one, two) == written(two, one)


def test_the_later_of_two_entries_of_one_name_counts() -> None:
    data = written(regular("name", b"old"), regular("name", b"new"))
    assert [entry.content for entry, _ in read_archive(data)] == [b"new"]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 30, 200])
def test_elf_files_begin_on_a_page_whatever_comes_before(length: int) -> None:
    data = written(regular("a" * length, b"x" * length), regular("b.so", b"\x7fELF" + b"y" * 50))
    _, offset = read(data)["b.so"]
    assert offset % PAGE == 0
    assert data[offset : offset + 4] == b"\x7fELF"


def test_large_files_begin_on_a_page_and_small_ones_do_not() -> None:
    found = read(written(regular("a", bytes(ALIGN_FROM)), regular("b", bytes(ALIGN_FROM - 1))))
    assert found["a"][1] % PAGE == 0
    assert found["b"][1] % PAGE != 0


def test_concatenated_archives_keep_their_alignment() -> None:
    first = written(regular("first", b"\x7fELF"))
    both = first + written(regular("second", b"\x7fELF"))
    assert len(first) % PAGE == 0
    found = read(both)
    assert set(found) == {"first", "second"}
    assert found["second"][1] % PAGE == 0


def test_of_a_file_in_two_archives_the_last_is_found() -> None:
    data = written(regular("a", b"old"), regular("b", b"b")) + written(regular("a", b"new"))
    assert find_last(data, {"a"}) == {"a": b"new"}


def test_content_is_taken_from_files_of_the_host(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"from the host")
    assert read(written(regular("x", file)))["x"][0].content == b"from the host"


@pytest.mark.parametrize("name", ["", "/etc", "a//b", "a/../b", "./a", "a\0b", "TRAILER!!!"])
def test_names_that_an_archive_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(CpioError):
        written(regular(name, b""))


def test_a_time_that_does_not_fit_is_refused() -> None:
    with pytest.raises(CpioError, match="too large"):
        written(regular("x", b"", mtime=1 << 32))


def test_malformed_archives_are_errors() -> None:
    data = written(regular("file", b"content"))
    with pytest.raises(CpioError, match="no archive header"):
        list(read_archive(b"something else entirely" * 10))
    with pytest.raises(CpioError, match="malformed"):
        list(read_archive(data[:6] + b"zz" + data[8:]))
    with pytest.raises(CpioError, match="ends inside"):
        list(read_archive(data[:112]))


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_cpio_itself_unpacks_it(tmp_path: Path) -> None:
    data = written(regular("d/file", b"\x7fELF..."), symlink("d/link", "file"))
    subprocess.run(["cpio", "-i", "--quiet"], input=data, cwd=tmp_path, check=True)
    assert (tmp_path / "d/link").read_bytes() == b"\x7fELF..."
