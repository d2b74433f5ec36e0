"""Makes Linux refuse what a guest has not, by the audit events of Python: processes and sockets.

A test that then fails on Linux says nothing about the guest, and the report can tell why.
"""

import _posixsubprocess
import errno
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

PROCESSES = (
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"),
    "subprocess.Popen",
)


def refuse(tell: Callable[[str], None]) -> None:
    """Refuses from now on; `tell` hears what was asked for."""

    def refuse_process(*_: object) -> NoReturn:
        tell("process")
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def hook(event: str, _: tuple[Any, ...]) -> None:
        if event in PROCESSES:
            refuse_process()
        # A pair of sockets, which a guest has, comes about with descriptors.
        if event == "socket.__new__" and sys._getframe(1).f_locals.get("fileno") is None:
            tell("socket")
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    # What multiprocessing calls; it has no event.
    _posixsubprocess.fork_exec = refuse_process
    sys.addaudithook(hook)
