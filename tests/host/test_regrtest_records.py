"""tests.regrtest.records and .execute: what is made of an interpreter's reports, whole or not."""

import json
import sys
from pathlib import Path

from ..regrtest.execute import Interpreter, Job, run
from ..regrtest.records import Case, Module, Reader

CHILD = """
import json, os, sys, time

def say(**record):
    os.write(1, b"\\x1e" + json.dumps(record).encode() + b"\\n")

def test(name, outcome="pass"):
    say(start=name)
    if outcome == "crash":
        say(refused="process")
        sys.stderr.write("the last words\\n")
        os._exit(3)
    if outcome == "panic":
        os._exit(70)
    if outcome == "hang":
        sys.stderr.write("Timeout (0:01:00)!\\n")
        os._exit(1)
    say(end=name, outcome=outcome, detail="", seconds=0.5)

TESTS = {
    "quiet": {"quiet.a": "pass", "quiet.b": "skip"},
    "broken": {"broken.a": "pass", "broken.b": "crash", "broken.c": "pass", "broken.d": "hang"},
    "fatal": {"fatal.a": "panic", "fatal.b": "pass"},
    "fixture": {},
    "lost": {},
}
print("a line of something else")
for module in json.load(sys.stdin)["modules"]:
    name = module["name"]
    if name == "stillborn":
        os._exit(1)
    say(module=name)
    if name == "lost":
        os._exit(1)
    for one, outcome in TESTS[name].items():
        if one not in module["skip"]:
            test(one, outcome)
    if name == "fixture":
        say(refused="socket")
        say(fixture="setUpClass", detail="no")
    say(over=name, skipped=None, error=None, seconds=1.0)
say(done=True)
"""


def results(tmp_path: Path, *names: str) -> dict[str, Module]:
    interpreter = Interpreter([sys.executable, "-c", CHILD], None, refuse=False)
    jobs = [Job(name, 20.0) for name in names]
    return {module.name: module for module in run(interpreter, jobs, tmp_path / "log")}


def outcomes(module: Module) -> dict[str, str]:
    return {name: test.outcome for name, test in module.tests.items()}


def test_a_module_that_runs_to_its_end(tmp_path: Path) -> None:
    (module,) = results(tmp_path, "quiet").values()
    assert outcomes(module) == {"quiet.a": "pass", "quiet.b": "skip"}
    assert module.good() == {"quiet.a"}
    assert (module.error, module.seconds) == (None, 1.0)


def test_after_a_crash_the_other_tests_and_modules_go_on(tmp_path: Path) -> None:
    found = results(tmp_path, "broken", "fatal", "quiet")
    assert outcomes(found["broken"]) == {
        "broken.a": "pass",
        "broken.b": "crash",
        "broken.c": "pass",
        "broken.d": "hang",
    }
    assert found["broken"].tests["broken.b"].detail == "status 3\nthe last words\n"
    assert found["broken"].tests["broken.b"].refused == ["process"]
    assert found["broken"].tests["broken.c"].refused == []
    assert outcomes(found["fatal"]) == {"fatal.a": "panic", "fatal.b": "pass"}
    assert found["quiet"].error is None


def test_what_ends_outside_of_a_test_is_not_tried_again(tmp_path: Path) -> None:
    found = results(tmp_path, "lost", "quiet", "stillborn", "fixture")
    assert list(found) == ["lost", "quiet", "stillborn", "fixture"]
    assert str(found["lost"].error).startswith("crash outside of a test")
    assert str(found["stillborn"].error).startswith("crash at the start")
    assert outcomes(found["quiet"]) == {"quiet.a": "pass", "quiet.b": "skip"}
    assert found["fixture"].fixtures["setUpClass"].refused == ["socket"]


def test_of_two_tests_of_one_name_the_worse_one_counts() -> None:
    modules: dict[str, Module] = {}
    reader = Reader(modules)
    for record in (
        {"module": "m"},
        *({"end": "m.a", "outcome": one, "detail": "", "seconds": 0}
          for one in ("pass", "fail", "pass")),
    ):  # fmt: skip
        reader.feed(b"\x1e" + json.dumps(record).encode())
    assert outcomes(modules["m"]) == {"m.a": "fail"}


def test_results_survive_a_file() -> None:
    module = Module("m", {"m.a": Case("fail", "why", 0.1, ["process"])}, {"s": Case("error")})
    assert Module.load(json.loads(json.dumps(module.dump()))) == module
