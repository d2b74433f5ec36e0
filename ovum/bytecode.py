"""Byte-compiles Python files with the sysroot's own interpreter, so that a guest never has to."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovum.insysroot import run_script

if TYPE_CHECKING:
    from ovum.sysroot import Sysroot


PYC_HEADER: Final = 16
"""Bytes of a `.pyc` file before the marshalled code (PEP 552)."""


class BytecodeError(Exception):
    """The compiling process itself failed; a file that does not compile is no such error."""


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """One file to compile."""

    source: Path
    output: Path
    shown: str
    """The file's path in the image: what tracebacks show, and where they look for the source."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """A file that is not valid Python; packages carry some on purpose, as templates and tests."""

    shown: str
    reason: str


def compile_units(
    sysroot: "Sysroot", units: Sequence[Unit], *, columns: bool = True
) -> list[Failure]:
    """Compiles all units and returns those that are not valid Python.

    Without `columns` the code does not say which part of a line it came from. That is worth 5 % of
    its size, and a traceback can only show it where it also has the source.
    """
    if not units:
        return []
    request = "".join(
        json.dumps([str(unit.source), str(unit.output), unit.shown]) + "\n" for unit in units
    )
    flags = [] if columns else ["-X", "no_debug_ranges"]
    done = run_script(sysroot, "compile_all", request, *flags)
    if done.returncode:
        raise BytecodeError(f"cannot compile Python files:\n{done.stderr.strip()}")
    return [Failure(*json.loads(line)) for line in done.stdout.splitlines()]
