"""The tables: what is compared with what, and when a goal is met."""

import json
from pathlib import Path

import pytest

from bench import main, results
from bench.footprint import Footprint, smallest
from bench.phases import Phases
from bench.results import Figure, Goal


def figure(unit: str, median: float, best: float | None = None) -> Figure:
    return Figure(unit, median, median if best is None else best)


def test_less_time_is_better() -> None:
    assert results.times_better(figure("us", 2.0), figure("us", 3.0), "median") == 1.5


def test_a_higher_rate_is_better() -> None:
    assert results.times_better(figure("pages/s", 300), figure("pages/s", 100), "median") == 3


def test_nothing_compares_with_zero() -> None:
    assert results.times_better(figure("s", 0.0), figure("s", 1.0), "median") is None


@pytest.mark.parametrize(
    ("median", "best", "expected"),
    [(1.4, 1.2, "yes"), (1.2, 1.4, "best run only"), (1.2, 1.1, "NO"), (None, None, "")],
)
def test_medians_decide_and_best_runs_are_told(
    median: float | None, best: float | None, expected: str
) -> None:
    assert results.verdict(Goal("sys.stat", 1.3), median, best) == expected


def test_without_a_goal_there_is_no_verdict() -> None:
    assert results.verdict(None, 1.0, 1.0) == ""


def test_a_goal_is_for_one_machine() -> None:
    microvm, pc = results.goal_of("boot.ready", "microvm"), results.goal_of("boot.ready", "pc")
    assert microvm is not None and pc is not None
    assert microvm.times > pc.times
    assert results.goal_of("sys.stat", "microvm") is None


def test_a_comparison_has_all_benchmarks_but_those_of_the_host() -> None:
    ours = {"sys.stat": figure("us", 10), "host.others_cpu": figure("cpus", 1)}
    theirs = {"sys.stat": figure("us", 15), "mem.rss_start": figure("KiB", 8000)}
    rows = results.comparison(ours, theirs, "pc")
    assert rows == [
        ["sys.stat", "us", "15", "10", "1.5", "1.5", "≥ 1.30", "yes"],
        ["mem.rss_start", "KiB", "8000", "-", "-", "-", "", ""],
    ]


def test_totals_come_last_and_programs_in_the_order_they_run() -> None:
    names = ["import.total", "cpu.total", "import.csv", "cpu.zeta", "boot.ready"]
    figures = {name: figure("s", 1) for name in names}
    shown = [row[0].split()[0] for row in results.comparison(figures, figures, "pc")]
    assert shown == ["boot.ready", "cpu.zeta", "cpu.total", "import.csv", "import.total"]


def test_figures_are_read_from_all_files_of_a_target(tmp_path: Path) -> None:
    for name in ("cpu", "boot"):
        bench = {f"{name}.x": {"unit": "s", "median": 2.0, "best": 1.0, "values": [1.0, 3.0]}}
        (tmp_path / f"{name}.json").write_text(json.dumps({"bench": bench}))
    assert results.read_figures(tmp_path) == {
        "cpu.x": Figure("s", 2.0, 1.0),
        "boot.x": Figure("s", 2.0, 1.0),
    }
    assert results.read_figures(tmp_path / "none") == {}


def test_interpreters_are_compared_where_both_ran() -> None:
    fast, slow = {"cpu.total": figure("s", 2, 1)}, {"cpu.total": figure("s", 3, 2)}
    targets = {"native-pyhost": slow, "native-debian": fast, "ovum-pc": slow}
    rows = results.interpreter_rows(targets)
    assert [row[1:] for row in rows] == [["1.5", "2"]]


def test_first_output_is_the_sum_of_what_comes_before() -> None:
    rows = results.phase_rows({"pc": Phases(0.1, 0.02, 0.3, 0.001, 0.05)})
    assert rows[-2:] == [["= first output", "421.0"], ["power off", "50.0"]]


def test_footprints_have_budgets() -> None:
    rows = results.footprint_rows({"strip": Footprint(15 << 20, 24)})
    assert [row[-1] for row in rows] == ["yes", "NO"]


def test_a_table_is_aligned() -> None:
    text = results.table(("name", "n"), [("a", "1"), ("long name", "22")])
    assert text.splitlines() == ["name        n", "---------  --", "a           1", "long name  22"]


@pytest.mark.parametrize("least", [4, 5, 37, 255, 256])
def test_the_least_size_is_found_in_few_steps(least: int) -> None:
    tried: list[int] = []

    def works(size: int) -> bool:
        tried.append(size)
        return size >= least

    assert smallest(works, 4, 256) == least
    assert len(tried) <= 8


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    assert main.report(tmp_path) == "nothing has been measured yet"


def test_a_report_has_a_table_for_each_thing_measured(tmp_path: Path) -> None:
    for label in ("ovum-pc", "linux-pc"):
        bench = {"sys.stat": {"unit": "us", "median": 10, "best": 9}}
        (tmp_path / label).mkdir()
        (tmp_path / label / "syscalls.json").write_text(json.dumps({"bench": bench}))
    footprint = {"default": {"image_bytes": 30 << 20, "memory_mib": 36}}
    (tmp_path / "footprint.json").write_text(json.dumps(footprint))
    comparison, sizes = main.report(tmp_path).split("\n\n")
    assert "sys.stat" in comparison
    assert "smallest memory, default" in sizes


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["no-such-benchmark"])
    assert "no-such-benchmark" in capsys.readouterr().err
