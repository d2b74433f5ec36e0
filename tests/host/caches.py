"""A cache folder for one test."""

from pathlib import Path

import pytest

from ovum.paths import cache_dir


def use_fresh_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """An empty cache but for the bytecode of the tools themselves, which takes long to make."""
    real = cache_dir()
    folder.mkdir()
    for name in ("pip", "pycache"):
        (real / name).mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(real / name)
    monkeypatch.setenv("OVUM_CACHE", str(folder))
