"""What shows only after many times, with threads in each other's way; many minutes with --full."""

from pathlib import Path

import pytest

from . import machine, stress_run

FUZZ_SEED = 20_250_101
FUZZ_CALLS = 200_000
FUZZ_CALLS_FULL = 10_000_000
SECONDS = 8
SECONDS_FULL = 600


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that put the native parts into a guest."""
    return stress_run.build(tmp_path_factory.mktemp("stress"))


def _run(libraries: list[str], limit_s: float, *words: object) -> machine.Result:
    """One program, to its end; what it printed is in the report of a failure, seeds included."""
    result = machine.run(
        *stress_run.command(libraries, limit_s, *words),
        cwd=Path(__file__).parent,
        limit_s=limit_s + 60,
    )
    print(result.out)
    return result.expect()


@pytest.mark.timeout(3700)
def test_calls_at_random_leave_everything_as_it_was(libraries: list[str], full: bool) -> None:
    """With --full the seed is a new one each time; what it finds can be had again with it."""
    calls, seed = (FUZZ_CALLS_FULL, 0) if full else (FUZZ_CALLS, FUZZ_SEED)
    result = _run(libraries, 3600 if full else 300, "fuzz", seed, calls)
    assert f", {calls} calls" in result.out


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("program", ["registers", "wakeups"])
def test_it_goes_on_for_long(program: str, libraries: list[str], full: bool) -> None:
    """No register is ever found changed; nothing that waits is ever forgotten."""
    seconds = SECONDS_FULL if full else SECONDS
    _run(libraries, seconds + 240, program, seconds)
