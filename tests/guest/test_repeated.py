"""Many boots in a row: whatever goes wrong in one of a hundred shows here."""

from pathlib import Path

import pytest

from . import machine
from .conftest import HELLO

BOOTS = 10
BOOTS_FULL = 200


@pytest.mark.timeout(1800)
def test_consecutive_boots_all_succeed(hello_elf: Path, full: bool) -> None:
    failures = []
    for number in range(BOOTS_FULL if full else BOOTS):
        result = machine.run(hello_elf)
        if (result.status, result.out, result.err) != (0, f"{HELLO}\n", ""):
            failures.append((number, result))
    assert not failures
