"""What the tests of drivers share: seeds."""

import os

import pytest

SEEDS = 6
"""How many orders each test with the fixture `seed` is run in."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with a parameter `seed` runs with several, or with OVUM_TASKS_SEED alone.

    The seed is in the test's name, so a failure shows it.
    """
    if "seed" in metafunc.fixturenames:
        given = os.environ.get("OVUM_TASKS_SEED")
        metafunc.parametrize("seed", range(SEEDS) if given is None else [int(given)])
