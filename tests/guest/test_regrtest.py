"""`./dev regrtest`, with a few quick modules of CPython's tests."""

import json
import subprocess
import sys
from pathlib import Path

from ovum.paths import REPO

MODULES = ("test_bool", "test_dis", "test_fcntl", "test_posixpath")


def test_modules_pass_in_the_guest_that_pass_on_linux(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.regrtest", "--target=99", f"--out={tmp_path}", *MODULES],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"modules: {len(MODULES)}, " in done.stdout
    stored = json.loads((tmp_path / "test.test_fcntl.json").read_text())
    # flock in two processes is among the tests of fcntl: it does not count.
    assert stored["linux"]["tests"].keys() > stored["guest"]["tests"].keys()
    assert len(stored["guest"]["tests"]) >= 5
    assert "test.test_fcntl" in (tmp_path / "left-out.txt").read_text()


def test_a_module_that_does_not_exist_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.regrtest", "test_nothing"],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no module test_nothing" in done.stderr
