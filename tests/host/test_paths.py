"""ovum.paths: which of the user's settings decides where the cache is."""

from pathlib import Path

import pytest

from ovum.paths import REPO, build_dir, cache_dir


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OVUM_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")


def test_the_cache_is_in_the_home_folder() -> None:
    assert cache_dir() == Path("/home/somebody/.cache/ovum")


def test_xdg_cache_home_moves_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp/caches")
    assert cache_dir() == Path("/var/tmp/caches/ovum")


def test_a_relative_xdg_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_dir() == Path("/home/somebody/.cache/ovum")


def test_ovum_cache_wins_and_is_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp/caches")
    monkeypatch.setenv("OVUM_CACHE", "here")
    assert cache_dir() == Path.cwd() / "here"


def test_the_build_folder_is_in_the_checkout() -> None:
    assert build_dir().parent == REPO
    assert (REPO / "pyproject.toml").is_file()
