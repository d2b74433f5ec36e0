"""Starts one program on one target and prints its lines, stamped, for the peers' `run_all.py`.

    python -m bench.launcher ovum --app FILE.py [--machine pc] [--mem MIB] [--strip]
    python -m bench.launcher pyhost --app FILE.py      ovum's interpreter, on this host
    python -m bench.launcher debian --app FILE.py      Debian's own interpreter, on this host

Status: the program's; 0 after the line that --until names, 124 when the time is up, 125 when a
machine ended without a status.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from bench.lines import Line, LineSplitter, Until
from bench.machine import (
    Machine,
    MachineTimeoutError,
    Setting,
    Stamp,
    cpu_seconds,
    program_parts,
    started,
)
from ovum.link import FromGuest
from ovum.progress import Progress
from ovum.sysroot import ensure_sysroot
from ovum.toolchain import ensure_pyhost

STATUS_TIMEOUT: Final = 124
STATUS_SILENT: Final = 125
STATUS_TERMINATED: Final = 143

Lines = Generator[Line, None, int]
"""Lines as they come; what it returns in the end is the status."""

_OUTPUT: Final = (FromGuest.STDOUT, FromGuest.STDERR, FromGuest.PANIC)


def machine_lines(machine: Machine, timeout_s: float) -> Lines:
    """The lines of a machine's program."""
    splitters = {kind: LineSplitter() for kind in _OUTPUT}
    status = STATUS_SILENT
    try:
        for at, frame in machine.frames(timeout_s):
            if frame.type in splitters:
                yield from splitters[frame.type].feed(at, frame.payload)
            elif frame.type is FromGuest.EXIT:
                status = frame.status()
    except MachineTimeoutError:
        status = STATUS_TIMEOUT
    for splitter in splitters.values():
        yield from splitter.finish(machine.now())
    return status


def process_lines(process: "subprocess.Popen[bytes]", begun: float, timeout_s: float) -> Lines:
    """The lines of a program on the host."""
    assert process.stdout is not None
    splitter = LineSplitter()
    while True:
        left = begun + timeout_s - time.monotonic()
        if not select.select([process.stdout], [], [], max(0.0, left))[0]:
            return STATUS_TIMEOUT
        data = os.read(process.stdout.fileno(), 65536)
        at = Stamp(time.monotonic() - begun, cpu_seconds(process.pid))
        if not data:
            yield from splitter.finish(at)
            return process.wait()
        yield from splitter.feed(at, data)


def print_lines(lines: Lines, until: Until) -> int:
    """Prints each line as it comes; the status to end with."""
    while True:
        try:
            line = next(lines)
        except StopIteration as end:
            return int(end.value)
        print(line, flush=True)
        if until.reached(line):
            return 0


def _run_machine(options: argparse.Namespace) -> int:
    words = ["--strip"] if options.strip else []
    # Line by line, as on the terminal that the Linux guest's program writes to: the stamps count.
    parts = program_parts(*words, "-e", "PYTHONUNBUFFERED=1", str(options.app))
    setting = Setting(
        machine=options.machine,
        memory_mib=options.mem,
        network=options.net == "user" or bool(options.hostfwd),
        forwards=tuple(options.hostfwd),
    )
    with started(parts, setting) as machine:
        return print_lines(machine_lines(machine, options.timeout), Until(options.until))


def _run_native(options: argparse.Namespace) -> int:
    progress = Progress()
    sysroot = ensure_sysroot(progress)
    command = (
        sysroot.python(str(options.app))
        if options.target == "debian"
        else sysroot.python(str(options.app), preload=ensure_pyhost(progress, sysroot))
    )
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**sysroot.python_env(), "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            return print_lines(process_lines(process, begun, options.timeout), Until(options.until))
        finally:
            process.kill()


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("target", choices=("ovum", "pyhost", "debian"))
    add("--app", type=Path, required=True, help="the program")
    add("--mem", type=int, default=256, metavar="MIB")
    add("--net", choices=("none", "user"), default="none")
    add("--hostfwd", action="append", default=[], metavar="tcp:127.0.0.1:PORT-:PORT")
    add("--timeout", type=float, default=120, metavar="SECONDS")
    add("--until", metavar="REGEX", help="stop at the first line that matches")
    add("--machine", default="pc", help="QEMU's machine type")
    add("--strip", action="store_true", help="an image with only what the program reaches")
    return parser.parse_args(words)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leaves by an exception, so that what was started is ended, too."""
    sys.exit(STATUS_TERMINATED)


def main(words: Sequence[str] | None = None) -> int:
    """Runs the program and returns the status."""
    options = _parse(words)
    signal.signal(signal.SIGTERM, _terminate)
    return _run_machine(options) if options.target == "ovum" else _run_native(options)


if __name__ == "__main__":
    sys.exit(main())
