"""tests.regrtest.inside: the program that runs CPython's tests, on tests made for it."""

from pathlib import Path

import pytest

from ovum.sysroot import Sysroot

from ..regrtest.execute import Interpreter, Job, run
from ..regrtest.records import Module
from ..regrtest.reference import INSIDE

SAMPLE = """
import os, socket, subprocess, sys, threading, unittest

class Outcomes(unittest.TestCase):
    def test_fail(self): self.assertEqual(1, 2, "that is the detail")
    def test_pass(self): os.write(1, b"{no record}\\n")
    def test_error(self): raise OSError("gone")
    @unittest.skip("a reason")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_xfail(self): self.fail()
    @unittest.expectedFailure
    def test_unexpected(self): pass
    def test_part(self):
        with self.subTest(1): self.fail()
        with self.subTest(2): pass
    def test_part_skipped(self):
        with self.subTest(1): self.skipTest("this one")

class Hiding(unittest.TestCase):
    def test_id(self): self.id = 1

class Fixture(unittest.TestCase):
    @classmethod
    def setUpClass(cls): socket.socket(socket.AF_CAN)
    def test_never(self): pass

class Limits(unittest.TestCase):
    def test_hang(self): threading.Event().wait()
    def test_process(self): subprocess.run([sys.executable])
    def test_fork(self): os.fork()
    def test_waits_for_a_process(self):
        try: os.system("true")
        except OSError: threading.Event().wait()
    def test_family(self): socket.socket(socket.AF_CAN, socket.SOCK_RAW)
    def test_socket(self):
        for family in socket.AF_UNIX, socket.AF_INET: socket.socket(family).close()
    def test_pair(self):
        for end in socket.socketpair(): end.close()
    def test_exit(self): os._exit(5)
"""


@pytest.fixture(scope="module")
def found(sysroot: Sysroot, tmp_path_factory: pytest.TempPathFactory) -> Module:
    folder = tmp_path_factory.mktemp("inside")
    (folder / "sample.py").write_text(SAMPLE)
    interpreter = Interpreter(
        sysroot.python(str(INSIDE)),
        {**sysroot.python_env(), "PYTHONPATH": str(folder), "TMPDIR": str(folder)},
        refuse=True,
    )
    (module,) = run(interpreter, [Job("sample", 2.0)], folder / "log")
    return module


def test_only_parts_run_that_are_asked_for(sysroot: Sysroot, tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(SAMPLE)
    interpreter = Interpreter(
        sysroot.python(str(INSIDE)),
        {**sysroot.python_env(), "PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)},
        refuse=True,
    )
    only = ("sample.Hiding", "sample.Outcomes.test_pass", "sample.Outcomes.test_fail")
    skip = frozenset({"sample.Outcomes.test_fail"})
    (module,) = run(interpreter, [Job("sample", 2.0, skip, only)], tmp_path / "log")
    assert module.tests.keys() == {"sample.Hiding.test_id", "sample.Outcomes.test_pass"}


def outcomes(module: Module, case: str) -> dict[str, str]:
    prefix = f"sample.{case}.test_"
    return {
        name.removeprefix(prefix): test.outcome
        for name, test in module.tests.items()
        if name.startswith(prefix)
    }


def test_every_outcome_is_told(found: Module) -> None:
    assert outcomes(found, "Outcomes") == {
        "error": "error",
        "fail": "fail",
        "part": "fail",
        "part_skipped": "pass",
        "pass": "pass",
        "skip": "skip",
        "unexpected": "fail",
        "xfail": "xfail",
    }
    assert "that is the detail" in found.tests["sample.Outcomes.test_fail"].detail
    assert found.tests["sample.Outcomes.test_skip"].detail == "a reason"
    assert outcomes(found, "Hiding") == {"id": "pass"}
    assert (found.error, found.skipped) == (None, None)


def test_what_is_refused_is_told_with_the_test_that_asked(found: Module) -> None:
    assert outcomes(found, "Limits") == {
        "exit": "crash",
        "family": "error",
        "fork": "error",
        "hang": "hang",
        "pair": "pass",
        "process": "error",
        "socket": "pass",
        "waits_for_a_process": "hang",
    }
    refused = {name.rpartition("_")[2]: test.refused for name, test in found.tests.items()}
    assert refused["process"] == refused["fork"] == ["process"]
    assert refused["family"] == ["family"]
    assert refused["socket"] == refused["pair"] == refused["hang"] == refused["exit"] == []


def test_a_class_that_cannot_be_set_up_is_told(found: Module, tmp_path: Path) -> None:
    (fixture,) = found.fixtures.values()
    assert "Address family not supported" in fixture.detail
    assert fixture.refused == ["family"]
    assert outcomes(found, "Fixture") == {}
