"""What a request and its answer cost in the network stack: interpreted, and compiled by mypyc.

Counted in instructions where valgrind is installed, since they are the same on a busy host; else
in the processor's time, of which the least of some runs counts.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.compiled import ensure_compiled
from ovum.paths import REPO
from ovum.progress import Progress
from ovum.sysroot import Sysroot, ensure_sysroot

HEAD: Final = ("a request in the stack", "interpreted", "compiled", "times")

_INSIDE: Final = Path(__file__).parent / "inside"
_PROGRAM: Final = str(_INSIDE / "stack_requests.py")
_FEW, _MANY = 50, 350
"""Requests: the difference has no start in it."""
_COUNT: Final = 3000
_TRIES: Final = 5


def measure() -> dict[str, float]:
    """The figures by name; what the peer costs is subtracted."""
    sysroot = ensure_sysroot(Progress())
    compiled, seconds = ensure_compiled(sysroot)
    ways = {"interpreted": [], "compiled": [str(_INSIDE / "compiled_modules.py"), str(compiled)]}
    found = {"bytes": float(compiled.stat().st_size)}
    if seconds:
        found["seconds"] = seconds
    for way, words in ways.items():
        found[f"{way} us"] = _time(sysroot, [*words, _PROGRAM])
        if shutil.which("valgrind"):
            found[f"{way} instructions"] = _instructions(sysroot, [*words, _PROGRAM])
    return found


def rows(found: Mapping[str, float]) -> list[tuple[str, ...]]:
    """The table's."""
    table: list[tuple[str, ...]] = []
    for unit in ("instructions", "us"):
        if f"interpreted {unit}" in found:
            before, after = found[f"interpreted {unit}"], found[f"compiled {unit}"]
            table.append((unit, f"{before:,.0f}", f"{after:,.0f}", f"{before / after:.2f}"))
    table.append(("bytes of the compiled modules", "", f"{found['bytes']:,.0f}", ""))
    if "seconds" in found:
        table.append(("seconds to compile them", "", f"{found['seconds']:.0f}", ""))
    return table


def _time(sysroot: Sysroot, words: Sequence[str]) -> float:
    def least(*more: str) -> float:
        return min(float(_run(sysroot, (), words, *more)) for _ in range(_TRIES))

    return least(str(_COUNT)) - least(str(_COUNT), "peer")


def _instructions(sysroot: Sysroot, words: Sequence[str]) -> float:
    def count(*more: str) -> int:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            _run(sysroot, ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"), words,
                 *more)  # fmt: skip
            total = re.search(r"^summary: (\d+)", out.read_text(), re.MULTILINE)
            assert total is not None
            return int(total[1])

    def each(*more: str) -> float:
        return (count(str(_MANY), *more) - count(str(_FEW), *more)) / (_MANY - _FEW)

    return each() - each("peer")


def _run(sysroot: Sysroot, before: Sequence[str], words: Sequence[str], *more: str) -> str:
    environment = {**sysroot.python_env(), "PYTHONPATH": str(REPO), "PYTHONHASHSEED": "0"}
    command = [*before, *sysroot.python(*words, *more)]
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    return done.stdout
