"""Reads what was measured and makes the tables of it."""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.footprint import IMAGE_BUDGET_MIB, MEMORY_BUDGET_MIB, Footprint
from bench.phases import NAMES, Phases

_MIB: Final = 1 << 20
_GROUPS: Final = ("boot", "cpu", "sys", "mem", "thr", "file", "import", "http", "net")


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One benchmark on one target."""

    unit: str
    median: float
    best: float

    @property
    def higher_is_better(self) -> bool:
        """Whether it is a rate or a count, not a time or a size."""
        return self.unit.endswith("/s") or self.unit in ("threads", "ratio")


Figures = Mapping[str, Figure]


@dataclasses.dataclass(frozen=True, slots=True)
class Goal:
    """How many times better than Linux a figure has to be."""

    bench: str
    times: float
    machine: str = "pc"


GOALS: Final = (
    Goal("boot.ready", 7.0, "microvm"),
    Goal("boot.ready", 5.5, "pc"),
    Goal("sys.getppid", 1.3),
    Goal("sys.pipe_write_read", 1.3),
    Goal("sys.stat", 1.3),
    Goal("sys.time_monotonic", 1.3),
    Goal("mem.mmap_touch", 3.0),
    # At most 12 % slower.
    Goal("cpu.total", 1 / 1.12),
    Goal("http.asyncio.c1_rps", 0.8),
    Goal("http.asyncio.c16_rps", 0.8),
    Goal("http.asyncio.newconn_rps", 0.4),
    Goal("net.tcp_in", 0.8),
    Goal("net.tcp_out", 0.8),
    Goal("net.connect_close", 0.4),
    Goal("net.udp_echo_w1", 0.4),
)


COMPARISON_HEAD: Final = (
    *("benchmark", "unit", "Linux", "ovum"),
    *("times better", "by best runs", "goal", "met"),
)
INTERPRETER_HEAD: Final = ("time for pure Python", "by medians", "by best runs")
FOOTPRINT_HEAD: Final = ("hello world", "unit", "measured", "budget", "met")


def goal_of(bench: str, machine: str) -> Goal | None:
    """The goal for a benchmark, where there is one."""
    for goal in GOALS:
        if (goal.bench, goal.machine) == (bench, machine):
            return goal
    return None


def read_figures(folder: Path) -> dict[str, Figure]:
    """Every figure of one target: its folder holds a file for each program."""
    figures: dict[str, Figure] = {}
    for file in sorted(folder.glob("*.json")):
        content: dict[str, Any] = json.loads(file.read_text())
        for name, found in content["bench"].items():
            figures[name] = Figure(found["unit"], found["median"], found["best"])
    return figures


def times_better(ours: Figure, theirs: Figure, stat: str) -> float | None:
    """How many times better ours is, by `median` or `best`; None where that says nothing."""
    mine, other = getattr(ours, stat), getattr(theirs, stat)
    if not mine or not other:
        return None
    return float(mine / other if ours.higher_is_better else other / mine)


def verdict(goal: Goal | None, median: float | None, best: float | None) -> str:
    """Whether a goal is met: by the medians, or only by the best runs."""
    if goal is None or median is None or best is None:
        return ""
    if median >= goal.times:
        return "yes"
    return "best run only" if best >= goal.times else "NO"


def comparison(ours: Figures, theirs: Figures, machine: str) -> list[list[str]]:
    """Rows: benchmark, unit, Linux, ovum, times better by median and by best, goal, verdict."""
    rows = []
    for name in sorted(ours.keys() | theirs.keys(), key=_order):
        if name.startswith("host."):
            continue
        mine, other = ours.get(name), theirs.get(name)
        figure = mine or other
        assert figure is not None
        median = times_better(mine, other, "median") if mine and other else None
        best = times_better(mine, other, "best") if mine and other else None
        goal = goal_of(name, machine)
        rows.append(
            [
                f"{name} ({machine})" if name == "boot.ready" else name,
                figure.unit,
                _number(other.median if other else None),
                _number(mine.median if mine else None),
                _number(median),
                _number(best),
                f"≥ {goal.times:.2f}" if goal else "",
                verdict(goal, median, best),
            ]
        )
    return rows


def _order(name: str) -> tuple[int, bool, str]:
    """By program, as they are run; the total of a program last."""
    group = name.split(".")[0]
    place = _GROUPS.index(group) if group in _GROUPS else len(_GROUPS)
    return place, name.endswith(".total"), name


def interpreter_rows(targets: Mapping[str, Figures]) -> list[list[str]]:
    """What the interpreter's build costs on this host, and in the guest: pure Python's times."""
    rows = []
    for name, slow, fast in (
        ("this host: pyhost / Debian's python3", "native-pyhost", "native-debian"),
        ("emulated: ovum / Linux guest", "ovum-pc", "linux-pc"),
    ):
        ours, theirs = (
            targets.get(slow, {}).get("cpu.total"),
            targets.get(fast, {}).get("cpu.total"),
        )
        if ours and theirs:
            rows.append(
                [name, _number(ours.median / theirs.median), _number(ours.best / theirs.best)]
            )
    return rows


def phase_rows(phases: Mapping[str, Phases]) -> list[list[str]]:
    """One row for each phase, in milliseconds, one column for each machine."""
    rows = [
        [name.replace("_", " "), *(_ms(getattr(phases[machine], name)) for machine in phases)]
        for name in NAMES
    ]
    rows.insert(-1, ["= first output", *(_ms(phases[machine].ready) for machine in phases)])
    return rows


def footprint_rows(footprints: Mapping[str, Footprint]) -> list[list[str]]:
    """Memory and image size of each kind of image, beside their budgets."""
    rows = []
    for variant, found in footprints.items():
        for what, value, budget in (
            ("smallest memory", float(found.memory_mib), MEMORY_BUDGET_MIB[variant]),
            ("image", found.image_bytes / _MIB, IMAGE_BUDGET_MIB[variant]),
        ):
            met = "yes" if value <= budget else "NO"
            rows.append([f"{what}, {variant}", "MiB", f"{value:.1f}", f"≤ {budget}", met])
    return rows


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns, the first to the left and the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [_row(line, widths) for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(text)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([first, *rest]).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
