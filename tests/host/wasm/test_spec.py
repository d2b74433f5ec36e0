"""ovum.wasm against the tests of the WebAssembly specification: expected.json says what fails."""

import json
from typing import Any

import pytest

from .spec.runner import EXPECTED, Script, load

GROUPS = ("spec/simd", "spec/", "")
"""By the beginnings of files' names; each file belongs to the first that fits."""


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(EXPECTED.read_text())
    return known


@pytest.fixture(scope="module")
def files() -> dict[str, list[Any]]:
    return load()


@pytest.mark.parametrize("group", GROUPS)
def test_what_passed_passes_and_what_fails_is_listed(
    group: str, files: dict[str, list[Any]], expected: dict[str, Any]
) -> None:
    names = [name for name in files if next(filter(name.startswith, GROUPS)) == group]
    lost, gained, passed = [], [], 0
    for name in names:
        known = set(expected.get(name, ()))
        failures = Script().failures(files[name])
        passed += len(files[name]) - len(failures)
        lost += [f"{name} {at}: {failures[at]}" for at in failures.keys() - known]
        gained += [f"{name} {at}" for at in known - failures.keys()]
    print(f"{passed} commands of {len(names)} files pass")
    assert not lost
    # What passes now is to be taken off the list: `python -m tests.host.wasm.spec --write`.
    assert not gained


def test_the_list_counts_what_there_is(
    files: dict[str, list[Any]], expected: dict[str, Any]
) -> None:
    failing = {name: numbers for name, numbers in expected.items() if name != "passes"}
    assert failing.keys() <= files.keys()
    commands = sum(map(len, files.values()))
    assert commands - sum(map(len, failing.values())) == expected["passes"]
    # None of the files went missing.
    assert (len(files), commands) == (238, 57_044)
