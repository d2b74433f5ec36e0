"""Wheels from PyPI do in a guest what they do on Linux, by the programs in `wheels`."""

import dataclasses
import json
from pathlib import Path

import pytest

from . import linux, machine
from .wheels import GROUPS

HERE = Path(__file__).parent
LIMIT_S = 200.0
"""For all programs of a group; each takes seconds."""

MACHINE = {"avx2": ("--cpu", "max")}
"""What the packages of a group ask for besides memory; docs/packages.md says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """One program that was run."""

    name: str
    output: str
    error: str | None
    seconds: float


_LINUX: dict[str, dict[str, Ran]] = {}
_GUEST: dict[str, dict[str, Ran]] = {}
"""What a group's programs gave, when the first test asks."""


def _read(output: str) -> dict[str, Ran]:
    ran = [Ran(**json.loads(line)) for line in linux.lines(output, "WHEEL")]
    return {one.name: one for one in ran}


def _on_linux(group: str) -> dict[str, Ran]:
    if group not in _LINUX:
        output = linux.python(
            HERE / "wheels" / f"{group}.txt", "-m", "wheels", *GROUPS[group],
            cwd=HERE, limit_s=LIMIT_S,
        )  # fmt: skip
        _LINUX[group] = _read(output)
    return _LINUX[group]


def _in_guest(group: str) -> dict[str, Ran]:
    """Boots once, and once more after each program that ends or hangs the whole machine."""
    if group not in _GUEST:
        found = _GUEST[group] = {}
        left = list(GROUPS[group])
        while left:
            result = machine.run(
                *(
                    "-r",
                    HERE / "wheels" / f"{group}.txt",
                    "--memory",
                    "2G",
                    *MACHINE.get(group, ()),
                ),
                *("--timeout", str(LIMIT_S), "-m", "wheels", *left),
                cwd=HERE,
                # The first time, the packages have to be fetched.
                limit_s=LIMIT_S + 600,
            )
            found.update(_read(result.out))
            left = [name for name in left if name not in found]
            if left:
                ended = f"status {result.status}\n{result.err[-6000:]}"
                found[left[0]] = Ran(left[0], "", ended, 0)
                del left[0]
    return _GUEST[group]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group, names in GROUPS.items() for name in names]
)
def test_a_wheel_does_what_it_does_on_linux(group: str, name: str) -> None:
    expected, got = _on_linux(group)[name], _in_guest(group)[name]
    assert expected.error is None, expected.error
    assert got.error is None, got.error
    assert got.output.splitlines() == expected.output.splitlines()
    assert expected.output
