"""The checks of `tests.guest.checks`, on the processors that matter; a test for each check."""

from pathlib import Path

import pytest

from . import machine, report
from .checks import __main__ as checks
from .checks.registry import CHECKS, NATIVE_LIBRARY

PROCESSORS = {
    "default": (),
    # No AVX, no RDRAND, no invariant counter.
    "qemu64": ("--cpu", "qemu64"),
    # All that the emulator knows, cmpxchg16b, SMAP and five-level paging included.
    "max": ("--cpu", "max"),
}

_RUNS: dict[str, tuple[machine.Result, report.Report]] = {}
"""A boot for each processor, when the first test asks for it."""


@pytest.fixture(params=PROCESSORS)
def checked(
    request: pytest.FixtureRequest, native_library: Path
) -> tuple[machine.Result, report.Report]:
    name: str = request.param
    if name not in _RUNS:
        result = machine.run(
            *("-v", "--add", f"{native_library}:{NATIVE_LIBRARY}", *PROCESSORS[name]),
            *("-m", checks.__package__.rpartition(".")[2]),
            cwd=Path(__file__).parent,
            limit_s=280,
        )
        _RUNS[name] = result, report.parse(result.out, result.err)
    return _RUNS[name]


@pytest.mark.parametrize("name", CHECKS)
def test_in_the_guest(name: str, checked: tuple[machine.Result, report.Report]) -> None:
    problem = checked[1].verdict(name)
    if problem is not None:
        pytest.fail(problem, pytrace=False)


def test_all_checks_were_run(checked: tuple[machine.Result, report.Report]) -> None:
    result, found = checked
    assert found.complete, result.err[-4000:]
    assert set(found.passed) | set(found.failed) == set(CHECKS)
    assert result.status == len(found.failed)


def test_the_log_says_where_randomness_comes_from(
    checked: tuple[machine.Result, report.Report], request: pytest.FixtureRequest
) -> None:
    lines = [line for line in checked[0].err.splitlines() if "entropy" in line]
    by_jitter = request.node.callspec.params["checked"] == "qemu64"
    assert len(lines) == 1, checked[0].err
    assert ("jitter" in lines[0]) == by_jitter, lines
