"""Reading ahead: how often, and for what, a store is asked."""

import os
import random
import threading
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest

from ovum.services.vfs.fsspec import FsspecFileSystem
from ovum.services.vfs.readahead import LARGEST, SMALLEST
from ovum.services.vfs.testing import HostedSystem

from .gated import LIMIT_S, Calling, wait_for

CONTENT = random.Random(1).randbytes(3 << 20)
PIECE = 8192


class Store:
    """An fsspec file system that counts what its files are asked for."""

    protocol = "counting"

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.asked: list[tuple[int, int]] = []
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def open(self, path: str, mode: str) -> Any:
        store = self

        class File:
            def __init__(self) -> None:
                self.position = 0

            def seek(self, position: int) -> None:
                self.position = position

            def read(self, size: int) -> bytes:
                store.asked.append((self.position, size))
                assert store.gate.wait(LIMIT_S)
                if store.fails:
                    raise PermissionError(13, "no")
                data = CONTENT[self.position : self.position + size]
                self.position += len(data)
                return data

            def close(self) -> None:
                store.asked.append((-1, 0))

        return File()


@pytest.fixture
def store() -> Iterator[Store]:
    """A store with a file."""
    inner = fsspec.filesystem("memory")
    inner.pipe_file("/ahead/file", CONTENT)
    yield Store(inner)
    inner.rm("/ahead", recursive=True)


def test_a_file_that_is_read_in_order_is_fetched_in_growing_pieces(store: Store) -> None:
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)
        assert b"".join(iter(lambda: system.read(fd, PIECE), b"")) == CONTENT
        system.close(fd)
    asked = store.asked[:-1]
    assert len(asked) < 12, asked  # of 384 reads
    sizes = [size for _, size in asked]
    assert sizes[1] == SMALLEST and max(sizes) == LARGEST
    reached = 0
    for start, size in asked:
        assert start == min(reached, len(CONTENT))  # nothing twice, but the end
        reached += size


def test_the_next_piece_is_on_its_way_before_it_is_asked_for(store: Store) -> None:
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)
        system.read(fd, PIECE)
        wait_for(lambda: len(store.asked) == 2)
        store.gate.clear()
        for _ in range(store.asked[0][1] // PIECE - 1):
            system.read(fd, PIECE)
        store.gate.set()
        system.close(fd)


def test_who_reads_here_and_there_gets_what_he_asks_for(store: Store) -> None:
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)
        dice = random.Random(2)
        wanted = [dice.randrange(1, len(CONTENT) - 5000) for _ in range(30)]
        for start in wanted:
            assert system.pread(fd, 5000, start) == CONTENT[start : start + 5000]
        assert store.asked == [(start, 5000) for start in wanted]
        system.close(fd)


def test_threads_that_read_one_open_file_in_any_order(store: Store) -> None:
    wrong: list[int] = []
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)

        def read(seed: int) -> None:
            dice = random.Random(seed)
            for _ in range(20):
                start = dice.randrange(len(CONTENT))
                for at in range(start, start + 300_000, 70_000):
                    if system.pread(fd, 70_000, at) != CONTENT[at : at + 70_000]:
                        wrong.append(at)

        calls = [Calling(read, seed) for seed in range(4)]
        for call in calls:
            call.result()
        system.close(fd)
    assert wrong == []


def test_a_failure_is_told_to_who_comes_for_the_piece(store: Store) -> None:
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)
        assert system.read(fd, PIECE) == CONTENT[:PIECE]
        wait_for(lambda: len(store.asked) == 2)
        store.fails = True
        with pytest.raises(PermissionError):
            while system.read(fd, PIECE):
                pass
        store.fails = False
        position = system.lseek(fd, 0, os.SEEK_CUR)
        assert 0 < position < len(CONTENT)
        assert b"".join(iter(lambda: system.read(fd, PIECE), b"")) == CONTENT[position:]
        system.close(fd)


def test_a_file_is_closed_after_what_is_on_its_way(store: Store) -> None:
    with HostedSystem(FsspecFileSystem(store, "/ahead")) as system:
        fd = system.open("/file", os.O_RDONLY)
        store.gate.clear()
        reading = Calling(system.read, fd, PIECE)
        wait_for(lambda: len(store.asked) == 1)
        store.gate.set()
        reading.result()
        wait_for(lambda: len(store.asked) == 2)
        system.close(fd)
        assert store.asked[-1] == (-1, 0)
