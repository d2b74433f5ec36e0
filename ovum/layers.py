"""Files in the cache that are made once and then used by their key: archives and whole images.

A file has its key for a name, and is only ever put in place complete, so that being there means
being right. The oldest ones go when there are too many.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ovum.paths import cache_dir


def digest(*parts: object) -> str:
    """A name for exactly these parts, by their `repr`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def signature(path: Path) -> tuple[str, int, int]:
    """Tells whether a file is still the same, without reading it."""
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns


class Store:
    """One folder of the cache, holding at most `keep` files of one kind."""

    def __init__(self, kind: str, suffix: str, keep: int) -> None:
        self._kind = kind
        self._suffix = suffix
        self._keep = keep

    @property
    def _folder(self) -> Path:
        return cache_dir() / self._kind

    def find(self, key: str) -> Path | None:
        """The file of this key, if it has been made; notes that it was of use."""
        path = self._path(key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def ensure(self, key: str, make: Callable[[Path, Path], None]) -> Path:
        """The file of this key. Without one, `make(out, work)` writes it; `work` is for scraps."""
        found = self.find(key)
        if found is not None:
            return found
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Another process may have made it while this one waited for the lock.
            found = self.find(key)
            if found is not None:
                return found
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as work:
                out = Path(work) / "result"
                make(out, Path(work))
                out.rename(self._path(key))
            self._prune()
        return self._path(key)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{self._suffix}"

    def _prune(self) -> None:
        """Removes what has not been of use for longest, and what a killed process left behind."""
        files = [path for path in self._folder.iterdir() if path.suffix == self._suffix]
        files.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in files[self._keep :]:
            path.unlink()
        for scraps in self._folder.glob(".new-*"):
            shutil.rmtree(scraps)
