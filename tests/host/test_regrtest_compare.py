"""tests.regrtest: what counts, what is left out, what differs, and the choice of modules."""

from pathlib import Path

import pytest

from ..regrtest import guest, report
from ..regrtest.compare import Comparison, compare, percentage
from ..regrtest.left_out import FILE, LeftOut
from ..regrtest.records import Case, Module
from ..regrtest.suite import choose

MODULES = ["test.test_os", "test.test_asyncio.test_events", "test.test_asyncio.test_tasks"]


NOTHING = LeftOut({}, {})


def listed(**tests: str) -> LeftOut:
    return LeftOut({}, tests)


def module(error: str | None = None, **outcomes: str) -> Module:
    tests = {name: Case(outcome) for name, outcome in outcomes.items()}
    return Module("test.test_m", tests, error=error)


def test_only_what_passes_on_linux_counts() -> None:
    linux = module(a="pass", b="xfail", c="fail", d="skip", e="pass", f="pass")
    found = compare(linux, module(a="pass", b="pass", c="fail", e="skip"), NOTHING)
    assert (found.expected, found.passed, found.fails_on_linux) == (4, 2, 2)
    assert found.differences == {"e": "skip", "f": "not run"}
    assert found.broken is None
    assert percentage([found]) == 50.0


def test_what_linux_was_told_to_refuse_is_left_out_with_the_reason() -> None:
    linux = module(a="pass", b="fail", c="pass", d="fail")
    linux.tests["a"].refused = ["family"]
    linux.tests["b"].refused = ["process", "family"]
    linux.fixtures["setUpClass (C)"] = Case("error", refused=["process"])
    found = compare(linux, module(a="pass"), listed(c="takes too long"))
    assert found.left_out == {
        "b": "opens a socket of another family and starts a process",
        "c": "takes too long",
        "setUpClass (C)": "starts a process",
    }
    # The test that can do without what it was refused counts.
    assert (found.expected, found.passed, found.fails_on_linux) == (1, 1, 1)


def test_a_module_whose_import_was_refused_is_left_out_as_a_whole() -> None:
    linux = Module("test.test_m", error="OSError", refused=["process"])
    found = compare(linux, Module("test.test_m"), NOTHING)
    assert found.left_out == {"test.test_m": "starts a process"}
    assert percentage([found]) == 0.0


@pytest.mark.parametrize("outcome", ["hang", "panic", "crash"])
def test_what_breaks_the_machine_is_told(outcome: str) -> None:
    linux = module(a="pass", b="pass")
    assert compare(linux, module(a="pass", b=outcome), NOTHING).broken == outcome
    lost = module(a="pass", error=f"{outcome} outside of a test\n")
    assert compare(linux, lost, NOTHING).broken == outcome
    assert compare(linux, module(a="pass", b="error", error="Traceback …"), NOTHING).broken is None


def test_a_boot_is_not_overloaded() -> None:
    linux = {
        name: Module(name, seconds=seconds)
        for name, seconds in {"a": 1.0, "b": 30.0, "c": 9.0, "d": 5.0, "e": 2.0}.items()
    }
    assert list(guest.batches(list(linux), linux)) == [["a"], ["b"], ["c", "d"], ["e"]]


def test_a_job_has_only_what_should_pass_in_it() -> None:
    linux = module(a="pass", b="fail", c="pass")
    linux.tests["a"].seconds = 2.0
    job = guest.job(linux, listed(c="why", **{"another.module": "why"}), ("a",))
    assert job.only == ("a",)
    assert job.skip >= {"b", "c"} and "a" not in job.skip
    assert job.limit_s == guest.BASE_S + 2 * guest.FACTOR


def test_names_are_modules_or_packages_of_them() -> None:
    assert choose(["test_os"], MODULES) == ({"test.test_os": ()}, [])
    chosen, _ = choose(["test.test_asyncio", "test_os"], MODULES)
    assert list(chosen) == [*MODULES[1:], MODULES[0]]
    assert choose(["test_asyncio.test_tasks", "test_o"], MODULES) == ({MODULES[2]: ()}, ["test_o"])


def test_names_may_be_parts_of_modules() -> None:
    one, other = "test_os.FileTests", "test_os.StatTests.test_stat"
    assert choose([one, other], MODULES)[0] == {MODULES[0]: (f"test.{one}", f"test.{other}")}
    assert choose([one, "test_os"], MODULES)[0] == {MODULES[0]: ()}
    assert choose(["test_os", one], MODULES)[0] == {MODULES[0]: ()}


def test_a_class_of_tests_is_left_out_by_its_name() -> None:
    left_out = listed(**{"test.test_m.Case": "why", "test.test_m.Other.test_b": "no"})
    names = [f"test.test_m.{name}" for name in ("Case.test_a", "Cases.test_a", "Other.test_b")]
    assert left_out.of(names) == {names[0]: "why", names[2]: "no"}


def test_what_is_left_out_has_a_reason(tmp_path: Path) -> None:
    left_out = LeftOut.read()
    assert all(left_out.modules.values())
    assert left_out.why("test.test_multiprocessing_fork.test_misc") == left_out.why(
        "test.test_multiprocessing_fork"
    )
    assert left_out.why("test.test_os") is None
    twice = tmp_path / "twice.toml"
    twice.write_text(FILE.read_text() + '[again]\nreason = "x"\nmodules = ["test_gdb"]\n')
    with pytest.raises(ValueError, match="test_gdb twice"):
        LeftOut.read(twice)


def test_the_summary_has_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    good = Comparison("a", 10, {}, {}, 1, None)
    bad = Comparison("b", 10, {"x": "fail"}, {"y": "starts a process"}, 0, "hang")
    report.summary([good, bad])
    out = capsys.readouterr().out
    assert "b: 1 of 10 differ, hang" in out
    assert "pass on Linux: 20, in the guest, too: 19, 95.00 %" in out
    assert "left out, starts a process: 1" in out
