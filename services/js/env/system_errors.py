"""Errors of the system as node reports them: `ENOENT: no such file or directory, open '/x'`."""

from __future__ import annotations

import errno
import os

from ovum.services.js.errors import JSThrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovum.services.js.context import Context

_TEXTS = {
    errno.EACCES: "permission denied",
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "address not available",
    errno.EBADF: "bad file descriptor",
    errno.EBUSY: "resource busy or locked",
    errno.ECONNABORTED: "software caused connection abort",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EEXIST: "file already exists",
    errno.EHOSTUNREACH: "host is unreachable",
    errno.EINVAL: "invalid argument",
    errno.EISDIR: "illegal operation on a directory",
    errno.ELOOP: "too many symbolic links encountered",
    errno.EMFILE: "too many open files",
    errno.ENAMETOOLONG: "name too long",
    errno.ENETUNREACH: "network is unreachable",
    errno.ENOENT: "no such file or directory",
    errno.ENOSPC: "no space left on device",
    errno.ENOSYS: "function not implemented",
    errno.ENOTDIR: "not a directory",
    errno.ENOTEMPTY: "directory not empty",
    errno.ENOTSUP: "operation not supported on socket",
    errno.EPERM: "operation not permitted",
    errno.EPIPE: "broken pipe",
    errno.EROFS: "read-only file system",
    errno.ETIMEDOUT: "connection timed out",
    errno.EXDEV: "cross-device link not permitted",
}
"""libuv's words."""


def code_of(number: int) -> str:
    """The name of an error's number."""
    return errno.errorcode.get(number, f"E{number}")


def system_error(
    error: OSError, syscall: str, path: str | None = None, dest: str | None = None, **more: Any
) -> JSThrow:
    """What to throw in JavaScript for an OSError; `more` are further properties."""
    number = error.errno if error.errno is not None else errno.EIO
    code = code_of(number)
    text = f"{code}: {_TEXTS.get(number) or os.strerror(number).lower()}, {syscall}"
    properties: dict[str, Any] = {"errno": -number, "code": code, "syscall": syscall}
    if path is not None:
        text += f" '{path}'"
        properties["path"] = path
    if dest is not None:
        text += f" -> '{dest}'"
        properties["dest"] = dest
    return JSThrow("Error", text, **properties, **more)


def network_error(error: OSError, syscall: str, address: str, port: int) -> JSThrow:
    """The same where an address is what it is about: `connect ECONNREFUSED 127.0.0.1:80`."""
    number = error.errno if error.errno is not None else errno.EIO
    code = code_of(number)
    text = "" if syscall == "connect" else f": {_TEXTS.get(number) or os.strerror(number).lower()}"
    properties: dict[str, Any] = {"errno": -number, "code": code, "syscall": syscall}
    text = f"{syscall} {code}{text} {address}:{port}"
    return JSThrow("Error", text, **properties, address=address, port=port)


def checked(syscall: str, function: Callable[..., Any], *, paths: int = 1) -> Callable[..., Any]:
    """The function with its OSErrors as node's; its first arguments are `paths` paths."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OSError as error:
            raise system_error(error, syscall, *arguments[:paths]) from error

    call.__name__ = function.__name__
    return call


def bind(context: Context) -> dict[str, Any]:
    """The functions for JavaScript."""
    return {"nameOf": lambda number: code_of(-number)}
