"""What the user gets to see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from .compare import Comparison, percentage
from .records import Module


def _line(text: str) -> None:
    print(text, flush=True)


def reference(number: int, of: int, module: Module) -> None:
    """A line for a module that Linux has run."""
    state = module.skipped or (module.error and "error") or f"{len(module.good())} pass"
    _line(f"linux [{number:3}/{of}] {module.name}: {state} ({module.seconds:.1f} s)")


def module(number: int, of: int, comparison: Comparison, found: Module) -> None:
    """A line for a module that the guest has run, and one for each difference."""
    verdict = f"{comparison.passed} of {comparison.expected}"
    if comparison.broken:
        verdict += f", {comparison.broken}"
    _line(f"[{number:3}/{of}] {comparison.name}: {verdict} ({found.seconds:.1f} s)")
    if found.error is not None:
        _line(f"    {found.error.strip().splitlines()[-1]}")
    # Those of a module that came to an end early would fill the screen.
    silent = sum(outcome == "not run" for outcome in comparison.differences.values())
    if silent:
        _line(f"    not run: {silent}")
    for name, outcome in comparison.differences.items():
        if outcome == "not run":
            continue
        test = found.tests.get(name)
        lines = test.detail.strip().splitlines() if test is not None else []
        short = name.removeprefix(f"{comparison.name}.")
        _line(f"    {outcome} {short}: {lines[-1][:150] if lines else ''}")


def write_left_out(file: Path, modules: Mapping[str, str], compared: Sequence[Comparison]) -> None:
    """Lists every module that is not run and every test that is not counted, with the reason."""
    with file.open("w") as out:
        for name, reason in modules.items():
            out.write(f"{name}: {reason}\n")
        for comparison in compared:
            for name, reason in comparison.left_out.items():
                out.write(f"{name}: {reason}\n")


def summary(compared: Sequence[Comparison]) -> None:
    """The figures of the whole run."""
    reasons = Counter(reason for one in compared for reason in one.left_out.values())
    different = [one for one in compared if one.differences or one.broken]
    _line("")
    for one in different:
        broken = f", {one.broken}" if one.broken else ""
        _line(f"{one.name}: {len(one.differences)} of {one.expected} differ{broken}")
    empty = sum(not one.expected for one in compared)
    _line(
        f"modules: {len(compared) - empty}, {len(different)} with differences, "
        f"besides {empty} with no test to compare"
    )
    for reason, count in reasons.most_common():
        _line(f"left out, {reason}: {count}")
    _line(
        f"not counted, fail or are skipped on Linux: {sum(one.fails_on_linux for one in compared)}"
    )
    expected = sum(one.expected for one in compared)
    passed = sum(one.passed for one in compared)
    _line(f"pass on Linux: {expected}, in the guest, too: {passed}, {percentage(compared):.2f} %")
