"""Runs WASI commands."""

import os

from ovum.wasm.errors import Exit
from ovum.wasm.limits import DEFAULT, Limits
from ovum.wasm.wasi import Dir as Dir
from ovum.wasm.wasi import Wasi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ovum.wasm.module import Source
    from ovum.wasm.wasi import Writable


def run(
    source: "Source",
    argv: "Sequence[str]" = (),
    env: "Mapping[str, str] | None" = None,
    dirs: "Mapping[str, str | os.PathLike[str] | Dir] | None" = None,
    *,
    name: str | None = None,
    stdin: "bytes | str | os.PathLike[str] | None" = None,
    stdout: "Writable | None" = None,
    stderr: "Writable | None" = None,
    limits: Limits = DEFAULT,
    cache: str | None = None,
) -> int:
    """Runs a WASI command to its end and gives its exit status.

    source: a path, bytes, or text, of a module (WASI preview 1) or a component (WASI 0.2).
    argv: its arguments.
    name: what it finds before them, as its own name; by default that of the file.
    env, dirs, stdin, stdout, stderr: as for Wasi; by default it gets the process's own streams,
        and neither environment nor folders.
    limits, cache: as for Module; components are not kept in a cache.
    Raises Trap where the code traps, WasmError for what is no command, and OSError.
    """
    from ovum.wasm.binary import is_component
    from ovum.wasm.module import Module, read_source

    if name is None:
        is_path = isinstance(source, os.PathLike) or (isinstance(source, str) and "(" not in source)
        name = os.path.basename(os.fsdecode(source)) if is_path else "command"
    wasi = Wasi([name, *argv], env, dirs, stdin=stdin, stdout=stdout, stderr=stderr)
    binary = read_source(source)
    if is_component(binary):
        from ovum.wasm.component import run_command

        return run_command(binary, wasi, limits)
    instance = Module(binary, limits=limits, cache=cache).instantiate(wasi=wasi)
    try:
        instance["_start"]()
    except Exit as end:
        return end.status
    return 0
