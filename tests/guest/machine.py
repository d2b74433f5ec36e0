"""Starts guests the way users do: with the command, or with plain QEMU."""

import contextlib
import dataclasses
import fcntl
import os
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ovum.paths import build_dir

OVUM: Final = (sys.executable, "-m", "ovum")
QEMU: Final = "qemu-system-x86_64"

LIMIT_S: Final = 120.0
"""After this a run is taken for hung. A boot takes about a second on an idle machine."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode()

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.stderr.decode(errors="replace")

    def expect(self, status: int = 0) -> "Result":
        """This result, if the status is the expected one."""
        assert self.status == status, (
            f"status {self.status}, not {status}\n--- standard output\n{self.out[-4000:]}\n"
            f"--- standard error\n{self.err[-8000:]}"
        )
        return self


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables with these changes, independent of the terminal pytest runs in."""
    return {**os.environ, "TERM": "xterm-256color", **(changes or {})}


def command(
    *words: str | Path,
    stdin: bytes = b"",
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> Result:
    """Runs a command of ovum to its end."""
    return _run([*OVUM, *map(str, words)], stdin, limit_s, cwd=cwd, environ=environ)


def run(
    *words: str | Path,
    stdin: bytes = b"",
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> Result:
    """`ovum run` with these words, to its end."""
    return command("run", *words, stdin=stdin, cwd=cwd, environ=environ, limit_s=limit_s)


def code(source: str, *words: str, stdin: bytes = b"", limit_s: float = LIMIT_S) -> Result:
    """`ovum run` with options, then `-c` with this code, to its end."""
    return run(*words, "-c", source, stdin=stdin, limit_s=limit_s)


def qemu(*words: str | Path, limit_s: float = 30) -> Result:
    """Plain QEMU as a user of an image would start it, the serial port on standard output."""
    argv = [QEMU, "-display", "none", "-serial", "stdio", *map(str, words)]
    return _run(argv, b"", limit_s)


def _run(
    argv: Sequence[str],
    stdin: bytes,
    limit_s: float,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Result:
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, cwd=cwd, env=environment(environ),
            timeout=limit_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise AssertionError(
            f"not over after {limit_s} s: {' '.join(argv)}\n--- standard output\n"
            f"{(error.stdout or b'').decode(errors='replace')[-4000:]}\n--- standard error\n"
            f"{(error.stderr or b'').decode(errors='replace')[-4000:]}"
        ) from error
    return Result(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def pseudo_terminal(columns: int = 80, rows: int = 24) -> Iterator[tuple[int, int]]:
    """Our end and the program's end of a terminal of this size."""
    ours, theirs = os.openpty()
    try:
        set_size(theirs, columns, rows)
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def set_size(fd: int, columns: int, rows: int) -> None:
    """Gives a terminal a size."""
    size = rows.to_bytes(2, "little") + columns.to_bytes(2, "little") + bytes(4)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, size)


def find_child(pid: int, name: str) -> int:
    """The process of this name that is a child of another."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        if name in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0].decode():
            return int(child)
    raise AssertionError(f"process {pid} has no child {name}, only {children}")


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, by proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def require(program: str) -> str:
    """The path of a program that packages.txt promises."""
    found = shutil.which(program)
    assert found is not None, f"{program} is missing: ./dev installs what packages.txt lists"
    return found


PANIC: Final = """\
import ctypes, threading
def wait_in_vain():
    threading.Event().wait()
threading.Thread(target=wait_in_vain).start()
def provoke():
    ctypes.CFUNCTYPE(None, ctypes.c_ulong, ctypes.c_int, ctypes.c_ulong)({memset})(
        0xffffd07fffff0000, 0, 8)
print('before', flush=True)
provoke()
"""
"""A program that makes the kernel's own memset write where nothing is."""


def kernel_symbol(name: str) -> int:
    """The address of a function of the kernel."""
    image = build_dir() / "kernel" / "kernel.debug.elf"
    listing = subprocess.run(["nm", image], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        address, _, symbol = line.split()
        if symbol == name:
            return int(address, 16)
    raise AssertionError(f"{image} has no symbol {name}")
