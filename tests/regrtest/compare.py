"""Compares what the guest did with what Linux did."""

import dataclasses
from collections.abc import Iterable
from typing import Final

from .left_out import LeftOut
from .records import GOOD, Module

NEEDS: Final = {"process": "starts a process", "family": "opens a socket of another family"}


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """One module."""

    name: str
    expected: int
    """How many tests Linux passes."""
    differences: dict[str, str]
    """The tests among them that the guest does not pass, with its outcome."""
    left_out: dict[str, str]
    """The tests that are not counted because of what they need, with the need."""
    fails_on_linux: int
    """The tests that are not counted because they fail, or are skipped, on Linux, too."""
    broken: str | None
    """`hang`, `panic` or `crash`, if one test did that to the guest."""

    @property
    def passed(self) -> int:
        """How many tests pass on both."""
        return self.expected - len(self.differences)


def needs(refused: Iterable[str]) -> str:
    """In words what a test asked for."""
    return " and ".join(NEEDS[one] for one in sorted(refused))


def left_out_tests(linux: Module, listed: LeftOut) -> dict[str, str]:
    """The tests that a guest cannot be measured by, with the reason."""
    found = listed.of(linux.tests)
    for name, test in {**linux.tests, **linux.fixtures}.items():
        if test.outcome not in GOOD and test.refused:
            found[name] = needs(test.refused)
    if (linux.skipped or linux.error) and linux.refused:
        found[linux.name] = needs(linux.refused)
    return found


def counted(linux: Module, listed: LeftOut) -> set[str]:
    """The tests that the guest should pass."""
    return linux.good() - listed.of(linux.tests).keys()


def compare(linux: Module, guest: Module, listed: LeftOut) -> Comparison:
    """Holds the guest's outcomes against Linux's."""
    expected = counted(linux, listed)
    differences = {}
    broken = None
    for name in sorted(expected):
        test = guest.tests.get(name)
        outcome = "not run" if test is None else test.outcome
        if outcome not in GOOD:
            differences[name] = outcome
    for test in guest.tests.values():
        if test.outcome in ("hang", "panic", "crash"):
            broken = test.outcome
    if guest.error is not None:
        broken = broken or guest.error.split()[0]
        if broken not in ("hang", "panic", "crash"):
            broken = None
    left_out = left_out_tests(linux, listed)
    return Comparison(
        name=linux.name,
        expected=len(expected),
        differences=differences,
        left_out=left_out,
        fails_on_linux=len(linux.tests.keys() - expected - left_out.keys()),
        broken=broken,
    )


def percentage(comparisons: Iterable[Comparison]) -> float:
    """The share of the tests that pass on Linux that also pass in the guest."""
    comparisons = list(comparisons)
    expected = sum(one.expected for one in comparisons)
    return 100 * sum(one.passed for one in comparisons) / expected if expected else 0.0
