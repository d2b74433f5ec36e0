"""ovum.layers: files are made once, put in place complete, and go when there are too many."""

import os
from pathlib import Path

import pytest

from ovum.layers import Store, digest, signature


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("OVUM_CACHE", str(tmp_path))
    return Store("things", ".bin", keep=2)


def writing(text: str) -> "Maker":
    return Maker(text)


class Maker:
    """Makes a file, and counts how often."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.calls = 0

    def __call__(self, out: Path, work: Path) -> None:
        self.calls += 1
        (work / "scrap").write_text("scrap")
        out.write_text(self.text)


def test_a_file_is_made_once(store: Store) -> None:
    make = writing("content")
    assert store.find("key") is None
    path = store.ensure("key", make)
    assert store.ensure("key", make) == path
    assert path.read_text() == "content"
    assert make.calls == 1


def test_what_fails_halfway_is_not_there(store: Store, tmp_path: Path) -> None:
    def fail(out: Path, work: Path) -> None:
        out.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.ensure("key", fail)
    assert store.find("key") is None
    assert [path.name for path in (tmp_path / "things").iterdir()] == [".lock"]


def test_what_was_of_no_use_for_longest_goes(store: Store) -> None:
    paths = {}
    for second, key in enumerate(("one", "two")):
        paths[key] = store.ensure(key, writing(key))
        os.utime(paths[key], (second, second))
    assert store.find("one") is not None
    store.ensure("three", writing("three"))
    assert store.find("one") is not None
    assert store.find("two") is None


def test_a_killed_process_leaves_nothing_for_long(store: Store, tmp_path: Path) -> None:
    scraps = tmp_path / "things" / ".new-killed"
    scraps.mkdir(parents=True)
    (scraps / "result").write_text("half")
    store.ensure("key", writing("content"))
    assert not scraps.exists()


def test_a_key_names_its_parts() -> None:
    assert digest("a", 1) == digest("a", 1)
    assert digest("a", 1) != digest("a", "1")
    assert digest("ab", "c") != digest("a", "bc")


def test_a_signature_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    before = signature(path)
    assert signature(path) == before
    path.write_text("three")
    assert signature(path) != before
