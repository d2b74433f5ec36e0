"""What a WASI program finds: arguments, environment, standard streams, folders.

The calls themselves (WASI preview 1) are wasmtime's own, which make system calls of Linux.
"""

import ctypes
import itertools
import os
import sys
from ctypes import byref, c_char_p

from ovum.wasm import capi
from ovum.wasm.capi import Bytes, lib
from ovum.wasm.errors import WasmError, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    from ovum.wasm.store import Store

    class Writable(Protocol):
        """A binary file, as far as output needs one."""

        def write(self, data: bytes, /) -> object:
            """Takes all of it."""


MODULES = ("wasi_snapshot_preview1", "wasi_unstable")
"""What a module imports its calls from."""

_EIO = 5

_outputs: "dict[int, tuple[Store, Callable[[bytes], object]]]" = {}
_numbers = itertools.count(1)


class Dir:
    """A folder that a program gets, and whether it may change what is in it."""

    __slots__ = ("path", "writable")

    def __init__(self, path: "str | os.PathLike[str]", *, writable: bool = True) -> None:
        self.path = os.fspath(path)
        self.writable = writable


class Wasi:
    """The surroundings of one program.

    argv: all its arguments, its name first.
    env: its environment; nothing else is in it.
    dirs: folders by the names that it knows them by; a path, or a Dir.
    stdin: the process's own, or bytes, or a path.
    stdout, stderr: the process's own, or a binary file to write to.
    """

    __slots__ = ("argv", "dirs", "env", "stderr", "stdin", "stdout")

    def __init__(
        self,
        argv: "Sequence[str]" = ("",),
        env: "Mapping[str, str] | None" = None,
        dirs: "Mapping[str, str | os.PathLike[str] | Dir] | None" = None,
        *,
        stdin: "bytes | str | os.PathLike[str] | None" = None,
        stdout: "Writable | None" = None,
        stderr: "Writable | None" = None,
    ) -> None:
        self.argv = list(argv)
        self.env = dict(env or {})
        self.dirs = dict(dirs or {})
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr

    def enter(self, store: "Store") -> None:
        """Gives a store these surroundings. Raises WasmError and OSError for what is not there."""
        config = lib.wasi_config_new()
        try:
            self._fill(config, store)
        except BaseException:
            lib.wasi_config_delete(config)
            raise
        check(lib.wasmtime_context_set_wasi(store.context, config))

    def _fill(self, config: int, store: "Store") -> None:
        argv = _texts(self.argv)
        names, held = _texts(list(self.env)), _texts(list(self.env.values()))
        fine = lib.wasi_config_set_argv(config, len(argv), argv) and lib.wasi_config_set_env(
            config, len(names), names, held
        )
        if not fine:
            raise WasmError("arguments and environment must be UTF-8")
        for name, folder in self.dirs.items():
            given = folder if isinstance(folder, Dir) else Dir(folder)
            path = os.fsencode(given.path)
            if not lib.wasi_config_preopen_dir(config, path, name.encode(), given.writable):
                # It says no more than that; this says why.
                os.listdir(path)
                raise WasmError(f"{given.path} cannot be opened for the program")
        if self.stdin is None:
            lib.wasi_config_inherit_stdin(config)
        elif isinstance(self.stdin, bytes):
            data = Bytes()
            lib.wasm_byte_vec_new(byref(data), len(self.stdin), self.stdin)
            lib.wasi_config_set_stdin_bytes(config, byref(data))
        elif not lib.wasi_config_set_stdin_file(config, os.fsencode(self.stdin)):
            with open(self.stdin, "rb"):
                raise WasmError(f"{self.stdin} cannot be standard input")
        for name, output, own in (
            ("stdout", self.stdout, sys.stdout),
            ("stderr", self.stderr, sys.stderr),
        ):
            if output is None:
                if own is not None:
                    own.flush()
                getattr(lib, f"wasi_config_inherit_{name}")(config)
            else:
                number = next(_numbers)
                _outputs[number] = store, output.write
                store.calls_python = True
                getattr(lib, f"wasi_config_set_{name}_custom")(config, _write, number, _closed)


def _texts(texts: "Sequence[str]") -> "ctypes.Array[c_char_p]":
    for text in texts:
        if "\0" in text:
            raise ValueError(f"a zero byte in {text!r}")
    return (c_char_p * len(texts))(*(text.encode() for text in texts))


def _output(number: int, data: int, count: int) -> int:
    store, write = _outputs[number]
    try:
        write(ctypes.string_at(data, count))
    except BaseException as error:
        store.raised = error
        return -_EIO
    return count


def _close(number: int) -> None:
    _outputs.pop(number, None)


_write = capi.Output(_output)
_closed = capi.Finalizer(_close)
