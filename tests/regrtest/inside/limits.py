"""Makes Linux refuse what a guest has not, by the audit events of Python: processes, the network.

A test that then fails on Linux says nothing about the guest, and the report can tell why.
"""

import _posixsubprocess
import errno
import os
import socket
import sys
from typing import Any, NoReturn

PROCESSES = (
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"),
    "subprocess.Popen",
)


def refuse(refused: set[str]) -> None:
    """Refuses from now on, and notes in this set what was asked for."""

    def refuse_process(*_: object) -> NoReturn:
        refused.add("process")
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in PROCESSES:
            refuse_process()
        if event == "socket.__new__" and args[1] not in (-1, socket.AF_UNIX):
            refused.add("network")
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    # What multiprocessing calls; it has no event.
    _posixsubprocess.fork_exec = refuse_process
    sys.addaudithook(hook)
