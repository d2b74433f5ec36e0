"""Makes Linux refuse what a guest has not, by the audit events of Python: processes, and sockets
of other families.

A test that then fails on Linux says nothing about the guest, and the report can tell why.
"""

import _posixsubprocess
import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

PROCESSES = (
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"),
    "subprocess.Popen",
)
FAMILIES = frozenset(
    (
        *(socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET),
        -1,  # the default
    )
)


def refuse(tell: Callable[[str], None]) -> None:
    """Refuses from now on; `tell` hears what was asked for."""

    def refuse_process(*_: object) -> NoReturn:
        tell("process")
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in PROCESSES:
            refuse_process()
        # A descriptor that is there already is of a family that is.
        if (
            event == "socket.__new__"
            and arguments[1] not in FAMILIES
            and sys._getframe(1).f_locals.get("fileno") is None
        ):
            tell("family")
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    # What multiprocessing calls; it has no event.
    _posixsubprocess.fork_exec = refuse_process
    sys.addaudithook(hook)
