"""Where the time of a boot goes: before the kernel, in it, in Python's start, in the program."""

import dataclasses
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.machine import Setting, Stamp, program_parts, started
from ovum.link import FromGuest

PROGRAM: Final = """\
import time
print(f"FIRST {time.monotonic_ns()}", flush=True)
"""
"""The guest's monotonic clock is that of its kernel's log: it starts with the kernel."""

_LOG = re.compile(rb"\[\s*(\d+\.\d+)\] (.*)", re.DOTALL)
_STARTING: Final = b"starting /"
_TIMEOUT_S: Final = 60.0


class PhaseError(Exception):
    """The machine did not say what the phases are computed from."""


@dataclasses.dataclass(frozen=True, slots=True)
class Phases:
    """Seconds, one after another."""

    firmware: float
    """QEMU's own start, the firmware, and loading the image."""
    kernel: float
    """To the start of the first program."""
    python: float
    """From there to the first line of the user's program: dynamic linker, interpreter, site."""
    program: float
    """From there until the host has read the program's first output."""
    power_off: float
    """From there until QEMU is gone."""

    @property
    def ready(self) -> float:
        """From QEMU's start to the program's first output."""
        return self.firmware + self.kernel + self.python + self.program


NAMES: Final = tuple(field.name for field in dataclasses.fields(Phases))


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One piece of what a machine said, and when it arrived."""

    at: Stamp
    kind: FromGuest
    payload: bytes


def split(records: Sequence[Record], gone: float) -> Phases:
    """The phases of a boot with the kernel's log shown. Raises PhaseError."""
    kernel_start: float | None = None
    kernel_end: float | None = None
    first: tuple[float, float] | None = None
    for record in records:
        if record.kind is FromGuest.LOG:
            match = _LOG.match(record.payload)
            if match is None:
                continue
            since = float(match[1])
            if kernel_start is None:
                kernel_start = record.at.wall - since
            if match[2].startswith(_STARTING):
                kernel_end = since
        elif record.kind is FromGuest.STDOUT and record.payload.startswith(b"FIRST "):
            first = int(record.payload.split()[1]) / 1e9, record.at.wall
    if kernel_start is None or kernel_end is None or first is None:
        raise PhaseError("the machine's log does not show where its boot was")
    return Phases(
        firmware=kernel_start,
        kernel=kernel_end,
        python=first[0] - kernel_end,
        program=first[1] - kernel_start - first[0],
        power_off=gone - first[1],
    )


def median(runs: Sequence[Phases]) -> Phases:
    """Each phase's median."""
    return Phases(*(statistics.median(getattr(run, name) for run in runs) for name in NAMES))


def measure(machine: str, script: Path) -> Phases:
    """Boots once. `script` is a file to write the program to."""
    script.parent.mkdir(parents=True, exist_ok=True)
    if not script.exists() or script.read_text() != PROGRAM:
        script.write_text(PROGRAM)
    parts = program_parts(str(script))
    with started(parts, Setting(machine=machine, verbose=True)) as running:
        frames = running.frames(_TIMEOUT_S)
        records = [Record(at, frame.type, frame.payload) for at, frame in frames]
        return split(records, running.wait())
