"""Every file system answers as Linux does: the contract's cases, as system calls in one machine."""

from pathlib import Path

import pytest

from ..contract.systems import SYSTEMS
from . import machine

FSSPEC = "2026.9.0"

_RUNS: list[machine.Result] = []
"""The one boot."""


def _result() -> machine.Result:
    if not _RUNS:
        folder = Path(__file__).parent.parent
        _RUNS.append(
            machine.run("--with", f"fsspec=={FSSPEC}", "-m", "contract", cwd=folder, limit_s=500)
        )
    return _RUNS[0]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["ram", *SYSTEMS])
def test_a_file_system_answers_as_linux_does(name: str) -> None:
    lines = _result().out.splitlines()
    ends = [line.split() for line in lines if line.startswith(f"CONTRACT {name} ")]
    assert len(ends) == 1, _result().out[-2000:] + _result().err[-2000:]
    wrong = [line for line in lines if line.startswith(f"WRONG {name}: ")]
    assert not wrong, "\n".join(wrong)
    assert int(ends[0][2]) > 500
    assert int(ends[0][3]) == 0
