"""Standard input that is a file goes into the machine whole; anything else comes over the link."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovum.cpio import read_archive
from ovum.image import input_archive
from ovum.streams import input_file


@pytest.fixture
def stdin() -> Iterator[None]:
    """Puts this process's own standard input back."""
    saved = os.dup(0)
    yield
    os.dup2(saved, 0)
    os.close(saved)


def become_stdin(path: Path, at: int = 0) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.lseek(fd, at, os.SEEK_SET)
    os.dup2(fd, 0)
    os.close(fd)


@pytest.mark.usefixtures("stdin")
def test_a_file_is_read_from_its_position_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(bytes(range(256)))
    become_stdin(path, at=250)
    assert input_file(256) == bytes(range(250, 256))
    assert os.lseek(0, 0, os.SEEK_CUR) == 256


@pytest.mark.usefixtures("stdin")
def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.touch()
    become_stdin(path)
    assert input_file(256) == b""


@pytest.mark.usefixtures("stdin")
def test_a_file_that_would_fill_the_machine_comes_over_the_link(tmp_path: Path) -> None:
    path = tmp_path / "input"
    with path.open("wb") as file:
        file.truncate((64 << 20) // 4 + 1)
    become_stdin(path)
    assert input_file(64) is None
    assert os.lseek(0, 0, os.SEEK_CUR) == 0


@pytest.mark.usefixtures("stdin")
def test_a_pipe_comes_over_the_link() -> None:
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    assert input_file(256) is None
    os.close(reader)
    os.close(writer)


def test_the_archive_holds_the_input_under_the_name_that_the_kernel_looks_for() -> None:
    (entry,) = (
        entry for entry, _ in read_archive(input_archive(b"x\0y")) if entry.name == "ovum/stdin"
    )
    assert entry.content == b"x\0y"
