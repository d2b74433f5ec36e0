"""The contract of file systems on the host: Linux is asked again, then each of ours."""

from pathlib import Path

import pytest

from ovum.services.vfs import MemoryFileSystem
from ovum.services.vfs.testing import HostedSystem

from ..contract.cases import all_cases
from ..contract.record import EVERYTHING, PLAIN, ask_linux, recorded
from ..contract.systems import SYSTEMS, runner_on


@pytest.mark.parametrize("features", [EVERYTHING, PLAIN], ids=["everything", "plain"])
def test_linux_gives_the_answers_that_are_recorded(
    tmp_path: Path, features: frozenset[str]
) -> None:
    answers = recorded(features)
    found = ask_linux(str(tmp_path), features)
    assert {name: found[name] for name in found if found[name] != answers.get(name)} == {}
    assert found.keys() == answers.keys()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_file_system_answers_as_linux_does(name: str) -> None:
    answers = recorded(SYSTEMS[name].features)
    wrong: list[str] = []
    run = 0
    with HostedSystem(MemoryFileSystem()) as calls:
        calls.mkdir("/mnt")
        runner = runner_on(SYSTEMS[name], calls, calls.mount, calls.umount, "/mnt")
        runner.build()
        for case, steps in all_cases().items():
            if runner.applies(steps):
                run += 1
                answer = runner.run(steps)
                if not runner.agrees(answer, answers[case]):
                    wrong.append(f"{case}: {answer}, and Linux {answers[case]}")
    assert not wrong, f"{len(wrong)} of {run} cases:\n" + "\n".join(wrong)
    assert run > 500
