"""Builds the programs of this folder anew: `python -m tests.wasm.build [NAME …]`.

It wants npm. The C compiler is `ziglang` from PyPI, AssemblyScript's is `assemblyscript` from npm,
and SQLite (which is in the public domain) is what the npm package `better-sqlite3` carries.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ZIG: Final = "ziglang==0.17.1"
ASSEMBLYSCRIPT: Final = "assemblyscript@0.28.20"
SQLITE: Final = "better-sqlite3@12.11.1"

C: Final = ("files", "kernel", "sql")
C_FLAGS: Final = ("--target=wasm32-wasi", "-s", "-Wall", "-Wextra", "-Werror")
OPTIMISE: Final = {"files": "-Os", "kernel": "-O2", "sql": "-Os"}
SQLITE_FLAGS: Final = (
    *("-w", "-DSQLITE_THREADSAFE=0", "-DSQLITE_OMIT_LOAD_EXTENSION", "-DSQLITE_OMIT_WAL"),
    *("-DSQLITE_DEFAULT_MEMSTATUS=0", "-DSQLITE_OMIT_DEPRECATED", "-DSQLITE_OMIT_SHARED_CACHE"),
    *("-DSQLITE_OMIT_TRACE", "-DSQLITE_DQS=0", '-DSQLITE_DEFAULT_UNIX_VFS="unix-none"'),
    *("-DSQLITE_OMIT_AUTHORIZATION", "-DSQLITE_OMIT_PROGRESS_CALLBACK"),
    *("-DSQLITE_OMIT_DESERIALIZE", "-DSQLITE_OMIT_EXPLAIN", "-DSQLITE_OMIT_UTF16"),
)


def main(names: Sequence[str]) -> None:
    """Builds the named programs, or all."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for program in names or (*C, "words"):
            if program == "words":
                _assemblyscript(program, work)
            else:
                _c(program, work)
    # Which sources the programs are of: a test sees when one has changed since.
    sources = [*sorted(HERE.glob("*.c")), *sorted(HERE.glob("*.ts"))]
    digests = (hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in sources)
    lines = (f"{path.name} {digest}\n" for path, digest in zip(sources, digests, strict=True))
    (HERE / "built.txt").write_text("".join(lines))


def _c(program: str, work: Path) -> None:
    python = work / "zig/bin/python"
    if not python.exists():
        venv.create(work / "zig", with_pip=True)
        _run(python, "-m", "pip", "install", "-q", ZIG)
    sources: list[str | Path] = [HERE / f"{program}.c"]
    if program == "sql":
        folder = _sqlite(work)
        sources += [folder / "sqlite3.c", f"-I{folder}", *SQLITE_FLAGS]
    output = HERE / f"{program}.wasm"
    _run(python, "-m", "ziglang", "cc", *C_FLAGS, OPTIMISE[program], "-o", output, *sources)


def _sqlite(work: Path) -> Path:
    _run("npm", "pack", SQLITE, cwd=work)
    with tarfile.open(next(work.glob("better-sqlite3-*.tgz"))) as archive:
        archive.extractall(work, filter="data")
    return work / "package/deps/sqlite3"


def _assemblyscript(program: str, work: Path) -> None:
    _run("npm", "install", "--prefix", work, ASSEMBLYSCRIPT)
    compiler = work / "node_modules/assemblyscript/bin/asc.js"
    # In its folder: the names of functions begin with the path as it is given.
    _run("node", compiler, f"{program}.ts", "-o", f"{program}.wasm", "-Oz", "--exportRuntime",
         "--debug", cwd=HERE)  # fmt: skip


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
