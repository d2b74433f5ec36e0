"""What services cost: in a machine, and a served call on this host without one."""

import json
import time
from pathlib import Path
from typing import Any, Final

from bench.machine import Setting, program_parts, run_to_end
from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.testing import HostedSystem

PROGRAM: Final = Path(__file__).parent / "inside" / "services.py"
MACHINES: Final = ("microvm", "pc")
HEAD: Final = ("services", "unit", "measured", "goal", "met")
_TIMEOUT_S: Final = 300.0

Figures = dict[str, Any]


class ServicesError(Exception):
    """The program in the machine has failed."""


def measure(machine: str) -> Figures:
    """Runs the program in a machine of this kind and returns what it has measured."""
    parts = program_parts(str(PROGRAM))
    outcome = run_to_end(parts, Setting(machine=machine, memory_mib=512), _TIMEOUT_S)
    if outcome.status != 0:
        raise ServicesError(f"{PROGRAM.name} ended with status {outcome.status} on {machine}")
    found: Figures = json.loads(outcome.output)
    return found


def host_stat_us() -> float:
    """µs of a served stat through the stand-in for the kernel: the median of many."""
    with HostedSystem(MemoryFileSystem()) as system:
        system.mkdir("/folder")
        taken = []
        for _ in range(2000):
            begun = time.perf_counter()
            system.stat("/folder")
            taken.append(time.perf_counter() - begun)
    return sorted(taken)[len(taken) // 2] * 1e6


def rows(machine: str, found: Figures) -> list[tuple[str, str, str, str, str]]:
    """The lines of the table."""
    stat, read, channel = found["stat us"], found["read MiB/s"], found["channel us"]
    lines: list[tuple[str, str, float, float | None]] = []
    for name in (name for name in found if name.startswith("interrupt")):
        busy = "idle" not in name
        lines.append((f"{name}, median", "µs", found[name]["p50"], None))
        lines.append((f"{name}, 99th percentile", "µs", found[name]["p99"], 1000 if busy else None))
    lines += [
        ("stat of a served file, times RAM's", "", stat["served"] / stat["ram"], 12),
        ("reading a served file, times RAM's", "", read["served"] / read["ram"], -0.5),
        ("channel, times asyncio.Queue's", "", channel["asyncio"] / channel["ovum"], -2),
        ("wake-ups of an idle machine in 3 s", "", found["idle wake-ups in 3 s"], 0),
        ("start of services when they are needed", "ms", found["start ms"], None),
    ]
    return [row(f"{machine}: {name}", unit, value, goal) for name, unit, value, goal in lines]


def row(name: str, unit: str, value: float, goal: float | None) -> tuple[str, str, str, str, str]:
    """A line: a goal below 0 is the least there should be, another one the most."""
    measured = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    if goal is None:
        return name, unit, measured, "", ""
    met = value >= -goal if goal < 0 else value <= goal
    words = f"at least {-goal:g}" if goal < 0 else f"at most {goal:g}"
    return name, unit, measured, words, "yes" if met else "no"
