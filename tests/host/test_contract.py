"""The contract of file systems on the host: Linux is asked again, then each of ours."""

import os
import tempfile
from pathlib import Path

import pytest

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.testing import HostedSystem

from ..contract.cases import Step, all_cases
from ..contract.execute import Runner
from ..contract.record import EVERYTHING, PLAIN, ask_linux, recorded
from ..contract.systems import SYSTEMS, System, runner_on
from .drivers.ninep_model import DirectShare, ModelledShare
from .drivers.ninep_server import FdPlace

HERE = {
    **SYSTEMS,
    "9p": System(lambda: DirectShare(tempfile.mkdtemp())),
    "9p by descriptors": System(lambda: DirectShare(tempfile.mkdtemp(), place=FdPlace)),
    "9p through a ring": System(lambda: ModelledShare(tempfile.mkdtemp())),
}
"""And those that need the host's Python to be the other side."""

EVERY = {"9p": 3, "9p by descriptors": 7, "9p through a ring": 23}
"""Of those that take long which cases are run: every third, …; all: tests/guest, with --full."""


@pytest.mark.parametrize("features", [EVERYTHING, PLAIN], ids=["everything", "plain"])
def test_linux_gives_the_answers_that_are_recorded(
    tmp_path: Path, features: frozenset[str]
) -> None:
    answers = recorded(features)
    found = ask_linux(str(tmp_path), features)
    assert {name: found[name] for name in found if found[name] != answers.get(name)} == {}
    assert found.keys() == answers.keys()


@pytest.mark.parametrize("name", HERE)
def test_a_file_system_answers_as_linux_does(name: str) -> None:
    every = EVERY.get(name, 1)
    with HostedSystem(MemoryFileSystem()) as calls:
        calls.mkdir("/mnt")
        runner = runner_on(HERE[name], calls, calls.mount, calls.umount, "/mnt")
        runner.build()
        cases = {
            case: steps
            for number, (case, steps) in enumerate(all_cases().items())
            if number % every == 0 and runner.applies(steps)
        }
        wrong = runner.judge(cases, recorded(HERE[name].features))
    assert not wrong, f"{len(wrong)} of {len(cases)} cases:\n" + "\n".join(wrong)
    assert len(cases) > 500 // every


@pytest.mark.parametrize("where", [0, 12, 44])
def test_a_change_that_linux_does_not_make_is_found_among_many_cases(
    tmp_path: Path, where: int
) -> None:
    os.umask(0o022)
    runner = Runner(os, str(tmp_path), EVERYTHING)
    runner.build()
    cases: dict[str, list[Step]] = {f"stat {k}": [("stat", "file")] for k in range(45)}
    linux = {case: ["file 644 13 x1"] for case in cases}
    assert runner.judge(cases, linux) == []
    cases[f"stat {where}"] = [("stat", "file"), ("unlink", "empty")]
    linux[f"stat {where}"].append("None")
    (wrong,) = runner.judge(cases, linux)
    assert wrong.startswith(f"stat {where}: ['file 644 13 x1', 'None', '- empty'], and Linux")
