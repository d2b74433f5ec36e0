"""Figures that one program prints in both machines, and their table."""

import json
import statistics
from collections.abc import Mapping
from typing import Final

_MARK: Final = "FIGURES "

Figures = dict[str, list[float]]
"""Values of all runs by name."""


class ProgramError(Exception):
    """The program has failed in a machine."""


def add_figures(figures: Figures, output: str, program: str) -> None:
    """Takes the values that a program has printed. Raises ProgramError if it has printed none."""
    at = output.find(_MARK)
    if at < 0:
        raise ProgramError(f"{program} has failed:\n{output[-2000:]}")
    values: dict[str, float] = json.loads(output[at + len(_MARK) :].splitlines()[0])
    for name, value in values.items():
        figures.setdefault(name, []).append(value)


def rows(
    found: Mapping[str, Figures], goals: Mapping[str, float], *, less_is_better: bool, digits: int
) -> list[tuple[str, ...]]:
    """The lines of the table: medians of all runs, and how many times better ovum's are."""
    lines: list[tuple[str, ...]] = []
    for name, values in found["ovum"].items():
        ours = statistics.median(values)
        others = found.get("linux", {}).get(name)
        goal = goals.get(name)
        shown = "" if goal is None else f"{goal:g}"
        if others is None:
            lines.append((name, "", f"{ours:.{digits}f}", "", shown, ""))
            continue
        theirs = statistics.median(others)
        ratio = theirs / ours if less_is_better else ours / theirs
        met = "" if goal is None else "yes" if ratio >= goal else "no"
        lines.append(
            (name, f"{theirs:.{digits}f}", f"{ours:.{digits}f}", f"{ratio:.2f}", shown, met)
        )
    return lines
