"""What tests of drivers share."""

import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from ovum.services.tasks import testing

from .machine import Machine

SEEDS = [int(os.environ["OVUM_TASKS_SEED"])] if "OVUM_TASKS_SEED" in os.environ else [1, 2, 3]

Run = Callable[..., Any]


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine; what a driver has not given back at the end fails the test."""
    one = Machine()
    yield one
    assert one.leaks() == []


@pytest.fixture(params=SEEDS)
def run(request: pytest.FixtureRequest) -> Run:
    """Runs an async function over a virtual clock, its tasks shuffled by a seed."""

    def run(fn: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> Any:
        return testing.run(fn, *args, seed=request.param)

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a parameter `seed` runs with each of SEEDS, unless it says which itself."""
    own = any("seed" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "seed" in metafunc.fixturenames and not own:
        metafunc.parametrize("seed", SEEDS)
