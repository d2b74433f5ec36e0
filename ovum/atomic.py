"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replaced(out: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A new file that takes the place of `out` when all is written, and never partly.

    mode is what the umask leaves of. Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-")
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            umask = os.umask(0)
            os.umask(umask)
            os.fchmod(file.fileno(), mode & ~umask)
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink()
        raise
