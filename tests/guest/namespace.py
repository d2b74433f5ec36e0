"""A network of this host's own, apart from all others, with a TAP interface in it."""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of unshare(2)."""

LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def made(*commands: str) -> Iterator[None]:
    """This thread, and what it starts, is in a new network for the block, after these commands.
    Raises OSError where that is not allowed."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _check(LIBC.unshare(NEW_NETWORK))
        try:
            for command in commands:
                done = subprocess.run(command.split(), capture_output=True, text=True)
                if done.returncode:
                    raise PermissionError(f"{command}: {done.stderr}")
            yield
        finally:
            _check(LIBC.setns(before, NEW_NETWORK))
    finally:
        os.close(before)
